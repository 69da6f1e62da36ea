// SPDX-License-Identifier: MIT
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/residual.hpp>
#include <synthdata/nn/sequential.hpp>

#include "nets.hpp"

namespace sd = synthdata;

TEST_CASE("Residual adds its input to the body's output") {
  const sd::Var x = test::f64({-1, 2, -3}, {1, 3});
  CHECK(test::distance(test::run(sd::Residual{sd::Relu{}}, x), test::f64({-1, 4, -3}, {1, 3})) == 0.0);
}

TEST_CASE("Skip puts the body's output before its input, Parallel joins its branches in order") {
  const sd::Var x = test::f64({-1, 2}, {1, 2});
  CHECK(test::distance(test::run(sd::Skip{sd::Relu{}}, x), test::f64({0, 2, -1, 2}, {1, 4})) == 0.0);
  const sd::Parallel both{sd::Relu{}, sd::Skip{sd::LeakyRelu{0.5}}};
  CHECK(test::distance(test::run(both, x), test::f64({0, 2, -0.5, 2, -1, 2}, {1, 6})) == 0.0);
}

TEST_CASE("branches list their state and pass the derivatives on") {
  sd::Rng rng{1};
  sd::Sequential net{sd::Skip{sd::Sequential{sd::Linear(2, 3, rng), sd::Tanh{}}},
                     sd::Parallel{sd::Linear(5, 2, rng), sd::Linear(5, 1, rng)},
                     sd::Residual{sd::Sequential{sd::Linear(3, 3, rng), sd::Tanh{}}}};
  const auto state = sd::state_of(net);
  REQUIRE(state.parameters.size() == 8);
  CHECK(state.parameters[0].path == "skip0.body.linear0.weight");
  CHECK(state.parameters[4].path == "parallel0.1.weight");
  CHECK(state.parameters[7].path == "residual0.body.linear0.bias");
  const auto d = test::check_derivatives(net, test::normal_f64({2, 2}));
  CHECK(d.first < 1e-7);
  CHECK(d.second < 1e-6);
}

TEST_CASE("Residual refuses a body that changes the shape, even to one that would broadcast") {
  sd::Rng rng{2};
  const sd::Sequential net{sd::Residual{sd::Linear(3, 1, rng)}};
  CHECK_THROWS_AS(test::run(net, sd::zeros({2, 3})), sd::ShapeError);
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 3})), ContainsSubstring("[2, 1]"));
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 3})), ContainsSubstring("while running residual0"));
}
