// synthdata/backend/cuda/softmax.cuh: softmax of blocks of the last axis, its gradient, sums and winners of blocks.
//
// A block of a row is one segment. Segments of up to 16 values get a thread, up to 1,024 a warp, longer ones a block
// of threads; all three run the same text with 1, 32 or 256 lanes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/reduce.cuh>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

/// Where the segments lie: `per_row` in each row of `width` values; `starts` has per_row + 1 offsets, or is null if a
/// row is one segment.
struct Segments {
  std::int64_t rows, width, per_row;
  const std::int64_t* starts;
  __device__ std::int64_t count() const { return rows * per_row; }
  __device__ std::int64_t begin(std::int64_t s) const {
    return starts ? s / per_row * width + starts[s % per_row] : s * width;
  }
  __device__ std::int64_t size(std::int64_t s) const {
    return starts ? starts[s % per_row + 1] - starts[s % per_row] : width;
  }
};

/// op over the lanes that share a segment, in each of them.
template <int lanes, class T, class Op>
__device__ T lane_reduce(T value, const Op& op) {
  if constexpr (lanes == 1) {
    return value;
  } else if constexpr (lanes == warp_threads) {
    return warp_reduce(value, op);
  } else {
    return block_reduce(value, Op::template identity<T>(), op);
  }
}

/// f(begin, size, lane) for each segment, by `lanes` threads together; size is 0 for threads that only come along.
template <int lanes, class F>
__device__ void for_segments(const Segments& s, const F& f) {
  const std::int64_t groups = blockDim.x / lanes, group = threadIdx.x / lanes;
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  for (std::int64_t base = std::int64_t{blockIdx.x} * groups; base < s.count();
       base += std::int64_t{gridDim.x} * groups) {
    const std::int64_t segment = base + group;
    const bool mine = segment < s.count();
    f(mine ? s.begin(segment) : 0, mine ? s.size(segment) : 0, lane);
  }
}

template <int lanes, class T>
__global__ void __launch_bounds__(block_threads)
    softmax_kernel(Segments segments, bool log, const T* x, const T* noise, T scale, T* y) {
  for_segments<lanes>(segments, [=](std::int64_t begin, std::int64_t size, int lane) {
    const auto value = [=](std::int64_t i) { return (noise ? x[begin + i] + noise[begin + i] : x[begin + i]) * scale; };
    T peak = MaxReduction::identity<T>();
    for (std::int64_t i = lane; i < size; i += lanes) peak = MaxReduction{}(peak, value(i));
    peak = lane_reduce<lanes>(peak, MaxReduction{});
    T total = T(0);
    for (std::int64_t i = lane; i < size; i += lanes) total += math::exp(value(i) - peak);
    total = lane_reduce<lanes>(total, SumReduction{});
    const T log_total = log ? math::log(total) : T(0), share = T(1) / total;
    for (std::int64_t i = lane; i < size; i += lanes) {
      const T shifted = value(i) - peak;
      y[begin + i] = log ? shifted - log_total : math::exp(shifted) * share;
    }
  });
}

template <int lanes, class T>
__global__ void __launch_bounds__(block_threads)
    softmax_gradient_kernel(Segments segments, bool log, const T* y, const T* g, T scale, T* dx) {
  for_segments<lanes>(segments, [=](std::int64_t begin, std::int64_t size, int lane) {
    T sum = T(0);
    for (std::int64_t i = lane; i < size; i += lanes) sum += log ? g[begin + i] : g[begin + i] * y[begin + i];
    sum = lane_reduce<lanes>(sum, SumReduction{});
    for (std::int64_t i = lane; i < size; i += lanes) {
      const T own = y[begin + i], gradient = g[begin + i];
      dx[begin + i] = scale * (log ? gradient - math::exp(own) * sum : own * (gradient - sum));
    }
  });
}

template <int lanes, class T>
__global__ void __launch_bounds__(block_threads) block_sum_kernel(Segments segments, const T* x, T* y) {
  for_segments<lanes>(segments, [=](std::int64_t begin, std::int64_t size, int lane) {
    T sum = T(0);
    for (std::int64_t i = lane; i < size; i += lanes) sum += x[begin + i];
    sum = lane_reduce<lanes>(sum, SumReduction{});
    for (std::int64_t i = lane; i < size; i += lanes) y[begin + i] = sum;
  });
}

/// 1 at the first largest value of each segment, a thread each.
template <class T>
__global__ void __launch_bounds__(block_threads) block_winner_kernel(Segments segments, const T* x, T* y) {
  for_segments<1>(segments, [=](std::int64_t begin, std::int64_t size, int) {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < size; ++i) best = x[begin + i] > x[begin + best] ? i : best;
    for (std::int64_t i = 0; i < size; ++i) y[begin + i] = i == best ? T(1) : T(0);
  });
}

}  // namespace SYNTHDATA_CUDA_KERNELS

/// Calls f with the number of lanes, as a constant, that segments of up to `longest` values are worth.
template <class F>
void visit_lanes(std::int64_t longest, const F& f) {
  if (longest <= 16) return f(std::integral_constant<int, 1>{});
  if (longest <= 1024) return f(std::integral_constant<int, warp_threads>{});
  f(std::integral_constant<int, block_threads>{});
}

}  // namespace synthdata::cuda
