// synthdata/backend/cuda/graph.cuh: work that is recorded once as a CUDA graph and replayed.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/device_kernels.hpp>

#include <cstring>

namespace synthdata::cuda {

/// See backend::DeviceGraph. Memory of the work comes from a pool of its own. What changes between replays lies in one
/// small table: the shift of random counters first, then the numbers of each update. Its copy on the host is sent ahead
/// of every replay; so small a copy from ordinary memory is staged by the runtime before the call returns.
class Graph final : public backend::DeviceGraph {
 public:
  static constexpr std::size_t slot_bytes = 128, slots = 256;  // slot 0: the shift

  explicit Graph(int device)
      : device_(device), table_(Tensor::zeros({slot_bytes * slots}, DType::u8, {DeviceType::cuda, index()})) {
    host_.resize(slot_bytes * slots);
  }
  ~Graph() override {
    if (recorded_) cudaGraphExecDestroy(recorded_);
    driver()[device_].close(pool_);
  }

  void begin(Phase phase) override {
    phase_ = phase;
    used_ = 1;
    driver()[device_].use_pool(pool_);
    if (phase != Phase::record) return;
    current() = this;
    const UseDevice use(device_);
    check(cudaStreamBeginCapture(queue().stream, cudaStreamCaptureModeRelaxed), "recording a graph");
  }
  void end() override {
    leave();
    if (phase_ != Phase::record) return;
    const UseDevice use(device_);
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(queue().stream, &graph), "recording a graph");
    const cudaError_t error = cudaGraphInstantiate(&recorded_, graph, 0);
    cudaGraphDestroy(graph);
    check(error, "recording a graph");
  }
  void abandon() noexcept override {
    leave();
    if (phase_ != Phase::record) return;
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(queue().stream, &graph) == cudaSuccess && graph) cudaGraphDestroy(graph);
    cudaGetLastError();
  }
  void* numbers(std::size_t i) override { return host_.data() + (i + 1) * slot_bytes; }
  void replay(std::uint64_t shift) override {
    std::memcpy(host_.data(), &shift, sizeof shift);
    const UseDevice use(device_);
    check(cudaMemcpyAsync(table_.address(), host_.data(), used_ * slot_bytes, cudaMemcpyHostToDevice, queue().stream),
          "replaying a graph");
    check(cudaGraphLaunch(recorded_, queue().stream), "replaying a graph");
  }

  /// The graph this thread is recording, or null.
  static Graph*& current() {
    static thread_local Graph* graph = nullptr;
    return graph;
  }
  /// Where kernels read the shift of their random counters; null unless this thread is recording.
  static const unsigned long long* shift_address() {
    return current() ? static_cast<const unsigned long long*>(current()->table_.address()) : nullptr;
  }
  /// Where the kernel of an update reads its numbers from; null unless this thread is recording.
  template <class Update>
  static const Update* next_numbers(const Update& now) {
    static_assert(sizeof(Update) <= slot_bytes);
    Graph* graph = current();
    if (!graph) return nullptr;
    if (graph->used_ == slots) throw DeviceError(concat("a captured step has more than ", slots - 1, " updates"));
    const std::size_t at = graph->used_++ * slot_bytes;
    std::memcpy(graph->host_.data() + at, &now, sizeof now);
    return reinterpret_cast<const Update*>(static_cast<const std::byte*>(graph->table_.address()) + at);
  }

 private:
  std::uint8_t index() const { return static_cast<std::uint8_t>(device_); }
  Queue queue() const { return driver().queue(device_); }
  void leave() noexcept {
    current() = nullptr;
    driver()[device_].use_pool(nullptr);
  }

  int device_;
  Phase phase_ = Phase::warm_up;
  Tensor table_;
  std::vector<std::byte> host_;
  std::size_t used_ = 1;
  cudaGraphExec_t recorded_ = nullptr;
  MemoryPool* pool_ = new MemoryPool;  // the GPU's from close() on
};

}  // namespace synthdata::cuda
