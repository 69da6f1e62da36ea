// tests/cuda_emulator/sample_kernels.cuh: kernels of each kind, right and wrong ones.
//
// Plain CUDA: `nvcc -x cu -std=c++20 -arch=sm_90 -c sample_kernels.cuh` takes the same text.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cassert>
#include <cstdint>

namespace sample {

/// The dynamic shared memory of the block: the one thing that is spelled differently.
template <class T>
__device__ T* dynamic_shared() {
#ifdef SYNTHDATA_CUDA_EMULATOR
  return static_cast<T*>(cuda_emulator::dynamic_shared());
#else
  extern __shared__ __align__(16) unsigned char bytes[];
  return reinterpret_cast<T*>(bytes);
#endif
}

template <class T>
__global__ void add(T* __restrict__ out, const T* __restrict__ a, const T* __restrict__ b, std::int64_t n) {
  const std::int64_t step = std::int64_t{blockDim.x} * gridDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
    out[i] = __ldg(a + i) + __ldg(b + i);
}

template <class T>
__global__ void fill(T* out, T value, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) out[i] = value;
}

/// Four floats a thread.
static __global__ void __launch_bounds__(256) scale(float4* x, float factor, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const float4 v = x[i];
  x[i] = make_float4(v.x * factor, v.y * factor, v.z * factor, v.w * factor);
}

template <class T>
__device__ __forceinline__ T warp_sum(T x) {
  for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(0xFFFFFFFFu, x, offset);
  return x;
}

/// The sum over the block, in thread 0.
template <class T>
__device__ T block_sum(T x) {
  __shared__ T of_warp[32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  x = warp_sum(x);
  if (lane == 0) of_warp[warp] = x;
  __syncthreads();
  if (warp != 0) return T(0);
  return warp_sum(lane < (blockDim.x + 31) / 32 ? of_warp[lane] : T(0));
}

/// Adds x[0] + ... + x[n-1] to *sum.
template <class T>
__global__ void reduce(T* sum, const T* x, int n) {
  T mine = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < static_cast<unsigned>(n); i += blockDim.x * gridDim.x)
    mine += x[i];
  mine = block_sum(mine);
  if (threadIdx.x == 0) atomicAdd(sum, mine);
}

/// Transposes by 32 x 32 tiles; blocks of 32 x 8 threads.
template <class T>
__global__ void transpose(T* out, const T* in, unsigned rows, unsigned cols) {
  __shared__ T tile[32][33];
  const unsigned col = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.x;
  for (unsigned y = threadIdx.y; y < 32; y += blockDim.y)
    if (blockIdx.y * 32 + y < rows && col < cols) tile[y][threadIdx.x] = in[(blockIdx.y * 32 + y) * cols + col];
  __syncthreads();
  for (unsigned y = threadIdx.y; y < 32; y += blockDim.y)
    if (blockIdx.x * 32 + y < cols && row < rows) out[(blockIdx.x * 32 + y) * rows + row] = tile[threadIdx.x][y];
}

/// out[i] = in[i + 1] within the block, by shared memory; without the barrier it depends on who runs first.
template <bool with_barrier>
__global__ void rotate(int* out) {
  int* const shared = dynamic_shared<int>();
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  if constexpr (with_barrier) __syncthreads();
  out[threadIdx.x] = shared[(threadIdx.x + 1) % blockDim.x];
}
template <bool with_barrier>
__global__ void rotate_warp(int* out) {
  __shared__ int shared[32];
  shared[threadIdx.x] = -1;
  __syncwarp();
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  if constexpr (with_barrier) __syncwarp();
  out[threadIdx.x] = shared[(threadIdx.x + 1) % 32];
}

/// Each lane tells what the warp functions gave it.
static __global__ void warp_functions(std::uint64_t* out) {
  const unsigned lane = threadIdx.x % 32, all = 0xFFFFFFFFu;
  std::uint64_t* const mine = out + threadIdx.x * 10;
  mine[0] = __ballot_sync(all, lane % 3 == 0);
  mine[1] = __shfl_sync(all, lane * 2, 5);
  mine[2] = static_cast<std::uint64_t>(__shfl_xor_sync(all, static_cast<double>(lane), 3));
  mine[3] = static_cast<std::uint64_t>(__shfl_down_sync(all, static_cast<int>(lane), 4));
  mine[4] = __shfl_up_sync(all, (1ull << 40) + lane, 1);
  mine[5] = __shfl_down_sync(all, lane, 1, 8);
  mine[6] = static_cast<std::uint64_t>(__any_sync(all, lane == 31)) * 2 +
            static_cast<std::uint64_t>(__all_sync(all, lane < 31));
  if (lane < 16) mine[7] = __shfl_xor_sync(0x0000FFFFu, lane, 8);  // half a warp
  mine[8] = static_cast<std::uint64_t>(__syncthreads_count(threadIdx.x % 4 == 0));
  mine[9] = static_cast<std::uint64_t>(__shfl_sync(all, -static_cast<float>(lane), 9) == -9.0f);
}

static __global__ void bits(unsigned* out) {
  out[0] = __umulhi(0x80000001u, 0x80000001u);
  out[1] = static_cast<unsigned>(__popc(0xF0F0u));
  out[2] = static_cast<unsigned>(__clz(1));
  out[3] = static_cast<unsigned>(__float_as_int(1.0f));
  out[4] = static_cast<unsigned>(__ffs(8));
  out[5] = __brev(1u);
  out[6] = __float_as_uint(__uint_as_float(0x7F800001u));
  out[7] = static_cast<unsigned>(max(3, -4)) + min(7u, 9u);
}

static __global__ void atomics(int* x, float* f, double* d, unsigned long long* u) {
  const int t = static_cast<int>(threadIdx.x);
  atomicAdd(x, 1);
  atomicMax(x + 1, t);
  atomicMin(x + 2, t);
  atomicCAS(x + 3, 0, t + 1);
  atomicAdd(f, 0.5f);
  atomicAdd(d, 0.25);
  atomicAdd(u, 1ull << 33);
}

/// To 16 bits and back.
static __global__ void round_trip(float* as_bf16, float* as_half, const float* x, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const __nv_bfloat16 b = __float2bfloat16_rn(x[i]);
  const __half h = __float2half_rn(x[i]);
  as_bf16[i] = __bfloat162float(b);
  as_half[i] = __half2float(h);
}

// Wrong ones.

static __global__ void diverge(int* out) {
  if (threadIdx.x < 7) {
    __syncthreads();
  } else if (threadIdx.x < 12) {
    out[threadIdx.x] = __shfl_sync(0x00000FFFu, 1, 9);
  }
}
static __global__ void two_barriers() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}
static __global__ void shuffle_without_all(int* out) {
  if (threadIdx.x != 3) out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, 1, 1);
}
static __global__ void shuffle_beside_mask(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0x0000FFFFu, 1, 20);
}
static __global__ void write_at(float* x, std::int64_t i) { x[i] = 1.0f; }
static __global__ void write_shared_at(int i) { dynamic_shared<float>()[i] = 1.0f; }
static __global__ void read_shared(float* out) { out[threadIdx.x] = dynamic_shared<float>()[threadIdx.x]; }
static __global__ void stop(int code) {
  if (code == 1) __trap();
  assert(code == 0);
}

/// Some threads leave before the barrier, which is allowed.
static __global__ void leave_early(int* out) {
  if (threadIdx.x >= 40) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

static __global__ void with_barriers(int count) {
  for (int i = 0; i < count; ++i) __syncthreads();
}

}  // namespace sample
