// synthdata/metrics/classify/ada_boost.hpp: boosted stumps.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/decision_tree.hpp>

namespace synthdata {

struct AdaBoostOptions {
  enum class Algorithm : std::uint8_t {
    samme,    ///< each tree votes for one class; scikit-learn's since 1.6
    samme_r,  ///< each tree gives its probabilities; scikit-learn's default before, and so SDGym's
  };
  std::int64_t estimators = 50;
  double learning_rate = 1.0;
  std::int64_t max_depth = 1;  ///< of each tree
  Algorithm algorithm = Algorithm::samme;
};

/// Trees fitted one after the other, each to rows that count the more, the worse those before did on them.
/// Source: Zhu, Zou, Rosset and Hastie 2009, "Multi-class AdaBoost", Statistics and Its Interface 2, algorithms 2
/// and 4.
class AdaBoost {
 public:
  static constexpr const char* name = "ada_boost";

  explicit AdaBoost(const AdaBoostOptions& options = {});

  /// Ends early when a tree makes no error, or (samme) one no better than chance, which is then left out unless it is
  /// the first. @throws as detail::training_rows.
  void fit(const Tensor& x, const Tensor& y);
  /// Softmax of the votes, [N, K] f64. Trap: far from 0 and 1, not calibrated.
  Tensor probabilities(const Tensor& x) const;

  std::int64_t estimators() const { return static_cast<std::int64_t>(trees_.size()); }

 private:
  AdaBoostOptions options_;
  std::int64_t width_ = -1, classes_ = 0;
  std::vector<DecisionTree> trees_;
  std::vector<double> votes_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/ada_boost_impl.hpp>
#endif
