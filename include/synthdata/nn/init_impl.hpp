// synthdata/nn/init_impl.hpp: bodies of nn/init.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/init.hpp>

#include <cmath>

namespace synthdata::init {

SYNTHDATA_INLINE Tensor zeros(const Shape& shape, std::int64_t, std::int64_t, Rng&) { return Tensor::zeros(shape); }
SYNTHDATA_INLINE Tensor ones(const Shape& shape, std::int64_t, std::int64_t, Rng&) { return Tensor::ones(shape); }

namespace detail {
inline double spread(double numerator, std::int64_t fans) {
  return std::sqrt(numerator / static_cast<double>(fans > 0 ? fans : 1));
}
}  // namespace detail

SYNTHDATA_INLINE Tensor fan_in_uniform(const Shape& shape, std::int64_t fan_in, std::int64_t, Rng& rng) {
  const double bound = detail::spread(1.0, fan_in);
  return uniform(shape, rng, DType::f32, -bound, bound);
}
SYNTHDATA_INLINE Tensor glorot_uniform(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng) {
  const double bound = detail::spread(6.0, fan_in + fan_out);
  return uniform(shape, rng, DType::f32, -bound, bound);
}
SYNTHDATA_INLINE Tensor glorot_normal(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng) {
  return normal(shape, rng, DType::f32, 0.0, detail::spread(2.0, fan_in + fan_out));
}
SYNTHDATA_INLINE Tensor he_normal(const Shape& shape, std::int64_t fan_in, std::int64_t, Rng& rng) {
  return normal(shape, rng, DType::f32, 0.0, detail::spread(2.0, fan_in));
}
SYNTHDATA_INLINE Tensor he_uniform(const Shape& shape, std::int64_t fan_in, std::int64_t, Rng& rng) {
  const double bound = detail::spread(6.0, fan_in);
  return uniform(shape, rng, DType::f32, -bound, bound);
}
SYNTHDATA_INLINE Tensor dcgan(const Shape& shape, std::int64_t, std::int64_t, Rng& rng) {
  return normal(shape, rng, DType::f32, 0.0, 0.02);
}

SYNTHDATA_INLINE Tensor orthogonal(const Shape& shape, std::int64_t, std::int64_t, Rng& rng) {
  if (shape.rank() < 1 || shape.size() == 0) return Tensor::zeros(shape);
  const std::int64_t rows = shape[0], columns = shape.size() / rows;
  // Gram-Schmidt, twice over each vector, on normal numbers: uniform over the orthonormal frames.
  const std::int64_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
  const Device device = current_device();
  const OnDevice host(Device::cpu());
  Tensor frame = normal({count, length}, rng, DType::f64);
  double* q = frame.data<double>();
  for (std::int64_t i = 0; i < count; ++i) {
    double* v = q + i * length;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t j = 0; j < i; ++j) {
        const double* u = q + j * length;
        double along = 0.0;
        for (std::int64_t k = 0; k < length; ++k) along += u[k] * v[k];
        for (std::int64_t k = 0; k < length; ++k) v[k] -= along * u[k];
      }
    }
    double squared = 0.0;
    for (std::int64_t k = 0; k < length; ++k) squared += v[k] * v[k];
    const double scale = 1.0 / std::sqrt(squared);
    for (std::int64_t k = 0; k < length; ++k) v[k] *= scale;
  }
  Tensor out = Tensor::empty(shape);
  float* w = out.data<float>();
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      w[r * columns + c] = static_cast<float>(rows < columns ? q[r * length + c] : q[c * length + r]);
    }
  }
  return out.to(device);
}

}  // namespace synthdata::init
