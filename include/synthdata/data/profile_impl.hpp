// synthdata/data/profile_impl.hpp: bodies of profile.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/data/cells.hpp>
#include <synthdata/data/clean/duplicates_impl.hpp>
#include <synthdata/data/clean/outliers_impl.hpp>
#include <synthdata/data/html.hpp>
#include <synthdata/data/profile.hpp>
#include <synthdata/data/statistics.hpp>
#include <synthdata/io/file.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace synthdata {
namespace detail {

inline bool is_measured(ColumnType type) { return is_numeric(type) || type == ColumnType::date_time; }
inline bool is_classed(ColumnType type) { return type == ColumnType::boolean || type == ColumnType::categorical; }

/// Number of different values, from their hashes. Source: Flajolet et al. 2007, "HyperLogLog", with linear counting
/// while many registers are empty.
class HyperLogLog {
 public:
  static constexpr int bits = 14;
  void add(std::uint64_t hash) {
    if (registers_.empty()) registers_.assign(std::size_t{1} << bits, 0);
    const int rank = std::countl_zero(hash << bits | 1u << (bits - 1)) + 1;
    std::uint8_t& at = registers_[hash >> (64 - bits)];
    at = std::max(at, static_cast<std::uint8_t>(rank));
  }
  double count() const {
    if (registers_.empty()) return 0.0;
    const auto m = static_cast<double>(registers_.size());
    double sum = 0.0, empty = 0.0;
    for (const std::uint8_t rank : registers_) {
      sum += std::ldexp(1.0, -rank);
      empty += rank == 0;
    }
    const double raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    return raw <= 2.5 * m && empty > 0.0 ? m * std::log(m / empty) : raw;
  }

 private:
  std::vector<std::uint8_t> registers_;
};

/// How often each value comes, as long as there are not too many different ones; after that the frequent ones.
template <class Key>
class ValueCounter {
 public:
  void add(const Key& key, std::uint64_t hash, std::int64_t limit) {
    distinct_.add(hash);
    ++counts_[key];
    if (static_cast<std::int64_t>(counts_.size()) > limit) shrink(limit / 2);
  }
  bool exact() const { return exact_; }
  std::int64_t distinct(std::int64_t values) const {
    if (exact_) return static_cast<std::int64_t>(counts_.size());
    return std::min(values, static_cast<std::int64_t>(std::llround(distinct_.count())));
  }
  const auto& counts() const { return counts_; }

 private:
  /// Misra and Gries: takes the count of the value of rank `kept` + 1 from all and drops those that reach 0.
  void shrink(std::int64_t kept) {
    exact_ = false;
    std::vector<std::int64_t> all;
    for (const auto& [key, count] : counts_) all.push_back(count);
    std::nth_element(all.begin(), all.begin() + kept, all.end(), std::greater<>());
    const std::int64_t taken = all[static_cast<std::size_t>(kept)];
    for (auto at = counts_.begin(); at != counts_.end();) {
      at->second -= taken;
      at = at->second <= 0 ? counts_.erase(at) : std::next(at);
    }
  }
  /// Seeded by an address, which nobody can know who would make values collide; nothing depends on the order.
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const {
      if constexpr (std::is_integral_v<Key>) {
        return mix_bits(mix_bits(key ^ seed) + seed);
      } else {
        return hash_text(key, seed);
      }
    }
  };
  std::unordered_map<Key, std::int64_t, Hash> counts_{
      8, Hash{mix_bits(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this)))}};
  HyperLogLog distinct_;
  bool exact_ = true;
};

/// What is known of one column so far.
struct ColumnTally {
  ColumnSchema schema;
  std::int64_t missing = 0, infinite = 0, finite = 0;
  double least = std::numeric_limits<double>::infinity(), largest = -std::numeric_limits<double>::infinity();
  double mean = 0.0, squares = 0.0;
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max(), longest = 0;
  double characters = 0.0;
  std::vector<std::int64_t> classes;  // of booleans and categories
  ValueCounter<std::uint64_t> numbers;
  ValueCounter<std::string> texts;
  std::vector<double> sample;  // numbers, codes; NaN where missing or infinite, and for texts

  void add(const Column& column, std::int64_t limit);
};

