// cuda_emulator/emulator/device_functions.hpp: what kernels call.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <math.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstdio>
#include <type_traits>

#include "block.hpp"

inline constexpr const uint3& threadIdx = cuda_emulator::thread_index;
inline constexpr const uint3& blockIdx = cuda_emulator::block_index;
inline constexpr const dim3& blockDim = cuda_emulator::block_dim;
inline constexpr const dim3& gridDim = cuda_emulator::grid_dim;
inline constexpr int warpSize = 32;

// The place of a barrier in the source comes from default arguments.
#define CUDA_EMULATOR_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(CUDA_EMULATOR_HERE) { cuda_emulator::Block::instance().barrier(file, line); }
inline int __syncthreads_count(int predicate, CUDA_EMULATOR_HERE) {
  auto& block = cuda_emulator::Block::instance();
  block.barrier(file, line, predicate != 0);
  return static_cast<int>(block.barrier_sum());
}
inline int __syncthreads_or(int predicate, CUDA_EMULATOR_HERE) {
  return __syncthreads_count(predicate, file, line) != 0;
}
inline int __syncthreads_and(int predicate, CUDA_EMULATOR_HERE) {
  return __syncthreads_count(predicate == 0, file, line) == 0;
}

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, CUDA_EMULATOR_HERE) {
  cuda_emulator::Block::instance().meet_warp(cuda_emulator::Wait::warp_barrier, mask, 0, 0, file, line);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, CUDA_EMULATOR_HERE) {
  return static_cast<unsigned>(
      cuda_emulator::Block::instance().meet_warp(cuda_emulator::Wait::ballot, mask, predicate != 0, 0, file, line));
}
inline int __any_sync(unsigned mask, int predicate, CUDA_EMULATOR_HERE) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, CUDA_EMULATOR_HERE) {
  return __ballot_sync(mask, predicate, file, line) == mask;
}

