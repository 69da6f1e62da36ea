// cuda_emulator/emulator/host_functions.hpp: the runtime API.
//
// What CUDA answers with an error code, this does too; what CUDA leaves undefined ends the program with a message.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <vector>

#include "machine.hpp"

// Errors.

inline cudaError_t cudaPeekAtLastError() { return cuda_emulator::last_error; }
inline cudaError_t cudaGetLastError() { return std::exchange(cuda_emulator::last_error, cudaSuccess); }

#define CUDA_EMULATOR_NAME(name, number, text) \
  case name:                                   \
    return #name;
#define CUDA_EMULATOR_TEXT(name, number, text) \
  case name:                                   \
    return text;
inline const char* cudaGetErrorName(cudaError_t error) {
  switch (error) { CUDA_EMULATOR_ERRORS(CUDA_EMULATOR_NAME) }
  return "unrecognized error code";
}
inline const char* cudaGetErrorString(cudaError_t error) {
  switch (error) { CUDA_EMULATOR_ERRORS(CUDA_EMULATOR_TEXT) }
  return "unrecognized error code";
}
#undef CUDA_EMULATOR_NAME
#undef CUDA_EMULATOR_TEXT

// Devices.

namespace cuda_emulator {

inline bool is_device(int device) { return device >= 0 && device < device_count && device < max_devices; }

inline cudaDeviceProp properties(int device) {
  cudaDeviceProp p{};
  std::snprintf(p.name, sizeof p.name, "emulated");
  p.totalGlobalMem = Memory::capacity;
  p.sharedMemPerBlock = 48 << 10;
  p.sharedMemPerBlockOptin = max_dynamic_shared;
  p.sharedMemPerMultiprocessor = 228 << 10;
  p.reservedSharedMemPerBlock = 1 << 10;
  p.regsPerBlock = p.regsPerMultiprocessor = 65536;
  p.warpSize = 32;
  p.maxThreadsPerBlock = max_threads;
  p.maxThreadsDim[0] = p.maxThreadsDim[1] = 1024;
  p.maxThreadsDim[2] = 64;
  p.maxGridSize[0] = 2147483647;
  p.maxGridSize[1] = p.maxGridSize[2] = 65535;
  p.totalConstMem = 64 << 10;
  p.major = 9;
  p.multiProcessorCount = 4;  // so that grids stay small
  p.concurrentKernels = p.unifiedAddressing = p.streamPrioritiesSupported = p.memoryPoolsSupported = 1;
  p.asyncEngineCount = 3;
  p.pciBusID = device + 1;
  p.memoryBusWidth = 256;
  p.l2CacheSize = 4 << 20;
  p.maxThreadsPerMultiProcessor = 2048;
  p.maxBlocksPerMultiProcessor = 32;
  return p;
}

}  // namespace cuda_emulator

