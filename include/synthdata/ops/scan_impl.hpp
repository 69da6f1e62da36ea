// synthdata/ops/scan_impl.hpp: bodies of ops/scan.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/scan.hpp>
#include <synthdata/ops/scan.hpp>

namespace synthdata {

SYNTHDATA_INLINE Var cumsum(const Var& x, int axis, const CumsumOptions& options) {
  const int k = x.shape().wrap(axis);
  return detail::linear_op(
      "cumsum", backend::cumsum(x.value(), k, options.reverse), x,
      [k, reverse = options.reverse](const Var& g) { return cumsum(g, k, {.reverse = !reverse}); });
}

}  // namespace synthdata
