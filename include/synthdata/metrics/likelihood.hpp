// synthdata/metrics/likelihood.hpp: likelihood fitness, how well a model learnt a distribution that is known.
//
// Source: Xu et al. 2019, arXiv:1907.00503, section 5.1. Points are drawn from a known mixture of Gaussians, a model
// learns them, and the points it makes are judged twice: by the known mixture, which punishes points where none belong,
// and by a mixture fitted to them that has to explain fresh points, which punishes modes that were lost.
//
//   const auto known = toy::grid({.noise_std = std::sqrt(0.05f), .points = 10000});
//   const LikelihoodFitness fit = likelihood_fitness(density_of(known), made, known.generate(10000, rng));
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/gaussian_mixture.hpp>
#include <synthdata/data/toy.hpp>

namespace synthdata {

/// The distribution that a toy set is drawn from, as a mixture with full covariances in f64.
GaussianMixture density_of(const toy::GaussianMixture& points);

/// Both in nats a point. Trap: the first alone is high for a model that makes few modes, or makes them too narrow; the
/// second alone for one that makes them too wide. Even points of the truth itself reach its own mean log density only
/// within 1 / sqrt(points) or so.
struct LikelihoodFitness {
  double synthetic = 0.0;  ///< mean log density of the synthetic points under the truth, "L_syn"
  double test = 0.0;  ///< mean log density of the test points under a mixture fitted to the synthetic ones, "L_test"
};

struct LikelihoodOptions {
  /// The mixture is fitted from the truth's own components and from so many k-means++ starts; the likeliest is taken.
  std::int64_t starts = 3;
  double covariance_floor = 1e-4;  ///< added to fitted variances, so that points on top of each other have a density
  std::uint64_t seed = 0;
};

/// @param truth            K components over d numbers
/// @param synthetic, test  [N, d], [M, d], f32 or f64; the fitted mixture has K components with full covariances
/// @throws ShapeError, DTypeError; NumericError for a value that is not finite, or no rows
/// Cost: starts + 1 fits of O(N K d²) an iteration, at most 100 each.
LikelihoodFitness likelihood_fitness(const GaussianMixture& truth, const Tensor& synthetic, const Tensor& test,
                                     const LikelihoodOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/likelihood_impl.hpp>
#endif
