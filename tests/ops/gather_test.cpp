// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/gather.hpp>

#include "../test.hpp"

using namespace synthdata;

namespace {

Tensor indices(const std::vector<std::int64_t>& values) { return Tensor::from(values); }

template <class F>
void check_derivatives(const F& f, const std::vector<Tensor>& at) {
  CHECK(gradcheck(f, at).worst_relative < 1e-8);
  const auto squared = [&](const std::vector<Var>& v) { return square(f(v)); };
  CHECK(gradgradcheck(squared, at).worst_relative < 1e-7);
}

}  // namespace

TEST_CASE("gather reads slices, scatter_add adds them back") {
  Rng rng{5};
  const int axis = GENERATE(0, 1, 2);
  const Shape shape{4, 5, 3};
  const Tensor x = normal(shape, rng);
  const Tensor index = indices({2, 0, 2, 1});
  const Tensor y = gather(x, axis, index).value();
  REQUIRE(y.shape() == shape.with(axis, 4));
  Tensor back = Tensor::zeros(shape, DType::f64);
  bool equal = true;
  for (std::int64_t a = 0; a < y.shape(0); ++a) {
    for (std::int64_t b = 0; b < y.shape(1); ++b) {
      for (std::int64_t c = 0; c < y.shape(2); ++c) {
        std::int64_t at[3] = {a, b, c};
        const std::int64_t from = (a * y.shape(1) + b) * y.shape(2) + c;
        at[axis] = index.data<std::int64_t>()[at[axis]];
        const std::int64_t to = (at[0] * 5 + at[1]) * 3 + at[2];
        equal = equal && y.data<float>()[from] == x.data<float>()[to];
        back.data<double>()[to] += static_cast<double>(y.data<float>()[from]);
      }
    }
  }
  CHECK(equal);
  CHECK(same_bits(gather(x, axis - 3, index.to(DType::i32)).value(), y));
  CHECK(same_bits(scatter_add(shape, axis, index, y).value(), back.to(DType::f32)));  // sums of two equal floats
  CHECK(gather(x, axis, indices({})).shape() == shape.with(axis, 0));
}

TEST_CASE("take_along_axis reads each place with its own index") {
  Rng rng{6};
  const int axis = GENERATE(0, 1, 2);
  const Shape shape{4, 5, 3}, index_shape = shape.with(axis, 6);
  const auto dtype = GENERATE(DType::f32, DType::f64, DType::u8);
  const Tensor x = normal(shape, rng, DType::f64, 100.0, 20.0).to(dtype);
  const Tensor index = random_integers(index_shape, shape[axis], rng);
  const Tensor y = take_along_axis(x, index, axis).value().to(DType::f64), wide = x.to(DType::f64);
  REQUIRE(y.shape() == index_shape);
  Tensor back = Tensor::zeros(shape, DType::f64);
  bool equal = true;
  for (std::int64_t i = 0; i < index.size(); ++i) {
    std::int64_t at[3] = {i / index_shape[2] / index_shape[1], i / index_shape[2] % index_shape[1], i % index_shape[2]};
    at[axis] = index.data<std::int64_t>()[i];
    const std::int64_t to = (at[0] * 5 + at[1]) * 3 + at[2];
    equal = equal && y.data<double>()[i] == wide.data<double>()[to];
    back.data<double>()[to] += y.data<double>()[i];
  }
  CHECK(equal);
  const Tensor sums = scatter_along_axis(shape, index.to(DType::i32), axis, y).value();
  for (std::int64_t i = 0; i < sums.size(); ++i) CHECK(sums.data<double>()[i] == Approx(back.data<double>()[i]));
}

TEST_CASE("one_hot and embedding") {
  const Tensor labels = Tensor::from(std::vector<std::int64_t>{1, 0, 2, 1}, {2, 2});
  const Tensor y = one_hot(labels, 3).value();
  CHECK(y.shape() == Shape{2, 2, 3});
  CHECK(same_bits(y, Tensor::from(std::vector<float>{0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0}, {2, 2, 3})));
  const Tensor table = Tensor::from(std::vector<float>{10, 11, 20, 21, 30, 31}, {3, 2});
  CHECK(same_bits(embedding(table, labels).value(),
                  Tensor::from(std::vector<float>{20, 21, 10, 11, 30, 31, 20, 21}, {2, 2, 2})));
}

