// synthdata/tabular/column_codes_impl.hpp: bodies of column_codes.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/index_permutation.hpp>
#include <synthdata/data/privacy/mask.hpp>
#include <synthdata/io/utf8.hpp>
#include <synthdata/tabular/cell_value.hpp>
#include <synthdata/tabular/column_codes.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace synthdata::models {
namespace detail {

/// A text of a shape as synthdata::detail::shape_of tells it: each 9, A and a becomes a digit or letter by chance.
inline std::string draw_shape(const std::string& shape, Rng& rng) {
  std::string text = shape;
  for (char& c : text) {
    if (c == '9')
      c = static_cast<char>('0' + rng.below(10));
    else if (c == 'A')
      c = static_cast<char>('A' + rng.below(26));
    else if (c == 'a')
      c = static_cast<char>('a' + rng.below(26));
  }
  return text;
}

/// Uniform in [0, 1), 53 bits.
inline double uniform_double(Rng& rng) { return static_cast<double>(rng.next_u64() >> 11) * 0x1p-53; }

/// The step between values: of integers and date-times the greatest common divisor of their distances, of reals with a
/// fixed number of decimals one of the last; 0 for others.
inline double grid_of(const ColumnSchema& schema, std::int64_t divisor) {
  if (schema.type == ColumnType::real) return schema.decimals >= 0 ? std::pow(10.0, -schema.decimals) : 0.0;
  return divisor == 0 ? 1.0 : static_cast<double>(divisor);
}

/// Values first ... last of a list that share a code, and their rows.
struct ValueRange {
  std::size_t first, last;
  std::int64_t rows;
  double low = 0.0, high = 0.0;
};

/// Ranges of at least so many rows; all but the last few of about as many.
inline std::vector<ValueRange> equal_ranges(const std::vector<NumberCount>& values, std::int64_t least) {
  std::vector<ValueRange> ranges;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (ranges.empty() || ranges.back().rows >= least) ranges.push_back({.first = i, .last = i, .rows = 0});
    ranges.back().last = i;
    ranges.back().rows += values[i].rows;
  }
  if (ranges.size() > 1 && ranges.back().rows < least) {  // the last one is too small: to the one before
    ranges[ranges.size() - 2].last = ranges.back().last;
    ranges[ranges.size() - 2].rows += ranges.back().rows;
    ranges.pop_back();
  }
  return ranges;
}

/// True for a gap between two ranges that is part of neither.
inline bool is_wide(double gap, double left, double right) { return 4.0 * gap > left + right; }

/// Cuts ranges in two where that says the most: where the log-likelihood of their rows, spread evenly over each part,
/// rises the most, by `enough` at least, and a wide gap is left out of both. No part has fewer than `rare_below` rows.
inline void cut_ranges(const std::vector<NumberCount>& values, std::vector<ValueRange>& ranges, std::int64_t cuts,
                       std::int64_t rare_below, double unit, double enough) {
  struct Cut {
    double gain = 0.0;
    std::size_t last = 0;  // of the left part
    std::int64_t rows = 0;
  };
  const auto log_density = [](std::int64_t rows, double width) {
    return static_cast<double>(rows) * std::log(static_cast<double>(rows) / width);
  };
  const auto best_cut = [&](const ValueRange& range) {
    Cut best;
    const double whole = values[range.last].value - values[range.first].value + unit;
    std::int64_t left = 0;
    for (std::size_t i = range.first; i < range.last && whole > 0.0; ++i) {
      left += values[i].rows;
      if (left < rare_below || range.rows - left < rare_below) continue;
      const double gap = values[i + 1].value - values[i].value - unit;
      double below = values[i].value - values[range.first].value + unit,
             above = values[range.last].value - values[i + 1].value + unit;
      if (unit == 0.0 && !is_wide(gap, below, above)) below += gap / 2.0, above += gap / 2.0;
      if (below <= 0.0 || above <= 0.0) continue;
      const double gain =
          log_density(left, below) + log_density(range.rows - left, above) - log_density(range.rows, whole);
      if (gain > best.gain) best = {gain, i, left};
    }
    return best;
  };
  std::vector<Cut> best;
  for (const ValueRange& range : ranges) best.push_back(best_cut(range));
  for (std::int64_t done = 0; done < cuts && !ranges.empty(); ++done) {
    const auto most =
        std::max_element(best.begin(), best.end(), [](const Cut& a, const Cut& b) { return a.gain < b.gain; });
    if (most->gain <= 0.0 || most->gain < enough) break;  // 0: there is nothing to cut
    const auto at = static_cast<std::size_t>(most - best.begin());
    const Cut cut = *most;
    const ValueRange right{.first = cut.last + 1, .last = ranges[at].last, .rows = ranges[at].rows - cut.rows};
    ranges[at].last = cut.last, ranges[at].rows = cut.rows;
    ranges.insert(ranges.begin() + static_cast<std::ptrdiff_t>(at) + 1, right);
    best[at] = best_cut(ranges[at]);
    best.insert(best.begin() + static_cast<std::ptrdiff_t>(at) + 1, best_cut(right));
  }
}

