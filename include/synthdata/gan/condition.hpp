// synthdata/gan/condition.hpp: how labels enter a net, and how samples are packed.
//
// Labels go into both nets as one-hot features appended to the last axis (Mirza and Osindero 2014, arXiv:1411.1784), so
// any net can be made conditional by widening its first layer.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// Appends one-hot labels to the last axis, repeated over all positions.
/// x [N, ..., C], labels i64 [N] in 0 ... classes - 1 -> [N, ..., C + classes].
/// @throws ShapeError if there is not one label for each sample.
Var append_labels(const Var& x, const Tensor& labels, std::int64_t classes);

/// Puts `count` consecutive samples side by side on the last axis, so that a critic sees them together.
/// x [N, ..., C] -> [N / count, ..., count C]. Source: Lin et al. 2018 (PacGAN), arXiv:1712.04086, section 3.
/// @throws ShapeError if count does not divide N.
Var pack(const Var& x, std::int64_t count);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/gan/condition_impl.hpp>
#endif
