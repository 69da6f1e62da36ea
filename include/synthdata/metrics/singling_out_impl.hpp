// synthdata/metrics/singling_out_impl.hpp: bodies of singling_out.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/metrics/attack_result_impl.hpp>
#include <synthdata/metrics/joint_codes_impl.hpp>
#include <synthdata/metrics/singling_out.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_set>

namespace synthdata {

namespace detail {

/// Rows as numbers: values where a column has an order, else equal numbers for equal values; NaN where missing.
struct NumberedRows {
  std::vector<std::vector<double>> columns;
  std::size_t count = 0;
};

/// The same numbers in all the tables, of which the first names the columns; each row once.
inline std::vector<NumberedRows> number_rows(const char* metric, const std::vector<const Table*>& tables) {
  std::vector<NumberedRows> all(tables.size());
  const std::vector<Column>& columns = tables[0]->columns();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    all[t].count = static_cast<std::size_t>(tables[t]->size());
    matching_columns(metric, *tables[0], *tables[t]);
  }
  for (const Column& column : columns) {
    Numbering<std::string> numbering;
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const Column& own = (*tables[t])[column.name()];
      if (is_continuous(column)) {
        all[t].columns.push_back(all_numbers(own));
      } else {
        const std::vector<std::int32_t> codes = number_cells(own, numbering);
        std::vector<double> values(codes.size());
        for (std::size_t i = 0; i < codes.size(); ++i) {
          values[i] = codes[i] < 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(codes[i]);
        }
        all[t].columns.push_back(std::move(values));
      }
    }
  }
  for (NumberedRows& rows : all) {
    std::vector<std::size_t> order(rows.count);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto compare = [&](std::size_t a, std::size_t b) {  // missing values first
      for (const std::vector<double>& column : rows.columns) {
        const double x = column[a], y = column[b];
        if (std::isnan(x) != std::isnan(y)) return std::isnan(x) ? -1 : 1;
        if (x < y) return -1;
        if (y < x) return 1;
      }
      return 0;
    };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
    order.erase(
        std::unique(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return compare(a, b) == 0; }),
        order.end());
    std::sort(order.begin(), order.end());
    for (std::vector<double>& column : rows.columns) {
      for (std::size_t i = 0; i < order.size(); ++i) column[i] = column[order[i]];
      column.resize(order.size());
    }
    rows.count = order.size();
  }
  return all;
}

enum class Comparison : std::uint8_t { equal, unequal, at_least, at_most, greater, less, missing, present };

/// One part of a description.
struct Condition {
  std::size_t column = 0;
  Comparison comparison = Comparison::equal;
  double value = 0.0;

  bool operator()(double x) const {
    switch (comparison) {
      case Comparison::equal:
        return x == value;
      case Comparison::unequal:
        return !std::isnan(x) && x != value;
      case Comparison::at_least:
        return x >= value;
      case Comparison::at_most:
        return x <= value;
      case Comparison::greater:
        return x > value;
      case Comparison::less:
        return x < value;
      case Comparison::missing:
        return std::isnan(x);
      default:
        return !std::isnan(x);
    }
  }
};
using Description = std::vector<Condition>;  // all must hold

/// How many rows each description fits, counted up to `limit`.
inline std::vector<std::int64_t> count_fits(const NumberedRows& rows, const std::vector<Description>& descriptions,
                                            std::int64_t limit) {
  std::vector<std::int64_t> counts(descriptions.size());
  parallel_for(static_cast<std::int64_t>(descriptions.size()), 8, [&](std::int64_t begin, std::int64_t end) {
    for (auto d = static_cast<std::size_t>(begin); d < static_cast<std::size_t>(end); ++d) {
      const Description& description = descriptions[d];
      std::int64_t count = 0;
      for (std::size_t row = 0; row < rows.count && count < limit; ++row) {
        count += std::all_of(description.begin(), description.end(), [&](const Condition& condition) {
          return condition(rows.columns[condition.column][row]);
        });
      }
      counts[d] = count;
    }
  });
  return counts;
}
inline double singled_out(const NumberedRows& rows, const std::vector<Description>& descriptions) {
  const std::vector<std::int64_t> counts = count_fits(rows, descriptions, 2);
  return static_cast<double>(std::count(counts.begin(), counts.end(), 1));
}

/// Collects descriptions that fit one row, each once.
class Descriptions {
 public:
  explicit Descriptions(std::int64_t wanted) : wanted_(static_cast<std::size_t>(wanted)) {}
  bool full() const { return all_.size() >= wanted_; }
  void add(const NumberedRows& rows, std::vector<Description>&& tried) {
    const std::vector<std::int64_t> counts = count_fits(rows, tried, 2);
    for (std::size_t i = 0; i < tried.size() && !full(); ++i) {
      if (counts[i] != 1) continue;
      std::string key;
      for (const Condition& condition : tried[i]) {
        key += concat(condition.column, ' ', static_cast<int>(condition.comparison), ' ',
                      std::bit_cast<std::uint64_t>(condition.value + 0.0), ' ');
      }
      if (seen_.insert(std::move(key)).second) all_.push_back(std::move(tried[i]));
    }
  }
  const std::vector<Description>& all() const { return all_; }