namespace cuda_emulator {

template <class T, class... List>
concept OneOf = (std::same_as<T, List> || ...);

template <class T>
concept Shuffled = OneOf<T, int, unsigned, long, unsigned long, long long, unsigned long long, float, double>;

/// The value of the lane `source`, which stays within the caller's group of `width` lanes or is the caller.
template <Shuffled T>
T shuffle(unsigned mask, T value, unsigned source, const char* file, int line) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = Block::instance().meet_warp(Wait::shuffle, mask, bits, source, file, line);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline unsigned group_start(int width, const char* file, int line) {
  if (width < 1 || width > 32 || (width & (width - 1)) != 0) fail("a shuffle at %s:%d has width %d", file, line, width);
  return Block::instance().lane() & ~(static_cast<unsigned>(width) - 1);
}

}  // namespace cuda_emulator

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, CUDA_EMULATOR_HERE) {
  const unsigned start = cuda_emulator::group_start(width, file, line);
  return cuda_emulator::shuffle(mask, value, start + (static_cast<unsigned>(source) & static_cast<unsigned>(width - 1)),
                                file, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int flipped, int width = 32, CUDA_EMULATOR_HERE) {
  const unsigned end = cuda_emulator::group_start(width, file, line) + static_cast<unsigned>(width);
  const unsigned lane = cuda_emulator::Block::instance().lane(), source = lane ^ static_cast<unsigned>(flipped);
  return cuda_emulator::shuffle(mask, value, source < end ? source : lane, file, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, CUDA_EMULATOR_HERE) {
  const unsigned end = cuda_emulator::group_start(width, file, line) + static_cast<unsigned>(width);
  const unsigned lane = cuda_emulator::Block::instance().lane(), source = lane + distance;
  return cuda_emulator::shuffle(mask, value, source < end ? source : lane, file, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, CUDA_EMULATOR_HERE) {
  const unsigned start = cuda_emulator::group_start(width, file, line);
  const unsigned lane = cuda_emulator::Block::instance().lane();
  return cuda_emulator::shuffle(mask, value, lane >= start + distance ? lane - distance : lane, file, line);
}
#undef CUDA_EMULATOR_HERE

// Atomics: threads take turns, so plain code is atomic. The concepts are CUDA's lists of types.
namespace cuda_emulator {
template <class T, class F>
T update(T* at, F&& f) {
  const T before = *at;
  *at = static_cast<T>(f(before));
  return before;
}
template <class T>
concept Ordered = OneOf<T, int, unsigned, long long, unsigned long long>;
}  // namespace cuda_emulator

template <cuda_emulator::OneOf<int, unsigned, unsigned long long, float, double> T>
T atomicAdd(T* at, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T x) {
    if constexpr (std::same_as<T, int>) return static_cast<unsigned>(x) + static_cast<unsigned>(value);  // wraps
    if constexpr (!std::same_as<T, int>) return x + value;
  });
}
template <cuda_emulator::Ordered T>
T atomicMax(T* at, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T x) { return std::max(x, value); });
}
template <cuda_emulator::Ordered T>
T atomicMin(T* at, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T x) { return std::min(x, value); });
}
template <cuda_emulator::OneOf<int, unsigned, unsigned long long> T>
T atomicOr(T* at, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T x) { return x | value; });
}
template <cuda_emulator::OneOf<int, unsigned, unsigned long long> T>
T atomicAnd(T* at, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T x) { return x & value; });
}
template <cuda_emulator::OneOf<int, unsigned, unsigned long long, float> T>
T atomicExch(T* at, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T) { return value; });
}
template <cuda_emulator::OneOf<int, unsigned, unsigned short, unsigned long long> T>
T atomicCAS(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return cuda_emulator::update(at, [=](T x) { return x == expected ? value : x; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void cudaGridDependencySynchronize() {}
inline void cudaTriggerProgrammaticLaunchCompletion() {}

[[noreturn]] inline void __trap() { cuda_emulator::fail("__trap()"); }

// Loads and stores with a cache hint.
template <class T>
T __ldg(const T* at) {
  return *at;
}
template <class T>
T __ldca(const T* at) {
  return *at;
}
template <class T>
T __ldcg(const T* at) {
  return *at;
}
template <class T>
T __ldcs(const T* at) {
  return *at;
}
template <class T>
void __stcg(T* at, std::type_identity_t<T> value) {
  *at = value;
}
template <class T>
void __stcs(T* at, std::type_identity_t<T> value) {
  *at = value;
}
template <class T>
void __stwt(T* at, std::type_identity_t<T> value) {
  *at = value;
}

// Bits.
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __ffsll(long long x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(x)) + 1; }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int i = 0; i < 32; ++i) y |= (x >> i & 1u) << (31 - i);
  return y;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<long long>(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using wide = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<wide>(a) * b >> 64);
}

// Arithmetic that CUDA has and C has not. The fast ones are exact here: no test may count on their error.
#if !__GLIBC_PREREQ(2, 42)
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
#endif
#if !__GLIBC_PREREQ(2, 41)
inline float sinpif(float x) { return static_cast<float>(sin(M_PI * fmod(static_cast<double>(x), 2.0))); }
inline float cospif(float x) { return static_cast<float>(cos(M_PI * fmod(static_cast<double>(x), 2.0))); }
#endif
inline void sincospif(float x, float* s, float* c) { *s = sinpif(x), *c = cospif(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return powf(10.0f, x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline void __sincosf(float x, float* s, float* c) { *s = sinf(x), *c = cosf(x); }
inline float __saturatef(float x) { return x > 0.0f ? fminf(x, 1.0f) : 0.0f; }  // NaN becomes 0
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __frsqrt_rn(float x) { return static_cast<float>(1.0 / sqrt(static_cast<double>(x))); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline int __float2int_rn(float x) { return static_cast<int>(nearbyintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }

// min and max of the global namespace; those of floats follow fmin and fmax, which pass over NaN.
#define CUDA_EMULATOR_MIN_MAX(T)                      \
  constexpr T min(T a, T b) { return b < a ? b : a; } \
  constexpr T max(T a, T b) { return a < b ? b : a; }
CUDA_EMULATOR_MIN_MAX(int)
CUDA_EMULATOR_MIN_MAX(unsigned)
CUDA_EMULATOR_MIN_MAX(long)
CUDA_EMULATOR_MIN_MAX(unsigned long)
CUDA_EMULATOR_MIN_MAX(long long)
CUDA_EMULATOR_MIN_MAX(unsigned long long)
#undef CUDA_EMULATOR_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
