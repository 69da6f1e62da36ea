// tests/gan/diff_augment_test.cpp: differentiable augmentation: its gradients, what it changes, and a short training.
//
// SPDX-License-Identifier: MIT
#include <synthdata/gan/diff_augment.hpp>
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/shift.hpp>

#include "../test.hpp"

using namespace synthdata;

namespace {

TEST_CASE("shift_images moves each image by its own shift, zeros come in") {
  Rng rng{1};
  const Tensor x = normal({4, 3, 5, 2}, rng);
  const std::vector<std::int64_t> by = {1, -2, 0, 0, -9, 1, 2, 4};
  const Tensor y = shift_images(x, Tensor::from(by, {4, 2})).value();
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const std::int64_t c = i % 2, column = i / 2 % 5, row = i / 10 % 3, n = i / 30;
    const std::int64_t from_row = row - by[static_cast<std::size_t>(2 * n)],
                       from_column = column - by[static_cast<std::size_t>(2 * n + 1)];
    const bool inside = from_row >= 0 && from_row < 3 && from_column >= 0 && from_column < 5;
    CHECK(y.data<float>()[i] == (inside ? x.data<float>()[((n * 3 + from_row) * 5 + from_column) * 2 + c] : 0.0f));
  }
  CHECK_THROWS_AS(shift_images(x, Tensor::zeros({4, 1}, DType::i64)), ShapeError);
}

TEST_CASE("differentiable augmentation has the right first and second derivatives") {
  Rng rng{2};
  const std::vector<Tensor> at = {normal({3, 6, 5, 2}, rng, DType::f64)};
  for (const DiffAugment augment :
       {DiffAugment{.translation = 0, .cutout = 0}, DiffAugment{.color = false, .cutout = 0},
        DiffAugment{.color = false, .translation = 0}, DiffAugment{}}) {
    const auto f = [&](const std::vector<Var>& v) {
      Rng same{3};
      const Var y = augment(v[0], same);
      return y * y;  // linear by itself: squares give the second derivative something to find
    };
    CHECK(gradcheck(f, at).worst_relative < 1e-6);
    CHECK(gradgradcheck(f, at).worst_relative < 1e-5);
  }
}

TEST_CASE("colour jitter is the formula of the paper's program") {
  Rng rng{4};
  const Tensor x = normal({2, 3, 4, 3}, rng), b = normal({2, 1, 1, 1}, rng), s = normal({2, 1, 1, 1}, rng),
               c = normal({2, 1, 1, 1}, rng);
  const Tensor y = jitter_color(Var(x), b, s, c).value();
  for (std::int64_t n = 0; n < 2; ++n) {
    std::vector<double> values;
    double image_mean = 0;
    for (std::int64_t p = 0; p < 12; ++p) {
      double grey = 0;
      for (std::int64_t k = 0; k < 3; ++k)
        grey += double{x.data<float>()[(n * 12 + p) * 3 + k]} + double{b.data<float>()[n]};
      grey /= 3;
      for (std::int64_t k = 0; k < 3; ++k) {
        const double v = double{x.data<float>()[(n * 12 + p) * 3 + k]} + double{b.data<float>()[n]};
        values.push_back(grey + (v - grey) * double{s.data<float>()[n]});
        image_mean += values.back() / 36;
      }
    }
    for (std::size_t i = 0; i < 36; ++i) {
      const double expected = image_mean + (values[i] - image_mean) * double{c.data<float>()[n]};
      CHECK(y.data<float>()[n * 36 + static_cast<std::int64_t>(i)] == Approx(expected).margin(1e-5));
    }
  }
}

TEST_CASE("augmentation is for training only, and repeats with its random numbers") {
  Rng rng{5};
  const Var x(normal({8, 16, 16, 1}, rng));
  Context inference;
  CHECK(same_bits(DiffAugment{}(x, inference).value(), x.value()));
  Rng a{6}, b{6};
  Context training{.mode = Mode::training, .rng = &a};
  const Tensor y = DiffAugment{}(x, training).value();
  CHECK_FALSE(same_bits(y, x.value()));
  CHECK(same_bits(y, DiffAugment{}(x, b).value()));
  CHECK_THROWS_AS((DiffAugment{.cutout = 1.5}(x, b)), NumericError);
  CHECK_THROWS_AS(DiffAugment{}(Var(Tensor::zeros({2, 3})), b), ShapeError);
}

TEST_CASE("a cutout leaves at least three quarters and an average of more") {
  Rng rng{7};
  const Tensor mask = DiffAugment{.color = false, .translation = 0}(Var(Tensor::ones({500, 16, 16, 1})), rng).value();
  double sum = 0;
  for (std::int64_t n = 0; n < 500; ++n) {
    double left = 0;
    for (std::int64_t i = 0; i < 256; ++i) left += double{mask.data<float>()[n * 256 + i]};
    CHECK(left >= 192);
    CHECK(left <= 240);
    sum += left;
  }
  CHECK(sum / 500 < 230);
}

TEST_CASE("a discriminator can begin with DiffAugment") {
  Rng rng{8};
  Sequential net{DiffAugment{}, Conv2d(1, 4, 3, rng)};
  Context context{.mode = Mode::training, .rng = &rng};
  const Var x = leaf(normal({2, 8, 8, 1}, rng));
  const Var loss = sum(square(net(x, context)));
  CHECK(grad(loss, x).shape() == x.shape());
}

}  // namespace
