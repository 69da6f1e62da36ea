// synthdata/backend/dropout.hpp: dropout kernels; the mask is drawn again wherever it is needed.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/epilogue.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

/// One draw of a mask: element i is kept or not as a function of these numbers and i alone. Each element takes 16
/// random bits and is kept if they make a number below `threshold`.
struct DropoutMask {
  std::uint64_t seed, stream, first;  ///< of Philox; first: the counter of the first block
  std::int32_t threshold;             ///< 1 ... 65536
  /// Probability of keeping an element; what is kept is divided by it.
  double keep() const { return threshold / 65536.0; }
};

/// Takes from rng the numbers for `size` elements. @param rate  probability of dropping, in [0, 1), rounded to 2^-16
DropoutMask draw_dropout(std::int64_t size, double rate, Rng& rng);

/// act(x) / keep where kept, else 0.
Tensor dropout(const Tensor& x, const DropoutMask& mask, cpu::Act act, double slope);
/// Gradient of x, from the gradient g of the result y.
Tensor dropout_gradient(const Tensor& y, const Tensor& g, const DropoutMask& mask, cpu::Act act, double slope);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/dropout_impl.hpp>
#endif
