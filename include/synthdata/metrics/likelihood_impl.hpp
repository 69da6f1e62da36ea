// synthdata/metrics/likelihood_impl.hpp: bodies of likelihood.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/likelihood.hpp>

namespace synthdata {
namespace detail {

inline double mean_log_prob(const GaussianMixture& mixture, const Tensor& points) {
  double sum = 0.0;
  for (const double one : mixture.log_prob(points).span<double>()) sum += one;
  return sum / static_cast<double>(points.shape(0));
}

}  // namespace detail

SYNTHDATA_INLINE GaussianMixture density_of(const toy::GaussianMixture& points) {
  const std::int64_t k = points.modes(), d = points.centres().shape(1);
  Tensor means = Tensor::empty({k, d}, DType::f64, Device::cpu());
  for (std::int64_t i = 0; i < k * d; ++i) {
    means.data<double>()[i] = static_cast<double>(points.centres().data<float>()[i]);
  }
  Tensor covariances = Tensor::zeros({k, d, d}, DType::f64, Device::cpu());
  const auto deviation = static_cast<double>(points.noise_std());
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t a = 0; a < d; ++a) covariances.data<double>()[(i * d + a) * d + a] = deviation * deviation;
  }
  const std::vector<double> weights(static_cast<std::size_t>(k), 1.0 / static_cast<double>(k));
  return GaussianMixture(Tensor::from(weights), means, covariances);
}

SYNTHDATA_INLINE LikelihoodFitness likelihood_fitness(const GaussianMixture& truth, const Tensor& synthetic,
                                                      const Tensor& test, const LikelihoodOptions& options) {
  if (options.starts < 0) {
    throw NumericError(concat("likelihood_fitness: expects starts >= 0, got ", options.starts));
  }
  for (const Tensor* points : {&synthetic, &test}) {
    if (points->rank() != 2 || points->shape(1) != truth.dimensions() || points->shape(0) < 1) {
      throw_shape("likelihood_fitness", concat("expects points [N, ", truth.dimensions(), "] with N >= 1"),
                  {{"synthetic", synthetic}, {"test", test}});
    }
  }
  MixtureOptions mixture{.components = truth.components(),
                         .tolerance = 1e-4,
                         .covariance_floor = options.covariance_floor,
                         .start = truth.labels(synthetic)};
  Rng rng(options.seed);
  GaussianMixture best = GaussianMixture::fit(synthetic, mixture, rng);
  mixture.start = {};
  for (std::int64_t i = 0; i < options.starts; ++i) {
    GaussianMixture other = GaussianMixture::fit(synthetic, mixture, rng);
    if (other.bound() > best.bound()) best = std::move(other);
  }
  return {detail::mean_log_prob(truth, synthetic), detail::mean_log_prob(best, test)};
}

}  // namespace synthdata
