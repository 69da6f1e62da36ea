// tests/metrics/classify_test.cpp: classifiers and their scores against those of scikit-learn, and by hand.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/metrics/classify/ada_boost.hpp>
#include <synthdata/metrics/classify/class_scores.hpp>
#include <synthdata/metrics/classify/decision_tree.hpp>
#include <synthdata/metrics/classify/feature_encoder.hpp>
#include <synthdata/metrics/classify/gradient_boosting.hpp>
#include <synthdata/metrics/classify/logistic_regression.hpp>
#include <synthdata/metrics/classify/mlp_classifier.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

const Json& member(const Json& of, const std::string& key) {
  const Json* found = of.find(key);
  REQUIRE(found != nullptr);
  return *found;
}
/// What scikit-learn found (tests/reference/make_classifiers.py).
const Json& reference(const std::string& classes) {
  static const Json all = parse_json(read_file(test::reference("classifiers.json")));
  return member(all, classes);
}
Tensor matrix(const Json& json) {
  const Json::Array& rows = *json.get_if<Json::Array>();
  std::vector<double> values;
  for (const Json& row : rows) {
    for (const Json& value : *row.get_if<Json::Array>())
      values.push_back(value.is_null() ? not_a_number : value.number());
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  return Tensor::from(values, {count, static_cast<std::int64_t>(values.size()) / count});
}
Tensor labels(const Json& json) {
  std::vector<std::int64_t> values;
  for (const Json& value : *json.get_if<Json::Array>()) values.push_back(*value.get_if<std::int64_t>());
  return Tensor::from(values);
}
double largest_gap(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double gap = 0.0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    gap = std::max(gap, std::abs(a.data<double>()[i] - b.data<double>()[i]));
  }
  return gap;
}
Tensor scaled(const Tensor& x) {  // as the script: the second column on the scale of the others
  Tensor y = x.clone();
  for (std::int64_t i = 1; i < y.size(); i += 5) y.data<double>()[i] /= 100.0;
  return y;
}

/// Rows whose class depends on two columns together; the rest is noise.
struct Rows {
  Tensor x, y;
};
Rows crossed_rows(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  Rows rows{Tensor::empty({count, 4}, DType::f64), Tensor::empty({count}, DType::i64)};
  for (std::int64_t i = 0; i < count; ++i) {
    double* x = rows.x.data<double>() + 4 * i;
    for (int d = 0; d < 4; ++d) x[d] = rng.normal();
    rows.y.data<std::int64_t>()[i] = (x[0] > 0.0) != (x[1] > 0.0);
  }
  return rows;
}
double accuracy(const AnyClassifier& classifier, const Rows& rows) {
  return class_scores(rows.y, classifier.probabilities(rows.x)).accuracy;
}

}  // namespace

TEST_CASE("classifiers and scores agree with scikit-learn", "[classify]") {
  const std::string classes = GENERATE("2", "3");
  const Json& given = reference(classes);
  const Tensor x = matrix(member(given, "x")), y = labels(member(given, "y"));
  const Tensor test = matrix(member(given, "test")), truth = labels(member(given, "truth"));

  const auto check = [&](const std::string& name, AnyClassifier classifier, double tolerance) {
    INFO(name << ", " << classes << " classes");
    const Json& part = member(given, name);
    const bool logistic = name.find("logistic") == 0, holes = name == "boosting_holes" || name == "boosting_both";
    const Tensor train = holes ? matrix(member(given, "holes")) : logistic ? scaled(x) : x;
    const Tensor rows = holes ? matrix(member(given, "test_holes")) : logistic ? scaled(test) : test;
    classifier.fit(train, y);
    const Tensor expected = matrix(member(part, "p"));
    CHECK(largest_gap(classifier.probabilities(rows), expected) <= tolerance);

    const ClassScores scores = class_scores(truth, expected);
    const Json& known = member(part, "scores");
    CHECK(scores.accuracy == Approx(member(known, "accuracy").number()).epsilon(1e-12));
    CHECK(scores.f1_macro == Approx(member(known, "f1_macro").number()).epsilon(1e-12));
    CHECK(scores.f1_weighted == Approx(member(known, "f1_weighted").number()).epsilon(1e-12));
    CHECK(scores.log_loss == Approx(member(known, "log_loss").number()).epsilon(1e-9));
    CHECK(scores.roc_auc == Approx(member(known, "roc_auc").number()).epsilon(1e-12));
    if (classes == "2") {
      CHECK(scores.f1 == Approx(member(known, "f1").number()).epsilon(1e-12));
    } else {
      CHECK(std::isnan(scores.f1));
    }
  };
  check("tree", DecisionTree({.max_depth = 3}), 1e-9);
  check("tree_balanced", DecisionTree({.max_depth = 4, .min_samples_leaf = 5, .class_weight = ClassWeight::balanced}),
        1e-9);
  check("samme", AdaBoost({.estimators = 20}), 1e-9);
  check("samme_r", AdaBoost({.estimators = 20, .algorithm = AdaBoostOptions::Algorithm::samme_r}), 1e-9);
  check("logistic", LogisticRegression({.tolerance = 1e-10}), 1e-6);
  check("logistic_balanced", LogisticRegression({.c = 0.05, .tolerance = 1e-10, .class_weight = ClassWeight::balanced}),
        1e-6);
  // gradients are f32 there too, but summed in another order
  check("boosting", GradientBoosting({.iterations = 10, .max_leaves = 6, .min_samples_leaf = 10}), 1e-6);
  check("boosting_holes", GradientBoosting({.iterations = 10, .max_leaves = 6, .min_samples_leaf = 10}), 1e-6);
  for (const char* name : {"boosting_categories", "boosting_both"}) {
    check(name, GradientBoosting({.iterations = 10, .max_leaves = 6, .min_samples_leaf = 10, .categorical = {4}}),
          1e-6);
  }
}

