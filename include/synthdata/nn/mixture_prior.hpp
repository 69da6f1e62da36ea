// synthdata/nn/mixture_prior.hpp: a mixture of normal distributions that is learnt together with the nets around it.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

namespace synthdata {

/// The distribution of latent vectors of a variational autoencoder, where N(0, 1) fits what its encoder makes of the
/// data too badly: K normal distributions with a deviation for each place. (Fitted to given vectors, once, by maximum
/// likelihood: GaussianMixture.)
///
/// Source: Tomczak and Welling 2018, "VAE with a VampPrior", arXiv:1705.07120, there the mixture of Gaussians in
/// table 1.
class MixturePrior {
 public:
  static constexpr const char* kind = "mixture_prior";

  /// Components start with equal weights, means of N(0, 0.05^2) and deviation 1.
  /// @throws ShapeError unless both are 1 or more.
  MixturePrior(std::int64_t components, std::int64_t latent, Rng& rng);

  /// Log density in nats, [N].   @param z  [N, latent]
  ///
  /// By two products, which cancel for components much narrower than they are far from 0: with f32 the error is about
  /// 1e-7 (mean / deviation)^2 a place.
  Var log_prob(const Var& z) const;
  Var operator()(const Var& z) const { return log_prob(z); }
  /// n latent vectors, f32 [n, latent]. @throws DTypeError, DeviceError unless the parameters are f32 on the CPU.
  Tensor sample(std::int64_t n, Rng& rng) const;

  std::int64_t components() const { return logits_.value().size(); }
  std::int64_t latent() const { return mean_.value().shape(1); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("mean", self.mean_);
    v("log_deviation", self.log_deviation_);
    v("logits", self.logits_);
  }

 private:
  Param mean_, log_deviation_;  // [K, latent]
  Param logits_;                // [K], weights before softmax
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/mixture_prior_impl.hpp>
#endif