inline cudaError_t cudaGetDeviceCount(int* count) {
  *count = cuda_emulator::device_count;
  return cuda_emulator::call([] { return cudaSuccess; });
}
inline cudaError_t cudaSetDevice(int device) {
  return cuda_emulator::call([&] {
    if (!cuda_emulator::is_device(device)) return cudaErrorInvalidDevice;
    cuda_emulator::current_device = device;
    return cudaSuccess;
  });
}
inline cudaError_t cudaGetDevice(int* device) {
  return cuda_emulator::call([&] {
    *device = cuda_emulator::current_device;
    return cudaSuccess;
  });
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return cuda_emulator::call([&] {
    if (!cuda_emulator::is_device(device)) return cudaErrorInvalidDevice;
    *properties = cuda_emulator::properties(device);
    return cudaSuccess;
  });
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return cuda_emulator::call([&] {
    if (!cuda_emulator::is_device(device)) return cudaErrorInvalidDevice;
    const cudaDeviceProp p = cuda_emulator::properties(device);
    switch (attribute) {
      case cudaDevAttrMaxThreadsPerBlock:
        *value = p.maxThreadsPerBlock;
        break;
      case cudaDevAttrMaxBlockDimX:
        *value = p.maxThreadsDim[0];
        break;
      case cudaDevAttrMaxBlockDimY:
        *value = p.maxThreadsDim[1];
        break;
      case cudaDevAttrMaxBlockDimZ:
        *value = p.maxThreadsDim[2];
        break;
      case cudaDevAttrMaxGridDimX:
        *value = p.maxGridSize[0];
        break;
      case cudaDevAttrMaxGridDimY:
        *value = p.maxGridSize[1];
        break;
      case cudaDevAttrMaxGridDimZ:
        *value = p.maxGridSize[2];
        break;
      case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = static_cast<int>(p.sharedMemPerBlock);
        break;
      case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = static_cast<int>(p.sharedMemPerBlockOptin);
        break;
      case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        *value = static_cast<int>(p.sharedMemPerMultiprocessor);
        break;
      case cudaDevAttrWarpSize:
        *value = p.warpSize;
        break;
      case cudaDevAttrMaxRegistersPerBlock:
        *value = p.regsPerBlock;
        break;
      case cudaDevAttrClockRate:
        *value = 1000000;
        break;
      case cudaDevAttrMemoryClockRate:
        *value = 1000000;
        break;
      case cudaDevAttrMultiProcessorCount:
        *value = p.multiProcessorCount;
        break;
      case cudaDevAttrIntegrated:
        *value = p.integrated;
        break;
      case cudaDevAttrConcurrentKernels:
        *value = p.concurrentKernels;
        break;
      case cudaDevAttrGlobalMemoryBusWidth:
        *value = p.memoryBusWidth;
        break;
      case cudaDevAttrL2CacheSize:
        *value = p.l2CacheSize;
        break;
      case cudaDevAttrMaxThreadsPerMultiProcessor:
        *value = p.maxThreadsPerMultiProcessor;
        break;
      case cudaDevAttrMaxBlocksPerMultiprocessor:
        *value = p.maxBlocksPerMultiProcessor;
        break;
      case cudaDevAttrComputeCapabilityMajor:
        *value = p.major;
        break;
      case cudaDevAttrComputeCapabilityMinor:
        *value = p.minor;
        break;
      case cudaDevAttrCooperativeLaunch:
        *value = 0;
        break;
      case cudaDevAttrMemoryPoolsSupported:
        *value = p.memoryPoolsSupported;
        break;
      default:
        return cudaErrorInvalidValue;
    }
    return cudaSuccess;
  });
}
inline cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return cuda_emulator::call([&] {
    if (!cuda_emulator::is_device(device) || !cuda_emulator::is_device(peer)) return cudaErrorInvalidDevice;
    *can = 0;
    return cudaSuccess;
  });
}
inline cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceSynchronize() {
  return cuda_emulator::call([] {
    for (const auto& capture : cuda_emulator::machine().captures) {
      if (capture->origin->device != cuda_emulator::current_device) continue;
      capture->invalid = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    cuda_emulator::finish_device(cuda_emulator::current_device);
    return cudaSuccess;
  });
}

// Memory.

namespace cuda_emulator {

inline cudaError_t allocate(void** pointer, std::size_t size) {
  *pointer = nullptr;
  if (size == 0) return cudaSuccess;
  const Access access(current_device);
  *pointer = memory(current_device).allocate(size);
  return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

inline void free_now(void* pointer) {
  const int device = device_of(pointer);
  if (device < 0) fail("free of %p, which is not device memory", pointer);
  const Access access(device);
  memory(device).free(pointer);
}

/// One end of a copy or of a memset. Ends the program unless the bytes are those of a live allocation, or host memory.
inline int checked_device(const void* pointer, std::size_t size, const char* what) {
  const int device = device_of(pointer);
  if (device >= 0 && !memory(device).holds(pointer, size))
    fail("%s: %zu bytes at %p do not lie within one live allocation", what, size, pointer);
  if (pointer == nullptr && size != 0) fail("%s: null pointer", what);
  return device;
}

struct Copy {
  void* to;
  const void* from;
  std::size_t size;
  cudaMemcpyKind kind;

  void check() const {
    const bool to_device = checked_device(to, size, "cudaMemcpy, destination") >= 0;
    const bool from_device = checked_device(from, size, "cudaMemcpy, source") >= 0;
    if (kind == cudaMemcpyDefault) return;
    if (to_device != (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice))
      fail("cudaMemcpy: kind %d, but the destination is %s memory", kind, to_device ? "device" : "host");
    if (from_device != (kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice))
      fail("cudaMemcpy: kind %d, but the source is %s memory", kind, from_device ? "device" : "host");
  }
  void operator()() const {
    check();  // again: it may have waited, and memory may have been freed meanwhile
    const int to_device = device_of(to), from_device = device_of(from);
    const Access first(to_device >= 0 ? to_device : from_device >= 0 ? from_device : current_device);
    const Access second(from_device >= 0 ? from_device : current_device);
    std::memmove(to, from, size);
  }
};

inline bool pageable(const void* pointer) {
  if (device_of(pointer) >= 0) return false;
  auto found = machine().pinned.upper_bound(const_cast<void*>(pointer));
  if (found == machine().pinned.begin()) return true;
  --found;
  return static_cast<const char*>(pointer) >= static_cast<const char*>(found->first) + found->second;
}

inline cudaError_t copy(const Copy& copy, cudaStream_t handle, bool wait) {
  if (copy.kind < cudaMemcpyHostToHost || copy.kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  if (copy.size == 0) return cudaSuccess;
  copy.check();
  if (const cudaError_t error = enqueue(handle, copy); error != cudaSuccess) return error;
  const auto stream = stream_of(handle);
  // CUDA copies pageable memory through a buffer of its own: the caller's is free on return
  if (stream->capture == nullptr && (wait || pageable(copy.to) || pageable(copy.from))) stream->finish(stream->issued);
  return cudaSuccess;
}

inline cudaError_t fill(void* to, int value, std::size_t size, cudaStream_t stream) {
  if (size == 0) return cudaSuccess;
  const auto work = [=] {
    const int device = checked_device(to, size, "cudaMemset");
    if (device < 0) fail("cudaMemset: %p is not device memory", to);
    const Access access(device);
    std::memset(to, value, size);
  };
  (void)checked_device(to, size, "cudaMemset");
  return enqueue(stream, work);
}

inline cudaError_t allocate_host(void** pointer, std::size_t size) {
  *pointer = nullptr;
  if (const cudaError_t error = forbid_in_capture(); error != cudaSuccess) return error;
  if (size == 0) return cudaSuccess;
  *pointer = std::malloc(size);  // malloc, so that AddressSanitizer knows its bounds
  if (*pointer == nullptr) return cudaErrorMemoryAllocation;
  std::memset(*pointer, 0xFF, size);
  machine().pinned[*pointer] = size;
  return cudaSuccess;
}

}  // namespace cuda_emulator

template <class T>
cudaError_t cudaMalloc(T** pointer, std::size_t size) {
  return cuda_emulator::call([&] {
    if (const cudaError_t error = cuda_emulator::forbid_in_capture(); error != cudaSuccess) return error;
    void* memory = nullptr;
    const cudaError_t error = cuda_emulator::allocate(&memory, size);
    *pointer = static_cast<T*>(memory);
    return error;
  });
}
inline cudaError_t cudaFree(void* pointer) {
  return cuda_emulator::call([&] {
    if (const cudaError_t error = cuda_emulator::forbid_in_capture(); error != cudaSuccess) return error;
    if (pointer == nullptr) return cudaSuccess;
    if (const int device = cuda_emulator::device_of(pointer); device >= 0) cuda_emulator::finish_device(device);
    cuda_emulator::free_now(pointer);
    return cudaSuccess;
  });
}
template <class T>
cudaError_t cudaMallocAsync(T** pointer, std::size_t size, cudaStream_t stream) {
  return cuda_emulator::call([&] {
    if (cuda_emulator::stream_of(stream)->capture != nullptr) return cuda_emulator::forbid_while_capturing(*stream);
    void* memory = nullptr;
    const cudaError_t error = cuda_emulator::allocate(&memory, size);
    *pointer = static_cast<T*>(memory);
    return error;
  });
}
inline cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  return cuda_emulator::call([&] {
    if (cuda_emulator::stream_of(stream)->capture != nullptr) return cuda_emulator::forbid_while_capturing(*stream);
    if (pointer == nullptr) return cudaSuccess;
    return cuda_emulator::enqueue(stream, [=] { cuda_emulator::free_now(pointer); });
  });
}
template <class T>
cudaError_t cudaMallocHost(T** pointer, std::size_t size, unsigned /*flags*/ = 0) {
  return cuda_emulator::call([&] {
    void* memory = nullptr;
    const cudaError_t error = cuda_emulator::allocate_host(&memory, size);
    *pointer = static_cast<T*>(memory);
    return error;
  });
}
template <class T>
cudaError_t cudaHostAlloc(T** pointer, std::size_t size, unsigned flags) {
  return cudaMallocHost(pointer, size, flags);
}
inline cudaError_t cudaFreeHost(void* pointer) {
  return cuda_emulator::call([&] {
    if (const cudaError_t error = cuda_emulator::forbid_in_capture(); error != cudaSuccess) return error;
    if (pointer == nullptr) return cudaSuccess;
    for (int d = 0; d < cuda_emulator::device_count; ++d) cuda_emulator::finish_device(d);
    if (cuda_emulator::machine().pinned.erase(pointer) == 0)
      cuda_emulator::fail("cudaFreeHost of %p, which cudaMallocHost did not return", pointer);
    std::free(pointer);
    return cudaSuccess;
  });
}
inline cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return cuda_emulator::call([&] {
    *total = cuda_emulator::Memory::capacity;
    *free = *total - cuda_emulator::memory(cuda_emulator::current_device).used();
    return cudaSuccess;
  });
}
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t size, cudaMemcpyKind kind) {
  return cuda_emulator::call([&] {
    if (const cudaError_t error = cuda_emulator::forbid_in_capture(); error != cudaSuccess) return error;
    return cuda_emulator::copy({to, from, size, kind}, nullptr, /*wait=*/true);
  });
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, cudaMemcpyKind kind,
                                   cudaStream_t stream = nullptr) {
  return cuda_emulator::call([&] { return cuda_emulator::copy({to, from, size, kind}, stream, /*wait=*/false); });
}
inline cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t size,
                                       cudaStream_t stream = nullptr) {
  return cuda_emulator::call([&] {
    if (!cuda_emulator::is_device(to_device) || !cuda_emulator::is_device(from_device)) return cudaErrorInvalidDevice;
    if (cuda_emulator::device_of(to) != to_device || cuda_emulator::device_of(from) != from_device)
      cuda_emulator::fail("cudaMemcpyPeerAsync: a pointer is not of the device that is named");
    return cuda_emulator::copy({to, from, size, cudaMemcpyDeviceToDevice}, stream, /*wait=*/false);
  });
}
inline cudaError_t cudaMemset(void* to, int value, std::size_t size) {
  return cuda_emulator::call([&] {
    if (const cudaError_t error = cuda_emulator::forbid_in_capture(); error != cudaSuccess) return error;
    return cuda_emulator::fill(to, value, size, nullptr);
  });
}
inline cudaError_t cudaMemsetAsync(void* to, int value, std::size_t size, cudaStream_t stream = nullptr) {
  return cuda_emulator::call([&] { return cuda_emulator::fill(to, value, size, stream); });
}
inline cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return cuda_emulator::call([&] {
    void* p = const_cast<void*>(pointer);
    const int device = cuda_emulator::device_of(pointer);
    if (device >= 0) {
      *attributes = {cudaMemoryTypeDevice, device, p, nullptr};
    } else if (!cuda_emulator::pageable(pointer)) {
      *attributes = {cudaMemoryTypeHost, cuda_emulator::current_device, p, p};
    } else {
      *attributes = {cudaMemoryTypeUnregistered, -2, nullptr, p};  // -2: no device, as CUDA says it
    }
    return cudaSuccess;
  });
}

