// synthdata/ops/scan.hpp: running sums. The adjoint of a running sum is the one that runs the other way.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

struct CumsumOptions {
  bool reverse = false;  ///< sum from each element to the end instead of from the start
};

/// y[i] = x[0] + ... + x[i] along an axis. Sums are kept in f64.
Var cumsum(const Var& x, int axis, const CumsumOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/scan_impl.hpp>
#endif
