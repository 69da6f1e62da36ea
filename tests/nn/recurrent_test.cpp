// SPDX-License-Identifier: MIT
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/recurrent.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/ops/shape.hpp>

#include "nets.hpp"

namespace sd = synthdata;

// Values and gradients against PyTorch are in reference_test.cpp.

TEST_CASE("GRU and LSTM have the right derivatives through all steps, layers and directions") {
  sd::Rng rng{1};
  const sd::Tensor x = test::normal_f64({2, 3, 2});
  const auto gru = test::check_derivatives(sd::GRU(2, 2, rng), x);
  CHECK(gru.first < 1e-7);
  CHECK(gru.second < 1e-6);
  const auto lstm = test::check_derivatives(sd::LSTM(2, 2, rng, {.bidirectional = true}), x);
  CHECK(lstm.first < 1e-7);
  CHECK(lstm.second < 1e-6);
}

TEST_CASE("a cell stepped by hand gives the layer's sequence and state") {
  sd::Rng rng{2};
  sd::LSTM layer(3, 4, rng);
  sd::LSTMCell cell(3, 4, rng);
  sd::copy_state(sd::state_of(layer), sd::state_of(cell));
  const sd::Var x = sd::normal({2, 5, 3}, rng);
  const auto result = layer.run(x);
  sd::LSTMState state = cell.zero_state(2);
  for (int t = 0; t < 5; ++t) {
    state = cell.step(sd::squeeze(sd::slice(x, 1, t, t + 1), 1), state);
    CHECK(test::distance(state.hidden, sd::squeeze(sd::slice(result.output, 1, t, t + 1), 1)) < 1e-6);
  }
  CHECK(test::distance(state.memory, result.states[0].memory) < 1e-6);
}

TEST_CASE("a sequence run in two halves, the state handed on, equals one run") {
  sd::Rng rng{3};
  const sd::GRU layer(3, 4, rng, {.layers = 2});
  const sd::Var x = sd::normal({2, 6, 3}, rng);
  const auto whole = layer.run(x);
  const auto first = layer.run(sd::slice(x, 1, 0, 2));
  const auto second = layer.run(sd::slice(x, 1, 2, 6), first.states);
  CHECK(test::distance(sd::concat({first.output, second.output}, 1), whole.output) < 1e-6);
  CHECK(test::distance(second.states[1], whole.states[1]) < 1e-6);
}

TEST_CASE("the backward direction is the forward one on the reversed sequence") {
  sd::Rng rng{4};
  sd::GRU both(2, 3, rng, {.bidirectional = true});
  sd::GRU one(2, 3, rng);
  const auto from = sd::state_of(both), into = sd::state_of(one);
  REQUIRE(from.parameters.size() == 8);
  CHECK(from.parameters[4].path == "cells.1.input_weight");
  for (std::size_t i = 0; i < 4; ++i) into.parameters[i].param->assign(from.parameters[i + 4].param->value().clone());
  const sd::Var x = sd::normal({2, 4, 2}, rng);
  const sd::Var y = both(x);
  CHECK(y.shape() == sd::Shape{2, 4, 6});
  CHECK(test::distance(sd::slice(y, 2, 3, 6), sd::flip(one(sd::flip(x, 1)), 1)) < 1e-6);
}

TEST_CASE("recurrent layers run in a Sequential and name what does not fit") {
  sd::Rng rng{5};
  const sd::Sequential net{sd::GRU(3, 4, rng), sd::LSTM(4, 2, rng), sd::Linear(2, 1, rng)};
  CHECK(test::run(net, sd::zeros({2, 1, 3})).shape() == sd::Shape{2, 1, 1});
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 0, 3})), ContainsSubstring("T >= 1"));
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 3})), ContainsSubstring("while running gru0"));
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 5, 4})), ContainsSubstring("expects 3 input features"));
  CHECK_THROWS_AS(net.get<0>().run(sd::zeros({2, 5, 3}), {sd::zeros({2, 4}), sd::zeros({2, 4})}), sd::ShapeError);
  CHECK_THROWS_AS(sd::GRU(3, 4, rng, {.layers = 0}), sd::ShapeError);
}
