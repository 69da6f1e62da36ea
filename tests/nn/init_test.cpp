// SPDX-License-Identifier: MIT
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/init.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/shape.hpp>

#include <cmath>

#include "nets.hpp"

namespace sd = synthdata;
namespace {

constexpr std::int64_t fan_in = 90, fan_out = 30;

struct Moments {
  double mean, stddev, largest;
};
Moments moments(sd::Initializer init) {
  sd::Rng rng{1};
  const sd::Var w = init({300, 400}, fan_in, fan_out, rng).to(sd::DType::f64);
  return {sd::mean(w).item(), std::sqrt(sd::var(w).item()), sd::max(sd::abs(w)).item()};
}

/// 120000 draws: the standard deviation of their mean is stddev / 346, that of their stddev below stddev / 490.
void check_spread(sd::Initializer init, double stddev, double bound) {
  const Moments m = moments(init);
  CHECK(std::fabs(m.mean) < 5.0 * stddev / 346.0);
  CHECK(m.stddev == Approx(stddev).epsilon(5.0 / 490.0));
  if (bound > 0.0) {
    CHECK(m.largest <= bound * (1.0 + 1e-6));
    CHECK(m.largest > 0.999 * bound);
  } else {
    CHECK(m.largest > 3.5 * stddev);  // a normal has tails
  }
}

/// Largest difference of rows rowsᵀ (or of the columns') from the identity.
double off_orthonormal(const sd::Tensor& w) {
  const sd::Var m = sd::flatten(sd::Var(w.to(sd::DType::f64)), 1);
  const bool wide = m.shape(0) <= m.shape(1);
  const sd::Var product = sd::matmul(m, m, {.transpose_a = !wide, .transpose_b = wide});
  sd::Tensor identity = sd::zeros(product.shape(), sd::DType::f64);
  for (std::int64_t i = 0; i < product.shape(0); ++i) identity.data<double>()[i * product.shape(0) + i] = 1.0;
  return test::distance(product, identity);
}

}  // namespace

TEST_CASE("initialisers have the moments of their papers") {
  check_spread(sd::init::fan_in_uniform, 1.0 / std::sqrt(3.0 * fan_in), 1.0 / std::sqrt(fan_in));
  check_spread(sd::init::glorot_uniform, std::sqrt(2.0 / (fan_in + fan_out)), std::sqrt(6.0 / (fan_in + fan_out)));
  check_spread(sd::init::glorot_normal, std::sqrt(2.0 / (fan_in + fan_out)), 0.0);
  check_spread(sd::init::he_uniform, std::sqrt(2.0 / fan_in), std::sqrt(6.0 / fan_in));
  check_spread(sd::init::he_normal, std::sqrt(2.0 / fan_in), 0.0);
  check_spread(sd::init::dcgan, 0.02, 0.0);
  CHECK(moments(sd::init::zeros).largest == 0.0);
  CHECK(moments(sd::init::ones).mean == 1.0);
}

TEST_CASE("orthogonal gives orthonormal rows or columns, whichever are fewer") {
  sd::Rng rng{2};
  for (const sd::Shape& shape : {sd::Shape{5, 12}, sd::Shape{12, 5}, sd::Shape{7, 7}, sd::Shape{6, 3, 3, 4}}) {
    CHECK(off_orthonormal(sd::init::orthogonal(shape, 1, 1, rng)) < 1e-6);
  }
  CHECK(sd::init::orthogonal({0, 3}, 1, 1, rng).size() == 0);
}

TEST_CASE("layers hand their fans to the initialiser") {
  // He's normal has variance 2 / fan_in; 64 x 64 x 9 weights estimate it within 2 %.
  sd::Rng rng{3};
  const auto variance = [](const sd::Var& w) { return sd::var(w).item(); };
  CHECK(variance(sd::Linear(200, 150, rng, {.init = sd::init::he_normal}).weight()) == Approx(2.0 / 200).epsilon(0.05));
  const sd::Conv2d conv(64, 32, 3, rng, {.init = sd::init::he_normal});
  CHECK(variance(conv.weight()) == Approx(2.0 / (64 * 9)).epsilon(0.05));
  const sd::Conv2d grouped(64, 32, 3, rng, {.groups = 4, .init = sd::init::he_normal});
  CHECK(variance(grouped.weight()) == Approx(2.0 / (16 * 9)).epsilon(0.08));
  const sd::ConvTranspose2d up(32, 64, 3, rng, {.init = sd::init::he_normal});
  CHECK(variance(up.weight()) == Approx(2.0 / (32 * 9)).epsilon(0.05));
}

TEST_CASE("the same seed gives the same weights") {
  sd::Rng a{5}, b{5};
  CHECK(sd::same_bits(sd::Linear(30, 20, a).weight().value(), sd::Linear(30, 20, b).weight().value()));
}
