// synthdata/metrics/usefulness.hpp: what a classifier learns from synthetic rows, tested on real ones.
//
// Each classifier is trained twice, on synthetic and on real rows, and both are tested on the same held-out real rows:
// the second is the ceiling, and shows whether the classifier fits the data at all. The test rows must not have been
// seen by the generator either.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/class_scores.hpp>
#include <synthdata/metrics/classify/classifier.hpp>
#include <synthdata/metrics/classify/feature_encoder.hpp>

#include <string>
#include <vector>

namespace synthdata {

/// A classifier and the numbers it wants.
struct Evaluator {
  std::string name;
  AnyClassifier classifier;
  FeatureEncoding encoding = FeatureEncoding::standardised;
};

/// The four of the CTGAN paper's benchmark, as in SDGym's evaluate.py for two classes: a tree of depth 15 with balanced
/// classes, AdaBoost of 50 stumps (SAMME.R, the default of its time), logistic regression with balanced classes, and a
/// net with one hidden layer of 50, trained for at most 50 epochs; columns as in FeatureEncoding::sdgym. Two
/// differences: logistic regression is fitted to the end, where SDGym stops after 50 steps, and the columns' ranges
/// come from the rows trained on, where SDGym takes those of all real rows. Source: Xu et al. 2019, arXiv:1907.00503.
std::vector<Evaluator> ctgan_evaluators(std::uint64_t seed = 0);
/// The same and gradient-boosted trees.
std::vector<Evaluator> standard_evaluators(std::uint64_t seed = 0);

struct UsefulnessOptions {
  /// The class that f1 and roc_auc look at where there are two; empty for the last in order.
  std::string positive{};
  std::uint64_t seed = 0;
  std::vector<Evaluator> evaluators{};  ///< empty for standard_evaluators(seed)
};

/// One classifier's scores on real test rows.
struct UsefulnessResult {
  std::string classifier;
  ClassScores synthetic, real;  ///< trained on synthetic, on real rows
};

struct UsefulnessReport {
  std::string target, positive;                                   ///< positive: empty unless there are two classes
  std::vector<std::string> classes;                               ///< in order: of numbers, or of texts
  std::int64_t synthetic_rows = 0, real_rows = 0, test_rows = 0;  ///< with a target
  double most_frequent = 0.0;  ///< accuracy of always naming the class most frequent in real_train
  std::vector<UsefulnessResult> results;
  ClassScores mean_synthetic, mean_real;  ///< over classifiers

  /// Two aligned lines a classifier, and their means.
  std::string str() const;
  Json json() const;
};

/// Trains on synthetic, tests on real, beside real on real. Rows without a target are left out; texts and identifiers
/// are no inputs. A class that the rows trained on lack gets probability 0.
/// @param target  a boolean, categorical or integer column with at most 100 values
/// @throws DataError for another target, columns that are missing or of another kind, or no row with a target.
/// Cost: for Adult, 23,000 rows twice, about 5 s of one thread, a third of it for the net.
UsefulnessReport usefulness_report(const Table& real_train, const Table& synthetic, const Table& real_test,
                                   const std::string& target, const UsefulnessOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/usefulness_impl.hpp>
#endif
