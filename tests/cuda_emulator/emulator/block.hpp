// cuda_emulator/emulator/block.hpp: runs the threads of a grid, block after block.
//
// A thread runs until it meets a barrier or a warp function, then the next one runs on another stack. Threads that meet
// none follow each other on one stack, so they cost little more than a function call. There is no scheduler loop: a
// thread that has to wait asks next() for whom to run and switches there itself.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <string>
#include <typeinfo>

#include "fiber.hpp"
#include "settings.hpp"

namespace cuda_emulator {

inline constexpr unsigned max_threads = 1024;
inline constexpr std::size_t max_dynamic_shared = 227 << 10;

inline uint3 thread_index{}, block_index{};
inline dim3 block_dim, grid_dim;

/// What a thread waits for. All that meet must agree in kind, mask and place in the source.
struct Wait {
  enum Kind { none, barrier, warp_barrier, shuffle, ballot } kind = none;
  unsigned mask = 0;
  const char* file = nullptr;
  int line = 0;
  std::uint64_t value = 0;  // given before, result after
  unsigned source = 0;      // lane that a shuffle reads

  bool meets(const Wait& other) const {
    if (kind == none || other.kind == none) return kind == other.kind;
    return kind == other.kind && mask == other.mask && line == other.line && std::strcmp(file, other.file) == 0;
  }
  const char* name() const {
    constexpr const char* names[] = {"nothing", "__syncthreads", "__syncwarp", "a shuffle", "a ballot"};
    return names[kind];
  }
};

/// The one block that runs, under the machine's lock.
class Block {
 public:
  /// Calls `body` once for each thread of the grid.
  /// Then `check`, while a failure still names the kernel.
  template <class Body, class Check>
  void run_grid(dim3 grid, dim3 block, std::size_t dynamic_shared, const std::type_info& kernel, const Body& body,
                const Check& check) {
    if (running_) fail("a kernel launched a kernel");
    grid_dim = grid;
    block_dim = block;
    kernel_ = &kernel;
    call_ = [](const void* b) { (*static_cast<const Body*>(b))(); };
    body_ = &body;
    shared_size_ = dynamic_shared;
    running_ = true;
    detail::say_where = [] { instance().print_where(); };
    enter_grid();
    static std::vector<unsigned> blocks;
    arrange(blocks, std::size_t{grid.x} * grid.y * grid.z);
    for (const unsigned b : blocks) {
      block_index = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
      run_block();
    }
    check();
    detail::say_where = nullptr;
    running_ = false;
  }

  void barrier(const char* file, int line, std::uint64_t value = 0) {
    Thread& me = *current_;
    me.wait = {Wait::barrier, 0, file, line, value, 0};
    park(me);
  }
  /// The result of __syncthreads_count and its like: the sum of what the threads gave.
  std::uint64_t barrier_sum() const { return barrier_sum_; }

  std::uint64_t meet_warp(Wait::Kind kind, unsigned mask, std::uint64_t value, unsigned source, const char* file,
                          int line) {
    Thread& me = *current_;
    me.wait = {kind, mask, file, line, value, source};
    const unsigned lane = this->lane();
    if ((mask >> lane & 1u) == 0)
      fail("%s at %s:%d: the mask %08x has not the lane that calls", me.wait.name(), file, line, mask);
    Warp& warp = warps_[number(me) / 32];
    warp.waiting |= 1u << lane;
    complete(warp, me.wait);
    park(me);
    return me.wait.value;
  }

  unsigned lane() const { return number(*current_) % 32; }
  bool running() const { return running_; }

  void* dynamic_shared() {
    if (!running_) fail("dynamic_shared() outside of a kernel");
    return shared_;
  }

  static Block& instance() {
    static Block block;
    return block;
  }

 private:
  struct Thread {
    Fiber* fiber = nullptr;  // where it waits; null before it starts and after it ends
    uint3 index{};
    Wait wait;
  };
  struct Warp {                                 // one bit a lane
    unsigned ready = 0, waiting = 0, live = 0;  // waiting: at a warp function
  };

  unsigned number(const Thread& thread) const { return static_cast<unsigned>(&thread - threads_); }

