// synthdata/backend/cuda/launch.cuh: how kernels are shaped, launched and checked, and what they share.
//
// Kernels are launched through cudaLaunchKernelEx, never with angle brackets, so the same text also compiles as plain
// C++ against tests/cuda_emulator, where every kernel is run without a GPU. No result depends on the number of blocks
// or on atomics: the same bits from run to run.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>

#include <cuda_runtime.h>

#include <cstdint>
#include <utility>

// Kernels of two .cu files of one program that were compiled for different architectures must not be merged by the
// linker: give one of them another name here.
#ifndef SYNTHDATA_CUDA_KERNELS
#define SYNTHDATA_CUDA_KERNELS kernels
#endif

namespace synthdata::cuda {

/// Threads of a block where nothing asks for another number.
/// Before a loop that is not to be unrolled.
#if defined(__CUDACC__)
#define SYNTHDATA_CUDA_NO_UNROLL _Pragma("unroll 1")
#else
#define SYNTHDATA_CUDA_NO_UNROLL
#endif

inline constexpr int block_threads = 256;
inline constexpr int warp_threads = 32;

[[noreturn]] inline void throw_error(cudaError_t error, const char* what) {
  throw CudaError(concat(what, ": ", cudaGetErrorName(error), ", ", cudaGetErrorString(error)));
}
/// @throws CudaError naming what was tried.
inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) [[unlikely]]
    throw_error(error, what);
}

/// Makes a GPU the thread's current one until the end of the scope.
class UseDevice {
 public:
  explicit UseDevice(int index) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    if (before_ == index) return;
    check(cudaSetDevice(index), "cudaSetDevice");
    changed_ = true;
  }
  ~UseDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  UseDevice(const UseDevice&) = delete;
  UseDevice& operator=(const UseDevice&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

/// Blocks for n items of which a block takes `per_block` at a time: enough to fill the device, not more; the kernel
/// strides over the rest.
inline unsigned blocks_for(std::int64_t n, std::int64_t per_block, int multiprocessors) {
  const std::int64_t all = (n + per_block - 1) / per_block, full = std::int64_t{multiprocessors} * 16;
  return static_cast<unsigned>(all < 1 ? 1 : all < full ? all : full);
}

/// Where work is queued.
struct Queue {
  int device;
  cudaStream_t stream;
  int multiprocessors;
};

template <class... Params, class... Args>
void launch(const char* name, const Queue& queue, void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared,
            Args&&... args) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = queue.stream;
  const UseDevice use(queue.device);
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Args>(args)...), name);
}

/// One thread an item, or several items a thread where there are many.
template <class... Params, class... Args>
void launch_over(const char* name, const Queue& queue, std::int64_t items, void (*kernel)(Params...), Args&&... args) {
  launch(name, queue, kernel, dim3(blocks_for(items, block_threads, queue.multiprocessors)), dim3(block_threads), 0,
         std::forward<Args>(args)...);
}

inline namespace SYNTHDATA_CUDA_KERNELS {

/// First item of this thread, and how far it is to the next.
__device__ inline std::int64_t first_item() { return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ inline std::int64_t item_step() { return std::int64_t{gridDim.x} * blockDim.x; }

/// op over the 32 lanes of a warp, in every lane.
template <class T, class Op>
__device__ T warp_reduce(T value, const Op& op) {
  for (int distance = warp_threads / 2; distance > 0; distance /= 2) {
    value = op(value, __shfl_xor_sync(0xFFFFFFFFu, value, distance));
  }
  return value;
}

/// op over all threads of a block of whole warps, in every thread.
template <class T, class Op>
__device__ T block_reduce(T value, T identity, const Op& op) {
  __shared__ T of_warp[warp_threads];
  value = warp_reduce(value, op);
  const int thread = static_cast<int>(threadIdx.x), warps = static_cast<int>(blockDim.x) / warp_threads;
  __syncthreads();  // the last use of of_warp is over
  if (thread % warp_threads == 0) of_warp[thread / warp_threads] = value;
  __syncthreads();
  return warp_reduce(thread % warp_threads < warps ? of_warp[thread % warp_threads] : identity, op);
}

/// V neighbouring elements that are loaded and stored at once, 16 bytes where V says so.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T value[V];
};

}  // namespace SYNTHDATA_CUDA_KERNELS
}  // namespace synthdata::cuda
