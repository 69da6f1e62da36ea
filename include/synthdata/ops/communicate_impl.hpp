// synthdata/ops/communicate_impl.hpp: bodies of ops/communicate.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/communicate.hpp>

namespace synthdata {

SYNTHDATA_INLINE Var all_sum(const Var& x, Communicator& communicator) {
  Tensor y = x.value().clone();
  communicator.reduce(y, Reduction::sum);
  return detail::linear_op("all_sum", std::move(y), x,
                           [&communicator](const Var& g) { return all_sum(g, communicator); });
}

}  // namespace synthdata
