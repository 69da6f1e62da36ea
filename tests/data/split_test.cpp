// tests/data/split_test.cpp: parts and folds share no row, cover all, keep classes, groups and times, for many seeds.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/split.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

using namespace synthdata;

namespace {

/// True if the parts hold each of 0 ... size - 1 exactly once, and none is empty.
template <class Parts>
bool partition(const Parts& parts, std::int64_t size) {
  Indices all;
  for (const Indices& part : parts) {
    if (part.empty()) return false;
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  Indices expected(static_cast<std::size_t>(size));
  std::iota(expected.begin(), expected.end(), std::int64_t{0});
  return all == expected;
}
template <class Parts>
bool ascending(const Parts& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const Indices& p) { return std::is_sorted(p.begin(), p.end()); });
}

std::map<std::int64_t, std::int64_t> counts(const std::vector<std::int64_t>& keys, const Indices& rows) {
  std::map<std::int64_t, std::int64_t> out;
  for (const std::int64_t row : rows) ++out[keys[static_cast<std::size_t>(row)]];
  return out;
}

std::vector<std::int64_t> random_keys(std::int64_t size, std::int64_t keys, Rng& rng) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(size));
  for (std::int64_t& key : out) key = 10 * rng.below(1 + rng.below(keys));  // small keys are frequent
  return out;
}

}  // namespace

TEST_CASE("random_split shares rows out, disjoint and covering, for many sizes and seeds") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::int64_t size = 10 + static_cast<std::int64_t>(seed * seed);
    const auto parts = random_split(size, {0.7, 0.2, 0.1}, seed);
    REQUIRE(partition(parts, size));
    REQUIRE(ascending(parts));
    const double n = static_cast<double>(size);
    CHECK(std::abs(static_cast<double>(parts[0].size()) - 0.7 * n) <= 1.0);
    CHECK(std::abs(static_cast<double>(parts[1].size()) - 0.2 * n) <= 1.0);
    CHECK(parts == random_split(size, {0.7, 0.2, 0.1}, seed));
    if (size > 30) CHECK(parts != random_split(size, {0.7, 0.2, 0.1}, seed + 1));
  }
}

TEST_CASE("random_split takes each row equally often") {
  std::vector<int> in_test(20);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto parts = random_split(20, {0.75, 0.25}, seed);
    for (const std::int64_t row : parts[1]) ++in_test[static_cast<std::size_t>(row)];
  }
  for (const int times : in_test) CHECK(std::abs(times - 1000) < 140);  // 5 standard deviations of 27.4
}

TEST_CASE("splits refuse shares that are none and parts that would be empty") {
  CHECK_THROWS_WITH(random_split(10, {0.5, 0.4}), ContainsSubstring("sum to 1, got 0.9"));
  CHECK_THROWS_WITH(random_split(10, {1.5, -0.5}), ContainsSubstring("above 0"));
  CHECK_THROWS_WITH(random_split(10, {1.0, 0.0}), ContainsSubstring("above 0"));
  CHECK_THROWS_WITH(random_split(10, {0.99, 0.01}), ContainsSubstring("part 1, a share of 0.01 of 10 rows"));
  CHECK_THROWS_AS(random_split(0, {0.5, 0.5}), DataError);
  CHECK_THROWS_WITH(stratified_split(std::vector<std::int64_t>{1, 2}, {0.4, 0.3, 0.3}), ContainsSubstring("empty"));
  CHECK_THROWS_WITH(grouped_split(std::vector<std::int64_t>{4, 4, 4}, {0.5, 0.5}), ContainsSubstring("1 groups"));
  CHECK_THROWS_WITH(k_fold(3, 4), ContainsSubstring("2 to 3 folds"));
  CHECK_THROWS_AS(k_fold(3, 1), DataError);
  CHECK_THROWS_AS(stratified_k_fold(std::vector<std::int64_t>{1, 2}, 3), DataError);
  CHECK_THROWS_AS(grouped_k_fold(std::vector<std::int64_t>{1, 1, 1}, 2), DataError);
}

