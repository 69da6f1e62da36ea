// synthdata/metrics/pair_scores_impl.hpp: bodies of pair_scores.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/statistics.hpp>
#include <synthdata/metrics/column_scores_impl.hpp>
#include <synthdata/metrics/pair_scores.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace synthdata {

namespace detail {

/// Ranks from 1; equal values share the mean of theirs.
inline std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + 1 + end) / 2.0;
  }
  return ranks;
}

/// True if more than one value is present.
inline bool varies(std::span<const double> values) {
  double first = no_score;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    if (std::isnan(first)) first = value;
    if (value != first) return true;
  }
  return false;
}

/// The coefficient over the rows where both are present.
inline double correlate(std::span<const double> first, std::span<const double> second, Correlation correlation) {
  if (correlation == Correlation::pearson) return pearson(first, second);
  std::vector<double> x, y;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (std::isnan(first[i]) || std::isnan(second[i])) continue;
    x.push_back(first[i]);
    y.push_back(second[i]);
  }
  return pearson(ranks(x), ranks(y));
}

/// Of two columns as all_numbers() gives them. A column that is constant in one table has no score, even where the rows
/// in which both are present would have one.
inline CorrelationScore compare_correlations(std::span<const double> real_first, std::span<const double> real_second,
                                             std::span<const double> first, std::span<const double> second,
                                             Correlation correlation) {
  CorrelationScore score{.score = no_score, .real = no_score, .synthetic = no_score};
  if (!varies(real_first) || !varies(real_second) || !varies(first) || !varies(second)) return score;
  score.real = correlate(real_first, real_second, correlation);
  score.synthetic = correlate(first, second, correlation);
  score.score = 1.0 - std::abs(score.real - score.synthetic) / 2.0;
  return score;
}

/// Bounds of bins of equal width between the least and greatest value, as numpy.histogram_bin_edges has them.
inline std::vector<double> bin_edges(std::span<const double> values, int bins, const std::string& column) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isnan(value)) low = std::min(low, value), high = std::max(high, value);
  }
  if (low > high) low = 0.0, high = 1.0;
  if (!std::isfinite(low) || !std::isfinite(high)) {
    throw DataError(concat("contingency_similarity: column ", in_quotes(column), " has infinite values"));
  }
  if (low == high) low -= 0.5, high += 0.5;
  std::vector<double> edges(static_cast<std::size_t>(bins) + 1);
  const double step = (high - low) / static_cast<double>(bins);
  for (std::size_t i = 0; i < edges.size(); ++i) edges[i] = static_cast<double>(i) * step + low;
  edges.back() = high;
  return edges;
}

/// How many edges are not above the value; for a missing one, all.
inline std::vector<std::int32_t> bin_numbers(std::span<const double> values, std::span<const double> edges) {
  std::vector<std::int32_t> bins(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = std::isnan(values[i]) ? edges.end() : std::upper_bound(edges.begin(), edges.end(), values[i]);
    bins[i] = static_cast<std::int32_t>(at - edges.begin());
  }
  return bins;
}

/// The values of a column of both tables as numbers 0 ... count - 1, missing ones with a number of their own.
inline JointCodes discrete_codes(const Column& real, const Column& synthetic, const ContingencyOptions& options) {
  if (options.bins < 1) throw DataError(concat("contingency_similarity: expects bins >= 1, got ", options.bins));
  JointCodes codes;
  if (!is_continuous(real)) {
    codes = joint_codes(real, synthetic);
    for (std::vector<std::int32_t>* side : {&codes.real, &codes.synthetic}) {
      for (std::int32_t& code : *side) {
        if (code < 0) code = codes.count;
      }
    }
    ++codes.count;
    return codes;
  }
  // Date-times as nanoseconds in f64, which is what pandas makes of them: a date that lies on an edge falls alike.
  const auto numbers = [](const Column& column) {
    std::vector<double> values = all_numbers(column);
    if (column.type() == ColumnType::date_time) {
      for (double& value : values) value *= 1000.0;
    }
    return values;
  };
  const std::vector<double> a = numbers(real), b = numbers(synthetic);
  std::vector<double> edges = bin_edges(a, options.bins, real.name());
  if (options.edges == BinEdges::of_real) {
    edges.front() = -std::numeric_limits<double>::infinity();
    edges.back() = -edges.front();
    codes.synthetic = bin_numbers(b, edges);
  } else {
    codes.synthetic = bin_numbers(b, bin_edges(b, options.bins, synthetic.name()));
  }
  codes.real = bin_numbers(a, edges);
  codes.count = options.bins + 2;
  return codes;
}

inline ContingencyScore compare_contingencies(const JointCodes& first, const JointCodes& second) {
  const std::int64_t height = first.count, width = second.count;
  const PairCounts real = count_pairs(first.real, height, second.real, width);
  const PairCounts synthetic = count_pairs(first.synthetic, height, second.synthetic, width);
  if (real.empty() || synthetic.empty()) return {no_score, no_score};
  const double real_rows = static_cast<double>(first.real.size());
  const double synthetic_rows = static_cast<double>(first.synthetic.size());
  double distance = 0.0;
  for (std::size_t i = 0, j = 0; i < real.size() || j < synthetic.size();) {
    const bool left = j == synthetic.size() || (i < real.size() && real[i].first <= synthetic[j].first);
    const bool right = i == real.size() || (j < synthetic.size() && synthetic[j].first <= real[i].first);
    const double p = left ? real[i++].second / real_rows : 0.0;
    const double q = right ? synthetic[j++].second / synthetic_rows : 0.0;
    distance += std::abs(p - q) / 2.0;
  }
  return {1.0 - distance, cramers_v(real, height, width)};
}

}  // namespace detail

SYNTHDATA_INLINE CorrelationScore correlation_similarity(const Table& real, const Table& synthetic,
                                                         std::string_view first, std::string_view second,
                                                         Correlation correlation) {
  const auto numbers = [](const Table& table, std::string_view name) {
    const Column& column = table[name];
    if (!detail::is_continuous(column)) {
      throw DataError(concat("correlation_similarity: expects integer, real or date-time, but column ",
                             in_quotes(column.name()), " is ", column.type()));
    }
    return detail::all_numbers(column);
  };
  return detail::compare_correlations(numbers(real, first), numbers(real, second), numbers(synthetic, first),
                                      numbers(synthetic, second), correlation);
}

SYNTHDATA_INLINE ContingencyScore contingency_similarity(const Table& real, const Table& synthetic,
                                                         std::string_view first, std::string_view second,
                                                         const ContingencyOptions& options) {
  const auto codes = [&](std::string_view name) {
    detail::check_comparable("contingency_similarity", real[name], synthetic[name]);
    return detail::discrete_codes(real[name], synthetic[name], options);
  };
  return detail::compare_contingencies(codes(first), codes(second));
}

}  // namespace synthdata
