// synthdata/data/gaussian_mixture.hpp: mixtures of normal distributions, fitted by maximum likelihood or by
// variational Bayes.
//
// Sources: Dempster, Laird and Rubin 1977 (EM); Arthur and Vassilvitskii 2007 (k-means++, the start); Bishop 2006,
// "Pattern Recognition and Machine Learning", section 10.2, and Blei and Jordan 2006 (variational Bayes with
// stick-breaking weights). Same start, same priors: the same numbers as scikit-learn's GaussianMixture and
// BayesianGaussianMixture.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

#include <string>
#include <vector>

namespace synthdata {

struct Archive;

enum class Covariance : std::uint8_t { full, diagonal };

struct MixtureOptions {
  std::int64_t components = 1;  ///< 1 ... 1000; a bound if `bayesian`
  Covariance covariance = Covariance::full;
  /// Variational Bayes with weights of a Dirichlet process: components that are not needed lose their weight.
  bool bayesian = false;
  double concentration = 0.0;  ///< bayesian: of the process; small for few components; 0 means 1 / components
  std::int64_t max_iterations = 100;
  double tolerance = 1e-3;         ///< ends when log-likelihood a row, or the variational bound, changes by less
  double covariance_floor = 1e-6;  ///< added to the variances, in squared units of the data
  Tensor row_weights{};            ///< f64 [N], >= 0: how many rows each row stands for; undefined for one
  Tensor start{};                  ///< i64 [N]: the component of each row at the start; undefined for k-means++
};

/// A mixture of K normal distributions over d numbers.
class GaussianMixture {
 public:
  GaussianMixture() = default;
  /// A given mixture. @param weights [K], above 0, made to sum to 1; means [K, d]; covariances [K, d, d] or, diagonal,
  /// [K, d]; all f64. @throws ShapeError, NumericError unless positive definite
  GaussianMixture(const Tensor& weights, const Tensor& means, const Tensor& covariances);

  /// Fits x [N, d] or [N], f32 or f64. The same for any number of threads.
  /// Cost: an iteration takes O(N K d) for diagonal, O(N K d^2) for full covariances; d = 1 is vectorised.
  /// @throws ShapeError, DTypeError; NumericError for options out of range, a value that is not finite, or no row.
  static GaussianMixture fit(const Tensor& x, const MixtureOptions& options, Rng& rng);

  std::int64_t components() const { return means_.defined() ? means_.shape(0) : 0; }
  std::int64_t dimensions() const { return means_.defined() ? means_.shape(1) : 0; }
  const Tensor& weights() const { return weights_; }          ///< f64 [K], they sum to 1
  const Tensor& means() const { return means_; }              ///< f64 [K, d]
  const Tensor& covariances() const { return covariances_; }  ///< f64 [K, d, d], or [K, d] if diagonal

  /// f64 [K]: what is added to the log density of each component; the logarithms of the weights unless bayesian.
  const Tensor& log_weights() const { return log_weights_; }

  std::int64_t iterations() const { return iterations_; }
  bool converged() const { return converged_; }
  /// Mean log-likelihood of a row at the last iteration; bayesian: the variational bound, less a constant.
  double bound() const { return bound_; }

  /// log p(x) in nats, f64 [N]; bayesian: with the expected logarithms of the posterior in place of the parameters.
  Tensor log_prob(const Tensor& x) const;
  /// p(component | x), f64 [N, K].
  Tensor responsibilities(const Tensor& x) const;
  /// The likeliest component of each row, i64 [N].
  Tensor labels(const Tensor& x) const;
  /// Draws n rows, f64 [n, d].
  Tensor sample(std::int64_t n, Rng& rng) const;

  /// As tensors `prefix.weights` and so on. load() @throws DataError for what no mixture is.
  void save(Archive& archive, const std::string& prefix) const;
  static GaussianMixture load(const Archive& archive, const std::string& prefix);

 private:
  void prepare();

  Tensor weights_, means_, covariances_;
  Tensor log_weights_;               // [K]; bayesian: expectations under the posterior
  std::vector<double> triangles_{};  // [K, d, d] or [K, d]: L^-1 with covariance = L L'
  std::vector<double> offsets_{};    // [K]: log_weights + log det L^-1 - d/2 log 2 pi
  std::int64_t iterations_ = 0;
  bool converged_ = false;
  double bound_ = 0.0;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/gaussian_mixture_impl.hpp>
#endif
