// synthdata/data/transform/standardize_impl.hpp: bodies of data/transform/standardize.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/standardize.hpp>

#include <cmath>

namespace synthdata::transform {

SYNTHDATA_INLINE void Standardize::fit(const Training& training) {
  const auto n = static_cast<double>(training.values.size());
  // about the first value, in units of the largest, so that neither cancels nor overflows
  const double centre = training.values[0];
  double largest = 0.0, sum = 0.0, squares = 0.0;
  for (const double x : training.values) largest = std::fmax(largest, std::fabs(x / 2 - centre / 2));
  if (largest == 0.0) {
    mean_ = centre;
    scale_ = 1.0;
    return;
  }
  for (const double x : training.values) sum += (x / 2 - centre / 2) / largest;
  const double mean = sum / n;
  for (const double x : training.values) {
    const double d = (x / 2 - centre / 2) / largest - mean;
    squares += d * d;
  }
  mean_ = centre + 2 * largest * mean;
  scale_ = 2 * largest * std::sqrt(squares / n);
  if (!std::isfinite(scale_)) scale_ = std::numeric_limits<double>::max();
}

SYNTHDATA_INLINE void Standardize::apply(std::span<double> values) const {
  for (double& x : values) x = (x - mean_) / scale_;
}
SYNTHDATA_INLINE void Standardize::invert(std::span<double> values) const {
  for (double& x : values) x = x * scale_ + mean_;
}

SYNTHDATA_INLINE void Standardize::prepare() {
  synthdata::detail::check_loaded(std::isfinite(mean_) && std::isfinite(scale_) && scale_ > 0.0, name,
                                  "mean and scale");
}

}  // namespace synthdata::transform
