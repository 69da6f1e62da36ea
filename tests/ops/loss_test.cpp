// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/loss.hpp>

#include "../test.hpp"

using namespace synthdata;
using std::int64_t;

namespace {

double cross_entropy_reference(const Tensor& x, const std::vector<int64_t>& labels, double smoothing) {
  const int64_t n = x.shape(0), classes = x.shape(1);
  double total = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double* p = x.data<double>() + i * classes;
    double peak = p[0], sum = 0;
    for (int64_t c = 0; c < classes; ++c) peak = std::fmax(peak, p[c]);
    for (int64_t c = 0; c < classes; ++c) sum += std::exp(p[c] - peak);
    for (int64_t c = 0; c < classes; ++c) {
      const double hit = c == labels[static_cast<std::size_t>(i)] ? 1 - smoothing : 0;
      total -= (hit + smoothing / static_cast<double>(classes)) * (p[c] - peak - std::log(sum));
    }
  }
  return total / static_cast<double>(n);
}

}  // namespace

TEST_CASE("cross_entropy equals its definition and has the right derivatives") {
  Rng rng{1};
  for (const int64_t n : {1, 3})
    for (const int64_t classes : {1, 4, 30})
      for (const double smoothing : {0.0, 0.1}) {
        CAPTURE(n, classes, smoothing);
        const Tensor x = normal({n, classes}, rng, DType::f64, 0.0, 2.0);
        std::vector<int64_t> labels;
        for (int64_t i = 0; i < n; ++i) labels.push_back(rng.below(classes));
        const Tensor t = Tensor::from(labels);
        const auto f = [&](const std::vector<Var>& v) {
          return cross_entropy(v[0], t, {.label_smoothing = smoothing});
        };
        const double expected = cross_entropy_reference(x, labels, smoothing);
        CHECK(f({x}).item() == Approx(expected).margin(1e-14));
        CHECK(f({x.to(DType::f32)}).item() == Approx(expected).epsilon(1e-5).margin(1e-6));
        CHECK(cross_entropy(x, t.to(DType::i32), {.label_smoothing = smoothing}).item() == f({x}).item());
        CHECK(gradcheck(f, {x}).worst_relative < 1e-7);
        CHECK(gradgradcheck(f, {x}).worst_relative < 1e-6);
        const Var a = leaf(x.to(DType::f32));
        const Tensor fused = grad(f({a}), a).value(), recorded = grad(f({a}), a, {.create_graph = true}).value();
        for (int64_t i = 0; i < fused.size(); ++i) {
          CHECK(fused.data<float>()[i] == Approx(recorded.data<float>()[i]).epsilon(1e-5).margin(1e-6));
        }
      }
}

TEST_CASE("losses stay finite for large logits") {
  const Tensor labels = Tensor::from(std::vector<int64_t>{1, 0});
  const Var x = leaf(Tensor::from(std::vector<float>{1e4f, -1e4f, 1e4f, -1e4f}, {2, 2}));
  const Var loss = cross_entropy(x, labels);
  CHECK(loss.item() == Approx(1e4));
  const Tensor g = grad(loss, x).value();
  CHECK(g.data<float>()[0] == Approx(0.5));
  CHECK(g.data<float>()[1] == Approx(-0.5));
  CHECK(g.data<float>()[2] == 0.0f);

  const Var logits = leaf(Tensor::from(std::vector<float>{1e30f, -1e30f, 300.0f, -300.0f}));
  const Tensor targets = Tensor::from(std::vector<float>{1, 0, 0, 1});
  const Var binary = binary_cross_entropy_with_logits(logits, targets);
  CHECK(binary.item() == Approx(150.0));
  for (const float v : grad(binary, logits).value().span<float>()) CHECK(std::isfinite(v));
}

TEST_CASE("pairwise losses equal their definitions and have the right derivatives") {
  Rng rng{2};
  const Tensor a = normal({3, 5}, rng, DType::f64), b = uniform({3, 5}, rng, DType::f64);
  struct Case {
    Var (*loss)(const Var&, const Var&);
    double (*term)(double, double);
  };
  const Case cases[] = {
      {mse_loss, [](double x, double y) { return (x - y) * (x - y); }},
      {l1_loss, [](double x, double y) { return std::fabs(x - y); }},
      {binary_cross_entropy_with_logits,
       [](double x, double t) {
         return -t * std::log(1 / (1 + std::exp(-x))) - (1 - t) * std::log(1 / (1 + std::exp(x)));
       }},
  };
  for (const Case& c : cases) {
    double expected = 0;
    for (int64_t i = 0; i < 15; ++i) expected += c.term(a.data<double>()[i], b.data<double>()[i]) / 15;
    CHECK(c.loss(a, b).item() == Approx(expected));
    CHECK(c.loss(a.to(DType::f32), b.to(DType::f32)).item() == Approx(expected).epsilon(1e-5));
    const auto f = [&](const std::vector<Var>& v) { return c.loss(v[0], v[1]); };
    CHECK(gradcheck(f, {a, b}).worst_relative < 1e-7);
    CHECK(gradgradcheck(f, {a, b}).worst_relative < 1e-6);
    const Var x = leaf(a.to(DType::f32)), y = leaf(b.to(DType::f32));
    const auto fused = grad(c.loss(x, y), {x, y}), recorded = grad(c.loss(x, y), {x, y}, {.create_graph = true});
    for (std::size_t k = 0; k < 2; ++k)
      for (int64_t i = 0; i < 15; ++i) {
        CHECK(fused[k].value().data<float>()[i] == Approx(recorded[k].value().data<float>()[i]).epsilon(1e-5));
      }
  }
}

TEST_CASE("a loss of one element or of a scalar") {
  CHECK(mse_loss(Tensor::scalar(3.0), Tensor::scalar(1.0)).item() == 4.0);
  const Var x = leaf(Tensor::scalar(3.0));
  CHECK(grad(mse_loss(x, Tensor::scalar(1.0)), x).item() == 4.0);
  CHECK(x.item() == 3.0);  // the operand was not written to
}

TEST_CASE("losses reject what does not fit") {
  const Tensor logits = zeros({2, 3});
  const auto labels = [](std::int64_t a, std::int64_t b) { return Tensor::from(std::vector<int64_t>{a, b}); };
  CHECK_THROWS_WITH(cross_entropy(logits, labels(0, 3)), ContainsSubstring("label 3 of row 1 is outside [0, 3)"));
  CHECK_THROWS_AS(cross_entropy(logits, labels(-1, 0)), ShapeError);
  CHECK_THROWS_AS(cross_entropy(logits, zeros({2})), DTypeError);
  CHECK_THROWS_AS(cross_entropy(logits, zeros({3}, DType::i64)), ShapeError);
  CHECK_THROWS_AS(cross_entropy(zeros({0, 3}), zeros({0}, DType::i64)), ShapeError);
  CHECK_THROWS_AS(cross_entropy(logits, labels(0, 1), {.label_smoothing = 1.0}), NumericError);
  CHECK_THROWS_WITH(mse_loss(zeros({4, 1}), zeros({4})), ContainsSubstring("shapes differ"));
  CHECK_THROWS_AS(l1_loss(zeros({0}), zeros({0})), ShapeError);
  CHECK_THROWS_AS(mse_loss(zeros({2}), zeros({2}, DType::f64)), DTypeError);
}
