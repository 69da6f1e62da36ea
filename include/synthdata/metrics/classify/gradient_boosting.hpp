// synthdata/metrics/classify/gradient_boosting.hpp: boosted trees on binned columns.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/classifier.hpp>

namespace synthdata {

struct GradientBoostingOptions {
  std::int64_t iterations = 100;  ///< trees; for K > 2 classes K times as many
  double learning_rate = 0.1;
  std::int64_t max_leaves = 31;
  std::int64_t min_samples_leaf = 20;
  double l2 = 0.0;              ///< added to the curvature of a leaf
  std::int64_t max_bins = 255;  ///< of a column, 2 to 255; missing values have one more
  /// Columns whose values are category numbers (whole, 0 or more), in any order; see FeatureEncoder::categorical().
  std::vector<std::int64_t> categorical = {};
};

namespace detail {

/// How values of a column become bins.
struct ColumnBins {
  std::vector<double> edges;              // numbers: bin i holds values in (edge i - 1, edge i]
  std::vector<std::int16_t> of_category;  // categories: -1 for those that count as missing
  bool categorical = false;
  bool missing = false;                  // some value of the training set
  std::int32_t count = 1;                // bins without the one of missing values, which comes last
  std::uint8_t bin(double value) const;  // `count` for a missing value
};

/// A node of a boosted tree; bins asked for go left.
struct BoostedNode {
  std::int32_t feature = -1, left = 0, right = 0;
  std::int32_t bin = 0;    // numbers: bins up to this one
  std::int32_t bits = -1;  // categories: place of 4 x 64 bits in BoostedTree::bits
  bool missing_left = false;
  double value = 0.0;  // of a leaf
};
struct BoostedTree {
  std::vector<BoostedNode> nodes;
  std::vector<std::uint64_t> bits;
};

}  // namespace detail

/// Trees grown leaf by leaf, the best gain first, on histograms of gradients and curvatures of the log loss. Missing
/// values (NaN) go to the side that suits them better. Categories are ordered by mean gradient and split in two groups;
/// those with fewer than about 10 rows in a node go to the other side together.
/// As scikit-learn's HistGradientBoostingClassifier without early stopping, after Ke et al. 2017, "LightGBM: a highly
/// efficient gradient boosting decision tree", NIPS 30; for categories Fisher 1958, doi 10.2307/2281952.
class GradientBoosting {
 public:
  static constexpr const char* name = "gradient_boosting";

  explicit GradientBoosting(const GradientBoostingOptions& options = {});

  /// Of more than 255 categories the rarest count as missing. @throws as detail::training_rows, NumericError for a
  /// categorical column that is not there or has other values.
  void fit(const Tensor& x, const Tensor& y);
  /// A category that fit() did not see counts as missing.
  Tensor probabilities(const Tensor& x) const;

  /// The columns that hold category numbers, for a classifier that does not know its table yet.
  void set_categorical(std::vector<std::int64_t> columns) { options_.categorical = std::move(columns); }

 private:
  std::vector<std::uint8_t> binned(const double* x, std::int64_t rows) const;  // [D, rows]

  GradientBoostingOptions options_;
  std::int64_t width_ = -1, classes_ = 0, groups_ = 1;  // groups: trees an iteration
  std::vector<detail::ColumnBins> bins_;
  std::vector<double> start_;               // [groups], the raw scores before the first tree
  std::vector<detail::BoostedTree> trees_;  // iteration by iteration
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/gradient_boosting_impl.hpp>
#endif
