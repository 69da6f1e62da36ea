// tests/data/combinators_test.cpp: what subset, skip, filter, shuffle, repeat, cache, concatenate and zip yield.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/combinators.hpp>
#include <synthdata/data/in_memory.hpp>

#include <algorithm>
#include <atomic>

using namespace synthdata;

namespace {

/// Sample i is [i, random]; its label is i. Counts how often samples are read.
struct Counted {
  std::int64_t count = 20;
  std::atomic<int>* reads = nullptr;
  std::int64_t size() const { return count; }
  Sample get(std::int64_t index, Rng& rng) const {
    if (reads) ++*reads;
    return {Tensor::from(std::vector<float>{static_cast<float>(index), rng.uniform()}), index};
  }
};

TensorDataset numbers(std::int64_t count, std::int64_t first = 0) {
  Tensor values = arange(count, DType::f32);
  for (std::int64_t i = 0; i < count; ++i) values.data<float>()[i] += static_cast<float>(first);
  return TensorDataset(values.reshape({count, 1}), values.to(DType::i64));
}

template <class D>
std::vector<std::int64_t> labels_of(const D& dataset) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    Rng rng(1);
    out.push_back(dataset.get(i, rng).label);
  }
  return out;
}

/// gather() gives what get() gives.
template <GathersBatches D>
void check_gather(const D& dataset, const std::vector<std::int64_t>& indices) {
  const Batch batch = dataset.gather(indices);
  REQUIRE(batch.data.shape(0) == static_cast<std::int64_t>(indices.size()));
  const std::int64_t width = batch.data.size() / batch.data.shape(0);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Rng rng(1);
    const auto sample = dataset.get(indices[i], rng);
    const Tensor row = batch.data.rows(static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1);
    CHECK(same_bits(row.reshape({width}), sample.data.reshape({width})));
    CHECK(batch.labels.data<std::int64_t>()[i] == sample.label);
  }
}

using V = std::vector<std::int64_t>;
static_assert(GathersBatches<decltype(numbers(3) | subset({1}))>);
static_assert(GathersBatches<decltype(numbers(3) | skip(1) | repeat(2))>);
static_assert(GathersBatches<decltype(concatenate(numbers(3), numbers(3)))>);
static_assert(!GathersBatches<decltype(Counted{} | subset({1}))>);
static_assert(!GathersBatches<decltype(concatenate(Counted{}, Counted{}))>);
static_assert(GathersBatches<decltype(Counted{} | cache())>);

}  // namespace

TEST_CASE("subset, skip, shuffle and repeat choose samples, and gather as they get") {
  const auto some = numbers(10) | subset({7, 2, 2, 9});
  CHECK(labels_of(some) == V{7, 2, 2, 9});
  check_gather(some, {3, 0, 0});
  CHECK(labels_of(numbers(5) | skip(2)) == V{2, 3, 4});
  CHECK((numbers(5) | skip(5)).size() == 0);
  const auto twice = numbers(3) | skip(1) | repeat(2);
  CHECK(labels_of(twice) == V{1, 2, 1, 2});
  check_gather(twice, {3, 0, 2});
  const auto mixed = numbers(50) | shuffle(3);
  V order = labels_of(mixed);
  CHECK(order == labels_of(numbers(50) | shuffle(3)));
  CHECK(order != labels_of(numbers(50) | shuffle(4)));
  check_gather(mixed, {4, 49, 0});
  std::sort(order.begin(), order.end());
  CHECK(order == labels_of(numbers(50)));
  Rng rng;
  CHECK_THROWS_WITH(some.get(4, rng), ContainsSubstring("sample 4 is out of range, there are 4"));
  CHECK_THROWS_AS(twice.get(-1, rng), DataError);
  CHECK_THROWS_WITH(numbers(5) | subset({1, 5}), ContainsSubstring("sample 5"));
  CHECK_THROWS_WITH(numbers(5) | skip(6), ContainsSubstring("0 to 5"));
  CHECK_THROWS_AS(numbers(5) | repeat(0), DataError);
}