TEST_CASE("stratified_split gives each class its share, rounded up or down") {
  Rng rng(3);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::int64_t size = 40 + rng.below(400);
    const auto keys = random_keys(size, 1 + static_cast<std::int64_t>(seed % 20), rng);
    const double shares[] = {0.6, 0.25, 0.15};
    const auto parts = stratified_split(keys, {0.6, 0.25, 0.15}, seed);
    REQUIRE(partition(parts, size));
    REQUIRE(ascending(parts));
    REQUIRE(parts == stratified_split(keys, {0.6, 0.25, 0.15}, seed));
    Indices all(static_cast<std::size_t>(size));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(std::abs(static_cast<double>(parts[i].size()) - shares[i] * static_cast<double>(size)) <= 3.0);
      auto part = counts(keys, parts[i]);
      for (const auto& [key, members] : counts(keys, all)) {
        REQUIRE(std::abs(static_cast<double>(part[key]) - shares[i] * static_cast<double>(members)) < 1.0);
      }
    }
  }
}

TEST_CASE("stratified_split of classes with one row each still fills the parts") {
  std::vector<std::int64_t> keys(100);
  std::iota(keys.begin(), keys.end(), std::int64_t{0});
  const auto [train, test] = stratified_split(keys, {0.8, 0.2}, 1);
  CHECK(train.size() == 80);
  CHECK(test.size() == 20);
}

TEST_CASE("grouped_split never cuts a group") {
  Rng rng(5);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::int64_t size = 30 + rng.below(300);
    auto keys = random_keys(size, 30, rng);
    for (std::int64_t i = 0; i < 3; ++i) keys[static_cast<std::size_t>(i)] = -i - 1;  // three groups at least
    const auto parts = grouped_split(keys, {0.5, 0.3, 0.2}, seed);
    REQUIRE(partition(parts, size));
    REQUIRE(parts == grouped_split(keys, {0.5, 0.3, 0.2}, seed));
    std::map<std::int64_t, std::set<std::size_t>> where;
    for (std::size_t i = 0; i < 3; ++i) {
      for (const std::int64_t row : parts[i]) where[keys[static_cast<std::size_t>(row)]].insert(i);
    }
    for (const auto& [key, in] : where) REQUIRE(in.size() == 1);
  }
  std::vector<std::int64_t> small(1000);  // 200 groups of five: sizes come out as asked
  for (std::size_t i = 0; i < small.size(); ++i) small[i] = static_cast<std::int64_t>(i % 200);
  const auto [train, test] = grouped_split(small, {0.8, 0.2}, 9);
  CHECK(std::abs(static_cast<double>(train.size()) - 800.0) <= 5.0);
}

TEST_CASE("grouped_split fills every part even if one group holds most rows") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<std::int64_t> keys(100, 7);
    keys[4] = 1;
    REQUIRE(partition(grouped_split(keys, {0.8, 0.2}, seed), 100));
  }
}

TEST_CASE("time_split puts the oldest first and cuts no instant") {
  Rng rng(6);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::int64_t> times(static_cast<std::size_t>(50 + rng.below(100)));
    for (std::int64_t& t : times) t = 1'600'000'000'000'000 + rng.below(40);
    const auto parts = time_split(Column::date_times("at", times), {0.6, 0.2, 0.2});
    REQUIRE(partition(parts, static_cast<std::int64_t>(times.size())));
    for (std::size_t i = 0; i + 1 < 3; ++i) {
      const std::int64_t last = times[static_cast<std::size_t>(parts[i].back())];
      REQUIRE(last < times[static_cast<std::size_t>(parts[i + 1].front())]);
    }
    const auto by_time = [&](std::int64_t a, std::int64_t b) {
      return times[static_cast<std::size_t>(a)] < times[static_cast<std::size_t>(b)];
    };
    for (const Indices& part : parts) REQUIRE(std::is_sorted(part.begin(), part.end(), by_time));
  }
  const std::vector<double> t = {3.0, 1.0, 2.0, 0.5};
  const auto [old, recent] = time_split(Column::reals("t", t), {0.5, 0.5});
  CHECK(old == Indices{3, 1});
  CHECK(recent == Indices{2, 0});
  // integers beyond 2^53 are compared exactly
  const std::vector<std::int64_t> close = {(std::int64_t{1} << 60) + 1, std::int64_t{1} << 60};
  CHECK(time_split(Column::integers("t", close), {0.5, 0.5})[0] == Indices{1});
}

TEST_CASE("time_split refuses missing times, texts and one instant for all") {
  const std::vector<std::int64_t> t = {1, 2, 3, 4};
  CHECK_THROWS_WITH(time_split(Column::integers("t", t, {false, false, true, false}), {0.5, 0.5}),
                    ContainsSubstring("column \"t\": the time of row 2 is missing"));
  const std::vector<std::string> texts = {"a", "b"};
  CHECK_THROWS_AS(time_split(Column::texts("t", texts), {0.5, 0.5}), DTypeError);
  const std::vector<std::int64_t> same(10, 5);
  CHECK_THROWS_WITH(time_split(Column::integers("t", same), {0.5, 0.5}), ContainsSubstring("part 1"));
}

