// SPDX-License-Identifier: MIT
#include <synthdata/backend/random.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

using namespace synthdata;

namespace {

Var vector(const std::vector<double>& values) { return leaf(Tensor::from(values)); }
double first(const Var& x) { return x.value().span<double>()[0]; }
double first(const Tensor& x) { return x.span<double>()[0]; }

}  // namespace

TEST_CASE("grad differentiates a scalar and touches nothing else") {
  const Var x = vector({1, 2, 3});
  const Var g = grad(sum(x * x * x), x);
  CHECK(g.value().span<double>()[2] == 27.0);
  CHECK_FALSE(g.requires_grad());
  CHECK_FALSE(accumulated_grad(x).defined());
}

TEST_CASE("a variable used several times sums its gradients, whatever the order of use") {
  const Var x = vector({3});
  const Var a = square(x), b = a * x, c = a + b + x;  // x + x² + x³
  CHECK(first(grad(sum(c), x)) == 1.0 + 6.0 + 27.0);
  const Var y = x + x;
  CHECK(first(grad(sum(y + y), x)) == 4.0);
}

TEST_CASE("an input that the output does not depend on gets zeros of its own shape and dtype") {
  const Var x = vector({1, 2}), unused = leaf(ones({3, 4}));
  const auto g = grad(sum(x), {x, unused});
  CHECK(g[1].shape() == Shape{3, 4});
  CHECK(g[1].dtype() == DType::f32);
  for (const float v : g[1].value().span<float>()) CHECK(v == 0.0f);
  // the same when the output carries no gradient at all, and when it is cut off
  CHECK(first(grad(Var(Tensor::scalar(1.0, DType::f64)), x)) == 0.0);
  CHECK(first(grad(sum(x.detach()), x)) == 0.0);
}

TEST_CASE("gradients can be asked for intermediate variables, together with leaves") {
  const Var x = vector({2}), y = square(x), z = exp(y);
  const auto g = grad(sum(z), {y, x}, {.retain_graph = true});
  CHECK(first(g[0]) == Approx(std::exp(4.0)).epsilon(1e-14));
  CHECK(first(g[1]) == Approx(4 * std::exp(4.0)).epsilon(1e-14));
  const Var top = sum(z);
  CHECK(grad(top, top).item() == 1.0);
  // a target above another: each holds its full gradient
  const auto both = grad(sum(y * z), {z, y});
  CHECK(first(both[0]) == 4.0);
  CHECK(first(both[1]) == Approx(std::exp(4.0) * 5).epsilon(1e-14));
}

TEST_CASE("a seed replaces the gradient of the output") {
  const Var x = vector({1, 2, 3});
  const Var y = square(x);
  const Var seed = Tensor::from(std::vector<double>{1, 0, -2});
  const Tensor g = grad(y, x, {.retain_graph = true, .seed = seed}).value();
  CHECK(g.span<double>()[0] == 2.0);
  CHECK(g.span<double>()[1] == 0.0);
  CHECK(g.span<double>()[2] == -12.0);
  CHECK(seed.value().span<double>()[2] == -2.0);  // untouched
  CHECK_THROWS_WITH(grad(y, x), ContainsSubstring("must be a scalar, or a seed be given; it is [3] f64"));
  CHECK_THROWS_WITH(grad(y, x, {.seed = Var(ones({2}, DType::f64))}),
                    ContainsSubstring("the seed must have the output's shape") && ContainsSubstring("seed [2] f64"));
  CHECK_THROWS_AS(grad(y, x, {.seed = Var(ones({3}))}), DTypeError);
}

TEST_CASE("a gradient can flow through the seed") {
  const Var x = vector({3}), v = vector({5});
  const Var g = grad(square(x), x, {.create_graph = true, .seed = v});  // 2 x v
  const auto gg = grad(sum(g), {x, v});
  CHECK(first(gg[0]) == 10.0);
  CHECK(first(gg[1]) == 6.0);
}

TEST_CASE("a graph is freed by a traversal unless it is retained, and says so") {
  const Var x = vector({2});
  const Var y = sum(square(x));
  grad(y, x, {.retain_graph = true});
  CHECK(first(grad(y, x)) == 4.0);
  CHECK_THROWS_WITH(grad(y, x), ContainsSubstring("freed by an earlier traversal; pass retain_graph there"));
  CHECK_THROWS_AS(backward(y), Error);
  // also when only a part was freed, below something new
  const Var part = square(x);
  grad(sum(part), x);
  CHECK_THROWS_WITH(grad(sum(exp(part)), x), ContainsSubstring("the graph behind 'square' was freed"));
  // what did not lie on the way to the inputs is not freed
  const Var z = vector({3}), shared = square(x) * z;
  grad(sum(shared), z, {.retain_graph = false});
  CHECK(first(grad(sum(square(z)), z)) == 6.0);
}