 private:
  std::size_t wanted_;
  std::vector<Description> all_;
  std::unordered_set<std::string> seen_;
};

inline std::vector<std::size_t> draw_columns(std::size_t all, std::int64_t count, Rng& rng) {
  const std::vector<std::int64_t> order = rng.permutation(static_cast<std::int64_t>(all));
  std::vector<std::size_t> columns;
  for (std::int64_t i = 0; i < count; ++i)
    columns.push_back(static_cast<std::size_t>(order[static_cast<std::size_t>(i)]));
  std::sort(columns.begin(), columns.end());
  return columns;
}

/// Descriptions of one column.
inline std::vector<Description> rare_values(const NumberedRows& rows, const std::vector<bool>& ordered, Rng& rng) {
  std::vector<Description> found;
  for (std::size_t c = 0; c < rows.columns.size(); ++c) {
    std::vector<double> values = rows.columns[c];
    const auto missing = std::erase_if(values, [](double value) { return std::isnan(value); });
    if (missing == 1) found.push_back({{c, Comparison::missing, 0.0}});
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    if (ordered[c]) {
      found.push_back({{c, Comparison::at_most, values.front()}});
      found.push_back({{c, Comparison::at_least, values.back()}});
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool before = i > 0 && values[i - 1] == values[i];
      const bool after = i + 1 < values.size() && values[i + 1] == values[i];
      if (!before && !after) found.push_back({{c, Comparison::equal, values[i]}});
    }
  }
  std::vector<Description> mixed;
  for (const std::int64_t i : rng.permutation(static_cast<std::int64_t>(found.size()))) {
    mixed.push_back(std::move(found[static_cast<std::size_t>(i)]));
  }
  return mixed;
}

/// What a synthetic row, drawn at random, has in some columns.
inline Description describe_row(const NumberedRows& rows, const std::vector<bool>& ordered,
                                const std::vector<double>& medians, std::int64_t columns, Rng rng) {
  const auto row = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(rows.count)));
  Description description;
  for (const std::size_t c : draw_columns(rows.columns.size(), columns, rng)) {
    const double value = rows.columns[c][row];
    if (std::isnan(value)) {
      description.push_back({c, Comparison::missing, 0.0});
    } else if (!ordered[c]) {
      description.push_back({c, Comparison::equal, value});
    } else {
      description.push_back({c, value > medians[c] ? Comparison::at_least : Comparison::at_most, value});
    }
  }
  return description;
}

/// Comparisons and values drawn at random, each distinct value equally often.
inline Description guess_description(const std::vector<std::vector<double>>& distinct, const std::vector<bool>& ordered,
                                     std::int64_t columns, Rng rng) {
  Description description;
  for (const std::size_t c : draw_columns(distinct.size(), columns, rng)) {
    const auto size = static_cast<std::int64_t>(distinct[c].size());
    const double value = distinct[c][static_cast<std::size_t>(rng.below(size))];
    const std::int64_t drawn = rng.below(ordered[c] ? 6 : 2);
    if (std::isnan(value)) {
      description.push_back({c, drawn == 0 ? Comparison::missing : Comparison::present, 0.0});
    } else {
      description.push_back({c, static_cast<Comparison>(drawn), value});
    }
  }
  return description;
}

/// By how much more (less) often a description that fits `fits[i]` of `from` rows singles out in `to` rows. The
/// expected number of successes in n <= from of the rows is exact; its course is a + 0 but for two parameters, weight
/// and height.
inline double singling_out_growth(const std::vector<std::int64_t>& fits, std::int64_t from, std::int64_t to) {
  if (from == to) return 1.0;
  std::vector<double> sizes, successes;
  const std::int64_t least = std::max<std::int64_t>(1, from / 10);
  for (int i = 0; i < 10; ++i) {
    const std::int64_t n = least + (from - least) * i / 9;
    double expected = 0.0;
    for (const std::int64_t c : fits) {
      // c of `from` rows fit: the probability that exactly one of them is among n drawn without repeats
      if (c == 0 || c - 1 > from - n) continue;
      double p = static_cast<double>(c) * static_cast<double>(n) / static_cast<double>(from);
      for (std::int64_t k = 0; k + 1 < c && p > 1e-12; ++k) {
        p *= static_cast<double>(from - n - k) / static_cast<double>(from - 1 - k);
      }
      expected += p;
    }
    sizes.push_back(static_cast<double>(n));
    successes.push_back(expected);
  }
  // Integral of n w (1 - w)^(n - 1) over weights w from 0 to `weight`.
  const auto course = [](double n, double weight) {
    return -std::expm1(std::log1p(n * weight) + n * std::log1p(-weight)) / (n + 1.0);
  };
  const auto misfit = [&](double weight) {
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const double x = course(sizes[i], weight), y = successes[i];
      xy += x * y, xx += x * x, yy += y * y;
    }
    return yy - xy * xy / xx;
  };
  double best = 0.0, least_misfit = std::numeric_limits<double>::infinity();
  const double low = std::log(1e-3 / static_cast<double>(std::max(from, to)));
  for (int i = 0; i < 2000; ++i) {
    const double weight = std::exp(low * static_cast<double>(i + 1) / 2000.0), found = misfit(weight);
    if (found < least_misfit) least_misfit = found, best = weight;
  }
  return course(static_cast<double>(to), best) / course(static_cast<double>(from), best);
}

}  // namespace detail

