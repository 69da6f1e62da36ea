// tests/data/index_permutation_test.cpp: random orders without memory.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/index_permutation.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

using namespace synthdata;

TEST_CASE("an index permutation has each number once", "[permutation]") {
  Rng rng{1};
  for (std::int64_t n = 0; n < 300; ++n) {
    const IndexPermutation order(n, rng);
    std::vector<bool> seen(static_cast<std::size_t>(n), false);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t at = order(i);
      REQUIRE((at >= 0 && at < n));
      REQUIRE(!seen[static_cast<std::size_t>(at)]);
      seen[static_cast<std::size_t>(at)] = true;
    }
  }
  for (const std::int64_t n :
       {std::int64_t{65537}, std::int64_t{1} << 40, (std::int64_t{1} << 62) - 1, std::int64_t{1} << 62}) {
    const IndexPermutation order(n, rng);
    std::set<std::int64_t> some;
    for (std::int64_t i = 0; i < 5000; ++i) some.insert(order(i)), some.insert(order(n - 1 - i));
    CHECK(some.size() == 10000);
    CHECK((*some.begin() >= 0 && *some.rbegin() < n));
    CHECK(static_cast<double>(*some.rbegin()) > 0.99 * static_cast<double>(n));
  }
  CHECK_THROWS_AS(IndexPermutation(-1, rng), NumericError);
}

TEST_CASE("orders of an index permutation are equally likely", "[permutation]") {
  Rng rng{2};
  std::map<std::vector<std::int64_t>, int> orders;
  for (int i = 0; i < 24000; ++i) {
    const IndexPermutation order(4, rng);
    ++orders[{order(0), order(1), order(2), order(3)}];
  }
  CHECK(orders.size() == 24);
  double chi2 = 0.0;
  for (const auto& [order, count] : orders) chi2 += (count - 1000.0) * (count - 1000.0) / 1000.0;
  CHECK(chi2 < 60.0);  // 23 degrees of freedom: beyond by chance once in 30,000 times

  // Neighbours are not together afterwards: distances of places 0, 1 and 5000, 5001 over many keys.
  constexpr std::int64_t n = 10007;
  double near = 0.0;
  for (int i = 0; i < 4000; ++i) {
    const IndexPermutation order(n, rng);
    for (const std::int64_t at : {std::int64_t{0}, std::int64_t{5000}}) {
      near += std::abs(order(at) - order(at + 1)) < n / 20;
    }
  }
  CHECK(near / 8000.0 == Approx(2.0 / 20 - 1.0 / 400).margin(0.012));
}