SYNTHDATA_INLINE void ColumnTally::add(const Column& column, std::int64_t limit) {
  const ColumnType type = column.type();
  const std::int64_t rows = column.size();
  if (is_textual(type)) {
    for (std::int64_t i = 0; i < rows; ++i) {
      if (column.is_missing(i)) {
        ++missing;
        continue;
      }
      const std::string_view text = column.parts().texts[i];
      const std::int64_t length = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
      shortest = std::min(shortest, length);
      longest = std::max(longest, length);
      characters += static_cast<double>(length);
      texts.add(std::string(text), hash_text(text), limit);
    }
    return;
  }
  if (is_classed(type)) {
    classes.resize(std::max(classes.size(), type == ColumnType::boolean ? 2 : schema.categories.size()));
    for (std::int64_t i = 0; i < rows; ++i) {
      if (column.is_missing(i)) {
        ++missing;
      } else {
        ++classes[static_cast<std::size_t>(column.number(i))];
      }
    }
    return;
  }
  double sum = 0.0, first = 0.0;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double number = column.number(i);
    if (std::isnan(number)) {
      ++missing;
      continue;
    }
    const std::uint64_t bits = value_bits(column, i);
    numbers.add(bits, mix_bits(bits + 0x9e3779b97f4a7c15u), limit);
    if (std::isinf(number)) {
      ++infinite;
      continue;
    }
    least = std::min(least, number);
    largest = std::max(largest, number);
    if (count++ == 0) first = number;
    sum += number - first;
  }
  if (count == 0) return;
  // two passes over the piece, then joined with what was before. Source: Chan, Golub, LeVeque 1983.
  const double here = first + sum / static_cast<double>(count);
  double spread = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double number = column.number(i);
    if (std::isfinite(number)) spread += (number - here) * (number - here);
  }
  const auto a = static_cast<double>(finite), b = static_cast<double>(count);
  const double difference = here - mean;
  mean += difference * (b / (a + b));
  squares += spread + difference * difference * (a * b / (a + b));
  finite += count;
}

/// Cramér's V of two columns of classes, over the rows that have both.
SYNTHDATA_INLINE double cramers_v(std::span<const double> x, std::span<const double> y, std::size_t nx,
                                  std::size_t ny) {
  std::vector<std::int32_t> first, second;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    first.push_back(static_cast<std::int32_t>(x[i]));
    second.push_back(static_cast<std::int32_t>(y[i]));
  }
  const auto height = static_cast<std::int64_t>(nx), width = static_cast<std::int64_t>(ny);
  return cramers_v(count_pairs(first, height, second, width), height, width);
}

/// sqrt(spread between the classes' means / spread of all). Source: Fisher 1925, section 45.
SYNTHDATA_INLINE double correlation_ratio(std::span<const double> classes, std::span<const double> y,
                                          std::size_t count) {
  std::vector<double> sums(count), counts(count);
  double n = 0.0, mean = 0.0, spread = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(classes[i]) || std::isnan(y[i])) continue;
    n += 1.0;
    mean += (y[i] - mean) / n;
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(classes[i]) || std::isnan(y[i])) continue;
    sums[static_cast<std::size_t>(classes[i])] += y[i] - mean;
    counts[static_cast<std::size_t>(classes[i])] += 1.0;
    spread += (y[i] - mean) * (y[i] - mean);
  }
  double between = 0.0;
  for (std::size_t c = 0; c < count; ++c) between += counts[c] > 0.0 ? sums[c] * sums[c] / counts[c] : 0.0;
  const auto there = std::count_if(counts.begin(), counts.end(), [](double of) { return of > 0.0; });
  return spread > 0.0 && there > 1 ? std::sqrt(std::clamp(between / spread, 0.0, 1.0))
                                   : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace detail

struct TableProfiler::Impl {
  ProfileOptions options;
  std::int64_t sample = 0, max_distinct = 0;
  std::int64_t rows = 0, size_bytes = 0;
  bool started = false;
  std::vector<detail::ColumnTally> columns;
  Rng rng;
};

SYNTHDATA_INLINE TableProfiler::TableProfiler(const ProfileOptions& options) : impl_(new Impl) {
  constexpr std::int64_t most = 100'000'000;
  const auto within = [](const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value >= low && value <= high) return;
    throw NumericError(concat("profile: expects ", name, " within ", low, " ... ", high, ", got ", value));
  };
  within("top", options.top, 0, 1000);
  within("bins", options.bins, 1, 200);
  within("sample", options.sample, 0, std::numeric_limits<std::int64_t>::max());
  if (options.max_distinct != 0) within("max_distinct", options.max_distinct, 16, most);
  within("max_correlated", options.max_correlated, 0, 1000);
  impl_->options = options;
  impl_->sample = options.sample ? options.sample : 50'000;
  impl_->max_distinct = options.max_distinct ? options.max_distinct : 16'384;
  impl_->rng = Rng(options.seed);
}

SYNTHDATA_INLINE TableProfiler::TableProfiler(TableProfiler&&) noexcept = default;
SYNTHDATA_INLINE TableProfiler& TableProfiler::operator=(TableProfiler&&) noexcept = default;
SYNTHDATA_INLINE TableProfiler::~TableProfiler() = default;

