// synthdata/backend/cuda/map.cuh: pointwise kernels. The functor's text is that of the CPU.
//
// Operands of one shape are read 16 bytes at a time. Under broadcasting the innermost merged axis is either walked or
// repeated by each operand, so it is read in 16 bytes too where its length allows; the place of a row is found by
// dividing its number by the outer extents, in 32 bits where these suffice.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/alignment.hpp>
#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/device_kernels.hpp>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

/// Operands of a pointwise kernel and how they walk over the result.
template <class T, int N>
struct MapOperands {
  const T* in[N];
  T* out;
};
template <int N, class Index>
struct MapWalk {
  int outer_rank;
  Index extent[Shape::max_rank];  // of the outer axes
  Index inner;                    // length of the innermost axis, in packs
  std::int64_t stride[N][Shape::max_rank];
  bool repeats[N];  // along the innermost axis
};

template <class T, class F, std::size_t... I>
__device__ T map_one(const F& f, const T* x, std::index_sequence<I...>) {
  return f(x[I]...);
}

template <class T, int N, int V, class F>
__global__ void __launch_bounds__(block_threads)
    map_same(F f, MapOperands<T, N> p, std::int64_t packs, std::int64_t size) {
  constexpr auto all = std::make_index_sequence<N>{};
  const auto one_value = [&](std::int64_t i) {
    T one[N];
    for (int k = 0; k < N; ++k) one[k] = p.in[k][i];
    p.out[i] = map_one(f, one, all);
  };
  // Not unrolled beyond a pack: several slow paths of divisions and exponentials at once would spill.
  if constexpr (V == 1) {
    SYNTHDATA_CUDA_NO_UNROLL
    for (std::int64_t i = first_item(); i < size; i += item_step()) one_value(i);
  } else {
    SYNTHDATA_CUDA_NO_UNROLL
    for (std::int64_t i = first_item(); i < packs; i += item_step()) {
      Pack<T, V> x[N], y;
      for (int k = 0; k < N; ++k) x[k] = reinterpret_cast<const Pack<T, V>*>(p.in[k])[i];
      for (int j = 0; j < V; ++j) {
        T one[N];
        for (int k = 0; k < N; ++k) one[k] = x[k].value[j];
        y.value[j] = map_one(f, one, all);
      }
      reinterpret_cast<Pack<T, V>*>(p.out)[i] = y;
    }
    const std::int64_t last = packs * V + first_item();  // what is left is less than a pack
    if (last < size) one_value(last);
  }
}

template <class T, int N, int V, class Index, class F>
__global__ void __launch_bounds__(block_threads)
    map_broadcast(F f, MapOperands<T, N> p, MapWalk<N, Index> walk, std::int64_t packs) {
  constexpr auto all = std::make_index_sequence<N>{};
  for (std::int64_t i = first_item(); i < packs; i += item_step()) {
    Index row = static_cast<Index>(i) / walk.inner;
    const Index column = static_cast<Index>(i) - row * walk.inner;
    std::int64_t offset[N] = {};
    for (int axis = walk.outer_rank - 1; axis >= 0; --axis) {
      const Index above = row / walk.extent[axis], index = row - above * walk.extent[axis];
      for (int k = 0; k < N; ++k) offset[k] += static_cast<std::int64_t>(index) * walk.stride[k][axis];
      row = above;
    }
    Pack<T, V> x[N], y;
    for (int k = 0; k < N; ++k) {
      const T* from = p.in[k] + offset[k];
      if (walk.repeats[k]) {
        for (int j = 0; j < V; ++j) x[k].value[j] = *from;
      } else {
        x[k] = *reinterpret_cast<const Pack<T, V>*>(from + static_cast<std::int64_t>(column) * V);
      }
    }
    for (int j = 0; j < V; ++j) {
      T one[N];
      for (int k = 0; k < N; ++k) one[k] = x[k].value[j];
      y.value[j] = map_one(f, one, all);
    }
    reinterpret_cast<Pack<T, V>*>(p.out)[i] = y;
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS

template <class T, int N, int V, class Index, class F>
void launch_broadcast(const Queue& queue, const F& f, const MapOperands<T, N>& p, const backend::MapCall& call) {
  const int last = call.rank - 1;
  MapWalk<N, Index> walk{};
  walk.outer_rank = last;
  walk.inner = static_cast<Index>(call.extent[last] / V);
  for (int axis = 0; axis < last; ++axis) walk.extent[axis] = static_cast<Index>(call.extent[axis]);
  for (int k = 0; k < N; ++k) {
    for (int axis = 0; axis < last; ++axis) walk.stride[k][axis] = call.stride[k][axis];
    walk.repeats[k] = call.stride[k][last] == 0;
  }
  launch_over("map", queue, call.size / V, map_broadcast<T, N, V, Index, F>, f, p, walk, call.size / V);
}

enum class Broadcast { no, yes };

template <class T, int N, Broadcast broadcast, class F>
void run_map(const F& f, const backend::MapCall& call) {
  constexpr int wide = static_cast<int>(16 / sizeof(T));
  const Queue queue = driver().queue(call.device.index);
  MapOperands<T, N> p{};
  p.out = static_cast<T*>(call.out);
  bool aligned = common_alignment({call.out}) == 16;
  for (int k = 0; k < N; ++k) {
    p.in[k] = static_cast<const T*>(call.in[k]);
    aligned = aligned && common_alignment({call.in[k]}) == 16;
  }
  if (call.same) {
    if (aligned && call.size >= wide) {
      launch_over("map", queue, call.size / wide, map_same<T, N, wide, F>, f, p, call.size / wide, call.size);
    } else {
      launch_over("map", queue, call.size, map_same<T, N, 1, F>, f, p, call.size, call.size);
    }
    return;
  }
  if constexpr (broadcast == Broadcast::yes) {
    // Rows begin at multiples of their length, so whole packs in a row keep every address aligned.
    const bool packs = aligned && call.extent[call.rank - 1] % wide == 0;
    if (call.size >= (std::int64_t{1} << 31)) return launch_broadcast<T, N, 1, std::int64_t>(queue, f, p, call);
    if (packs) return launch_broadcast<T, N, wide, std::uint32_t>(queue, f, p, call);
    launch_broadcast<T, N, 1, std::uint32_t>(queue, f, p, call);
  } else {
    throw DeviceError("map: this functor's kernel takes operands of one shape");
  }
}

/// Makes the kernels of functor F with so many operands known to the library.
template <class F, std::size_t operands, Broadcast broadcast = Broadcast::no>
void install_map() {
  backend::DeviceMap<F, operands>::launch = [](const F& f, const backend::MapCall& call) {
    constexpr int n = static_cast<int>(operands);
    call.dtype == DType::f32 ? run_map<float, n, broadcast>(f, call) : run_map<double, n, broadcast>(f, call);
  };
}

}  // namespace synthdata::cuda
