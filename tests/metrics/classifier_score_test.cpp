// tests/metrics/classifier_score_test.cpp
//
// SPDX-License-Identifier: MIT
#include <synthdata/metrics/classifier_score.hpp>

#include "../test.hpp"

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {
// Row i is certain of class which[i].
Tensor certain(const std::vector<std::int64_t>& which, std::int64_t classes) {
  Tensor p = zeros({static_cast<std::int64_t>(which.size()), classes});
  for (std::size_t i = 0; i < which.size(); ++i) {
    p.data<float>()[static_cast<std::int64_t>(i) * classes + which[i]] = 1.0f;
  }
  return p;
}
}  // namespace

TEST_CASE("classifier_score of known distributions") {
  CHECK(classifier_score(full({6, 5}, 0.2, DType::f64)).score == Approx(1.0));  // nothing known of any sample
  CHECK(classifier_score(certain({2, 2, 2}, 5)).score == Approx(1.0));          // all alike
  CHECK(classifier_score(certain({0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, 5)).score == Approx(5.0));
  CHECK(classifier_score(certain({0, 1, 0, 1}, 5)).score == Approx(2.0));

  const Tensor p = Tensor::from(std::vector<double>{0.9, 0.1, 0.1, 0.9}, {2, 2});
  CHECK(classifier_score(p).score == Approx(std::exp(0.9 * std::log(0.9 / 0.5) + 0.1 * std::log(0.1 / 0.5))));
}

TEST_CASE("classifier_score scores splits in the order of the samples") {
  const Tensor p = certain({0, 0, 0, 1, 1, 1}, 2);
  CHECK(classifier_score(p, {}, {.splits = 1}).score == Approx(2.0));
  const ClassifierScore halves = classifier_score(p, {}, {.splits = 2});
  CHECK(halves.score == Approx(1.0));
  CHECK(halves.score_deviation == Approx(0.0).margin(1e-7));
  const ClassifierScore uneven = classifier_score(certain({0, 1, 1, 1}, 2), {}, {.splits = 2});
  CHECK(uneven.score == Approx(1.5));  // 2 and 1
  CHECK(uneven.score_deviation == Approx(0.5));
}

TEST_CASE("classifier_score counts classes, confidence and agreement with labels") {
  const Tensor p = Tensor::from(std::vector<float>{0.7f, 0.2f, 0.1f,  //
                                                   0.0f, 1.0f, 0.0f,  //
                                                   0.5f, 0.0f, 0.5f,  // a tie goes to the first
                                                   0.1f, 0.0f, 0.9f},
                                {4, 3});
  const ClassifierScore s =
      classifier_score(p, Tensor::from(std::vector<std::uint8_t>{0, 1, 2, 2}), {.confident = 0.7});
  CHECK(s.histogram == std::vector<std::int64_t>{2, 1, 1});
  CHECK(s.mean_confidence == Approx((0.7 + 1.0 + 0.5 + 0.9) / 4));
  CHECK(s.label_agreement.value() == Approx(0.75));
  CHECK(classifier_score(p, {}, {.confident = 0.6}).confident == Approx(0.75));
  CHECK(classifier_score(p, {}, {.confident = 1.0}).confident == Approx(0.25));
  CHECK_FALSE(classifier_score(p).label_agreement.has_value());
}

TEST_CASE("classifier_score refuses what are no probabilities") {
  const Tensor p = full({4, 2}, 0.5);
  CHECK_THROWS_AS(classifier_score(Tensor()), ShapeError);
  CHECK_THROWS_AS(classifier_score(zeros({0, 3})), ShapeError);
  CHECK_THROWS_AS(classifier_score(zeros({3})), ShapeError);
  CHECK_THROWS_AS(classifier_score(zeros({3, 2}, DType::i64)), DTypeError);
  CHECK_THROWS_WITH(classifier_score(full({4, 2}, 0.6)), ContainsSubstring("row 0 adds up to 1.2"));
  CHECK_THROWS_AS(classifier_score(full({4, 2}, std::numeric_limits<double>::quiet_NaN())), NumericError);
  CHECK_THROWS_AS(classifier_score(Tensor::from(std::vector<float>{1.5f, -0.5f}, {1, 2})), NumericError);
  CHECK_THROWS_AS(classifier_score(p, {}, {.splits = 5}), NumericError);
  CHECK_THROWS_AS(classifier_score(p, {}, {.splits = 0}), NumericError);
  CHECK_THROWS_AS(classifier_score(p, {}, {.confident = 1.5}), NumericError);
  CHECK_THROWS_AS(classifier_score(p, zeros({3}, DType::i64)), ShapeError);
  CHECK_THROWS_AS(classifier_score(p, zeros({4})), DTypeError);
}
