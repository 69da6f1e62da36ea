// synthdata/backend/cuda/reduce.cuh: sums and maxima over the middle axis of [outer, extent, inner], argmax, running
// sums.
//
// Rows (inner = 1) are summed by a warp or a block each, columns by blocks that are as wide as the columns allow. Where
// there are too few results to fill the device, the axis is cut into chunks and the partial results are reduced again:
// no atomics, so the same bits from run to run.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/device_kernels.hpp>
#include <synthdata/functor/reduce.hpp>

#include <algorithm>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

/// y[o, c] = op of x[o, chunk c]: a warp each (block of several warps) or a block each.
template <class T, class Op, bool warp_each>
__global__ void __launch_bounds__(block_threads)
    reduce_rows(const T* x, T* y, std::int64_t rows, std::int64_t extent, std::int64_t chunk, std::int64_t chunks) {
  const Op op;
  const int lanes = warp_each ? warp_threads : static_cast<int>(blockDim.x);
  const int lane = static_cast<int>(threadIdx.x) % lanes, group = static_cast<int>(threadIdx.x) / lanes;
  const std::int64_t groups = static_cast<int>(blockDim.x) / lanes, results = rows * chunks;
  // All threads of a block stay in the loop together, since they meet in block_reduce.
  for (std::int64_t base = std::int64_t{blockIdx.x} * groups; base < results;
       base += std::int64_t{gridDim.x} * groups) {
    const std::int64_t item = base + group;
    T total = Op::template identity<T>();
    if (item < results) {
      const std::int64_t row = item / chunks, begin = item % chunks * chunk;
      const std::int64_t end = begin + chunk < extent ? begin + chunk : extent;
      for (std::int64_t i = begin + lane; i < end; i += lanes) total = op(total, x[row * extent + i]);
    }
    if constexpr (warp_each) {
      total = warp_reduce(total, op);
    } else {
      total = block_reduce(total, Op::template identity<T>(), op);
    }
    if (lane == 0 && item < results) y[item] = total;
  }
}

/// y[o, c, i] = op over chunk c of x[o, :, i]. A block is `columns` wide and blockDim.x / columns rows deep.
template <class T, class Op>
__global__ void __launch_bounds__(block_threads)
    reduce_columns(const T* x, T* y, std::int64_t outer, std::int64_t extent, std::int64_t inner, std::int64_t chunk,
                   std::int64_t chunks, int columns) {
  __shared__ T part[block_threads];
  const Op op;
  const int column = static_cast<int>(threadIdx.x) % columns, depth = static_cast<int>(threadIdx.x) / columns;
  const int depths = static_cast<int>(blockDim.x) / columns;
  const std::int64_t pieces = (inner + columns - 1) / columns, items = outer * chunks * pieces;
  for (std::int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const std::int64_t i = item % pieces * columns + column, c = item / pieces % chunks, o = item / pieces / chunks;
    const std::int64_t begin = c * chunk, end = begin + chunk < extent ? begin + chunk : extent;
    T total = Op::template identity<T>();
    if (i < inner) {
      for (std::int64_t r = begin + depth; r < end; r += depths) total = op(total, x[(o * extent + r) * inner + i]);
    }
    __syncthreads();  // the last use of part is over
    part[threadIdx.x] = total;
    __syncthreads();
    if (depth == 0 && i < inner) {
      for (int d = 1; d < depths; ++d) total = op(total, part[d * columns + column]);
      y[(o * chunks + c) * inner + i] = total;
    }
  }
}

/// The first largest value; NaN is never larger.
template <class T>
__global__ void argmax_kernel(const T* x, std::int64_t* y, std::int64_t outer, std::int64_t extent,
                              std::int64_t inner) {
  for (std::int64_t item = first_item(); item < outer * inner; item += item_step()) {
    const T* at = x + item / inner * extent * inner + item % inner;
    std::int64_t best = 0;
    T largest = at[0];
    for (std::int64_t k = 1; k < extent; ++k) {
      const T value = at[k * inner];
      if (value > largest) {
        largest = value;
        best = k;
      }
    }
    y[item] = best;
  }
}

