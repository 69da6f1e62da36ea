// synthdata/backend/cuda/driver.cuh: memory, copies and the queue of each GPU.
//
// The work of each GPU has one stream, so memory that is freed can be handed out again at once: whoever gets it runs
// later. Freed blocks are kept by size class as on the CPU (core/memory.hpp). A MemoryPool of its own keeps the blocks
// of a captured training step apart, since the captured kernels write to the same addresses at every replay. Batches of
// data come by a second stream while the step before them runs, into blocks of their own (Arrivals).
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/launch.cuh>
#include <synthdata/core/memory.hpp>
#include <synthdata/core/tensor.hpp>

#include <atomic>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

namespace synthdata::cuda {

using synthdata::detail::Block;

/// Free blocks by size class.
struct MemoryPool {
  Block* free[synthdata::detail::size_classes] = {};
  std::int64_t in_use = 0;  // blocks of it that are not free
  bool closed = false;      // nobody allocates from it any more; it ends with its last block
};

/// Sends the host's memory to a GPU through pages that the GPU reads by itself: the caller goes on as soon as its bytes
/// are in them. A piece is overwritten only when the GPU has it.
class Staging {
 public:
  static constexpr std::int64_t piece_bytes = std::int64_t{4} << 20;
  static constexpr int pieces = 4;

  void send(const Queue& queue, void* into, const void* from, std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    for (std::int64_t at = 0; at < bytes; at += piece_bytes) {
      Piece& piece = piece_[next_];
      next_ = (next_ + 1) % pieces;
      if (!piece.memory) {
        check(cudaHostAlloc(&piece.memory, static_cast<std::size_t>(piece_bytes), cudaHostAllocDefault),
              "cudaHostAlloc");
        check(cudaEventCreateWithFlags(&piece.sent, cudaEventDisableTiming), "cudaEventCreate");
      } else {
        check(cudaEventSynchronize(piece.sent), "copying to the GPU");
      }
      const auto part = static_cast<std::size_t>(bytes - at < piece_bytes ? bytes - at : piece_bytes);
      std::memcpy(piece.memory, static_cast<const std::byte*>(from) + at, part);
      check(
          cudaMemcpyAsync(static_cast<std::byte*>(into) + at, piece.memory, part, cudaMemcpyHostToDevice, queue.stream),
          "copying to the GPU");
      check(cudaEventRecord(piece.sent, queue.stream), "copying to the GPU");
    }
  }