TEST_CASE("an index out of range is named with its place") {
  const Tensor x = Tensor::zeros({4, 3});
  CHECK_THROWS_WITH(gather(x, 0, indices({0, 3, 4})),
                    ContainsSubstring("gather: index 4 (element 2 of [3] i64) is out of range [0, 4)"));
  CHECK_THROWS_WITH(gather(x, 1, indices({-1})), ContainsSubstring("index -1 (element 0 of [1] i64)"));
  CHECK_THROWS_WITH(scatter_add({4, 3}, 0, indices({4}), Tensor::zeros({1, 3})), ContainsSubstring("[0, 4)"));
  CHECK_THROWS_WITH(embedding(x, indices({7})), ContainsSubstring("embedding: index 7"));
  CHECK_THROWS_WITH(one_hot(indices({2}), 2), ContainsSubstring("one_hot: index 2"));
  CHECK_THROWS_AS(take_along_axis(x, Tensor::full({4, 1}, 3, DType::i64), 1), ShapeError);
}

TEST_CASE("gather and its kin name what does not fit") {
  const Tensor x = Tensor::zeros({4, 3});
  CHECK_THROWS_AS(gather(x, 0, Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_WITH(gather(x, 0, Tensor::zeros({1, 2}, DType::i64)), ContainsSubstring("an index of one axis"));
  CHECK_THROWS_AS(gather(x, 2, indices({0})), ShapeError);
  CHECK_THROWS_WITH(take_along_axis(x, Tensor::zeros({2, 2}, DType::i64), 1),
                    ContainsSubstring("may differ on axis 1 only\n  input [4, 3] f32\n  index [2, 2] i64"));
  CHECK_THROWS_WITH(scatter_add({4, 3}, 0, indices({0, 1}), Tensor::zeros({3, 3})),
                    ContainsSubstring("into [4, 3] along axis 0 expects values [2, 3]"));
  CHECK_THROWS_AS(scatter_along_axis({4, 3}, Tensor::zeros({4, 2}, DType::i64), 1, Tensor::zeros({4, 1})), ShapeError);
  CHECK_THROWS_AS(scatter_along_axis({4, 3}, Tensor::zeros({5, 2}, DType::i64), 1, Tensor::zeros({5, 2})), ShapeError);
  CHECK_THROWS_AS(one_hot(indices({}), 0), ShapeError);
  CHECK_THROWS_AS(embedding(Tensor::zeros({3}), indices({0})), ShapeError);
}

TEST_CASE("scatter_add gives the same bits for any number of threads") {
  Rng rng{8};
  const Tensor index = random_integers({20000}, 50, rng), values = normal({3, 20000, 70}, rng);
  const Tensor each = random_integers({3, 2000, 70}, 50, rng), few = normal({3, 2000, 70}, rng);
  set_threads(1);
  const Tensor a = scatter_add({3, 50, 70}, 1, index, values).value();
  const Tensor b = scatter_along_axis({3, 50, 70}, each, 1, few).value();
  for (const int n : {2, 3}) {
    set_threads(n);
    CHECK(same_bits(scatter_add({3, 50, 70}, 1, index, values).value(), a));
    CHECK(same_bits(scatter_along_axis({3, 50, 70}, each, 1, few).value(), b));
  }
  set_threads(0);
}

TEST_CASE("gather and its kin have the right first and second derivatives") {
  Rng rng{9};
  using V = const std::vector<Var>&;
  const Tensor x = normal({2, 4, 3}, rng, DType::f64), index = indices({3, 0, 3});
  const Tensor each = random_integers({2, 5, 3}, 4, rng), five = normal({2, 5, 3}, rng, DType::f64);
  check_derivatives([&](V v) { return gather(v[0], 1, index); }, {x});
  check_derivatives([&](V v) { return scatter_add({2, 6, 3}, 1, indices({5, 1, 1, 0}), v[0]); }, {x});
  check_derivatives([&](V v) { return take_along_axis(v[0], each, 1); }, {x});
  check_derivatives([&](V v) { return scatter_along_axis({2, 4, 3}, each, 1, v[0]); }, {five});
  check_derivatives(
      [&](V v) {
        return embedding(v[0], Tensor::from(std::vector<std::int64_t>{1, 0, 1, 1}, {2, 2}));
      },
      {normal({3, 2}, rng, DType::f64)});
}
