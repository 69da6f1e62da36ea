// synthdata/ops/softmax.hpp: softmax, log-softmax and their random relatives.
//
// None of them overflows, however large the logits. Over the last axis value and first gradient are fused kernels;
// other axes, and gradients that are recorded, run in library operations.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>
#include <synthdata/core/random.hpp>

#include <span>

namespace synthdata {

/// e^x / sum(e^x) along an axis. NaN where all of it is -infinity.
Var softmax(const Var& x, int axis = -1);
/// x - log(sum(e^x)) along an axis: the logarithm of softmax without its underflow.
Var log_softmax(const Var& x, int axis = -1);

struct GumbelOptions {
  double temperature = 1.0;  ///< > 0; towards 0 samples become one-hot and gradients large
  bool hard = false;         ///< one-hot samples with the gradient of the soft ones (straight-through)
};

/// A differentiable sample of the categorical distribution with these logits [..., C], over the last axis:
/// softmax((logits + noise) / temperature), noise from the standard Gumbel distribution.
/// Source: Jang et al. 2017, arXiv:1611.01144, eq. 2.   @throws NumericError unless temperature > 0.
Var gumbel_softmax(const Var& logits, Rng& rng, const GumbelOptions& options = {});

/// The same for rows that hold several distributions side by side, as generators of tables have them: the last axis is
/// cut into blocks of these sizes. A block of one column gives 1; put where() behind it for a column of another kind.
/// @throws ShapeError unless the sizes are positive and add up to the last axis.
Var gumbel_softmax_blocks(const Var& logits, std::span<const std::int64_t> blocks, Rng& rng,
                          const GumbelOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/softmax_impl.hpp>
#endif
