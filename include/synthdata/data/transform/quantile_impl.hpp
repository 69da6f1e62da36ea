// synthdata/data/transform/quantile_impl.hpp: bodies of data/transform/quantile.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/quantile.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE double normal_cdf(double x) { return 0.5 * std::erfc(-x * 0.7071067811865476); }

/// Start: Acklam's rational approximation, relative error 1.2e-9; then one step of Halley's method.
SYNTHDATA_INLINE double normal_quantile(double p) {
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                          -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
  const auto tail = [&](double q) {
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1.0);
  };
  if (p > 0.5) return -normal_quantile(1.0 - p);
  double x = 0.0;
  if (p < 0.02425) {
    x = tail(std::sqrt(-2.0 * std::log(p)));
  } else {
    const double q = p - 0.5, r = q * q;
    x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
        (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1.0);
  }
  const double error = (normal_cdf(x) - p) * 2.5066282746310002 * std::exp(0.5 * x * x);
  return x - error / (1.0 + 0.5 * x * error);
}

/// Linear interpolation over equally many x and y, x rising; the ends beyond.
template <class X, class Y>
double interpolate(double at, std::int64_t n, const X& x, const Y& y) {
  std::int64_t low = 0, high = n;  // the first with x > at
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (x(middle) > at) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low == 0) return y(0);
  if (low == n) return y(n - 1);
  const double from = x(low - 1), to = x(low);
  const double t = (at - from) / (to - from);
  return t == 0.0 ? y(low - 1) : y(low - 1) + t * (y(low) - y(low - 1));
}

}  // namespace detail

namespace transform {

SYNTHDATA_INLINE Quantile::Quantile(bool to_normal, std::int64_t quantiles, std::int64_t rows)
    : normal(to_normal), knots(quantiles), fit_rows(rows) {
  if (knots < 2 || knots > 1'000'000 || fit_rows < 2) {
    throw NumericError(concat("quantile: expects 2 ... 1000000 knots and fit_rows >= 2, got ", knots, ", ", fit_rows));
  }
}

SYNTHDATA_INLINE void Quantile::fit(const Training& training) {
  std::vector<double> sorted = synthdata::detail::thinned(training.values, fit_rows, training.rng);
  if (static_cast<std::int64_t>(training.values.size()) > fit_rows) {  // the ends are kept
    const auto [least, largest] = std::minmax_element(training.values.begin(), training.values.end());
    sorted.push_back(*least);
    sorted.push_back(*largest);
  }
  std::sort(sorted.begin(), sorted.end());
  const auto rows = static_cast<std::int64_t>(sorted.size());
  const std::int64_t count = std::max<std::int64_t>(2, std::min(knots, rows));
  quantiles_ = Tensor::empty({count}, DType::f64, Device::cpu());
  for (std::int64_t i = 0; i < count; ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(count - 1) * static_cast<double>(rows - 1);
    const auto below = static_cast<std::size_t>(std::min<double>(std::floor(place), static_cast<double>(rows - 1)));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double t = place - static_cast<double>(below);
    quantiles_.data<double>()[i] = t == 0.0 ? sorted[below] : sorted[below] + t * (sorted[above] - sorted[below]);
  }
  for (std::int64_t i = 1; i < count; ++i) {  // rounding may have put two in the wrong order
    quantiles_.data<double>()[i] = std::max(quantiles_.data<double>()[i], quantiles_.data<double>()[i - 1]);
  }
}

SYNTHDATA_INLINE void Quantile::apply(std::span<double> values) const {
  const double* const q = quantiles_.data<double>();
  const std::int64_t n = quantiles_.size();
  const double step = 1.0 / static_cast<double>(n - 1);
  const auto share = [&](std::int64_t i) { return static_cast<double>(i) * step; };
  const double ends = synthdata::detail::normal_quantile(1e-7);
  for (double& x : values) {
    double p = 0.0;
    if (x <= q[0]) {
      p = q[0] == q[n - 1] ? 0.5 : 0.0;
    } else if (x >= q[n - 1]) {
      p = 1.0;
    } else {  // up and down, and their mean: the middle where a value fills several quantiles
      p = 0.5 * (synthdata::detail::interpolate(x, n, [&](std::int64_t i) { return q[i]; }, share) -
                 synthdata::detail::interpolate(-x, n, [&](std::int64_t i) { return -q[n - 1 - i]; },
                                     [&](std::int64_t i) { return -share(n - 1 - i); }));
    }
    x = !normal ? p : p <= 1e-7 ? ends : p >= 1.0 - 1e-7 ? -ends : synthdata::detail::normal_quantile(p);
  }
}

SYNTHDATA_INLINE void Quantile::invert(std::span<double> values) const {
  const double* const q = quantiles_.data<double>();
  const std::int64_t n = quantiles_.size();
  for (double& x : values) {
    double p = normal ? synthdata::detail::normal_cdf(x) : x;
    if (normal && p < 1.000004e-7) p = 0.0;  // the cut, through f32
    if (normal && p > 1.0 - 1.000004e-7) p = 1.0;
    const double place = std::clamp(p, 0.0, 1.0) * static_cast<double>(n - 1);
    const auto below = std::min(static_cast<std::int64_t>(place), n - 2);
    const double t = place - static_cast<double>(below);
    x = t == 0.0 ? q[below] : t == 1.0 ? q[below + 1] : q[below] + t * (q[below + 1] - q[below]);
  }
}

SYNTHDATA_INLINE Interval Quantile::range(Interval) const {
  const double end = -synthdata::detail::normal_quantile(1e-7);
  return normal ? Interval{-end, end} : Interval{0.0, 1.0};
}

SYNTHDATA_INLINE void Quantile::prepare() {
  bool good = quantiles_.defined() && quantiles_.dtype() == DType::f64 && quantiles_.rank() == 1 &&
              quantiles_.size() >= 2 && knots >= 2 && fit_rows >= 2;
  for (std::int64_t i = 0; good && i < quantiles_.size(); ++i) {
    const double* const q = quantiles_.data<double>();
    good = std::isfinite(q[i]) && (i == 0 || q[i] >= q[i - 1]);
  }
  synthdata::detail::check_loaded(good, name, "quantiles");
}

}  // namespace transform
}  // namespace synthdata
