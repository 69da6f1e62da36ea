// synthdata/backend/cpu/block.hpp: what kernels with sums or several results are written with.
//
// A kernel is a struct whose operator() is marked SYNTHDATA_HD; run() compiles it for each instruction set. Its loops
// go over blocks of 64 elements: g++ -O2 vectorises a loop only if its length is a constant multiple of a register.
// Sums keep 64 lanes that are folded at the end, so their order depends on the length only.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/epilogue.hpp>
#include <synthdata/backend/elementwise.hpp>
#include <synthdata/functor/activation.hpp>

#if defined(__GNUC__)
#define SYNTHDATA_INLINE_LAMBDA __attribute__((always_inline))
#else
#define SYNTHDATA_INLINE_LAMBDA
#endif

namespace synthdata::backend::cpu {

template <class Kernel, class... Args>
void run_baseline(const Kernel& kernel, Args... args) {
  kernel(args...);
}
template <class Kernel, class... Args>
SYNTHDATA_TARGET_AVX2 void run_avx2(const Kernel& kernel, Args... args) {
  kernel(args...);
}
template <class Kernel, class... Args>
SYNTHDATA_TARGET_AVX512 void run_avx512(const Kernel& kernel, Args... args) {
  kernel(args...);
}
/// Calls kernel(args...), compiled for the instruction set in use when T is float (f64 serves checks).
template <class T, class Kernel, class... Args>
void run(const Kernel& kernel, Args... args) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (isa() == Isa::avx512) return run_avx512(kernel, args...);
    if (isa() == Isa::avx2) return run_avx2(kernel, args...);
  }
  run_baseline(kernel, args...);
}

/// f(0) ... f(count - 1), count <= 64, in vector registers as far as whole blocks of 64 or 16 go.
template <class F>
SYNTHDATA_HD void for_block(std::int64_t count, const F& f) {
  if (count == block_size) {
    SYNTHDATA_IVDEP
    for (int j = 0; j < static_cast<int>(block_size); ++j) f(j);
    return;
  }
  int j = 0;
  for (; j + 16 <= static_cast<int>(count); j += 16) {
    SYNTHDATA_IVDEP
    for (int i = 0; i < 16; ++i) f(j + i);
  }
  for (; j < static_cast<int>(count); ++j) f(j);
}

/// f(first, count) for the blocks of [0, n).
template <class F>
SYNTHDATA_HD void for_blocks(std::int64_t n, const F& f) {
  for (std::int64_t b = 0; b < n; b += block_size) f(b, n - b < block_size ? n - b : block_size);
}

/// op over W lanes, a power of two; overwrites them.
template <int W, class T, class Op>
SYNTHDATA_HD T fold(T* lanes, const Op& op) {
  if constexpr (W == 1) {
    return lanes[0];
  } else {
    SYNTHDATA_IVDEP
    for (int j = 0; j < W / 2; ++j) lanes[j] = op(lanes[j], lanes[j + W / 2]);
    return fold<W / 2>(lanes, op);
  }
}

/// An activation with its parameter in the kernel's type.
template <class T>
struct BlockActivation {
  Act kind = Act::none;
  T slope = T(0);  // of leaky_relu

  /// y = act(y)
  SYNTHDATA_HD void apply(std::int64_t count, T* y) const {
    switch (kind) {
      case Act::none:
        return;
      case Act::relu:
        return values(Relu{}, count, y);
      case Act::leaky_relu:
        return values(LeakyRelu{static_cast<double>(slope)}, count, y);
      case Act::tanh:
        return values(Tanh{}, count, y);
      case Act::sigmoid:
        return values(Sigmoid{}, count, y);
    }
  }
  /// out = g act', read off the output y.
  SYNTHDATA_HD void gradient(std::int64_t count, const T* g, const T* y, T* out) const {
    switch (kind) {
      case Act::none:
        return for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { out[j] = g[j]; });
      case Act::relu:
        return slopes(Relu{}, count, g, y, out);
      case Act::leaky_relu:
        return slopes(LeakyRelu{static_cast<double>(slope)}, count, g, y, out);
      case Act::tanh:
        return slopes(Tanh{}, count, g, y, out);
      case Act::sigmoid:
        return slopes(Sigmoid{}, count, g, y, out);
    }
  }
  /// True if the slope can be read off the argument as well as off the output: both have the same sign.
  SYNTHDATA_HD bool slope_is_of_sign() const {
    return kind == Act::none || kind == Act::relu || kind == Act::leaky_relu;
  }

 private:
  template <class F>
  SYNTHDATA_HD static void values(const F& f, std::int64_t count, T* y) {
    for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { y[j] = f.value(y[j]); });
  }
  template <class F>
  SYNTHDATA_HD static void slopes(const F& f, std::int64_t count, const T* g, const T* y, T* out) {
    for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { out[j] = g[j] * f.slope(y[j], y[j]); });
  }
};

}  // namespace synthdata::backend::cpu
