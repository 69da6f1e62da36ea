// SPDX-License-Identifier: MIT
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/shape.hpp>

#include "nets.hpp"

namespace sd = synthdata;

TEST_CASE("Flatten and Reshape leave the batch and every number in place") {
  const sd::Var x = test::normal_f64({2, 3, 4, 5});
  const sd::Var flat = test::run(sd::Flatten{}, x);
  CHECK(flat.shape() == sd::Shape{2, 60});
  CHECK(sd::same_bits(test::run(sd::Reshape{3, 4, 5}, flat).value(), x.value()));
  CHECK(test::run(sd::Reshape{}, sd::zeros({7, 1})).shape() == sd::Shape{7});
  CHECK_THROWS_WITH(test::run(sd::Reshape{3, 5}, flat), ContainsSubstring("samples of 15 elements"));
}

TEST_CASE("Permute moves axes behind the batch") {
  const sd::Var x = test::f64({0, 1, 2, 3, 4, 5}, {1, 2, 3});
  CHECK(test::distance(test::run(sd::Permute{0, 2, 1}, x), test::f64({0, 3, 1, 4, 2, 5}, {1, 3, 2})) == 0.0);
  CHECK_THROWS_AS((sd::Permute{1, 0}), sd::ShapeError);
  CHECK_THROWS_AS(test::run(sd::Permute{0, 1}, x), sd::ShapeError);
}

TEST_CASE("Upsample repeats pixels, or interpolates between their centres") {
  const sd::Var x = test::f64({0, 4}, {1, 1, 2, 1});
  CHECK(test::distance(test::run(sd::Upsample{2}, x), test::f64({0, 0, 4, 4, 0, 0, 4, 4}, {1, 2, 4, 1})) == 0.0);
  const sd::Var smooth = test::run(sd::Upsample{.factor = 2, .mode = sd::Interpolation::bilinear}, x);
  CHECK(test::distance(smooth, test::f64({0, 1, 3, 4, 0, 1, 3, 4}, {1, 2, 4, 1})) < 1e-12);
}

TEST_CASE("pooling layers and PixelShuffle") {
  const sd::Var x = test::f64({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 4, 1});
  CHECK(test::distance(test::run(sd::MaxPool({.kernel = 2}), x), test::f64({6, 8}, {1, 1, 2, 1})) == 0.0);
  CHECK(test::distance(test::run(sd::AvgPool({.kernel = 2}), x), test::f64({3.5, 5.5}, {1, 1, 2, 1})) < 1e-12);
  CHECK(test::distance(test::run(sd::GlobalAvgPool{}, x), test::f64({4.5}, {1, 1})) < 1e-12);
  CHECK(test::distance(test::run(sd::GlobalMaxPool{}, x), test::f64({8}, {1, 1})) == 0.0);
  const sd::Var shuffled = test::run(sd::PixelShuffle{2}, test::f64({1, 2, 3, 4}, {1, 1, 1, 4}));
  CHECK(test::distance(shuffled, test::f64({1, 2, 3, 4}, {1, 2, 2, 1})) == 0.0);
}

TEST_CASE("layers that move or enlarge have the right derivatives") {
  const sd::Sequential net{sd::Upsample{.factor = 2, .mode = sd::Interpolation::bilinear},
                           sd::Tanh{},
                           sd::AvgPool({.kernel = 3, .stride = 1, .padding = 1}),
                           sd::Permute{0, 2, 1, 3},
                           sd::MaxPool({.kernel = 2}),
                           sd::PixelShuffle{2},
                           sd::Flatten{}};
  const auto d = test::check_derivatives(net, test::normal_f64({1, 3, 2, 4}));
  CHECK(d.first < 1e-7);
  CHECK(d.second < 1e-6);
}
