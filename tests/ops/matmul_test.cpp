// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/matmul.hpp>

#include "../test.hpp"

#include <cmath>

using namespace synthdata;

namespace {

using In = std::vector<Var>;

Tensor random(const Shape& shape, std::uint64_t seed = 3, DType dtype = DType::f64) {
  Rng rng{seed};
  return normal(shape, rng, dtype);
}

/// Largest difference from three plain loops; a [B, m, k] or [B, k, m], b likewise.
double distance(const Tensor& y, const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  const std::int64_t batch = a.shape(0), m = a.shape(o.transpose_a ? 2 : 1), k = a.shape(o.transpose_a ? 1 : 2);
  const std::int64_t n = b.shape(o.transpose_b ? 1 : 2);
  double worst = 0;
  for (std::int64_t i = 0; i < batch * m * n; ++i) {
    const std::int64_t p = i / (m * n), row = i / n % m, column = i % n;
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      sum += a.data<double>()[p * m * k + (o.transpose_a ? j * m + row : row * k + j)] *
             b.data<double>()[p * k * n + (o.transpose_b ? column * k + j : j * n + column)];
    }
    worst = std::max(worst, std::abs(sum - y.data<double>()[i]));
  }
  return worst;
}

}  // namespace

TEST_CASE("matmul equals three loops for every transposition") {
  for (const auto& [batch, m, n, k] : std::vector<std::array<std::int64_t, 4>>{
           {1, 1, 1, 1}, {1, 3, 5, 2}, {4, 3, 5, 2}, {1, 37, 65, 130}, {3, 17, 33, 9}, {2, 130, 140, 150}}) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        const Tensor a = random(ta ? Shape{batch, k, m} : Shape{batch, m, k}, 1);
        const Tensor b = random(tb ? Shape{batch, n, k} : Shape{batch, k, n}, 2);
        const MatmulOptions o{.transpose_a = ta, .transpose_b = tb};
        const Tensor y = matmul(a, b, o).value();
        CAPTURE(batch, m, n, k, ta, tb);
        REQUIRE(y.shape() == Shape{batch, m, n});
        CHECK(distance(y, a, b, o) < 1e-15 * 8 * (1 + std::sqrt(static_cast<double>(k))));
      }
    }
  }
}

TEST_CASE("matmul has the right derivatives for every transposition and batch") {
  const std::vector<std::pair<Shape, Shape>> batches = {{{}, {}}, {{2}, {2}}, {{2}, {}}, {{}, {2}}, {{2, 1}, {3}}};
  for (const auto& [left, right] : batches) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        const auto f = [&](const In& v) { return matmul(v[0], v[1], {.transpose_a = ta, .transpose_b = tb}); };
        Shape a = left, b = right;
        for (const std::int64_t e : ta ? Shape{4, 3} : Shape{3, 4}) a.push_back(e);
        for (const std::int64_t e : tb ? Shape{2, 4} : Shape{4, 2}) b.push_back(e);
        CAPTURE(a.str(), b.str(), ta, tb);
        CHECK(gradcheck(f, {random(a, 1), random(b, 2)}).worst_relative < 1e-7);
        CHECK(gradgradcheck(f, {random(a, 1), random(b, 2)}).worst_relative < 1e-6);
      }
    }
  }
}

