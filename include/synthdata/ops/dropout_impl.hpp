// synthdata/ops/dropout_impl.hpp: bodies of ops/dropout.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/dropout.hpp>
#include <synthdata/ops/dropout.hpp>

namespace synthdata {
namespace detail {

/// Dropout with a given mask; without an activation it is linear and its own adjoint.
inline Var masked(const Var& x, const backend::DropoutMask& mask, const Activation& act) {
  Tensor y = backend::dropout(x.value(), mask, act.kind, act.negative_slope);
  if (act.kind == backend::cpu::Act::none) {
    return linear_op("dropout", std::move(y), x, [mask](const Var& g) { return masked(g, mask, {}); });
  }
  return record(
      "dropout", y,
      [mask, y, act](const Var& g, Backward& out) {
        if (!grad_enabled()) {
          out.add(0, backend::dropout_gradient(y, g.value(), mask, act.kind, act.negative_slope));
          return;
        }
        // The activation's output where it was kept; elsewhere 0, and so is the gradient that comes through the mask.
        const Var activation_output = out.output(y) * mask.keep();
        out.add(0, through_activation(act, masked(g, mask, {}), activation_output));
      },
      x);
}

}  // namespace detail

SYNTHDATA_INLINE Var dropout(const Var& x, double rate, Rng& rng, const Activation& activation) {
  if (!(rate >= 0.0 && rate < 1.0)) throw NumericError(concat("dropout: expects a rate in [0, 1), got ", rate));
  if (rate == 0.0) return detail::activated(activation, x);
  return detail::masked(x, backend::draw_dropout(x.size(), rate, rng), activation);
}

}  // namespace synthdata