TEST_CASE("a freed branch does not hinder gradients that avoid it") {
  const Var x = vector({2}), w = vector({3});
  const Var freed = square(x);
  grad(sum(freed), x);
  CHECK(first(grad(sum(freed * w), w)) == 4.0);
}

TEST_CASE("a constant cannot be an input") {
  const Var x = vector({1});
  const Var constant = Tensor::scalar(2.0, DType::f64);
  CHECK_THROWS_WITH(grad(sum(x), {x, constant}),
                    ContainsSubstring("input 1 ([] f64) is a constant; make it with leaf()"));
  CHECK_THROWS_WITH(accumulated_grad(square(x)), ContainsSubstring("[1] f64 is not a leaf"));
}

TEST_CASE("backward adds to the leaves until they are cleared") {
  const Var x = vector({1, 2}), y = vector({3, 4});
  backward(sum(x * y));
  backward(sum(square(x)));
  CHECK(accumulated_grad(x).span<double>()[1] == 4.0 + 4.0);
  CHECK(accumulated_grad(y).span<double>()[1] == 2.0);
  clear_grad(x);
  CHECK_FALSE(accumulated_grad(x).defined());
  CHECK(accumulated_grad(y).defined());
  // what was read before does not change when more is added
  const Tensor before = accumulated_grad(y);
  backward(sum(y));
  CHECK(first(before) == 1.0);
  CHECK(first(accumulated_grad(y)) == 2.0);
}

TEST_CASE("nothing is recorded under NoGrad, and GradMode records again") {
  const Var x = vector({2});
  {
    const NoGrad off;
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE(square(x).requires_grad());
    const GradMode on(true);
    CHECK(square(x).requires_grad());
  }
  CHECK(grad_enabled());
  CHECK(first(grad(square(x), x)) == 4.0);
  // a gradient that is to be differentiated is recorded even there
  const Var y = sum(x * x * x);
  const NoGrad off;
  const Var g = grad(y, x, {.create_graph = true});
  CHECK(first(grad(g, x)) == 12.0);
}

TEST_CASE("derivatives of any order exist") {
  const Var x = vector({0.5});
  Var d = sum(sin(x));
  const double expected[] = {std::cos(0.5), -std::sin(0.5), -std::cos(0.5), std::sin(0.5), std::cos(0.5)};
  for (const double e : expected) {
    d = grad(d, x, {.create_graph = true});
    CHECK(first(d) == Approx(e).epsilon(1e-13));
  }
}

TEST_CASE("a traversal may run inside the rule of another") {
  // y = x³ through a node whose backward differentiates a computation of its own that shares the node of x
  const Var x = vector({2});
  const Var y = detail::record(
      "cube", Tensor::from(std::vector<double>{8}),
      [x](const Var& g, Backward& out) {
        const GradMode on(true);
        const Var inner = grad(sum(x * x * x), x, {.create_graph = true});
        out.add(0, mul(g, inner.detach()));
      },
      x);
  const auto g = grad(sum(y + square(x)), {x, y});
  CHECK(first(g[0]) == 12.0 + 4.0);
  CHECK(first(g[1]) == 1.0);
}

TEST_CASE("an exception in a rule leaves the graph usable") {
  const Var x = vector({2});
  bool fail = true;
  const Var y = detail::record(
      "moody", Tensor::from(std::vector<double>{2}),
      [&fail](const Var& g, Backward& out) {
        if (fail) throw NumericError("not today");
        out.add(0, g);
      },
      x);
  const Var z = sum(y * y);
  CHECK_THROWS_WITH(grad(z, x, {.retain_graph = true}), ContainsSubstring("not today"));
  CHECK(grad_enabled());
  fail = false;
  CHECK(first(grad(z, x)) == 4.0);
}

TEST_CASE("nodes die with the variables that hold them") {
  const std::int64_t before = detail::Node::live();
  {
    const Var x = vector({1, 2, 3});
    Var y = x;
    for (int i = 0; i < 10; ++i) y = tanh(y) * x;
    CHECK(detail::Node::live() == before + 20);
    const Var g = grad(sum(y), x, {.create_graph = true});
    CHECK(detail::Node::live() > before + 20);
    CHECK(first(grad(sum(square(g)), x)) != 0.0);
  }
  CHECK(detail::Node::live() == before);
}

TEST_CASE("a traversal frees the tensors it no longer needs") {
  const std::int64_t before = memory_stats().live_bytes;
  const Var x = leaf(ones({1 << 16}));
  Var y = x;
  for (int i = 0; i < 8; ++i) y = exp(y * 0.5);
  const Var loss = sum(y);
  y = Var();
  CHECK(memory_stats().live_bytes - before > 8 * (4 << 16));
  const Var g = grad(loss, x);
  CHECK(memory_stats().live_bytes - before < 3 * (4 << 16));  // x, its gradient, and the scalar
}

