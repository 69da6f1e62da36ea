// SPDX-License-Identifier: MIT
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>

#include "nets.hpp"

namespace sd = synthdata;

// Values and gradients against PyTorch are in reference_test.cpp.

TEST_CASE("BatchNorm in training normalises by the batch and follows it with its running statistics") {
  const sd::BatchNorm layer(2, {.momentum = 0.25});
  const sd::Var x = test::f32({1, 10, 3, 30, 5, 20, 7, 40}, {4, 2});  // means 4, 25; variances 5, 125, unbiased * 4/3
  const sd::Var y = test::run(layer, x, sd::Mode::training);
  CHECK(sd::mean(y).item() == Approx(0.0).margin(1e-6));
  CHECK(test::distance(sd::var(y, 0), sd::ones({2})) < 1e-4);
  CHECK(test::distance(layer.running_mean(), test::f64({0.25 * 4, 0.25 * 25}, {2})) < 1e-5);
  CHECK(test::distance(layer.running_variance(), test::f64({0.75 + 0.25 * 5 * 4 / 3, 0.75 + 0.25 * 125 * 4 / 3}, {2})) <
        1e-4);
}

TEST_CASE("BatchNorm in inference uses its running statistics and leaves them") {
  const sd::BatchNorm layer(1);
  const sd::Tensor mean = layer.running_mean(), variance = layer.running_variance();
  const sd::Var y = test::run(layer, test::f32({2, 4}, {2, 1}));
  CHECK(test::distance(y, test::f64({2, 4}, {2, 1})) < 1e-4);  // still mean 0, variance 1
  CHECK(layer.running_mean().shares_elements(mean));
  CHECK(layer.running_variance().shares_elements(variance));
}

TEST_CASE("running statistics are saved as buffers and copied with the layer") {
  sd::BatchNorm layer(2);
  const sd::ModuleState state = sd::state_of(layer);
  REQUIRE(state.parameters.size() == 2);
  REQUIRE(state.buffers.size() == 2);
  CHECK(state.parameters[0].path == "gamma");
  CHECK(state.buffers[1].path == "variance");
  const sd::BatchNorm copy = layer;
  test::run(layer, test::f32({1, 2, 3, 4}, {2, 2}), sd::Mode::training);
  CHECK(test::distance(copy.running_mean(), sd::zeros({2})) == 0.0);
  CHECK(test::distance(layer.running_mean(), sd::zeros({2})) > 0.1);
  sd::BatchNorm plain(2, {.affine = false});
  CHECK(sd::parameter_count(plain) == 0);
}

TEST_CASE("norms have the right first and second derivatives by input, gamma and beta") {
  const sd::Tensor x = test::normal_f64({2, 2, 2, 4});
  const auto check = [&](const auto& layer, sd::Mode mode = sd::Mode::training) {
    const auto d = test::check_derivatives(layer, x, mode);
    CHECK(d.first < 1e-6);
    CHECK(d.second < 1e-5);
  };
  check(sd::BatchNorm(4));
  check(sd::BatchNorm(4), sd::Mode::inference);
  check(sd::LayerNorm(4));
  check(sd::GroupNorm(2, 4));
  check(sd::InstanceNorm(4));
  check(sd::Sequential{sd::BatchNorm(4), sd::Tanh{}});  // with the activation in the kernel
}

TEST_CASE("norms fuse with the activation behind them, bit for bit") {
  const sd::Var x = test::f32({1, -2, 3, 0, 5, -6, 7, 9, 2, 2, -1, 4}, {3, 2, 2});
  const auto check = [&](const auto& layer, sd::Mode mode) {
    const sd::Sequential net{layer, sd::LeakyRelu{0.2}};
    CHECK(sd::same_bits(test::run(net, x, mode).value(), sd::leaky_relu(test::run(layer, x, mode), 0.2).value()));
  };
  check(sd::BatchNorm(2), sd::Mode::training);
  check(sd::BatchNorm(2), sd::Mode::inference);
  check(sd::LayerNorm(2), sd::Mode::training);
  check(sd::GroupNorm(1, 2), sd::Mode::training);
  check(sd::InstanceNorm(2), sd::Mode::training);
}

TEST_CASE("norms name what does not fit") {
  const sd::Sequential net{sd::BatchNorm(3)};
  CHECK_THROWS_WITH(test::run(net, sd::zeros({4, 2})), ContainsSubstring("while running batch_norm0"));
  CHECK_THROWS_AS(test::run(net, sd::zeros({1, 3}), sd::Mode::training), sd::ShapeError);
  CHECK_THROWS_AS(test::run(sd::GroupNorm(2, 3), sd::zeros({1, 3})), sd::ShapeError);
  CHECK_THROWS_AS(test::run(sd::InstanceNorm(3), sd::zeros({1, 3})), sd::ShapeError);
}