TEST_CASE("coefficients of logistic regression are scikit-learn's to 1e-4", "[classify]") {
  const std::string classes = GENERATE("2", "3");
  const std::string name = GENERATE("logistic", "logistic_balanced");
  const Json& given = reference(classes);
  LogisticRegression model({.c = name == "logistic" ? 1.0 : 0.05,
                            .class_weight = name == "logistic" ? ClassWeight::equal : ClassWeight::balanced});
  model.fit(scaled(matrix(member(given, "x"))), labels(member(given, "y")));
  CHECK(model.converged());
  const Tensor expected = matrix(member(member(given, name), "coefficients"));
  REQUIRE(model.coefficients().shape() == expected.shape());
  CHECK(largest_gap(model.coefficients(), expected) < 1e-4);
  const Json::Array& intercepts = *member(member(given, name), "intercepts").get_if<Json::Array>();
  for (std::size_t k = 0; k < intercepts.size(); ++k) {
    CHECK(std::abs(model.intercepts().data<double>()[k] - intercepts[k].number()) < 1e-4);
  }
}

TEST_CASE("the area under the ROC curve and its variance are those of all pairs", "[classify]") {
  Rng rng(3);
  std::vector<double> scores;
  std::vector<std::uint8_t> positive;
  for (int i = 0; i < 60; ++i) {
    positive.push_back(i % 3 == 0);
    scores.push_back(std::round(4.0 * (rng.normal() + positive.back())));  // many ties
  }
  const auto above = [](double a, double b) { return a > b ? 1.0 : a == b ? 0.5 : 0.0; };
  std::vector<double> up, down;
  double sum = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    double mean = 0.0;
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (positive[i] == positive[j]) continue;
      mean += positive[i] != 0 ? above(scores[i], scores[j]) / 40.0 : above(scores[j], scores[i]) / 20.0;
    }
    (positive[i] != 0 ? up : down).push_back(mean);
    if (positive[i] != 0) sum += mean / 20.0;
  }
  const auto spread = [&](const std::vector<double>& values) {
    double squares = 0.0;
    for (const double value : values) squares += (value - sum) * (value - sum);
    const auto n = static_cast<double>(values.size());
    return squares / (n - 1.0) / n;
  };
  const RocAuc auc = roc_auc(scores, positive);
  CHECK(auc.value == Approx(sum).epsilon(1e-12));
  CHECK(auc.variance == Approx(spread(up) + spread(down)).epsilon(1e-12));
  CHECK(std::isnan(roc_auc(std::vector{1.0, 2.0}, std::vector<std::uint8_t>{1, 1}).value));
  CHECK_THROWS_AS(roc_auc(std::vector{1.0, 2.0}, std::vector<std::uint8_t>{1}), ShapeError);
}

TEST_CASE("classifiers learn what their kind can, the same with any number of threads", "[classify]") {
  const Rows train = crossed_rows(6000, 1), test = crossed_rows(2000, 2);
  const std::vector<std::pair<AnyClassifier, bool>> all = {
      {DecisionTree({.max_depth = 4}), false},  // greedy: no first split gains anything
      {AdaBoost(), false},                      // stumps and lines cannot see two columns together
      {LogisticRegression(), false},
      {MlpClassifier({.max_epochs = 12, .learning_rate = 5e-3}), true},
      {GradientBoosting({.iterations = 40}), true},
  };
  for (const auto& [unfitted, able] : all) {
    INFO(unfitted.kind());
    std::vector<Tensor> found;
    for (const int count : {1, 3}) {
      set_threads(count);
      AnyClassifier classifier = unfitted;
      classifier.fit(train.x, train.y);
      found.push_back(classifier.probabilities(test.x));
      if (able) {
        CHECK(accuracy(classifier, test) > 0.93);
      } else {
        CHECK(accuracy(classifier, test) < 0.75);
      }
    }
    set_threads(0);
    CHECK(largest_gap(found[0], found[1]) == 0.0);
    for (std::int64_t i = 0; i < test.x.shape(0); ++i) {
      const double* p = found[0].data<double>() + 2 * i;
      REQUIRE(p[0] >= 0.0);
      REQUIRE(p[0] + p[1] == Approx(1.0).epsilon(1e-12));
    }
  }
}

