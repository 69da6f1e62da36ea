// synthdata/metrics/classify/class_scores_impl.hpp: bodies of classify/class_scores.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/class_scores.hpp>
#include <synthdata/metrics/classify/classifier_impl.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {

SYNTHDATA_INLINE RocAuc roc_auc(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  if (scores.size() != positive.size()) {
    throw ShapeError(concat("roc_auc: ", scores.size(), " scores for ", positive.size(), " rows"));
  }
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::size_t> order(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double positives = 0.0, negatives = 0.0;
  for (const std::uint8_t p : positive) (p != 0 ? positives : negatives) += 1.0;
  if (positives == 0.0 || negatives == 0.0) return {none, none};

  // For each row the share of the other kind that lies on the right side of it, ties half.
  std::vector<double> share(scores.size());
  double below_positive = 0.0, below_negative = 0.0, sum = 0.0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    double same_positive = 0.0, same_negative = 0.0;
    for (; end < order.size() && scores[order[end]] == scores[order[i]]; ++end) {
      (positive[order[end]] != 0 ? same_positive : same_negative) += 1.0;
    }
    end = std::max(end, i + 1);  // a score that is not a number is equal to none
    for (; i < end; ++i) {
      const bool up = positive[order[i]] != 0;
      share[order[i]] = up ? (below_negative + same_negative / 2.0) / negatives
                           : 1.0 - (below_positive + same_positive / 2.0) / positives;
      if (up) sum += below_negative + same_negative / 2.0;
    }
    below_positive += same_positive;
    below_negative += same_negative;
  }
  const double value = sum / positives / negatives;
  if (positives < 2.0 || negatives < 2.0) return {value, none};
  double up = 0.0, down = 0.0;
  for (std::size_t i = 0; i < share.size(); ++i) {
    (positive[i] != 0 ? up : down) += (share[i] - value) * (share[i] - value);
  }
  return {value, up / (positives - 1.0) / positives + down / (negatives - 1.0) / negatives};
}

SYNTHDATA_INLINE ClassScores class_scores(const Tensor& truth, const Tensor& probabilities, std::int64_t positive) {
  const detail::TrainingRows rows = detail::training_rows("class_scores", probabilities, truth);
  const std::int64_t classes = rows.width;
  if (rows.classes > classes || positive < 0 || positive >= std::max<std::int64_t>(classes, 2)) {
    throw NumericError(concat("class_scores: expects classes below ", classes, ", got ", rows.classes - 1,
                              " and the positive one ", positive));
  }
  const auto kinds = static_cast<std::size_t>(classes);
  std::vector<double> hits(kinds, 0.0), actual(kinds, 0.0), predicted(kinds, 0.0);
  const std::vector<std::int64_t> guesses = detail::likeliest(probabilities);
  const auto n = static_cast<double>(rows.rows);
  ClassScores scores;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const auto is = static_cast<std::size_t>(rows.y[i]),
               guess = static_cast<std::size_t>(guesses[static_cast<std::size_t>(i)]);
    actual[is] += 1.0;
    predicted[guess] += 1.0;
    if (is == guess) hits[is] += 1.0, scores.accuracy += 1.0;
    const double p = rows.x[i * classes + rows.y[i]];
    constexpr double least = std::numeric_limits<double>::epsilon();
    scores.log_loss -= std::log(std::clamp(p, least, 1.0 - least)) / n;
  }
  scores.accuracy /= n;
  double present = 0.0;
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  scores.f1 = none;
  double areas = 0.0;
  std::vector<double> column(static_cast<std::size_t>(rows.rows));
  std::vector<std::uint8_t> of_class(column.size());
  for (std::size_t k = 0; k < kinds; ++k) {
    const double both = actual[k] + predicted[k], f1 = both > 0.0 ? 2.0 * hits[k] / both : 0.0;
    if (both > 0.0) scores.f1_macro += f1, present += 1.0;
    scores.f1_weighted += f1 * actual[k] / n;
    const bool looked_at = kinds > 2 || (kinds == 2 && static_cast<std::int64_t>(k) == positive);
    if (kinds == 2 && looked_at) scores.f1 = f1;
    if (!looked_at) continue;
    for (std::size_t i = 0; i < column.size(); ++i) {
      column[i] = rows.x[i * kinds + k];
      of_class[i] = rows.y[i] == static_cast<std::int64_t>(k);
    }
    areas += roc_auc(column, of_class).value;
  }
  scores.f1_macro /= present;
  scores.roc_auc = kinds > 2 ? areas / static_cast<double>(kinds) : kinds == 2 ? areas : none;
  return scores;
}

}  // namespace synthdata
