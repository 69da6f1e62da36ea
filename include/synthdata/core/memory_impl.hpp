// synthdata/core/memory_impl.hpp: size classes and free lists of the caching allocator.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/memory.hpp>

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace synthdata {
namespace detail {

struct MemoryCache {
  std::atomic_flag lock = ATOMIC_FLAG_INIT;
  Block* free[size_classes] = {};
  MemoryStats stats;

  void count_live(std::int64_t bytes) {
    stats.live_bytes += bytes;
    if (stats.live_bytes > stats.peak_bytes) stats.peak_bytes = stats.live_bytes;
  }

  struct Guard {
    explicit Guard(MemoryCache& c) : cache(c) {
      while (cache.lock.test_and_set(std::memory_order_acquire)) {
      }
    }
    ~Guard() { cache.lock.clear(std::memory_order_release); }
    MemoryCache& cache;
  };
};

// Never destroyed: tensors of static storage duration may outlive every other object.
SYNTHDATA_INLINE MemoryCache& memory_cache() {
  static MemoryCache& cache = *new MemoryCache;
  return cache;
}

/// Blocks from here on start at a huge page and ask for such pages: without them the translation of addresses takes a
/// tenth of a large matrix product's time.
inline constexpr std::int64_t huge_page = std::int64_t{2} << 20;
inline std::align_val_t block_alignment(std::int64_t bytes) {
  return std::align_val_t{bytes >= huge_page ? static_cast<std::size_t>(huge_page) : alignof(Block)};
}

SYNTHDATA_INLINE Block* allocate_block(std::int64_t bytes, Device device) {
  if (bytes < 0) throw Error("cannot allocate a tensor of 2^63 bytes or more");
  if (bytes > (std::int64_t{1} << 46)) {
    throw Error(concat("cannot allocate a tensor of ", bytes, " bytes"));
  }
  if (!device.is_cpu()) return device_driver().allocate(device.index, bytes);
  const SizeClass wanted = size_class_of(bytes);
  MemoryCache& cache = memory_cache();
  {
    const MemoryCache::Guard guard(cache);
    // A large block may come from one of the next two classes: less memory in all for a little waste.
    const int last = wanted.bytes >= (1 << 16) ? wanted.index + 2 : wanted.index;
    for (int i = wanted.index; i <= last; ++i) {
      if (Block* block = cache.free[i]) {
        cache.free[i] = block->next;
        cache.stats.cached_bytes -= block->bytes;
        cache.count_live(block->bytes);
        block->references.store(1, std::memory_order_relaxed);
        return block;
      }
    }
  }
  const auto size = sizeof(Block) + static_cast<std::size_t>(wanted.bytes);
  void* memory = ::operator new(size, block_alignment(wanted.bytes), std::nothrow);
  if (!memory) throw Error(concat("out of memory: cannot allocate a tensor of ", bytes, " bytes"));
#if defined(MADV_HUGEPAGE)
  if (wanted.bytes >= huge_page) madvise(memory, size, MADV_HUGEPAGE);  // a wish; without huge pages nothing is lost
#endif
  Block* block = new (memory) Block{};
  block->references.store(1, std::memory_order_relaxed);
  block->bytes = wanted.bytes;
  block->size_class = wanted.index;
  block->elements = block + 1;
  const MemoryCache::Guard guard(cache);
  ++cache.stats.system_allocations;
  cache.count_live(wanted.bytes);
  return block;
}

SYNTHDATA_INLINE void release_block(Block* block) noexcept {
  if (!block->device.is_cpu()) return device_driver().release(block);
  if (block->size_class < 0) {
    delete static_cast<KeptBlock*>(block);
    return;
  }
  MemoryCache& cache = memory_cache();
  const MemoryCache::Guard guard(cache);
  block->next = cache.free[block->size_class];
  cache.free[block->size_class] = block;
  cache.stats.live_bytes -= block->bytes;
  cache.stats.cached_bytes += block->bytes;
}

}  // namespace detail

SYNTHDATA_INLINE MemoryStats memory_stats(Device device) {
  if (!device.is_cpu()) return detail::device_driver().memory_stats(device.index);
  detail::MemoryCache& cache = detail::memory_cache();
  const detail::MemoryCache::Guard guard(cache);
  return cache.stats;
}

SYNTHDATA_INLINE void reset_peak_memory(Device device) {
  if (!device.is_cpu()) return detail::device_driver().reset_peak_memory(device.index);
  detail::MemoryCache& cache = detail::memory_cache();
  const detail::MemoryCache::Guard guard(cache);
  cache.stats.peak_bytes = cache.stats.live_bytes;
}

SYNTHDATA_INLINE void empty_memory_cache(Device device) {
  if (!device.is_cpu()) return detail::device_driver().empty_cache(device.index);
  detail::MemoryCache& cache = detail::memory_cache();
  const detail::MemoryCache::Guard guard(cache);
  for (detail::Block*& head : cache.free) {
    while (head) {
      detail::Block* next = head->next;
      cache.stats.cached_bytes -= head->bytes;
      ::operator delete(head, detail::block_alignment(head->bytes));
      head = next;
    }
  }
}

}  // namespace synthdata
