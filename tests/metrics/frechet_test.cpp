// tests/metrics/frechet_test.cpp
//
// SPDX-License-Identifier: MIT
#include <synthdata/backend/random.hpp>
#include <synthdata/metrics/frechet.hpp>
#include <synthdata/ops/pointwise.hpp>

#include "../test.hpp"

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

// Samples ±scale[j] along each axis: mean 0 and a diagonal covariance 2 scale[j]² / (N - 1), exactly.
Tensor along_axes(const std::vector<double>& scale, int repeats) {
  const auto width = static_cast<std::int64_t>(scale.size());
  Tensor x = zeros({2 * width * repeats, width}, DType::f64);
  double* p = x.data<double>();
  for (int r = 0; r < repeats; ++r) {
    for (std::size_t j = 0; j < scale.size(); ++j) {
      p[j] = scale[j];
      p[scale.size() + j] = -scale[j];
      p += 2 * scale.size();
    }
  }
  return x;
}

// Numbers that NumPy makes alike: k = arange(first, first + n); ((7919 k k + 104729 k) % 10007) / 10007 - 0.5
Tensor reference_values(std::int64_t rows, std::int64_t columns, std::int64_t first, double scale = 1,
                        double shift = 0) {
  Tensor x = Tensor::empty({rows, columns}, DType::f64);
  for (double& v : x.span<double>()) {
    v = scale * (static_cast<double>((7919 * first * first + 104729 * first) % 10007) / 10007.0 - 0.5) + shift;
    ++first;
  }
  return x;
}

}  // namespace

TEST_CASE("frechet_distance of equal covariances is the squared distance of the means") {
  Rng rng{1};
  const Tensor a = normal({500, 7}, rng, DType::f64);
  const Tensor shift = Tensor::from(std::vector<double>{1, -2, 0, 0.5, 0, 0, 3});
  const Tensor b = (Var(a) + Var(shift)).value();
  CHECK(frechet_distance(a, b) == Approx(1 + 4 + 0.25 + 9).epsilon(1e-9));
  CHECK(frechet_distance(b, a) == Approx(1 + 4 + 0.25 + 9).epsilon(1e-9));
  CHECK(frechet_distance(a, a) == Approx(0).margin(1e-9));
  CHECK(frechet_distance(a, a) >= 0.0);
}

TEST_CASE("frechet_distance of diagonal covariances is the distance of the standard deviations") {
  const std::vector<double> p{1, 2, 3, 0}, q{4, 0.5, 3, 2};
  for (const auto& [m, n] : {std::pair{1, 1}, std::pair{40, 25}}) {
    const Tensor a = along_axes(p, m), b = along_axes(q, n);
    double expected = 0.0;
    for (std::size_t j = 0; j < p.size(); ++j) {
      const double deviation_a = p[j] * std::sqrt(2.0 * m / static_cast<double>(a.shape(0) - 1));
      const double deviation_b = q[j] * std::sqrt(2.0 * n / static_cast<double>(b.shape(0) - 1));
      expected += (deviation_a - deviation_b) * (deviation_a - deviation_b);
    }
    CHECK(frechet_distance(a, b) == Approx(expected).epsilon(1e-10));
  }
}

TEST_CASE("frechet_distance agrees with NumPy where the covariances do not commute") {
  // Made by NumPy 1.24 from the same values: A, B = cov(a, rowvar=False), cov(b, rowvar=False);
  // |mean a - mean b|² + trace(A) + trace(B) - 2 sum(sqrt(eigvals(A @ B))), the unsymmetric form.
  const Tensor a = reference_values(300, 5, 0), b = reference_values(400, 5, 5000, 2.0, 0.25);
  CHECK(frechet_distance(a, b) == Approx(0.7442394454422057).epsilon(1e-10));
  CHECK(frechet_distance(b, a) == Approx(0.7442394454422057).epsilon(1e-10));
  CHECK(frechet_distance(a.to(DType::f32), b) == Approx(0.7442394454422057).epsilon(1e-6));  // f32 rounds the values
  CHECK(frechet_distance(reference_values(8, 5, 100), b) == Approx(1.0533191876173487).epsilon(1e-10));

  Tensor deficient = b.clone();  // the last column is the first less the second
  for (std::int64_t i = 0; i < 400; ++i) {
    double* row = deficient.data<double>() + 5 * i;
    row[4] = row[0] - row[1];
  }
  CHECK(frechet_distance(deficient, a) == Approx(1.181893560249391).epsilon(1e-8));  // NumPy is off by its own 1e-9
}

TEST_CASE("frechet_distance takes features without variance and fewer samples than features") {
  const Tensor zero = zeros({3, 4}), one = ones({5, 4});
  CHECK(frechet_distance(zero, one) == Approx(4.0));
  CHECK(frechet_distance(zero, zero) == 0.0);
  Rng rng{2};
  const Tensor few = normal({3, 16}, rng);
  CHECK(frechet_distance(few, few) == Approx(0).margin(1e-9));
}

TEST_CASE("frechet_distance refuses what it cannot compare") {
  const Tensor x = zeros({4, 3});
  CHECK_THROWS_AS(frechet_distance(x, zeros({4, 2})), ShapeError);
  CHECK_THROWS_WITH(frechet_distance(x, zeros({1, 3})), ContainsSubstring("at least two samples"));
  CHECK_THROWS_AS(frechet_distance(x, zeros({4})), ShapeError);
  CHECK_THROWS_AS(frechet_distance(x, Tensor()), ShapeError);
  CHECK_THROWS_AS(frechet_distance(zeros({4, 0}), zeros({4, 0})), ShapeError);
  CHECK_THROWS_AS(frechet_distance(x, zeros({4, 3}, DType::u8)), DTypeError);
  CHECK_THROWS_WITH(frechet_distance(x, full({4, 3}, std::numeric_limits<double>::quiet_NaN())),
                    ContainsSubstring("b has values that are not finite"));
  CHECK_THROWS_AS(frechet_distance(full({4, 3}, std::numeric_limits<double>::infinity()), x), NumericError);
  CHECK_THROWS_AS(frechet_distance(along_axes({1e200, 1.0}, 2), along_axes({1.0, 1.0}, 2)), NumericError);
}
