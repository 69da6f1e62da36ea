// SPDX-License-Identifier: MIT
#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/functor/activation.hpp>

#include "../test.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace cpu = synthdata::backend::cpu;
using std::int64_t;
using synthdata::Precision;

namespace {

std::uint32_t random_bits() {
  static std::uint32_t state = 7;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}
int64_t random_between(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_bits()) % (high - low + 1);
}
template <class T>
std::vector<T> random_values(int64_t n) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) v = static_cast<T>(static_cast<double>(random_bits()) / 8388608.0 - 1.0);
  return x;
}

struct Case {
  bool ta, tb;
  int64_t m, n, k, extra;  // extra: how much the leading dimensions exceed the rows
  bool bias, accumulate;
  cpu::Act act;
  Precision precision = Precision::f32;
};

/// Case i of a sweep over shapes, transpositions and epilogues; now and then few rows, few columns, or a sum of
/// `deep_low` to `deep_high` terms.
Case random_case(int i, int64_t deep_low, int64_t deep_high) {
  const int64_t size = i < 120 ? 40 : 150;
  Case t{.ta = i % 2 == 1,
         .tb = i / 2 % 2 == 1,
         .m = random_between(1, size),
         .n = random_between(1, size),
         .k = random_between(0, size),
         .extra = random_between(0, 3),
         .bias = i % 3 == 0,
         .accumulate = i % 5 == 0,
         .act = static_cast<cpu::Act>(i % 7 < 5 ? i % 7 : 0)};
  if (i % 11 == 0) t.m = random_between(1, 6);
  if (i % 13 == 0) t.n = random_between(1, 6);
  if (i % 17 == 0) t.k = random_between(deep_low, deep_high);
  return t;
}

/// The values that bf16 can hold, nearest even.
std::vector<float> rounded(std::vector<float> x) {
  for (float& v : x) {
    auto bits = std::bit_cast<std::uint32_t>(v);
    bits += 0x7fff + (bits >> 16 & 1);
    v = std::bit_cast<float>(bits & 0xffff0000);
  }
  return x;
}

double activation(cpu::Act act, double x, double slope) {
  switch (act) {
    case cpu::Act::none:
      return x;
    case cpu::Act::relu:
      return std::max(x, 0.0);
    case cpu::Act::leaky_relu:
      return x > 0 ? x : slope * x;
    case cpu::Act::tanh:
      return std::tanh(x);
    case cpu::Act::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return std::nan("");
}

/// Largest error in units of the rounding error expected of a sum of k terms below 1; infinity if anything outside C
/// was written or two threads gave other bits than one.
template <class T>
double worst_error(const Case& t) {
  const int64_t lda = (t.ta ? t.m : t.k) + t.extra, ldb = (t.tb ? t.k : t.n) + t.extra, ldc = t.n + t.extra;
  auto a = random_values<T>((t.ta ? t.k : t.m) * lda), b = random_values<T>((t.tb ? t.n : t.k) * ldb);
  if constexpr (sizeof(T) == sizeof(float)) {
    if (t.precision == Precision::bf16) a = rounded(a), b = rounded(b);  // their products are exact in f32
  }
  const auto bias = random_values<T>(t.n), before = random_values<T>(t.m * ldc);
  const cpu::Epilogue<T> e{
      .bias = t.bias ? bias.data() : nullptr, .act = t.act, .slope = T(0.2), .accumulate = t.accumulate};
  auto c = before, c2 = before;
  synthdata::set_threads(1);
  cpu::gemm(t.ta, t.tb, t.m, t.n, t.k, a.data(), lda, b.data(), ldb, c.data(), ldc, e, t.precision);
  synthdata::set_threads(2);
  cpu::gemm(t.ta, t.tb, t.m, t.n, t.k, a.data(), lda, b.data(), ldb, c2.data(), ldc, e, t.precision);
  synthdata::set_threads(0);
  double worst = c == c2 ? 0 : std::numeric_limits<double>::infinity();
  const double unit = std::numeric_limits<T>::epsilon() * (2 + std::sqrt(static_cast<double>(t.k)));
  const auto at = [](const std::vector<T>& x, int64_t i) {
    return static_cast<double>(x[static_cast<std::size_t>(i)]);
  };
  for (int64_t i = 0; i < t.m; ++i)
    for (int64_t j = 0; j < ldc; ++j) {
      double expected = at(before, i * ldc + j);
      if (j < t.n) {
        if (!t.accumulate) expected = 0;
        for (int64_t p = 0; p < t.k; ++p)
          expected += at(a, t.ta ? p * lda + i : i * lda + p) * at(b, t.tb ? j * ldb + p : p * ldb + j);
        if (t.bias) expected += at(bias, j);
        expected = activation(t.act, expected, 0.2);
      } else if (at(c, i * ldc + j) != expected) {
        return std::numeric_limits<double>::infinity();
      }
      worst = std::max(worst, std::abs(at(c, i * ldc + j) - expected) / unit);
    }
  return worst;
}

constexpr double tolerance = 8;  // units of sqrt(k) roundings; the worst seen is below 3

struct IsaGuard {
  ~IsaGuard() { cpu::force_isa(cpu::detect_isa()); }
};

}  // namespace

