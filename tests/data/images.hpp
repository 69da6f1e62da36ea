// tests/data/images.hpp: random images and what tests of augmentations compare them with.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

#include <cmath>
#include <vector>

namespace test {

using synthdata::DType, synthdata::Rng, synthdata::Shape, synthdata::Tensor;

/// Bytes, or floats in [-1, 1].
inline Tensor random_image(const Shape& shape, std::uint64_t seed, DType dtype = DType::f32) {
  Rng rng{seed};
  Tensor image = Tensor::empty(shape, dtype);
  if (dtype == DType::u8) {
    for (std::uint8_t& value : image.span<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  } else {
    for (float& value : image.span<float>()) value = rng.uniform(-1.0f, 1.0f);
  }
  return image;
}

/// Value c of pixel (x, y) as a double.
inline double at(const Tensor& image, std::int64_t y, std::int64_t x, std::int64_t c) {
  const std::int64_t i = (y * image.shape(1) + x) * image.shape(2) + c;
  return image.dtype() == DType::u8 ? double{image.data<std::uint8_t>()[i] * 1.0} : double{image.data<float>()[i]};
}

/// The largest difference of two tensors of one shape; infinity for two shapes or dtypes.
inline double largest_difference(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return INFINITY;
  double largest = 0.0;
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double difference = std::abs(x.data<double>()[i] - y.data<double>()[i]);
    if (!(difference <= largest)) largest = difference;  // NaN shows
  }
  return largest;
}

/// Runs f() with each instruction set and with one and two threads, and returns the largest difference from the first.
template <class F>
double spread_over_machines(const F& f) {
  namespace cpu = synthdata::backend::cpu;
  double largest = 0.0;
  Tensor first;
  for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    cpu::force_isa(isa);
    synthdata::set_threads(1);
    const Tensor alone = f();
    synthdata::set_threads(2);
    if (!synthdata::same_bits(alone, f())) largest = INFINITY;
    if (!first.defined()) first = alone;
    largest = std::max(largest, largest_difference(first, alone));
  }
  cpu::force_isa(cpu::detect_isa());
  synthdata::set_threads(0);
  return largest;
}

}  // namespace test
