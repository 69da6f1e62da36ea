// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/shape.hpp>

#include "../test.hpp"

using namespace synthdata;

namespace {

/// 0, 1, 2, ... so that a value tells where it came from.
Tensor counting(const Shape& shape, DType dtype = DType::f32) { return arange(shape.size(), dtype).reshape(shape); }

/// Position of `index` in a row-major tensor.
std::int64_t flat(const Shape& shape, const std::vector<std::int64_t>& index) {
  std::int64_t at = 0;
  for (int k = 0; k < shape.rank(); ++k) at = at * shape[k] + index[static_cast<std::size_t>(k)];
  return at;
}

/// Compares y with from(index of y) -> value, element by element.
template <class From>
bool matches(const Tensor& y, const From& from) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(y.rank()), 0);
  const Tensor wide = y.to(DType::f64);
  for (std::int64_t i = 0; i < y.size(); ++i) {
    for (std::int64_t rest = i, k = y.rank() - 1; k >= 0; --k) {
      index[static_cast<std::size_t>(k)] = rest % y.shape()[static_cast<int>(k)];
      rest /= y.shape()[static_cast<int>(k)];
    }
    if (wide.data<double>()[i] != from(index)) return false;
  }
  return true;
}

template <class F>
void check_derivatives(const F& f, const std::vector<Tensor>& at) {
  // Linear in each input: differences err by rounding only. The second check squares f to have second derivatives.
  CHECK(gradcheck(f, at).worst_relative < 1e-8);
  const auto squared = [&](const std::vector<Var>& v) { return square(f(v)); };
  CHECK(gradgradcheck(squared, at).worst_relative < 1e-7);
}

}  // namespace

TEST_CASE("reshape keeps the elements and infers one extent") {
  const Tensor x = counting({4, 6});
  const Var y = reshape(x, {2, -1, 3});
  CHECK(y.shape() == Shape{2, 4, 3});
  CHECK(y.value().shares_elements(x));
  CHECK(reshape(x, Shape{24}).shape() == Shape{24});
  CHECK(flatten(Tensor::zeros({2, 3, 4})).shape() == Shape{2, 12});
  CHECK(flatten(Tensor::zeros({2, 3, 4}), 0).shape() == Shape{24});
  CHECK(flatten(Tensor::zeros({2, 3, 4}), -2).shape() == Shape{2, 12});
  CHECK(expand_dims(x, 0).shape() == Shape{1, 4, 6});
  CHECK(expand_dims(x, -1).shape() == Shape{4, 6, 1});
  CHECK(squeeze(expand_dims(x, 1), 1).shape() == Shape{4, 6});
  CHECK_THROWS_WITH(reshape(x, {5, -1}), ContainsSubstring("5 does not divide"));
  CHECK_THROWS_WITH(reshape(x, Shape{5, 5}), ContainsSubstring("has 24 elements"));
  CHECK_THROWS_WITH(squeeze(x, 1), ContainsSubstring("axis 1 of [4, 6] must be 1, it is 6"));
  CHECK_THROWS_AS(expand_dims(x, 3), ShapeError);
}

TEST_CASE("permute moves every element where it belongs") {
  // Extents around the tile of the transposing kernel (16 elements of 4 bytes), of every element size.
  const auto dtype = GENERATE(DType::f32, DType::f64, DType::u8, DType::i64, DType::boolean);
  const Shape shape{3, 17, 5, 33};
  const Tensor x = counting(shape, dtype);
  const double wrap = dtype == DType::u8 ? 256 : 0;
  const std::vector<std::vector<int>> orders = {{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 3, 1, 2}, {0, 2, 3, 1},
                                                {1, 0, 2, 3}, {2, 3, 0, 1}, {0, 1, 3, 2}, {-1, 0, 1, -2}};
  for (const std::vector<int>& order : orders) {
    const Tensor y = permute(x, order).value();
    CHECK(matches(y, [&](const std::vector<std::int64_t>& index) {
      std::vector<std::int64_t> source(4);
      for (std::size_t k = 0; k < 4; ++k) source[static_cast<std::size_t>((order[k] + 4) % 4)] = index[k];
      const double value = static_cast<double>(flat(shape, source));
      if (dtype == DType::boolean) return value != 0.0 ? 1.0 : 0.0;
      return wrap != 0.0 ? std::fmod(value, wrap) : value;
    }));
  }
}

TEST_CASE("permute of large tensors gives the same bits for any number of threads") {
  const Tensor wide = counting({2, 700, 300}), narrow = counting({100000, 3});
  set_threads(1);
  const Tensor a = transpose(wide).value(), b = transpose(narrow).value(), c = transpose(b).value();
  CHECK(same_bits(c, narrow));
  CHECK(matches(a, [&](const auto& i) { return static_cast<double>((i[0] * 700 + i[2]) * 300 + i[1]); }));
  set_threads(3);
  CHECK(same_bits(transpose(wide).value(), a));
  CHECK(same_bits(transpose(narrow).value(), b));
  CHECK(same_bits(transpose(b).value(), narrow));
  set_threads(0);
}

