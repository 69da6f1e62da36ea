// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/shape.hpp>

#include "../test.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

using In = std::vector<Var>;
using Reduction = Var (*)(const Var&, const Axes&, Keepdims);

struct Row {
  const char* name;
  Reduction f;
};
const Row rows[] = {
    {"sum", sum},
    {"mean", mean},
    {"var", var},
    {"max", max},
    {"min", min},
    {"logsumexp", logsumexp},
    {"norm", [](const Var& x, const Axes& axes, Keepdims keep) { return norm(x, axes, 1e-3, keep); }},
};

Tensor random(const Shape& shape, DType dtype = DType::f64) {
  Rng rng{3};
  return normal(shape, rng, dtype);
}

/// The same reduction in long double, over [outer, reduced, inner].
long double naive(const std::string& name, const double* x, std::int64_t n, std::int64_t stride) {
  long double sum = 0, squares = 0, exponentials = 0, largest = -INFINITY, smallest = INFINITY;
  for (std::int64_t i = 0; i < n; ++i) {
    const long double v = x[i * stride];
    sum += v;
    squares += v * v;
    exponentials += std::exp(v);
    largest = std::max(largest, v);
    smallest = std::min(smallest, v);
  }
  const auto count = static_cast<long double>(n);
  if (name == "sum") return sum;
  if (name == "mean") return sum / count;
  if (name == "var") return squares / count - sum / count * (sum / count);
  if (name == "max") return largest;
  if (name == "min") return smallest;
  if (name == "logsumexp") return std::log(exponentials);
  return std::sqrt(squares + 1e-3L);
}

}  // namespace

TEST_CASE("reductions along one axis equal a plain loop, in both dtypes and any extent") {
  for (const auto& [outer, n, inner] : std::vector<std::array<std::int64_t, 3>>{
           {1, 1, 1}, {2, 5, 1}, {2, 5, 3}, {3, 64, 1}, {1, 1000, 7}, {1, 300, 100}, {2, 40000, 1}, {1, 700, 2100}}) {
    const Tensor x = random({outer, n, inner});
    for (const Row& row : rows) {
      const Tensor exact = row.f(x, 1, Keepdims::no).value(),
                   rounded = row.f(x.to(DType::f32), 1, Keepdims::no).value();
      REQUIRE(exact.shape() == Shape{outer, inner});
      double worst = 0, worst_f32 = 0;
      for (std::int64_t o = 0; o < outer; ++o) {
        for (std::int64_t i = 0; i < inner; ++i) {
          const auto expected = static_cast<double>(naive(row.name, x.data<double>() + o * n * inner + i, n, inner));
          const std::int64_t at = o * inner + i;
          worst = std::max(worst, std::abs(exact.data<double>()[at] - expected));
          worst_f32 = std::max(worst_f32, std::abs(static_cast<double>(rounded.data<float>()[at]) - expected));
        }
      }
      CAPTURE(row.name, outer, n, inner);
      // n roundings in random directions of partial sums, which have up to 256 terms of size 1
      const double scale = std::sqrt(static_cast<double>(n * std::min<std::int64_t>(n, 256)));
      CHECK(worst < 2 * 2.3e-16 * (1 + scale));
      CHECK(worst_f32 < 2 * 1.2e-7 * (1 + scale));
    }
  }
}

TEST_CASE("reductions have the right first and second derivatives over any axes") {
  const Tensor x = random({2, 3, 4});
  const std::vector<Axes> choices = {{}, 0, 1, -1, {0, 2}, {1, -1}, {0, 1, 2}};
  for (const Row& row : rows) {
    for (const Axes& axes : choices) {
      for (const Keepdims keep : {Keepdims::no, Keepdims::yes}) {
        const auto f = [&](const In& v) { return row.f(v[0], axes, keep); };
        CAPTURE(row.name, axes.dropped(x.shape()).str());
        CHECK(f({x}).shape() == (keep == Keepdims::yes ? axes.kept(x.shape()) : axes.dropped(x.shape())));
        CHECK(gradcheck(f, {x}).worst_relative < 1e-7);
        CHECK(gradgradcheck(f, {x}).worst_relative < 1e-6);
      }
    }
  }
}

TEST_CASE("sum_to and broadcast_to are adjoint and differentiable") {
  const Shape small{2, 1, 4}, large{5, 2, 3, 4};
  const auto spread = [&](const In& v) { return square(broadcast_to(v[0], large)); };
  const auto shrink = [&](const In& v) { return square(sum_to(v[0], small)); };
  CHECK(gradcheck(spread, {random(small)}).worst_relative < 1e-7);
  CHECK(gradgradcheck(spread, {random(small)}).worst_relative < 1e-6);
  CHECK(gradcheck(shrink, {random(large)}).worst_relative < 1e-7);
  CHECK(gradgradcheck(shrink, {random(large)}).worst_relative < 1e-6);
  const Var x = random(small), y = random(large);
  CHECK(sum(broadcast_to(x, large) * y).item() == Approx(sum(x * sum_to(y, small)).item()).epsilon(1e-13));
  CHECK_THROWS_WITH(sum_to(random({2, 3}), {2, 2}), ContainsSubstring("do not broadcast"));
  CHECK_THROWS_WITH(sum_to(random({1, 3}), {2, 3}), ContainsSubstring("[2, 3] does not broadcast to [1, 3]"));
  CHECK_THROWS_WITH(broadcast_to(random({2, 3}), {2, 1}), ContainsSubstring("does not broadcast to [2, 1]"));
}

