// synthdata/core/parallel_impl.hpp: the thread pool behind parallel_for.
//
// The caller publishes a pointer to a job on its own stack and takes chunks like any worker. It never waits for a
// worker to show up: a worker that wakes late finds no job. A worker announces itself in `inside` before it reads the
// pointer, and the caller clears the pointer before it waits for `inside` to reach zero; both sides are sequentially
// consistent, so either the worker sees that the job is gone or the caller sees the worker.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace synthdata {
namespace detail {

/// True on a thread that is running a chunk: nested calls then run inline.
SYNTHDATA_INLINE bool& inside_parallel_for() {
  static thread_local bool inside = false;
  return inside;
}

inline void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))
  asm volatile("yield");
#endif
}

struct ParallelJob {
  std::int64_t n, chunk, chunks;
  ChunkBody body;
  void* closure;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error{};

  void run() {
    for (;;) {
      const std::int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= chunks) return;
      try {
        body(closure, i * chunk, std::min(n, (i + 1) * chunk));
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
        next.store(chunks, std::memory_order_relaxed);
      }
    }
  }
};

class ThreadPool {
 public:
  static constexpr int kMostThreads = 4096;

  static ThreadPool& instance() {
    // Never destroyed: workers may still spin while the process exits, and static destructors may call parallel_for.
    static ThreadPool* const pool = new ThreadPool;
    return *pool;
  }

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  void resize(int n) {
    const std::lock_guard region(region_);
    const int wanted = n == 0 ? default_threads() : n;
    if (wanted != threads()) stop_workers();
    threads_.store(wanted, std::memory_order_relaxed);
  }

  void run(ParallelJob& job) {
    const std::unique_lock region(region_, std::try_to_lock);
    if (!region.owns_lock()) {  // another user thread holds the pool
      run_inline(job);
      return;
    }
    if (workers_.empty()) start_workers();
    current_.store(&job);
    epoch_.fetch_add(1);
    if (sleepers_.load() > 0) wake(job.chunks - 1);
    inside_parallel_for() = true;
    job.run();
    inside_parallel_for() = false;
    current_.store(nullptr);
    for (int spins = 0; inside_.load() != 0; ++spins) {
      if (spins < 4096)
        cpu_relax();
      else
        std::this_thread::yield();
    }
    if (job.failed.load()) std::rethrow_exception(job.error);
  }

  static void run_inline(ParallelJob& job) {
    for (std::int64_t begin = 0; begin < job.n; begin += job.chunk)
      job.body(job.closure, begin, std::min(job.n, begin + job.chunk));
  }

 private:
  static constexpr std::chrono::microseconds kSpinTime{40};  // longer than the gap between two ops of a training step

  static int default_threads() {
    if (const char* text = std::getenv("SYNTHDATA_THREADS"); text && *text) {
      char* end = nullptr;
      const long n = std::strtol(text, &end, 10);
      if (*end || n < 1 || n > kMostThreads) {
        throw NumericError(
            concat("SYNTHDATA_THREADS: expects a number from 1 to ", kMostThreads, ", got '", text, "'"));
      }
      return static_cast<int>(n);
    }
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }

  void start_workers() {
    stop_.store(false);
    const auto seen = epoch_.load();
    try {
      for (int i = 1; i < threads(); ++i) workers_.emplace_back([this, seen] { work(seen); });
    } catch (const std::system_error& e) {
      const std::size_t started = workers_.size();
      stop_workers();
      throw Error(concat("parallel_for: cannot start thread ", started + 2, " of ", threads(), ": ", e.what()));
    }
  }

  void stop_workers() {
    {
      const std::lock_guard lock(sleep_);
      stop_.store(true);
    }
    epoch_.fetch_add(1);
    wake(static_cast<std::int64_t>(workers_.size()));
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  void wake(std::int64_t count) {
    { const std::lock_guard lock(sleep_); }  // a worker between its last look at epoch_ and its wait holds this
    if (count >= sleepers_.load())
      condition_.notify_all();
    else
      for (; count > 0; --count) condition_.notify_one();
  }

  void work(std::uint64_t seen) {
    inside_parallel_for() = true;
    for (;;) {
      wait_for_epoch(seen);
      seen = epoch_.load();
      if (stop_.load()) return;
      inside_.fetch_add(1);
      if (ParallelJob* job = current_.load()) job->run();
      inside_.fetch_sub(1);
    }
  }

  void wait_for_epoch(std::uint64_t seen) {
    const auto until = std::chrono::steady_clock::now() + kSpinTime;
    do {
      for (int i = 0; i < 32; ++i) {
        if (epoch_.load() != seen) return;
        cpu_relax();
      }
    } while (std::chrono::steady_clock::now() < until);
    std::unique_lock lock(sleep_);
    sleepers_.fetch_add(1);
    condition_.wait(lock, [&] { return epoch_.load() != seen; });
    sleepers_.fetch_sub(1);
  }

  std::atomic<int> threads_{default_threads()};
  std::mutex region_;  // held by the one user thread that uses the workers
  std::vector<std::thread> workers_;

  alignas(64) std::atomic<ParallelJob*> current_{nullptr};
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> stop_{false};
  alignas(64) std::atomic<int> inside_{0};

  std::mutex sleep_;
  std::condition_variable condition_;
  std::atomic<std::int64_t> sleepers_{0};
};

SYNTHDATA_INLINE void parallel_chunks(std::int64_t n, std::int64_t chunk, ChunkBody body, void* closure) {
  assert(chunk > 0);
  ParallelJob job{.n = n, .chunk = chunk, .chunks = (n - 1) / chunk + 1, .body = body, .closure = closure};
  ThreadPool& pool = ThreadPool::instance();
  if (pool.threads() == 1 || inside_parallel_for())
    ThreadPool::run_inline(job);
  else
    pool.run(job);
}

}  // namespace detail

SYNTHDATA_INLINE void set_threads(int n) {
  using detail::ThreadPool;
  if (n < 0 || n > ThreadPool::kMostThreads) {
    throw NumericError(concat("set_threads: expects 0 to ", ThreadPool::kMostThreads, ", got ", n));
  }
  if (detail::inside_parallel_for()) throw Error("set_threads: called from inside a parallel_for body");
  ThreadPool::instance().resize(n);
}

SYNTHDATA_INLINE int threads() { return detail::ThreadPool::instance().threads(); }

}  // namespace synthdata
