// synthdata/metrics/column_scores_impl.hpp: bodies of column_scores.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/column_scores.hpp>
#include <synthdata/metrics/joint_codes_impl.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {

namespace detail {

inline constexpr double no_score = std::numeric_limits<double>::quiet_NaN();

/// The values present in a column that must be continuous, and the other one with it.
inline std::vector<double> continuous_numbers(const char* metric, const Column& real, const Column& synthetic,
                                              const Column& column) {
  if (!is_continuous(column)) {
    throw DataError(concat(metric, ": expects integer, real or date-time, but column ", in_quotes(column.name()),
                           " is ", column.type()));
  }
  check_comparable(metric, real, synthetic);
  return present_numbers(column);
}

inline double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return values.empty() ? no_score : sum / static_cast<double>(values.size());
}
inline double median(std::vector<double> values) {
  if (values.empty()) return no_score;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.size() % 2 == 1 ? *middle : (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}
inline double standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return no_score;
  const double centre = mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

/// How often each number comes.
inline std::vector<double> count_codes(const std::vector<std::int32_t>& codes, std::int32_t count) {
  std::vector<double> counts(static_cast<std::size_t>(count), 0.0);
  for (const std::int32_t code : codes) {
    if (code >= 0) ++counts[static_cast<std::size_t>(code)];
  }
  return counts;
}

}  // namespace detail

SYNTHDATA_INLINE double ks_complement(const Column& real, const Column& synthetic) {
  auto a = detail::continuous_numbers("ks_complement", real, synthetic, real);
  auto b = detail::continuous_numbers("ks_complement", real, synthetic, synthetic);
  if (a.empty() || b.empty()) return detail::no_score;
  for (std::vector<double>* values : {&a, &b}) {
    for (double& value : *values) {
      const double scaled = value * 1e14;
      if (std::isfinite(scaled)) value = std::nearbyint(scaled) / 1e14;
    }
    std::sort(values->begin(), values->end());
  }
  const auto of = [](std::size_t below, const std::vector<double>& all) {
    return static_cast<double>(below) / static_cast<double>(all.size());
  };
  double gap = 0.0;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const double at = j == b.size() || (i < a.size() && a[i] <= b[j]) ? a[i] : b[j];
    while (i < a.size() && a[i] <= at) ++i;
    while (j < b.size() && b[j] <= at) ++j;
    gap = std::max(gap, std::abs(of(i, a) - of(j, b)));
  }
  return 1.0 - gap;
}

SYNTHDATA_INLINE double tv_complement(const Column& real, const Column& synthetic) {
  const detail::JointCodes codes = detail::joint_codes(real, synthetic);
  std::vector<double> p = detail::count_codes(codes.real, codes.count);
  const std::vector<double> q = detail::count_codes(codes.synthetic, codes.count);
  double real_sum = 0.0, synthetic_sum = 0.0, distance = 0.0;
  for (const double count : p) real_sum += count;
  for (const double count : q) synthetic_sum += count;
  if (real_sum == 0.0 || synthetic_sum == 0.0) return detail::no_score;
  for (double& count : p) {
    if (count == 0.0) real_sum += count = 1e-6;
  }
  for (std::size_t i = 0; i < p.size(); ++i) distance += std::abs(q[i] / synthetic_sum - p[i] / real_sum);
  return 1.0 - 0.5 * distance;
}

SYNTHDATA_INLINE double boundary_adherence(const Column& real, const Column& synthetic) {
  const auto a = detail::continuous_numbers("boundary_adherence", real, synthetic, real);
  const auto b = detail::continuous_numbers("boundary_adherence", real, synthetic, synthetic);
  const bool nullable = static_cast<std::int64_t>(a.size()) < real.size();
  const double counted = static_cast<double>(nullable ? b.size() : static_cast<std::size_t>(synthetic.size()));
  if (counted == 0.0) return detail::no_score;
  if (a.empty()) return 0.0;
  const auto [least, greatest] = std::minmax_element(a.begin(), a.end());
  const auto inside = std::count_if(
      b.begin(), b.end(), [low = *least, high = *greatest](double value) { return value >= low && value <= high; });
  return static_cast<double>(inside) / counted;
}

