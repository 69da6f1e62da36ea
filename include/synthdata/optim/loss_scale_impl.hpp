// synthdata/optim/loss_scale_impl.hpp: bodies of optim/loss_scale.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/optim/loss_scale.hpp>

namespace synthdata {

SYNTHDATA_INLINE bool LossScale::unscale(std::span<Tensor> gradients, double count) {
  const double share = 1.0 / (count * factor());
  if (share != 1.0) {
    for (Tensor& g : gradients) {
      if (g.defined()) g = (Var(g) * share).value();
    }
  }
  if (!active_) return true;
  Var total;  // not finite if any of them is not
  for (const Tensor& g : gradients) {
    if (g.defined()) total = total.defined() ? total + sum(Var(g) * 0.0) : sum(Var(g) * 0.0);
  }
  if (!total.defined() || total.item() == 0.0) {
    if (++good_updates_ == patience && exponent_ < 62) {
      ++exponent_;
      good_updates_ = 0;
    }
    return true;
  }
  if (exponent_ > 0) --exponent_;
  good_updates_ = 0;
  return false;
}

SYNTHDATA_INLINE void LossScale::restore(std::int64_t exponent, std::int64_t good_updates) {
  if (exponent < 0 || exponent > 62 || good_updates < 0) {
    throw DataError(concat("loss scale: 2^", exponent, " after ", good_updates, " good updates makes no sense"));
  }
  exponent_ = exponent;
  good_updates_ = good_updates;
}

}  // namespace synthdata
