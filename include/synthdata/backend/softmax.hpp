// synthdata/backend/softmax.hpp: softmax kernels over the last axis, whole or cut into blocks.
//
// The last axis of x is cut into blocks of the given sizes, which must add up to it; each block is a distribution of
// its own. Rows are shared out among threads; a row is computed in one fixed order.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <span>

namespace synthdata::backend {

enum class SoftmaxKind { plain, log };
using Blocks = std::span<const std::int64_t>;

/// softmax (or its logarithm) of scale (x + noise) in each block. `noise` may be undefined.
Tensor softmax(SoftmaxKind kind, const Tensor& x, const Tensor& noise, double scale, Blocks blocks);
/// Gradient of x, from the gradient g of the result y.
Tensor softmax_gradient(SoftmaxKind kind, const Tensor& y, const Tensor& g, double scale, Blocks blocks);
/// Replaces each value by the sum of its block. Its own adjoint.
Tensor block_sum(const Tensor& x, Blocks blocks);
/// 1 at the first largest value of each block, else 0.
Tensor block_winner(const Tensor& x, Blocks blocks);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/softmax_impl.hpp>
#endif