SYNTHDATA_INLINE void TableProfiler::add(const Table& piece) {
  Impl& impl = *impl_;
  const std::vector<Column>& columns = piece.columns();
  if (!impl.started) {
    impl.started = true;
    impl.columns.resize(columns.size());
    for (std::size_t c = 0; c < columns.size(); ++c) impl.columns[c].schema = columns[c].schema();
  }
  if (columns.size() != impl.columns.size()) {
    throw DataError(concat("profile: expects ", impl.columns.size(), " columns, got ", columns.size()));
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnSchema &expected = impl.columns[c].schema, &got = columns[c].schema();
    if (expected.name != got.name || expected.type != got.type || expected.categories != got.categories) {
      throw DataError(concat("profile: column ", c + 1, " was ", in_quotes(expected.name), " of type ", expected.type,
                             ", is ", in_quotes(got.name), " of type ", got.type, " or has other categories"));
    }
  }
  // where each row goes in the sample (algorithm R of Vitter 1985): the same draw for all columns
  std::vector<std::int64_t> places(static_cast<std::size_t>(piece.size()));
  for (std::int64_t& place : places) {
    const std::int64_t row = impl.rows++;
    place = row < impl.sample ? row : impl.rng.below(row + 1);
    if (place >= impl.sample) place = -1;
  }
  const auto sampled = static_cast<std::size_t>(std::min(impl.rows, impl.sample));
  parallel_for(static_cast<std::int64_t>(columns.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      detail::ColumnTally& tally = impl.columns[c];
      tally.add(columns[c], impl.max_distinct);
      if (detail::is_textual(columns[c].type())) continue;
      tally.sample.resize(sampled);
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i] < 0) continue;
        const double number = columns[c].number(static_cast<std::int64_t>(i));
        tally.sample[static_cast<std::size_t>(places[i])] =
            std::isfinite(number) ? number : std::numeric_limits<double>::quiet_NaN();
      }
    }
  });
  impl.size_bytes += piece.size_bytes();
}

namespace detail {

SYNTHDATA_INLINE void sort_top(std::vector<ValueCount>& top, std::int64_t count) {
  const auto kept = top.begin() + std::min<std::ptrdiff_t>(count, std::ssize(top));
  std::partial_sort(top.begin(), kept, top.end(), [](const ValueCount& a, const ValueCount& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  top.erase(kept, top.end());
}

SYNTHDATA_INLINE ColumnProfile profile_of(const ColumnTally& tally, std::int64_t rows, const ProfileOptions& options) {
  ColumnProfile out{.schema = tally.schema, .rows = rows, .missing = tally.missing, .infinite = tally.infinite};
  out.schema.categories.clear();
  const ColumnType type = tally.schema.type;
  const std::int64_t values = rows - tally.missing;
  // only the most frequent become text: there may be many
  const auto most_frequent = [&](const auto& counts, auto&& spell) {
    std::vector<std::int64_t> all;
    for (const auto& [key, count] : counts) all.push_back(count);
    const std::int64_t place = std::min<std::int64_t>(options.top, std::ssize(all));
    if (place == 0) return;
    std::nth_element(all.begin(), all.begin() + (place - 1), all.end(), std::greater<>());
    // a value that comes once is not frequent
    const std::int64_t least = std::max<std::int64_t>(all[static_cast<std::size_t>(place - 1)], 2);
    for (const auto& [key, count] : counts) {
      if (count >= least) out.top.push_back({spell(key), count});
    }
    sort_top(out.top, options.top);
  };
  if (is_textual(type)) {
    out.distinct = tally.texts.distinct(values);
    out.counted = tally.texts.exact();
    out.shortest = values ? tally.shortest : 0;
    out.longest = tally.longest;
    out.mean_length = values ? tally.characters / static_cast<double>(values) : 0.0;
    most_frequent(tally.texts.counts(), [](const std::string& text) { return text; });
    return out;
  }
  if (is_classed(type)) {
    for (std::size_t i = 0; i < tally.classes.size(); ++i) {
      if (tally.classes[i] == 0) continue;
      ++out.distinct;
      out.top.push_back({type == ColumnType::categorical ? tally.schema.categories[i]
                         : i                             ? tally.schema.true_text
                                                         : tally.schema.false_text,
                         tally.classes[i]});
    }
    sort_top(out.top, options.top);
    return out;
  }
  out.distinct = tally.numbers.distinct(values);
  out.counted = tally.numbers.exact();
  most_frequent(tally.numbers.counts(), [&](std::uint64_t bits) {
    std::string cell;
    if (type == ColumnType::real) {
      append_real_cell(cell, std::bit_cast<double>(bits), tally.schema);
    } else if (type == ColumnType::integer) {
      append_integer_cell(cell, static_cast<std::int64_t>(bits));
    } else {
      append_date_time_cell(cell, static_cast<std::int64_t>(bits), tally.schema.pattern, tally.schema.zone);
    }
    return cell;
  });
  if (tally.finite == 0) return out;
  out.least = tally.least;
  out.largest = tally.largest;
  out.mean = tally.mean;
  out.deviation = tally.finite > 1 ? std::sqrt(tally.squares / static_cast<double>(tally.finite - 1)) : 0.0;
  std::vector<double> sorted = tally.sample;
  std::erase_if(sorted, [](double number) { return std::isnan(number); });
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty()) return out;  // a few values among many missing ones, none of which was drawn
  for (const double at : profile_quantiles) out.quantiles.push_back(quantile_of_sorted(sorted, at));
  // whole numbers in few places get a bin each
  const double range = out.largest - out.least;
  const bool few = type == ColumnType::integer && range < static_cast<double>(options.bins);
  const auto bins = few ? static_cast<std::size_t>(range) + 1 : static_cast<std::size_t>(options.bins);
  std::vector<double> counts(bins);
  const double width = few ? 1.0 : range / static_cast<double>(bins);
  for (const double number : sorted) {
    const double place = width > 0.0 && std::isfinite(range) ? (number - out.least) / width : 0.0;
    counts[std::min(static_cast<std::size_t>(place), bins - 1)] += 1.0;
  }
  const double scale = static_cast<double>(tally.finite) / static_cast<double>(sorted.size());
  for (const double count : counts) out.histogram.push_back(std::llround(count * scale));
  return out;
}

SYNTHDATA_INLINE std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share > 0.0 && share < 0.0995 ? "%.2g %%" : "%.3g %%", 100.0 * share);
  return text;
}

