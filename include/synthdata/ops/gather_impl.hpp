// synthdata/ops/gather_impl.hpp: bodies of ops/gather.hpp.
//
// The functions in detail take an index that was checked when the operation was first called, so that its adjoint
// need not check it again.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {
namespace detail {

Var scatter_add_checked(const Shape& shape, int axis, const Tensor& index, const Var& values);

SYNTHDATA_INLINE Var gather_checked(const Var& x, int axis, const Tensor& index) {
  return linear_op("gather", backend::gather(x.value(), axis, index), x,
                   [axis, index, from = x.shape()](const Var& g) { return scatter_add_checked(from, axis, index, g); });
}
SYNTHDATA_INLINE Var scatter_add_checked(const Shape& shape, int axis, const Tensor& index, const Var& values) {
  return linear_op("scatter_add", backend::scatter_add(shape, axis, index, values.value()), values,
                   [axis, index](const Var& g) { return gather_checked(g, axis, index); });
}

Var put_along_checked(const Shape& shape, int axis, const Tensor& index, const Var& values);

SYNTHDATA_INLINE Var take_along_checked(const Var& x, int axis, const Tensor& index) {
  return linear_op("take_along_axis", backend::take_along(x.value(), axis, index), x,
                   [axis, index, from = x.shape()](const Var& g) { return put_along_checked(from, axis, index, g); });
}
SYNTHDATA_INLINE Var put_along_checked(const Shape& shape, int axis, const Tensor& index, const Var& values) {
  return linear_op("scatter_along_axis", backend::put_along(shape, axis, index, values.value()), values,
                   [axis, index](const Var& g) { return take_along_checked(g, axis, index); });
}

inline void check_index_rank(const char* op, const Var& index) {
  if (index.rank() != 1) {
    throw ShapeError(concat(op, ": expects an index of one axis, got ", index.value().str()));
  }
}

}  // namespace detail

SYNTHDATA_INLINE Var gather(const Var& x, int axis, const Var& index) {
  const int k = x.shape().wrap(axis);
  detail::check_index_rank("gather", index);
  backend::check_index("gather", index.value(), x.shape()[k]);
  return detail::gather_checked(x, k, index.value());
}

SYNTHDATA_INLINE Var scatter_add(const Shape& shape, int axis, const Var& index, const Var& values) {
  const int k = shape.wrap(axis);
  detail::check_index_rank("scatter_add", index);
  if (!(values.shape() == shape.with(k, index.size()))) {
    throw_shape("scatter_add",
                concat("into ", shape, " along axis ", k, " expects values ", shape.with(k, index.size())),
                {{"values", values.value()}, {"index ", index.value()}});
  }
  backend::check_index("scatter_add", index.value(), shape[k]);
  return detail::scatter_add_checked(shape, k, index.value(), values);
}

SYNTHDATA_INLINE Var take_along_axis(const Var& x, const Var& index, int axis) {
  const int k = x.shape().wrap(axis);
  if (index.rank() != x.rank() || !(index.shape().with(k, 0) == x.shape().with(k, 0))) {
    throw_shape("take_along_axis", concat("input and index may differ on axis ", k, " only"),
                {{"input", x.value()}, {"index", index.value()}});
  }
  backend::check_index("take_along_axis", index.value(), x.shape()[k]);
  return detail::take_along_checked(x, k, index.value());
}

SYNTHDATA_INLINE Var scatter_along_axis(const Shape& shape, const Var& index, int axis, const Var& values) {
  const int k = shape.wrap(axis);
  if (!(values.shape() == index.shape())) {
    throw_shape("scatter_along_axis", "values and index must have one shape",
                {{"values", values.value()}, {"index ", index.value()}});
  }
  if (index.rank() != shape.rank() || !(index.shape().with(k, 0) == shape.with(k, 0))) {
    throw_shape("scatter_along_axis", concat("values may differ from ", shape, " on axis ", k, " only"),
                {{"values", values.value()}, {"index ", index.value()}});
  }
  backend::check_index("scatter_along_axis", index.value(), shape[k]);
  return detail::put_along_checked(shape, k, index.value(), values);
}

SYNTHDATA_INLINE Var one_hot(const Var& labels, std::int64_t classes) {
  if (classes < 1) throw ShapeError(concat("one_hot: expects at least one class, got ", classes));
  backend::check_index("one_hot", labels.value(), classes);
  return backend::one_hot(labels.value(), classes);
}

SYNTHDATA_INLINE Var embedding(const Var& weight, const Var& index) {
  if (weight.rank() != 2) throw ShapeError(concat("embedding: expects a weight [V, D], got ", weight.value().str()));
  backend::check_index("embedding", index.value(), weight.shape(0));
  Shape shape = index.shape();
  shape.push_back(weight.shape(1));
  return reshape(detail::gather_checked(weight, 0, index.value().reshape(Shape{index.size()})), shape);
}

}  // namespace synthdata