TEST_CASE("permute of axes of extent 1 copies nothing") {
  const Tensor x = counting({1, 4, 1, 6});
  CHECK(permute(x, {1, 0, 3, 2}).value().shares_elements(x));
  CHECK(permute(x, {1, 0, 3, 2}).shape() == Shape{4, 1, 6, 1});
}

TEST_CASE("permute wants each axis once") {
  CHECK_THROWS_WITH(permute(Tensor::zeros({2, 3}), {0, 0}), ContainsSubstring("{0, 0} does not name each axis"));
  CHECK_THROWS_AS(permute(Tensor::zeros({2, 3}), {0}), ShapeError);
  CHECK_THROWS_AS(permute(Tensor::zeros({2, 3}), {0, 2}), ShapeError);
  CHECK_THROWS_AS(transpose(Tensor::zeros({2})), ShapeError);
}

TEST_CASE("slice takes every step-th element") {
  const Shape shape{4, 7, 3};
  const Tensor x = counting(shape);
  const auto from = [&](int axis, std::int64_t begin, std::int64_t step) {
    return [&, axis, begin, step](std::vector<std::int64_t> i) {
      auto& at = i[static_cast<std::size_t>(axis)];
      at = begin + at * step;
      return static_cast<double>(flat(shape, i));
    };
  };
  CHECK(slice(x, 1, 2, 5).shape() == Shape{4, 3, 3});
  CHECK(matches(slice(x, 1, 2, 5).value(), from(1, 2, 1)));
  CHECK(slice(x, 1, 0, 7, 3).shape() == Shape{4, 3, 3});
  CHECK(matches(slice(x, 1, 0, 7, 3).value(), from(1, 0, 3)));
  CHECK(slice(x, 1, 1, 7, 3).shape() == Shape{4, 2, 3});
  CHECK(matches(slice(x, -1, -2, 3).value(), from(2, 1, 1)));
  CHECK(matches(slice(x, 0, 1, -1).value(), from(0, 1, 1)));
  CHECK(slice(x, 0, 2, 2).shape() == Shape{0, 7, 3});
  CHECK_THROWS_WITH(slice(x, 1, 3, 8),
                    ContainsSubstring("0 <= begin <= end <= 7 and step >= 1 on axis 1 of [4, 7, 3] f32, got begin 3, "
                                      "end 8, step 1"));
  CHECK_THROWS_AS(slice(x, 1, 3, 2), ShapeError);
  CHECK_THROWS_AS(slice(x, 1, -8, 2), ShapeError);
  CHECK_THROWS_AS(slice(x, 1, 0, 2, 0), ShapeError);
  CHECK_THROWS_WITH(slice(x, 3, 0, 1), ContainsSubstring("axis 3 is out of range"));
}

TEST_CASE("concat joins along an axis and split undoes it") {
  const Tensor a = counting({2, 3, 4}), b = counting({2, 1, 4}), c = counting({2, 0, 4});
  const Var y = concat({a, b, c}, 1);
  CHECK(y.shape() == Shape{2, 4, 4});
  CHECK(matches(y.value(), [&](const auto& i) {
    return static_cast<double>(i[1] < 3 ? i[0] * 12 + i[1] * 4 + i[2] : i[0] * 4 + i[2]);
  }));
  const std::vector<Var> parts = split(y, -2, {3, 1, 0});
  REQUIRE(parts.size() == 3);
  CHECK(same_bits(parts[0].value(), a));
  CHECK(same_bits(parts[1].value(), b));
  CHECK(same_bits(parts[2].value(), c));
  const std::vector<Var> halves = split(y, 0, 2);
  REQUIRE(halves.size() == 2);
  CHECK(same_bits(concat(halves, 0).value(), y.value()));
  CHECK(same_bits(stack({a, a}, 0).value(), concat({expand_dims(a, 0), expand_dims(a, 0)}, 0).value()));
  CHECK(stack({a, a}, -1).shape() == Shape{2, 3, 4, 2});
  CHECK(stack({a, a}, 1).shape() == Shape{2, 2, 3, 4});
}

