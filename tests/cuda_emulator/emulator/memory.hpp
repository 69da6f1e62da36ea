// cuda_emulator/emulator/memory.hpp: the memory of a device.
//
// One range of addresses a device, accessible only while the device works, so that host code which touches it crashes.
// Fresh memory is 0xFF (NaN) and between allocations lies a pattern that is
// NaN in every format; it is checked, and under AddressSanitizer poisoned instead.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iterator>
#include <map>
#include <memory>

#include "fiber.hpp"
#include "settings.hpp"

namespace cuda_emulator {

class Memory {
 public:
  static constexpr std::size_t capacity = std::size_t{4} << 30;
  static constexpr std::size_t alignment = 256;
  static constexpr std::size_t red_zone = 256;  // at least, after each allocation

  Memory() {
    void* map = mmap(nullptr, capacity + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) fail("no 4 GiB of addresses for the memory of a device");
    base_ = reinterpret_cast<unsigned char*>((reinterpret_cast<std::uintptr_t>(map) + huge - 1) / huge * huge);
    madvise(base_, capacity, MADV_HUGEPAGE);  // opening and closing costs by the page
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Null when there is no room left.
  void* allocate(std::size_t size) {
    const std::size_t span = (size + red_zone + alignment - 1) / alignment * alignment;
    if (size > capacity || used_ + span > capacity) return nullptr;
    std::size_t at = top_;
    auto gap = free_.begin();
    while (gap != free_.end() && gap->second < span) ++gap;
    if (gap != free_.end()) {
      at = gap->first;
      const std::size_t left = gap->second - span;
      free_.erase(gap);
      if (left != 0) free_[at + span] = left;
    } else {
      if (top_ + span > capacity) return nullptr;
      grow(top_ + span);
    }
    used_ += span;
    live_[at] = {size, span};
    unpoison(at, span);
    check(at, span);  // nobody wrote to it since it was freed
    std::memset(base_ + at, 0xFF, size);
    poison(at + size, span - size);
    return base_ + at;
  }

  void free(void* pointer) {
    const auto found = live_.find(offset(pointer));
    if (!contains(pointer) || found == live_.end()) fail("free of %p, which is not allocated", pointer);
    std::size_t at = found->first;
    const Block block = found->second;
    check_red_zone(at, block);
    live_.erase(found);
    used_ -= block.span;
    unpoison(at, block.span);
    fill(at, block.span);
    poison(at, block.span);
    // one gap out of neighbours; the last gap goes back to the untouched rest
    std::size_t span = block.span;
    auto after = free_.lower_bound(at);
    if (after != free_.end() && after->first == at + span) {
      span += after->second;
      after = free_.erase(after);
    }
    if (after != free_.begin() && std::prev(after)->first + std::prev(after)->second == at) {
      --after;
      at = after->first;
      span += after->second;
      free_.erase(after);
    }
    if (at + span == top_) {
      top_ = at;
    } else {
      free_[at] = span;
    }
  }

  void check_red_zones() const {
    if (filled_ != 0) check(0, red_zone);
    for (const auto& [at, block] : live_) check_red_zone(at, block);
  }

  bool contains(const void* pointer) const { return pointer >= base_ && pointer < base_ + capacity; }
  /// Whether the bytes lie within one live allocation.
  bool holds(const void* pointer, std::size_t size) const {
    if (!contains(pointer)) return false;
    auto found = live_.upper_bound(offset(pointer));
    if (found == live_.begin()) return false;
    --found;
    return offset(pointer) + size <= found->first + found->second.size;
  }

  std::size_t used() const { return used_; }
  std::size_t allocations() const { return live_.size(); }

  void open() {
    if (users_++ == 0 && !accessible_) protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    if (--users_ == 0 && guard) protect(PROT_NONE);
  }

 private:
  static constexpr std::size_t huge = 2 << 20;
  static constexpr unsigned char pattern[4] = {0xA5, 0xFF, 0xF7, 0x7F};  // NaN as f64, f32, and both halves as 16 bits

  struct Block {
    std::size_t size, span;
  };

  std::size_t offset(const void* pointer) const {
    return static_cast<std::size_t>(static_cast<const unsigned char*>(pointer) - base_);
  }

  void grow(std::size_t top) {
    if (top > opened_) {
      opened_ = (top + huge - 1) / huge * huge;
      protect(PROT_READ | PROT_WRITE);
    }
    if (top > filled_) {
      fill(filled_, top - filled_);
      poison(filled_, top - filled_);
      filled_ = top;
    }
    top_ = top;
  }

  void protect(int rights) {
    accessible_ = rights != PROT_NONE;
    if (opened_ != 0 && mprotect(base_, opened_, rights) != 0) fail("mprotect: %s", std::strerror(errno));
  }

  void fill(std::size_t at, std::size_t size) {
#ifndef CUDA_EMULATOR_ASAN
    for (std::size_t i = at; i < at + size; ++i) base_[i] = pattern[i % 4];
#endif
    (void)at, (void)size;
  }
  void check(std::size_t at, std::size_t size) const {
#ifndef CUDA_EMULATOR_ASAN
    for (std::size_t i = at; i < at + size; ++i)
      if (base_[i] != pattern[i % 4])
        fail("somebody wrote to %p, outside of any allocation", static_cast<void*>(base_ + i));
#endif
    (void)at, (void)size;
  }
  void check_red_zone(std::size_t at, const Block& block) const { check(at + block.size, block.span - block.size); }

  void poison(std::size_t at, std::size_t size) {
#ifdef CUDA_EMULATOR_ASAN
    __asan_poison_memory_region(base_ + at, size);
#endif
    (void)at, (void)size;
  }
  void unpoison(std::size_t at, std::size_t size) {
#ifdef CUDA_EMULATOR_ASAN
    __asan_unpoison_memory_region(base_ + at, size);
#endif
    (void)at, (void)size;
  }

  unsigned char* base_ = nullptr;
  std::size_t top_ = red_zone;  // everything from here on is free
  std::size_t opened_ = 0;      // bytes that open() makes accessible
  std::size_t filled_ = 0;      // bytes that hold the pattern where they are free
  std::size_t used_ = 0;
  int users_ = 0;
  bool accessible_ = false;
  std::map<std::size_t, std::size_t> free_;  // gaps: offset, size
  std::map<std::size_t, Block> live_;
};

inline constexpr int max_devices = 8;

namespace detail {
inline std::unique_ptr<Memory> memories[max_devices];
}

inline Memory& memory(int device) {
  auto& memory = detail::memories[device];
  if (memory == nullptr) memory = std::make_unique<Memory>();
  return *memory;
}

/// The device whose memory holds this address, or -1.
inline int device_of(const void* pointer) {
  for (int d = 0; d < max_devices; ++d)
    if (detail::memories[d] != nullptr && detail::memories[d]->contains(pointer)) return d;
  return -1;
}

namespace detail {

inline struct sigaction handler_before;

inline void host_touched_memory(int signal, siginfo_t* info, void* context) {
  if (device_of(info->si_addr) >= 0) {
    const char* text = say_where == nullptr ? "cuda_emulator: host code touched device memory\n"
                                            : "cuda_emulator: a kernel touched the memory of another device\n";
    (void)!write(2, text, std::strlen(text));
  }
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
    handler_before.sa_sigaction(signal, info, context);
  } else {
    sigaction(signal, &handler_before, nullptr);  // comes again and meets whoever was there before us
  }
}

/// Again after each use of the device: test frameworks put in their own handler for each test.
inline void watch_host() {
  struct sigaction ours {};
  ours.sa_sigaction = host_touched_memory;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  struct sigaction before {};
  sigaction(SIGSEGV, &ours, &before);
  if ((before.sa_flags & SA_SIGINFO) == 0 || before.sa_sigaction != host_touched_memory) handler_before = before;
}

}  // namespace detail

/// While it lives, the memory of the device may be read and written.
class Access {
 public:
  explicit Access(int device) : memory_(memory(device)) { memory_.open(); }
  ~Access() {
    memory_.close();
    if (guard) detail::watch_host();
  }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

 private:
  Memory& memory_;
};

}  // namespace cuda_emulator
