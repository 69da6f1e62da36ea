// SPDX-License-Identifier: MIT
#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/backend/random.hpp>
#include <synthdata/core/parallel.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>

using namespace synthdata;
using backend::cpu::force_isa;
using backend::cpu::Isa;

namespace {
struct IsaGuard {
  explicit IsaGuard(Isa wanted) { force_isa(wanted); }
  ~IsaGuard() { force_isa(backend::cpu::detect_isa()); }
};

struct Moments {
  double mean = 0, variance = 0;
};
template <class T>
Moments moments(const Tensor& t) {
  Moments m;
  for (const T v : t.span<T>()) m.mean += static_cast<double>(v);
  m.mean /= static_cast<double>(t.size());
  for (const T v : t.span<T>()) m.variance += std::pow(static_cast<double>(v) - m.mean, 2);
  m.variance /= static_cast<double>(t.size());
  return m;
}
}  // namespace

TEST_CASE("element 64 g + 16 w + lane of a bulk draw is word w of counter first + 16 g + lane") {
  const auto isa = GENERATE(Isa::baseline, Isa::avx2, Isa::avx512);
  const IsaGuard guard(isa);
  Rng rng{42};
  rng.next_u32();  // bulk draws start with a fresh block
  const Tensor t = uniform({1000}, rng);
  for (std::int64_t i = 0; i < t.size(); ++i) {
    const auto counter = static_cast<std::uint64_t>(1 + i / 64 * 16 + i % 16);
    const std::uint32_t word = detail::philox(42, 0, counter).word[i % 64 / 16];
    REQUIRE(t.span<float>()[static_cast<std::size_t>(i)] == static_cast<float>(word >> 8) * 0x1p-24f);
  }
  CHECK(rng.state().counter == 1 + 16 * 16);  // 1000 elements are 16 groups of 64
}

TEST_CASE("bulk draws do not depend on threads, and a longer draw begins like a shorter one") {
  const auto draw = [](int threads, std::int64_t n) {
    set_threads(threads);
    Rng rng{11};
    Tensor t = normal({n}, rng);
    set_threads(0);
    return t;
  };
  const Tensor one = draw(1, 100000);
  CHECK(same_bits(one, draw(2, 100000)));
  CHECK(same_bits(one, draw(5, 100000)));
  CHECK(same_bits(one.rows(0, 777), draw(1, 777)));
}

TEST_CASE("bulk draws have the right moments, in both dtypes") {
  constexpr std::int64_t n = 400000;
  Rng rng{3};
  const auto check = [&]<class T>(DType dtype) {
    const Moments u = moments<T>(uniform({n}, rng, dtype, -1.0, 3.0));
    CHECK(u.mean == Approx(1.0).margin(5 * std::sqrt(16.0 / 12 / n)));
    CHECK(u.variance == Approx(16.0 / 12).margin(0.02));
    const Moments g = moments<T>(normal({n}, rng, dtype, 2.0, 0.5));
    CHECK(g.mean == Approx(2.0).margin(5 * 0.5 / std::sqrt(static_cast<double>(n))));
    CHECK(g.variance == Approx(0.25).margin(5 * 0.25 * std::sqrt(2.0 / n)));
    const Moments b = moments<T>(bernoulli({n}, 0.3, rng, dtype));
    CHECK(b.mean == Approx(0.3).margin(5 * std::sqrt(0.21 / n)));
  };
  check.template operator()<float>(DType::f32);
  check.template operator()<double>(DType::f64);
}

TEST_CASE("normal draws fit the normal distribution function") {
  Rng rng{4};
  Tensor t = normal({50000}, rng, DType::f64);
  auto values = t.span<double>();
  std::sort(values.begin(), values.end());
  double worst = 0;  // Kolmogorov-Smirnov distance
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double cdf = 0.5 * std::erfc(-values[i] / std::sqrt(2.0));
    worst = std::max(worst, std::abs(cdf - (static_cast<double>(i) + 0.5) / static_cast<double>(values.size())));
  }
  CHECK(worst < 1.95 / std::sqrt(50000.0));  // probability 0.001 of being larger
}

TEST_CASE("uniform draws stay below the upper bound although rounding goes up") {
  Rng rng{5};
  // floats near 1000 lie 6e-5 apart: one draw in 30,000 rounds to 1001
  const Tensor t = uniform({1 << 21}, rng, DType::f32, 1000.0, 1001.0);
  const auto [smallest, largest] = std::minmax_element(t.span<float>().begin(), t.span<float>().end());
  CHECK(*largest < 1001.0f);
  CHECK(*smallest >= 1000.0f);
  CHECK(uniform({1}, rng, DType::f64, 3.0, 3.0).item() == 3.0);
  CHECK_THROWS_WITH(uniform({1}, rng, DType::f32, 1.0, 0.0), ContainsSubstring("low <= high, got 1 and 0"));
}

TEST_CASE("random integers cover their range") {
  Rng rng{6};
  const Tensor t = random_integers({10000}, 10, rng);
  int count[10] = {};
  for (const std::int64_t v : t.span<std::int64_t>()) ++count[v];
  for (const int c : count) CHECK(std::abs(c - 1000) < 150);
  CHECK_THROWS_AS(random_integers({1}, 0, rng), NumericError);
}

TEST_CASE("draws refuse integer dtypes and take empty shapes") {
  Rng rng{7};
  CHECK_THROWS_WITH(uniform({2}, rng, DType::i64), ContainsSubstring("uniform: expects f32 or f64, got i64"));
  CHECK_THROWS_AS(normal({2}, rng, DType::u8), DTypeError);
  CHECK(uniform({0, 3}, rng).size() == 0);
}
