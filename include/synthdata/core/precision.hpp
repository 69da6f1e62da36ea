// synthdata/core/precision.hpp: what matrix products and convolutions of f32 tensors are made of.
//
// Tensors, weights, sums and everything else stay f32. The factors of a product are rounded on their way into it, where
// the processor multiplies such numbers faster; f64 stays f64. A gradient is computed with the precision of the
// operation it belongs to.
//
//   f32    24 significant bits, everywhere
//   tf32   11, exponents of f32; GPUs from compute capability 8.0 on; elsewhere the same as f32
//   bf16   8, exponents of f32; GPUs, and CPUs with AVX512-BF16; other CPUs compute it as f32
//   f16    11, nothing above 65,504 and few bits below 6e-5, so gradients want a loss scale; GPUs; a CPU computes it as
//          f32
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace synthdata {

enum class Precision : std::uint8_t { f32, bf16, tf32, f16 };

namespace detail {
inline Precision& precision_of_thread() {
  static thread_local Precision precision = Precision::f32;
  return precision;
}
}  // namespace detail

/// The precision of products made by this thread's operations now.
inline Precision product_precision() { return detail::precision_of_thread(); }

/// Sets it until the end of the scope:   { const ProductPrecision bf16(Precision::bf16); y = matmul(a, b); }
class ProductPrecision {
 public:
  explicit ProductPrecision(Precision precision) : before_(product_precision()) {
    detail::precision_of_thread() = precision;
  }
  ~ProductPrecision() { detail::precision_of_thread() = before_; }
  ProductPrecision(const ProductPrecision&) = delete;
  ProductPrecision& operator=(const ProductPrecision&) = delete;

 private:
  Precision before_;
};

}  // namespace synthdata