SYNTHDATA_INLINE std::vector<ProfileWarning> warnings_of(const TableProfile& profile) {
  std::vector<ProfileWarning> warnings;
  const auto share = [](std::int64_t part, std::int64_t all) {
    return all ? static_cast<double>(part) / static_cast<double>(all) : 0.0;
  };
  if (profile.rows == 0) warnings.push_back({"", "has no rows"});
  if (profile.duplicates > 0) {
    warnings.push_back(
        {"", concat("has ", profile.duplicates, profile.duplicates == 1 ? " duplicate row (" : " duplicate rows (",
                    percent(share(profile.duplicates, profile.rows)), ")")});
  }
  for (const ColumnProfile& column : profile.columns) {
    const std::int64_t values = column.rows - column.missing;
    const std::string& name = column.schema.name;
    const auto warn = [&](std::string text) { warnings.push_back({name, std::move(text)}); };
    if (column.rows == 0) continue;
    if (values == 0) {
      warn("has no values");
      continue;
    }
    if (share(column.missing, column.rows) > 0.05) {
      warn(concat("misses ", percent(share(column.missing, column.rows)), " of its values"));
    }
    if (column.infinite > 0) warn(concat("has ", column.infinite, " infinite values"));
    if (column.distinct == 1 && values > 1) {
      warn("is constant");
      continue;
    }
    const bool whole = column.schema.type == ColumnType::integer || is_textual(column.schema.type);
    // an estimate may be 3 standard errors low
    const double all_different = column.counted ? 1.0 : 0.975;
    if (column.schema.type == ColumnType::identifier) {
      warn("is an identifier: not for training");
    } else if (whole && values >= 20 && share(column.distinct, values) >= all_different) {
      warn("looks like an identifier: all values are different");
    } else if (column.schema.type == ColumnType::categorical && column.distinct > 50) {
      warn(concat("has many categories: ", column.distinct));
    }
    if (!column.top.empty() && column.distinct > 1 && share(column.top[0].count, values) > 0.9) {
      warn(concat("is imbalanced: ", percent(share(column.top[0].count, values)), " are ",
                  in_quotes(column.top[0].value)));
    }
  }
  const std::size_t n = profile.correlated.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      const double correlation = profile.correlations[i * n + j];
      if (!(std::abs(correlation) > 0.95)) continue;
      char text[32];
      std::snprintf(text, sizeof text, "%.3f", correlation);
      warnings.push_back(
          {profile.columns[static_cast<std::size_t>(profile.correlated[i])].schema.name,
           concat("goes with ", in_quotes(profile.columns[static_cast<std::size_t>(profile.correlated[j])].schema.name),
                  ": ", text)});
    }
  }
  return warnings;
}

}  // namespace detail

SYNTHDATA_INLINE TableProfile TableProfiler::result() const {
  const Impl& impl = *impl_;
  TableProfile out{
      .rows = impl.rows, .sampled = std::min(impl.rows, impl.sample), .duplicates = -1, .size_bytes = impl.size_bytes};
  out.columns.resize(impl.columns.size());
  parallel_for(static_cast<std::int64_t>(impl.columns.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      out.columns[c] = detail::profile_of(impl.columns[c], impl.rows, impl.options);
    }
  });
  constexpr std::size_t most_classes = 200;
  for (std::size_t c = 0; c < impl.columns.size(); ++c) {
    const ColumnSchema& schema = impl.columns[c].schema;
    if (detail::is_textual(schema.type) || schema.categories.size() > most_classes) continue;
    if (std::ssize(out.correlated) < impl.options.max_correlated) {
      out.correlated.push_back(static_cast<std::int64_t>(c));
    }
  }
  const std::size_t n = out.correlated.size();
  out.correlations.assign(n * n, 1.0);
  const auto tally = [&](std::size_t i) -> const detail::ColumnTally& {
    return impl.columns[static_cast<std::size_t>(out.correlated[i])];
  };
  parallel_for(static_cast<std::int64_t>(n), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      for (std::size_t j = i; j < n; ++j) {
        const detail::ColumnTally &a = tally(i), &b = tally(j);
        const bool class_a = detail::is_classed(a.schema.type), class_b = detail::is_classed(b.schema.type);
        const double value = class_a && class_b
                                 ? detail::cramers_v(a.sample, b.sample, a.classes.size(), b.classes.size())
                             : class_a ? detail::correlation_ratio(a.sample, b.sample, a.classes.size())
                             : class_b ? detail::correlation_ratio(b.sample, a.sample, b.classes.size())
                                       : detail::pearson(a.sample, b.sample);
        out.correlations[i * n + j] = out.correlations[j * n + i] = value;
      }
    }
  });
  out.warnings = detail::warnings_of(out);
  return out;
}

