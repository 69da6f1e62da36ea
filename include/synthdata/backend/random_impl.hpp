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

template <class T, class Draw>
void draw_all(const RngState& state, std::uint64_t first, const Draw& draw, Tensor& out) {
  const std::int64_t n = out.size();
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

namespace detail {
/// A new tensor of random numbers: on the CPU by host.operator()<T>(state, first, out), else by
/// elsewhere(state, first, out); `first` is the counter of the first block of the draw, which is taken from rng.
template <class Host, class Elsewhere>
Tensor draw(const char* op, const Shape& shape, DType dtype, Rng& rng, const Host& host, const Elsewhere& elsewhere) {
  Tensor out = Tensor::empty(shape, dtype);
  visit_floating(dtype, op, [&]<class T>() {
    using backend::cpu::philox_group, backend::cpu::philox_lanes;
    const RngState state = rng.state();
    const std::uint64_t first =
        rng.reserve(static_cast<std::uint64_t>((out.size() + philox_group - 1) / philox_group) * philox_lanes);
    if (out.device().is_cpu()) {
      host.template operator()<T>(state, first, out);
    } else if (out.size() > 0) {
      elsewhere(state, first, out);
    }
  });
  return out;
}
}  // namespace detail

SYNTHDATA_INLINE Tensor uniform(const Shape& shape, Rng& rng, DType dtype, double low, double high) {
  if (!(low <= high)) throw NumericError(concat("uniform: expects low <= high, got ", low, " and ", high));
  return detail::draw(
      "uniform", shape, dtype, rng,
      [&]<class T>(const RngState& state, std::uint64_t first, Tensor& out) {
        const T top = std::nextafter(static_cast<T>(high), static_cast<T>(low));
        backend::cpu::draw_all<T>(
            state, first, backend::cpu::UniformDraw<T>{static_cast<T>(low), static_cast<T>(high - low), top}, out);
      },
      [&](const RngState& state, std::uint64_t first, Tensor& out) {
        backend::device_kernels().uniform(state, first, low, high, out);
      });
}

SYNTHDATA_INLINE Tensor normal(const Shape& shape, Rng& rng, DType dtype, double mean, double stddev) {
  return detail::draw(
      "normal", shape, dtype, rng,
      [&]<class T>(const RngState& state, std::uint64_t first, Tensor& out) {
        backend::cpu::draw_all<T>(state, first,
                                  backend::cpu::NormalDraw<T>{static_cast<T>(mean), static_cast<T>(stddev)}, out);
      },
      [&](const RngState& state, std::uint64_t first, Tensor& out) {
        backend::device_kernels().normal(state, first, mean, stddev, out);
      });
}

SYNTHDATA_INLINE Tensor bernoulli(const Shape& shape, double probability, Rng& rng, DType dtype) {
  return detail::draw(
      "bernoulli", shape, dtype, rng,
      [&]<class T>(const RngState& state, std::uint64_t first, Tensor& out) {
        backend::cpu::draw_all<T>(state, first, backend::cpu::BernoulliDraw<T>{static_cast<T>(probability)}, out);
      },
      [&](const RngState& state, std::uint64_t first, Tensor& out) {
        backend::device_kernels().bernoulli(state, first, probability, out);
      });
}

SYNTHDATA_INLINE Tensor random_integers(const Shape& shape, std::int64_t high, Rng& rng) {
  Tensor out = Tensor::empty(shape, DType::i64, Device::cpu());
  for (std::int64_t& value : out.span<std::int64_t>()) value = rng.below(high);
  return out.to(current_device());  // drawn one after the other: an unbiased draw may take several numbers
}

}  // namespace synthdata