  void enter_grid() {
    host_ = Fiber{};  // launches may come from several host threads
    size_ = block_dim.x * block_dim.y * block_dim.z;
    for (unsigned t = 0; t < size_; ++t)
      threads_[t].index = {t % block_dim.x, t / block_dim.x % block_dim.y, t / block_dim.x / block_dim.y};
    arrange(warp_at_, (size_ + 31) / 32);
    arrange(lane_at_, 32);
#ifdef CUDA_EMULATOR_ASAN
    __asan_unpoison_memory_region(shared_, shared_size_);
    __asan_poison_memory_region(shared_ + shared_size_, sizeof shared_ - shared_size_);
#endif
  }

  void run_block() {
    for (unsigned w = 0; w < warp_at_.size(); ++w) {
      const unsigned lanes = std::min(size_ - 32 * w, 32u);
      warps_[w].ready = warps_[w].live = lanes == 32 ? ~0u : (1u << lanes) - 1;
      warps_[w].waiting = 0;
    }
    live_ = size_;
    warp_place_ = lane_place_ = 0;
    std::memset(shared_, 0xFF, shared_size_);  // NaN: reads of what nobody wrote show
#ifndef CUDA_EMULATOR_ASAN
    std::memset(shared_ + shared_size_, 0xA5, shared_red_zone);
#endif
    current_ = next();
    switch_fiber(host_, *(running_fiber_ = &pool_.take()));
#ifndef CUDA_EMULATOR_ASAN
    for (std::size_t i = 0; i < shared_red_zone; ++i)
      if (shared_[shared_size_ + i] != 0xA5) fail("write beyond the %zu bytes of dynamic shared memory", shared_size_);
#endif
  }

  /// The life of a fiber: threads that have not started, one after the other, until one that waits comes next.
  static void fiber_main() {
    fiber_started();
    Block& block = instance();
    for (;;) {
      Fiber& me = *block.running_fiber_;
      Thread* to = block.current_;
      do {
        block.current_ = to;
        thread_index = to->index;
        block.call_(block.body_);
        block.end(*block.current_);
        to = block.next();
      } while (to != nullptr && to->fiber == nullptr);
      block.pool_.give(me);
      block.go(me, to);
    }
  }

  /// Switches from the running fiber to that of a thread, to a new one if it has none, or to the host.
  void go(Fiber& from, Thread* to) {
    current_ = to;
    if (to == nullptr) {
      switch_fiber(from, host_);
    } else {
      running_fiber_ = to->fiber != nullptr ? to->fiber : &pool_.take();
      switch_fiber(from, *running_fiber_);
    }
  }

  void park(Thread& me) {
    Fiber& mine = *running_fiber_;
    me.fiber = &mine;
    Thread* to = next();
    if (to != &me) go(mine, to);
    current_ = &me;
    thread_index = me.index;
    me.wait.kind = Wait::none;
  }

  void end(Thread& thread) {
    thread.fiber = nullptr;
    thread.wait.kind = Wait::none;
    --live_;
    const unsigned t = number(thread);
    Warp& warp = warps_[t / 32];
    warp.live &= ~(1u << t % 32);
    for (unsigned left = warp.waiting; left != 0; left &= left - 1) {  // others may have waited for this one only
      const Wait& wait = threads_[t / 32 * 32 + static_cast<unsigned>(std::countr_zero(left))].wait;
      if (wait.kind == Wait::warp_barrier) complete(warp, wait);
    }
  }

  /// The next thread that can run, in the order that is chosen; null when all have ended.
  Thread* next() {
    for (;;) {
      for (; warp_place_ < warp_at_.size(); ++warp_place_, lane_place_ = 0) {
        const unsigned w = warp_at_[warp_place_];
        Warp& warp = warps_[w];
        for (; warp.ready != 0; lane_place_ = 0) {
          for (; lane_place_ < 32; ++lane_place_) {
            const unsigned lane = lane_at_[lane_place_];
            if ((warp.ready >> lane & 1u) == 0) continue;
            warp.ready &= ~(1u << lane);
            return &threads_[32 * w + lane];
          }
        }
      }
      if (live_ == 0) return nullptr;
      release_barrier();
      warp_place_ = lane_place_ = 0;
    }
  }