// Streams.

inline cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return cuda_emulator::call([&] {
    if (flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
    auto made = std::make_shared<CUstream_st>();
    made->device = cuda_emulator::current_device;
    made->flags = flags;
    made->priority = priority;
    *stream = made.get();
    cuda_emulator::machine().streams[made.get()] = std::move(made);
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}
inline cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithPriority(stream, 0, 0); }
inline cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return cuda_emulator::call([&] {
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return cuda_emulator::call([&] {
    const auto stream = cuda_emulator::stream_of(handle);
    if (cuda_emulator::is_legacy(*stream)) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) cuda_emulator::fail("a stream that captures is destroyed");
    stream->finish(stream->issued);
    cuda_emulator::machine().streams.erase(handle);
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return cuda_emulator::call([&] {
    const auto stream = cuda_emulator::stream_of(handle);
    if (const cudaError_t error = cuda_emulator::forbid_while_capturing(*stream); error != cudaSuccess) return error;
    stream->finish(stream->issued);
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return cuda_emulator::call([&] {
    const auto stream = cuda_emulator::stream_of(handle);
    if (const cudaError_t error = cuda_emulator::forbid_while_capturing(*stream); error != cudaSuccess) return error;
    if (stream->done == stream->issued) return cudaSuccess;
    stream->finish(stream->done + 1);  // a step each time, so that a loop which polls ends
    return cudaErrorNotReady;
  });
}

// Events.

inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return cuda_emulator::call([&] {
    if (flags > (cudaEventBlockingSync | cudaEventDisableTiming)) return cudaErrorInvalidValue;
    *event = new CUevent_st{.flags = flags};
    cuda_emulator::machine().events.insert(*event);
    return cudaSuccess;
  });
}
inline cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
inline cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return cuda_emulator::call([&] {
    delete &cuda_emulator::checked(cuda_emulator::machine().events, handle, "event");
    cuda_emulator::machine().events.erase(handle);
    return cudaSuccess;
  });
}
inline cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle = nullptr) {
  return cuda_emulator::call([&] {
    CUevent_st& event = cuda_emulator::checked(cuda_emulator::machine().events, handle, "event");
    const auto stream = cuda_emulator::stream_of(stream_handle);
    if (stream->capture != nullptr) {  // no node: it only says what later waits depend on
      if (stream->capture->invalid) return cudaErrorStreamCaptureInvalidated;
      event.captured = true;
      event.capture = stream->capture;
    } else {
      event.captured = false;
      event.time = std::make_shared<std::chrono::steady_clock::time_point>();
      const auto work = [time = event.time] { *time = std::chrono::steady_clock::now(); };
      if (const cudaError_t error = cuda_emulator::enqueue(stream_handle, work); error != cudaSuccess) return error;
    }
    event.stream = stream;
    event.position = stream->issued;
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned /*flags*/ = 0) {
  return cuda_emulator::call([&] {
    const CUevent_st& event = cuda_emulator::checked(cuda_emulator::machine().events, event_handle, "event");
    const auto stream = cuda_emulator::stream_of(handle);
    if (event.stream == nullptr) return cudaSuccess;
    if (event.captured) {
      const auto capture = event.capture.lock();
      if (capture == nullptr || capture->invalid) return cudaErrorCapturedEvent;
      if (stream->capture == nullptr) {  // the fork of a capture
        if (cuda_emulator::is_legacy(*stream)) return cudaErrorStreamCaptureImplicit;
        stream->capture = capture;
        capture->joined.insert(stream.get());
        capture->unjoined.insert(stream.get());
      } else if (stream->capture != capture) {
        stream->capture->invalid = capture->invalid = true;
        return cudaErrorStreamCaptureMerge;
      } else if (stream.get() == capture->origin && event.position == event.stream->issued) {
        capture->unjoined.erase(event.stream.get());
      }
      return cudaSuccess;
    }
    if (stream->capture != nullptr) {
      stream->capture->invalid = true;
      return cudaErrorStreamCaptureIsolation;
    }
    if (event.stream->done >= event.position) return cudaSuccess;
    return cuda_emulator::enqueue(handle,
                                  [other = event.stream, position = event.position] { other->finish(position); });
  });
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return cuda_emulator::call([&] {
    const CUevent_st& event = cuda_emulator::checked(cuda_emulator::machine().events, handle, "event");
    if (event.captured) return cudaErrorCapturedEvent;
    if (event.stream != nullptr) event.stream->finish(event.position);
    return cudaSuccess;
  });
}
inline cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return cuda_emulator::call([&] {
    const CUevent_st& event = cuda_emulator::checked(cuda_emulator::machine().events, handle, "event");
    if (event.captured) return cudaErrorCapturedEvent;
    if (event.stream == nullptr || event.stream->done >= event.position) return cudaSuccess;
    event.stream->finish(event.stream->done + 1);
    return cudaErrorNotReady;
  });
}
inline cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start_handle, cudaEvent_t end_handle) {
  return cuda_emulator::call([&] {
    const CUevent_st& start = cuda_emulator::checked(cuda_emulator::machine().events, start_handle, "event");
    const CUevent_st& end = cuda_emulator::checked(cuda_emulator::machine().events, end_handle, "event");
    if (((start.flags | end.flags) & cudaEventDisableTiming) != 0) return cudaErrorInvalidResourceHandle;
    if (start.time == nullptr || end.time == nullptr) return cudaErrorInvalidResourceHandle;
    if (start.captured || end.captured) return cudaErrorCapturedEvent;
    if (start.stream->done < start.position || end.stream->done < end.position) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(*end.time - *start.time).count();
    return cudaSuccess;
  });
}

// Captures and graphs.

inline cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return cuda_emulator::call([&] {
    const auto stream = cuda_emulator::stream_of(handle);
    if (cuda_emulator::is_legacy(*stream)) return cudaErrorStreamCaptureUnsupported;
    if (stream->capture != nullptr) return cudaErrorIllegalState;
    stream->capture = std::make_shared<cuda_emulator::Capture>(
        cuda_emulator::Capture{.origin = stream.get(), .mode = mode, .thread = std::this_thread::get_id()});
    cuda_emulator::machine().captures.insert(stream->capture);
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return cuda_emulator::call([&] {
    *graph = nullptr;
    const auto stream = cuda_emulator::stream_of(handle);
    const auto capture = stream->capture;
    if (capture == nullptr) return cudaErrorIllegalState;
    if (capture->origin != stream.get()) {
      capture->invalid = true;
      return cudaErrorStreamCaptureUnmatched;
    }
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
      return cudaErrorStreamCaptureWrongThread;
    stream->capture = nullptr;
    for (CUstream_st* other : capture->joined) other->capture = nullptr;
    cuda_emulator::machine().captures.erase(capture);
    if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
    if (!capture->unjoined.empty()) return cudaErrorStreamCaptureUnjoined;
    *graph = new CUgraph_st{std::move(capture->nodes)};
    cuda_emulator::machine().graphs.insert(*graph);
    return cudaSuccess;
  });
}
inline cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return cuda_emulator::call([&] {
    const auto stream = cuda_emulator::stream_of(handle);
    *status = stream->capture == nullptr ? cudaStreamCaptureStatusNone
              : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                         : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                        unsigned long long /*flags*/ = 0) {
  return cuda_emulator::call([&] {
    *executable = new CUgraphExec_st{cuda_emulator::checked(cuda_emulator::machine().graphs, graph, "graph").nodes};
    cuda_emulator::machine().executables.insert(*executable);
    return cudaSuccess;
  });
}
inline cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t) {
  return cuda_emulator::call([&] {
    cuda_emulator::checked(cuda_emulator::machine().executables, executable, "executable graph");
    return cudaSuccess;
  });
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return cuda_emulator::call([&] {
    const auto& nodes =
        cuda_emulator::checked(cuda_emulator::machine().executables, executable, "executable graph").nodes;
    const int device = cuda_emulator::stream_of(stream)->device;
    // the nodes by value: the executable may be destroyed before lazy work is done
    return cuda_emulator::enqueue(stream, [nodes, device] {
      const cuda_emulator::Access access(device);  // once for all
      for (const cuda_emulator::Work& node : nodes) node();
    });
  });
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return cuda_emulator::call([&] {
    delete &cuda_emulator::checked(cuda_emulator::machine().executables, executable, "executable graph");
    cuda_emulator::machine().executables.erase(executable);
    return cudaSuccess;
  });
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return cuda_emulator::call([&] {
    delete &cuda_emulator::checked(cuda_emulator::machine().graphs, graph, "graph");
    cuda_emulator::machine().graphs.erase(graph);
    return cudaSuccess;
  });
}
/// Only counts: there is nothing to do with a node.
inline cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return cuda_emulator::call([&] {
    if (nodes != nullptr) return cudaErrorNotSupported;
    *count = cuda_emulator::checked(cuda_emulator::machine().graphs, graph, "graph").nodes.size();
    return cudaSuccess;
  });
}

// Kernels.

inline cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  return cuda_emulator::call([&] {
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaErrorInvalidValue;
    if (value < 0 || static_cast<std::size_t>(value) > cuda_emulator::max_dynamic_shared) return cudaErrorInvalidValue;
    cuda_emulator::machine().shared_limit[kernel] = value;
    return cudaSuccess;
  });
}
template <class... P>
cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  return cuda_emulator::call([&] {
    *attributes = {};
    attributes->maxThreadsPerBlock = cuda_emulator::max_threads;
    attributes->numRegs = 32;
    attributes->ptxVersion = attributes->binaryVersion = 90;
    const auto limit = cuda_emulator::machine().shared_limit.find(kernel);
    attributes->maxDynamicSharedSizeBytes =
        limit == cuda_emulator::machine().shared_limit.end() ? 48 << 10 : limit->second;
    return cudaSuccess;
  });
}
template <class... P>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(P...)) {
  return cudaFuncGetAttributes(attributes, reinterpret_cast<const void*>(kernel));
}
template <class Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel, int block_size, std::size_t shared) {
  return cuda_emulator::call([&] {
    if (block_size <= 0) return cudaErrorInvalidValue;
    *blocks = static_cast<int>(std::min({std::size_t{32}, std::size_t{2048} / static_cast<unsigned>(block_size),
                                         (std::size_t{228} << 10) / (shared + 1024)}));
    return cudaSuccess;
  });
}