inline bool is_number_type(ColumnType type) {
  return type != ColumnType::categorical && type != ColumnType::text && type != ColumnType::identifier;
}

/// The k-th different text of a shape, in an order that `rng` decides; -1 in `left` if there are not so many. Of very
/// many, all have other last characters, and the first ones are drawn from `own`.
class ShapeTexts {
 public:
  ShapeTexts(std::string shape, Rng rng) : shape_(std::move(shape)), order_(count(), rng) {}

  /// Different texts, or fewer if there are more than 2^62.
  std::int64_t size() const { return order_.size(); }
  std::string operator()(std::int64_t k, Rng& own) const {
    std::string text = shape_;
    std::int64_t number = order_(k);
    for (std::size_t i = text.size(); i-- > 0;) {
      const std::int64_t letters = letters_at(i);
      if (letters == 1) continue;
      const std::int64_t letter = i >= begin_ ? number % letters : own.below(letters);
      if (i >= begin_) number /= letters;
      text[i] = static_cast<char>((letters == 10 ? '0' : text[i]) + letter);
    }
    return text;
  }

 private:
  std::int64_t letters_at(std::size_t i) const {
    return shape_[i] == '9' ? 10 : shape_[i] == 'A' || shape_[i] == 'a' ? 26 : 1;
  }
  std::int64_t count() {
    std::int64_t n = 1;
    for (begin_ = shape_.size(); begin_ > 0; --begin_) {
      const std::int64_t letters = letters_at(begin_ - 1);
      if (n > (std::int64_t{1} << 62) / letters) break;
      n *= letters;
    }
    return n;
  }

  std::string shape_;
  std::size_t begin_ = 0;  // from there on characters follow the order
  IndexPermutation order_;
};

}  // namespace detail

SYNTHDATA_INLINE ColumnCodesFit::ColumnCodesFit(const ColumnSchema& schema, const ColumnCodesOptions& options)
    : schema_(schema), options_(options), numbers_(options.max_numbers), texts_(options.max_texts) {
  if (options.bins < 2 || options.rare_below < 1 || options.max_codes < 2 || options.max_numbers < options.bins ||
      options.max_texts < 1) {
    throw DataError(
        concat("ColumnCodes: expects bins >= 2, rare_below >= 1, max_codes >= 2, max_numbers >= bins and "
               "max_texts >= 1, got ",
               options.bins, ", ", options.rare_below, ", ", options.max_codes, ", ", options.max_numbers, " and ",
               options.max_texts));
  }
  schema_.as_written = false;
  schema_.categories.clear();
}

