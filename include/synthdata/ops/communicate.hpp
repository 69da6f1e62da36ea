// synthdata/ops/communicate.hpp: sums over ranks as differentiable operations.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>
#include <synthdata/core/communicator.hpp>

namespace synthdata {

/// The sum of x over all ranks, on every rank. It is its own adjoint: a gradient is that of the sum of all ranks'
/// outputs. Every rank calls it, and asks for its gradient, at the same place; the communicator outlives the graph.
Var all_sum(const Var& x, Communicator& communicator);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/communicate_impl.hpp>
#endif