TEST_CASE("gemm equals plain loops for every instruction set, transposition and epilogue") {
  const IsaGuard guard;
  for (const auto isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (cpu::force_isa(isa) != isa) continue;
    for (int i = 0; i < 160; ++i) {
      const Case t = random_case(i, 250, 700);
      CAPTURE(static_cast<int>(isa), t.ta, t.tb, t.m, t.n, t.k, t.extra, t.bias, t.accumulate, static_cast<int>(t.act));
      CHECK(worst_error<float>(t) < tolerance);
      CHECK(worst_error<double>(t) < tolerance);
    }
  }
}

TEST_CASE("gemm of numbers that bf16 holds is as exact with bf16 products") {
  for (int i = 0; i < 160; ++i) {
    Case t = random_case(i, 500, 1400);
    t.precision = Precision::bf16;
    CAPTURE(t.ta, t.tb, t.m, t.n, t.k, t.extra, t.bias, t.accumulate, static_cast<int>(t.act));
    CHECK(worst_error<float>(t) < tolerance);
  }
}

TEST_CASE("bf16 products round their factors to nearest even, and only where the processor has them") {
  const int64_t m = 30, n = 50, k = 77;
  const auto a = random_values<float>(m * k), b = random_values<float>(k * n);
  const auto a_rounded = rounded(a), b_rounded = rounded(b);
  std::vector<float> plain(static_cast<std::size_t>(m * n)), expected(plain), found(plain);
  cpu::gemm(false, false, m, n, k, a.data(), k, b.data(), n, plain.data(), n);
  cpu::gemm(false, false, m, n, k, a_rounded.data(), k, b_rounded.data(), n, expected.data(), n);
  cpu::gemm(false, false, m, n, k, a.data(), k, b.data(), n, found.data(), n, {}, Precision::bf16);
  if (!cpu::has_bf16()) {
    CHECK(found == plain);
    return;
  }
  CHECK(found != plain);
  double worst = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(found[i] - expected[i])));
  CHECK(worst < 1e-5);
}

TEST_CASE("gemm handles shapes beyond one block, the same bits for one and two threads") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const Case t{.ta = ta,
                   .tb = tb,
                   .m = 211,
                   .n = 417,
                   .k = 530,
                   .extra = 0,
                   .bias = true,
                   .accumulate = false,
                   .act = cpu::Act::leaky_relu};
      CHECK(worst_error<float>(t) < tolerance);
      CHECK(worst_error<double>(t) < tolerance);
    }
}

TEST_CASE("gemm without terms writes the bias, and nothing for an empty C") {
  const float bias[] = {1, -2, 3};
  float c[6] = {9, 9, 9, 9, 9, 9};
  cpu::gemm(false, false, 0, 3, 4, nullptr, 4, nullptr, 3, c, 3);
  CHECK(c[0] == 9);
  cpu::gemm(false, false, 2, 3, 0, nullptr, 1, nullptr, 3, c, 3, {.bias = bias, .act = cpu::Act::relu});
  for (int i = 0; i < 6; ++i) CHECK(c[i] == std::max(bias[i % 3], 0.0f));
}

TEST_CASE("the epilogue gives the bits of the unfused functors") {
  const int64_t m = 37, n = 45, k = 19;
  const auto a = random_values<float>(m * k), b = random_values<float>(k * n);
  std::vector<float> plain(static_cast<std::size_t>(m * n)), fused(plain);
  cpu::gemm(false, false, m, n, k, a.data(), k, b.data(), n, plain.data(), n);
  cpu::gemm(false, false, m, n, k, a.data(), k, b.data(), n, fused.data(), n,
            {.act = cpu::Act::leaky_relu, .slope = 0.2f});
  bool same = true;
  for (std::size_t i = 0; i < plain.size(); ++i) same &= fused[i] == synthdata::LeakyRelu{double{0.2f}}.value(plain[i]);
  CHECK(same);
}
