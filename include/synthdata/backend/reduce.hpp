// synthdata/backend/reduce.hpp: sums and maxima over axes.
//
// Work is cut into chunks that depend on the shape only and partial results are combined in order: the same bits for
// any number of threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

/// Sum over the axes along which `shape` broadcasts to x.shape(); f32 or f64.
/// @throws ShapeError if it does not broadcast.
Tensor sum_to(const Tensor& x, const Shape& shape);
/// Maximum instead of sum. NaN wins. @throws ShapeError for an empty range too.
Tensor max_to(const Tensor& x, const Shape& shape);
/// Repeats x to `shape`.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// Index of the first largest value along an axis: i64, the axis removed.
Tensor argmax(const Tensor& x, int axis);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/reduce_impl.hpp>
#endif
