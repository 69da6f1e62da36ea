// synthdata/data/augment/series_impl.hpp: bodies of data/augment/series.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/series.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

/// @throws ShapeError, DTypeError unless [T] or [T, C] of f32 without a 0.
SYNTHDATA_INLINE void check_series(const char* op, const Tensor& x) {
  if ((x.rank() != 1 && x.rank() != 2) || x.size() == 0) throw_shape(op, "expects [T] or [T, C]", {{"x", x}});
  if (x.dtype() != DType::f32) throw DTypeError(concat(op, ": expects f32, got ", x.str()));
}

/// Channels of [T] or [T, C].
inline std::int64_t channels_of(const Tensor& x) { return x.rank() == 1 ? 1 : x.shape(1); }

/// Normal values at `knots` + 2 places.
inline std::vector<double> normal_knots(std::int64_t knots, double mean, double std, Rng& rng) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < knots + 2; ++i) values.push_back(mean + std * rng.normal());
  return values;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor series::at_times(const Tensor& x, const std::vector<double>& times) {
  detail::check_series("at_times", x);
  const std::int64_t channels = detail::channels_of(x), last = x.shape(0) - 1;
  Tensor out = Tensor::empty(x.shape().with(0, static_cast<std::int64_t>(times.size())), DType::f32, Device::cpu());
  const float* from = x.data<float>();
  float* to = out.data<float>();
  for (const double time : times) {
    const double t = std::clamp(time, 0.0, static_cast<double>(last));
    const std::int64_t before = static_cast<std::int64_t>(t), after = std::min(before + 1, last);
    const auto share = static_cast<float>(t - static_cast<double>(before));
    for (std::int64_t c = 0; c < channels; ++c) {
      *to++ = (1.0f - share) * from[before * channels + c] + share * from[after * channels + c];
    }
  }
  return out;
}

SYNTHDATA_INLINE std::vector<double> series::smooth_curve(const std::vector<double>& values, std::int64_t length) {
  if (values.size() < 2) throw NumericError(concat("smooth_curve: expects two values or more, got ", values.size()));
  const auto last = static_cast<std::int64_t>(values.size()) - 1;
  const auto value = [&](std::int64_t i) {  // beyond the ends the curve goes straight on
    if (i < 0) return 2 * values[0] - values[1];
    if (i > last) return 2 * values[values.size() - 1] - values[values.size() - 2];
    return values[static_cast<std::size_t>(i)];
  };
  std::vector<double> curve;
  for (std::int64_t i = 0; i < length; ++i) {
    const double at = length < 2 ? 0.0 : static_cast<double>(i * last) / static_cast<double>(length - 1);
    const std::int64_t k = std::min(static_cast<std::int64_t>(at), last - 1);
    const double t = at - static_cast<double>(k), a = value(k - 1), b = value(k), c = value(k + 1), d = value(k + 2);
    curve.push_back(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))));
  }
  return curve;
}

SYNTHDATA_INLINE Tensor random::Jitter::operator()(const Tensor& x, Rng& rng) const {
  detail::check_series("jitter", x);
  const std::int64_t channels = detail::channels_of(x), steps = x.shape(0);
  const double strength = draw(std, rng);
  Tensor out = x.clone();
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0.0, squares = 0.0;
    for (std::int64_t t = 0; t < steps; ++t) sum += double{x.data<float>()[t * channels + c]};
    const double mean = sum / static_cast<double>(steps);
    for (std::int64_t t = 0; t < steps; ++t) squares += std::pow(double{x.data<float>()[t * channels + c]} - mean, 2);
    const double scale = strength * std::sqrt(squares / static_cast<double>(steps));
    for (std::int64_t t = 0; t < steps; ++t) {
      out.data<float>()[t * channels + c] += static_cast<float>(scale * rng.normal());
    }
  }
  return out;
}

SYNTHDATA_INLINE Tensor random::SeriesScale::operator()(const Tensor& x, Rng& rng) const {
  detail::check_series("series_scale", x);
  const std::int64_t channels = detail::channels_of(x);
  Tensor out = x.clone();
  for (std::int64_t c = 0; c < channels; ++c) {
    const float scale = draw(factor, rng);
    for (std::int64_t i = c; i < out.size(); i += channels) out.data<float>()[i] *= scale;
  }
  return out;
}

SYNTHDATA_INLINE Tensor random::MagnitudeWarp::operator()(const Tensor& x, Rng& rng) const {
  detail::check_series("magnitude_warp", x);
  const std::int64_t channels = detail::channels_of(x);
  Tensor out = x.clone();
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto curve = series::smooth_curve(detail::normal_knots(knots, 1.0, double{std}, rng), x.shape(0));
    for (std::int64_t t = 0; t < x.shape(0); ++t) {
      out.data<float>()[t * channels + c] *= static_cast<float>(curve[static_cast<std::size_t>(t)]);
    }
  }
  return out;
}

SYNTHDATA_INLINE Tensor random::TimeWarp::operator()(const Tensor& x, Rng& rng) const {
  detail::check_series("time_warp", x);
  const auto curve = series::smooth_curve(detail::normal_knots(knots, 0.0, double{std}, rng), x.shape(0));
  std::vector<double> times = {0.0};
  for (std::size_t t = 1; t < curve.size(); ++t)
    times.push_back(times.back() + std::exp(0.5 * (curve[t - 1] + curve[t])));
  const double end = times.back() > 0.0 ? times.back() : 1.0;
  for (double& time : times) time *= static_cast<double>(x.shape(0) - 1) / end;
  return series::at_times(x, times);
}

SYNTHDATA_INLINE Tensor random::Window::operator()(const Tensor& x, Rng& rng) const {
  detail::check_series("window", x);
  const std::int64_t steps = x.shape(0);
  if (length > steps) throw_shape("window", concat("expects at least ", length, " steps"), {{"x", x}});
  if (length > 0) {
    const std::int64_t begin = rng.below(steps - length + 1);
    return x.rows(begin, begin + length).clone();
  }
  const double span = double{draw(share, rng)} * static_cast<double>(steps - 1);
  const double begin = double{rng.uniform()} * (static_cast<double>(steps - 1) - span);
  std::vector<double> times;
  for (std::int64_t t = 0; t < steps; ++t) {
    times.push_back(begin + (steps > 1 ? span * static_cast<double>(t) / static_cast<double>(steps - 1) : 0.0));
  }
  return series::at_times(x, times);
}

}  // namespace synthdata
