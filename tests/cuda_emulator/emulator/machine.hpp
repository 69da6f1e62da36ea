// cuda_emulator/emulator/machine.hpp: streams, captures and the frame of every API call.
//
// Work is a closure. It runs when it is enqueued, or when somebody waits for it (`lazy`), or it becomes a node of a
// graph while its stream captures.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <unordered_map>

#include "memory.hpp"

namespace cuda_emulator {

using Work = std::function<void()>;

/// A capture in progress: the stream where it began, and those that joined it by waiting for its events.
struct Capture {
  CUstream_st* origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool invalid = false;
  std::vector<Work> nodes{};
  std::set<CUstream_st*> joined{};    // without the origin
  std::set<CUstream_st*> unjoined{};  // those of them that the origin has not waited for since
};

}  // namespace cuda_emulator

struct CUstream_st {
  int device = 0;
  unsigned flags = cudaStreamDefault;
  int priority = 0;
  std::deque<cuda_emulator::Work> queue{};
  std::uint64_t issued = 0, done = 0;  // pieces of work
  std::shared_ptr<cuda_emulator::Capture> capture{};

  bool blocking() const { return (flags & cudaStreamNonBlocking) == 0; }

  /// Does the first `count` pieces of work that this stream was ever given.
  void finish(std::uint64_t count) {
    while (done < count) {
      const cuda_emulator::Work work = std::move(queue.front());
      queue.pop_front();
      work();
      ++done;
    }
  }
};

struct CUevent_st {
  unsigned flags = cudaEventDefault;
  std::shared_ptr<CUstream_st> stream{};  // where it was last recorded, null before
  std::uint64_t position = 0;             // the work that came before it there
  std::weak_ptr<cuda_emulator::Capture> capture{};
  bool captured = false;
  std::shared_ptr<std::chrono::steady_clock::time_point> time{};
};

struct CUgraph_st {
  std::vector<cuda_emulator::Work> nodes;
};
struct CUgraphExec_st {
  std::vector<cuda_emulator::Work> nodes;
};

