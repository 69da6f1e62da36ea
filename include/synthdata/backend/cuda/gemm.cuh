// synthdata/backend/cuda/gemm.cuh: matrix products by cuBLASLt.
//
// cuBLASLt counts columns first, so what is computed is Cᵀ = op(B)ᵀ op(A)ᵀ, and no matrix is moved. Bias and ReLU run
// in its epilogue, other activations in a pass of their own. What it chose for a product is remembered.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/passes.cuh>
#include <synthdata/backend/device_kernels.hpp>

#include <cublasLt.h>

#include <compare>
#include <map>

namespace synthdata::cuda {

inline void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) [[unlikely]]
    throw CudaError(concat(what, ": ", cublasLtGetStatusName(status), ", ", cublasLtGetStatusString(status)));
}

/// Everything cuBLASLt's choice depends on.
struct GemmKey {
  std::int64_t m, n, k, count;
  bool trans_a, trans_b;
  cudaDataType_t factors, result;
  cublasComputeType_t compute;
  cublasLtEpilogue_t epilogue;
  std::int64_t alignment;  // bytes that all addresses are multiples of, up to 256
  auto operator<=>(const GemmKey&) const = default;
};

/// The key of a product of tensors of `dtype`, with the bias and activation that fit the epilogue.
inline GemmKey gemm_key(const backend::GemmCall& call, DType dtype, bool bias, std::int64_t alignment) {
  GemmKey key{call.m,       call.n,     call.k,     call.count,         call.trans_a,
              call.trans_b, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUBLASLT_EPILOGUE_DEFAULT,
              alignment};
  if (dtype == DType::f64) {
    key.factors = key.result = CUDA_R_64F;
    key.compute = CUBLAS_COMPUTE_64F;
    return key;
  }
  if (call.precision == Precision::tf32) key.compute = CUBLAS_COMPUTE_32F_FAST_TF32;
  if (call.precision == Precision::bf16) key.factors = CUDA_R_16BF;
  if (call.precision == Precision::f16) key.factors = CUDA_R_16F;
  const bool relu = call.act == backend::cpu::Act::relu;
  if (bias) {
    key.epilogue = relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  } else if (relu) {
    key.epilogue = CUBLASLT_EPILOGUE_RELU;
  }
  return key;
}

/// A product ready to run: descriptions and the algorithm chosen.
struct GemmPlan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
};

/// cuBLASLt on one GPU.
class Gemm {
 public:
  static constexpr std::size_t most_workspace = std::size_t{32} << 20;  // bytes; NVIDIA's advice for Hopper

  Gemm() { check(cublasLtCreate(&handle_), "cublasLtCreate"); }
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  void run(const Queue& queue, const backend::GemmCall& call, const Tensor& a, const Tensor& b, const Tensor& bias,
           Tensor& c) {
    if (call.k == 0) {
      c.fill(0.0);
      return finish(queue, call, bias, c);
    }
    const bool narrow =
        c.dtype() == DType::f32 && (call.precision == Precision::bf16 || call.precision == Precision::f16);
    const auto factor = [&](const Tensor& x) {
      if (!narrow) return x;
      return call.precision == Precision::bf16 ? factors_of<__nv_bfloat16>(queue, x) : factors_of<__half>(queue, x);
    };
    const Tensor left = factor(a), right = factor(b);
    const void* const added = bias.defined() ? bias.address() : c.address();
    const std::int64_t alignment = common_alignment({left.address(), right.address(), c.address(), added}, 256);
    const GemmKey key = gemm_key(call, c.dtype(), bias.defined(), alignment);
    const UseDevice use(queue.device);
    const std::lock_guard lock(mutex_);
    GemmPlan& plan = plan_of(key);
    if (bias.defined() && key.epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
      const void* address = bias.address();
      check(cublasLtMatmulDescSetAttribute(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &address, sizeof address),
            "matmul: bias");
    }
    const Tensor workspace = Tensor::empty({static_cast<std::int64_t>(plan.workspace)}, DType::u8, c.device());
    const double one = 1.0, zero = 0.0;
    const float one_f = 1.0f, zero_f = 0.0f;
    const bool wide = c.dtype() == DType::f64;
    check(cublasLtMatmul(handle_, plan.operation, wide ? static_cast<const void*>(&one) : &one_f, right.address(),
                         plan.a, left.address(), plan.b, wide ? static_cast<const void*>(&zero) : &zero_f, c.address(),
                         plan.c, c.address(), plan.c, &plan.algorithm, const_cast<void*>(workspace.address()),
                         plan.workspace, queue.stream),
          "matmul");
    if (key.epilogue == CUBLASLT_EPILOGUE_DEFAULT) {
      finish(queue, call, bias, c);
    } else if (call.act != backend::cpu::Act::relu) {
      finish(queue, call, {}, c);
    }
  }

 private:
  static void finish(const Queue& queue, const backend::GemmCall& call, const Tensor& bias, Tensor& c) {
    c.dtype() == DType::f32 ? run_bias_act<float>(queue, bias, call.act, call.slope, c)
                            : run_bias_act<double>(queue, bias, call.act, call.slope, c);
  }

  static cublasLtMatrixLayout_t layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns,
                                       std::int64_t count) {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns),
                                     rows),
          "matmul: layout");
    if (count > 1) {
      const auto batch = static_cast<std::int32_t>(count);
      const std::int64_t stride = rows * columns;
      check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch),
            "matmul: layout");
      check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride),
            "matmul: layout");
    }
    return made;
  }

  GemmPlan& plan_of(const GemmKey& key) {
    GemmPlan& plan = plans_[key];
    if (plan.operation) return plan;
    const cudaDataType_t scale = key.result;
    check(cublasLtMatmulDescCreate(&plan.operation, key.compute, scale), "matmul: description");
    const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
      check(cublasLtMatmulDescSetAttribute(plan.operation, attribute, &value, sizeof value), "matmul: description");
    };
    // Our B comes first. A row-major matrix is the transposed one in columns, so "not transposed" stays that.
    set(CUBLASLT_MATMUL_DESC_TRANSA, key.trans_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, key.trans_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, key.epilogue);
    plan.a = key.trans_b ? layout(key.factors, key.k, key.n, key.count) : layout(key.factors, key.n, key.k, key.count);
    plan.b = key.trans_a ? layout(key.factors, key.m, key.k, key.count) : layout(key.factors, key.k, key.m, key.count);
    plan.c = layout(key.result, key.n, key.m, key.count);

    cublasLtMatmulPreference_t preference = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preference), "matmul: preference");
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      check(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value), "matmul: preference");
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, most_workspace);
    const auto alignment = static_cast<std::uint32_t>(key.alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment);
    cublasLtMatmulHeuristicResult_t result{};
    int found = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle_, plan.operation, plan.a, plan.b, plan.c,
                                                                 plan.c, preference, 1, &result, &found);
    cublasLtMatmulPreferenceDestroy(preference);
    if (status != CUBLAS_STATUS_SUCCESS || found == 0) {
      plans_.erase(key);
      throw CudaError(concat("matmul: cuBLASLt has no algorithm for ", key.count, " products of ", key.m, " x ", key.k,
                             " and ", key.k, " x ", key.n, " (", cublasLtGetStatusName(status), ")"));
    }
    plan.algorithm = result.algo;
    plan.workspace = result.workspaceSize;
    return plan;
  }

  cublasLtHandle_t handle_ = nullptr;
  std::mutex mutex_;
  std::map<GemmKey, GemmPlan> plans_;  // never destroyed, like the device it belongs to
};

}  // namespace synthdata::cuda
