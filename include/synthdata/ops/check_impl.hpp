// synthdata/ops/check_impl.hpp: bodies of ops/check.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/check.hpp>

namespace synthdata {

SYNTHDATA_INLINE std::vector<Var> detail::leaves(const std::vector<Tensor>& at) {
  std::vector<Var> x;
  x.reserve(at.size());
  for (const Tensor& t : at) x.push_back(leaf(t));
  return x;
}

}  // namespace synthdata