SYNTHDATA_INLINE void ColumnCodesFit::add(const Column& piece) {
  if (piece.type() != schema_.type) {
    throw DataError(
        concat("column ", in_quotes(schema_.name), ": expects ", schema_.type, ", got a piece of ", piece.type()));
  }
  rows_ += piece.size();
  missing_ = missing_ || piece.missing_count() > 0;
  if (schema_.type == ColumnType::categorical) {
    std::vector<std::int64_t> rows(piece.schema().categories.size(), 0);
    for (std::int64_t row = 0; row < piece.size(); ++row) {
      if (!piece.is_missing(row)) ++rows[static_cast<std::size_t>(piece.code(row))];
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] > 0) texts_.add(piece.schema().categories[i], rows[i]);
    }
    return;
  }
  if (!detail::is_number_type(schema_.type)) {
    for (std::int64_t row = 0; row < piece.size(); ++row) {
      if (!piece.is_missing(row)) texts_.add(synthdata::detail::shape_of(piece.parts().texts[row]));
    }
    return;
  }
  for (std::int64_t row = 0; row < piece.size(); ++row) {
    const double value = piece.number(row);
    if (std::isinf(value)) throw DataError(concat("column ", in_quotes(schema_.name), " has infinite values"));
    if (std::isnan(value)) {
      missing_ = true;
      continue;
    }
    numbers_.add(value);
    if (schema_.type == ColumnType::real || divisor_ == 1) continue;
    if (!any_) first_ = value;
    any_ = true;
    const double away = std::abs(value - first_);
    divisor_ = away < 9e18 ? std::gcd(divisor_, static_cast<std::int64_t>(away)) : 1;
  }
}

SYNTHDATA_INLINE ColumnCodes ColumnCodesFit::finish() {
  if (rows_ == 0) throw DataError(concat("column ", in_quotes(schema_.name), " has no rows to learn from"));
  ColumnCodes codes;
  codes.schema_ = schema_;
  codes.missing_ = missing_;
  if (detail::is_number_type(schema_.type)) {
    codes.kind_ = ColumnCodes::Kind::numbers;
    codes.fit_numbers(std::move(numbers_), divisor_, options_);
  } else {
    codes.kind_ = schema_.type == ColumnType::categorical ? ColumnCodes::Kind::categories : ColumnCodes::Kind::shapes;
    codes.fit_texts(std::move(texts_), options_);
  }
  if (codes.total_ > options_.max_codes) {
    const auto low = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(codes.total_))));
    codes.cardinalities_ = {(codes.total_ + low - 1) / low, low};
  } else {
    codes.cardinalities_ = {codes.total_};
  }
  return codes;
}

SYNTHDATA_INLINE ColumnCodes ColumnCodes::fit(const Column& column, const ColumnCodesOptions& options) {
  ColumnCodesFit fit(column.schema(), options);
  fit.add(column);
  return fit.finish();
}

