// SPDX-License-Identifier: MIT
#include <synthdata/core/tensor.hpp>

#include "../test.hpp"

#include <thread>

using namespace synthdata;

TEST_CASE("the allocator counts what tensors hold") {
  const MemoryStats before = memory_stats();
  {
    const Tensor a = Tensor::empty({1000});
    const MemoryStats during = memory_stats();
    CHECK(during.live_bytes - before.live_bytes >= 4000);
    CHECK(during.live_bytes - before.live_bytes <= 4000 + 4000 / 8 + 64);  // an eighth lost to the size class
    const Tensor shared = a;
    CHECK(memory_stats().live_bytes == during.live_bytes);
    const Tensor view = a.rows(10, 20);
    CHECK(memory_stats().live_bytes == during.live_bytes);
  }
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("a size class never holds less than asked and wastes at most an eighth") {
  std::int64_t worst_waste = 0;
  for (std::int64_t bytes = 1; bytes < (std::int64_t{1} << 42); bytes += 1 + bytes / 37) {
    const auto c = detail::size_class_of(bytes);
    const auto larger = detail::size_class_of(c.bytes + 1);
    CAPTURE(bytes, c.index, c.bytes);
    REQUIRE(c.bytes >= bytes);
    REQUIRE(c.bytes % 64 == 0);
    REQUIRE(detail::size_class_of(c.bytes).index == c.index);
    REQUIRE(larger.index == c.index + 1);
    REQUIRE((c.index >= 0 && c.index < detail::size_classes));
    if (bytes >= 512) worst_waste = std::max(worst_waste, (c.bytes - bytes) * 1000 / bytes);
  }
  CHECK(worst_waste <= 125);
}

TEST_CASE("nothing is taken from the system once the cache is warm") {
  const auto step = [] {
    std::vector<Tensor> held;
    for (const std::int64_t n : {7, 100, 5000, 70000, 100, 300000}) held.push_back(zeros({n}));
    held.erase(held.begin() + 2);
    for (const std::int64_t n : {5000, 64, 90000}) held.push_back(zeros({n}));
  };
  step();
  const std::int64_t warm = memory_stats().system_allocations;
  for (int i = 0; i < 100; ++i) step();
  CHECK(memory_stats().system_allocations == warm);
}

TEST_CASE("the peak is remembered until it is reset") {
  reset_peak_memory();
  const std::int64_t start = memory_stats().live_bytes;
  CHECK(memory_stats().peak_bytes == start);
  { const Tensor big = Tensor::empty({1 << 20}); }
  CHECK(memory_stats().peak_bytes >= start + (4 << 20));
  CHECK(memory_stats().live_bytes == start);
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == start);
}

TEST_CASE("the cache can be emptied") {
  { const Tensor t = Tensor::empty({1 << 18}); }
  CHECK(memory_stats().cached_bytes >= (1 << 20));
  empty_memory_cache();
  CHECK(memory_stats().cached_bytes == 0);
  const std::int64_t before = memory_stats().system_allocations;
  const Tensor t = Tensor::empty({1 << 18});
  CHECK(memory_stats().system_allocations == before + 1);
}

TEST_CASE("tensors may be made, shared and freed by several threads") {
  const std::int64_t before = memory_stats().live_bytes;
  {
    const Tensor shared = ones({64});
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w) {
      workers.emplace_back([shared] {
        for (std::int64_t i = 0; i < 2000; ++i) {
          const Tensor copy = shared;
          const Tensor own = zeros({i % 200 + 1});
          if (copy.size() + own.size() < 0) std::abort();
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(shared.unique());
  }
  CHECK(memory_stats().live_bytes == before);
}
