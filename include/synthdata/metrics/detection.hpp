// synthdata/metrics/detection.hpp: can a classifier tell synthetic rows from real ones?
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/usefulness.hpp>

namespace synthdata {

/// Logistic regression on standardised columns, which sees shifts of single columns, and gradient-boosted trees, which
/// see wrong combinations too.
std::vector<Evaluator> detection_evaluators();

struct DetectionOptions {
  std::int64_t folds = 3;
  std::uint64_t seed = 0;               ///< of the folds
  std::vector<Evaluator> evaluators{};  ///< empty for detection_evaluators()
};

/// One classifier's success.
struct DetectionResult {
  std::string classifier;
  double score = 0.0;            ///< mean over folds of 1 - 2 max(auc - 0.5, 0): 1 indistinguishable, 0 told apart
  double auc = 0.0;              ///< mean over folds of the area under the ROC curve, 0.5 for chance
  double low = 0.0, high = 0.0;  ///< 95 % interval of auc from the rows tested on (DeLong), the classifiers being given
};

struct DetectionReport {
  std::vector<DetectionResult> results;
  std::int64_t real_rows = 0, synthetic_rows = 0;

  std::string str() const;
  Json json() const;
};

/// Classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545): a classifier is trained on both tables but
/// one fold and tested on that, for each fold. `score` is defined as SDMetrics' LogisticDetection, whose columns are
/// scaled by quartiles, not by deviations. The continuous and discrete columns of `real` are used.
/// Traps: copies of real rows are undetectable (an area clearly below 0.5 points to them, since a copy's original is on
/// the other side in training); a format that is not kept, such as rounding, gives all rows away; few rows hide much.
/// @throws DataError as quality_report, and for fewer rows of a table than folds; NumericError unless folds >= 2.
DetectionReport detection_score(const Table& real, const Table& synthetic, const DetectionOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/detection_impl.hpp>
#endif