SYNTHDATA_INLINE void ColumnCodes::fit_numbers(NumberCounts counts, std::int64_t divisor,
                                               const ColumnCodesOptions& options) {
  const std::vector<NumberCount>& values = counts.counts();
  const auto distinct = static_cast<std::int64_t>(values.size());
  std::int64_t rows = 0;
  for (const NumberCount& v : values) rows += v.rows;
  unit_ = detail::grid_of(schema_, divisor);

  // Values of their own: all that enough rows have, if there are few enough; else those of at least two parts' rows.
  const std::int64_t enough =
      distinct <= options.bins ? options.rare_below : std::max(options.rare_below, 2 * rows / options.bins + 1);
  std::int64_t own = 0, others = 0;
  for (const NumberCount& v : values) {
    own += v.rows >= enough;
    others += v.rows >= enough ? 0 : v.rows;
  }
  std::vector<NumberCount> shared;
  for (const NumberCount& v : values) {
    if (v.rows < enough) shared.push_back(v);
  }
  const std::int64_t parts = std::max<std::int64_t>(1, options.bins - own), cuts = parts / 8;
  const std::int64_t least = std::max(options.rare_below, (others + parts - cuts - 1) / (parts - cuts));
  std::vector<detail::ValueRange> ranges = detail::equal_ranges(shared, least);
  detail::cut_ranges(shared, ranges, cuts, options.rare_below, unit_, std::log(static_cast<double>(rows)));
  for (detail::ValueRange& range : ranges) range.low = shared[range.first].value, range.high = shared[range.last].value;
  if (!counts.exact() && !ranges.empty()) {  // the ends are known of all rows
    ranges.front().low = std::min(ranges.front().low, counts.lowest());
    ranges.back().high = std::max(ranges.back().high, counts.highest());
  }
  if (unit_ == 0.0) {  // parts of a line touch each other, unless what lies between is empty
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      detail::ValueRange &left = ranges[i - 1], &right = ranges[i];
      const double gap = shared[right.first].value - shared[left.last].value;
      if (detail::is_wide(gap, shared[left.last].value - shared[left.first].value,
                          shared[right.last].value - shared[right.first].value)) {
        continue;
      }
      left.high = right.low = shared[left.last].value + gap / 2.0;
    }
  }
  std::vector<std::pair<double, double>> all;
  for (const detail::ValueRange& range : ranges) all.emplace_back(range.low, range.high);
  for (const NumberCount& v : values) {
    if (v.rows >= enough) all.emplace_back(v.value, v.value);
  }
  std::sort(all.begin(), all.end());
  for (const auto& [low, high] : all) {
    low_.push_back(low);
    high_.push_back(high);
  }
  total_ = static_cast<std::int64_t>(all.size()) + missing_;
}

SYNTHDATA_INLINE void ColumnCodes::fit_texts(TextCounts counts, const ColumnCodesOptions& options) {
  rare_count_ = counts.dropped();
  std::vector<std::pair<std::int64_t, std::string>> kept;
  for (auto& [text, rows] : counts.take()) {
    if (rows >= options.rare_below) {
      kept.emplace_back(-rows, std::move(text));
    } else {
      ++rare_count_;
    }
  }
  std::sort(kept.begin(), kept.end());  // the most frequent first
  if (kind_ == Kind::shapes && static_cast<std::int64_t>(kept.size()) > options.max_codes) {
    rare_count_ += static_cast<std::int64_t>(kept.size()) - options.max_codes;
    kept.resize(static_cast<std::size_t>(options.max_codes));
  }
  for (auto& [rows, text] : kept) texts_.push_back(std::move(text));
  rare_ = rare_count_ > 0;
  total_ = static_cast<std::int64_t>(texts_.size()) + missing_ + rare_;
  if (kind_ == Kind::categories) schema_.categories = texts_;
  for (std::size_t i = 0; i < texts_.size(); ++i)
    text_codes_.emplace(texts_[i], static_cast<std::int64_t>(i) + missing_);
}

SYNTHDATA_INLINE std::int64_t ColumnCodes::number_code(double value) const {
  if (low_.empty()) return total_;
  // Codes are in order of low, then high: a value of its own stands before a range that begins with it, but may lie
  // inside a range that began before.
  const auto own = std::lower_bound(low_.begin(), low_.end(), value);
  if (own != low_.end() && *own == value) return missing_ + (own - low_.begin());
  auto at = own - low_.begin() - 1;  // the last code that begins below
  double nearest = std::numeric_limits<double>::infinity();
  std::ptrdiff_t best = std::clamp<std::ptrdiff_t>(at, 0, static_cast<std::ptrdiff_t>(low_.size()) - 1);
  if (own != low_.end()) {
    nearest = *own - value;
    best = own - low_.begin();
  }
  for (; at >= 0; --at) {
    const auto i = static_cast<std::size_t>(at);
    const double away = std::max(0.0, value - high_[i]);
    if (away < nearest) nearest = away, best = at;
    if (away == 0.0 || high_[i] > low_[i]) break;  // ranges do not overlap: none before reaches further
  }
  return missing_ + best;
}

