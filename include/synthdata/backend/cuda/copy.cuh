// synthdata/backend/cuda/copy.cuh: strided boxes, gather and scatter.
//
// Moving works on units of 1, 4, 8 or 16 bytes. Sums into equal places are made by one thread in the order of the
// index, as on the CPU: the same bits from run to run.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/map.cuh>
#include <synthdata/backend/device_kernels.hpp>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

template <class Unit, class Index>
__global__ void __launch_bounds__(block_threads)
    copy_box_kernel(backend::StridedBox box, const Unit* from, Unit* into, std::int64_t size) {
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    Index rest = static_cast<Index>(i);
    std::int64_t source = 0, target = 0;
    for (int axis = box.rank - 1; axis >= 0; --axis) {
      const Index extent = static_cast<Index>(box.extent[axis]), above = rest / extent;
      const auto index = static_cast<std::int64_t>(rest - above * extent);
      source += index * box.from[axis];
      target += index * box.into[axis];
      rest = above;
    }
    into[target] = from[source];
  }
}

/// The elements of an index, i32 or i64. What check_index found out of range counts as 0.
struct IndexView {
  const void* at;
  bool wide;
  std::int64_t extent;
  __device__ std::int64_t operator[](std::int64_t i) const {
    const std::int64_t value = wide ? static_cast<const std::int64_t*>(at)[i] : static_cast<const std::int32_t*>(at)[i];
    return value >= 0 && value < extent ? value : 0;
  }
};

static __global__ void check_index_kernel(const void* index, bool wide, std::int64_t n, std::int64_t extent,
                                          const char* op, DeviceFault* fault) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) {
    const std::int64_t value =
        wide ? static_cast<const std::int64_t*>(index)[i] : static_cast<const std::int32_t*>(index)[i];
    if (value >= 0 && value < extent) continue;
    if (atomicAdd(&fault->found, 1ull) == 0) {  // one of them is told
      fault->op = op;
      fault->value = value;
      fault->element = i;
      fault->extent = extent;
    }
  }
}

/// out[o, i, k] = x[o, index[i], k]
template <class Unit>
__global__ void gather_kernel(const Unit* x, Unit* out, backend::AxisSplit s, IndexView index, std::int64_t n) {
  for (std::int64_t item = first_item(); item < s.outer * n * s.inner; item += item_step()) {
    const std::int64_t k = item % s.inner, i = item / s.inner % n, o = item / s.inner / n;
    out[item] = x[(o * s.extent + index[i]) * s.inner + k];
  }
}
/// out[o, i, k] = x[o, index[o, i, k], k]
template <class Unit>
__global__ void take_along_kernel(const Unit* x, Unit* out, backend::AxisSplit s, IndexView index, std::int64_t n) {
  for (std::int64_t item = first_item(); item < s.outer * n * s.inner; item += item_step()) {
    const std::int64_t k = item % s.inner, o = item / s.inner / n;
    out[item] = x[(o * s.extent + index[item]) * s.inner + k];
  }
}
/// out[o, index[i], k] += values[o, i, k]: a thread for each (o, k).
template <class T>
__global__ void scatter_add_kernel(const T* values, T* out, backend::AxisSplit s, IndexView index, std::int64_t n) {
  for (std::int64_t item = first_item(); item < s.outer * s.inner; item += item_step()) {
    const std::int64_t k = item % s.inner, o = item / s.inner;
    for (std::int64_t i = 0; i < n; ++i)
      out[(o * s.extent + index[i]) * s.inner + k] += values[(o * n + i) * s.inner + k];
  }
}
/// out[o, index[o, i, k], k] += values[o, i, k]: a thread for each (o, k).
template <class T>
__global__ void put_along_kernel(const T* values, T* out, backend::AxisSplit s, IndexView index, std::int64_t n) {
  for (std::int64_t item = first_item(); item < s.outer * s.inner; item += item_step()) {
    const std::int64_t k = item % s.inner, o = item / s.inner;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t at = (o * n + i) * s.inner + k;
      out[(o * s.extent + index[at]) * s.inner + k] += values[at];
    }
  }
}
static __global__ void one_hot_kernel(float* out, IndexView index, std::int64_t n, std::int64_t classes) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) out[i * classes + index[i]] = 1.0f;
}

}  // namespace SYNTHDATA_CUDA_KERNELS

inline IndexView view_of(const Tensor& index, std::int64_t extent) {
  return {index.address(), index.dtype() == DType::i64, extent};
}

template <class Unit>
void run_copy_box(const Queue& queue, const backend::StridedBox& box, const void* from, void* into) {
  std::int64_t size = 1;
  for (int k = 0; k < box.rank; ++k) size *= box.extent[k];
  const auto* source = static_cast<const Unit*>(from);
  auto* target = static_cast<Unit*>(into);
  if (size < (std::int64_t{1} << 31)) {
    launch_over("copy", queue, size, copy_box_kernel<Unit, std::uint32_t>, box, source, target, size);
  } else {
    launch_over("copy", queue, size, copy_box_kernel<Unit, std::int64_t>, box, source, target, size);
  }
}

/// The same box counted in units of `count` elements, if its innermost axis is contiguous on both sides and all
/// addresses and strides are multiples of them.
inline bool widen(backend::StridedBox& box, std::int64_t count) {
  const int last = box.rank - 1;
  if (last < 0 || box.from[last] != 1 || box.into[last] != 1 || box.extent[last] % count != 0) return false;
  for (int k = 0; k < last; ++k) {
    if (box.from[k] % count != 0 || box.into[k] % count != 0) return false;
  }
  box.extent[last] /= count;
  for (int k = 0; k < last; ++k) {
    box.from[k] /= count;
    box.into[k] /= count;
  }
  return true;
}

/// Calls f with a type of the size of an element.
template <class F>
void visit_unit(std::size_t size, const F& f) {
  size == 1 ? f(std::uint8_t{}) : size == 4 ? f(std::uint32_t{}) : f(std::uint64_t{});
}

}  // namespace synthdata::cuda