 private:
  struct Piece {
    void* memory = nullptr;
    cudaEvent_t sent = nullptr;
  };
  std::mutex mutex_;
  Piece piece_[pieces];  // never freed, as the GPU
  int next_ = 0;
};

/// A block that host memory is copied into by another stream than that of the work. Its event stands for the copy while
/// the block is in use, and once it is free for the last work that reads it.
struct ArrivalBlock : Block {
  cudaEvent_t event = nullptr;
};

/// Such blocks, and the stream that fills them. Blocks that were released while the work may still read them are in
/// `left`; they are free when the next arrival has marked the work that came before it.
struct Arrivals {
  cudaStream_t stream = nullptr;
  Staging staging;
  std::vector<ArrivalBlock*> left, free;
};

/// What a kernel found wrong in its input, written by the GPU into the host's memory: a kernel cannot throw.
struct DeviceFault {
  unsigned long long found = 0;  ///< 1: the rest says what
  const char* op = nullptr;
  long long value = 0, element = 0, extent = 0;
};

/// One GPU.
class Gpu {
 public:
  explicit Gpu(int index) : index_(index) {
    const UseDevice use(index);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
    name_ = properties.name;
    multiprocessors_ = properties.multiProcessorCount;
    compute_capability_ = 10 * properties.major + properties.minor;
    for (cudaStream_t* stream : {&stream_, &arrivals_.stream}) {
      check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    }
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, sizeof(DeviceFault), cudaHostAllocMapped), "cudaHostAlloc");
    fault_ = new (memory) DeviceFault{};
  }
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  Queue queue() const { return {index_, stream_, multiprocessors_}; }
  const std::string& name() const { return name_; }
  int compute_capability() const { return compute_capability_; }
  DeviceFault* fault() const { return fault_; }
  Staging& staging() { return staging_; }

  Block* allocate(std::int64_t bytes) {
    const auto wanted = synthdata::detail::size_class_of(bytes);
    const std::lock_guard lock(mutex_);
    // A large block may come from one of the next two classes: less memory in all for a little waste.
    const int last = wanted.bytes >= (1 << 16) ? wanted.index + 2 : wanted.index;
    for (int i = wanted.index; i <= last; ++i) {
      if (Block* block = pool_->free[i]) {
        pool_->free[i] = block->next;
        stats_.cached_bytes -= block->bytes;
        return live(block);
      }
    }
    auto* block = new_block<Block>(wanted, bytes);
    block->pool = pool_;
    return live(block);
  }

  /// See core/device.hpp.
  Block* send_ahead(const void* from, std::int64_t bytes) {
    const UseDevice use(index_);
    ArrivalBlock* block = arrival_block(bytes);
    try {
      check(cudaStreamWaitEvent(arrivals_.stream, block->event, 0), "copying to the GPU");
      arrivals_.staging.send({index_, arrivals_.stream, multiprocessors_}, block->elements, from, bytes);
      check(cudaEventRecord(block->event, arrivals_.stream), "copying to the GPU");
    } catch (...) {
      release(block);
      throw;
    }
    return block;
  }
  void arrived(Block* block) {
    const UseDevice use(index_);
    const std::lock_guard lock(mutex_);
    while (!arrivals_.left.empty()) {
      check(cudaEventRecord(arrivals_.left.back()->event, stream_), "copying to the GPU");
      arrivals_.free.push_back(arrivals_.left.back());
      arrivals_.left.pop_back();
    }
    if (block->pool == &arrivals_) {
      check(cudaStreamWaitEvent(stream_, static_cast<ArrivalBlock*>(block)->event, 0), "copying to the GPU");
    }
  }

  void release(Block* block) noexcept {
    const std::lock_guard lock(mutex_);
    if (block->pool == &arrivals_) {
      stats_.live_bytes -= block->bytes;
      stats_.cached_bytes += block->bytes;
      return arrivals_.left.push_back(static_cast<ArrivalBlock*>(block));
    }
    auto* own = static_cast<MemoryPool*>(block->pool);
    --own->in_use;
    if (own->closed) {
      if (own->in_use == 0) delete own;
      block->pool = own = &general_;
    }
    block->next = own->free[block->size_class];
    own->free[block->size_class] = block;
    stats_.live_bytes -= block->bytes;
    stats_.cached_bytes += block->bytes;
  }

  /// New blocks come from `pool` from now on, null: from the general one.
  void use_pool(MemoryPool* pool) {
    const std::lock_guard lock(mutex_);
    pool_ = pool ? pool : &general_;
  }
  /// Takes over a pool made by new: its free blocks go back to the system, those in use to the general pool later.
  void close(MemoryPool* pool) noexcept {
    const std::lock_guard lock(mutex_);
    pool->closed = true;
    free_blocks(*pool);
    if (pool->in_use == 0) delete pool;
  }
  /// Gives what is free, but for the memory of captured steps, back to the system.
  void empty() {
    const std::lock_guard lock(mutex_);
    const UseDevice use(index_);
    if (recording()) return;
    free_blocks(general_);
    free_arrivals();
  }

  MemoryStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak_bytes = stats_.live_bytes;
  }

  /// Waits for the stream and throws what went wrong on it.
  void synchronize() {
    const UseDevice use(index_);
    check(cudaStreamSynchronize(stream_), "waiting for the GPU");
    throw_fault();
  }
  void throw_fault() {
    if (!fault_->found) [[likely]]
      return;
    const DeviceFault fault = *fault_;
    *fault_ = {};
    throw ShapeError(concat(fault.op, ": index ", fault.value, " (element ", fault.element, ", on cuda:", index_,
                            ") is out of range [0, ", fault.extent, ")"));
  }

 private:
  Block* live(Block* block) {
    ++static_cast<MemoryPool*>(block->pool)->in_use;
    return counted(block);
  }
  template <class B>
  B* counted(B* block) {
    block->references.store(1, std::memory_order_relaxed);
    stats_.live_bytes += block->bytes;
    if (stats_.live_bytes > stats_.peak_bytes) stats_.peak_bytes = stats_.live_bytes;
    return block;
  }
  /// A block of fresh memory, at least so many bytes.
  template <class B>
  B* new_block(const synthdata::detail::SizeClass& wanted, std::int64_t bytes) {
    const UseDevice use(index_);
    void* memory = nullptr;
    cudaError_t error = cudaMalloc(&memory, static_cast<std::size_t>(wanted.bytes));
    if (error == cudaErrorMemoryAllocation && !recording()) {
      cudaGetLastError();  // forgotten: there may be enough without the cached blocks
      free_blocks(general_);
      free_arrivals();
      error = cudaMalloc(&memory, static_cast<std::size_t>(wanted.bytes));
    }
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw CudaError(concat("out of memory on cuda:", index_, " (", name_, "): cannot allocate ", bytes,
                             " bytes beside ", stats_.live_bytes, " in use"));
    }
    check(error, "cudaMalloc");
    auto* block = new B{};
    block->bytes = wanted.bytes;
    block->size_class = wanted.index;
    block->device = {DeviceType::cuda, static_cast<std::uint8_t>(index_)};
    block->elements = memory;
    ++stats_.system_allocations;
    return block;
  }
  /// True while a graph is being recorded: then nothing can be waited for, and so nothing be given back.
  bool recording() const {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    return cudaStreamIsCapturing(stream_, &status) == cudaSuccess && status != cudaStreamCaptureStatusNone;
  }
  ArrivalBlock* arrival_block(std::int64_t bytes) {
    const auto wanted = synthdata::detail::size_class_of(bytes);
    const std::lock_guard lock(mutex_);
    std::vector<ArrivalBlock*>& free = arrivals_.free;
    for (ArrivalBlock*& block : free) {
      if (block->size_class != wanted.index) continue;
      std::swap(block, free.back());
      ArrivalBlock* found = free.back();
      free.pop_back();
      stats_.cached_bytes -= found->bytes;
      return counted(found);
    }
    arrivals_.left.reserve(arrival_blocks_ + 1);  // so that release() need not allocate
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
    ArrivalBlock* block = nullptr;
    try {
      block = new_block<ArrivalBlock>(wanted, bytes);
    } catch (...) {
      cudaEventDestroy(event);
      throw;
    }
    block->pool = &arrivals_;
    block->event = event;
    ++arrival_blocks_;
    return counted(block);
  }
  void free_blocks(MemoryPool& pool) {
    cudaStreamSynchronize(stream_);
    for (Block*& head : pool.free) {
      while (head) {
        Block* next = head->next;
        stats_.cached_bytes -= head->bytes;
        cudaFree(head->elements);
        delete head;
        head = next;
      }
    }
  }

  void free_arrivals() {
    cudaStreamSynchronize(arrivals_.stream);
    cudaStreamSynchronize(stream_);
    for (std::vector<ArrivalBlock*>* blocks : {&arrivals_.left, &arrivals_.free}) {
      for (ArrivalBlock* block : *blocks) {
        stats_.cached_bytes -= block->bytes;
        cudaFree(block->elements);
        cudaEventDestroy(block->event);
        delete block;
      }
      arrival_blocks_ -= blocks->size();
      blocks->clear();
    }
  }

  int index_;
  std::string name_;
  int multiprocessors_ = 0, compute_capability_ = 0;
  cudaStream_t stream_ = nullptr;
  DeviceFault* fault_ = nullptr;
  Staging staging_;
  std::mutex mutex_;
  MemoryPool general_;
  MemoryPool* pool_ = &general_;
  Arrivals arrivals_;
  std::size_t arrival_blocks_ = 0;  // in all
  MemoryStats stats_;
};