/// One thread a column, summed in f64 as on the CPU.
template <class T>
__global__ void cumsum_kernel(const T* x, T* y, std::int64_t outer, std::int64_t extent, std::int64_t inner,
                              bool reverse) {
  for (std::int64_t item = first_item(); item < outer * inner; item += item_step()) {
    const std::int64_t base = item / inner * extent * inner + item % inner;
    double sum = 0.0;
    for (std::int64_t k = 0; k < extent; ++k) {
      const std::int64_t at = base + (reverse ? extent - 1 - k : k) * inner;
      sum += static_cast<double>(x[at]);
      y[at] = static_cast<T>(sum);
    }
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS

/// How a reduction is cut: `chunks` partial results of `chunk` elements each.
struct ReduceShape {
  std::int64_t chunk, chunks;
};
/// Enough partial results to fill the device, each of at least `least` elements.
inline ReduceShape reduce_shape(std::int64_t results, std::int64_t extent, std::int64_t least, std::int64_t wanted) {
  const std::int64_t most = std::max<std::int64_t>(1, extent / least);
  const std::int64_t chunks = results >= wanted ? 1 : std::min(most, (wanted + results - 1) / results);
  const std::int64_t chunk = (extent + chunks - 1) / chunks;
  return {chunk, (extent + chunk - 1) / chunk};
}

/// Columns a block of reduce_columns takes side by side: a power of two up to a warp.
inline int reduce_width(std::int64_t inner) {
  int columns = warp_threads;
  while (columns / 2 >= inner) columns /= 2;
  return columns;
}

template <class T, class Op>
void run_reduce(const Queue& queue, const Tensor& x, const backend::AxisSplit& s, Tensor& out) {
  const auto* px = static_cast<const T*>(x.address());
  auto* py = static_cast<T*>(out.address());
  if (s.inner == 1) {
    const bool warp_each = s.extent <= 1024;
    const ReduceShape cut = warp_each ? ReduceShape{s.extent, 1}
                                      : reduce_shape(s.outer, s.extent, 4096, std::int64_t{queue.multiprocessors} * 4);
    Tensor partial;
    if (cut.chunks > 1) partial = x.empty_like({s.outer, cut.chunks});
    T* into = cut.chunks > 1 ? static_cast<T*>(partial.address()) : py;
    const std::int64_t results = s.outer * cut.chunks;
    const dim3 threads(block_threads);
    if (warp_each) {
      launch("reduce", queue, reduce_rows<T, Op, true>,
             dim3(blocks_for(results, block_threads / warp_threads, queue.multiprocessors)), threads, 0, px, into,
             s.outer, s.extent, cut.chunk, cut.chunks);
    } else {
      launch("reduce", queue, reduce_rows<T, Op, false>, dim3(blocks_for(results, 1, queue.multiprocessors)), threads,
             0, px, into, s.outer, s.extent, cut.chunk, cut.chunks);
    }
    if (cut.chunks > 1) run_reduce<T, Op>(queue, partial, {s.outer, cut.chunks, 1}, out);
    return;
  }
  const int columns = reduce_width(s.inner);
  const std::int64_t pieces = (s.inner + columns - 1) / columns, depths = block_threads / columns;
  const ReduceShape cut = reduce_shape(s.outer * pieces, s.extent, 8 * depths, std::int64_t{queue.multiprocessors} * 8);
  Tensor partial;
  if (cut.chunks > 1) partial = x.empty_like({s.outer, cut.chunks, s.inner});
  T* into = cut.chunks > 1 ? static_cast<T*>(partial.address()) : py;
  launch("reduce", queue, reduce_columns<T, Op>,
         dim3(blocks_for(s.outer * pieces * cut.chunks, 1, queue.multiprocessors)), dim3(block_threads), 0, px, into,
         s.outer, s.extent, s.inner, cut.chunk, cut.chunks, columns);
  if (cut.chunks > 1) run_reduce<T, Op>(queue, partial, {s.outer, cut.chunks, s.inner}, out);
}

}  // namespace synthdata::cuda
