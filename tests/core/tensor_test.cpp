// SPDX-License-Identifier: MIT
#include <synthdata/core/tensor.hpp>

#include "../test.hpp"

#include <limits>

using namespace synthdata;

TEST_CASE("tensors are made by value, by list and by count") {
  const Tensor z = zeros({2, 3});
  CHECK(z.str() == "[2, 3] f32");
  for (const float v : z.span<float>()) CHECK(v == 0.0f);
  for (const std::uint8_t v : full({3}, 7, DType::u8).span<std::uint8_t>()) CHECK(v == 7);
  CHECK(Tensor::scalar(2.5).item() == 2.5);
  CHECK(Tensor::scalar(2.5).rank() == 0);

  const Tensor t = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2});
  CHECK(t.dtype() == DType::f64);
  CHECK(t.shape(-1) == 2);
  CHECK(t.span<double>()[5] == 6.0);
  CHECK(Tensor::from(std::vector<std::int32_t>{}).size() == 0);

  const Tensor counted = arange(4);
  CHECK(counted.dtype() == DType::i64);
  CHECK(counted.span<std::int64_t>()[3] == 3);
  CHECK_FALSE(Tensor().defined());
  CHECK(Tensor().str() == "undefined");
}

TEST_CASE("elements of a tensor start on a cache line") {
  for (const std::int64_t n : {1, 3, 17, 1000, 100000}) {
    CHECK(reinterpret_cast<std::uintptr_t>(Tensor::empty({n}).bytes()) % 64 == 0);
  }
}

TEST_CASE("a tensor is a handle; clone copies the elements") {
  Tensor a = ones({4});
  CHECK(a.unique());
  Tensor b = a;
  CHECK_FALSE(a.unique());
  CHECK(a.shares_elements(b));
  Tensor c = a.clone();
  CHECK_FALSE(a.shares_elements(c));
  b.data<float>()[2] = 5.0f;
  CHECK(a.span<float>()[2] == 5.0f);
  CHECK(c.span<float>()[2] == 1.0f);
  CHECK_FALSE(Tensor().clone().defined());
  CHECK_FALSE(Tensor().shares_elements(Tensor()));
}

TEST_CASE("conversion between dtypes clamps, and NaN becomes 0") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor t = Tensor::from(std::vector<float>{-1.5f, 0.0f, 2.9f, 300.0f, inf, -inf, nan, 1e19f});
  const Tensor u8 = t.to(DType::u8), i32 = t.to(DType::i32), i64 = t.to(DType::i64), yes = t.to(DType::boolean);
  const std::uint8_t expected_u8[] = {0, 0, 2, 255, 255, 0, 0, 255};
  constexpr std::int32_t big = std::numeric_limits<std::int32_t>::max(), low = std::numeric_limits<std::int32_t>::min();
  const std::int32_t expected_i32[] = {-1, 0, 2, 300, big, low, 0, big};
  const bool expected_bool[] = {true, false, true, true, true, true, true, true};
  for (std::size_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(u8.span<std::uint8_t>()[i] == expected_u8[i]);
    CHECK(i32.span<std::int32_t>()[i] == expected_i32[i]);
    CHECK(yes.span<bool>()[i] == expected_bool[i]);
  }
  CHECK(i64.span<std::int64_t>()[7] == std::numeric_limits<std::int64_t>::max());
  CHECK(yes.to(DType::f64).span<double>()[2] == 1.0);
  CHECK(t.to(DType::f64).to(DType::f32).span<float>()[2] == 2.9f);
  CHECK(t.to(DType::f32).shares_elements(t));
  CHECK_FALSE(Tensor().to(DType::f64).defined());
}

