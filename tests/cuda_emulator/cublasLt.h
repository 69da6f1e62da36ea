// tests/cuda_emulator/cublasLt.h: matrix products of the emulator, by plain loops.
//
// D = epilogue(alpha * op(A) op(B) + beta * C + bias), each matrix with its own order, leading dimension and batch
// stride. Combinations that cuBLASLt refuses are refused; pointers that would make it read or write beside an
// allocation end the program.
//
// SPDX-License-Identifier: MIT
#pragma once

#include "cuda_runtime.h"
#include "emulator/numbers.hpp"

typedef enum {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_ARCH_MISMATCH = 8,
  CUBLAS_STATUS_MAPPING_ERROR = 11,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_INTERNAL_ERROR = 14,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
  CUBLAS_STATUS_LICENSE_ERROR = 16
} cublasStatus_t;

typedef enum { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 } cublasOperation_t;

typedef enum {
  CUBLAS_COMPUTE_16F = 64,
  CUBLAS_COMPUTE_32F = 68,
  CUBLAS_COMPUTE_32F_PEDANTIC = 69,
  CUBLAS_COMPUTE_64F = 70,
  CUBLAS_COMPUTE_64F_PEDANTIC = 71,
  CUBLAS_COMPUTE_32I = 72,
  CUBLAS_COMPUTE_32F_FAST_16F = 74,
  CUBLAS_COMPUTE_32F_FAST_16BF = 75,
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77
} cublasComputeType_t;

typedef enum { CUBLASLT_ORDER_COL = 0, CUBLASLT_ORDER_ROW = 1 } cublasLtOrder_t;
typedef enum { CUBLASLT_POINTER_MODE_HOST = 0, CUBLASLT_POINTER_MODE_DEVICE = 1 } cublasLtPointerMode_t;

typedef enum {
  CUBLASLT_MATRIX_LAYOUT_TYPE = 0,
  CUBLASLT_MATRIX_LAYOUT_ORDER = 1,
  CUBLASLT_MATRIX_LAYOUT_ROWS = 2,
  CUBLASLT_MATRIX_LAYOUT_COLS = 3,
  CUBLASLT_MATRIX_LAYOUT_LD = 4,
  CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT = 5,
  CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET = 6
} cublasLtMatrixLayoutAttribute_t;

typedef enum {
  CUBLASLT_MATMUL_DESC_COMPUTE_TYPE = 0,
  CUBLASLT_MATMUL_DESC_SCALE_TYPE = 1,
  CUBLASLT_MATMUL_DESC_POINTER_MODE = 2,
  CUBLASLT_MATMUL_DESC_TRANSA = 3,
  CUBLASLT_MATMUL_DESC_TRANSB = 4,
  CUBLASLT_MATMUL_DESC_TRANSC = 5,
  CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
  CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE = 10,
  CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE = 26
} cublasLtMatmulDescAttributes_t;

typedef enum {
  CUBLASLT_EPILOGUE_DEFAULT = 1,
  CUBLASLT_EPILOGUE_RELU = 2,
  CUBLASLT_EPILOGUE_BIAS = 4,
  CUBLASLT_EPILOGUE_RELU_BIAS = 6,
  CUBLASLT_EPILOGUE_GELU = 32,
  CUBLASLT_EPILOGUE_GELU_BIAS = 36
} cublasLtEpilogue_t;

typedef enum {
  CUBLASLT_MATMUL_PREF_SEARCH_MODE = 0,
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
  CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8
} cublasLtMatmulPreferenceAttributes_t;

struct cublasLtContext {
  int device;
};
typedef cublasLtContext* cublasLtHandle_t;

struct cublasLtMatrixLayoutOpaque_t {
  std::uint32_t type;
  std::uint64_t rows, cols;
  std::int64_t ld;
  std::int32_t order = CUBLASLT_ORDER_COL, batches = 1;
  std::int64_t batch_stride = 0;
};
typedef cublasLtMatrixLayoutOpaque_t* cublasLtMatrixLayout_t;

