// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/scan.hpp>

#include "../test.hpp"

using namespace synthdata;

TEST_CASE("cumsum adds up along an axis, from either end") {
  Rng rng{4};
  const int axis = GENERATE(0, 1, 2);
  const bool reverse = GENERATE(false, true);
  const Shape shape{3, 70, 5};
  const Tensor x = normal(shape, rng, DType::f64);
  const Tensor y = cumsum(x, axis - 3, {.reverse = reverse}).value();
  const std::int64_t step = axis == 0 ? 350 : axis == 1 ? 5 : 1, n = shape[axis];
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t at = i / step % n, first = i - at * step;
    double sum = 0.0;
    for (std::int64_t j = reverse ? at : 0; j < (reverse ? n : at + 1); ++j) sum += x.data<double>()[first + j * step];
    if (y.data<double>()[i] != Approx(sum).margin(1e-12)) FAIL("element " << i);
  }
  SUCCEED();
}

TEST_CASE("cumsum of floats loses nothing on the way") {
  // 2^24 + 1 is no float: a sum kept in f32 would stick at 2^24.
  Tensor x = Tensor::ones({5});
  x.data<float>()[0] = 16777216.0f;
  CHECK(cumsum(x, 0).value().data<float>()[4] == 16777220.0f);
  CHECK(cumsum(Tensor::zeros({0, 3}), 0).shape() == Shape{0, 3});
  CHECK_THROWS_AS(cumsum(Tensor::zeros({3}, DType::i64), 0), DTypeError);
  CHECK_THROWS_WITH(cumsum(x, 1), ContainsSubstring("axis 1 is out of range"));
}

TEST_CASE("cumsum has the right first and second derivatives") {
  Rng rng{5};
  const bool reverse = GENERATE(false, true);
  const std::vector<Tensor> at = {normal({2, 4, 3}, rng, DType::f64)};
  const auto f = [=](const std::vector<Var>& v) { return cumsum(v[0], 1, {.reverse = reverse}); };
  const auto squared = [&](const std::vector<Var>& v) { return square(f(v)); };
  CHECK(gradcheck(f, at).worst_relative < 1e-8);
  CHECK(gradgradcheck(squared, at).worst_relative < 1e-7);
}
