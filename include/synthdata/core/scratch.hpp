// synthdata/core/scratch.hpp: buffers that kernels need for a moment.
//
// Every thread keeps one piece of memory for them and hands it out as a stack, so that a buffer lies where the same
// core wrote the one before: taken from a list that threads share, it would mostly come out of another core's cache.
// The piece is large enough for huge pages. What does not fit comes from the caching allocator.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/memory.hpp>

#include <cstdint>

namespace synthdata {

namespace detail {

/// One thread's piece of memory; the first `used` bytes are handed out.
class ScratchStack {
 public:
  static ScratchStack& of_thread() {
    static thread_local ScratchStack stack;
    return stack;
  }
  /// `bytes` bytes, 64-byte aligned, or null if they do not fit; there may be room for them the next time.
  void* push(std::int64_t bytes) {
    constexpr std::int64_t least = std::int64_t{2} << 20, most = std::int64_t{8} << 20;
    const std::int64_t wanted = used + bytes;
    if (wanted > largest_ && wanted <= most) largest_ = wanted;
    if (used == 0 && capacity_ < largest_) {
      memory_ = BlockPtr();
      capacity_ = largest_ > least ? largest_ : least;
      memory_ = BlockPtr(allocate_block(capacity_));
    }
    if (wanted > capacity_) return nullptr;
    void* at = static_cast<char*>(memory_.get()->elements) + used;
    used = wanted;
    return at;
  }

  std::int64_t used = 0;

 private:
  std::int64_t capacity_ = 0, largest_ = 0;
  BlockPtr memory_;
};

}  // namespace detail

/// Memory for `n` elements, 64-byte aligned, until the end of the scope, which must be on the same thread.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t n) : before_(detail::ScratchStack::of_thread().used) {
    const std::int64_t bytes = ((n > 1 ? n : 1) * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
    data_ = detail::ScratchStack::of_thread().push(bytes);
    if (data_) return;
    block_ = detail::BlockPtr(detail::allocate_block(bytes));
    data_ = block_.get()->elements;
  }
  ~Scratch() { detail::ScratchStack::of_thread().used = before_; }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() const { return static_cast<T*>(data_); }

 private:
  std::int64_t before_;
  void* data_;
  detail::BlockPtr block_;
};

}  // namespace synthdata
