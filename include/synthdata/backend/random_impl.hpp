// synthdata/backend/random_impl.hpp: bodies of backend/random.hpp: what is made of the 64 words of a Philox group.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/philox.hpp>
#include <synthdata/backend/random.hpp>
#include <synthdata/functor/math.hpp>

#include <cmath>

namespace synthdata {
namespace backend::cpu {

/// low + range * u, u in [0, 1) with 24 bits; at most `top`, the number before `high`, which rounding could reach.
template <class T>
struct UniformDraw {
  T low, range, top;
  SYNTHDATA_HD void operator()(const std::uint32_t* words, T* out) const {
    for (int j = 0; j < philox_group; ++j) {
      const auto u = static_cast<T>(static_cast<std::int32_t>(words[j] >> 8)) * T(0x1p-24);
      const T value = low + range * u;
      out[j] = value < top ? value : top;
    }
  }
};

/// Box-Muller on word pairs (w, w + 2): two normals each.
template <class T>
struct NormalDraw {
  T mean, stddev;
  SYNTHDATA_HD void operator()(const std::uint32_t* words, T* out) const {
    for (int j = 0; j < philox_group / 2; ++j) {
      const T u = static_cast<T>(static_cast<std::int32_t>(words[j] >> 8) + 1) * T(0x1p-24);  // (0, 1]
      const T v = static_cast<T>(static_cast<std::int32_t>(words[j + 32] >> 8)) * T(0x1p-24);
      const T r = stddev * math::sqrt(T(-2) * math::log(u));
      out[j] = mean + r * math::cos_turn(v);
      out[j + 32] = mean + r * math::sin_turn(v);
    }
  }
};

template <class T>
struct BernoulliDraw {
  T probability;
  SYNTHDATA_HD void operator()(const std::uint32_t* words, T* out) const {
    for (int j = 0; j < philox_group; ++j) {
      const auto u = static_cast<T>(static_cast<std::int32_t>(words[j] >> 8)) * T(0x1p-24);
      out[j] = math::select(u < probability, T(1), T(0));
    }
  }
};

/// Elements [begin, end) of a draw; begin is a multiple of 64.
template <class T, class Draw>
SYNTHDATA_HD void draw_run(const RngState& rng, std::uint64_t first, const Draw& draw, T* out, std::int64_t begin,
                           std::int64_t end) {
  alignas(64) std::uint32_t words[philox_group];
  alignas(64) T values[philox_group];
  for (std::int64_t i = begin; i < end; i += philox_group) {
    philox_words(rng.seed, rng.stream, first + static_cast<std::uint64_t>(i / philox_group) * philox_lanes, words);
    draw(words, values);
    const std::int64_t count = end - i < philox_group ? end - i : philox_group;
    for (std::int64_t j = 0; j < count; ++j) out[i + j] = values[j];
  }
}
template <class T, class Draw>
void draw_baseline(const RngState& rng, std::uint64_t first, const Draw& draw, T* out, std::int64_t b, std::int64_t e) {
  draw_run(rng, first, draw, out, b, e);
}
template <class T, class Draw>
SYNTHDATA_TARGET_AVX2 void draw_avx2(const RngState& rng, std::uint64_t first, const Draw& draw, T* out, std::int64_t b,
                                     std::int64_t e) {
  draw_run(rng, first, draw, out, b, e);
}
template <class T, class Draw>
SYNTHDATA_TARGET_AVX512 void draw_avx512(const RngState& rng, std::uint64_t first, const Draw& draw, T* out,
                                         std::int64_t b, std::int64_t e) {
  draw_run(rng, first, draw, out, b, e);
}

/// The counter of the first block of a draw of n elements, taken from rng.
inline std::uint64_t reserve_draw(Rng& rng, std::int64_t n) {
  return rng.reserve(static_cast<std::uint64_t>((n + philox_group - 1) / philox_group) * philox_lanes);
}

template <class T, class Draw>
void draw_all(Rng& rng, const Draw& draw, Tensor& out) {
  const std::int64_t n = out.size();
  const RngState state = rng.state();
  const std::uint64_t first = reserve_draw(rng, n);
  T* p = out.data<T>();
  parallel_for(n, elementwise_chunk, [&](std::int64_t begin, std::int64_t end) {
    if constexpr (sizeof(T) == sizeof(float)) {
      if (isa() == Isa::avx512) return draw_avx512(state, first, draw, p, begin, end);
      if (isa() == Isa::avx2) return draw_avx2(state, first, draw, p, begin, end);
    }
    draw_baseline(state, first, draw, p, begin, end);
  });
}

}  // namespace backend::cpu

SYNTHDATA_INLINE Tensor uniform(const Shape& shape, Rng& rng, DType dtype, double low, double high) {
  if (!(low <= high)) throw NumericError(concat("uniform: expects low <= high, got ", low, " and ", high));
  Tensor out = Tensor::empty(shape, dtype);
  if (!out.device().is_cpu()) {
    const RngState state = rng.state();
    const std::uint64_t first = backend::cpu::reserve_draw(rng, out.size());
    if (!is_floating(dtype)) detail::throw_not_floating("uniform", dtype);
    if (out.size() > 0) backend::device_kernels().uniform(state, first, low, high, out);
    return out;
  }
  visit_floating(dtype, "uniform", [&]<class T>() {
    const T top = std::nextafter(static_cast<T>(high), static_cast<T>(low));
    backend::cpu::draw_all<T>(rng, backend::cpu::UniformDraw<T>{static_cast<T>(low), static_cast<T>(high - low), top},
                              out);
  });
  return out;
}

SYNTHDATA_INLINE Tensor normal(const Shape& shape, Rng& rng, DType dtype, double mean, double stddev) {
  Tensor out = Tensor::empty(shape, dtype);
  if (!out.device().is_cpu()) {
    const RngState state = rng.state();
    const std::uint64_t first = backend::cpu::reserve_draw(rng, out.size());
    if (!is_floating(dtype)) detail::throw_not_floating("normal", dtype);
    if (out.size() > 0) backend::device_kernels().normal(state, first, mean, stddev, out);
    return out;
  }
  visit_floating(dtype, "normal", [&]<class T>() {
    backend::cpu::draw_all<T>(rng, backend::cpu::NormalDraw<T>{static_cast<T>(mean), static_cast<T>(stddev)}, out);
  });
  return out;
}

SYNTHDATA_INLINE Tensor bernoulli(const Shape& shape, double probability, Rng& rng, DType dtype) {
  Tensor out = Tensor::empty(shape, dtype);
  if (!out.device().is_cpu()) {
    const RngState state = rng.state();
    const std::uint64_t first = backend::cpu::reserve_draw(rng, out.size());
    if (!is_floating(dtype)) detail::throw_not_floating("bernoulli", dtype);
    if (out.size() > 0) backend::device_kernels().bernoulli(state, first, probability, out);
    return out;
  }
  visit_floating(dtype, "bernoulli", [&]<class T>() {
    backend::cpu::draw_all<T>(rng, backend::cpu::BernoulliDraw<T>{static_cast<T>(probability)}, out);
  });
  return out;
}

SYNTHDATA_INLINE Tensor random_integers(const Shape& shape, std::int64_t high, Rng& rng) {
  Tensor out = Tensor::empty(shape, DType::i64, Device::cpu());
  for (std::int64_t& value : out.span<std::int64_t>()) value = rng.below(high);
  return out.to(current_device());  // drawn one after the other: an unbiased draw may take several numbers
}

}  // namespace synthdata
