// SPDX-License-Identifier: MIT
#include <synthdata/core/random.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>
#include <set>

using namespace synthdata;

namespace {
constexpr std::uint64_t join(std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; }
void check_words(const detail::PhiloxBlock& block, const std::uint32_t (&expected)[4]) {
  for (int i = 0; i < 4; ++i) CHECK(block.word[i] == expected[i]);
}
}  // namespace

TEST_CASE("Philox 4x32-10 gives the known answers of Random123") {
  // kat_vectors of the Random123 distribution, Salmon et al. 2011
  check_words(detail::philox(0, 0, 0), {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  check_words(detail::philox(ones, ones, ones), {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  check_words(
      detail::philox(join(0xa4093822u, 0x299f31d0u), join(0x13198a2eu, 0x03707344u), join(0x243f6a88u, 0x85a308d3u)),
      {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("an Rng walks through the blocks of its stream") {
  Rng rng{5};
  for (std::uint64_t block = 0; block < 3; ++block) {
    const detail::PhiloxBlock expected = detail::philox(5, 0, block);
    for (const std::uint32_t word : expected.word) CHECK(rng.next_u32() == word);
  }
  CHECK(rng.reserve(10) == 3);
  CHECK(rng.next_u32() == detail::philox(5, 0, 13).word[0]);
}

TEST_CASE("an Rng is restored from its state in the middle of a block") {
  for (int drawn = 0; drawn < 9; ++drawn) {
    Rng rng{123};
    for (int i = 0; i < drawn; ++i) rng.next_u32();
    Rng restored{rng.state()};
    CHECK(restored.state() == rng.state());
    for (int i = 0; i < 9; ++i) CHECK(restored.next_u32() == rng.next_u32());
  }
  CHECK_THROWS_WITH(Rng(RngState{.used = 5}), ContainsSubstring("expects 0 to 4 used words, got 5"));
}

TEST_CASE("a state that is refused leaves the generator as it was") {
  Rng rng{3};
  const RngState before = rng.state();
  CHECK_THROWS_AS(rng.restore(RngState{.used = 5}), DataError);
  CHECK(rng.state() == before);
}

TEST_CASE("a copied Rng draws the same numbers, a split one others") {
  Rng a{9};
  Rng b = a;
  CHECK(a.next_u64() == b.next_u64());

  const Rng parent{9};
  Rng child = parent.split(4);
  a.next_u32();
  CHECK(a.split(4).state() == child.state());  // whatever was drawn
  std::set<std::uint64_t> seen;
  for (std::uint64_t id = 0; id < 1000; ++id) {
    Rng one = parent.split(id);
    seen.insert(one.next_u64());
    Rng grandchild = one.split(0);
    seen.insert(grandchild.next_u64());
  }
  CHECK(seen.size() == 2000);
}

TEST_CASE("split streams are not correlated with each other or the parent") {
  constexpr int n = 20000;
  Rng parent{1}, first = parent.split(0), second = parent.split(1);
  double sum_ab = 0, sum_ap = 0;
  for (int i = 0; i < n; ++i) {
    const double a = static_cast<double>(first.uniform()) - 0.5, b = static_cast<double>(second.uniform()) - 0.5;
    const double p = static_cast<double>(parent.uniform()) - 0.5;
    sum_ab += a * b;
    sum_ap += a * p;
  }
  // correlation of independent samples: standard deviation 1 / sqrt(n) = 0.007
  CHECK(std::abs(sum_ab * 12 / n) < 0.035);
  CHECK(std::abs(sum_ap * 12 / n) < 0.035);
}

TEST_CASE("scalar draws have the right moments") {
  constexpr int n = 200000;
  Rng rng{2};
  double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0;
  for (int i = 0; i < n; ++i) {
    const double u = static_cast<double>(rng.uniform());
    REQUIRE((u >= 0.0 && u < 1.0));
    u1 += u;
    u2 += u * u;
    const double x = rng.normal();
    n1 += x;
    n2 += x * x;
    n4 += x * x * x * x;
  }
  // bounds are five standard deviations of the estimate
  CHECK(u1 / n == Approx(0.5).margin(5 * std::sqrt(1.0 / 12 / n)));
  CHECK(u2 / n == Approx(1.0 / 3).margin(5 * std::sqrt(4.0 / 45 / n)));
  CHECK(n1 / n == Approx(0.0).margin(5 * std::sqrt(1.0 / n)));
  CHECK(n2 / n == Approx(1.0).margin(5 * std::sqrt(2.0 / n)));
  CHECK(n4 / n == Approx(3.0).margin(5 * std::sqrt(96.0 / n)));
}

TEST_CASE("below is uniform and stays below") {
  Rng rng{7};
  constexpr int n = 60000;
  int count[6] = {};
  for (int i = 0; i < n; ++i) ++count[rng.below(6)];
  for (const int c : count) CHECK(std::abs(c - n / 6) < 5 * std::sqrt(n / 6.0));
  CHECK(rng.below(1) == 0);
  // two thirds of the 64-bit range: a plain remainder would favour the lower half two to one
  const std::int64_t large = std::int64_t{3} << 61;
  int lower = 0;
  for (int i = 0; i < 10000; ++i) lower += rng.below(large) < large / 2;
  CHECK(std::abs(lower - 5000) < 250);
  CHECK_THROWS_WITH(rng.below(0), ContainsSubstring("expects n > 0, got 0"));
  CHECK_THROWS_AS(rng.below(-3), NumericError);
}

TEST_CASE("a permutation holds every number once, each place equally likely") {
  Rng rng{8};
  std::vector<std::int64_t> p = rng.permutation(1000);
  CHECK_FALSE(std::is_sorted(p.begin(), p.end()));
  std::sort(p.begin(), p.end());
  for (std::size_t i = 0; i < p.size(); ++i) REQUIRE(p[i] == static_cast<std::int64_t>(i));
  int at[4][4] = {};
  for (int i = 0; i < 8000; ++i) {
    const auto q = rng.permutation(4);
    for (std::size_t k = 0; k < 4; ++k) ++at[k][q[k]];
  }
  for (const auto& row : at) {
    for (const int c : row) CHECK(std::abs(c - 2000) < 5 * 39);  // binomial: standard deviation 38.7
  }
  CHECK(rng.permutation(0).empty());
  CHECK_THROWS_AS(rng.permutation(-1), NumericError);
}