SYNTHDATA_INLINE TableProfile profile(const Table& table, const ProfileOptions& options) {
  ProfileOptions exact = options;
  if (exact.sample == 0) exact.sample = std::max<std::int64_t>(table.size(), 1);
  if (exact.max_distinct == 0) exact.max_distinct = 1'000'000;
  TableProfiler profiler(exact);
  profiler.add(table);
  TableProfile out = profiler.result();
  std::vector<const Column*> columns;
  for (const Column& column : table.columns()) columns.push_back(&column);
  const std::vector<std::int64_t> first = detail::first_equal_rows(columns, table.size());
  out.duplicates = 0;
  for (std::size_t i = 0; i < first.size(); ++i) out.duplicates += first[i] != static_cast<std::int64_t>(i);
  out.warnings = detail::warnings_of(out);
  return out;
}

SYNTHDATA_INLINE std::string ColumnProfile::show(double number) const {
  if (schema.type == ColumnType::date_time) {
    std::string out;
    detail::append_date_time_cell(out, detail::whole_microseconds(number), schema.pattern, schema.zone);
    return out;
  }
  char text[32];
  const bool whole = schema.type == ColumnType::integer && number == std::floor(number) && std::abs(number) < 1e15;
  std::snprintf(text, sizeof text, whole ? "%.0f" : "%.6g", number);
  return text;
}

SYNTHDATA_INLINE const ColumnProfile& TableProfile::operator[](std::string_view name) const {
  for (const ColumnProfile& column : columns) {
    if (column.schema.name == name) return column;
  }
  throw DataError(concat("profile: no column is called ", in_quotes(name)));
}

SYNTHDATA_INLINE double TableProfile::correlation(std::string_view a, std::string_view b) const {
  const auto place = [&](std::string_view name) {
    const std::int64_t at = &(*this)[name] - columns.data();
    return std::find(correlated.begin(), correlated.end(), at) - correlated.begin();
  };
  const auto i = place(a), j = place(b), n = std::ssize(correlated);
  return i < n && j < n ? correlations[static_cast<std::size_t>(i * n + j)] : std::numeric_limits<double>::quiet_NaN();
}