SYNTHDATA_INLINE std::int64_t ColumnCodes::text_code(std::string_view text) const {
  const auto found =
      kind_ == Kind::shapes ? text_codes_.find(synthdata::detail::shape_of(text)) : text_codes_.find(text);
  if (found != text_codes_.end()) return found->second;
  return rare_ ? total_ - 1 : total_;
}

SYNTHDATA_INLINE std::vector<std::int64_t> ColumnCodes::encode(const Column& column) const {
  const auto real = [](ColumnType type) { return type == ColumnType::integer || type == ColumnType::real; };
  if (is_number() && column.type() != schema_.type && !(real(column.type()) && real(schema_.type))) {
    throw DataError(concat("column ", in_quotes(column.name()), ": expects ", schema_.type, ", got ", column.type()));
  }
  std::vector<std::int64_t> codes(static_cast<std::size_t>(column.size()), missing_ ? 0 : total_);
  const std::vector<std::string>& categories = column.schema().categories;
  const bool coded = kind_ == Kind::categories && column.type() == ColumnType::categorical;
  std::vector<std::int64_t> of_category(coded ? categories.size() : 0, -1);  // looked up when one comes
  for (std::int64_t row = 0; row < column.size(); ++row) {
    std::int64_t& code = codes[static_cast<std::size_t>(row)];
    if (column.is_missing(row)) continue;
    if (kind_ == Kind::numbers) {
      const double value = column.number(row);
      if (!std::isnan(value)) code = number_code(value);
    } else if (coded) {
      const auto category = static_cast<std::size_t>(column.code(row));
      if (of_category[category] < 0) of_category[category] = text_code(categories[category]);
      code = of_category[category];
    } else {
      code = text_code(column.cell(row));
    }
  }
  return codes;
}

SYNTHDATA_INLINE bool ColumnCodes::sampled(std::int64_t code) const {
  if (code >= total_) return false;
  const bool rare = rare_ && code == total_ - 1;
  return !rare || texts_.empty();  // if there is nothing else, see decode
}

SYNTHDATA_INLINE double ColumnCodes::measure(double low, double high) const {
  if (unit_ == 0.0) return std::max(0.0, high - low);
  return std::max(0.0, std::floor(high / unit_ + 1e-6) - std::ceil(low / unit_ - 1e-6) + 1.0);
}

SYNTHDATA_INLINE double ColumnCodes::log_within(std::int64_t code) const {
  if (missing_ && code == 0) return 0.0;
  if (kind_ != Kind::numbers) return rare_ && code == total_ - 1 ? -std::log(static_cast<double>(rare_count_)) : 0.0;
  const auto i = static_cast<std::size_t>(code - missing_);
  if (low_[i] == high_[i]) return 0.0;
  return -std::log(unit_ == 0.0 ? high_[i] - low_[i] : std::round((high_[i] - low_[i]) / unit_) + 1.0);
}

SYNTHDATA_INLINE double ColumnCodes::share_between(std::int64_t code, double low, double high) const {
  if (kind_ != Kind::numbers || code >= total_ || (missing_ && code == 0)) return 0.0;
  const auto i = static_cast<std::size_t>(code - missing_);
  if (low_[i] == high_[i]) return low_[i] >= low && low_[i] <= high ? 1.0 : 0.0;
  if (std::max(low, low_[i]) > std::min(high, high_[i])) return 0.0;
  if (low == high && unit_ == 0.0) return 1.0;  // a single number has no length
  const auto [from, to] = part_between(code, low, high);
  return to - from;
}

SYNTHDATA_INLINE std::int64_t ColumnCodes::code_of(std::string_view text) const {
  if (kind_ == Kind::numbers) return -1;
  const std::int64_t code = text_code(text);
  return code == total_ || !sampled(code) ? -1 : code;
}

SYNTHDATA_INLINE double ColumnCodes::value_of(std::string_view text) const {
  return detail::value_of_cell(schema_, text);
}

