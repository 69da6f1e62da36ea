// SPDX-License-Identifier: MIT
#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/backend/random.hpp>
#include <synthdata/nn/in_precision.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/ops/conv.hpp>
#include <synthdata/ops/reduce.hpp>

#include "../test.hpp"

#include <cmath>

using namespace synthdata;

namespace {

double distance(const Tensor& a, const Tensor& b) {
  return std::sqrt((sum(square(Var(a) - Var(b))) / sum(square(Var(b)))).item());
}

}  // namespace

TEST_CASE("InPrecision changes the products of its body, forward and backward, and nothing else") {
  Rng rng{3};
  const Linear layer(64, 48, rng);
  const Tensor x = normal({32, 64}, rng);
  Context context{.mode = Mode::inference, .rng = &rng};
  const auto slope = [](const Var& y, const Param& weight) { return grad(sum(square(y)), weight).value(); };

  const Var plain = layer(x);
  InPrecision narrow(Precision::bf16, layer);
  const Var y = narrow(x, context);
  CHECK(product_precision() == Precision::f32);
  const Tensor outside = grad(sum(square(y)), parameters(narrow)[0]).value();
  {
    const ProductPrecision guard(Precision::bf16);
    const Var inside = layer(x);
    CHECK(same_bits(inside.value(), y.value()));
    CHECK(same_bits(slope(inside, layer.weight()), outside));  // a gradient takes the precision of its operation
  }
  if (!backend::cpu::has_bf16()) {
    CHECK(same_bits(plain.value(), y.value()));
    return;
  }
  CHECK(distance(y.value(), plain.value()) > 1e-4);
  CHECK(distance(y.value(), plain.value()) < 1e-2);
  const Tensor exact = slope(plain, layer.weight());
  CHECK(distance(outside, exact) > 1e-4);
  CHECK(distance(outside, exact) < 1e-2);
}

TEST_CASE("second derivatives keep the precision of their operation too") {
  Rng rng{5};
  const Tensor x = normal({8, 6, 6, 32}, rng);
  const Var w = leaf(normal({32, 3, 3, 32}, rng));
  const auto second = [&] {
    const Var point = leaf(x);
    const Var g = grad(sum(tanh(0.05 * conv2d(point, w))), point, {.create_graph = true});
    return std::pair(g, point);
  };
  const auto finish = [&](const Var& g) { return grad(sum(square(g)), w).value(); };
  Tensor inside, outside;
  {
    const ProductPrecision guard(Precision::bf16);
    inside = finish(second().first);
  }
  Var recorded;
  {
    const ProductPrecision guard(Precision::bf16);
    recorded = second().first;
  }
  outside = finish(recorded);
  CHECK(same_bits(inside, outside));
  CHECK(distance(inside, finish(second().first)) < 0.1);
}
