// synthdata/metrics/classify/class_scores.hpp: how well classes were predicted.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <span>

namespace synthdata {

/// Scores of predictions; the likeliest class, the first of equally likely ones, counts as predicted.
struct ClassScores {
  double accuracy = 0.0;
  double f1 = 0.0;           ///< of the positive class: 2 hits / (2 hits + misses + false alarms); NaN unless K = 2
  double f1_macro = 0.0;     ///< mean over classes that are true or predicted somewhere
  double f1_weighted = 0.0;  ///< mean over rows of the F1 of the row's true class
  double roc_auc = 0.0;      ///< of the positive class; for K > 2 the mean of each class against the others
  double log_loss = 0.0;     ///< mean of -log p(true class), nats; p is at least 2e-16
};

/// The same numbers as scikit-learn's functions of these names. NaN where a score has no value: roc_auc if a class or
/// its opposite has no row.
/// @param truth          [N] i64, 0 ... K - 1, N >= 1
/// @param probabilities  [N, K] f64
/// @param positive       the class that f1 and roc_auc look at, for K = 2
/// @throws ShapeError, DTypeError, NumericError for other operands.
ClassScores class_scores(const Tensor& truth, const Tensor& probabilities, std::int64_t positive = 1);

/// Area under the ROC curve with its uncertainty.
struct RocAuc {
  double value = 0.0;     ///< chance that a positive row has the higher score; ties count half. NaN if there is none
  double variance = 0.0;  ///< DeLong, DeLong and Clarke-Pearson 1988, doi 10.2307/2531595; NaN below 2 rows of each
};
/// @param positive  1 for the rows that should have high scores, 0 for the others
/// @throws ShapeError if the lengths differ.   Cost: N log N
RocAuc roc_auc(std::span<const double> scores, std::span<const std::uint8_t> positive);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/class_scores_impl.hpp>
#endif
