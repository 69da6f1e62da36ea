// synthdata/ops/embedding_bag_impl.hpp: bodies of ops/embedding_bag.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/bag.hpp>
#include <synthdata/backend/copy.hpp>
#include <synthdata/ops/embedding_bag.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {
namespace detail {

// The index was checked when the operation was first called. Other devices than the CPU take the rows one by one.

Var scatter_bag_checked(std::int64_t rows, const Tensor& index, const Var& values);

SYNTHDATA_INLINE Var embedding_bag_checked(const Var& weight, const Tensor& index) {
  if (!weight.device().is_cpu()) return sum(embedding(weight, index), {1});
  return linear_op("embedding_bag", backend::sum_rows(weight.value(), index), weight,
                   [index, rows = weight.shape(0)](const Var& g) { return scatter_bag_checked(rows, index, g); });
}
SYNTHDATA_INLINE Var scatter_bag_checked(std::int64_t rows, const Tensor& index, const Var& values) {
  const std::int64_t count = index.shape()[0], depth = index.shape()[1], width = values.shape(1);
  if (!values.device().is_cpu()) {
    const Var each = broadcast_to(reshape(values, {count, 1, width}), {count, depth, width});
    return scatter_add({rows, width}, 0, index.reshape({count * depth}), reshape(each, {count * depth, width}));
  }
  return linear_op("scatter_bag", backend::add_to_rows(rows, index, values.value()), values,
                   [index](const Var& g) { return embedding_bag_checked(g, index); });
}

inline void check_bag(const char* op, const Var& table, const Var& index) {
  if (table.rank() == 2 && index.rank() == 2) return;
  throw ShapeError(
      concat(op, ": expects two axes each, got ", table.value().str(), " and index ", index.value().str()));
}

}  // namespace detail

SYNTHDATA_INLINE Var embedding_bag(const Var& weight, const Var& index) {
  detail::check_bag("embedding_bag", weight, index);
  backend::check_index("embedding_bag", index.value(), weight.shape(0));
  return detail::embedding_bag_checked(weight, index.value());
}

SYNTHDATA_INLINE Var scatter_bag(std::int64_t rows, const Var& index, const Var& values) {
  detail::check_bag("scatter_bag", values, index);
  if (values.shape(0) != index.shape(0)) {
    throw_shape("scatter_bag", "values and index must have as many rows",
                {{"values", values.value()}, {"index ", index.value()}});
  }
  backend::check_index("scatter_bag", index.value(), rows);
  return detail::scatter_bag_checked(rows, index.value(), values);
}

}  // namespace synthdata