SYNTHDATA_INLINE double range_coverage(const Column& real, const Column& synthetic) {
  const auto a = detail::continuous_numbers("range_coverage", real, synthetic, real);
  const auto b = detail::continuous_numbers("range_coverage", real, synthetic, synthetic);
  if (a.empty() || b.empty()) return detail::no_score;
  const auto [low, high] = std::minmax_element(a.begin(), a.end());
  const auto [least, greatest] = std::minmax_element(b.begin(), b.end());
  if (*low == *high) return detail::no_score;
  const double range = *high - *low;
  return std::max(1.0 - (std::max((*least - *low) / range, 0.0) + std::max((*high - *greatest) / range, 0.0)), 0.0);
}

SYNTHDATA_INLINE double category_coverage(const Column& real, const Column& synthetic) {
  const detail::JointCodes codes = detail::joint_codes(real, synthetic);
  const std::vector<double> p = detail::count_codes(codes.real, codes.count);
  const std::vector<double> q = detail::count_codes(codes.synthetic, codes.count);
  std::int64_t distinct = 0, covered = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    distinct += p[i] > 0.0;
    covered += p[i] > 0.0 && q[i] > 0.0;
  }
  return distinct == 0 ? detail::no_score : static_cast<double>(covered) / static_cast<double>(distinct);
}

SYNTHDATA_INLINE double category_adherence(const Column& real, const Column& synthetic) {
  const detail::JointCodes codes = detail::joint_codes(real, synthetic);
  if (codes.synthetic.empty()) return detail::no_score;
  const std::vector<double> p = detail::count_codes(codes.real, codes.count);
  const bool nullable = std::find(codes.real.begin(), codes.real.end(), -1) != codes.real.end();
  const auto known = std::count_if(codes.synthetic.begin(), codes.synthetic.end(), [&](std::int32_t code) {
    return code < 0 ? nullable : p[static_cast<std::size_t>(code)] > 0.0;
  });
  return static_cast<double>(known) / static_cast<double>(codes.synthetic.size());
}

SYNTHDATA_INLINE double missing_value_similarity(const Column& real, const Column& synthetic) {
  const auto share = [](const Column& column) {
    const std::int64_t missing = detail::is_continuous(column)
                                     ? column.size() - static_cast<std::int64_t>(detail::present_numbers(column).size())
                                     : column.missing_count();
    return static_cast<double>(missing) / static_cast<double>(column.size());
  };
  if (real.size() == 0 || synthetic.size() == 0) return detail::no_score;
  return 1.0 - std::abs(share(real) - share(synthetic));
}

SYNTHDATA_INLINE double statistic_similarity(const Column& real, const Column& synthetic, Statistic statistic) {
  const auto a = detail::continuous_numbers("statistic_similarity", real, synthetic, real);
  const auto b = detail::continuous_numbers("statistic_similarity", real, synthetic, synthetic);
  if (a.empty() || b.empty()) return detail::no_score;
  const auto [low, high] = std::minmax_element(a.begin(), a.end());
  if (*low == *high) return detail::no_score;
  const auto value = [statistic](const std::vector<double>& values) {
    if (statistic == Statistic::mean) return detail::mean(values);
    return statistic == Statistic::median ? detail::median(values) : detail::standard_deviation(values);
  };
  const double score = 1.0 - std::abs(value(a) - value(b)) / (*high - *low);
  return score < 0.0 ? 0.0 : score;
}

SYNTHDATA_INLINE double key_uniqueness(const Column& synthetic) {
  if (synthetic.size() == 0) return detail::no_score;
  const detail::JointCodes codes = detail::joint_codes(synthetic, synthetic.rows(0, 0));
  return static_cast<double>(codes.count) / static_cast<double>(synthetic.size());
}

}  // namespace synthdata
