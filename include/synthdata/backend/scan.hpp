// synthdata/backend/scan.hpp: running sums along an axis.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

/// y[.., i, ..] = x[.., 0, ..] + ... + x[.., i, ..], or from i to the end. f32 or f64, summed in f64.
Tensor cumsum(const Tensor& x, int axis, bool reverse);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/scan_impl.hpp>
#endif
