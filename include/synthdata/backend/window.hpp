// synthdata/backend/window.hpp: kernels over the spatial axes of [N, D, H, W, C]: weighted sums and maxima.
//
// Average pooling, nearest and bilinear resizing and the adjoint of each are one kernel: a sparse matrix per spatial
// axis, applied one after the other. The adjoint has the transposed matrices.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

/// A sparse matrix that maps `inputs` positions of an axis to `outputs()`: row o holds the weights
/// [start[o], start[o + 1]) and the positions they apply to.
struct Taps {
  std::int64_t inputs = 1;
  std::vector<std::int64_t> start{0};
  std::vector<std::int64_t> index = {};
  std::vector<double> weight = {};

  std::int64_t outputs() const { return static_cast<std::int64_t>(start.size()) - 1; }
  void add(std::int64_t position, double w);
  void end_row();

  /// Every position maps to itself.
  static Taps identity(std::int64_t n);
  bool is_identity() const;
  Taps transposed() const;
};

/// The taps of the axes D, H and W.
struct SpatialTaps {
  Taps axis[3];
  SpatialTaps transposed() const;
};

/// x [N, D, H, W, C] -> [N, D', H', W', C], f32 or f64. Cost: the taps of D and H together, then those of W.
Tensor resample(const Tensor& x, const SpatialTaps& taps);

/// Sliding windows over D, H and W.
struct Windows {
  std::int64_t in[3], out[3], kernel[3], stride[3], padding[3];
};

/// The largest value of each window of x [N, D, H, W, C], the first one if several are equal; NaN wins.
/// `position`, if given, gets its place in D x H x W, i32. Every window must overlap the input.
Tensor max_window(const Tensor& x, const Windows& windows, Tensor* position);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/window_impl.hpp>
#endif
