// synthdata/autodiff/var_impl.hpp: bodies of autodiff/var.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE std::vector<NodePtr> recorded_nodes(const std::vector<Var>& x) {
  bool any = false;
  for (const Var& v : x) any = any || v.requires_grad();
  std::vector<NodePtr> nodes;
  if (!any || !grad_enabled()) return nodes;
  nodes.reserve(x.size());
  for (const Var& v : x) nodes.push_back(v.node());
  return nodes;
}

}  // namespace synthdata::detail
