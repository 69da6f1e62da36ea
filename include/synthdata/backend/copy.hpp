// synthdata/backend/copy.hpp: kernels that move elements: permute, boxes, join, flip, gather; and scatter_add.
//
// Moving works on bytes and takes every dtype. Nearly all of it is one strided box copy with contiguous runs merged.
// Axes are counted from the front and arguments are trusted except for the values of an index; the operations in
// ops/ check the rest. An index is i64 or i32.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

/// out[i[axes[0]], i[axes[1]], ...] of x[i...]: axis k of the result is axis axes[k] of x.
Tensor permute(const Tensor& x, const int* axes);

/// Every step-th element of x from `begin` on, `shape` of them. One number per axis in each Shape.
Tensor take_box(const Tensor& x, const Shape& begin, const Shape& step, const Shape& shape);

/// A tensor of `shape` filled with `fill`, with x at the places take_box would read: its adjoint for fill = 0.
Tensor put_box(const Tensor& x, const Shape& begin, const Shape& step, const Shape& shape, double fill = 0.0);

/// The parts one after the other along `axis`; all of one dtype and equal in the other extents.
Tensor join(const std::vector<Tensor>& parts, int axis);

/// x with `axis` reversed.
Tensor flip(const Tensor& x, int axis);

/// @throws ShapeError naming the first element of `index` outside [0, extent) and where it is, DTypeError unless i64
/// or i32.
void check_index(const char* op, const Tensor& index, std::int64_t extent);

// The four below take an index that check_index has passed.

/// out[o, i, k] = x[o, index[i], k], `axis` being the middle one. index [n].
Tensor gather(const Tensor& x, int axis, const Tensor& index);

/// out[o, index[i], k] += values[o, i, k] over zeros of `shape`, f32 or f64; equal indices add up in the order of i.
Tensor scatter_add(const Shape& shape, int axis, const Tensor& index, const Tensor& values);

/// out[o, i, k] = x[o, index[o, i, k], k].
Tensor take_along(const Tensor& x, int axis, const Tensor& index);

/// out[o, index[o, i, k], k] += values[o, i, k] over zeros of `shape`, f32 or f64; in the order of i.
Tensor put_along(const Shape& shape, int axis, const Tensor& index, const Tensor& values);

/// 1 at index[...], else 0: [..., classes], f32.
Tensor one_hot(const Tensor& index, std::int64_t classes);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/copy_impl.hpp>
#endif
