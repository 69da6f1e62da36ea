// tests/data/prefetch_test.cpp: batches made ahead are those of the source, in order, and resume as it does.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/loader.hpp>
#include <synthdata/data/prefetch.hpp>

using namespace synthdata;

namespace {

using Loader = DataLoader<TensorDataset>;
static_assert(BatchSource<Prefetched<Loader>>);

Loader numbers(std::uint64_t seed) {
  return Loader(TensorDataset(arange(50, DType::f32).reshape({50, 1}), arange(50)),
                {.batch_size = 8, .seed = seed, .workers = 0});
}

/// Counts up; the batch behind every seventh one fails once.
struct Flaky {
  std::int64_t at = 0;
  bool failed = false;
  Batch next() {
    if (at % 7 == 6 && !std::exchange(failed, true)) throw DataError(concat("batch ", at, " is not there yet"));
    failed = false;
    return {Tensor::full({1}, static_cast<double>(at++)), {}, {}};
  }
  SourceState state() const { return {.position = at}; }
  void restore(const SourceState& state) {
    if (state.position < 0) throw DataError("no such place");
    at = state.position;
  }
};

}  // namespace

TEST_CASE("Prefetched gives the batches of its source and its states") {
  for (const int ahead : {1, 3, 20}) {
    Loader plain = numbers(3);
    Prefetched batches(numbers(3), ahead);
    CHECK(batches.state() == plain.state());
    for (int i = 0; i < 30; ++i) {
      CHECK(same_bits(batches.next().data, plain.next().data));
      REQUIRE(batches.state() == plain.state());
    }
    const SourceState state = batches.state();
    const Batch expected = plain.next();
    Prefetched resumed(numbers(77), ahead);
    resumed.next();
    resumed.restore(state);
    CHECK(resumed.state() == state);
    CHECK(same_bits(resumed.next().data, expected.data));
    Prefetched moved = std::move(batches);
    CHECK(same_bits(moved.next().data, expected.data));
  }
  CHECK_THROWS_AS(Prefetched(numbers(1), 0), DataError);
}

TEST_CASE("Prefetched passes an exception on in its place and goes on") {
  Prefetched batches(Flaky{}, 4);
  int failures = 0;
  for (int i = 0; i < 40;) {
    try {
      const Batch batch = batches.next();
      REQUIRE(batch.data.data<float>()[0] == static_cast<float>(i));
      ++i;
    } catch (const DataError& error) {
      CHECK_THAT(std::string(error.what()), ContainsSubstring(concat("batch ", i, " ")));
      CHECK(batches.state().position == i);
      ++failures;
    }
  }
  CHECK(failures == 5);
  const SourceState before = batches.state();
  CHECK_THROWS_WITH(batches.restore({.position = -1}), ContainsSubstring("no such place"));
  CHECK(batches.state() == before);
  CHECK(batches.next().data.data<float>()[0] == 40.0f);
}

TEST_CASE("Prefetched ends with batches made ahead that nobody wanted") {
  for (int i = 0; i < 20; ++i) {
    Prefetched batches(numbers(1), 1 + i % 5);
    if (i % 2) batches.next();
  }
  SUCCEED();
}