TEST_CASE("folds hold out each row once") {
  Rng rng(8);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::int64_t size = 20 + rng.below(200), k = 2 + rng.below(6);
    auto keys = random_keys(size, 15, rng);
    for (std::int64_t i = 0; i < k; ++i) keys[static_cast<std::size_t>(i)] = -1 - i;
    const std::vector<std::vector<Fold>> kinds = {k_fold(size, k, seed), stratified_k_fold(keys, k, seed),
                                                  grouped_k_fold(keys, k, seed)};
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      const auto& folds = kinds[kind];
      REQUIRE(static_cast<std::int64_t>(folds.size()) == k);
      std::vector<Indices> tests;
      for (const Fold& fold : folds) {
        REQUIRE(partition(std::vector<Indices>{fold.train, fold.test}, size));
        tests.push_back(fold.test);
      }
      REQUIRE(partition(tests, size));
      const auto [least, most] = std::minmax_element(
          tests.begin(), tests.end(), [](const Indices& a, const Indices& b) { return a.size() < b.size(); });
      if (kind != 2) REQUIRE(most->size() - least->size() <= 1);
      if (kind == 1) {
        for (const std::int64_t key : std::set<std::int64_t>(keys.begin(), keys.end())) {
          std::vector<std::int64_t> in;
          for (const Indices& test : tests) in.push_back(counts(keys, test)[key]);
          const auto [low, high] = std::minmax_element(in.begin(), in.end());
          REQUIRE(*high - *low <= 1);
        }
      }
      if (kind == 2) {
        for (const Fold& fold : folds) {
          const auto train = counts(keys, fold.train), test = counts(keys, fold.test);
          for (const auto& [key, n] : test) REQUIRE(train.count(key) == 0);
        }
      }
    }
    CHECK(k_fold(size, k, seed)[0].test == kinds[0][0].test);
    CHECK(grouped_k_fold(keys, k, seed)[1].test == kinds[2][1].test);
  }
}

TEST_CASE("Keys number the values of any column and tensor; missing ones are a key of their own") {
  using V = std::vector<std::int64_t>;
  const std::vector<std::string> texts = {"b", "a", "b", "c"};
  CHECK(Keys(Column::texts("t", texts)).numbered() == V{0, 1, 0, 2});
  CHECK(Keys(Column::texts("t", texts, {false, false, true, false})).numbered() == V{0, 1, 2, 3});
  const std::vector<double> reals = {0.0, 1.5, -0.0, 1.5};
  CHECK(Keys(Column::reals("r", reals)).numbered() == V{0, 1, 0, 1});
  CHECK(Keys(Column::categorical("c", V{2, 0, 2, 1}, {"x", "y", "z"})).numbered() == V{0, 1, 0, 2});
  const V large = {(std::int64_t{1} << 60) + 1, std::int64_t{1} << 60};
  CHECK(Keys(Column::integers("i", large)).numbered() == V{0, 1});
  CHECK(Keys(Tensor::from(std::vector<std::int32_t>{5, 6, 5})).numbered() == V{0, 1, 0});
  CHECK_THROWS_AS(Keys(Tensor::zeros({3})), DTypeError);
  CHECK_THROWS_AS(Keys(Tensor()), ShapeError);
}

TEST_CASE("pick applies a split to tables and data sets") {
  const std::vector<std::int64_t> values = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  const Table table({Column::integers("v", values)});
  const auto parts = random_split(10, {0.7, 0.3}, 4);
  const auto [train, test] = pick(table, parts);
  CHECK(train.size() == 7);
  for (std::int64_t i = 0; i < 3; ++i) CHECK(test["v"].integer(i) == 10 + parts[1][static_cast<std::size_t>(i)]);
  const TensorDataset samples(arange(10, DType::f32).reshape({10, 1}), arange(10));
  const auto [a, b] = pick(samples, parts);
  CHECK(a.size() == 7);
  Rng rng;
  for (std::int64_t i = 0; i < 3; ++i) CHECK(b.get(i, rng).label == parts[1][static_cast<std::size_t>(i)]);
}

TEST_CASE("balanced_weights give all classes the same sum") {
  const auto weights = balanced_weights(std::vector<std::int64_t>{3, 3, 3, 3, 9});
  CHECK(weights == std::vector<double>{0.25, 0.25, 0.25, 0.25, 1.0});
}
