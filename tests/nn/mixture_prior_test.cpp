// SPDX-License-Identifier: MIT
#include <synthdata/nn/mixture_prior.hpp>

#include "nets.hpp"

#include <vector>

namespace sd = synthdata;

namespace {

sd::MixturePrior two_normals() {
  sd::Rng rng{1};
  sd::MixturePrior prior(2, 3, rng);
  const sd::ModuleState state = sd::state_of(prior);
  const std::vector<sd::Tensor> values = {test::f64({0.5, -1.0, 2.0, -0.25, 0.75, 0.0}, {2, 3}),
                                          test::f64({0.1, -0.4, 0.3, -1.0, 0.2, 0.0}, {2, 3}),
                                          test::f64({0.3, -0.7}, {2})};
  for (std::size_t i = 0; i < values.size(); ++i) state.parameters[i].param->assign(values[i].to(sd::DType::f32));
  return prior;
}

}  // namespace

TEST_CASE("MixturePrior's log density is that of torch.distributions.MixtureSameFamily") {
  const sd::MixturePrior prior = test::to_f64(two_normals());
  const sd::Tensor z = test::f64({0.2, -0.5, 1.5, -0.3, 0.9, 0.1, 3.0, -2.0, -1.0}, {3, 3});
  CHECK(test::distance(prior.log_prob(z), test::f64({-3.349939094228, -3.285452584415, -9.211033717170}, {3})) < 1e-7);
}

TEST_CASE("MixturePrior's derivatives equal finite differences, at first and second order") {
  const test::Derivatives worst = test::check_derivatives(two_normals(), test::normal_f64({4, 3}));
  CHECK(worst.first < 1e-7);
  CHECK(worst.second < 1e-6);
}

TEST_CASE("MixturePrior draws vectors of its distribution, the same for the same seed") {
  const sd::MixturePrior prior = two_normals();
  sd::Rng rng{5}, same{5};
  const sd::Tensor z = prior.sample(40000, rng);
  CHECK(sd::same_bits(z, prior.sample(40000, same)));
  // mean and variance by torch
  CHECK(test::distance(sd::mean(sd::Var(z), 0), test::f64({0.2983, -0.5294, 1.4621}, {3})) < 0.03);
  CHECK(test::distance(sd::var(sd::Var(z), 0), test::f64({1.0399, 1.3318, 2.3875}, {3})) < 0.06);
}

TEST_CASE("MixturePrior refuses to be empty, and draws in f32 only") {
  sd::Rng rng{1};
  CHECK_THROWS_AS(test::to_f64(two_normals()).sample(1, rng), sd::DTypeError);
  CHECK_THROWS_AS(sd::MixturePrior(0, 3, rng), sd::ShapeError);
  CHECK_THROWS_AS(sd::MixturePrior(2, 0, rng), sd::ShapeError);
}
