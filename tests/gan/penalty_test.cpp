#include <synthdata/gan/penalty.hpp>
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/matmul.hpp>

#include "../test.hpp"

using namespace synthdata;

namespace {

/// A small smooth critic on [N, 3] with weights w1 [4, 3] and w2 [1, 4].
struct SmallCritic {
  Var w1, w2;
  Var operator()(const Var& x) const { return linear(linear(x, w1, {}, fused::tanh), w2); }
};

Tensor f64_normal(const Shape& shape, Rng& rng) { return normal(shape, rng, DType::f64); }

/// The penalty as a function of the critic's weights, with the same random numbers each time.
template <class P>
auto penalty_of_weights(const P& penalty, const Tensor& real, const Tensor& fake) {
  return [=](const std::vector<Var>& w) {
    Rng rng{11};
    return penalty(SmallCritic{w[0], w[1]}, real, fake, rng);
  };
}

template <class P>
void check_penalty(const P& penalty) {
  Rng rng{5};
  const Tensor real = f64_normal({6, 3}, rng), fake = f64_normal({6, 3}, rng);
  const std::vector<Tensor> weights = {f64_normal({4, 3}, rng), f64_normal({1, 4}, rng)};
  const auto f = penalty_of_weights(penalty, real, fake);
  const GradCheck check = gradcheck(f, weights);
  CHECK(check.compared == 16);
  CHECK(check.worst_relative < 1e-6);
  CHECK(detail::Node::live() == 0);
}

}  // namespace

TEST_CASE("gradients of the penalties, through the critic's own gradient, equal finite differences") {
  check_penalty(GradientPenalty{});
  check_penalty(GradientPenalty{.one_sided = true});
  check_penalty(R1{});
  check_penalty(R2{});
  check_penalty(Dragan{});
}

TEST_CASE("penalties of a linear critic are known in closed form") {
  Rng rng{3};
  const Tensor real = f64_normal({8, 3}, rng), fake = f64_normal({8, 3}, rng);
  const Var w = Tensor::from(std::vector<double>{1.0, 2.0, 2.0}, {1, 3});  // slope of length 3 everywhere
  const auto critic = [&](const Var& x) { return linear(x, w); };
  CHECK(GradientPenalty{.weight = 10.0}(critic, real, fake, rng).item() == Approx(10.0 * 4.0));
  CHECK(GradientPenalty{.weight = 10.0, .one_sided = true}(critic, real, fake, rng).item() == Approx(10.0 * 4.0));
  CHECK(R1{.weight = 2.0}(critic, real, fake, rng).item() == Approx(9.0));
  CHECK(R2{.weight = 2.0}(critic, real, fake, rng).item() == Approx(9.0));
  CHECK(Dragan{.weight = 10.0}(critic, real, fake, rng).item() == Approx(10.0 * 4.0));

  const auto gentle = [&](const Var& x) { return linear(x, w * 0.1); };
  CHECK(GradientPenalty{.weight = 10.0}(gentle, real, fake, rng).item() == Approx(10.0 * 0.49));
  CHECK(GradientPenalty{.weight = 10.0, .one_sided = true}(gentle, real, fake, rng).item() == Approx(0.0).margin(1e-9));
}

TEST_CASE("R1 looks at real samples only, R2 at fake ones") {
  Rng rng{4};
  const Tensor low = Tensor::full({4, 2}, 1.0, DType::f64), high = Tensor::full({4, 2}, 3.0, DType::f64);
  const auto critic = [](const Var& x) { return sum(square(x), 1, Keepdims::yes); };  // slope 2 x
  CHECK(R1{.weight = 2.0}(critic, low, high, rng).item() == Approx(8.0));
  CHECK(R2{.weight = 2.0}(critic, low, high, rng).item() == Approx(72.0));
}
