// synthdata/ops/activation.hpp: activations that a product or a convolution can apply as it writes its result.
//
// They are those whose slope is a function of their own output, so that a fused layer saves one tensor only.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/ops/pointwise.hpp>

namespace synthdata {

/// An activation fused into the operation before it: `linear(x, w, b, fused::leaky_relu(0.2))`.
struct Activation {
  backend::cpu::Act kind = backend::cpu::Act::none;
  double negative_slope = 0.0;
};

namespace fused {
inline constexpr Activation none{};
inline constexpr Activation relu{backend::cpu::Act::relu};
inline constexpr Activation tanh{backend::cpu::Act::tanh};
inline constexpr Activation sigmoid{backend::cpu::Act::sigmoid};
/// @param negative_slope  > 0
inline constexpr Activation leaky_relu(double negative_slope = 0.2) {
  return {backend::cpu::Act::leaky_relu, negative_slope};
}
}  // namespace fused

namespace detail {

template <class T>
backend::cpu::Epilogue<T> epilogue(const Activation& act, const Tensor& bias) {
  backend::cpu::Epilogue<T> e;
  if (bias.defined()) e.bias = bias.data<T>();
  e.act = act.kind;
  e.slope = static_cast<T>(act.negative_slope);
  return e;
}

/// The activation as an operation of its own: what the fused one is held against.
Var activated(const Activation& act, const Var& x);

/// Gradient before the activation, from the gradient after it and the output y: one fused pass, or recorded.
Var through_activation(const Activation& act, const Var& gradient, const Var& y);

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/activation_impl.hpp>
#endif