TEST_CASE("reshape shares the elements and infers one extent") {
  const Tensor t = arange(24);
  CHECK(t.reshape({2, -1, 3}).shape() == Shape{2, 4, 3});
  CHECK(t.reshape({-1}).shares_elements(t));
  CHECK(t.reshape(Shape{24, 1}).shape() == Shape{24, 1});
  CHECK(zeros({0, 3}).reshape({3, -1}).shape() == Shape{3, 0});
  CHECK(Tensor::scalar(1).reshape({1, 1}).shape() == Shape{1, 1});
  CHECK_THROWS_WITH(t.reshape({5, 5}), ContainsSubstring("[24] has 24 elements, [5, 5] has 25"));
  CHECK_THROWS_WITH(t.reshape({5, -1}), ContainsSubstring("24 elements, which 5 does not divide"));
  CHECK_THROWS_WITH(t.reshape({-1, -1}), ContainsSubstring("only one extent"));
  CHECK_THROWS_AS(t.reshape({0, -1}), ShapeError);
  CHECK_THROWS_AS(t.reshape({-2, 12}), ShapeError);
  CHECK_THROWS_AS(t.reshape({std::int64_t{1} << 40, std::int64_t{1} << 40, -1}), ShapeError);  // the product overflows
}

TEST_CASE("rows is a view of the first axis") {
  Tensor t = arange(12).reshape({4, 3});
  Tensor middle = t.rows(1, 3);
  CHECK(middle.shape() == Shape{2, 3});
  CHECK(middle.span<std::int64_t>()[0] == 3);
  CHECK(middle.shares_elements(t));
  CHECK_FALSE(middle.unique());
  middle.data<std::int64_t>()[0] = -1;
  CHECK(t.span<std::int64_t>()[3] == -1);
  CHECK(middle.rows(1, 2).span<std::int64_t>()[0] == 6);
  CHECK(t.rows(4, 4).size() == 0);
  CHECK(zeros({0, 3}).rows(0, 0).shape() == Shape{0, 3});
  CHECK_THROWS_WITH(t.rows(2, 5), ContainsSubstring("rows: [2, 5) is out of range for [4, 3]"));
  CHECK_THROWS_AS(t.rows(-1, 2), ShapeError);
  CHECK_THROWS_AS(t.rows(3, 2), ShapeError);
  CHECK_THROWS_AS(Tensor::scalar(1).rows(0, 1), ShapeError);
}

TEST_CASE("tensor errors say what was expected and what came") {
  const Tensor t = zeros({2, 3});
  CHECK_THROWS_WITH(t.data<double>(), ContainsSubstring("asked for f64 elements, the tensor is [2, 3] f32"));
  CHECK_THROWS_AS(Tensor().data<float>(), DTypeError);
  CHECK_THROWS_WITH(t.item(), ContainsSubstring("expects one element, got shape [2, 3]"));
  CHECK_THROWS_WITH(Tensor::from(std::vector<float>{1, 2}, {3}), ContainsSubstring("[3] needs 3 values, got 2"));
  CHECK_THROWS_WITH(throw_shape("op", "text", {{"input", t}}), ContainsSubstring("op: text\n  input [2, 3] f32"));
}

TEST_CASE("absurd sizes are refused, not wrapped around") {
  CHECK_THROWS_AS(Tensor::empty({std::int64_t{1} << 61}, DType::f64), Error);  // 2^64 bytes
  CHECK_THROWS_AS(Tensor::empty({std::int64_t{1} << 60}, DType::f64), Error);  // 2^63
  CHECK_THROWS_AS(Tensor::empty({std::int64_t{1} << 45}, DType::f64), Error);
  CHECK_THROWS_AS(Tensor::empty({std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
}

TEST_CASE("same_bits tells dtype, shape and every byte") {
  const Tensor a = Tensor::from(std::vector<float>{0.0f, 1.0f}), b = Tensor::from(std::vector<float>{-0.0f, 1.0f});
  CHECK(same_bits(a, a.clone()));
  CHECK_FALSE(same_bits(a, b));  // equal numbers, other bits
  CHECK_FALSE(same_bits(a, a.reshape({2, 1})));
  CHECK_FALSE(same_bits(a, a.to(DType::f64)));
  CHECK_FALSE(same_bits(a, Tensor()));
  CHECK(same_bits(Tensor(), Tensor()));
  CHECK(same_bits(zeros({0}), zeros({0})));
}

TEST_CASE("an error collects the path of the modules it passes") {
  Error e("conv2d: bad");
  e.add_context("conv0");
  e.add_context("discriminator");
  CHECK(std::string(e.what()) == "conv2d: bad\n  while running discriminator.conv0");
  CHECK(concat("a ", 1, ' ', 2.5, " ", true, " ", DType::i64, " ", Shape{1, 2}) == "a 1 2.5 true i64 [1, 2]");
}
