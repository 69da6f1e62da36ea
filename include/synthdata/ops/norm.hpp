// synthdata/ops/norm.hpp: batch, layer, group and instance normalisation.
//
// Each computes act((x - mean) / sqrt(variance + epsilon) gamma + beta), channels last; they differ in what mean and
// variance run over. gamma and beta are [C]; an undefined one counts as 1 or 0. The activation costs no extra pass.
// Value and first gradient are fused kernels; a gradient that is itself recorded is written in library operations.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/communicator.hpp>
#include <synthdata/ops/activation.hpp>

namespace synthdata {

/// What a training step adds to its running averages: mean and variance of each channel, [C].
/// The variance is divided by the count minus one, as PyTorch keeps it; the batch itself is normalised by the count.
struct BatchStatistics {
  Tensor mean, variance;
};

/// Batch normalisation in training: statistics over all axes but the last. x [..., C].
/// Source: Ioffe and Szegedy 2015, arXiv:1502.03167.
/// @param epsilon     added to the variance, > 0
/// @param statistics    receives the statistics of this batch unless null
/// @param communicator  unless null, the batch is that of all ranks: each of them calls this at the same place, and
///                      gradients, of any order, are those of the sum of all ranks' outputs. One small sum over the
///                      ranks forward and one backward.
/// @throws ShapeError if gamma or beta is not [C] or a channel has fewer than two values (none, with a communicator).
Var batch_norm(const Var& x, const Var& gamma = {}, const Var& beta = {}, double epsilon = 1e-5,
               const Activation& activation = {}, BatchStatistics* statistics = nullptr,
               Communicator* communicator = nullptr);
/// Batch normalisation with given statistics, [C] each. They carry no gradient.
Var batch_norm_inference(const Var& x, const Var& gamma, const Var& beta, const Tensor& mean, const Tensor& variance,
                         double epsilon = 1e-5, const Activation& activation = {});

/// Layer normalisation: statistics over the last axis of x [..., C].   Source: Ba et al. 2016, arXiv:1607.06450.
/// To normalise over all of an image, as the critic of WGAN-GP does, use group_norm with one group.
Var layer_norm(const Var& x, const Var& gamma = {}, const Var& beta = {}, double epsilon = 1e-5,
               const Activation& activation = {});
/// Group normalisation: statistics for each sample over the spatial axes and the C / groups channels of a group.
/// x [N, ..., C].   Source: Wu and He 2018, arXiv:1803.08494.   @throws ShapeError if groups do not divide C.
Var group_norm(const Var& x, std::int64_t groups, const Var& gamma = {}, const Var& beta = {}, double epsilon = 1e-5,
               const Activation& activation = {});
/// Instance normalisation: statistics for each sample and channel over the spatial axes of x [N, spatial..., C].
/// Source: Ulyanov et al. 2016, arXiv:1607.08022.   @throws ShapeError for x without spatial axes.
Var instance_norm(const Var& x, const Var& gamma = {}, const Var& beta = {}, double epsilon = 1e-5,
                  const Activation& activation = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/norm_impl.hpp>
#endif
