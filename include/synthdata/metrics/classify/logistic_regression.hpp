// synthdata/metrics/classify/logistic_regression.hpp: linear log-odds with an L2 penalty.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/classifier.hpp>

namespace synthdata {

struct LogisticRegressionOptions {
  double c = 1.0;  ///< the inverse of the penalty's strength
  std::int64_t max_iterations = 1000;
  double tolerance = 1e-6;  ///< of the largest slope, as a share of a row's weight
  ClassWeight class_weight = ClassWeight::equal;
};

/// Least sum over rows of -weight log p(class) + |coefficients|² / (2 c), as scikit-learn's LogisticRegression; the
/// intercepts are not penalised. Two classes have one vector of coefficients, more have one each (softmax). Found by
/// L-BFGS (Liu and Nocedal 1989, doi 10.1007/BF01589116) in columns brought to one scale: scikit-learn's own steps are
/// in the columns as given, where it often stops far from the least value if those differ in scale.
class LogisticRegression {
 public:
  static constexpr const char* name = "logistic_regression";

  explicit LogisticRegression(const LogisticRegressionOptions& options = {});

  /// Labels must not leave out a class. @throws as detail::training_rows, NumericError for a class without rows.
  void fit(const Tensor& x, const Tensor& y);
  Tensor probabilities(const Tensor& x) const;

  /// [1, D] f64, or [K, D] for more than two classes.
  const Tensor& coefficients() const { return coefficients_; }
  /// [1] or [K] f64.
  const Tensor& intercepts() const { return intercepts_; }
  /// False if max_iterations came before the tolerance was met.
  bool converged() const { return converged_; }
  std::int64_t iterations() const { return iterations_; }

 private:
  LogisticRegressionOptions options_;
  std::int64_t width_ = -1, classes_ = 0, iterations_ = 0;
  bool converged_ = false;
  Tensor coefficients_, intercepts_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/logistic_regression_impl.hpp>
#endif