SYNTHDATA_INLINE std::vector<std::pair<std::int64_t, std::string>> ColumnCodes::class_texts() const {
  std::vector<std::pair<std::int64_t, std::string>> classes;
  if (kind_ == Kind::shapes || cardinalities_.size() > 1 || low_ != high_) return classes;
  for (std::int64_t code = missing_; code < total_; ++code) {
    if (!sampled(code)) continue;
    const auto i = static_cast<std::size_t>(code - missing_);
    classes.emplace_back(code, is_number() ? column_of({low_[i]}, {}).cell(0) : texts_[i]);
  }
  return classes;
}

SYNTHDATA_INLINE std::pair<double, double> ColumnCodes::part_between(std::int64_t code, double low, double high) const {
  const auto i = static_cast<std::size_t>(code - missing_);
  if (low_[i] == high_[i]) return {0.0, 1.0};
  // Grids begin at low_, so distances from there are counted.
  const double from = std::max(low, low_[i]) - low_[i], to = std::min(high, high_[i]) - low_[i];
  const double all = measure(0.0, high_[i] - low_[i]);
  if (unit_ == 0.0) return {from / all, to / all};
  const double before = std::ceil(from / unit_ - 1e-6);
  return {before / all, (before + measure(from, to)) / all};
}

SYNTHDATA_INLINE double ColumnCodes::value_at(std::int64_t code, double low, double high, double share) const {
  const auto i = static_cast<std::size_t>(code - missing_);
  if (low_[i] == high_[i]) return low_[i];
  const double from = std::max(low, low_[i]), to = std::min(high, high_[i]);
  if (unit_ == 0.0) return std::clamp(from + (to - from) * share, from, to);
  const double first = std::ceil((from - low_[i]) / unit_ - 1e-6), count = measure(from - low_[i], to - low_[i]);
  const double value = low_[i] + (first + std::min(std::floor(share * count), count - 1.0)) * unit_;
  if (schema_.type != ColumnType::real) return std::round(value);
  const double scale = std::pow(10.0, schema_.decimals);
  return std::round(value * scale) / scale;
}

