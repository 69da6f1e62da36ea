// synthdata/data/toy_impl.hpp: bodies of data/toy.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/toy.hpp>

#include <cmath>
#include <limits>

namespace synthdata::toy {
namespace detail {

inline constexpr double pi = 3.141592653589793;

SYNTHDATA_INLINE void check_noise(const char* what, double noise_std) {
  if (!(noise_std >= 0.0) || !std::isfinite(noise_std)) {
    throw NumericError(concat(what, ": expects a finite noise_std >= 0, got ", noise_std));
  }
}

/// @throws ShapeError or DTypeError unless centres are [K, D] f32 with K, D > 0.
SYNTHDATA_INLINE void check_centres(const char* what, const Tensor& centres) {
  if (!centres.defined() || centres.rank() != 2 || centres.size() == 0) {
    throw ShapeError(concat(what, ": expects centres [modes, dimensions], got ", centres.str()));
  }
  if (centres.dtype() != DType::f32) throw DTypeError(concat(what, ": expects f32 centres, got ", centres.str()));
}

SYNTHDATA_INLINE Batch draw_mixture(const Tensor& centres, double noise_std, std::int64_t count, Rng& rng) {
  const std::int64_t modes = centres.shape(0), dimensions = centres.shape(1);
  Batch batch{Tensor::empty({count, dimensions}, DType::f32, Device::cpu()),
              Tensor::empty({count}, DType::i64, Device::cpu())};
  float* x = batch.data.data<float>();
  std::int64_t* label = batch.labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    label[i] = rng.below(modes);
    const float* centre = centres.data<float>() + label[i] * dimensions;
    for (std::int64_t d = 0; d < dimensions; ++d) *x++ = static_cast<float>(centre[d] + noise_std * rng.normal());
  }
  return batch;
}

SYNTHDATA_INLINE TensorDataset mixture_points(const Tensor& centres, double noise_std, std::int64_t points,
                                              std::uint64_t seed) {
  check_centres("GaussianMixture", centres);
  check_noise("GaussianMixture", noise_std);
  Rng rng(seed);
  Batch drawn = draw_mixture(centres, noise_std, points, rng);
  return TensorDataset(std::move(drawn.data), std::move(drawn.labels));
}

}  // namespace detail

SYNTHDATA_INLINE GaussianMixture::GaussianMixture(Tensor centres, float noise_std, std::int64_t points,
                                                  std::uint64_t seed)
    : centres_(std::move(centres)),
      noise_std_(noise_std),
      points_(detail::mixture_points(centres_, noise_std, points, seed)) {}

SYNTHDATA_INLINE Batch GaussianMixture::generate_labelled(std::int64_t count, Rng& rng) const {
  return detail::draw_mixture(centres_, noise_std_, count, rng);
}

SYNTHDATA_INLINE GaussianMixture ring(const RingOptions& options) {
  if (options.modes < 1) throw NumericError(concat("ring: expects modes >= 1, got ", options.modes));
  Tensor centres = Tensor::empty({options.modes, 2}, DType::f32, Device::cpu());
  for (int i = 0; i < options.modes; ++i) {
    const double angle = 2.0 * detail::pi * i / options.modes;
    centres.data<float>()[2 * i] = static_cast<float>(options.radius * std::cos(angle));
    centres.data<float>()[2 * i + 1] = static_cast<float>(options.radius * std::sin(angle));
  }
  return {std::move(centres), options.noise_std, options.points, options.seed};
}

SYNTHDATA_INLINE GaussianMixture grid(const GridOptions& options) {
  if (options.side < 1) throw NumericError(concat("grid: expects side >= 1, got ", options.side));
  if (!(options.jitter >= 0.0f) || !std::isfinite(options.jitter)) {
    throw NumericError(concat("grid: expects a finite jitter >= 0, got ", options.jitter));
  }
  Tensor centres = Tensor::empty({std::int64_t{options.side} * options.side, 2}, DType::f32, Device::cpu());
  float* xy = centres.data<float>();
  const float middle = static_cast<float>(options.side - 1) / 2.0f;
  for (int i = 0; i < options.side; ++i) {
    for (int j = 0; j < options.side; ++j) {
      *xy++ = (static_cast<float>(i) - middle) * options.spacing;
      *xy++ = (static_cast<float>(j) - middle) * options.spacing;
    }
  }
  if (options.jitter > 0.0f) {
    Rng rng = Rng(options.seed).split(1);  // points are drawn from the seed itself
    for (float& coordinate : centres.span<float>()) coordinate += rng.uniform(-options.jitter, options.jitter);
  }
  return {std::move(centres), options.noise_std, options.points, options.seed};
}