struct cublasLtMatmulDescOpaque_t {
  std::int32_t compute, scale;
  std::int32_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  std::int32_t transposed[3] = {CUBLAS_OP_N, CUBLAS_OP_N, CUBLAS_OP_N};  // A, B, C
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  std::int64_t bias_stride = 0;
  std::int32_t bias_type = -1;  // that of D
};
typedef cublasLtMatmulDescOpaque_t* cublasLtMatmulDesc_t;

struct cublasLtMatmulPreferenceOpaque_t {
  std::uint32_t search_mode = 0, reduction_schemes = ~0u;
  std::uint64_t workspace = 0;
  std::uint32_t alignment[4] = {256, 256, 256, 256};  // of A, B, C, D in bytes
};
typedef cublasLtMatmulPreferenceOpaque_t* cublasLtMatmulPreference_t;

/// An algorithm is what it may count on: alignments of A, B, C, D and bytes of workspace.
typedef struct {
  std::uint64_t data[8];
} cublasLtMatmulAlgo_t;

typedef struct {
  cublasLtMatmulAlgo_t algo;
  std::size_t workspaceSize;
  cublasStatus_t state;
  float wavesCount;
  int reserved[4];
} cublasLtMatmulHeuristicResult_t;

namespace cuda_emulator {

template <class T>
cublasStatus_t set(T& field, const void* value, std::size_t size) {
  if (value == nullptr || size != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&field, value, size);
  return CUBLAS_STATUS_SUCCESS;
}

/// The frame of the calls that CUDA's errors can reach.
template <class Body>
cublasStatus_t cublas_call(Body&& body) {
  cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
  const std::lock_guard lock(machine_lock);
  const cudaError_t error = begin_call();
  if (error == cudaSuccess) status = body();
  if (error == cudaErrorMemoryAllocation) status = CUBLAS_STATUS_ALLOC_FAILED;
  if (error == cudaErrorNoDevice) status = CUBLAS_STATUS_NOT_INITIALIZED;
  return error == cudaSuccess || status != CUBLAS_STATUS_SUCCESS ? status : CUBLAS_STATUS_EXECUTION_FAILED;
}

inline double to_tf32(double x) {  // to nearest, ties to even
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  if ((bits & 0x7F800000u) == 0x7F800000u) return x;
  return static_cast<double>(std::bit_cast<float>((bits + 0xFFFu + (bits >> 13 & 1u)) & ~0x1FFFu));
}

/// A matrix in device memory; `transposed` swaps the meaning of row and column.
struct Matrix {
  void* data;
  cublasLtMatrixLayoutOpaque_t layout;
  bool transposed = false;

  std::uint64_t rows() const { return transposed ? layout.cols : layout.rows; }
  std::uint64_t cols() const { return transposed ? layout.rows : layout.cols; }
  std::int64_t at(std::uint64_t batch, std::uint64_t row, std::uint64_t col) const {
    if (transposed) std::swap(row, col);
    if (layout.order == CUBLASLT_ORDER_ROW) std::swap(row, col);
    return static_cast<std::int64_t>(batch) * layout.batch_stride + static_cast<std::int64_t>(row) +
           static_cast<std::int64_t>(col) * layout.ld;
  }
  bool valid() const {
    const std::uint64_t line = layout.order == CUBLASLT_ORDER_ROW ? layout.cols : layout.rows;
    return layout.rows > 0 && layout.cols > 0 && layout.ld >= static_cast<std::int64_t>(line) && layout.batches > 0;
  }
  void check(const char* name, std::uint64_t alignment) const {
    const std::size_t size = size_of(layout.type);
    alignment = std::max<std::uint64_t>(alignment, size);
    if (reinterpret_cast<std::uintptr_t>(data) % alignment != 0)
      fail("cublasLtMatmul: %s at %p is not aligned to %llu bytes, which the algorithm was chosen for", name, data,
           static_cast<unsigned long long>(alignment));
    const std::int64_t one = at(0, rows() - 1, cols() - 1) + 1,
                       last = at(static_cast<std::uint64_t>(layout.batches - 1), 0, 0);
    const char* first =
        static_cast<const char*>(data) + std::min<std::int64_t>(last, 0) * static_cast<std::int64_t>(size);
    const std::size_t bytes = static_cast<std::size_t>(std::abs(last) + one) * size;
    const int device = device_of(data);
    if (device < 0 || !memory(device).holds(first, bytes))
      fail("cublasLtMatmul: %s, %zu bytes at %p, does not lie within one live allocation", name, bytes, data);
    if (device != current_device)
      fail("cublasLtMatmul: %s is on device %d, the current one is %d", name, device, current_device);
  }
};

struct Matmul {
  cublasLtMatmulDescOpaque_t desc;
  double alpha, beta;
  Matrix a, b, c, d;

