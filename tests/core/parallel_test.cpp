// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>

#include "../test.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

using synthdata::Error;
using synthdata::NumericError;
using synthdata::parallel_for;
using synthdata::set_threads;

namespace {

struct ThreadsGuard {
  explicit ThreadsGuard(int n) { set_threads(n); }
  ~ThreadsGuard() { set_threads(0); }
};

double chunked_sum(std::int64_t n, std::int64_t chunk) {
  std::vector<float> partial(static_cast<std::size_t>((n + chunk - 1) / chunk));
  parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
    float sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += 1.0f / static_cast<float>(i + 1);
    partial[static_cast<std::size_t>(begin / chunk)] = sum;
  });
  double total = 0;
  for (const float p : partial) total += static_cast<double>(p);
  return total;
}

}  // namespace

TEST_CASE("parallel_for covers the range once, in chunks that do not depend on the number of threads") {
  for (const int n_threads : {1, 2, 3, 8}) {
    const ThreadsGuard guard(n_threads);
    CHECK(synthdata::threads() == n_threads);
    for (const std::int64_t n : {0, 1, 7, 8, 9, 64, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
      std::atomic<int> bad{0};
      parallel_for(n, 8, [&](std::int64_t begin, std::int64_t end) {
        if (begin % 8 != 0 || end != std::min<std::int64_t>(n, begin + 8)) ++bad;
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      CHECK(bad == 0);
      int once = 0;
      for (const auto& s : seen) once += s == 1;
      CHECK(once == n);
    }
  }
}

TEST_CASE("a sum by chunks has the same bits for any number of threads") {
  double expected = 0;
  {
    const ThreadsGuard guard(1);
    expected = chunked_sum(100000, 777);
  }
  for (const int n_threads : {2, 3, 4}) {
    const ThreadsGuard guard(n_threads);
    for (int repeat = 0; repeat < 50; ++repeat) CHECK(chunked_sum(100000, 777) == expected);
  }
}

TEST_CASE("the work is shared by the threads of the pool") {
  const ThreadsGuard guard(2);
  std::atomic<int> arrived{0};
  parallel_for(2, 1, [&](std::int64_t, std::int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();  // ends only if two threads are here at once
  });
  CHECK(arrived == 2);
}

TEST_CASE("a nested parallel_for runs inline with the same chunks") {
  const ThreadsGuard guard(2);
  std::atomic<std::int64_t> total{0};
  parallel_for(16, 1, [&](std::int64_t, std::int64_t) {
    const auto outer = std::this_thread::get_id();
    parallel_for(100, 7, [&](std::int64_t begin, std::int64_t end) {
      if (std::this_thread::get_id() == outer && begin % 7 == 0) total += end - begin;
    });
  });
  CHECK(total == 1600);
}

TEST_CASE("an exception of the body reaches the caller and the pool stays usable") {
  for (const int n_threads : {1, 2}) {
    const ThreadsGuard guard(n_threads);
    for (int repeat = 0; repeat < 20; ++repeat) {
      const auto fail = [&](std::int64_t begin, std::int64_t) {
        if (begin >= 40) throw std::runtime_error("chunk failed");
      };
      CHECK_THROWS_AS(parallel_for(100, 1, fail), std::runtime_error);
      std::atomic<int> count{0};
      parallel_for(100, 1, [&](std::int64_t, std::int64_t) { ++count; });
      CHECK(count == 100);
    }
  }
}

TEST_CASE("several user threads may call parallel_for at once") {
  const ThreadsGuard guard(2);
  const double expected = chunked_sum(20000, 100);
  std::atomic<int> wrong{0};
  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u)
    users.emplace_back([&] {
      for (int repeat = 0; repeat < 100; ++repeat) wrong += chunked_sum(20000, 100) != expected;
    });
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
}

TEST_CASE("workers wake up again after they went to sleep") {
  const ThreadsGuard guard(2);
  for (int repeat = 0; repeat < 10; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<int> arrived{0};
    parallel_for(2, 1, [&](std::int64_t, std::int64_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    CHECK(arrived == 2);
  }
}

TEST_CASE("set_threads rejects a negative number and a call from a body") {
  CHECK_THROWS_AS(set_threads(-1), NumericError);
  CHECK_THROWS_AS(set_threads(100000), NumericError);
  const ThreadsGuard guard(2);
  CHECK_THROWS_AS(parallel_for(2, 1, [](std::int64_t, std::int64_t) { set_threads(1); }), Error);
}
