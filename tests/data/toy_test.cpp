// tests/data/toy_test.cpp: the toy distributions have the moments they claim; the judge counts rightly.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/loader.hpp>
#include <synthdata/data/toy.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

static_assert(GathersBatches<toy::GaussianMixture> && GathersBatches<toy::SwissRoll>);

Tensor points(const std::vector<float>& xy) { return Tensor::from(xy, {static_cast<std::int64_t>(xy.size() / 2), 2}); }

/// Largest deviation of the per-mode means from the centres, of the pooled standard deviation from the claimed one and
/// of the mode counts from equal ones, each in units of its own standard error.
double worst_z(const Batch& batch, const toy::GaussianMixture& mixture) {
  const auto x = batch.data.span<float>();
  const auto label = batch.labels.span<std::int64_t>();
  const auto modes = static_cast<std::size_t>(mixture.modes());
  std::vector<double> sum(2 * modes), count(modes);
  double squares = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const auto k = static_cast<std::size_t>(label[i]);
    ++count[k];
    for (std::size_t d = 0; d < 2; ++d) {
      const double difference = static_cast<double>(x[2 * i + d]) - mixture.centres().span<float>()[2 * k + d];
      sum[2 * k + d] += difference;
      squares += difference * difference;
    }
  }
  const auto n = static_cast<double>(label.size()), std = static_cast<double>(mixture.noise_std());
  double worst = std::abs(squares / (2 * n) / (std * std) - 1.0) / std::sqrt(2.0 / (2 * n));
  const double p = 1.0 / static_cast<double>(modes);
  for (std::size_t k = 0; k < modes; ++k) {
    worst = std::max(worst, std::abs(count[k] - n * p) / std::sqrt(n * p * (1 - p)));
    for (std::size_t d = 0; d < 2; ++d) worst = std::max(worst, std::abs(sum[2 * k + d]) / (std * std::sqrt(count[k])));
  }
  return worst;
}

}  // namespace

TEST_CASE("ring and grid have PacGAN's centres and the moments they claim") {
  const auto ring = toy::ring();
  CHECK(ring.modes() == 8);
  CHECK(ring.size() == 100000);
  CHECK(ring.noise_std() == 0.01f);
  CHECK(ring.centres().span<float>()[0] == 1.0f);
  CHECK(ring.centres().span<float>()[5] == Approx(1.0));  // mode 2 is at the top
  CHECK(ring.centres().span<float>()[2] == Approx(std::sqrt(0.5)));
  const auto grid = toy::grid();
  CHECK(grid.modes() == 25);
  CHECK(grid.noise_std() == 0.05f);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 5; ++j) {
      const auto k = static_cast<std::size_t>(2 * (5 * i + j));
      CHECK(grid.centres().span<float>()[k] == static_cast<float>(-4 + 2 * i));
      CHECK(grid.centres().span<float>()[k + 1] == static_cast<float>(-4 + 2 * j));
    }
  }
  Rng rng(11);
  for (const auto& mixture : {ring, grid, toy::ring({.modes = 3, .radius = 2.0f, .noise_std = 0.5f})}) {
    const Batch drawn = mixture.generate_labelled(50000, rng);
    CHECK(worst_z(drawn, mixture) < 4.5);  // some hundred draws of |z|; beyond 4.5 once in a thousand runs
    std::vector<std::int64_t> all(static_cast<std::size_t>(mixture.size()));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    CHECK(worst_z(mixture.gather(all), mixture) < 4.5);
  }
}

TEST_CASE("toys repeat by seed and serve a loader") {
  CHECK(same_bits(toy::ring({.points = 100}).points(), toy::ring({.points = 100}).points()));
  CHECK_FALSE(same_bits(toy::ring({.points = 100}).points(), toy::ring({.points = 100, .seed = 1}).points()));
  DataLoader loader{toy::grid({.points = 1000}), {.batch_size = 256}};
  const Batch batch = loader.next();
  CHECK(batch.data.shape() == Shape{256, 2});
  CHECK(batch.labels.shape() == Shape{256});
  CHECK_THROWS_AS(toy::ring({.modes = 0}), NumericError);
  CHECK_THROWS_AS(toy::grid({.side = 0}), NumericError);
  CHECK_THROWS_AS(toy::ring({.noise_std = -1.0f}), NumericError);
  CHECK_THROWS_AS(toy::ring({.points = -1}), ShapeError);
  CHECK_THROWS_AS(toy::swiss_roll({.turns = 0.0f}), NumericError);
}

