// synthdata/metrics/usefulness_impl.hpp: bodies of usefulness.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/ada_boost.hpp>
#include <synthdata/metrics/classify/decision_tree.hpp>
#include <synthdata/metrics/classify/feature_encoder_impl.hpp>
#include <synthdata/metrics/classify/gradient_boosting.hpp>
#include <synthdata/metrics/classify/logistic_regression.hpp>
#include <synthdata/metrics/classify/mlp_classifier.hpp>
#include <synthdata/metrics/quality_report_impl.hpp>
#include <synthdata/metrics/usefulness.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace synthdata {

SYNTHDATA_INLINE std::vector<Evaluator> ctgan_evaluators(std::uint64_t seed) {
  return {
      {"decision_tree", DecisionTree({.max_depth = 15, .class_weight = ClassWeight::balanced}), FeatureEncoding::sdgym},
      {"ada_boost", AdaBoost({.algorithm = AdaBoostOptions::Algorithm::samme_r}), FeatureEncoding::sdgym},
      {"logistic_regression", LogisticRegression({.class_weight = ClassWeight::balanced}), FeatureEncoding::sdgym},
      {"mlp", MlpClassifier({.hidden = {50}, .max_epochs = 50, .seed = seed}), FeatureEncoding::sdgym},
  };
}

SYNTHDATA_INLINE std::vector<Evaluator> standard_evaluators(std::uint64_t seed) {
  std::vector<Evaluator> all = ctgan_evaluators(seed);
  all.push_back({"gradient_boosting", GradientBoosting(), FeatureEncoding::native});
  return all;
}

namespace detail {

/// The classes of a target over several tables.
struct TargetClasses {
  std::vector<std::string> names;
  std::vector<double> values;  // of numbers
};

SYNTHDATA_INLINE TargetClasses target_classes(const std::vector<const Column*>& targets) {
  constexpr std::size_t most = 100;
  TargetClasses classes;
  const Column& first = *targets.front();
  if (!is_discrete(first) && first.type() != ColumnType::integer) {
    throw DataError(concat("usefulness_report: the target ", in_quotes(first.name()), " is ", first.type(),
                           "; expects a boolean, categorical or integer column"));
  }
  if (is_continuous(first)) {
    for (const Column* column : targets) {
      const std::vector<double> values = present_numbers(*column);
      classes.values.insert(classes.values.end(), values.begin(), values.end());
      std::sort(classes.values.begin(), classes.values.end());
      classes.values.erase(std::unique(classes.values.begin(), classes.values.end()), classes.values.end());
    }
    for (const double value : classes.values) classes.names.push_back(concat(value));
  } else {
    for (const Column* column : targets) {
      for (auto& [text, count] : counted_cells(*column)) classes.names.push_back(text);
    }
    std::sort(classes.names.begin(), classes.names.end());
    classes.names.erase(std::unique(classes.names.begin(), classes.names.end()), classes.names.end());
  }
  if (classes.names.size() > most) {
    throw DataError(concat("usefulness_report: the target ", in_quotes(first.name()), " has ", classes.names.size(),
                           " values; expects at most ", most));
  }
  return classes;
}

/// The rows of a table that have a target, without it, and their classes.
struct LabelledRows {
  Table table;
  Tensor labels;  // [N] i64
};

SYNTHDATA_INLINE LabelledRows labelled_rows(const char* what, const Table& table, const Column& target,
                                            const TargetClasses& classes) {
  std::vector<std::int64_t> kept, labels;
  const auto keep = [&](std::int64_t row, std::int64_t label) {
    kept.push_back(row);
    labels.push_back(label);
  };
  if (is_continuous(target)) {
    const std::vector<double> values = all_numbers(target);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      const auto at = std::lower_bound(classes.values.begin(), classes.values.end(), values[i]);
      keep(static_cast<std::int64_t>(i), at - classes.values.begin());
    }
  } else {
    const std::vector<std::int64_t> places = places_of_cells(target, classes.names);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] >= 0) keep(static_cast<std::int64_t>(i), places[i]);
    }
  }
  if (kept.empty()) {
    throw DataError(
        concat("usefulness_report: no row of the ", what, " table has a target ", in_quotes(target.name())));
  }
  return {kept.size() == static_cast<std::size_t>(table.size()) ? table : table.take(kept),
          Tensor::from(labels, Device::cpu())};
}

