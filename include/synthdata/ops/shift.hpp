// synthdata/ops/shift.hpp: each image of a batch moved by whole pixels of its own.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// y[n, i, j] = x[n, i - shifts[n, 0], j - shifts[n, 1]], zeros where that is beyond the image. Linear; the adjoint
/// shifts the other way.
/// @param x       [N, H, W, C]
/// @param shifts  i64 [N, 2], rows down and columns to the right
/// @throws ShapeError, DTypeError
Var shift_images(const Var& x, const Tensor& shifts);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/shift_impl.hpp>
#endif
