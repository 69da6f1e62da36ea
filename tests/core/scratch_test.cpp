// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/core/scratch.hpp>

#include "../test.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

using synthdata::Scratch;

TEST_CASE("scratch buffers are aligned, apart from each other, and handed out again") {
  const float* first = nullptr;
  for (int round = 0; round < 3; ++round) {
    const Scratch<float> a(1000);
    for (int i = 0; i < 1000; ++i) a.data()[i] = 1.0f;
    {
      const Scratch<double> b(3);
      const Scratch<float> c(0);
      for (int i = 0; i < 3; ++i) b.data()[i] = 2.0;
      c.data()[0] = 3.0f;
      CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % 64 == 0);
      CHECK(reinterpret_cast<std::uintptr_t>(c.data()) % 64 == 0);
      CHECK(b.data()[2] == 2.0);
    }
    bool intact = true;
    for (int i = 0; i < 1000; ++i) intact = intact && a.data()[i] == 1.0f;
    CHECK(intact);
    if (round == 1) first = a.data();
    if (round == 2) CHECK(a.data() == first);
  }
}

TEST_CASE("scratch beyond a thread's own memory comes from the allocator, and goes back") {
  { const Scratch<float> warm(100); }
  const std::int64_t before = synthdata::memory_stats().live_bytes;
  {
    const Scratch<float> small(100);
    const Scratch<char> large(std::int64_t{64} << 20);
    const Scratch<float> behind(100);
    large.data()[(std::int64_t{64} << 20) - 1] = 'x';
    behind.data()[99] = 1.0f;
    CHECK(synthdata::memory_stats().live_bytes >= before + (std::int64_t{64} << 20));
  }
  CHECK(synthdata::memory_stats().live_bytes == before);
}

TEST_CASE("threads have scratch of their own") {
  const Scratch<int> mine(1000);
  for (int i = 0; i < 1000; ++i) mine.data()[i] = 7;
  std::atomic<bool> apart{true};
  std::thread other([&] {
    const Scratch<int> theirs(1000);
    for (int i = 0; i < 1000; ++i) theirs.data()[i] = 8;
    apart = theirs.data() != mine.data();
  });
  other.join();
  bool intact = true;
  for (int i = 0; i < 1000; ++i) intact = intact && mine.data()[i] == 7;
  CHECK(intact);
  CHECK(apart);
}