  cublasStatus_t check() const {
    const std::uint32_t in = a.layout.type, out = d.layout.type;
    if (a.layout.type != b.layout.type || c.layout.type != d.layout.type) return CUBLAS_STATUS_NOT_SUPPORTED;
    const bool f64 = desc.compute == CUBLAS_COMPUTE_64F || desc.compute == CUBLAS_COMPUTE_64F_PEDANTIC;
    const bool tf32 = desc.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    if (f64) {
      if (desc.scale != CUDA_R_64F || in != CUDA_R_64F || out != CUDA_R_64F) return CUBLAS_STATUS_NOT_SUPPORTED;
    } else {
      if (!tf32 && desc.compute != CUBLAS_COMPUTE_32F && desc.compute != CUBLAS_COMPUTE_32F_PEDANTIC)
        return CUBLAS_STATUS_NOT_SUPPORTED;
      if (desc.scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
      if (in != CUDA_R_32F && (tf32 || (in != CUDA_R_16BF && in != CUDA_R_16F))) return CUBLAS_STATUS_NOT_SUPPORTED;
      if (out != CUDA_R_32F && out != in) return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    switch (desc.epilogue) {
      case CUBLASLT_EPILOGUE_DEFAULT:
      case CUBLASLT_EPILOGUE_RELU:
      case CUBLASLT_EPILOGUE_GELU:
        break;
      case CUBLASLT_EPILOGUE_BIAS:
      case CUBLASLT_EPILOGUE_RELU_BIAS:
      case CUBLASLT_EPILOGUE_GELU_BIAS:
        // cuBLASLt takes a few other types for some outputs; that of D always works
        if (desc.bias_type != -1 && desc.bias_type != static_cast<std::int32_t>(out))
          return CUBLAS_STATUS_NOT_SUPPORTED;
        break;
      default:
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (desc.transposed[2] != CUBLAS_OP_N || desc.pointer_mode != CUBLASLT_POINTER_MODE_HOST)
      return CUBLAS_STATUS_NOT_SUPPORTED;
    for (const Matrix* m : {&a, &b, &c, &d})
      if (!m->valid() || m->layout.batches != d.layout.batches) return CUBLAS_STATUS_INVALID_VALUE;
    if (a.rows() != d.rows() || b.cols() != d.cols() || a.cols() != b.rows()) return CUBLAS_STATUS_INVALID_VALUE;
    if (c.rows() != d.rows() || c.cols() != d.cols()) return CUBLAS_STATUS_INVALID_VALUE;
    if (d.layout.batches > 1 && d.layout.batch_stride == 0) return CUBLAS_STATUS_INVALID_VALUE;
    return CUBLAS_STATUS_SUCCESS;
  }

  bool has_bias() const { return (desc.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0; }

  void check_pointers(const std::uint64_t* alignment) const {
    a.check("A", alignment[0]);
    b.check("B", alignment[1]);
    if (beta != 0) c.check("C", alignment[2]);
    d.check("D", alignment[3]);
    if (c.data == d.data && beta != 0 &&
        (c.layout.ld != d.layout.ld || c.layout.order != d.layout.order ||
         c.layout.batch_stride != d.layout.batch_stride))
      fail("cublasLtMatmul: C and D are the same memory in two layouts");
    if (!has_bias()) return;
    const std::size_t size = size_of(d.layout.type);
    const auto stride = static_cast<std::size_t>(desc.bias_stride) * static_cast<std::size_t>(d.layout.batches - 1);
    if (reinterpret_cast<std::uintptr_t>(desc.bias) % size != 0)
      fail("cublasLtMatmul: the bias at %p is misaligned", desc.bias);
    if (desc.bias == nullptr ||
        checked_device(desc.bias, (d.rows() + stride) * size, "cublasLtMatmul, bias") != current_device)
      fail("cublasLtMatmul: the bias at %p is not on the current device", desc.bias);
  }

  void operator()() const {
    if (desc.compute == CUBLAS_COMPUTE_64F || desc.compute == CUBLAS_COMPUTE_64F_PEDANTIC) {
      run<double>();
    } else {
      run<float>();
    }
  }

 private:
  /// Sums in T, in order of the inner dimension.
  template <class T>
  void run() const {
    const std::uint64_t m = d.rows(), n = d.cols(), k = a.cols();
    std::vector<T> left(m * k), right(k * n), sum(n);  // row-major copies
    for (std::uint64_t batch = 0; batch < static_cast<std::uint64_t>(d.layout.batches); ++batch) {
      unpack(a, batch, left);
      unpack(b, batch, right);
      for (std::uint64_t i = 0; i < m; ++i) {
        std::fill(sum.begin(), sum.end(), T(0));
        for (std::uint64_t l = 0; l < k; ++l) add_multiple(sum.data(), left[i * k + l], &right[l * n], n);
        for (std::uint64_t j = 0; j < n; ++j) finish(batch, i, j, sum[j]);
      }
    }
  }

  template <class T>
  void unpack(const Matrix& from, std::uint64_t batch, std::vector<T>& to) const {
    const bool tf32 = desc.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < from.rows(); ++i) {
      for (std::uint64_t j = 0; j < from.cols(); ++j) {
        const double x = load(from.data, from.at(batch, i, j), from.layout.type);
        to[at++] = static_cast<T>(tf32 ? to_tf32(x) : x);
      }
    }
  }

  template <class T>
#if defined(__clang__)
  __attribute__((no_sanitize("address", "undefined", "thread")))
#else
  __attribute__((no_sanitize("address", "undefined", "thread"), optimize("O3")))  // dev builds optimise little
#endif
  static void
  add_multiple(T* __restrict__ sum, T factor, const T* __restrict__ row, std::uint64_t n) {
    for (std::uint64_t j = 0; j < n; ++j) sum[j] += factor * row[j];
  }

  /// One element of D from its sum of products.
  template <class T>
  void finish(std::uint64_t batch, std::uint64_t i, std::uint64_t j, T sum) const {
    T x = static_cast<T>(alpha) * sum;
    if (beta != 0) x += static_cast<T>(beta) * static_cast<T>(load(c.data, c.at(batch, i, j), c.layout.type));
    if (has_bias()) {
      const auto at = static_cast<std::int64_t>(batch) * desc.bias_stride + static_cast<std::int64_t>(i);
      x += static_cast<T>(load(desc.bias, at, d.layout.type));
    }
    if ((desc.epilogue & CUBLASLT_EPILOGUE_RELU) != 0 && x < T(0)) x = T(0);
    if ((desc.epilogue & CUBLASLT_EPILOGUE_GELU) != 0) {
      constexpr T root_of_two_over_pi = T(0.79788456080286535588);
      x = T(0.5) * x * (T(1) + std::tanh(root_of_two_over_pi * (x + T(0.044715) * x * x * x)));
    }
    store(d.data, d.at(batch, i, j), static_cast<double>(x), d.layout.type);
  }
};

/// The product as the descriptors tell it, without pointers.
inline Matmul matmul_of(const cublasLtMatmulDescOpaque_t& desc, const cublasLtMatrixLayoutOpaque_t& a,
                        const cublasLtMatrixLayoutOpaque_t& b, const cublasLtMatrixLayoutOpaque_t& c,
                        const cublasLtMatrixLayoutOpaque_t& d) {
  return {desc,
          1.0,
          0.0,
          {nullptr, a, desc.transposed[0] != CUBLAS_OP_N},
          {nullptr, b, desc.transposed[1] != CUBLAS_OP_N},
          {nullptr, c},
          {nullptr, d}};
}

}  // namespace cuda_emulator

inline std::size_t cublasLtGetVersion() { return 130100; }
inline const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_MAPPING_ERROR:
      return "CUBLAS_STATUS_MAPPING_ERROR";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_LICENSE_ERROR:
      return "CUBLAS_STATUS_LICENSE_ERROR";
  }
  return "CUBLAS_STATUS_UNKNOWN";
}
inline const char* cublasLtGetStatusString(cublasStatus_t status) { return cublasLtGetStatusName(status); }
inline const char* cublasGetStatusName(cublasStatus_t status) { return cublasLtGetStatusName(status); }
inline const char* cublasGetStatusString(cublasStatus_t status) { return cublasLtGetStatusName(status); }

inline cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  return cuda_emulator::cublas_call([&] {
    *handle = new cublasLtContext{cuda_emulator::current_device};
    return CUBLAS_STATUS_SUCCESS;
  });
}
inline cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