/// Probabilities [N, classes] for the rows `test` by a classifier fitted to `train`, which may lack classes.
SYNTHDATA_INLINE Tensor learn_and_predict(Evaluator evaluator, const Table& train, const Tensor& labels,
                                          const Table& test, std::int64_t classes) {
  const auto* given = labels.data<std::int64_t>();
  std::vector<std::int64_t> number(static_cast<std::size_t>(classes), -1), present;
  for (std::int64_t i = 0; i < labels.size(); ++i) number[static_cast<std::size_t>(given[i])] = 0;
  for (std::size_t k = 0; k < number.size(); ++k) {
    if (number[k] < 0) continue;
    number[k] = static_cast<std::int64_t>(present.size());
    present.push_back(static_cast<std::int64_t>(k));
  }
  Tensor out = Tensor::zeros({test.size(), classes}, DType::f64, Device::cpu());
  double* to = out.data<double>();
  if (present.size() == 1) {  // nothing to learn
    for (std::int64_t i = 0; i < test.size(); ++i) to[i * classes + present[0]] = 1.0;
    return out;
  }
  Tensor compact = Tensor::empty({labels.size()}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    compact.data<std::int64_t>()[i] = number[static_cast<std::size_t>(given[i])];
  }
  FeatureEncoder encode(evaluator.encoding);
  encode.fit(train);
  evaluator.classifier.set_categorical(encode.categorical());
  evaluator.classifier.fit(encode(train), compact);
  const Tensor found = evaluator.classifier.probabilities(encode(test));
  const auto width = static_cast<std::int64_t>(present.size());
  for (std::int64_t i = 0; i < test.size(); ++i) {
    for (std::int64_t k = 0; k < width; ++k) {
      to[i * classes + present[static_cast<std::size_t>(k)]] = found.data<double>()[i * width + k];
    }
  }
  return out;
}

/// Names and places of all scores.
inline constexpr std::array<std::pair<const char*, double ClassScores::*>, 6> score_members{
    {{"accuracy", &ClassScores::accuracy},
     {"f1", &ClassScores::f1},
     {"f1_macro", &ClassScores::f1_macro},
     {"f1_weighted", &ClassScores::f1_weighted},
     {"roc_auc", &ClassScores::roc_auc},
     {"log_loss", &ClassScores::log_loss}}};

inline Json scores_json(const ClassScores& scores) {
  Json::Object object;
  for (const auto& [name, member] : score_members) object.push_back({name, scores.*member});
  return object;
}

}  // namespace detail

