// SPDX-License-Identifier: MIT
#include <synthdata/nn/minibatch_stddev.hpp>

#include <cmath>

#include "nets.hpp"

namespace sd = synthdata;

TEST_CASE("MinibatchStddev appends the mean deviation of its group") {
  // 4 samples, groups of 2: {0, 2} and {1, 3}. Two positions, one channel.
  const sd::Var x = test::f64({0, 1, /**/ 5, 5, /**/ 2, 7, /**/ 5, 9}, {4, 2, 1});
  const sd::Var y = test::run(sd::MinibatchStddev{{.group_size = 2, .epsilon = 0.0}}, x);
  const double even = (1.0 + 3.0) / 2.0, odd = (0.0 + 2.0) / 2.0;
  CHECK(test::distance(y, test::f64({0, even, 1, even, 5, odd, 5, odd, 2, even, 7, even, 5, odd, 9, odd}, {4, 2, 2})) <
        1e-12);
}

TEST_CASE("MinibatchStddev takes a small batch as one group, and plain features") {
  const sd::Var x = test::f64({1, -1, 3, -5}, {2, 2});
  const sd::Var y = test::run(sd::MinibatchStddev{}, x);
  const double s = (std::sqrt(1.0 + 1e-8) + std::sqrt(4.0 + 1e-8)) / 2.0;
  CHECK(test::distance(y, test::f64({1, -1, s, 3, -5, s}, {2, 3})) < 1e-12);
}

TEST_CASE("MinibatchStddev has the right derivatives, finite for equal samples") {
  const auto d = test::check_derivatives(sd::MinibatchStddev{{.group_size = 3}}, test::normal_f64({6, 2, 2}));
  CHECK(d.first < 1e-7);
  CHECK(d.second < 1e-5);
  const sd::Var x = sd::leaf(sd::ones({4, 3}));
  const sd::Tensor g = sd::grad(sd::sum(test::run(sd::MinibatchStddev{}, x)), x).value();
  for (const float value : g.span<float>()) CHECK(std::isfinite(value));
}

TEST_CASE("MinibatchStddev names a batch that its groups do not divide") {
  CHECK_THROWS_WITH(test::run(sd::MinibatchStddev{}, sd::zeros({6, 2})), ContainsSubstring("batch of 6"));
  CHECK_THROWS_AS(sd::MinibatchStddev{{.group_size = 0}}, sd::ShapeError);
  CHECK_THROWS_AS(test::run(sd::MinibatchStddev{}, sd::zeros({6})), sd::ShapeError);
}
