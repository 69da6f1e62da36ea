// synthdata/ops/pool.hpp: average and max pooling in one, two and three dimensions.
//
// x is [N, spatial..., C] with one to three spatial axes. Windows are cut off at the border: padding is never a
// maximum. Given its windows an average is linear, given its winners a maximum is: the adjoints are linear operations
// too and derivatives of every order exist.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>
#include <synthdata/ops/extents.hpp>

namespace synthdata {

struct PoolOptions {
  Extents kernel;                 ///< extent of the window
  Extents stride = 0;             ///< distance between windows; 0: the kernel's extent
  Extents padding = 0;            ///< positions added on both sides, less than the kernel's extent
  bool count_include_pad = true;  ///< averages: divide by the kernel's extent at the border too
};

/// Largest value of each window. [N, spatial..., C] -> [N, (spatial + 2 padding - kernel) / stride + 1 ..., C].
/// Of equal values the first gets the gradient; NaN wins. @throws ShapeError if the extents do not fit.
Var max_pool(const Var& x, const PoolOptions& options);

/// Mean of each window. Shapes as max_pool. @throws ShapeError if the extents do not fit.
Var avg_pool(const Var& x, const PoolOptions& options);

/// Mean over the spatial axes. [N, spatial..., C] -> [N, C].
Var global_avg_pool(const Var& x);
/// Maximum over the spatial axes. [N, spatial..., C] -> [N, C].
Var global_max_pool(const Var& x);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/pool_impl.hpp>
#endif
