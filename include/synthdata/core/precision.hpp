// synthdata/core/precision.hpp: what matrix products and convolutions of f32 tensors are made of.
//
// Tensors, weights, sums and everything else stay f32. With bf16 the factors of a product are rounded to 8 significant
// bits on their way into it, where the processor multiplies such numbers faster (AVX512-BF16); elsewhere, and for f64,
// nothing changes. A gradient is computed with the precision of the operation it belongs to.
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
