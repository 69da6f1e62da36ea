// synthdata/ops/reduce.hpp: sums, means, extrema over axes, and broadcasting, the adjoint of summing.
//
// `axes` may count from the end (-1 is the last); without axes a reduction runs over everything and gives a scalar.
// Sums use fixed chunks: the same bits for any number of threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// Axes of a reduction: `sum(x, {1, 2})`, `sum(x, 0)`, or none for all of them.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : count_(1), all_(false) { axis_[0] = axis; }  // NOLINT: sum(x, 0)
  Axes(std::initializer_list<int> axes);
  /// `shape` with the reduced axes set to 1. @throws ShapeError out of range.
  Shape kept(const Shape& shape) const;
  /// `shape` without the reduced axes.
  Shape dropped(const Shape& shape) const;

 private:
  int axis_[Shape::max_rank] = {};
  int count_ = 0;
  bool all_ = true;
};

/// Whether reduced axes stay as extents of 1.
enum class Keepdims { no, yes };

/// Sums x over the axes along which `shape` was broadcast. Adjoint of broadcast_to.
/// @throws ShapeError if `shape` does not broadcast to x.shape().
Var sum_to(const Var& x, const Shape& shape);
/// Repeats x along axes of extent 1 (and new leading axes). Adjoint of sum_to.
/// @throws ShapeError if x.shape() does not broadcast to `shape`.
Var broadcast_to(const Var& x, const Shape& shape);

Var sum(const Var& x, const Axes& axes = {}, Keepdims keep = Keepdims::no);
Var mean(const Var& x, const Axes& axes = {}, Keepdims keep = Keepdims::no);
/// Mean squared deviation from the mean (divides by N, not N - 1).
Var var(const Var& x, const Axes& axes = {}, Keepdims keep = Keepdims::no);
/// Largest and smallest value; equal extrema share the gradient. @throws ShapeError if there is nothing to compare.
Var max(const Var& x, const Axes& axes = {}, Keepdims keep = Keepdims::no);
Var min(const Var& x, const Axes& axes = {}, Keepdims keep = Keepdims::no);
/// log(sum(e^x)) without overflow.
Var logsumexp(const Var& x, const Axes& axes = {}, Keepdims keep = Keepdims::no);
/// Euclidean norm, sqrt(sum(x²) + epsilon). An epsilon > 0 keeps the slope finite at x = 0.
Var norm(const Var& x, const Axes& axes = {}, double epsilon = 0.0, Keepdims keep = Keepdims::no);

/// Index of the first largest value along an axis: i64, the axis removed.
Tensor argmax(const Tensor& x, int axis = -1);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/reduce_impl.hpp>
#endif