SYNTHDATA_INLINE UsefulnessReport usefulness_report(const Table& real_train, const Table& synthetic,
                                                    const Table& real_test, const std::string& target,
                                                    const UsefulnessOptions& options) {
  constexpr const char* name = "usefulness_report";
  const Column& goal = real_train[target];
  std::vector<Column> inputs;
  for (const Column& column : real_train.columns()) {
    if (column.name() != target && !detail::is_text(column)) inputs.push_back(column);
  }
  if (inputs.empty()) throw DataError("usefulness_report: there is no column to predict the target from");
  const Table real(inputs), made(detail::matching_columns(name, real, synthetic)),
      test(detail::matching_columns(name, real, real_test));
  const Table alone({goal});
  const Column made_goal = detail::matching_columns(name, alone, synthetic)[0];
  const Column test_goal = detail::matching_columns(name, alone, real_test)[0];
  const detail::TargetClasses classes = detail::target_classes({&goal, &made_goal, &test_goal});
  const detail::LabelledRows real_rows = detail::labelled_rows("real training", real, goal, classes),
                             made_rows = detail::labelled_rows("synthetic", made, made_goal, classes),
                             test_rows = detail::labelled_rows("real test", test, test_goal, classes);

  UsefulnessReport report;
  report.target = target;
  report.classes = classes.names;
  const auto count = static_cast<std::int64_t>(classes.names.size());
  std::int64_t positive = count - 1;
  if (!options.positive.empty()) {
    const auto at = std::find(classes.names.begin(), classes.names.end(), options.positive);
    if (at == classes.names.end()) {
      throw DataError(concat(name, ": the target ", in_quotes(target), " has no class ", in_quotes(options.positive)));
    }
    positive = at - classes.names.begin();
  }
  if (count == 2) report.positive = classes.names[static_cast<std::size_t>(positive)];
  report.synthetic_rows = made_rows.table.size();
  report.real_rows = real_rows.table.size();
  report.test_rows = test_rows.table.size();
  std::vector<std::int64_t> rows_of(static_cast<std::size_t>(count), 0);
  for (const std::int64_t label : real_rows.labels.span<std::int64_t>()) ++rows_of[static_cast<std::size_t>(label)];
  const std::int64_t common = std::max_element(rows_of.begin(), rows_of.end()) - rows_of.begin();
  for (const std::int64_t label : test_rows.labels.span<std::int64_t>()) {
    report.most_frequent += label == common ? 1.0 / static_cast<double>(report.test_rows) : 0.0;
  }

  const std::vector<Evaluator> evaluators =
      options.evaluators.empty() ? standard_evaluators(options.seed) : options.evaluators;
  for (const Evaluator& evaluator : evaluators) {
    const auto score = [&](const detail::LabelledRows& train) {
      const Tensor p = detail::learn_and_predict(evaluator, train.table, train.labels, test_rows.table, count);
      return class_scores(test_rows.labels, p, std::min<std::int64_t>(positive, 1));
    };
    report.results.push_back({evaluator.name, score(made_rows), score(real_rows)});
  }
  for (const auto& [key, member] : detail::score_members) {
    report.mean_synthetic.*member =
        detail::mean_score(report.results, [m = member](const UsefulnessResult& r) { return r.synthetic.*m; });
    report.mean_real.*member =
        detail::mean_score(report.results, [m = member](const UsefulnessResult& r) { return r.real.*m; });
  }
  return report;
}

SYNTHDATA_INLINE std::string UsefulnessReport::str() const {
  const bool two = classes.size() == 2;
  std::string out = concat("target ", in_quotes(target), two ? concat(", positive class ", in_quotes(positive)) : "",
                           ", tested on ", test_rows, " real rows\n");
  std::size_t width = 10;
  for (const UsefulnessResult& result : results) width = std::max(width, result.classifier.size());
  const auto pad = [](std::string text, std::size_t to) { return text.append(to - std::min(to, text.size()), ' '); };
  out += concat(pad("classifier", width), "  trained on      F1   macro  weighted  ROC-AUC  accuracy  log loss\n");
  const auto line = [&](const std::string& name, const char* trained, const ClassScores& s) {
    out += concat(pad(name, width), "  ", pad(trained, 9), "   ", detail::score_text(s.f1), "  ",
                  detail::score_text(s.f1_macro), "    ", detail::score_text(s.f1_weighted), "   ",
                  detail::score_text(s.roc_auc), "    ", detail::score_text(s.accuracy), "    ",
                  detail::score_text(s.log_loss), '\n');
  };
  const auto both = [&](const std::string& name, const ClassScores& s, const ClassScores& r) {
    line(name, "synthetic", s);
    line("", "real", r);
  };
  for (const UsefulnessResult& result : results) both(result.classifier, result.synthetic, result.real);
  both("mean", mean_synthetic, mean_real);
  return out;
}

SYNTHDATA_INLINE Json UsefulnessReport::json() const {
  Json::Array all, names;
  for (const UsefulnessResult& result : results) {
    all.push_back(Json::Object{{"classifier", result.classifier},
                               {"synthetic", detail::scores_json(result.synthetic)},
                               {"real", detail::scores_json(result.real)}});
  }
  for (const std::string& name : classes) names.push_back(name);
  return Json::Object{{"target", target},
                      {"positive", positive},
                      {"classes", std::move(names)},
                      {"synthetic_rows", synthetic_rows},
                      {"real_rows", real_rows},
                      {"test_rows", test_rows},
                      {"most_frequent", most_frequent},
                      {"results", std::move(all)},
                      {"mean_synthetic", detail::scores_json(mean_synthetic)},
                      {"mean_real", detail::scores_json(mean_real)}};
}

}  // namespace synthdata
