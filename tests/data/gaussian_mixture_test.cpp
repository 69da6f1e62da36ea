// tests/data/gaussian_mixture_test.cpp: mixtures against scikit-learn's, from the same start.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/gaussian_mixture.hpp>
#include <synthdata/io/safetensors.hpp>

#include <cmath>

using namespace synthdata;
using test::data_error, test::has;

namespace {

double furthest(const Tensor& a, const Tensor& b) {
  REQUIRE(a.size() == b.size());
  double most = 0.0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    most = std::fmax(most, std::fabs(a.data<double>()[i] - b.data<double>()[i]));
  }
  return most;
}

Tensor two_humps(std::int64_t rows, Rng& rng) {
  Tensor x = Tensor::empty({rows}, DType::f64, Device::cpu());
  for (double& value : x.span<double>()) value = rng.uniform() < 0.25f ? 10.0 + rng.normal() : 2.0 * rng.normal();
  return x;
}

}  // namespace

TEST_CASE("mixtures agree with scikit-learn's from the same start") {
  const Archive reference = load_safetensors(test::reference("transforms.safetensors"));
  struct Case {
    const char* name;
    MixtureOptions options;
  };
  const Case cases[] = {
      {"flat_bayes", {.components = 10, .bayesian = true, .concentration = 0.001}},
      {"flat_em", {.components = 3}},
      {"pairs_full_em", {.components = 4}},
      {"pairs_diag_em", {.components = 4, .covariance = Covariance::diagonal}},
      {"pairs_full_bayes", {.components = 4, .bayesian = true}},
      {"pairs_diag_bayes", {.components = 4, .covariance = Covariance::diagonal, .bayesian = true}},
  };
  for (const Case& one : cases) {
    const std::string name = one.name;
    INFO(name);
    const auto stored = [&](const char* what) { return reference.at(name + "/" + what); };
    MixtureOptions options = one.options;
    options.start = stored("start");
    Rng rng{1};
    const GaussianMixture mixture = GaussianMixture::fit(stored("x"), options, rng);
    CHECK(mixture.iterations() == stored("iterations").data<std::int64_t>()[0]);
    CHECK(mixture.bound() == Approx(stored("bound").data<double>()[0]).epsilon(1e-9));
    CHECK(furthest(mixture.weights(), stored("weights")) < 1e-9);
    CHECK(furthest(mixture.means(), stored("means")) < 1e-8);
    CHECK(furthest(mixture.covariances(), stored("covariances")) < 1e-8);
    CHECK(furthest(mixture.log_prob(stored("x")), stored("log_prob")) < 1e-7);
    CHECK(furthest(mixture.responsibilities(stored("x")), stored("responsibilities")) < 1e-8);
  }
}

TEST_CASE("rows that weigh three are as good as rows that come three times") {
  Rng rng{3};
  const Tensor x = two_humps(50, rng);
  Tensor thrice = Tensor::empty({150}, DType::f64, Device::cpu()), labels = Tensor::empty({150}, DType::i64, Device::cpu());
  Tensor start = Tensor::empty({50}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < 150; ++i) {
    thrice.data<double>()[i] = x.data<double>()[i % 50];
    labels.data<std::int64_t>()[i] = start.data<std::int64_t>()[i % 50] = i % 50 % 2;
  }
  for (const bool bayesian : {false, true}) {
    const auto a = GaussianMixture::fit(thrice, {.components = 2, .bayesian = bayesian, .start = labels}, rng);
    const auto b = GaussianMixture::fit(
        x, {.components = 2, .bayesian = bayesian, .row_weights = Tensor::full({50}, 3.0, DType::f64), .start = start}, rng);
    CHECK(furthest(a.means(), b.means()) < 1e-9);
    CHECK(furthest(a.weights(), b.weights()) < 1e-9);
  }
}