TEST_CASE("the swiss roll lies on its spiral, as far as the noise allows") {
  const auto exact = toy::swiss_roll({.radius = 2.0f, .noise_std = 0.0f, .points = 500});
  const double first = 1.5 * 3.141592653589793, last = first + 3.0 * 3.141592653589793;
  double lowest = 2, highest = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    const double x = exact.points().span<float>()[2 * i], y = exact.points().span<float>()[2 * i + 1];
    const double r = std::hypot(x, y), t = r * last / 2.0;  // the angle that belongs to this radius
    CHECK(std::abs(x - r * std::cos(t)) + std::abs(y - r * std::sin(t)) < 1e-5);
    lowest = std::min(lowest, r);
    highest = std::max(highest, r);
  }
  CHECK(lowest == Approx(2.0 * first / last).epsilon(0.02));
  CHECK(highest == Approx(2.0).epsilon(0.02));
  const Tensor curve = exact.curve(2);
  CHECK(std::hypot(curve.span<float>()[2], curve.span<float>()[3]) == Approx(2.0));

  // noise: the distance to the nearest point of a dense curve is about |normal| across the spiral
  const auto noisy = toy::swiss_roll({.noise_std = 0.01f, .points = 2000});
  const Tensor dense = noisy.curve(4000);
  double squares = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    double least = 1e9;
    for (std::size_t j = 0; j < 4000; ++j) {
      least = std::min(
          least,
          std::hypot(static_cast<double>(noisy.points().span<float>()[2 * i] - dense.span<float>()[2 * j]),
                     static_cast<double>(noisy.points().span<float>()[2 * i + 1] - dense.span<float>()[2 * j + 1])));
    }
    squares += least * least;
  }
  CHECK(std::sqrt(squares / 2000) == Approx(0.01).epsilon(0.1));
}

TEST_CASE("mode_report counts known samples") {
  const Tensor centres = points({0, 0, 10, 0});
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  // std 1: two samples near mode 0, one that belongs to mode 1 but lies 4 away
  auto report = toy::mode_report(points({0, 1, 2.9f, 0, 14, 0}), centres, 1.0);
  CHECK(report.modes == 2);
  CHECK(report.covered == 1);
  CHECK(report.high_quality_share == Approx(2.0 / 3.0));
  CHECK(report.reverse_kl == Approx(2.0 / 3.0 * std::log(4.0 / 3.0) + 1.0 / 3.0 * std::log(2.0 / 3.0)));
  // all in one of two modes: log 2
  report = toy::mode_report(points({10, 0, 10, 1}), centres, 1.0);
  CHECK(report.covered == 1);
  CHECK(report.high_quality_share == 1.0);
  CHECK(report.reverse_kl == Approx(std::log(2.0)));
  // even spread
  report = toy::mode_report(points({10, 0, 0, 3}), centres, 1.0);
  CHECK(report.covered == 2);
  CHECK(report.reverse_kl == 0.0);
  // what is not finite belongs nowhere
  report = toy::mode_report(points({0, 0, nan, 0, inf, 0, 10, -inf}), centres, 1.0);
  CHECK(report.covered == 1);
  CHECK(report.high_quality_share == 0.25);
  CHECK(report.reverse_kl == Approx(std::log(2.0)));
  report = toy::mode_report(points({nan, nan}), centres, 1.0);
  CHECK(report.covered == 0);
  CHECK(std::isinf(report.reverse_kl));

  CHECK_THROWS_AS(toy::mode_report(Tensor::zeros({0, 2}), centres, 1.0), ShapeError);
  CHECK_THROWS_AS(toy::mode_report(Tensor::zeros({4, 3}), centres, 1.0), ShapeError);
  CHECK_THROWS_AS(toy::mode_report(Tensor(), centres, 1.0), ShapeError);
  CHECK_THROWS_AS(toy::mode_report(Tensor::zeros({4, 2}, DType::f64), centres, 1.0), DTypeError);
  CHECK_THROWS_AS(toy::mode_report(Tensor::zeros({4, 2}), Tensor(), 1.0), ShapeError);
  CHECK_THROWS_AS(toy::mode_report(Tensor::zeros({4, 2}), centres, -1.0), NumericError);
}

TEST_CASE("mode_report finds perfect samples nearly perfect") {
  Rng rng(4);
  for (const auto& mixture : {toy::ring(), toy::grid(), toy::ring({.noise_std = 0.05f})}) {
    const Tensor samples = mixture.generate(2500, rng);  // the paper's count
    const auto report = toy::mode_report(samples, mixture);
    CHECK(report.covered == mixture.modes());
    CHECK(toy::modes_covered(samples, mixture) == mixture.modes());
    // P(within 3 sigma in the plane) = 1 - exp(-4.5) = 0.98889; four standard errors
    CHECK(std::abs(report.high_quality_share - 0.98889) < 4 * std::sqrt(0.98889 * 0.01111 / 2500));
    // 2 N KL follows chi squared with modes - 1 degrees of freedom
    const double freedom = static_cast<double>(mixture.modes() - 1);
    CHECK(report.reverse_kl < (freedom + 4 * std::sqrt(2 * freedom)) / 5000);
    CHECK(report.reverse_kl > 0.0);
  }
}