TEST_CASE("a tree splits even where one split alone gains nothing, and not what is all alike", "[classify]") {
  const Tensor x = Tensor::from(std::vector<double>{0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});
  DecisionTree tree;
  tree.fit(x, Tensor::from(std::vector<std::int64_t>{0, 1, 1, 0}));
  CHECK(tree.nodes() == 7);
  const Tensor p = tree.probabilities(x);
  CHECK(p.data<double>()[3] == 1.0);
  CHECK(p.data<double>()[6] == 1.0);
  tree.fit(Tensor::ones({4, 2}, DType::f64), Tensor::from(std::vector<std::int64_t>{0, 1, 1, 1}));
  CHECK(tree.nodes() == 1);
  CHECK(tree.probabilities(x).data<double>()[1] == 0.75);
}

TEST_CASE("boosted trees split categories and missing values, and take unknown ones", "[classify]") {
  // odd categories are class 1, whatever their order; a missing value is class 1 too
  Rng rng(5);
  const std::int64_t count = 4000;
  Rows rows{Tensor::empty({count, 2}, DType::f64), Tensor::empty({count}, DType::i64)};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t category = rng.below(21);
    rows.x.data<double>()[2 * i] = category == 20 ? not_a_number : static_cast<double>(category);
    rows.x.data<double>()[2 * i + 1] = rng.normal();
    rows.y.data<std::int64_t>()[i] = category == 20 || category % 2 == 1;
  }
  GradientBoosting model({.iterations = 1, .learning_rate = 1.0, .max_leaves = 2, .categorical = {0}});
  model.fit(rows.x, rows.y);
  CHECK(accuracy(AnyClassifier(model), rows) == 1.0);  // one split does it
  const Tensor unknown = Tensor::from(std::vector<double>{77.0, 0.0, 0.5, 0.0, -3.0, 0.0}, {3, 2});
  CHECK(model.probabilities(unknown).data<double>()[1] > 0.8);  // as missing
  GradientBoosting wrong({.categorical = {0}});
  CHECK_THROWS_WITH(
      wrong.fit(Tensor::full({4, 2}, 0.5, DType::f64), Tensor::from(std::vector<std::int64_t>{0, 1, 0, 1})),
      ContainsSubstring("column 0 has 0.5; expects category numbers"));
  GradientBoosting absent({.categorical = {2}});
  CHECK_THROWS_AS(absent.fit(rows.x, rows.y), NumericError);
}

TEST_CASE("classifiers refuse what they cannot learn from, and take a single class", "[classify]") {
  const std::vector<AnyClassifier> all = {DecisionTree(), AdaBoost(), LogisticRegression(), MlpClassifier(),
                                          GradientBoosting()};
  const Tensor x = Tensor::ones({3, 2}, DType::f64), y = Tensor::from(std::vector<std::int64_t>{0, 1, 0});
  for (const AnyClassifier& unfitted : all) {
    INFO(unfitted.kind());
    AnyClassifier c = unfitted;
    CHECK_THROWS_WITH(c.probabilities(x), ContainsSubstring("has not been fitted"));
    CHECK_THROWS_AS(c.fit(x, y.rows(0, 2)), ShapeError);
    CHECK_THROWS_AS(c.fit(x.to(DType::f32), y), DTypeError);
    CHECK_THROWS_AS(c.fit(x, y.to(DType::i32)), DTypeError);
    CHECK_THROWS_AS(c.fit(x.rows(0, 0), y.rows(0, 0)), NumericError);
    CHECK_THROWS_WITH(c.fit(x, Tensor::from(std::vector<std::int64_t>{0, -1, 0})), ContainsSubstring("has class -1"));
    Tensor bad = x.clone();
    bad.data<double>()[3] = std::numeric_limits<double>::infinity();
    CHECK_THROWS_WITH(c.fit(bad, y), ContainsSubstring("row 1, column 1"));
    c.fit(x, y);
    CHECK_THROWS_AS(c.probabilities(Tensor::ones({3, 3}, DType::f64)), ShapeError);
    c.fit(x, Tensor::from(std::vector<std::int64_t>{0, 0, 0}));
    const Tensor p = c.probabilities(x);
    REQUIRE(p.shape() == Shape{3, 1});
    CHECK(p.data<double>()[0] == Approx(1.0));
  }
  CHECK_THROWS_AS(DecisionTree({.max_depth = -1}), NumericError);
  CHECK_THROWS_AS(GradientBoosting({.max_bins = 256}), NumericError);
}

