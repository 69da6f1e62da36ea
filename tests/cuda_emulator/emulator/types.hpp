// cuda_emulator/emulator/types.hpp: CUDA's qualifiers, vector types, error codes and structures.
//
// Names and numbers are those of CUDA 13; structures hold only the fields somebody may ask for.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __shared__ static  // blocks run one after another, so one copy does
#define __launch_bounds__(...)
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))

#define CUDART_VERSION 13000

// Vectors of two and four have CUDA's alignment: the undefined behaviour sanitizer then finds misaligned loads.
#define CUDA_EMULATOR_VECTORS(T, name, align2, align4)                          \
  struct alignas(align2) name##2 { T x, y; };                                   \
  struct name##3 { T x, y, z; };                                                \
  struct alignas(align4) name##4 { T x, y, z, w; };                             \
  constexpr name##2 make_##name##2(T x, T y) { return {x, y}; }                 \
  constexpr name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }         \
  constexpr name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; } \
  static_assert(sizeof(name##2) == 2 * sizeof(T) && sizeof(name##4) == 4 * sizeof(T))

CUDA_EMULATOR_VECTORS(signed char, char, 2, 4);
CUDA_EMULATOR_VECTORS(unsigned char, uchar, 2, 4);
CUDA_EMULATOR_VECTORS(short, short, 4, 8);
CUDA_EMULATOR_VECTORS(unsigned short, ushort, 4, 8);
CUDA_EMULATOR_VECTORS(int, int, 8, 16);
CUDA_EMULATOR_VECTORS(unsigned, uint, 8, 16);
CUDA_EMULATOR_VECTORS(long long, longlong, 16, 16);
CUDA_EMULATOR_VECTORS(unsigned long long, ulonglong, 16, 16);
CUDA_EMULATOR_VECTORS(float, float, 8, 16);
CUDA_EMULATOR_VECTORS(double, double, 16, 16);
#undef CUDA_EMULATOR_VECTORS

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

// X(name, number, text): every error that the emulator returns or that a test may want to inject.
#define CUDA_EMULATOR_ERRORS(X)                                                                          \
  X(cudaSuccess, 0, "no error")                                                                          \
  X(cudaErrorInvalidValue, 1, "invalid argument")                                                        \
  X(cudaErrorMemoryAllocation, 2, "out of memory")                                                       \
  X(cudaErrorInitializationError, 3, "initialization error")                                             \
  X(cudaErrorInvalidConfiguration, 9, "invalid configuration argument")                                  \
  X(cudaErrorInvalidDevicePointer, 17, "invalid device pointer")                                         \
  X(cudaErrorInvalidMemcpyDirection, 21, "invalid copy direction for memcpy")                            \
  X(cudaErrorInsufficientDriver, 35, "CUDA driver version is insufficient for CUDA runtime version")     \
  X(cudaErrorDevicesUnavailable, 46, "CUDA-capable device(s) is/are busy or unavailable")                \
  X(cudaErrorInvalidDeviceFunction, 98, "invalid device function")                                       \
  X(cudaErrorNoDevice, 100, "no CUDA-capable device is detected")                                        \
  X(cudaErrorInvalidDevice, 101, "invalid device ordinal")                                               \
  X(cudaErrorNoKernelImageForDevice, 209, "no kernel image is available for execution on the device")    \
  X(cudaErrorPeerAccessUnsupported, 217, "peer access is not supported between these two devices")       \
  X(cudaErrorInvalidResourceHandle, 400, "invalid resource handle")                                      \
  X(cudaErrorIllegalState, 401, "the operation cannot be performed in the present state")                \
  X(cudaErrorNotReady, 600, "device not ready")                                                          \
  X(cudaErrorIllegalAddress, 700, "an illegal memory access was encountered")                            \
  X(cudaErrorLaunchOutOfResources, 701, "too many resources requested for launch")                       \
  X(cudaErrorAssert, 710, "device-side assert triggered")                                                \
  X(cudaErrorLaunchFailure, 719, "unspecified launch failure")                                           \
  X(cudaErrorNotSupported, 801, "operation not supported")                                               \
  X(cudaErrorStreamCaptureUnsupported, 900, "operation not permitted when stream is capturing")          \
  X(cudaErrorStreamCaptureInvalidated, 901, "operation failed due to a previous error during capture")   \
  X(cudaErrorStreamCaptureMerge, 902, "operation would result in a merge of separate capture sequences") \
  X(cudaErrorStreamCaptureUnmatched, 903, "capture was not ended in the same stream as it began")        \
  X(cudaErrorStreamCaptureUnjoined, 904, "capturing stream has unjoined work")                           \
  X(cudaErrorStreamCaptureIsolation, 905, "dependency created on uncaptured work in another stream")     \
  X(cudaErrorStreamCaptureImplicit, 906, "operation would make the legacy stream depend on a capture")   \
  X(cudaErrorCapturedEvent, 907, "operation not permitted on an event last recorded in a capture")       \
  X(cudaErrorStreamCaptureWrongThread, 908, "attempt to terminate a thread-local capture elsewhere")     \
  X(cudaErrorUnknown, 999, "unknown error")

#define CUDA_EMULATOR_ENUMERATOR(name, number, text) name = number,
enum cudaError { CUDA_EMULATOR_ERRORS(CUDA_EMULATOR_ENUMERATOR) };
#undef CUDA_EMULATOR_ENUMERATOR
typedef enum cudaError cudaError_t;

enum cudaMemcpyKind {
  cudaMemcpyHostToHost = 0,
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4
};

enum cudaMemoryType {
  cudaMemoryTypeUnregistered = 0,
  cudaMemoryTypeHost = 1,
  cudaMemoryTypeDevice = 2,
  cudaMemoryTypeManaged = 3
};

struct cudaPointerAttributes {
  cudaMemoryType type;
  int device;
  void* devicePointer;
  void* hostPointer;
};

enum cudaDeviceAttr {
  cudaDevAttrMaxThreadsPerBlock = 1,
  cudaDevAttrMaxBlockDimX = 2,
  cudaDevAttrMaxBlockDimY = 3,
  cudaDevAttrMaxBlockDimZ = 4,
  cudaDevAttrMaxGridDimX = 5,
  cudaDevAttrMaxGridDimY = 6,
  cudaDevAttrMaxGridDimZ = 7,
  cudaDevAttrMaxSharedMemoryPerBlock = 8,
  cudaDevAttrWarpSize = 10,
  cudaDevAttrMaxRegistersPerBlock = 12,
  cudaDevAttrClockRate = 13,
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrIntegrated = 18,
  cudaDevAttrConcurrentKernels = 31,
  cudaDevAttrMemoryClockRate = 36,
  cudaDevAttrGlobalMemoryBusWidth = 37,
  cudaDevAttrL2CacheSize = 38,
  cudaDevAttrMaxThreadsPerMultiProcessor = 39,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerMultiprocessor = 81,
  cudaDevAttrCooperativeLaunch = 95,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
  cudaDevAttrMaxBlocksPerMultiprocessor = 106,
  cudaDevAttrMemoryPoolsSupported = 115
};

struct cudaDeviceProp {
  char name[256];
  std::size_t totalGlobalMem;
  std::size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  int maxThreadsPerBlock;
  int maxThreadsDim[3];
  int maxGridSize[3];
  std::size_t totalConstMem;
  int major;
  int minor;
  int multiProcessorCount;
  int integrated;
  int concurrentKernels;
  int ECCEnabled;
  int pciBusID;
  int pciDeviceID;
  int pciDomainID;
  int asyncEngineCount;
  int unifiedAddressing;
  int memoryBusWidth;
  int l2CacheSize;
  int maxThreadsPerMultiProcessor;
  int streamPrioritiesSupported;
  std::size_t sharedMemPerMultiprocessor;
  int regsPerMultiprocessor;
  int managedMemory;
  int cooperativeLaunch;
  std::size_t sharedMemPerBlockOptin;
  int maxBlocksPerMultiProcessor;
  std::size_t reservedSharedMemPerBlock;
  int memoryPoolsSupported;
};

enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9
};

struct cudaFuncAttributes {
  std::size_t sharedSizeBytes;
  std::size_t constSizeBytes;
  std::size_t localSizeBytes;
  int maxThreadsPerBlock;
  int numRegs;
  int ptxVersion;
  int binaryVersion;
  int cacheModeCA;
  int maxDynamicSharedSizeBytes;
  int preferredShmemCarveout;
};

typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;
typedef struct CUgraph_st* cudaGraph_t;
typedef struct CUgraphExec_st* cudaGraphExec_t;
typedef struct CUgraphNode_st* cudaGraphNode_t;

#define cudaStreamDefault 0x00
#define cudaStreamNonBlocking 0x01
#define cudaStreamLegacy ((cudaStream_t)0x1)
#define cudaEventDefault 0x00
#define cudaEventBlockingSync 0x01
#define cudaEventDisableTiming 0x02
#define cudaEventWaitDefault 0x00
#define cudaHostAllocDefault 0x00
#define cudaHostAllocPortable 0x01
#define cudaHostAllocMapped 0x02
#define cudaHostAllocWriteCombined 0x04

enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal = 0,
  cudaStreamCaptureModeThreadLocal = 1,
  cudaStreamCaptureModeRelaxed = 2
};

enum cudaStreamCaptureStatus {
  cudaStreamCaptureStatusNone = 0,
  cudaStreamCaptureStatusActive = 1,
  cudaStreamCaptureStatusInvalidated = 2
};

enum cudaLaunchAttributeID {
  cudaLaunchAttributeIgnore = 0,
  cudaLaunchAttributeCooperative = 2,
  cudaLaunchAttributeClusterDimension = 4,
  cudaLaunchAttributeProgrammaticStreamSerialization = 6,
  cudaLaunchAttributePriority = 8
};

union cudaLaunchAttributeValue {
  char pad[64];
  int cooperative;
  struct {
    unsigned x, y, z;
  } clusterDim;
  int programmaticStreamSerializationAllowed;
  int priority;
};

struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  cudaLaunchAttributeValue val;
};

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

enum cudaDataType_t {
  CUDA_R_32F = 0,
  CUDA_R_64F = 1,
  CUDA_R_16F = 2,
  CUDA_R_8I = 3,
  CUDA_R_32I = 10,
  CUDA_R_16BF = 14
};
typedef cudaDataType_t cudaDataType;
