// synthdata/ops/resample.hpp: what average pooling and resizing have in common.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>
#include <synthdata/backend/window.hpp>

namespace synthdata::detail {

/// [N, spatial..., C] with one to three spatial axes as [N, D, H, W, C]. @throws ShapeError for another rank.
Shape volume_shape(const char* op, const Var& x);
/// The way back: drops leading spatial axes until `rank` axes are left.
Shape drop_unit_axes(const Shape& volume, int rank);

/// Weighted sums of x along its spatial axes; the adjoint has the transposed taps. Axes that x lacks need identities.
Var resample(const char* op, const Var& x, backend::SpatialTaps taps);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/resample_impl.hpp>
#endif
