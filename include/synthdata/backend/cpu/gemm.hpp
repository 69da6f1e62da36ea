// synthdata/backend/cpu/gemm.hpp: matrix product on raw pointers, row-major, with a fused epilogue.
//
// Every element of C is summed in the same order whatever the number of threads, so results are equal bit for bit.
// The instruction set (isa.hpp) does change them: with and without fused multiply-add, a sum rounds differently.
//
// Measured with benchmarks/kernels_bench on a Zen 4 core (FMA peak 117 GFLOP/s in f32), g++ 12 -O2, one thread: 110,
// 111 and 104 to 109 GFLOP/s for 256, 512 and 1024 cubed; two threads 213, 216, 212. AVX2 within 3 % of that, SSE2 38;
// f64 51 to 48 of 58; bf16 factors 200 to 220.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/epilogue.hpp>
#include <synthdata/config.hpp>
#include <synthdata/core/precision.hpp>

#include <cstdint>

namespace synthdata::backend::cpu {

/// C = act([C +] op(A) op(B) + bias).
/// @param trans_a, trans_b  A is [m, k], or [k, m] if trans_a; B is [k, n], or [n, k] if trans_b
/// @param lda, ldb, ldc     elements from one row to the next; C must not overlap A, B or the bias
void gemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
          const float* b, std::int64_t ldb, float* c, std::int64_t ldc, const Epilogue<float>& e = {},
          Precision precision = Precision::f32);
void gemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t lda,
          const double* b, std::int64_t ldb, double* c, std::int64_t ldc, const Epilogue<double>& e = {},
          Precision precision = Precision::f32);

}  // namespace synthdata::backend::cpu

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/cpu/gemm_impl.hpp>
#endif
