// synthdata/gan/loss.hpp: adversarial losses.
//
// A loss is a small object that the trainer calls with raw critic scores; the trainer never asks which one it holds.
// Every loss is a scalar, in nats or score units per sample, and is minimised by the net it is named after.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/reduce.hpp>

namespace synthdata {

/// critic(real, fake) and generator(fake), or generator(real, fake) for relativistic losses.
template <class L>
concept AdversarialLoss =
    requires(const L& loss, const Var& scores) {
      { loss.critic(scores, scores) } -> std::convertible_to<Var>;
    } &&
    (
        requires(const L& loss, const Var& scores) {
          { loss.generator(scores) } -> std::convertible_to<Var>;
        } ||
        requires(const L& loss, const Var& scores) {
          { loss.generator(scores, scores) } -> std::convertible_to<Var>;
        });

/// The original game: both play for the same number. The generator's gradient vanishes while the critic is sure.
/// Source: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.
struct Minimax {
  double label_smoothing = 0.0;  ///< real samples count as this share fake; one-sided (Salimans et al. 2016)
  Var critic(const Var& real, const Var& fake) const {
    Var loss = mean(softplus(-real)) + mean(softplus(fake));
    return label_smoothing != 0.0 ? loss + label_smoothing * mean(real) : loss;
  }
  Var generator(const Var& fake) const { return -mean(softplus(fake)); }
};

/// Non-saturating loss: the generator maximises the probability of being taken for real.
/// Source: Goodfellow et al. 2014, arXiv:1406.2661, end of section 3.
struct NonSaturating {
  double label_smoothing = 0.0;  ///< real samples count as this share fake; one-sided (Salimans et al. 2016)
  Var critic(const Var& real, const Var& fake) const { return Minimax{label_smoothing}.critic(real, fake); }
  Var generator(const Var& fake) const { return mean(softplus(-fake)); }
};

/// Least squares with targets 1 for real and 0 for fake. Source: Mao et al. 2017, arXiv:1611.04076, eq. 9.
struct LeastSquares {
  double label_smoothing = 0.0;  ///< the target of real samples is 1 - label_smoothing
  Var critic(const Var& real, const Var& fake) const {
    return 0.5 * (mean(square(real - (1.0 - label_smoothing))) + mean(square(fake)));
  }
  Var generator(const Var& fake) const { return 0.5 * mean(square(fake - 1.0)); }
};

/// Hinge loss. Source: Lim and Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eq. 16-17.
struct Hinge {
  Var critic(const Var& real, const Var& fake) const { return mean(relu(1.0 - real)) + mean(relu(1.0 + fake)); }
  Var generator(const Var& fake) const { return -mean(fake); }
};

/// Wasserstein distance by its dual. Source: Arjovsky et al. 2017, arXiv:1701.07875, alg. 1.
/// With clip > 0 the critic's weights are limited to [-clip, clip] after each of its steps (0.01 in the paper);
/// with clip = 0 add a GradientPenalty to the trainer instead.
struct Wasserstein {
  double clip = 0.0;
  Var critic(const Var& real, const Var& fake) const { return mean(fake) - mean(real); }
  Var generator(const Var& fake) const { return -mean(fake); }
  /// Called by the trainer after every critic step.
  void constrain(const std::vector<NamedParam>& critic_parameters) const {
    if (clip <= 0.0) return;
    for (const NamedParam& p : critic_parameters) p.param->assign(clamp(p.param->detach(), -clip, clip).value());
  }
};

/// The critic compares real with fake samples instead of judging each alone.
/// Source: Jolicoeur-Martineau 2019, arXiv:1807.00734: against the average of the other kind (eq. 10-11), or pairwise.
struct Relativistic {
  bool average = true;
  Var critic(const Var& real, const Var& fake) const { return compare(real, fake); }
  Var generator(const Var& real, const Var& fake) const { return compare(fake, real); }

 private:
  Var compare(const Var& higher, const Var& lower) const {
    if (!average) return mean(softplus(lower - higher));
    return 0.5 * (mean(softplus(mean(lower) - higher)) + mean(softplus(lower - mean(higher))));
  }
};

}  // namespace synthdata
