// synthdata/ops/gather.hpp: reading and adding at computed positions.
//
// gather and scatter_add are adjoint to each other, so are take_along_axis and scatter_along_axis: derivatives of every
// order exist. An index is i64 or i32, carries no gradient, and counts from 0: a negative one is an error. Sums over
// equal indices run in a fixed order, the same bits for any number of threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// Slices index[0], index[1], ... of x along an axis. x [.., A, ..], index [n] -> [.., n, ..]. Any dtype.
/// @throws ShapeError naming an index outside [0, A).
Var gather(const Var& x, int axis, const Var& index);

/// Zeros of `shape` with values[.., i, ..] added to slice index[i] of an axis. values [.., n, ..], index [n].
/// @throws ShapeError if values do not fit or an index is out of range.
Var scatter_add(const Shape& shape, int axis, const Var& index, const Var& values);

/// y[.., i, ..] = x[.., index[.., i, ..], ..], each place with its own index: x [.., A, ..], index [.., n, ..] equal to
/// x in the other extents -> shape of index. Any dtype. @throws ShapeError naming an index outside [0, A).
Var take_along_axis(const Var& x, const Var& index, int axis);

/// Zeros of `shape` with values added at the places take_along_axis would read. values and index of one shape.
/// @throws ShapeError if they do not fit or an index is out of range.
Var scatter_along_axis(const Shape& shape, const Var& index, int axis, const Var& values);

/// 1 at the label's place, else 0: labels [...] of i64 or i32 -> [..., classes] of f32, a constant.
/// @throws ShapeError naming a label outside [0, classes).
Var one_hot(const Var& labels, std::int64_t classes);

/// Rows of a table: weight [V, D], index [...] -> [..., D]. @throws ShapeError naming an index outside [0, V).
Var embedding(const Var& weight, const Var& index);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/gather_impl.hpp>
#endif
