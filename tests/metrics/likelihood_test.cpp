// tests/metrics/likelihood_test.cpp: likelihood fitness against entropies that are known.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/metrics/likelihood.hpp>

#include <cmath>

using namespace synthdata;

namespace {

/// -(log 25 + log(2 pi e 0.05)), the entropy of 25 Gaussians of variance 0.05 in the plane that hardly overlap.
const double grid_truth = -(std::log(25.0) + std::log(2.0 * 3.141592653589793 * std::exp(1.0) * 0.05));

toy::GaussianMixture known_grid(float jitter = 0.0f, std::uint64_t seed = 1) {
  return toy::grid({.jitter = jitter, .noise_std = std::sqrt(0.05f), .points = 10, .seed = seed});
}

}  // namespace

TEST_CASE("points of the truth reach its mean log density", "[likelihood]") {
  const toy::GaussianMixture known = known_grid();
  Rng rng{3};
  const LikelihoodFitness found =
      likelihood_fitness(density_of(known), known.generate(10000, rng), known.generate(10000, rng), {.seed = 2});
  CHECK(grid_truth == Approx(-3.06).margin(0.005));  // as published
  CHECK(found.synthetic == Approx(grid_truth).margin(0.03));
  CHECK(found.test == Approx(grid_truth).margin(0.04));
  const toy::GaussianMixture ring = toy::ring({.noise_std = std::sqrt(0.05f), .points = 10});
  const LikelihoodFitness round =
      likelihood_fitness(density_of(ring), ring.generate(10000, rng), ring.generate(10000, rng), {.seed = 2});
  CHECK(round.synthetic == Approx(-1.70).margin(0.03));  // as published
  CHECK(round.test == Approx(-1.70).margin(0.04));
}

TEST_CASE("lost modes lower the second likelihood, wide ones both", "[likelihood]") {
  const toy::GaussianMixture known = known_grid();
  const GaussianMixture truth = density_of(known);
  Rng rng{4};
  const Tensor test = known.generate(5000, rng);
  Batch drawn = known.generate_labelled(10000, rng);
  std::vector<float> some;  // of 20 modes
  for (std::int64_t i = 0; i < 10000; ++i) {
    if (drawn.labels.data<std::int64_t>()[i] >= 20) continue;
    some.insert(some.end(), {drawn.data.data<float>()[2 * i], drawn.data.data<float>()[2 * i + 1]});
  }
  const Tensor lost = Tensor::from(some, {static_cast<std::int64_t>(some.size()) / 2, 2});
  const LikelihoodFitness fewer = likelihood_fitness(truth, lost, test);
  CHECK(fewer.synthetic == Approx(grid_truth).margin(0.03));
  CHECK(fewer.test < grid_truth - 2.0);
  // Twice the variance: the first is a Gaussian's mean log density at twice its variance, the second a cross entropy.
  const toy::GaussianMixture wide = toy::grid({.noise_std = std::sqrt(0.1f), .points = 10});
  const LikelihoodFitness wider = likelihood_fitness(truth, wide.generate(10000, rng), test);
  CHECK(wider.synthetic == Approx(grid_truth - 1.0).margin(0.06));
  CHECK(wider.test == Approx(grid_truth - std::log(2.0) + 0.5).margin(0.06));
}

TEST_CASE("a mixture's density is that of the toy points, and bad points are refused", "[likelihood]") {
  const toy::GaussianMixture known = known_grid(0.5f);
  const GaussianMixture truth = density_of(known);
  CHECK(truth.components() == 25);
  const toy::GaussianMixture even = known_grid();
  bool moved = false;
  for (std::int64_t i = 0; i < 50; ++i) {
    const float by = known.centres().data<float>()[i] - even.centres().data<float>()[i];
    CHECK(std::abs(by) <= 0.5f);
    moved = moved || std::abs(by) > 0.3f;
  }
  CHECK(moved);
  CHECK_FALSE(known_grid(0.5f, 2).centres().data<float>()[0] == known.centres().data<float>()[0]);
  CHECK_THROWS_AS(known_grid(-1.0f), NumericError);
  const Tensor at = truth.means().rows(3, 4);
  CHECK(truth.log_prob(at).data<double>()[0] ==
        Approx(-std::log(25.0) - std::log(2.0 * 3.141592653589793 * 0.05)).margin(1e-6));
  const Tensor points = Tensor::zeros({4, 3}, DType::f64, Device::cpu());
  CHECK_THROWS_AS(likelihood_fitness(truth, points, points), ShapeError);
  CHECK_THROWS_AS(likelihood_fitness(truth, at, at, {.starts = -1}), NumericError);
}