TEST_CASE("concat, stack and split name what does not fit") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({2, 4});
  CHECK_THROWS_WITH(concat({a, b}, 0), ContainsSubstring("part 1 may differ from the first on axis 0 only\n"
                                                         "  first [2, 3] f32\n  part  [2, 4] f32"));
  CHECK_THROWS_AS(concat({a, Tensor::zeros({2, 3}, DType::f64)}, 0), DTypeError);
  CHECK_THROWS_AS(concat({a, Tensor::zeros({2})}, 0), ShapeError);
  CHECK_THROWS_AS(concat(std::vector<Var>{}, 0), ShapeError);
  CHECK_THROWS_WITH(stack({a, b}), ContainsSubstring("part 1 and the first differ in shape"));
  CHECK_THROWS_WITH(split(a, 1, {1, 1}), ContainsSubstring("{1, 1} does not add up to 3"));
  CHECK_THROWS_AS(split(a, 1, {4, -1}), ShapeError);
  CHECK_THROWS_WITH(split(a, 1, 2), ContainsSubstring("cannot be cut into 2 equal parts"));
}

TEST_CASE("pad surrounds x with a value") {
  const Tensor x = counting({2, 3});
  const Var y = pad(x, {{1, 0}, {2, 1}}, -5.0);
  CHECK(y.shape() == Shape{3, 6});
  CHECK(matches(y.value(), [&](const auto& i) {
    return i[0] >= 1 && i[1] >= 2 && i[1] < 5 ? static_cast<double>((i[0] - 1) * 3 + i[1] - 2) : -5.0;
  }));
  CHECK(pad(counting({3}), {{1, 1}}).shape() == Shape{5});
  CHECK_THROWS_WITH(pad(x, {{1, 1}}), ContainsSubstring("a width for each of 2 axes of [2, 3] f32, got 1"));
  CHECK_THROWS_AS(pad(x, {{1, 1}, {0, -1}}), ShapeError);
  CHECK_THROWS_AS(pad(x, {{1, 1}, {0, INT64_MAX}}), ShapeError);
}

TEST_CASE("flip reverses an axis") {
  const Shape shape{3, 5, 4};
  const Tensor x = counting(shape);
  const int axis = GENERATE(0, 1, 2);
  CHECK(matches(flip(x, axis).value(), [&](std::vector<std::int64_t> i) {
    auto& at = i[static_cast<std::size_t>(axis)];
    at = shape[axis] - 1 - at;
    return static_cast<double>(flat(shape, i));
  }));
  CHECK(same_bits(flip(flip(x, axis - 3), axis).value(), x));
}

TEST_CASE("tile repeats the whole, repeat each element") {
  const Tensor x = counting({2, 3});
  CHECK(matches(tile(x, 1, 2).value(), [](const auto& i) { return static_cast<double>(i[0] * 3 + i[1] % 3); }));
  CHECK(matches(tile(x, 0, 2).value(), [](const auto& i) { return static_cast<double>(i[0] % 2 * 3 + i[1]); }));
  CHECK(matches(repeat(x, 1, 2).value(), [](const auto& i) { return static_cast<double>(i[0] * 3 + i[1] / 2); }));
  CHECK(matches(repeat(x, 0, 2).value(), [](const auto& i) { return static_cast<double>(i[0] / 2 * 3 + i[1]); }));
  CHECK_THROWS_WITH(tile(x, 0, 0), ContainsSubstring("count >= 1, got 0"));
}

TEST_CASE("shape operations have the right first and second derivatives") {
  Rng rng{3};
  const Tensor x = normal({2, 3, 4}, rng, DType::f64), y = normal({2, 2, 4}, rng, DType::f64);
  using V = const std::vector<Var>&;
  check_derivatives([](V v) { return reshape(v[0], {4, -1}); }, {x});
  check_derivatives([](V v) { return permute(v[0], {2, 0, 1}); }, {x});
  check_derivatives([](V v) { return transpose(v[0]); }, {x});
  check_derivatives([](V v) { return slice(v[0], 2, 1, 4, 2); }, {x});
  check_derivatives([](V v) { return concat({v[0], v[1], v[0]}, 1); }, {x, y});
  check_derivatives([](V v) { return stack({v[0], v[0] * 2.0}, 1); }, {x});
  check_derivatives(
      [](V v) {
        const std::vector<Var> parts = split(v[0], 2, {1, 3});
        return parts[0] * parts[1];
      },
      {x});
  check_derivatives([](V v) { return pad(v[0], {{0, 1}, {2, 0}, {1, 1}}, 0.5); }, {x});
  check_derivatives([](V v) { return flip(v[0], 1); }, {x});
  check_derivatives([](V v) { return tile(v[0], 1, 2) + repeat(v[0], 1, 2); }, {x});
}

TEST_CASE("concat passes no gradient to a constant part") {
  const Var x = leaf(Tensor::ones({2, 2}));
  const Var y = concat({x, Tensor::ones({2, 3})}, 1);
  CHECK(same_bits(grad(sum(y * 3.0), x).value(), Tensor::full({2, 2}, 3.0)));
}