/// The GPUs of the machine; each is set up when it is first used.
class Gpus {
 public:
  Gpus() {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
      cudaGetLastError();
      why_none_ = concat(cudaGetErrorName(error), ", ", cudaGetErrorString(error));
      count = 0;
    } else if (count == 0) {
      why_none_ = "the machine has none";
    }
    gpus_ = std::vector<std::atomic<Gpu*>>(static_cast<std::size_t>(count));
  }
  int count() const { return static_cast<int>(gpus_.size()); }
  const std::string& why_none() const { return why_none_; }
  Gpu& operator[](int index) {
    std::atomic<Gpu*>& gpu = gpus_[static_cast<std::size_t>(index)];
    if (Gpu* ready = gpu.load(std::memory_order_acquire)) [[likely]]
      return *ready;
    const std::lock_guard lock(mutex_);
    if (!gpu.load()) gpu.store(new Gpu(index), std::memory_order_release);
    return *gpu.load();
  }
  Queue queue(int index) { return (*this)[index].queue(); }

 private:
  std::string why_none_;
  std::mutex mutex_;
  std::vector<std::atomic<Gpu*>> gpus_;  // never destroyed
};

/// Never destroyed: tensors of static storage duration may outlive every other object.
inline Gpus& driver() {
  static Gpus& gpus = *new Gpus;
  return gpus;
}

inline namespace SYNTHDATA_CUDA_KERNELS {

template <class T>
__global__ void fill_kernel(T* out, std::int64_t n, T value) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) out[i] = value;
}
template <class T>
__global__ void count_up_kernel(T* out, std::int64_t n) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) out[i] = static_cast<T>(i);
}

/// The conversion of Tensor::to: what is out of an integer type's range is clamped, NaN becomes 0.
template <class To, class From>
__device__ To convert_value(From x) {
  constexpr bool to_integer = !std::is_floating_point_v<To> && !std::is_same_v<To, bool>;
  if constexpr (std::is_floating_point_v<From> && to_integer) {
    constexpr To low = std::numeric_limits<To>::min(), high = std::numeric_limits<To>::max();
    if (x != x) return To(0);
    if (static_cast<double>(x) <= static_cast<double>(low)) return low;
    if (static_cast<double>(x) >= static_cast<double>(high)) return high;
  }
  return static_cast<To>(x);
}
template <class To, class From>
__global__ void convert_kernel(To* out, const From* x, std::int64_t n) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) out[i] = convert_value<To>(x[i]);
}

}  // namespace SYNTHDATA_CUDA_KERNELS

}  // namespace synthdata::cuda
