// synthdata/data/transform/min_max_impl.hpp: bodies of data/transform/min_max.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/min_max.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata::transform {

SYNTHDATA_INLINE MinMax::MinMax(double to_low, double to_high) : low(to_low), high(to_high) {
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
    throw NumericError(concat("min_max: expects low < high, got ", low, ", ", high));
  }
}

SYNTHDATA_INLINE void MinMax::fit(const Training& training) {
  const auto [least, largest] = std::minmax_element(training.values.begin(), training.values.end());
  least_ = *least;
  largest_ = *largest;
}

SYNTHDATA_INLINE void MinMax::apply(std::span<double> values) const {
  if (least_ == largest_) {
    for (double& x : values) x = (low + high) / 2 + (x - least_);
    return;
  }
  const double width = largest_ / 2 - least_ / 2;  // halves: no overflow
  for (double& x : values) {
    const double t = (x / 2 - least_ / 2) / width;
    x = t * high + (1.0 - t) * low;
  }
}
SYNTHDATA_INLINE void MinMax::invert(std::span<double> values) const {
  if (least_ == largest_) {
    for (double& x : values) x = x - (low + high) / 2 + least_;
    return;
  }
  for (double& x : values) {
    const double t = (x - low) / (high - low);
    x = t * largest_ + (1.0 - t) * least_;
  }
}
SYNTHDATA_INLINE Interval MinMax::range(Interval from) const {
  double ends[] = {from.low, from.high};
  apply(ends);
  return {ends[0], ends[1]};
}

SYNTHDATA_INLINE void MinMax::prepare() {
  synthdata::detail::check_loaded(std::isfinite(low) && std::isfinite(high) && low < high && std::isfinite(least_) &&
                                      std::isfinite(largest_) && least_ <= largest_,
                                  name, "range");
}

}  // namespace synthdata::transform