SYNTHDATA_INLINE AttackResult singling_out(const Table& training, const Table& synthetic, const Table& holdout,
                                           const SinglingOutOptions& options) {
  detail::check_attacks(options.attack.attacks);
  const auto width = static_cast<std::int64_t>(training.columns().size());
  if (options.columns < 1 || options.columns > width) {
    throw NumericError(concat("singling_out: expects 1 to ", width, " columns, got ", options.columns));
  }
  if (training.size() == 0 || synthetic.size() == 0 || holdout.size() == 0) {
    throw DataError(concat("singling_out: expects rows in all tables, got ", training.size(), " of training, ",
                           synthetic.size(), " synthetic and ", holdout.size(), " held-out ones"));
  }
  const std::vector<detail::NumberedRows> rows = detail::number_rows("singling_out", {&training, &synthetic, &holdout});
  const detail::NumberedRows &trained = rows[0], &made = rows[1], &held = rows[2];
  std::vector<bool> ordered;
  std::vector<double> medians;
  std::vector<std::vector<double>> distinct;
  for (std::size_t c = 0; c < trained.columns.size(); ++c) {
    ordered.push_back(detail::is_continuous(training[c]));
    std::vector<double> values = made.columns[c];
    const auto missing = std::erase_if(values, [](double value) { return std::isnan(value); });
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    medians.push_back(values.empty()           ? 0.0
                      : values.size() % 2 == 1 ? values[half]
                                               : (values[half - 1] + values[half]) / 2);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (missing > 0) values.push_back(std::numeric_limits<double>::quiet_NaN());
    distinct.push_back(std::move(values));
  }

  const Rng rng(options.attack.seed);
  detail::Descriptions descriptions(options.attack.attacks);
  if (options.columns == 1) {
    Rng order = rng.split(0);
    descriptions.add(made, detail::rare_values(made, ordered, order));
  } else {
    const Rng draws = rng.split(1);
    constexpr std::int64_t batch = 1024;
    for (std::int64_t first = 0; first < options.tries && !descriptions.full(); first += batch) {
      std::vector<detail::Description> tried;
      for (std::int64_t i = first; i < std::min(first + batch, options.tries); ++i) {
        tried.push_back(
            detail::describe_row(made, ordered, medians, options.columns, draws.split(static_cast<std::uint64_t>(i))));
      }
      descriptions.add(made, std::move(tried));
    }
  }
  const std::vector<detail::Description>& all = descriptions.all();
  if (all.empty()) throw DataError("singling_out: no description fits exactly one synthetic row");
  std::vector<detail::Description> guesses;
  const Rng draws = rng.split(2);
  for (std::size_t i = 0; i < all.size(); ++i) {
    guesses.push_back(detail::guess_description(distinct, ordered, options.columns, draws.split(i)));
  }

  const auto attempts = static_cast<std::int64_t>(all.size());
  const double confidence = options.attack.confidence;
  AttackResult result;
  result.attack = options.columns == 1 ? std::string("singling out by one column")
                                       : concat("singling out by ", options.columns, " columns");
  result.scenario =
      concat("Singling out: an attacker who has the synthetic table writes ", attempts, " descriptions of ",
             options.columns == 1 ? std::string("one column") : concat(options.columns, " columns"),
             " that fit exactly one synthetic row, and claims that each fits exactly one real person.");
  result.confidence = confidence;
  result.main = attack_rate(detail::singled_out(trained, all), attempts, confidence);
  result.baseline = attack_rate(detail::singled_out(trained, guesses), attempts, confidence);
  const std::vector<std::int64_t> fits = detail::count_fits(held, all, std::numeric_limits<std::int64_t>::max());
  const auto hits = static_cast<double>(std::count(fits.begin(), fits.end(), 1));
  result.control = attack_rate(hits, attempts, confidence);
  const double growth = detail::singling_out_growth(fits, static_cast<std::int64_t>(held.count),
                                                    static_cast<std::int64_t>(trained.count));
  const double most = 1.0 - result.control.error;  // a rate stays below 1
  result.control.value = std::min(result.control.value * growth, most);
  result.control.error *= growth;
  result.control.successes = std::min(hits * growth, static_cast<double>(attempts));
  return result;
}

}  // namespace synthdata
