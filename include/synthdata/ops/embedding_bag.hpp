// synthdata/ops/embedding_bag.hpp: sums of rows of a table, without the rows themselves in between.
//
// What one-hot vectors of several columns, side by side, become by a linear layer: the product costs a sum of a few
// rows. embedding_bag and scatter_bag are adjoint to each other.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// y[n] = sum over d of weight[index[n, d]]: weight [V, K], index [N, D] of i64 or i32 -> [N, K].
/// @throws ShapeError for other shapes, or naming an index outside [0, V).
Var embedding_bag(const Var& weight, const Var& index);

/// Zeros [rows, K] with values[n] added to each row index[n, d]: index [N, D], values [N, K].
/// @throws ShapeError for other shapes, or naming an index outside [0, rows).
Var scatter_bag(std::int64_t rows, const Var& index, const Var& values);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/embedding_bag_impl.hpp>
#endif