namespace cuda_emulator {

/// What the driver checks before it launches.
inline cudaError_t check_launch(const cudaLaunchConfig_t& config, const void* kernel) {
  const dim3 g = config.gridDim, b = config.blockDim;
  if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  if (g.x == 0 || g.y == 0 || g.z == 0 || b.x == 0 || b.y == 0 || b.z == 0) return cudaErrorInvalidConfiguration;
  if (g.x > 2147483647u || g.y > 65535 || g.z > 65535) return cudaErrorInvalidConfiguration;
  if (b.x > 1024 || b.y > 1024 || b.z > 64) return cudaErrorInvalidConfiguration;
  if (std::uint64_t{b.x} * b.y * b.z > max_threads) return cudaErrorInvalidConfiguration;
  std::size_t shared_limit = 48 << 10;
  if (const auto raised = machine().shared_limit.find(kernel); raised != machine().shared_limit.end())
    shared_limit = std::max(shared_limit, static_cast<std::size_t>(raised->second));
  if (config.dynamicSmemBytes > shared_limit) return cudaErrorInvalidValue;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttributeID id = config.attrs[i].id;
    if (id == cudaLaunchAttributeCooperative || id == cudaLaunchAttributeClusterDimension) return cudaErrorNotSupported;
  }
  if (stream_of(config.stream)->device != current_device) return cudaErrorInvalidResourceHandle;
  return cudaSuccess;
}