  /// Nobody can run: either all that live have met at one __syncthreads, or they never will.
  void release_barrier() {
    const Wait* first = nullptr;
    barrier_sum_ = 0;
    for (unsigned t = 0; t < size_; ++t) {
      Wait& wait = threads_[t].wait;
      if (wait.kind == Wait::none) continue;
      if (first == nullptr) first = &wait;
      if (wait.kind != Wait::barrier || !wait.meets(*first)) stuck();
      barrier_sum_ += wait.value;
    }
    for (unsigned w = 0; w < warp_at_.size(); ++w) warps_[w].ready = warps_[w].live;
  }

  /// Lets the lanes of a warp function go on if all of them are there.
  void complete(Warp& warp, Wait meeting) {
    const unsigned asked = meeting.kind == Wait::warp_barrier ? meeting.mask & warp.live : meeting.mask;
    if ((warp.waiting & asked) != asked) return;
    Thread* lanes = &threads_[32 * (&warp - warps_)];
    std::uint64_t values[32], bits = 0;
    for (unsigned left = asked; left != 0; left &= left - 1) {
      const auto l = static_cast<unsigned>(std::countr_zero(left));
      if (!lanes[l].wait.meets(meeting)) stuck();
      values[l] = lanes[l].wait.value;
      bits |= (values[l] & 1u) << l;
    }
    for (unsigned left = asked; left != 0; left &= left - 1) {
      Wait& wait = lanes[std::countr_zero(left)].wait;
      if (wait.kind == Wait::shuffle) {
        if ((asked >> wait.source & 1u) == 0)
          fail("a shuffle at %s:%d reads lane %u, which is not in the mask %08x", wait.file, wait.line, wait.source,
               wait.mask);
        wait.value = values[wait.source];
      } else {
        wait.value = bits;
      }
    }
    warp.waiting &= ~asked;
    warp.ready |= asked;
    lane_place_ = 0;
  }

  [[noreturn]] void stuck() const {
    std::string text = "threads wait for others that never come:";
    unsigned others = 0, lines = 0;
    for (unsigned t = 0; t < size_; ++t) {
      const Thread& thread = threads_[t];
      if (thread.wait.kind == Wait::none) ++others;
      const bool new_place = t == 0 || !thread.wait.meets(threads_[t - 1].wait);
      if (!new_place || thread.wait.kind == Wait::none || ++lines > 16) continue;
      char line[512];
      std::snprintf(line, sizeof line, "\n  from thread (%u,%u,%u) on: %s, mask %08x, at %s:%d", thread.index.x,
                    thread.index.y, thread.index.z, thread.wait.name(), thread.wait.mask, thread.wait.file,
                    thread.wait.line);
      text += line;
    }
    fail("%s\n  %u of %u threads run or have ended", text.c_str(), others, size_);
  }

  void print_where() const {
    int status = 0;
    char* name = abi::__cxa_demangle(kernel_->name(), nullptr, nullptr, &status);
    std::fprintf(stderr, "  in kernel %s, block (%u,%u,%u), thread (%u,%u,%u)\n", status == 0 ? name : kernel_->name(),
                 block_index.x, block_index.y, block_index.z, thread_index.x, thread_index.y, thread_index.z);
    std::free(name);
  }

  static constexpr std::size_t shared_red_zone = 256;

  bool running_ = false;
  void (*call_)(const void*) = nullptr;
  const void* body_ = nullptr;
  const std::type_info* kernel_ = nullptr;
  Thread threads_[max_threads];
  Warp warps_[max_threads / 32];
  unsigned size_ = 0, live_ = 0;
  std::uint64_t barrier_sum_ = 0;
  std::vector<unsigned> warp_at_, lane_at_;      // the order of warps, and of lanes in a warp
  std::size_t warp_place_ = 0, lane_place_ = 0;  // where we are in it
  Thread* current_ = nullptr;
  Fiber host_;
  Fiber* running_fiber_ = nullptr;
  FiberPool pool_{fiber_main};
  std::size_t shared_size_ = 0;
  alignas(1024) unsigned char shared_[max_dynamic_shared + shared_red_zone];
};

/// Memory of the block that runs, as large as its launch asked for.
inline void* dynamic_shared() { return Block::instance().dynamic_shared(); }

}  // namespace cuda_emulator