SYNTHDATA_INLINE std::string TableProfile::str() const {
  std::vector<std::vector<std::string>> lines = {
      {"column", "type", "missing", "distinct", "mean", "std", "least", "median", "largest", "most frequent"}};
  const auto cut = [](std::string_view text, std::size_t widest) {
    std::string out;
    std::size_t characters = 0;
    for (const char c : text) {
      if ((c & 0xc0) != 0x80 && ++characters > widest) return out + "...";
      const auto byte = static_cast<unsigned char>(c);
      out += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
    return out;
  };
  for (const ColumnProfile& column : columns) {
    std::vector<std::string> line = {cut(column.schema.name, 24), name_of(column.schema.type), concat(column.missing),
                                     concat(column.counted ? "" : "~", column.distinct)};
    const bool numbers = !column.quantiles.empty();
    line.push_back(numbers ? column.show(column.mean) : "");
    line.push_back(numbers && column.schema.type != ColumnType::date_time ? column.show(column.deviation) : "");
    line.push_back(numbers ? column.show(column.least) : "");
    line.push_back(numbers ? column.show(column.quantiles[3]) : "");
    line.push_back(numbers ? column.show(column.largest) : "");
    line.push_back(column.top.empty() ? ""
                                      : concat(cut(column.top[0].value, 20), " (",
                                               detail::percent(static_cast<double>(column.top[0].count) /
                                                               static_cast<double>(column.rows - column.missing)),
                                               ")"));
    lines.push_back(std::move(line));
  }
  const auto width_of = [](std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  std::string out =
      concat(rows, rows == 1 ? " row, " : " rows, ", columns.size(), columns.size() == 1 ? " column" : " columns");
  if (duplicates >= 0) out += concat(", ", duplicates, duplicates == 1 ? " duplicate row" : " duplicate rows");
  if (sampled < rows) out += concat("; quantiles and correlations of ", sampled, " rows");
  out += "\n";
  std::vector<std::string> texts(lines.size());
  for (std::size_t f = 0; f < lines[0].size(); ++f) {
    std::size_t width = 0;
    for (const auto& line : lines) width = std::max(width, width_of(line[f]));
    const bool to_the_right = f >= 2 && f + 1 < lines[0].size();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string blanks(width - width_of(lines[i][f]), ' ');
      texts[i] += (f ? "  " : "") + (to_the_right ? blanks + lines[i][f] : lines[i][f] + blanks);
    }
  }
  for (std::string& text : texts) {
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  }
  for (const ProfileWarning& warning : warnings) {
    out += concat("! ", warning.column.empty() ? std::string("the table") : in_quotes(warning.column), " ",
                  cut(warning.text, 120), "\n");
  }
  return out;
}

SYNTHDATA_INLINE Json TableProfile::json() const {
  Json::Array list;
  for (const ColumnProfile& column : columns) {
    Json::Object object{{"name", column.schema.name},  {"type", name_of(column.schema.type)},
                        {"missing", column.missing},   {"infinite", column.infinite},
                        {"distinct", column.distinct}, {"counted", Json(column.counted)}};
    if (!column.quantiles.empty()) {
      object.push_back({"least", column.least});
      object.push_back({"largest", column.largest});
      object.push_back({"mean", column.mean});
      object.push_back({"deviation", column.deviation});
      object.push_back({"quantiles", Json::Array(column.quantiles.begin(), column.quantiles.end())});
      object.push_back({"histogram", Json::Array(column.histogram.begin(), column.histogram.end())});
    }
    if (detail::is_textual(column.schema.type)) {
      object.push_back({"shortest", column.shortest});
      object.push_back({"longest", column.longest});
      object.push_back({"mean_length", column.mean_length});
    }
    Json::Array top;
    for (const ValueCount& value : column.top) {
      top.push_back(Json::Object{{"value", value.value}, {"count", value.count}});
    }
    object.push_back({"top", std::move(top)});
    list.push_back(std::move(object));
  }
  Json::Array names, notes;
  for (const std::int64_t at : correlated) names.push_back(columns[static_cast<std::size_t>(at)].schema.name);
  for (const ProfileWarning& warning : warnings) {
    notes.push_back(Json::Object{{"column", warning.column}, {"text", warning.text}});
  }
  return Json::Object{{"rows", rows},
                      {"sampled", sampled},
                      {"duplicates", duplicates},
                      {"size_bytes", size_bytes},
                      {"columns", std::move(list)},
                      {"correlated", std::move(names)},
                      {"correlations", Json::Array(correlations.begin(), correlations.end())},
                      {"warnings", std::move(notes)}};
}

namespace detail {

/// The first characters of any bytes, as the text of a page.
inline std::string escape_html(std::string_view text, std::size_t widest = 80) {
  return html_escape(shorten(text, widest));
}

/// A name of the data, kept from turning the direction of the text around it.
SYNTHDATA_INLINE std::string html_name(std::string_view text) { return "<bdi>" + escape_html(text) + "</bdi>"; }

SYNTHDATA_INLINE std::string html_histogram(const ColumnProfile& column) {
  constexpr double width = 320.0, height = 96.0, bottom = 84.0;
  const std::int64_t most = *std::max_element(column.histogram.begin(), column.histogram.end());
  const auto bins = static_cast<double>(column.histogram.size());
  const bool whole = column.schema.type == ColumnType::integer && column.largest - column.least == bins - 1.0;
  const double step = whole ? 1.0 : (column.largest - column.least) / bins;
  std::string out = concat("<svg class=\"histogram\" viewBox=\"0 0 ", width, " ", height,
                           "\" role=\"img\" aria-label=\"histogram\">");
  char text[160];
  for (std::size_t b = 0; b < column.histogram.size(); ++b) {
    const double share = most ? static_cast<double>(column.histogram[b]) / static_cast<double>(most) : 0.0;
    // a bin that has any value is seen
    const double tall = column.histogram[b] ? std::max(1.0, share * (bottom - 4.0)) : 0.0;
    const double left = static_cast<double>(b) * width / bins;
    std::snprintf(text, sizeof text, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">", left, bottom - tall,
                  std::max(width / bins - 1.0, 0.5), tall);
    const double from = column.least + static_cast<double>(b) * step;
    out += concat(text, "<title>", escape_html(column.show(from)),
                  whole ? std::string() : " to " + escape_html(column.show(from + step)), ": ", column.histogram[b],
                  "</title></rect>");
  }
  out += concat("<line x1=\"0\" x2=\"", width, "\" y1=\"", bottom, "\" y2=\"", bottom, "\"/></svg>");
  return out + "<div class=\"ends\"><span>" + escape_html(column.show(column.least)) +
         "</span><span>tallest: " + concat(most) + "</span><span>" + escape_html(column.show(column.largest)) +
         "</span></div>";
}

SYNTHDATA_INLINE std::string html_top(const ColumnProfile& column) {
  const std::int64_t values = column.rows - column.missing;
  std::string out = "<table class=\"top\"><caption>most frequent values</caption>";
  std::int64_t shown = 0;
  const auto row = [&](const std::string& name, std::int64_t count) {
    const double share = values ? static_cast<double>(count) / static_cast<double>(values) : 0.0;
    char bar[32];
    std::snprintf(bar, sizeof bar, "%.2f", 100.0 * std::clamp(share, 0.0, 1.0));
    out +=
        concat("<tr><th scope=\"row\">", name,
               "</th><td class=\"bar\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
               "<rect class=\"track\" width=\"100\" height=\"10\"/><rect width=\"",
               bar, "\" height=\"10\"/></svg></td><td>", count, "</td><td>", percent(share), "</td></tr>");
  };
  for (const ValueCount& value : column.top) {
    row(value.value.empty() ? "<i>empty</i>" : html_name(value.value), value.count);
    shown += value.count;
  }
  if (column.counted && shown < values) {
    const std::int64_t others = column.distinct - std::ssize(column.top);
    row(concat("<i>", others, others == 1 ? " other</i>" : " others</i>"), values - shown);
  }
  return out + "</table>";
}

SYNTHDATA_INLINE std::string html_correlations(const TableProfile& profile) {
  const std::size_t n = profile.correlated.size();
  std::string out =
      "<h2 id=\"correlations\">Correlations</h2><p>Pearson's correlation of two columns of numbers, Cram&eacute;r's V "
      "of "
      "two of categories, the correlation ratio between; in hundredths, darker where stronger.</p>"
      "<div class=\"wide\"><table class=\"grid\"><thead><tr><td></td>";
  const auto name = [&](std::size_t i) -> const std::string& {
    return profile.columns[static_cast<std::size_t>(profile.correlated[i])].schema.name;
  };
  for (std::size_t j = 0; j < n; ++j) {
    out += concat("<th scope=\"col\" title=\"", escape_html(name(j)), "\"><span>", html_name(name(j)), "</span></th>");
  }
  out += "</tr></thead><tbody>";
  for (std::size_t i = 0; i < n; ++i) {
    out += concat("<tr><th scope=\"row\">", html_name(name(i)), "</th>");
    for (std::size_t j = 0; j < n; ++j) {
      const double value = profile.correlations[i * n + j];
      if (std::isnan(value)) {
        out += "<td>&ndash;</td>";
        continue;
      }
      // from white to a dark blue (or brown where negative), on which the text turns white
      const double strong = std::min(std::abs(value), 1.0);
      const auto shade = [&](double dark) { return static_cast<int>(std::lround(255.0 + (dark - 255.0) * strong)); };
      const int red = shade(value < 0 ? 122.0 : 16.0), green = shade(value < 0 ? 62.0 : 66.0),
                blue = shade(value < 0 ? 10.0 : 122.0);
      const auto hundredths = std::lround(100.0 * value);
      out +=
          concat("<td style=\"background:rgb(", red, ",", green, ",", blue, ");color:", strong > 0.55 ? "#fff" : "#111",
                 "\">", hundredths < 0 ? "&minus;" : "", std::abs(hundredths), "</td>");
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

}  // namespace detail

SYNTHDATA_INLINE std::string TableProfile::html(std::string_view title) const {
  using detail::escape_html, detail::html_name, detail::percent;
  std::string out = concat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>",
      escape_html(title), "</title>\n<style>\n",
      R"(*{box-sizing:border-box}
body{margin:0 auto;max-width:78rem;padding:1rem;font:16px/1.45 system-ui,sans-serif;color:#16202b;background:#fff}
h1{font-size:1.6rem;margin:.2rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:1.6rem 0 .5rem;overflow-wrap:anywhere}
h3{font-size:1.05rem;margin:0 0 .1rem;overflow-wrap:anywhere}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.1rem .5rem .1rem 0;text-align:left;vertical-align:top;font-weight:400}
td{text-align:right}
caption{text-align:left;color:#4a5663;font-size:.85rem}
.wide{overflow-x:auto}
.summary td{padding-right:.9rem;white-space:nowrap}
.summary tr,.top tr{border-top:1px solid #dde3ea}
.summary .text,.summary thead th:first-child,.summary thead th:nth-child(2){text-align:left}
.summary thead th{text-align:right;padding-right:.9rem}
thead th{color:#4a5663;font-size:.85rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(22rem,100%),1fr));gap:1rem}
.card{border:1px solid #c3ccd6;border-radius:.5rem;padding:.8rem;min-width:0}
.card p{margin:.1rem 0 .5rem;color:#4a5663;font-size:.9rem}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(5.6rem,1fr));gap:.1rem .8rem;margin:.4rem 0;font-size:.9rem}
.facts dt{color:#4a5663;font-size:.8rem}
.facts dd{margin:0 0 .2rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
svg rect{fill:#10427a}
svg rect.track{fill:#e6ebf1}
svg line{stroke:#16202b}
svg.histogram{display:block;width:100%}
.ends{display:flex;justify-content:space-between;gap:.5rem;font-size:.85rem;color:#4a5663}
.top{width:100%;font-size:.9rem;table-layout:fixed}
.top th{width:40%;overflow-wrap:anywhere}
.top td{width:21%}
.top td.bar{width:18%}
.top td.bar svg{display:block;width:100%;height:.8rem;margin-top:.25rem}
.grid td{min-width:2.1rem;padding:.2rem .25rem;text-align:center;font-size:.8rem;border:1px solid #fff}
.grid th{white-space:nowrap;font-size:.85rem;max-width:11rem;overflow:hidden;text-overflow:ellipsis}
.grid tbody th{position:sticky;left:0;background:#fff;padding-right:.5rem}
.grid thead th{vertical-align:bottom;height:8rem;padding:0;max-width:2.1rem;overflow:visible}
.grid thead span{display:block;writing-mode:vertical-rl;transform:rotate(180deg);margin:0 auto;max-height:8rem;overflow:hidden;text-overflow:ellipsis}
.warnings{padding-left:1.2rem;margin:.3rem 0;overflow-wrap:anywhere}
@media print{.card{break-inside:avoid}}
</style></head><body>
)",
      "<h1>", escape_html(title), "</h1><p>", rows, rows == 1 ? " row, " : " rows, ", columns.size(),
      columns.size() == 1 ? " column" : " columns");
  if (duplicates >= 0) out += concat(", ", duplicates, duplicates == 1 ? " duplicate row" : " duplicate rows");
  char size[48];
  const bool large = size_bytes >= 1'000'000;
  std::snprintf(size, sizeof size, ", %.3g %s in memory", static_cast<double>(size_bytes) / (large ? 1e6 : 1e3),
                large ? "MB" : "kB");
  out += size;
  if (sampled < rows) out += concat("; quantiles, histograms and correlations of ", sampled, " rows drawn at random");
  out += ".</p>\n";
  if (!warnings.empty()) {
    out += "<h2 id=\"warnings\">Worth a look</h2><ul class=\"warnings\">";
    for (const ProfileWarning& warning : warnings) {
      out += concat("<li>", warning.column.empty() ? "The table" : html_name(warning.column), " ",
                    escape_html(warning.text, 200), "</li>");
    }
    out += "</ul>\n";
  }
  out +=
      "<h2 id=\"overview\">Overview</h2><div class=\"wide\"><table class=\"summary\"><thead><tr><th "
      "scope=\"col\">column"
      "</th><th scope=\"col\">type</th><th scope=\"col\">missing</th><th scope=\"col\">different</th><th scope=\"col\">"
      "least</th><th scope=\"col\">mean</th><th scope=\"col\">largest</th></tr></thead><tbody>";
  const auto distinct = [](const ColumnProfile& column) {
    return concat(column.counted ? "" : "about ", column.distinct);
  };
  const auto missing = [](const ColumnProfile& column) {
    const double share = column.rows ? static_cast<double>(column.missing) / static_cast<double>(column.rows) : 0.0;
    return column.missing ? concat(column.missing, " (", percent(share), ")") : std::string("0");
  };
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnProfile& column = columns[c];
    const bool numbers = !column.quantiles.empty();
    const auto number = [&](double value) { return numbers ? escape_html(column.show(value)) : std::string(); };
    out += concat("<tr><th scope=\"row\"><a href=\"#column-", c + 1, "\">", html_name(column.schema.name),
                  "</a></th><td class=\"text\">", name_of(column.schema.type), "</td><td>", missing(column),
                  "</td><td>", distinct(column), "</td><td>", number(column.least), "</td><td>", number(column.mean),
                  "</td><td>", number(column.largest), "</td></tr>");
  }
  out += "</tbody></table></div>\n";
  if (correlated.size() > 1) out += detail::html_correlations(*this) + '\n';
  out += "<h2 id=\"columns\">Columns</h2><div class=\"cards\">\n";
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnProfile& column = columns[c];
    out += concat("<section class=\"card\" id=\"column-", c + 1, "\"><h3>", html_name(column.schema.name), "</h3><p>",
                  name_of(column.schema.type), ", ", distinct(column), " different, ", missing(column), " missing");
    if (column.infinite) out += concat(", ", column.infinite, " infinite");
    out += "</p>";
    const auto fact = [&](const std::string& name, const std::string& value) {
      out += concat("<div><dt>", name, "</dt><dd>", escape_html(value), "</dd></div>");
    };
    if (!column.quantiles.empty()) {
      out += detail::html_histogram(column) + "<dl class=\"facts\">";
      fact("mean", column.show(column.mean));
      if (column.schema.type != ColumnType::date_time) fact("standard deviation", column.show(column.deviation));
      for (std::size_t q = 0; q < column.quantiles.size(); ++q) {
        const double at = profile_quantiles[q];
        fact(at == 0.5 ? "median" : concat(std::lround(at * 100.0), " %"), column.show(column.quantiles[q]));
      }
      out += "</dl>";
    } else if (detail::is_textual(column.schema.type) && column.missing < column.rows) {
      out += "<dl class=\"facts\">";
      fact("shortest", concat(column.shortest, " characters"));
      fact("mean length", column.show(column.mean_length));
      fact("longest", concat(column.longest, " characters"));
      out += "</dl>";
    }
    // values that are all different say nothing by their counts
    if (!column.top.empty() && column.top[0].count > 1) out += detail::html_top(column);
    out += "</section>\n";
  }
  return out + "</div></body></html>\n";
}

SYNTHDATA_INLINE void TableProfile::save_html(const std::string& path, std::string_view title) const {
  write_file(path, html(title));
}

}  // namespace synthdata
