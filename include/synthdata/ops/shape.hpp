// synthdata/ops/shape.hpp: reshape, permute, slice, concat, split, stack, pad, flip, tile.
//
// All of them are linear and work on every dtype; the adjoint of each is written with the others. An axis may count
// from the end (-1 is the last). A reshape shares its elements with x, everything else copies.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

#include <span>

namespace synthdata {

/// The same elements under another shape. @throws ShapeError if the counts differ.
Var reshape(const Var& x, const Shape& shape);
/// One extent may be -1 and is inferred: reshape(x, {n, -1}).
Var reshape(const Var& x, std::initializer_list<std::int64_t> extents);
/// Merges the axes from `from_axis` to the last into one: [N, H, W, C] -> [N, H W C].
Var flatten(const Var& x, int from_axis = 1);
/// Inserts an axis of extent 1, at this place of the result (-1: the end).
Var expand_dims(const Var& x, int axis);
/// Removes an axis of extent 1. @throws ShapeError if its extent is another.
Var squeeze(const Var& x, int axis);

/// Axis k of the result is axis axes[k] of x. @throws ShapeError unless `axes` names each axis once.
Var permute(const Var& x, std::span<const int> axes);
Var permute(const Var& x, std::initializer_list<int> axes);
/// Exchanges two axes, the last two if not told otherwise.
Var transpose(const Var& x, int axis_a = -2, int axis_b = -1);

/// Elements begin, begin + step, ... below `end` along an axis. begin and end may count from the end (-1: before the
/// last). @throws ShapeError unless 0 <= begin <= end <= extent and step >= 1.
Var slice(const Var& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);

/// Joins along an existing axis. @throws ShapeError if another extent differs or there is nothing to join, DTypeError
/// if the dtypes differ.
Var concat(const std::vector<Var>& parts, int axis);
/// Joins along a new axis, at this place of the result. @throws as concat.
Var stack(const std::vector<Var>& parts, int axis = 0);
/// Cuts an axis into parts of these extents, which must add up to its own, or into equal ones.
/// @throws ShapeError if they do not.
std::vector<Var> split(const Var& x, int axis, std::span<const std::int64_t> extents);
std::vector<Var> split(const Var& x, int axis, std::initializer_list<std::int64_t> extents);
std::vector<Var> split(const Var& x, int axis, std::int64_t parts);

/// Elements added before and after an axis.
struct PadWidth {
  std::int64_t before = 0, after = 0;
};
/// Adds elements of the given value around x, one PadWidth per axis: pad(x, {{0, 0}, {1, 1}, {1, 1}, {0, 0}}).
/// @throws ShapeError for another number of widths or a negative one.
Var pad(const Var& x, std::span<const PadWidth> widths, double value = 0.0);
Var pad(const Var& x, std::initializer_list<PadWidth> widths, double value = 0.0);

/// Reverses an axis.
Var flip(const Var& x, int axis);

/// x `count` times, one after the other along an axis: [a, b] -> [a, b, a, b]. f32 or f64.
/// @throws ShapeError if count < 1.
Var tile(const Var& x, int axis, std::int64_t count);
/// Each element `count` times: [a, b] -> [a, a, b, b]. f32 or f64. @throws ShapeError if count < 1.
Var repeat(const Var& x, int axis, std::int64_t count);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/shape_impl.hpp>
#endif