TEST_CASE("a mixture finds two humps, samples them, and is the same for any number of threads") {
  Rng rng{5};
  const Tensor x = two_humps(20000, rng);
  std::vector<Tensor> means;
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    Rng same{8};
    const auto mixture = GaussianMixture::fit(x, {.components = 2, .max_iterations = 200, .tolerance = 1e-7}, same);
    means.push_back(mixture.means());
    const std::int64_t high = mixture.means().data<double>()[1] > mixture.means().data<double>()[0];
    CHECK(mixture.weights().data<double>()[high] == Approx(0.25).margin(0.01));
    CHECK(mixture.means().data<double>()[high] == Approx(10.0).margin(0.05));
    CHECK(mixture.covariances().data<double>()[1 - high] == Approx(4.0).margin(0.15));
    const Tensor drawn = mixture.sample(20000, same);
    double above = 0.0;
    for (const double value : drawn.span<double>()) above += value > 6.5;
    CHECK(above / 20000 == Approx(0.25).margin(0.015));  // 5 sigma of the share
  }
  set_threads(0);
  CHECK(same_bits(means[0], means[1]));
  CHECK(same_bits(means[0], means[2]));

  const auto many = GaussianMixture::fit(
      x.rows(0, 2000),
      {.components = 10, .bayesian = true, .concentration = 0.001, .max_iterations = 2000, .tolerance = 1e-6}, rng);
  std::int64_t used = 0;
  for (const double weight : many.weights().span<double>()) used += weight > 0.005;
  CHECK(used < 10);
}

TEST_CASE("log_prob of a given mixture is the formula, and integrates to one") {
  const auto f64 = [](std::vector<double> values, const Shape& shape) { return Tensor::from(values, shape, Device::cpu()); };
  const GaussianMixture mixture(f64({1, 3}, {2}), f64({0, 0, 2, 1}, {2, 2}), f64({1, 0.5, 0.5, 2, 0.5, 0, 0, 0.25}, {2, 2, 2}));
  // at the mean of the second: 3/4 / (2 pi sqrt(0.125)) and the first's tail with x' C^-1 x = (2*4 - 2*0.5*2 + 1) / 1.75
  const double first = 0.25 / (2 * M_PI * std::sqrt(1.75)) * std::exp(-0.5 * (2 * 4 - 2 * 0.5 * 2 * 1 + 1) / 1.75);
  CHECK(mixture.log_prob(f64({2, 1}, {1, 2})).item() == Approx(std::log(first + 0.75 / (2 * M_PI * std::sqrt(0.125)))));
  double sum = 0.0;
  for (double a = -8; a < 9; a += 0.05) {
    for (double b = -8; b < 9; b += 0.05) sum += std::exp(mixture.log_prob(f64({a, b}, {1, 2})).item()) * 0.0025;
  }
  CHECK(sum == Approx(1.0).epsilon(1e-6));
}

TEST_CASE("hostile rows and archives end in clear errors; constants and single rows in a mixture") {
  Rng rng{1};
  CHECK_THROWS_AS(GaussianMixture::fit(Tensor::zeros({0, 2}), {}, rng), NumericError);
  CHECK_THROWS_AS(GaussianMixture::fit(Tensor::full({3}, NAN, DType::f64), {}, rng), NumericError);
  CHECK_THROWS_AS(GaussianMixture::fit(Tensor::zeros({3}, DType::i64), {}, rng), DTypeError);
  CHECK_THROWS_AS(GaussianMixture::fit(Tensor::zeros({3}), {.components = 0}, rng), NumericError);
  for (const bool bayesian : {false, true}) {
    const auto constant = GaussianMixture::fit(Tensor::full({20}, 4.0), {.components = 3, .bayesian = bayesian}, rng);
    CHECK(constant.means().data<double>()[0] == Approx(4.0));
    CHECK(std::isfinite(constant.log_prob(Tensor::full({1}, 4.0)).item()));
    CHECK(GaussianMixture::fit(Tensor::full({1, 2}, 1.0), {.components = 2, .bayesian = bayesian}, rng).components() == 2);
  }

  Archive archive;
  const auto mixture = GaussianMixture::fit(two_humps(100, rng), {.components = 3, .bayesian = true}, rng);
  mixture.save(archive, "m");
  const Tensor x = two_humps(10, rng);
  CHECK(same_bits(GaussianMixture::load(archive, "m").log_prob(x), mixture.log_prob(x)));
  CHECK(has(data_error([&] { GaussianMixture::load(archive, "n"); }), "n.log_weights"));
  for (NamedTensor& tensor : archive.tensors) {
    const Tensor kept = tensor.tensor;
    for (const Tensor& bad : {Tensor::zeros({2}, DType::f64), Tensor::zeros({3, 1}), Tensor::full(kept.shape(), NAN, DType::f64)}) {
      tensor.tensor = bad;
      INFO(tensor.name << " " << bad.str());
      CHECK_THROWS_AS(GaussianMixture::load(archive, "m"), DataError);
    }
    tensor.tensor = kept;
  }
}