TEST_CASE("linear is the product with the bias and the activation, first and second derivatives too") {
  struct Row {
    const char* name;
    Activation fused;
    Var (*plain)(const Var&);
  };
  const Row rows[] = {{"none", fused::none, [](const Var& x) { return x; }},
                      {"relu", fused::relu, [](const Var& x) { return relu(x); }},
                      {"leaky_relu", fused::leaky_relu(0.3), [](const Var& x) { return leaky_relu(x, 0.3); }},
                      {"tanh", fused::tanh, [](const Var& x) { return tanh(x); }},
                      {"sigmoid", fused::sigmoid, [](const Var& x) { return sigmoid(x); }}};
  const Tensor w = random({5, 3}, 1), b = random({5}, 2);
  for (const Row& row : rows) {
    for (const Shape& shape : {Shape{4, 3}, Shape{2, 2, 3}, Shape{3}}) {
      const Tensor x = random(shape, 5);
      CAPTURE(row.name, shape.str());
      const auto f = [&](const In& v) { return linear(v[0], v[1], v[2], row.fused); };
      CHECK(gradcheck(f, {x, w, b}).worst_relative < 1e-7);
      CHECK(gradgradcheck(f, {x, w, b}).worst_relative < 1e-6);
      const auto bare = [&](const In& v) { return linear(v[0], v[1], {}, row.fused); };
      CHECK(gradcheck(bare, {x, w}).worst_relative < 1e-7);
      const Tensor y = linear(x, w, b, row.fused).value();
      CHECK(y.shape() == shape.with(-1, 5));
      const Tensor plain =
          row.plain(matmul(Var(x.reshape({-1, 3})), w, {.transpose_b = true}) + Var(b)).value().reshape(y.shape());
      for (std::int64_t i = 0; i < y.size(); ++i) {
        CHECK(y.data<double>()[i] == Approx(plain.data<double>()[i]).epsilon(1e-13).margin(1e-14));
      }
    }
  }
}

TEST_CASE("products with empty extents") {
  CHECK(matmul(zeros({0, 3}), ones({3, 2})).shape() == Shape{0, 2});
  CHECK(matmul(zeros({2, 0, 3}), ones({3, 2})).shape() == Shape{2, 0, 2});
  const Tensor none = matmul(zeros({2, 2, 0}), zeros({0, 3})).value();  // a sum of nothing
  CHECK(none.shape() == Shape{2, 2, 3});
  for (const float v : none.span<float>()) CHECK(v == 0.0f);
  CHECK(linear(zeros({0, 3}), ones({4, 3}), ones({4})).shape() == Shape{0, 4});
  const Var x = leaf(zeros({0, 3})), w = leaf(ones({4, 3}));
  for (const float v : grad(sum(linear(x, w)), w).value().span<float>()) CHECK(v == 0.0f);
}

TEST_CASE("products have the same bits for any number of threads") {
  const Tensor a = random({200, 300}, 1, DType::f32), b = random({300, 100}, 2, DType::f32);
  const Tensor p = random({50, 20, 30}, 1, DType::f32), q = random({50, 30, 10}, 2, DType::f32);
  set_threads(1);
  const Tensor large = matmul(a, b).value(), small = matmul(p, q).value();
  for (const int n : {2, 5}) {
    set_threads(n);
    CHECK(same_bits(large, matmul(a, b).value()));
    CHECK(same_bits(small, matmul(p, q).value()));
  }
  set_threads(0);
}

TEST_CASE("matmul and linear name what does not fit") {
  const Var a = ones({2, 3}), b = ones({4, 5});
  CHECK_THROWS_WITH(matmul(a, b),
                    ContainsSubstring("matmul: inner extents differ, 3 and 4\n  a [2, 3] f32\n  b [4, 5] f32"));
  CHECK_THROWS_AS(matmul(a, b, {.transpose_a = true}), ShapeError);
  CHECK_THROWS_WITH(matmul(ones({3}), a), ContainsSubstring("at least two axes"));
  CHECK_THROWS_WITH(matmul(a, ones({3, 2}, DType::f64)), ContainsSubstring("different dtypes"));
  CHECK_THROWS_WITH(matmul(ones({2, 1, 1}), ones({3, 1, 1})), ContainsSubstring("do not broadcast"));
  CHECK_THROWS_WITH(matmul(ones({2, 2}, DType::i64), ones({2, 2}, DType::i64)), ContainsSubstring("got i64"));
  CHECK_THROWS_WITH(linear(a, ones({4, 5})), ContainsSubstring("weight expects 5 input features, input has 3") &&
                                                 ContainsSubstring("weight [4, 5] f32"));
  CHECK_THROWS_WITH(linear(a, ones({4, 3}), ones({5})), ContainsSubstring("one value for each output"));
  CHECK_THROWS_AS(linear(Tensor::scalar(1), ones({4, 3})), ShapeError);
  CHECK_THROWS_AS(linear(a, ones({4, 3}, DType::f64)), DTypeError);
  CHECK_THROWS_AS(linear(a, ones({4, 3}), ones({4}, DType::f64)), DTypeError);
}