TEST_CASE("tables become numbers, with what is missing, unknown or rare in its place", "[classify]") {
  const std::vector<double> reals{1.0, 0.0, 3.0};
  const std::vector<std::int64_t> codes{1, 0, 2}, pair{0, 1, 0}, large{0, 100, 10000};
  const Table table({Column::reals("x", reals, {false, true, false}), Column::categorical("c", codes, {"b", "a", "c"}),
                     Column::categorical("two", pair, {"no", "yes"}), Column::integers("n", large),
                     Column::texts("name", std::vector<std::string>{"p", "q", "r"})});
  const std::vector<std::int64_t> more{3, 0};
  const std::vector<double> other_reals{2.0, 0.0};
  const Table other({Column::categorical("c", more, {"a", "b", "c", "d"}, {false, true}),
                     Column::categorical("two", std::vector<std::int64_t>{1, 0}, {"no", "perhaps"}),
                     Column::reals("x", other_reals, {false, true}),
                     Column::integers("n", std::vector<std::int64_t>{1, 10})});

  FeatureEncoder standardised(FeatureEncoding::standardised);
  standardised.fit(table);
  CHECK(standardised.names() ==
        std::vector<std::string>{"x", "x is missing", "c = a", "c = b", "c = c", "two = no", "two = yes", "n"});
  Tensor rows = standardised(table);
  const std::vector<double> first{-1, 0, 1, 0, 0, 1, 0}, second{0, 1, 0, 1, 0, 0, 1};
  for (std::size_t d = 0; d < 7; ++d) {
    CHECK(rows.data<double>()[d] == first[d]);
    CHECK(rows.data<double>()[8 + d] == second[d]);
  }
  rows = standardised(other);
  const std::vector<double> unknown{0, 0, 0, 0, 0, 0, 0}, absent{0, 1, 0, 0, 0, 1, 0};
  for (std::size_t d = 0; d < 7; ++d) {
    CHECK(rows.data<double>()[d] == unknown[d]);
    CHECK(rows.data<double>()[8 + d] == absent[d]);
  }

  FeatureEncoder sdgym(FeatureEncoding::sdgym);
  sdgym.fit(table);
  CHECK(sdgym.width() == 7);  // "two" is one column
  rows = sdgym(table);
  CHECK(rows.data<double>()[0] == 0.0);
  CHECK(rows.data<double>()[14] == 5.0);
  CHECK(rows.data<double>()[6] == Approx(std::log(0.01)));
  CHECK(rows.data<double>()[20] == Approx(std::log(10000.0)));
  CHECK(sdgym(other).data<double>()[5] == 0.5);

  FeatureEncoder native(FeatureEncoding::native);
  native.fit(table);
  CHECK(native.categorical() == std::vector<std::int64_t>{1, 2});
  rows = native(table);
  CHECK(std::isnan(rows.data<double>()[4]));
  CHECK(rows.data<double>()[1] == 0.0);
  CHECK(std::isnan(native(other).data<double>()[1]));

  std::vector<std::int64_t> many;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < 400; ++i) many.push_back(i), names.push_back(concat("c", i));
  many.push_back(399);
  FeatureEncoder bounded(FeatureEncoding::standardised);
  const Table wide({Column::categorical("c", many, names)});
  bounded.fit(wide);
  CHECK(bounded.width() == 255);
  CHECK(bounded.names().back() == "c is rare");
  const Tensor encoded = bounded(wide);
  for (std::int64_t i = 0; i < wide.size(); ++i) {
    double sum = 0.0;
    for (int d = 0; d < 255; ++d) sum += encoded.data<double>()[255 * i + d];
    REQUIRE(sum == 1.0);
  }
  CHECK(encoded.data<double>()[255 * 399 + 254] == 0.0);  // it came twice, so it has a column of its own

  CHECK_THROWS_WITH(native(table.without({"c"})), ContainsSubstring("\"c\""));
  CHECK_THROWS_WITH(native(table.without({"c"}).with(Column::reals("c", reals))),
                    ContainsSubstring("expects categories"));
  const std::vector<double> infinite{1.0, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_WITH(bounded.fit(Table({Column::reals("x", infinite)})), ContainsSubstring("infinite in row 1"));
  CHECK_THROWS_AS(bounded.fit(table.select({"name"})), DataError);
}