SYNTHDATA_INLINE SwissRoll::SwissRoll(const SwissRollOptions& options)
    : options_(options), points_(Tensor::empty({0, 2}, DType::f32, Device::cpu())) {
  detail::check_noise("swiss_roll", options.noise_std);
  if (!(options.turns > 0.0f) || !(options.radius > 0.0f)) {
    throw NumericError(
        concat("swiss_roll: expects turns > 0 and radius > 0, got ", options.turns, " and ", options.radius));
  }
  Rng rng(options.seed);
  points_ = TensorDataset(generate(options.points, rng));
}

/// Writes the point of the spiral at t = t_min + u (t_max - t_min).
SYNTHDATA_INLINE void SwissRoll::place(double u, float* xy) const {
  const double first = 1.5 * detail::pi, last = first + 2.0 * detail::pi * options_.turns;
  const double t = first + u * (last - first), r = options_.radius * t / last;
  xy[0] = static_cast<float>(r * std::cos(t));
  xy[1] = static_cast<float>(r * std::sin(t));
}

SYNTHDATA_INLINE Tensor SwissRoll::generate(std::int64_t count, Rng& rng) const {
  Tensor points = Tensor::empty({count, 2}, DType::f32, Device::cpu());
  float* xy = points.data<float>();
  for (std::int64_t i = 0; i < count; ++i, xy += 2) {
    place(rng.uniform(), xy);
    for (int d = 0; d < 2; ++d) xy[d] = static_cast<float>(xy[d] + options_.noise_std * rng.normal());
  }
  return points;
}

SYNTHDATA_INLINE Tensor SwissRoll::curve(std::int64_t count) const {
  Tensor points = Tensor::empty({count, 2}, DType::f32, Device::cpu());
  const double steps = count > 1 ? static_cast<double>(count - 1) : 1.0;
  for (std::int64_t i = 0; i < count; ++i) place(static_cast<double>(i) / steps, points.data<float>() + 2 * i);
  return points;
}

SYNTHDATA_INLINE ModeReport mode_report(const Tensor& samples, const Tensor& centres, double noise_std) {
  detail::check_centres("mode_report", centres);
  detail::check_noise("mode_report", noise_std);
  if (!samples.defined() || samples.rank() != 2 || samples.shape(0) == 0 || samples.shape(1) != centres.shape(1)) {
    throw_shape("mode_report", "expects samples [N, D] with N > 0 and centres [K, D]",
                {{"samples", samples}, {"centres", centres}});
  }
  if (samples.dtype() != DType::f32) throw DTypeError(concat("mode_report: expects f32 samples, got ", samples.str()));

  const std::int64_t count = samples.shape(0), modes = centres.shape(0), dimensions = centres.shape(1);
  const double reach = 9.0 * noise_std * noise_std;  // (3 sigma)²
  std::vector<std::int64_t> nearest_count(static_cast<std::size_t>(modes)), good_count(nearest_count);
  std::int64_t placed = 0, good = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float* x = samples.data<float>() + i * dimensions;
    double least = std::numeric_limits<double>::infinity();
    std::size_t nearest = 0;
    for (std::int64_t k = 0; k < modes; ++k) {
      const float* centre = centres.data<float>() + k * dimensions;
      double squared = 0.0;
      for (std::int64_t d = 0; d < dimensions; ++d) {
        const double difference = static_cast<double>(x[d]) - centre[d];
        squared += difference * difference;
      }
      if (squared < least) {  // never true for a sample that is not finite
        least = squared;
        nearest = static_cast<std::size_t>(k);
      }
    }
    if (!std::isfinite(least)) continue;
    ++placed;
    ++nearest_count[nearest];
    if (least <= reach) {
      ++good_count[nearest];
      ++good;
    }
  }

  ModeReport report;
  report.modes = static_cast<int>(modes);
  for (const std::int64_t n : good_count) report.covered += n > 0;
  report.high_quality_share = static_cast<double>(good) / static_cast<double>(count);
  if (placed == 0) report.reverse_kl = std::numeric_limits<double>::infinity();
  for (const std::int64_t n : nearest_count) {
    if (n == 0) continue;  // p log p -> 0
    const double share = static_cast<double>(n) / static_cast<double>(placed);
    report.reverse_kl += share * std::log(share * static_cast<double>(modes));
  }
  if (report.reverse_kl < 0.0) report.reverse_kl = 0.0;  // rounding of an even spread
  return report;
}

}  // namespace synthdata::toy
