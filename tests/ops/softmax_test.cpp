// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/softmax.hpp>

#include "../test.hpp"

#include <limits>

using namespace synthdata;
using std::int64_t;

namespace {

struct Restore {
  ~Restore() {
    backend::cpu::force_isa(backend::cpu::detect_isa());
    set_threads(0);
  }
};

double worst(const Tensor& a, const Tensor& b) {
  const Tensor pa = a.to(DType::f64), pb = b.to(DType::f64);
  double w = a.shape() == b.shape() ? 0.0 : 1e30;
  for (int64_t i = 0; i < pa.size(); ++i) {
    const double e = std::fabs(pa.data<double>()[i] - pb.data<double>()[i]) / (1 + std::fabs(pb.data<double>()[i]));
    w = e == e ? std::fmax(w, e) : 1e30;
  }
  return w;
}

/// The definition along one axis, in plain loops of doubles.
Tensor reference(const Tensor& x, int axis, bool log) {
  const Tensor wide = x.to(DType::f64).clone();
  Tensor y = wide.clone();
  const int64_t n = x.shape(axis);
  int64_t inner = 1;
  for (int i = x.shape().wrap(axis) + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  for (int64_t o = 0; o < x.size() / (n * inner); ++o)
    for (int64_t i = 0; i < inner; ++i) {
      const double* p = wide.data<double>() + o * n * inner + i;
      double peak = p[0], sum = 0;
      for (int64_t k = 0; k < n; ++k) peak = std::fmax(peak, p[k * inner]);
      for (int64_t k = 0; k < n; ++k) sum += std::exp(p[k * inner] - peak);
      for (int64_t k = 0; k < n; ++k) {
        const double value = p[k * inner] - peak - std::log(sum);
        y.data<double>()[o * n * inner + i + k * inner] = log ? value : std::exp(value);
      }
    }
  return y;
}

Var apply(bool log, const Var& x, int axis) { return log ? log_softmax(x, axis) : softmax(x, axis); }

}  // namespace

TEST_CASE("softmax and log_softmax equal their definition along every axis") {
  for (const Shape& shape : {Shape{3, 10}, Shape{1}, Shape{2, 1}, Shape{5, 16}, Shape{5, 17}, Shape{4, 64},
                             Shape{3, 200}, Shape{2, 3, 4, 5}}) {
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (const bool log : {false, true}) {
        CAPTURE(shape.str(), axis, log);
        Rng rng{1};
        const Tensor x = normal(shape, rng, DType::f64, 0.0, 3.0);
        CHECK(worst(apply(log, x, axis).value(), reference(x, axis, log)) < 1e-14);
        const Tensor narrow = x.to(DType::f32);
        CHECK(worst(apply(log, narrow, axis).value(), reference(narrow, axis, log)) < 1e-6);
      }
  }
}

TEST_CASE("softmax has the right first and second derivatives") {
  Rng rng{2};
  for (const Shape& shape : {Shape{3, 4}, Shape{2, 20}, Shape{2, 3, 2}})
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (const bool log : {false, true}) {
        CAPTURE(shape.str(), axis, log);
        const auto f = [=](const std::vector<Var>& v) { return apply(log, v[0], axis); };
        const std::vector<Tensor> at = {normal(shape, rng, DType::f64)};
        CHECK(gradcheck(f, at).worst_relative < 1e-7);
        CHECK(gradgradcheck(f, at).worst_relative < 1e-6);
      }
}

TEST_CASE("fused softmax: like the recorded gradient, the same bits for two threads, close for every instruction set") {
  const Restore restore;
  Rng rng{3};
  for (const Shape& shape : {Shape{3000, 7}, Shape{300, 100}, Shape{40, 1000}, Shape{64, 64}})
    for (const bool log : {false, true}) {
      CAPTURE(shape.str(), log);
      const Tensor x = normal(shape, rng, DType::f32, 0.0, 4.0), seed = normal(shape, rng);
      const auto gradient = [&](const Tensor& at, bool recorded) {
        const Var v = leaf(at);
        return grad(apply(log, v, -1), v, {.create_graph = recorded, .seed = seed.to(at.dtype())}).value();
      };
      const Tensor exact = apply(log, x.to(DType::f64), -1).value(), exact_gradient = gradient(x.to(DType::f64), false);
      CHECK(worst(gradient(x.to(DType::f64), true), exact_gradient) < 1e-12);
      for (const auto isa : {backend::cpu::Isa::baseline, backend::cpu::Isa::avx2, backend::cpu::Isa::avx512}) {
        backend::cpu::force_isa(isa);
        set_threads(1);
        const Tensor y = apply(log, x, -1).value(), g = gradient(x, false);
        CHECK(worst(y, exact) < 2e-6);
        CHECK(worst(g, exact_gradient) < 1e-5);
        CHECK(worst(gradient(x, true), g) < 1e-5);
        set_threads(2);
        CHECK(same_bits(apply(log, x, -1).value(), y));
        CHECK(same_bits(gradient(x, false), g));
      }
    }
}

TEST_CASE("softmax of extreme logits") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from(std::vector<float>{1e30f, 0, -1e30f, 88, 89, 90, -inf, 0, 0, 5, 5, 5}, {4, 3});
  const Tensor y = softmax(x).value(), l = log_softmax(x).value();
  const float* p = y.data<float>();
  CHECK(p[0] == 1.0f);
  CHECK(p[2] == 0.0f);
  CHECK(p[5] == Approx(std::exp(0.0) / (1 + std::exp(-1.0) + std::exp(-2.0))));
  CHECK(p[6] == 0.0f);
  CHECK(p[7] == 0.5f);
  CHECK(p[9] == Approx(1.0 / 3));
  CHECK(l.data<float>()[1] == -1e30f);
  CHECK(l.data<float>()[6] == -inf);
  CHECK(l.data<float>()[9] == Approx(-std::log(3.0)));
  CHECK(std::isnan(softmax(Tensor::full({2}, -double{inf})).value().data<float>()[0]));
  CHECK(softmax(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(softmax(zeros({3, 0}), 0).shape() == Shape{3, 0});
  CHECK_THROWS_AS(softmax(zeros({2, 3}), 2), ShapeError);
  CHECK_THROWS_AS(softmax(zeros({2, 3}, DType::i64)), DTypeError);
}

TEST_CASE("gumbel_softmax draws each class as often as softmax says") {
  const Tensor logits = Tensor::from(std::vector<float>{0.0f, 1.0f, -1.0f, 2.0f}, {1, 4});
  const Tensor wanted = softmax(logits).value();
  Rng rng{4};
  const int64_t n = 100000;
  const Tensor many = broadcast_to(logits, {n, 4}).value();
  const Tensor soft = gumbel_softmax(many, rng, {.temperature = 0.5}).value();
  double counts[4] = {};
  for (const int64_t winner : argmax(soft).span<int64_t>()) counts[winner] += 1.0 / static_cast<double>(n);
  for (int64_t c = 0; c < 4; ++c) {
    CHECK(std::fabs(counts[c] - double{wanted.data<float>()[c]}) < 0.006);  // 4 standard deviations of 0.0015
  }
  for (int64_t i = 0; i < n; ++i) {
    const float* row = soft.data<float>() + 4 * i;
    REQUIRE(row[0] + row[1] + row[2] + row[3] == Approx(1.0).epsilon(1e-5));
  }
}

TEST_CASE("hard gumbel_softmax is one-hot with the soft gradient") {
  Rng draw{5};
  const Tensor logits = normal({20, 6}, draw), seed = normal({20, 6}, draw);
  const auto run = [&](bool hard, bool recorded) {
    Rng rng{6};
    const Var x = leaf(logits);
    const Var y = gumbel_softmax(x, rng, {.temperature = 0.7, .hard = hard});
    return std::pair(y.value(), grad(y, x, {.create_graph = recorded, .seed = seed}).value());
  };
  const auto [soft, soft_gradient] = run(false, false);
  const auto [hard, hard_gradient] = run(true, false);
  CHECK(same_bits(soft_gradient, hard_gradient));
  CHECK(worst(run(true, true).second, soft_gradient) < 1e-5);
  const Tensor winners = argmax(soft);
  for (int64_t i = 0; i < hard.size(); ++i) {
    CHECK(hard.data<float>()[i] == (winners.data<int64_t>()[i / 6] == i % 6 ? 1.0f : 0.0f));
  }
}

TEST_CASE("gumbel_softmax is finite at low temperature, the same for the same seed, and differentiable twice") {
  const auto sample = [](const Var& x, double temperature) {
    Rng rng{7};
    return gumbel_softmax(x, rng, {.temperature = temperature});
  };
  const Tensor x = zeros({20000, 5});
  for (const float v : sample(x, 1e-3).value().span<float>()) REQUIRE(std::isfinite(v));
  CHECK(same_bits(sample(x, 0.3).value(), sample(x, 0.3).value()));
  Rng rng{8};
  const std::vector<Tensor> at = {normal({2, 5}, rng, DType::f64)};
  const auto f = [&](const std::vector<Var>& v) { return sample(v[0], 0.8); };
  CHECK(gradcheck(f, at).worst_relative < 1e-7);
  CHECK(gradgradcheck(f, at).worst_relative < 1e-6);
  Rng other{1};
  CHECK_THROWS_AS(gumbel_softmax(x, other, {.temperature = 0.0}), NumericError);
  CHECK_THROWS_AS(gumbel_softmax(zeros({2, 2}, DType::i32), other), DTypeError);
}

TEST_CASE("gumbel_softmax_blocks is a distribution in each block") {
  const std::vector<int64_t> blocks = {3, 1, 20, 2};
  const auto f = [&](const std::vector<Var>& v) {
    Rng rng{9};
    return gumbel_softmax_blocks(v[0], blocks, rng, {.temperature = 0.5});
  };
  Rng rng{10};
  const std::vector<Tensor> at = {normal({3, 26}, rng, DType::f64)};
  const Tensor y = f({at[0]}).value();
  // the noise of element i is that of gumbel_softmax, so a block equals softmax of the same noisy logits
  for (int64_t r = 0; r < 3; ++r) {
    int64_t at_column = 0;
    for (const int64_t n : blocks) {
      double sum = 0;
      for (int64_t j = 0; j < n; ++j) sum += y.data<double>()[r * 26 + at_column + j];
      CHECK(sum == Approx(1.0));
      at_column += n;
    }
    CHECK(y.data<double>()[r * 26 + 3] == 1.0);
  }
  CHECK(gradcheck(f, at).worst_relative < 1e-7);
  CHECK(gradgradcheck(f, at).worst_relative < 1e-6);
  const std::vector<int64_t> whole = {26};
  Rng a{11}, b{11};
  CHECK(same_bits(gumbel_softmax_blocks(at[0], whole, a).value(), gumbel_softmax(at[0], b).value()));
  for (const std::vector<int64_t>& wrong : {std::vector<int64_t>{3, 4}, {26, 0}, {-1, 27}, {30}, {}}) {
    CHECK_THROWS_AS(gumbel_softmax_blocks(at[0], wrong, a), ShapeError);
  }
}
