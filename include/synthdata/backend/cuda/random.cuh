// synthdata/backend/cuda/random.cuh: the CPU's random numbers, and dropout.
//
// A group of 64 words belongs to 16 counters: word w of counter 16 group + lane is element 64 group + 16 w + lane
// (backend/cpu/philox.hpp). A thread has one counter, and with it four elements, or eight of a dropout mask.
//
// A captured training step must draw new numbers at every replay, so counters are moved by `*shift`, which the host
// sets between replays; it is null outside of captured steps.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/norm.cuh>
#include <synthdata/backend/dropout.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/functor/math.hpp>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

inline constexpr std::int64_t philox_lanes = 16, philox_words = 4;

/// Which counters a draw takes.
struct Counters {
  std::uint64_t seed, stream, first;
  const unsigned long long* shift;

  struct Words {
    std::uint32_t word[philox_words];
  };
  __device__ Words operator[](std::int64_t i) const {
    const std::uint64_t counter = first + static_cast<std::uint64_t>(i) + (shift ? *shift : 0);
    auto c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32);
    auto c2 = static_cast<std::uint32_t>(stream), c3 = static_cast<std::uint32_t>(stream >> 32);
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<std::uint32_t>(p1);
      c3 = static_cast<std::uint32_t>(p0);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
  }
};

template <class T>
__device__ T unit(std::uint32_t word) {  // [0, 1), 24 bits
  return static_cast<T>(static_cast<std::int32_t>(word >> 8)) * T(0x1p-24);
}

/// low + range u, at most `top`, the number before `high`, which rounding could reach.
template <class T>
struct UniformOf {
  T low, range, top;
  __device__ void operator()(const Counters::Words& w, T* out) const {
    for (int k = 0; k < 4; ++k) {
      const T value = low + range * unit<T>(w.word[k]);
      out[k] = value < top ? value : top;
    }
  }
};
/// Box-Muller on the word pairs (0, 2) and (1, 3).
template <class T>
struct NormalOf {
  T mean, stddev;
  __device__ void operator()(const Counters::Words& w, T* out) const {
    for (int k = 0; k < 2; ++k) {
      const T u = static_cast<T>(static_cast<std::int32_t>(w.word[k] >> 8) + 1) * T(0x1p-24);  // (0, 1]
      const T v = unit<T>(w.word[k + 2]), r = stddev * math::sqrt(T(-2) * math::log(u));
      out[k] = mean + r * math::cos_turn(v);
      out[k + 2] = mean + r * math::sin_turn(v);
    }
  }
};
template <class T>
struct BernoulliOf {
  T probability;
  __device__ void operator()(const Counters::Words& w, T* out) const {
    for (int k = 0; k < 4; ++k) out[k] = unit<T>(w.word[k]) < probability ? T(1) : T(0);
  }
};

template <class T, class Draw>
__global__ void __launch_bounds__(block_threads) draw_kernel(Draw draw, Counters counters, T* out, std::int64_t size) {
  const std::int64_t threads = (size + 63) / 64 * philox_lanes;
  for (std::int64_t i = first_item(); i < threads; i += item_step()) {
    T value[philox_words];
    draw(counters[i], value);
    const std::int64_t base = i / philox_lanes * 64 + i % philox_lanes;
    for (int k = 0; k < 4; ++k) {
      if (base + k * philox_lanes < size) out[base + k * philox_lanes] = value[k];
    }
  }
}

/// Elements of a dropout mask: 16 bits each, the low halves of a group's words first.
template <class T>
struct DropoutOf {
  DeviceActivation<T> act;
  T keep, scale;
  std::int32_t threshold;

  __device__ T value(std::uint32_t bits, T x) const {
    return static_cast<std::int32_t>(bits) < threshold ? act.value(x) * scale : T(0);
  }
  /// The slope of the activation is read off y keep, its output but for a rounding.
  __device__ T gradient(std::uint32_t bits, T g, T y) const {
    return act.gradient(static_cast<std::int32_t>(bits) < threshold ? g * scale : T(0), y * keep);
  }
};

template <class T>
__global__ void __launch_bounds__(block_threads)
    dropout_kernel(DropoutOf<T> f, Counters counters, const T* x, const T* y, T* out, std::int64_t size) {
  const std::int64_t threads = (size + 127) / 128 * philox_lanes;
  for (std::int64_t i = first_item(); i < threads; i += item_step()) {
    const Counters::Words w = counters[i];
    const std::int64_t base = i / philox_lanes * 128 + i % philox_lanes;
    for (int half = 0; half < 2; ++half) {
      for (int k = 0; k < 4; ++k) {
        const std::int64_t at = base + half * 64 + k * philox_lanes;
        const std::uint32_t bits = w.word[k] >> (16 * half) & 0xFFFFu;
        if (at < size) out[at] = y ? f.gradient(bits, x[at], y[at]) : f.value(bits, x[at]);
      }
    }
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS
}  // namespace synthdata::cuda
