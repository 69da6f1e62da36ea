// synthdata/ops/loss.hpp: the usual losses, each the mean over all its terms, a scalar.
//
// Operands of one loss have one shape: nothing is broadcast, because a loss that broadcasts by mistake still falls.
// (The adversarial losses live in the gan layer.)
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

struct CrossEntropyOptions {
  /// Share of the target spread evenly over all classes, in [0, 1). Source: Szegedy et al. 2016, arXiv:1512.00567, 7.
  double label_smoothing = 0.0;
};

/// -log(softmax(logits)[label]), mean over the batch, nats.
/// @param logits  [N, C]
/// @param labels  [N], i64 or i32, each in [0, C)
/// @throws ShapeError if the shapes do not fit, the batch is empty or a label is out of range; NumericError for
/// smoothing outside [0, 1).
Var cross_entropy(const Var& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

/// -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), mean, nats; finite for every finite x.
/// @param targets  probabilities in [0, 1]; not checked
Var binary_cross_entropy_with_logits(const Var& logits, const Var& targets);

/// Mean of (a - b)².
Var mse_loss(const Var& a, const Var& b);
/// Mean of |a - b|; slope 0 where they are equal.
Var l1_loss(const Var& a, const Var& b);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/loss_impl.hpp>
#endif
