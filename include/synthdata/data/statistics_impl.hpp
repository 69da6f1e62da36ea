// synthdata/data/statistics_impl.hpp: bodies of statistics.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata::detail {

SYNTHDATA_INLINE double pearson(std::span<const double> x, std::span<const double> y) {
  double n = 0.0, mean_x = 0.0, mean_y = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    n += 1.0;
    mean_x += (x[i] - mean_x) / n;
    mean_y += (y[i] - mean_y) / n;
  }
  double xx = 0.0, yy = 0.0, xy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  const double scale = std::sqrt(xx) * std::sqrt(yy);
  return scale > 0.0 ? std::clamp(xy / scale, -1.0, 1.0) : std::numeric_limits<double>::quiet_NaN();
}

SYNTHDATA_INLINE PairCounts count_pairs(std::span<const std::int32_t> first, std::int64_t height,
                                        std::span<const std::int32_t> second, std::int64_t width) {
  const auto key = [&](std::size_t i) { return first[i] * width + second[i]; };
  PairCounts counts;
  if (height * width <= 1 << 20) {  // a table of all cells
    std::vector<double> cells(static_cast<std::size_t>(height * width), 0.0);
    for (std::size_t i = 0; i < first.size(); ++i) ++cells[static_cast<std::size_t>(key(i))];
    for (std::size_t cell = 0; cell < cells.size(); ++cell) {
      if (cells[cell] > 0.0) counts.emplace_back(static_cast<std::int64_t>(cell), cells[cell]);
    }
    return counts;
  }
  std::vector<std::int64_t> keys(first.size());
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = key(i);
  std::sort(keys.begin(), keys.end());
  for (const std::int64_t one : keys) {
    if (counts.empty() || counts.back().first != one) counts.emplace_back(one, 0.0);
    ++counts.back().second;
  }
  return counts;
}

SYNTHDATA_INLINE double cramers_v(const PairCounts& counts, std::int64_t height, std::int64_t width) {
  std::vector<double> row_sums(static_cast<std::size_t>(height), 0.0),
      column_sums(static_cast<std::size_t>(width), 0.0);
  double total = 0.0;
  for (const auto& [key, count] : counts) {
    row_sums[static_cast<std::size_t>(key / width)] += count;
    column_sums[static_cast<std::size_t>(key % width)] += count;
    total += count;
  }
  const auto used = [](const std::vector<double>& sums) {
    return std::count_if(sums.begin(), sums.end(), [](double sum) { return sum > 0.0; });
  };
  const auto least = std::min(used(row_sums), used(column_sums));
  if (least < 2) return std::numeric_limits<double>::quiet_NaN();
  double chi_squared = total;  // the cells without rows: the sum of their expected counts
  for (const auto& [key, count] : counts) {
    const double expected =
        row_sums[static_cast<std::size_t>(key / width)] * column_sums[static_cast<std::size_t>(key % width)] / total;
    chi_squared += (count - expected) * (count - expected) / expected - expected;
  }
  return std::min(std::sqrt(std::max(chi_squared, 0.0) / total / static_cast<double>(least - 1)), 1.0);
}

}  // namespace synthdata::detail
