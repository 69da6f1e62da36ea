// synthdata/metrics/detection_impl.hpp: bodies of detection.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/metrics/detection.hpp>
#include <synthdata/metrics/usefulness_impl.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE std::vector<Evaluator> detection_evaluators() {
  return {{"logistic_regression", LogisticRegression(), FeatureEncoding::standardised},
          {"gradient_boosting", GradientBoosting(), FeatureEncoding::native}};
}

namespace detail {

/// The real column's rows, then the synthetic one's; categories may have other names.
SYNTHDATA_INLINE Column joined_column(const Column& real, const Column& synthetic) {
  if (is_continuous(real)) {
    std::vector<double> values = all_numbers(real);
    const std::vector<double> more = all_numbers(synthetic);
    values.insert(values.end(), more.begin(), more.end());
    std::vector<bool> missing(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) missing[i] = std::isnan(values[i]);
    return Column::reals(real.name(), values, missing);
  }
  const JointCodes both = joint_codes(real, synthetic);
  std::vector<std::int64_t> codes(both.real.begin(), both.real.end());
  codes.insert(codes.end(), both.synthetic.begin(), both.synthetic.end());
  std::vector<bool> missing(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    missing[i] = codes[i] < 0;
    if (missing[i]) codes[i] = 0;
  }
  std::vector<std::string> names;
  for (std::int32_t c = 0; c < std::max<std::int32_t>(both.count, 1); ++c) names.push_back(concat(c));
  return Column::categorical(real.name(), codes, std::move(names), missing);
}

}  // namespace detail

SYNTHDATA_INLINE DetectionReport detection_score(const Table& real, const Table& synthetic,
                                                 const DetectionOptions& options) {
  if (options.folds < 2) throw NumericError(concat("detection_score: expects 2 folds or more, got ", options.folds));
  for (const Table* table : {&real, &synthetic}) {
    if (table->size() < options.folds) {
      throw DataError(concat("detection_score: expects at least ", options.folds, " rows of each table, the ",
                             table == &real ? "real" : "synthetic", " one has ", table->size()));
    }
  }
  std::vector<Column> reals, joined;
  for (const Column& column : real.columns()) {
    if (!detail::is_text(column)) reals.push_back(column);
  }
  const std::vector<Column> others = detail::matching_columns("detection_score", Table(reals), synthetic);
  for (std::size_t c = 0; c < reals.size(); ++c) joined.push_back(detail::joined_column(reals[c], others[c]));
  if (joined.empty()) throw DataError("detection_score: no column has values that can be compared");
  const Table all(std::move(joined));

  // Both tables are cut into folds, so that each has its share of both.
  const Rng rng(options.seed);
  std::vector<std::int64_t> fold_of(static_cast<std::size_t>(all.size()));
  for (const bool made : {false, true}) {
    const std::int64_t first = made ? real.size() : 0, count = made ? synthetic.size() : real.size();
    const std::vector<std::int64_t> order = rng.split(made ? 1 : 0).permutation(count);
    for (std::int64_t i = 0; i < count; ++i) {
      fold_of[static_cast<std::size_t>(first + order[static_cast<std::size_t>(i)])] = i % options.folds;
    }
  }
  DetectionReport report;
  report.real_rows = real.size();
  report.synthetic_rows = synthetic.size();
  const auto folds = static_cast<double>(options.folds);
  for (const Evaluator& evaluator : options.evaluators.empty() ? detection_evaluators() : options.evaluators) {
    DetectionResult result{.classifier = evaluator.name};
    double variance = 0.0;
    for (std::int64_t fold = 0; fold < options.folds; ++fold) {
      std::vector<std::int64_t> train, test, labels;
      std::vector<std::uint8_t> is_real;
      for (std::int64_t row = 0; row < all.size(); ++row) {
        if (fold_of[static_cast<std::size_t>(row)] == fold) {
          test.push_back(row);
          is_real.push_back(row < real.size());
        } else {
          train.push_back(row);
          labels.push_back(row < real.size());
        }
      }
      const Tensor p =
          detail::learn_and_predict(evaluator, all.take(train), Tensor::from(labels, Device::cpu()), all.take(test), 2);
      std::vector<double> scores(test.size());
      for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = p.data<double>()[2 * i + 1];
      const RocAuc auc = roc_auc(scores, is_real);
      result.auc += auc.value / folds;
      result.score += (1.0 - 2.0 * std::max(auc.value - 0.5, 0.0)) / folds;
      variance += auc.variance / (folds * folds);
    }
    const double reach = 1.959963984540054 * std::sqrt(variance);
    result.low = std::max(0.0, result.auc - reach);
    result.high = std::min(1.0, result.auc + reach);
    if (std::isnan(variance)) result.low = result.high = detail::no_score;
    report.results.push_back(result);
  }
  return report;
}

SYNTHDATA_INLINE std::string DetectionReport::str() const {
  std::size_t width = 10;
  for (const DetectionResult& result : results) width = std::max(width, result.classifier.size());
  std::string out = concat("classifier", std::string(width - 10, ' '), "   score  ROC-AUC  95 % interval\n");
  for (const DetectionResult& result : results) {
    out += concat(result.classifier, std::string(width - result.classifier.size(), ' '), "  ",
                  detail::score_text(result.score), "   ", detail::score_text(result.auc), "  ",
                  detail::score_text(result.low), " to ", detail::score_text(result.high), '\n');
  }
  return out;
}

SYNTHDATA_INLINE Json DetectionReport::json() const {
  Json::Array all;
  for (const DetectionResult& result : results) {
    all.push_back(Json::Object{{"classifier", result.classifier},
                               {"score", result.score},
                               {"auc", result.auc},
                               {"low", result.low},
                               {"high", result.high}});
  }
  return Json::Object{{"real_rows", real_rows}, {"synthetic_rows", synthetic_rows}, {"results", std::move(all)}};
}

}  // namespace synthdata