SYNTHDATA_INLINE Column ColumnCodes::decode(const std::vector<std::int64_t>& codes, const Rng& rng, Place& place,
                                            double low, double high) const {
  const std::size_t rows = codes.size();
  const std::int64_t before = place.row;
  place.row += static_cast<std::int64_t>(rows);
  std::vector<bool> missing;
  const bool no_category = kind_ == Kind::categories && texts_.empty();  // all are rare: there is nothing to give out
  if (missing_ || no_category) {
    missing.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) missing[i] = no_category || codes[i] == 0;
  }
  const auto present = [&](std::size_t i) { return missing.empty() || !missing[i]; };
  const auto own_rng = [&](std::size_t i) { return rng.split(static_cast<std::uint64_t>(before) + i); };
  if (kind_ == Kind::numbers) {
    std::vector<double> values(rows, 0.0);
    for (std::size_t i = 0; i < rows; ++i) {
      Rng own = own_rng(i);
      if (present(i)) values[i] = value_at(codes[i], low, high, detail::uniform_double(own));
    }
    return column_of(values, missing);
  }
  if (kind_ == Kind::categories) {  // there may be very many: they are copied once
    const std::int64_t count = static_cast<std::int64_t>(texts_.size()), size = static_cast<std::int64_t>(rows);
    ColumnParts parts{.schema = schema_, .size = size};
    parts.width = count <= 256 ? 1 : count <= 65536 ? 2 : 4;
    parts.values = Tensor::empty({size * parts.width}, DType::u8, Device::cpu());
    std::uint8_t* to = parts.values.data<std::uint8_t>();
    for (std::size_t i = 0; i < rows; ++i) {
      std::int64_t code = present(i) ? codes[i] - missing_ : 0;
      for (int byte = 0; byte < parts.width; ++byte, code >>= 8) *to++ = static_cast<std::uint8_t>(code);
    }
    parts.missing = Column::booleans("", std::vector<bool>(rows), missing).parts().missing;
    return Column(std::move(parts));
  }
  const bool identifiers = schema_.type == ColumnType::identifier;
  std::vector<std::string> texts(rows);
  std::unordered_map<std::int64_t, detail::ShapeTexts> shapes;
  if (identifiers && place.given.empty()) place.given.resize(static_cast<std::size_t>(total_), 0);
  for (std::size_t i = 0; i < rows; ++i) {
    if (!present(i)) continue;
    if (texts_.empty()) {  // no shape that enough rows have
      if (identifiers) texts[i] = concat(before + static_cast<std::int64_t>(i) + 1);
      continue;
    }
    Rng own = own_rng(i);
    const std::string& shape = texts_[static_cast<std::size_t>(codes[i] - missing_)];
    if (!identifiers) {
      texts[i] = detail::draw_shape(shape, own);
      continue;
    }
    // Texts have one shape each, so identifiers of different shapes differ.
    const auto at = shapes.try_emplace(codes[i], shape, rng.split(~static_cast<std::uint64_t>(codes[i]))).first;
    std::int64_t& given = place.given[static_cast<std::size_t>(codes[i])];
    if (given == at->second.size()) {
      throw DataError(concat("column ", in_quotes(schema_.name),
                             ": there are not enough different identifiers of the "
                             "shape ",
                             in_quotes(shape), ": ", given, " for ", place.row, " rows"));
    }
    texts[i] = at->second(given++, own);
  }
  ColumnParts parts = Column::texts(schema_.name, texts, missing).parts();
  parts.schema = schema_;
  return Column(std::move(parts));
}

SYNTHDATA_INLINE Column ColumnCodes::column_of(const std::vector<double>& values,
                                               const std::vector<bool>& missing) const {
  return detail::column_of(schema_, values, missing);
}

