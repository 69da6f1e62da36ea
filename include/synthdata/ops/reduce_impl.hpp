// synthdata/ops/reduce_impl.hpp: bodies of ops/reduce.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/reduce.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

SYNTHDATA_INLINE Axes::Axes(std::initializer_list<int> axes) : all_(false) {
  for (const int axis : axes) {
    if (count_ == Shape::max_rank) throw ShapeError(concat("a reduction has at most ", Shape::max_rank, " axes"));
    axis_[count_++] = axis;
  }
}

SYNTHDATA_INLINE Shape Axes::kept(const Shape& shape) const {
  Shape out = shape;
  for (int i = 0; i < (all_ ? shape.rank() : count_); ++i) out[all_ ? i : shape.wrap(axis_[i])] = 1;
  return out;
}

SYNTHDATA_INLINE Shape Axes::dropped(const Shape& shape) const {
  bool gone[Shape::max_rank] = {};
  for (int i = 0; i < (all_ ? shape.rank() : count_); ++i) gone[all_ ? i : shape.wrap(axis_[i])] = true;
  Shape out;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!gone[i]) out.push_back(shape[i]);
  }
  return out;
}

SYNTHDATA_INLINE Var sum_to(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return detail::linear_op("sum_to", backend::sum_to(x.value(), shape), x,
                           [from = x.shape()](const Var& g) { return broadcast_to(g, from); });
}

SYNTHDATA_INLINE Var broadcast_to(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return detail::linear_op("broadcast_to", backend::broadcast_to(x.value(), shape), x,
                           [from = x.shape()](const Var& g) { return sum_to(g, from); });
}

namespace detail {
inline Var finish_reduction(const Var& kept, const Shape& from, const Axes& axes, Keepdims keep) {
  return keep == Keepdims::yes ? kept : reshape(kept, axes.dropped(from));
}
}  // namespace detail

SYNTHDATA_INLINE Var sum(const Var& x, const Axes& axes, Keepdims keep) {
  return detail::finish_reduction(sum_to(x, axes.kept(x.shape())), x.shape(), axes, keep);
}

SYNTHDATA_INLINE Var mean(const Var& x, const Axes& axes, Keepdims keep) {
  const Shape kept = axes.kept(x.shape());
  if (x.size() == 0) throw ShapeError(concat("mean: ", x.value().str(), " has no elements"));
  const double share = static_cast<double>(kept.size()) / static_cast<double>(x.size());
  return detail::finish_reduction(sum_to(x, kept) * share, x.shape(), axes, keep);
}

SYNTHDATA_INLINE Var var(const Var& x, const Axes& axes, Keepdims keep) {
  return mean(square(x - mean(x, axes, Keepdims::yes)), axes, keep);
}

SYNTHDATA_INLINE Var max(const Var& x, const Axes& axes, Keepdims keep) {
  const Tensor kept = backend::max_to(x.value(), axes.kept(x.shape()));
  Var y(kept);
  if (detail::recording(x)) {
    // Equal extrema share the gradient, as the limit of a smooth maximum would. The shares are constants.
    const NoGrad constants;
    const Var winners = equal(x.detach(), Var(kept));
    const Var shares = winners / sum_to(winners, kept.shape());
    const GradMode record_again(true);
    y = detail::record(
        "max", kept,
        [shares](const Var& g, Backward& out) { out.add(0, mul(broadcast_to(g, shares.shape()), shares)); }, x);
  }
  return detail::finish_reduction(y, x.shape(), axes, keep);
}

SYNTHDATA_INLINE Var min(const Var& x, const Axes& axes, Keepdims keep) { return -max(-x, axes, keep); }

SYNTHDATA_INLINE Var logsumexp(const Var& x, const Axes& axes, Keepdims keep) {
  Tensor peak = backend::max_to(x.value(), axes.kept(x.shape()));
  peak = backend::map("logsumexp", detail::FiniteOrZero{}, peak);
  const Var shifted = log(sum_to(exp(x - Var(peak)), peak.shape())) + Var(peak);
  return detail::finish_reduction(shifted, x.shape(), axes, keep);
}

SYNTHDATA_INLINE Var norm(const Var& x, const Axes& axes, double epsilon, Keepdims keep) {
  Var total = sum(square(x), axes, keep);
  if (epsilon != 0.0) total = total + epsilon;
  return sqrt(total);
}

SYNTHDATA_INLINE Tensor argmax(const Tensor& x, int axis) { return backend::argmax(x, axis); }

}  // namespace synthdata