inline cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                                 std::uint64_t cols, std::int64_t ld) {
  if (cuda_emulator::size_of(static_cast<std::uint32_t>(type)) == 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  *layout =
      new cublasLtMatrixLayoutOpaque_t{.type = static_cast<std::uint32_t>(type), .rows = rows, .cols = cols, .ld = ld};
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                       cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                       std::size_t size) {
  using cuda_emulator::set;
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_TYPE:
      return set(layout->type, value, size);
    case CUBLASLT_MATRIX_LAYOUT_ROWS:
      return set(layout->rows, value, size);
    case CUBLASLT_MATRIX_LAYOUT_COLS:
      return set(layout->cols, value, size);
    case CUBLASLT_MATRIX_LAYOUT_LD:
      return set(layout->ld, value, size);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return set(layout->batches, value, size);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return set(layout->batch_stride, value, size);
    case CUBLASLT_MATRIX_LAYOUT_ORDER: {
      std::int32_t order = -1;
      const cublasStatus_t status = set(order, value, size);
      if (status != CUBLAS_STATUS_SUCCESS) return status;
      if (order != CUBLASLT_ORDER_COL && order != CUBLASLT_ORDER_ROW) return CUBLAS_STATUS_NOT_SUPPORTED;
      layout->order = order;
      return CUBLAS_STATUS_SUCCESS;
    }
  }
  return CUBLAS_STATUS_NOT_SUPPORTED;
}