namespace cuda_emulator {

inline thread_local int current_device = 0;
inline thread_local cudaError_t last_error = cudaSuccess;

struct Machine {
  std::map<CUstream_st*, std::shared_ptr<CUstream_st>> streams;
  std::shared_ptr<CUstream_st> default_streams[max_devices];
  std::set<CUevent_st*> events;
  std::set<CUgraph_st*> graphs;
  std::set<CUgraphExec_st*> executables;
  std::set<std::shared_ptr<Capture>> captures;
  std::map<void*, std::size_t> pinned;                // host memory of cudaMallocHost
  std::unordered_map<const void*, int> shared_limit;  // kernels whose limit of shared memory was raised
  std::uint64_t calls = 0, failing_call = 0;          // failing_call: its number, 0 for none
  cudaError_t failure = cudaSuccess;
};

inline Machine& machine() {
  static Machine machine;
  return machine;
}

/// Lets the n-th call of the API from now (1 is the next) return `error` and do nothing. n = 0 takes that back.
inline void fail_call(std::uint64_t n, cudaError_t error) {
  const std::lock_guard lock(machine_lock);
  machine().failing_call = n == 0 ? 0 : machine().calls + n;
  machine().failure = error;
}
/// Whether the failure has not come yet: a test that counts n up ends when it no longer does.
inline bool failure_pending() {
  const std::lock_guard lock(machine_lock);
  return machine().failing_call > machine().calls;
}

/// How many allocations live on all devices; a test that ends with more than it began leaks.
inline std::size_t live_allocations() {
  const std::lock_guard lock(machine_lock);
  std::size_t count = 0;
  for (const auto& memory : detail::memories) count += memory == nullptr ? 0 : memory->allocations();
  return count;
}

/// The injected failure, if this call is to have it. Counts the call.
inline cudaError_t begin_call() {
  Machine& m = machine();
  if (++m.calls == m.failing_call) return m.failure;
  return device_count == 0 ? cudaErrorNoDevice : cudaSuccess;
}

/// The frame of all API functions that can fail.
template <class Body>
cudaError_t call(Body&& body) {
  const std::lock_guard lock(machine_lock);
  if (Block::instance().running()) fail("a kernel called the host API");
  cudaError_t error = begin_call();
  if (error == cudaSuccess) error = body();
  if (error != cudaSuccess) last_error = error;
  return error;
}

/// The stream behind a handle, with its owner. Null is the legacy stream of the current device.
inline std::shared_ptr<CUstream_st> stream_of(cudaStream_t handle) {
  if (handle == nullptr || handle == cudaStreamLegacy) {
    auto& stream = machine().default_streams[current_device];
    if (stream == nullptr) {
      stream = std::make_shared<CUstream_st>();
      stream->device = current_device;
    }
    return stream;
  }
  const auto found = machine().streams.find(handle);
  if (found == machine().streams.end()) fail("%p is no stream, or it was destroyed", static_cast<void*>(handle));
  return found->second;
}
inline bool is_legacy(const CUstream_st& stream) { return machine().default_streams[stream.device].get() == &stream; }

template <class T>
T& checked(std::set<T*>& live, T* handle, const char* what) {
  if (live.count(handle) == 0) fail("%p is no %s, or it was destroyed", static_cast<void*>(handle), what);
  return *handle;
}

/// For calls that a capture forbids, such as cudaMalloc: ends in an invalid capture, as CUDA does.
inline cudaError_t forbid_in_capture() {
  cudaError_t error = cudaSuccess;
  for (const auto& capture : machine().captures) {
    if (capture->mode == cudaStreamCaptureModeRelaxed) continue;
    if (capture->mode == cudaStreamCaptureModeThreadLocal && capture->thread != std::this_thread::get_id()) continue;
    capture->invalid = true;
    error = cudaErrorStreamCaptureUnsupported;
  }
  return error;
}

/// For calls that wait for a stream, or ask for its state.
inline cudaError_t forbid_while_capturing(CUstream_st& stream) {
  if (stream.capture != nullptr) {
    stream.capture->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  if (is_legacy(stream)) {
    for (const auto& capture : machine().captures) {
      if (!capture->origin->blocking() || capture->origin->device != stream.device) continue;
      capture->invalid = true;
      return cudaErrorStreamCaptureImplicit;
    }
  }
  return cudaSuccess;
}

/// Gives a stream work: to be done now, when somebody waits, or when a graph is launched.
template <class F>
cudaError_t enqueue(cudaStream_t handle, F&& work) {
  const auto stream = stream_of(handle);
  if (stream->capture != nullptr) {
    Capture& capture = *stream->capture;
    if (capture.invalid) return cudaErrorStreamCaptureInvalidated;
    capture.nodes.emplace_back(std::forward<F>(work));
    if (stream.get() != capture.origin) capture.unjoined.insert(stream.get());
    ++stream->issued, ++stream->done;  // positions of events tell what came before them
    return cudaSuccess;
  }
  if (const cudaError_t error = forbid_while_capturing(*stream); error != cudaSuccess) return error;
  if (!lazy && stream->queue.empty()) {
    ++stream->issued;
    work();
    ++stream->done;
    return cudaSuccess;
  }
  // The legacy stream and the blocking streams wait for each other.
  const auto wait_for = [&](const std::shared_ptr<CUstream_st>& other) {
    if (other->done == other->issued) return;
    stream->queue.emplace_back([other, position = other->issued] { other->finish(position); });
    ++stream->issued;
  };
  if (is_legacy(*stream)) {
    for (const auto& [_, other] : machine().streams)
      if (other->blocking() && other->device == stream->device) wait_for(other);
  } else if (stream->blocking() && machine().default_streams[stream->device] != nullptr) {
    wait_for(machine().default_streams[stream->device]);
  }
  stream->queue.emplace_back(std::forward<F>(work));
  ++stream->issued;
  return cudaSuccess;
}

/// Waits for all work of one device.
inline void finish_device(int device) {
  if (const auto& stream = machine().default_streams[device]; stream != nullptr) stream->finish(stream->issued);
  for (const auto& [_, stream] : machine().streams)
    if (stream->device == device) stream->finish(stream->issued);
  const Access access(device);
  memory(device).check_red_zones();
}

}  // namespace cuda_emulator
