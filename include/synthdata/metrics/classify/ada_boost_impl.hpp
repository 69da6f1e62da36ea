// synthdata/metrics/classify/ada_boost_impl.hpp: bodies of classify/ada_boost.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/ada_boost.hpp>
#include <synthdata/metrics/classify/decision_tree_impl.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

namespace detail {
/// (K - 1) (log p - mean log p), the vote of one tree by its probabilities.
inline void probability_vote(const double* p, double* vote, std::int64_t classes) {
  double mean = 0.0;
  for (std::int64_t k = 0; k < classes; ++k) {
    vote[k] = std::log(std::max(p[k], std::numeric_limits<double>::epsilon()));
    mean += vote[k] / static_cast<double>(classes);
  }
  for (std::int64_t k = 0; k < classes; ++k) vote[k] = (vote[k] - mean) * static_cast<double>(classes - 1);
}
}  // namespace detail

SYNTHDATA_INLINE AdaBoost::AdaBoost(const AdaBoostOptions& options) : options_(options) {
  if (options.estimators < 1 || !(options.learning_rate > 0.0) || options.max_depth < 1) {
    throw NumericError(concat("ada_boost: expects estimators >= 1, learning_rate > 0, max_depth >= 1, got ",
                              options.estimators, ", ", options.learning_rate, ", ", options.max_depth));
  }
}

SYNTHDATA_INLINE void AdaBoost::fit(const Tensor& x, const Tensor& y) {
  const detail::TrainingRows rows = detail::training_rows(name, x, y);
  const detail::RankedColumns columns(rows);
  const bool by_vote = options_.algorithm == AdaBoostOptions::Algorithm::samme;
  const auto count = static_cast<std::size_t>(rows.rows);
  const auto classes = static_cast<double>(rows.classes);
  width_ = rows.width;
  classes_ = rows.classes;
  trees_.clear();
  votes_.clear();
  std::vector<double> weights(count, 1.0 / static_cast<double>(rows.rows)), vote(static_cast<std::size_t>(classes_));
  std::vector<std::uint8_t> wrong(count);
  for (std::int64_t round = 0; round < options_.estimators; ++round) {
    DecisionTree tree({.max_depth = options_.max_depth});
    tree.fit(columns, y.span<std::int64_t>(), rows.classes, weights);
    double error = 0.0, total = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      const double* share = tree.leaf(rows.x + static_cast<std::int64_t>(i) * width_);
      wrong[i] = std::max_element(share, share + classes_) - share != rows.y[i];
      error += wrong[i] * weights[i];
      total += weights[i];
    }
    error /= total;
    if (by_vote && classes_ > 1 && error >= 1.0 - 1.0 / classes) {
      if (trees_.empty()) trees_.push_back(std::move(tree)), votes_.push_back(1.0);
      return;
    }
    const bool last = round + 1 == options_.estimators || error <= 0.0 || classes_ < 2;
    double weight = 1.0;
    if (by_vote && error > 0.0) {
      weight = options_.learning_rate * (std::log((1.0 - error) / error) + std::log(classes - 1.0));
    }
    if (!last) {
      double sum = 0.0;
      for (std::size_t i = 0; i < count; ++i) {
        if (by_vote) {
          if (wrong[i] != 0) weights[i] *= std::exp(weight);
        } else {
          detail::probability_vote(tree.leaf(rows.x + static_cast<std::int64_t>(i) * width_), vote.data(), classes_);
          // The sum over classes of code times log p, with 1 for the row's class and -1/(K-1) for the others, is
          // vote / (K - 1) times K / (K - 1).
          const double agreement =
              vote[static_cast<std::size_t>(rows.y[i])] * classes / ((classes - 1.0) * (classes - 1.0));
          weights[i] *= std::exp(-options_.learning_rate * (classes - 1.0) / classes * agreement);
        }
        sum += weights[i];
      }
      if (!(sum > 0.0) || !std::isfinite(sum)) throw NumericError("ada_boost: the weights of the rows became infinite");
      for (double& w : weights) w /= sum;
    }
    trees_.push_back(std::move(tree));
    votes_.push_back(weight);
    if (last) return;
  }
}

SYNTHDATA_INLINE Tensor AdaBoost::probabilities(const Tensor& x) const {
  const double* rows = detail::rows_to_classify(name, x, width_);
  Tensor out = Tensor::zeros({x.shape(0), classes_}, DType::f64, Device::cpu());
  double* to = out.data<double>();
  const bool by_vote = options_.algorithm == AdaBoostOptions::Algorithm::samme;
  const auto others = static_cast<double>(std::max<std::int64_t>(classes_ - 1, 1));
  double all = 0.0;
  for (const double vote : votes_) all += vote;
  parallel_for(x.shape(0), 512, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> vote(static_cast<std::size_t>(classes_));
    for (std::int64_t i = begin; i < end; ++i) {
      double* p = to + i * classes_;
      for (std::size_t t = 0; t < trees_.size(); ++t) {
        const double* share = trees_[t].leaf(rows + i * width_);
        if (by_vote) {
          const std::int64_t best = std::max_element(share, share + classes_) - share;
          for (std::int64_t k = 0; k < classes_; ++k) p[k] += (k == best ? 1.0 : -1.0 / others) * votes_[t];
        } else {
          detail::probability_vote(share, vote.data(), classes_);
          for (std::int64_t k = 0; k < classes_; ++k) p[k] += vote[static_cast<std::size_t>(k)];
        }
      }
      double high = -std::numeric_limits<double>::infinity(), sum = 0.0;
      for (std::int64_t k = 0; k < classes_; ++k) high = std::max(high, p[k] /= all * others);
      for (std::int64_t k = 0; k < classes_; ++k) sum += p[k] = std::exp(p[k] - high);
      for (std::int64_t k = 0; k < classes_; ++k) p[k] /= sum;
    }
  });
  return out;
}

}  // namespace synthdata