inline cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute,
                                               cudaDataType_t scale) {
  *desc = new cublasLtMatmulDescOpaque_t{.compute = compute, .scale = scale};
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
  delete desc;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                                     cublasLtMatmulDescAttributes_t attribute, const void* value,
                                                     std::size_t size) {
  using cuda_emulator::set;
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE:
      return set(desc->compute, value, size);
    case CUBLASLT_MATMUL_DESC_SCALE_TYPE:
      return set(desc->scale, value, size);
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
      return set(desc->pointer_mode, value, size);
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(desc->transposed[0], value, size);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(desc->transposed[1], value, size);
    case CUBLASLT_MATMUL_DESC_TRANSC:
      return set(desc->transposed[2], value, size);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(desc->epilogue, value, size);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(desc->bias, value, size);
    case CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE:
      return set(desc->bias_stride, value, size);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return set(desc->bias_type, value, size);
  }
  return CUBLAS_STATUS_NOT_SUPPORTED;
}

inline cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new cublasLtMatmulPreferenceOpaque_t;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                           cublasLtMatmulPreferenceAttributes_t attribute,
                                                           const void* value, std::size_t size) {
  using cuda_emulator::set;
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_SEARCH_MODE:
      return set(preference->search_mode, value, size);
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return set(preference->workspace, value, size);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return set(preference->reduction_schemes, value, size);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return set(preference->alignment[attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, size);
  }
  return CUBLAS_STATUS_NOT_SUPPORTED;
}