TEST_CASE("sums have the same bits for any number of threads") {
  const Tensor x = random({3, 50000, 5}, DType::f32);
  const auto sums = [&] {
    std::vector<Tensor> s;
    for (const Axes& axes : {Axes{}, Axes{0}, Axes{1}, Axes{2}, Axes{0, 2}}) s.push_back(sum(x, axes).value());
    return s;
  };
  set_threads(1);
  const auto one = sums();
  for (const int n : {2, 3, 7}) {
    set_threads(n);
    const auto many = sums();
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], many[i]));
  }
  set_threads(0);
}

TEST_CASE("equal extrema share the gradient") {
  const Var x = leaf(Tensor::from(std::vector<double>{1, 3, 3, 2, 2, 2}, {2, 3}));
  const Tensor g = grad(sum(max(x, 1)), x).value();
  const double expected[] = {0, 0.5, 0.5, 1.0 / 3, 1.0 / 3, 1.0 / 3};
  for (std::size_t i = 0; i < 6; ++i) CHECK(g.span<double>()[i] == Approx(expected[i]));
}

TEST_CASE("logsumexp does not overflow, and leaves its operand as it was") {
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(logsumexp(Tensor::from(std::vector<float>{1000, 1000})).item() == Approx(1000 + std::log(2.0)));
  CHECK(logsumexp(Tensor::from(std::vector<float>{-1000, -1000})).item() == Approx(-1000 + std::log(2.0)));
  CHECK(logsumexp(Tensor::from(std::vector<float>{-inf, -inf})).item() == -std::numeric_limits<double>::infinity());
  CHECK(logsumexp(Tensor::from(std::vector<float>{-inf, 2})).item() == 2.0);
  CHECK(logsumexp(Tensor::from(std::vector<float>{inf, 2})).item() == std::numeric_limits<double>::infinity());
  // nothing to reduce: the peak is the operand itself
  const Tensor x = Tensor::from(std::vector<float>{inf, -inf, 2}, {3, 1});
  const Tensor before = x.clone();
  CHECK(same_bits(logsumexp(x, 1, Keepdims::yes).value(), before));
  CHECK(same_bits(x, before));
}

TEST_CASE("NaN and infinities reach the result") {
  const float nan_value = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (const std::int64_t n : {2, 70, 20000}) {
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      Tensor x = ones({n});
      x.data<float>()[at] = nan_value;
      for (const Row& row : rows) {
        CAPTURE(row.name, n, at);
        CHECK(std::isnan(row.f(x, {}, Keepdims::no).item()));
      }
      x.data<float>()[at] = -inf;
      CHECK(sum(x).item() == -std::numeric_limits<double>::infinity());
      CHECK(max(x).item() == 1.0);
      CHECK(min(x).item() == -std::numeric_limits<double>::infinity());
    }
  }
  CHECK(max(full({3}, -inf)).item() == -std::numeric_limits<double>::infinity());
}

TEST_CASE("norm has a finite slope at 0 when given an epsilon") {
  const Var x = leaf(zeros({4}, DType::f64));
  CHECK(grad(norm(x, {}, 1e-12), x).value().span<double>()[0] == 0.0);
  CHECK(norm(Tensor::from(std::vector<float>{3, 4})).item() == 5.0);
}

TEST_CASE("argmax gives the first of the largest") {
  const Tensor x = Tensor::from(std::vector<float>{1, 5, 5, 7, 0, 7}, {2, 3});
  const Tensor along = argmax(x), down = argmax(x, 0);
  CHECK(along.shape() == Shape{2});
  CHECK(along.dtype() == DType::i64);
  CHECK(along.span<std::int64_t>()[0] == 1);
  CHECK(along.span<std::int64_t>()[1] == 0);
  CHECK(down.shape() == Shape{3});
  CHECK(down.span<std::int64_t>()[0] == 1);
  CHECK(down.span<std::int64_t>()[1] == 0);
  CHECK_THROWS_WITH(argmax(zeros({2, 0})), ContainsSubstring("nothing to compare along axis -1"));
}

TEST_CASE("reductions of nothing and over wrong axes") {
  CHECK(sum(zeros({0, 3})).item() == 0.0);
  CHECK(sum(zeros({0, 3}), 0).shape() == Shape{3});
  CHECK_THROWS_WITH(mean(zeros({0, 3})), ContainsSubstring("mean: [0, 3] f32 has no elements"));
  CHECK_THROWS_WITH(max(zeros({0, 3})), ContainsSubstring("max: [0, 3] f32 has no elements to compare"));
  CHECK_THROWS_WITH(sum(zeros({2, 3}), 2), ContainsSubstring("axis 2 is out of range for shape [2, 3]"));
  CHECK_THROWS_WITH(sum(zeros({2, 3}), {0, -3}), ContainsSubstring("axis -3"));
  CHECK_THROWS_WITH(sum(zeros({2, 3}, DType::i64)), ContainsSubstring("expects f32 or f64, got i64"));
  CHECK_THROWS_AS((Axes{0, 1, 2, 3, 4, 5, 0}), ShapeError);
}