TEST_CASE("a repeated sample draws other random numbers in one epoch") {
  DataLoader loader{Counted{4} | repeat(2), {.batch_size = 8, .shuffle = false}};
  const Batch batch = loader.next();
  const float* x = batch.data.data<float>();
  for (int i = 0; i < 4; ++i) {
    CHECK(x[2 * i] == x[2 * (i + 4)]);
    CHECK(x[2 * i + 1] != x[2 * (i + 4) + 1]);
  }
}

TEST_CASE("filter keeps what the predicate keeps, for any number of threads") {
  for (const int count : {1, 4}) {
    set_threads(count);
    CHECK(labels_of(Counted{100} | filter([](const Sample& s) { return s.label % 9 == 0; })) ==
          V{0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99});
  }
  set_threads(0);
  CHECK((numbers(5) | filter([](const Sample&) { return false; })).size() == 0);
}

TEST_CASE("cache reads each sample once and keeps it") {
  std::atomic<int> reads{0};
  const auto kept = Counted{100, &reads} | cache();
  CHECK(reads == 100);
  DataLoader loader{kept, {.batch_size = 10, .shuffle = false}};
  const Batch first = loader.next();
  for (int i = 0; i < 9; ++i) loader.next();
  CHECK(same_bits(loader.next().data, first.data));  // the next epoch: random numbers were kept too
  CHECK(reads == 100);
  CHECK(kept.size_bytes() == 800);
  check_gather(kept, {5, 99, 0});
  CHECK_THROWS_WITH(Counted{100} | cache(799), ContainsSubstring("more than 799 bytes"));
  Rng rng;
  CHECK_THROWS_AS(kept.get(100, rng), DataError);
}

TEST_CASE("concatenate puts data sets one after the other") {
  const auto all = concatenate(numbers(3), numbers(2, 100), numbers(4, 200));
  CHECK(labels_of(all) == V{0, 1, 2, 100, 101, 200, 201, 202, 203});
  check_gather(all, {8, 0, 4, 3, 1});
  check_gather(all, {3, 4});
  CHECK(labels_of(concatenate(Counted{2}, Counted{1})) == V{0, 1, 0});
  Rng rng;
  CHECK_THROWS_WITH(all.get(9, rng), ContainsSubstring("sample 9"));
  CHECK_THROWS_AS(all.gather(V{9}), DataError);
  const auto uneven = concatenate(numbers(2), TensorDataset(Tensor::zeros({2, 3}), arange(2)));
  CHECK_THROWS_WITH(uneven.gather(V{0, 2}), ContainsSubstring("same shape"));
  const auto unlabelled = concatenate(numbers(2), TensorDataset(Tensor::zeros({2, 1})));
  CHECK(unlabelled.gather(V{1, 3}).labels.span<std::int64_t>()[1] == -1);
}

TEST_CASE("zip joins samples of the same number") {
  const auto sums = zip(numbers(4), numbers(4, 10), [](Sample a, const Sample& b) {
    Tensor x = a.data.clone();
    x.data<float>()[0] += b.data.data<float>()[0];
    return Sample{x, b.label};
  });
  Rng rng;
  CHECK(sums.get(2, rng).data.data<float>()[0] == 14.0f);
  CHECK(labels_of(sums) == V{10, 11, 12, 13});
  CHECK_THROWS_WITH(zip(numbers(4), numbers(3), [](Sample a, const Sample&) { return a; }),
                    ContainsSubstring("4 and 3 samples"));
}

TEST_CASE("batch ends a chain with a loader") {
  auto loader = numbers(10) | skip(2) | batch({.batch_size = 4, .shuffle = false});
  const Batch first = loader.next();
  CHECK(first.labels.span<std::int64_t>()[0] == 2);
  CHECK(loader.batches_per_epoch() == 2);
}