inline cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                                     cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                                     cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                                     cublasLtMatmulPreference_t preference, int requested,
                                                     cublasLtMatmulHeuristicResult_t results[], int* returned) {
  return cuda_emulator::cublas_call([&] {
    *returned = 0;
    if (handle == nullptr || preference == nullptr || requested < 1) return CUBLAS_STATUS_INVALID_VALUE;
    const cublasStatus_t status = cuda_emulator::matmul_of(*desc, *a, *b, *c, *d).check();
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    results[0] = {};
    for (int i = 0; i < 4; ++i) results[0].algo.data[i] = preference->alignment[i];
    results[0].algo.data[4] = results[0].workspaceSize = preference->workspace < 1024 ? 0 : 1024;
    results[0].wavesCount = 1.0f;
    *returned = 1;
    return CUBLAS_STATUS_SUCCESS;
  });
}

/// Without an algorithm it takes one that needs neither workspace nor alignment.
inline cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void* alpha,
                                     const void* A, cublasLtMatrixLayout_t a, const void* B, cublasLtMatrixLayout_t b,
                                     const void* beta, const void* C, cublasLtMatrixLayout_t c, void* D,
                                     cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                                     std::size_t workspace_size, cudaStream_t stream) {
  using namespace cuda_emulator;
  return cublas_call([&] {
    if (handle == nullptr || alpha == nullptr || beta == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (handle->device != current_device || stream_of(stream)->device != current_device)
      fail("cublasLtMatmul: handle, stream and current device are of different devices");
    Matmul matmul = matmul_of(*desc, *a, *b, *c, *d);
    if (const cublasStatus_t status = matmul.check(); status != CUBLAS_STATUS_SUCCESS) return status;
    matmul.alpha = load(alpha, 0, static_cast<std::uint32_t>(desc->scale));
    matmul.beta = load(beta, 0, static_cast<std::uint32_t>(desc->scale));
    matmul.a.data = const_cast<void*>(A);
    matmul.b.data = const_cast<void*>(B);
    matmul.c.data = const_cast<void*>(C);
    matmul.d.data = D;
    const cublasLtMatmulAlgo_t plain{};
    const cublasLtMatmulAlgo_t chosen = algorithm == nullptr ? plain : *algorithm;
    const std::size_t needed = chosen.data[4];
    if (workspace_size < needed) return CUBLAS_STATUS_INVALID_VALUE;
    if (needed != 0 && reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0)
      fail("cublasLtMatmul: the workspace at %p is not aligned to 256 bytes", workspace);
    if (needed != 0 && checked_device(workspace, workspace_size, "cublasLtMatmul, workspace") != current_device)
      fail("cublasLtMatmul: the workspace at %p is not on the current device", workspace);
    matmul.check_pointers(chosen.data);
    const auto work = [matmul, workspace, needed, device = current_device] {
      const Access access(device);
      if (needed != 0) std::memset(workspace, 0xFF, needed);  // shows whoever keeps something there
      matmul();
      memory(device).check_red_zones();
    };
    return enqueue(stream, work) == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
  });
}
