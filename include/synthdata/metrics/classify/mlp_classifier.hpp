// synthdata/metrics/classify/mlp_classifier.hpp: a fully connected net as a classifier.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/classifier.hpp>
#include <synthdata/models/mlp.hpp>

#include <optional>

namespace synthdata {

struct MlpClassifierOptions {
  std::vector<std::int64_t> hidden = {50};  ///< widths of the hidden layers
  std::int64_t max_epochs = 50;
  std::int64_t batch_size = 200;
  double learning_rate = 1e-3;
  double penalty = 1e-4;    ///< penalty / (2 rows of the batch) |weights|² is added to the loss; biases are free
  double tolerance = 1e-4;  ///< ends after `patience` epochs in which the mean loss fell by less
  std::int64_t patience = 10;
  std::uint64_t seed = 0;
};

/// Rectified hidden layers and softmax, trained by Adam on the mean cross-entropy of shuffled batches, from weights as
/// in Glorot and Bengio 2010; the setting of scikit-learn's MLPClassifier. Runs on the CPU, in f32: bring the columns
/// to one scale first.
class MlpClassifier {
 public:
  static constexpr const char* name = "mlp";

  explicit MlpClassifier(const MlpClassifierOptions& options = {});

  /// @throws as detail::training_rows, NumericError if the loss becomes infinite.
  void fit(const Tensor& x, const Tensor& y);
  Tensor probabilities(const Tensor& x) const;

 private:
  MlpClassifierOptions options_;
  std::int64_t width_ = -1, classes_ = 0;
  std::optional<models::Mlp> net_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/mlp_classifier_impl.hpp>
#endif
