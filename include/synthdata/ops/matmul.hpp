// synthdata/ops/matmul.hpp: matrix products, batched and transposed, and the fused layer product.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/activation.hpp>

namespace synthdata {

struct MatmulOptions {
  bool transpose_a = false;  ///< a is stored as [..., k, m]
  bool transpose_b = false;  ///< b is stored as [..., n, k]
};

/// Matrix product over the last two axes: a [..., m, k], b [..., k, n] -> [..., m, n]. Leading axes broadcast.
/// @throws ShapeError if the inner extents differ or an operand has fewer than two axes.
Var matmul(const Var& a, const Var& b, const MatmulOptions& options = {});

/// Fully connected layer: activation(x weightᵀ + bias).   x [..., in], weight [out, in], bias [out] or undefined.
/// @throws ShapeError if the extents do not fit.
Var linear(const Var& x, const Var& weight, const Var& bias = {}, const Activation& activation = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/matmul_impl.hpp>
#endif
