// synthdata/ops/activation_impl.hpp: bodies of ops/activation.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/activation.hpp>

namespace synthdata::detail {

template <class F>
Var slope_times(const F& f, const Var& gradient, const Var& y) {
  if (grad_enabled()) return mul(gradient, f.slope(y, y));
  return Var(backend::map("activation", SlopeTimes<F>{f}, gradient.value(), y.value()));
}

SYNTHDATA_INLINE Var activated(const Activation& act, const Var& x) {
  using backend::cpu::Act;
  switch (act.kind) {
    case Act::none:
      return x;
    case Act::relu:
      return relu(x);
    case Act::leaky_relu:
      return leaky_relu(x, act.negative_slope);
    case Act::tanh:
      return tanh(x);
    case Act::sigmoid:
      return sigmoid(x);
  }
  throw Error("activated: unknown activation");
}

SYNTHDATA_INLINE Var through_activation(const Activation& act, const Var& gradient, const Var& y) {
  using backend::cpu::Act;
  switch (act.kind) {
    case Act::none:
      return gradient;
    case Act::relu:
      return slope_times(Relu{}, gradient, y);
    case Act::leaky_relu:
      return slope_times(LeakyRelu{act.negative_slope}, gradient, y);
    case Act::tanh:
      return slope_times(Tanh{}, gradient, y);
    case Act::sigmoid:
      return slope_times(Sigmoid{}, gradient, y);
  }
  throw Error("through_activation: unknown activation");
}

}  // namespace synthdata::detail
