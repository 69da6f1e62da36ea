// synthdata/core/memory.hpp: the caching allocator behind every tensor, with its counters.
//
// Freed blocks are kept by size class and handed out again, so that a training step takes nothing from the system
// once the first steps have warmed the cache up. Blocks are 64-byte aligned and shared by an atomic count.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/device.hpp>
#include <synthdata/core/error.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <utility>

namespace synthdata {

/// What the allocator did so far. Bytes include the rounding to size classes.
struct MemoryStats {
  std::int64_t live_bytes = 0;          ///< held by tensors, and by the scratch of threads, now
  std::int64_t peak_bytes = 0;          ///< most ever held since reset_peak_memory()
  std::int64_t cached_bytes = 0;        ///< free, kept for reuse
  std::int64_t system_allocations = 0;  ///< requests made to the operating system so far
};
MemoryStats memory_stats(Device device = Device::cpu());
void reset_peak_memory(Device device = Device::cpu());
/// Gives every cached block back to the system.
void empty_memory_cache(Device device = Device::cpu());

namespace detail {

/// Eight size classes for each power of two, so that a block wastes at most an eighth. Class 0 is 64 bytes.
struct SizeClass {
  std::int32_t index;
  std::int64_t bytes;
};
inline constexpr int size_classes = 8 * 60;

constexpr SizeClass size_class_of(std::int64_t bytes) {
  const auto units = static_cast<std::uint64_t>(bytes <= 64 ? 1 : (bytes + 63) / 64);  // 64-byte lines
  if (units <= 8) return {static_cast<std::int32_t>(units - 1), static_cast<std::int64_t>(units * 64)};
  const int shift = static_cast<int>(std::bit_width(units - 1)) - 4;                 // keeps four significant bits
  const std::uint64_t rounded = (units + (std::uint64_t{1} << shift) - 1) >> shift;  // 8 < rounded <= 16
  return {static_cast<std::int32_t>(8 * shift + static_cast<int>(rounded) - 1),
          static_cast<std::int64_t>((rounded << shift) * 64)};
}

/// Header of the elements of a tensor. On the CPU they follow it.
struct alignas(64) Block {
  std::atomic<std::int64_t> references;
  std::int64_t bytes;       // capacity
  std::int32_t size_class;  // index of the free list; -1: not from here, a KeptBlock
  Device device;
  Block* next;  // in a free list
  void* elements;
  void* pool;  // of a device: where the block goes when it is free
};

/// A block over memory of another owner, which lives as long as the block does.
struct KeptBlock : Block {
  virtual ~KeptBlock() = default;
};
template <class Keeper>
struct KeptBy final : KeptBlock {
  KeptBy(void* at, std::int64_t size, Keeper k) : keeper(std::move(k)) {
    references.store(1, std::memory_order_relaxed);
    bytes = size;
    size_class = -1;
    elements = at;
  }
  Keeper keeper;
};

/// @param bytes  a negative number says that the size did not fit 63 bits. @throws Error if there is not so much
/// memory.
Block* allocate_block(std::int64_t bytes, Device device = Device::cpu());
void release_block(Block* block) noexcept;

/// Counted handle to a Block.
class BlockPtr {
 public:
  BlockPtr() = default;
  explicit BlockPtr(Block* adopted) : block_(adopted) {}
  BlockPtr(const BlockPtr& other) : block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  BlockPtr(BlockPtr&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockPtr& operator=(BlockPtr other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockPtr() {
    if (block_ && (unique() || block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)) release_block(block_);
  }
  Block* get() const { return block_; }
  bool unique() const { return block_ && block_->references.load(std::memory_order_acquire) == 1; }

 private:
  Block* block_ = nullptr;
};

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/memory_impl.hpp>
#endif