/// Calls the kernel at `kernel` with the tuple of its arguments at `values`.
using Invoke = void (*)(const void* kernel, const void* values);

/// What all kernels' launches share, so that it is compiled once: a program of the backend has hundreds of kernels.
inline cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, const std::type_info& type,
                          Invoke invoke, const void* values, std::size_t bytes) {
  return call([&] {
    const cudaError_t error = check_launch(config, kernel);
    if (error != cudaSuccess) return error;
    std::vector<std::max_align_t> kept(bytes / sizeof(std::max_align_t) + 1);
    std::memcpy(kept.data(), values, bytes);
    return enqueue(config.stream, [=, &type, kept = std::move(kept), grid = config.gridDim, block = config.blockDim,
                                   shared = config.dynamicSmemBytes, device = current_device] {
      const Access access(device);
      Block::instance().run_grid(
          grid, block, shared, type, [&] { invoke(kernel, kept.data()); }, [&] { memory(device).check_red_zones(); });
    });
  });
}

}  // namespace cuda_emulator

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "kernels take plain values");
  static_assert((!std::is_reference_v<Parameters> && ...), "kernels take values, not references");
  using Values = std::tuple<std::remove_cv_t<Parameters>...>;
  static_assert(alignof(Values) <= alignof(std::max_align_t));
  const Values values(std::forward<Arguments>(arguments)...);
  return cuda_emulator::launch(
      *config, reinterpret_cast<const void*>(kernel), typeid(kernel),
      [](const void* function, const void* kept) {
        std::apply(reinterpret_cast<void (*)(Parameters...)>(const_cast<void*>(function)),
                   *static_cast<const Values*>(kept));
      },
      &values, sizeof values);
}