SYNTHDATA_INLINE void ColumnCodes::save(Archive& archive, const std::string& prefix) const {
  Json::Array cardinalities;
  for (const std::int64_t n : cardinalities_) cardinalities.push_back(n);
  ColumnSchema schema = schema_;
  schema.categories.clear();  // they are the texts
  archive.metadata[prefix] = Json(Json::Object{{"schema", Schema{{schema}}.json()},
                                               {"missing", missing_},
                                               {"unit", unit_},
                                               {"rare", rare_count_},
                                               {"cardinalities", std::move(cardinalities)}})
                                 .dump();
  if (!texts_.empty()) {  // there may be very many
    std::string bytes;
    std::vector<std::int64_t> ends;
    for (const std::string& text : texts_) {
      bytes += text;
      ends.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    const std::span<const std::uint8_t> all(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    archive.add(prefix + ".texts", Tensor::from(all, {ends.back()}, Device::cpu()));
    archive.add(prefix + ".ends", Tensor::from(ends));
  }
  if (!low_.empty()) {
    archive.add(prefix + ".low", Tensor::from(low_));
    archive.add(prefix + ".high", Tensor::from(high_));
  }
}

SYNTHDATA_INLINE ColumnCodes ColumnCodes::load(const Archive& archive, const std::string& prefix) {
  const Json json = parse_json(archive.text(prefix), {.source = prefix});
  const auto fail = [&](const char* what) -> void {
    throw DataError(concat("model file, ", in_quotes(prefix), ": ", what));
  };
  const auto member = [&]<class T>(const char* key, T) -> const T& {
    const Json* value = json.find(key);
    const T* held = value ? value->get_if<T>() : nullptr;
    if (!held) fail("something is missing or of another type");
    return *held;
  };
  ColumnCodes codes;
  const Json* schema = json.find("schema");
  if (!schema) fail("the schema is missing");
  const Schema columns = Schema::from_json(*schema);
  if (columns.columns.size() != 1) fail("expects the schema of one column");
  codes.schema_ = columns.columns[0];
  codes.missing_ = member("missing", false);
  codes.rare_count_ = member("rare", std::int64_t{});
  codes.rare_ = codes.rare_count_ > 0;
  const Json* unit = json.find("unit");
  if (!unit || !unit->is_number()) fail("expects a unit");
  codes.unit_ = unit->number();
  const bool texts = codes.schema_.type == ColumnType::text || codes.schema_.type == ColumnType::identifier;
  codes.kind_ = texts ? Kind::shapes : codes.schema_.type == ColumnType::categorical ? Kind::categories : Kind::numbers;
  if (codes.kind_ != Kind::numbers && archive.find(prefix + ".ends")) {
    const Tensor &bytes = archive.at(prefix + ".texts"), &ends = archive.at(prefix + ".ends");
    if (bytes.dtype() != DType::u8 || bytes.rank() != 1 || ends.dtype() != DType::i64 || ends.rank() != 1) {
      fail("expects texts of u8 and their ends of i64");
    }
    std::int64_t begin = 0;
    for (const std::int64_t end : ends.span<std::int64_t>()) {
      if (end < begin || end > bytes.size()) fail("its texts do not fit their ends");
      codes.texts_.emplace_back(static_cast<const char*>(bytes.bytes()) + begin, static_cast<std::size_t>(end - begin));
      if (synthdata::detail::find_not_utf8(codes.texts_.back()) != std::string_view::npos)
        fail("its texts are not UTF-8");
      codes.text_codes_.emplace(codes.texts_.back(),
                                static_cast<std::int64_t>(codes.texts_.size()) - 1 + codes.missing_);
      begin = end;
    }
  }
  if (codes.kind_ == Kind::categories) codes.schema_.categories = codes.texts_;
  if (codes.kind_ == Kind::numbers && archive.find(prefix + ".low")) {
    for (const auto& [name, into] : {std::pair{".low", &codes.low_}, std::pair{".high", &codes.high_}}) {
      const Tensor& values = archive.at(prefix + name);
      if (values.dtype() != DType::f64 || values.rank() != 1) fail("expects bounds of f64");
      into->assign(values.data<double>(), values.data<double>() + values.size());
    }
    if (codes.low_.size() != codes.high_.size() || !std::is_sorted(codes.low_.begin(), codes.low_.end())) {
      fail("its ranges do not fit each other");
    }
    for (std::size_t i = 0; i < codes.low_.size(); ++i) {
      if (!(codes.low_[i] <= codes.high_[i]) || !std::isfinite(codes.high_[i]) || !std::isfinite(codes.low_[i]) ||
          !(codes.measure(0.0, codes.high_[i] - codes.low_[i]) < 9e15)) {
        fail("its ranges do not fit each other");
      }
    }
  }
  if (!(codes.unit_ >= 0.0) || !std::isfinite(codes.unit_) || codes.rare_count_ < 0) fail("expects numbers >= 0");
  if (codes.kind_ == Kind::numbers && codes.rare_) fail("numbers have ranges, not rare values");
  codes.total_ = static_cast<std::int64_t>(codes.low_.size() + codes.texts_.size()) + codes.missing_ + codes.rare_;
  for (const Json& n : member("cardinalities", Json::Array{})) {
    const std::int64_t* held = n.get_if<std::int64_t>();
    if (!held || *held < 1 || *held > codes.total_) fail("its codes do not fit");
    codes.cardinalities_.push_back(*held);
  }
  const std::vector<std::int64_t>& c = codes.cardinalities_;
  const bool one = c.size() == 1 && c[0] == codes.total_;
  const bool two = c.size() == 2 && (c[0] - 1) * c[1] < codes.total_ && c[0] * c[1] >= codes.total_;
  if (!one && !two) fail("its codes do not fit");
  return codes;
}

}  // namespace synthdata::models
