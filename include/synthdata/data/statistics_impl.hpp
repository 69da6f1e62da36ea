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

}  // namespace synthdata::detail
