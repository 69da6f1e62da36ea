// SPDX-License-Identifier: MIT
#include <synthdata/nn/attention.hpp>
#include <synthdata/nn/residual.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/ops/shape.hpp>

#include "nets.hpp"

namespace sd = synthdata;

// Values and gradients against PyTorch are in reference_test.cpp.

TEST_CASE("attention has the right first and second derivatives") {
  sd::Rng rng{1};
  const sd::Tensor x = test::normal_f64({2, 3, 4});
  const auto plain = test::check_derivatives(sd::MultiHeadAttention(4, 2, rng), x);
  CHECK(plain.first < 1e-7);
  CHECK(plain.second < 1e-6);
  const auto causal = test::check_derivatives(sd::MultiHeadAttention(4, 2, rng, {.causal = true, .dropout = 0.25}), x);
  CHECK(causal.first < 1e-7);
  CHECK(causal.second < 1e-6);
}

TEST_CASE("causal attention does not look ahead") {
  sd::Rng rng{2};
  const sd::MultiHeadAttention layer(6, 3, rng, {.causal = true});
  const sd::Tensor x = sd::normal({1, 5, 6}, rng);
  sd::Tensor changed = x.clone();
  changed.data<float>()[3 * 6] += 5.0f;  // step 3
  const sd::Var a = test::run(layer, x), b = test::run(layer, changed);
  CHECK(sd::same_bits(sd::slice(a, 1, 0, 3).value(), sd::slice(b, 1, 0, 3).value()));
  CHECK(test::distance(sd::slice(a, 1, 3, 4), sd::slice(b, 1, 3, 4)) > 1e-3);
}

TEST_CASE("attention without positions treats a permuted memory alike") {
  sd::Rng rng{3};
  const sd::MultiHeadAttention layer(4, 2, rng);
  sd::Context context;
  const sd::Var x = sd::normal({2, 3, 4}, rng), memory = sd::normal({2, 5, 4}, rng);
  const sd::Var y = layer(x, memory, context);
  CHECK(y.shape() == sd::Shape{2, 3, 4});
  CHECK(test::distance(y, layer(x, sd::flip(memory, 1), context)) < 1e-5);
}

TEST_CASE("attention lists its projections and works as a residual body") {
  sd::Rng rng{4};
  sd::Sequential net{sd::Residual{sd::MultiHeadAttention(4, 1, rng, {.bias = false})}};
  CHECK(sd::state_of(net).parameters[0].path == "residual0.body.query.weight");
  CHECK(sd::parameter_count(net) == 4 * 16);
  CHECK(test::run(net, sd::zeros({1, 2, 4})).shape() == sd::Shape{1, 2, 4});
}

TEST_CASE("attention drops weights in training only") {
  sd::Rng rng{5};
  const sd::MultiHeadAttention layer(4, 2, rng, {.dropout = 0.5});
  const sd::Var x = sd::normal({2, 3, 4}, rng);
  CHECK(sd::same_bits(test::run(layer, x).value(), test::run(layer, x).value()));
  sd::Context training{.mode = sd::Mode::training, .rng = &rng};
  CHECK(!sd::same_bits(layer(x, training).value(), layer(x, training).value()));
  CHECK_THROWS_AS(test::run(layer, x, sd::Mode::training), sd::Error);
}

TEST_CASE("attention names what does not fit") {
  sd::Rng rng{6};
  sd::Context context;
  CHECK_THROWS_WITH(sd::MultiHeadAttention(6, 4, rng), ContainsSubstring("4 heads do not divide 6"));
  CHECK_THROWS_AS(sd::MultiHeadAttention(4, 2, rng, {.dropout = 1.0}), sd::NumericError);
  const sd::MultiHeadAttention causal(4, 2, rng, {.causal = true});
  CHECK_THROWS_AS(causal(sd::zeros({2, 3, 4}), sd::zeros({2, 5, 4}), context), sd::ShapeError);
  CHECK_THROWS_AS(causal(sd::zeros({2, 3, 4}), sd::zeros({1, 3, 4}), context), sd::ShapeError);
  CHECK_THROWS_AS(causal(sd::zeros({2, 3, 5}), context), sd::ShapeError);
  CHECK_THROWS_AS(causal(sd::zeros({2, 4}), context), sd::ShapeError);
}