TEST_CASE("a chain of 200,000 nodes is differentiated and freed without recursion") {
  const std::int64_t before = detail::Node::live();
  {
    const Var x = vector({1});
    Var y = x;
    for (int i = 0; i < 200000; ++i) y = y + 1.0;
    CHECK(detail::Node::live() == before + 200000);
    CHECK(first(y) == 200001.0);
    CHECK(first(grad(sum(y), x, {.retain_graph = true})) == 1.0);
  }
  CHECK(detail::Node::live() == before);
}

TEST_CASE("leaves may be shared by threads that each build their own graph") {
  const Var x = vector({3});
  double result = 0;
  std::thread([&, x = leaf(x)] { result = first(grad(sum(square(x)), x)); }).join();
  CHECK(result == 6.0);
}

TEST_CASE("a leaf may be copied and dropped by several threads at once") {
  const Var x = leaf(vector({3}));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&x] {
      const NoGrad no_grad;
      for (int i = 0; i < 20000; ++i) {
        const Var held = x;
        static_cast<void>(square(held));
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(first(grad(sum(square(x)), x)) == 6.0);
}

TEST_CASE("the gradient of a WGAN-GP penalty equals finite differences") {
  // critic: [N, 2] -> tanh layer of 5 -> tanh layer of 4 -> 1; the penalty is differentiated in its weights
  Rng rng{17};
  const Tensor points = normal({6, 2}, rng, DType::f64);
  const std::vector<Tensor> weights = {normal({5, 2}, rng, DType::f64), normal({5}, rng, DType::f64),
                                       normal({4, 5}, rng, DType::f64), normal({4}, rng, DType::f64),
                                       normal({1, 4}, rng, DType::f64)};
  const auto penalty = [&](const std::vector<Var>& w) {
    const Var x = leaf(points);
    const Var h1 = linear(x, w[0], w[1], fused::tanh), h2 = linear(h1, w[2], w[3], fused::tanh);
    const Var g = grad(sum(linear(h2, w[4])), x, {.create_graph = true});
    return 10.0 * mean(square(sqrt(sum(square(g), 1) + 1e-12) - 1.0));
  };
  std::vector<Var> w;
  for (const Tensor& t : weights) w.push_back(leaf(t));
  const std::int64_t live = detail::Node::live();
  const auto analytic = grad(penalty(w), w);
  CHECK(detail::Node::live() == live);

  double worst = 0.0, largest = 0.0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    for (std::int64_t i = 0; i < weights[k].size(); ++i) {
      const auto shifted = [&](double by) {
        std::vector<Var> moved(weights.begin(), weights.end());
        Tensor t = weights[k].clone();
        t.data<double>()[i] += by;
        moved[k] = Var(t);
        return penalty(moved).item();
      };
      const double step = 1e-5, exact = analytic[k].value().data<double>()[i];
      const double numeric = (shifted(step) - shifted(-step)) / (2 * step);
      worst = std::max(worst, std::abs(exact - numeric));
      largest = std::max(largest, std::abs(exact));
    }
  }
  CHECK(largest > 0.1);
  CHECK(worst / largest < 1e-6);
}

TEST_CASE("a listener is told of each gradient once, when it is complete, and not before") {
  struct Listener final : GradListener {
    std::vector<std::pair<std::size_t, Tensor>> told;
    void complete(std::size_t input, const Var& gradient) override {
      told.push_back({input, gradient.value().clone()});
    }
  };
  Rng rng{5};
  const Var a = leaf(normal({3}, rng, DType::f64)), b = leaf(normal({3}, rng, DType::f64)), unused = leaf(ones({2}));
  const bool recorded = GENERATE(false, true);
  Listener listener;
  const Var c = a * b;  // an inner target too; a is used three times, twice by one node
  const Var y = sum(exp(c) + tanh(c * b) + a * a);
  const std::vector<Var> inputs{a, b, unused, c};
  const auto gradients = grad(y, inputs, {.create_graph = recorded, .listener = &listener});
  REQUIRE(listener.told.size() == 3);
  CHECK(listener.told[0].first == 3);
  for (const auto& [input, gradient] : listener.told) CHECK(same_bits(gradient, gradients[input].value()));

  Listener of_output;
  const Var x = leaf(Tensor::scalar(2.0));
  grad(x, x, {.listener = &of_output});
  REQUIRE(of_output.told.size() == 1);
  CHECK(of_output.told[0].second.item() == 1.0);

  Listener dead_end;  // a rule that gives one operand no gradient
  const Var p = leaf(ones({2})), q = leaf(ones({2}));
  grad(sum(p + 0.0 * q), std::vector<Var>{p, q}, {.listener = &dead_end});
  CHECK(dead_end.told.size() == 2);
}
