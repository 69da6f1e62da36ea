// synthdata/backend/norm.hpp: kernels of batch, layer, group and instance normalisation.
//
// All four are one operation on x [samples, rows, channels]: mean and variance run over the rows and over the channels
// of one group. Batch norm is one sample with as many groups as channels; layer norm has one row and one group.
// Sums are cut into chunks of at most 256 rows and combined in f64: accurate, and the same bits for any number of
// threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/epilogue.hpp>
#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

struct NormShape {
  std::int64_t samples, rows, channels, groups;
  /// Values that share a mean.
  std::int64_t count() const { return rows * (channels / groups); }
};

/// Mean and variance (divided by the count), [samples, groups].
struct NormMoments {
  Tensor mean, variance;
};

/// What scales, shifts and activates the normalised values.
struct NormAffine {
  Tensor gamma = {}, beta = {};  ///< [channels], or undefined: 1 and 0
  double epsilon = 1e-5;         ///< added to the variance
  cpu::Act act = cpu::Act::none;
  double slope = 0.0;  ///< of leaky_relu
};

/// act((x - mean) / sqrt(variance + epsilon) gamma + beta) with the moments of x, which are handed out too.
Tensor norm(const Tensor& x, const NormShape& shape, const NormAffine& affine, NormMoments& moments);
/// The moments of x alone; not for layer norm.
NormMoments norm_moments(const Tensor& x, const NormShape& shape);
/// The same as norm() with given moments.
Tensor norm_apply(const Tensor& x, const NormShape& shape, const NormMoments& moments, const NormAffine& affine);

/// Which gradients are asked for.
struct NormWanted {
  bool x, gamma, beta;
};
struct NormGradients {
  Tensor x, gamma, beta;  ///< undefined where not asked for
};
/// Gradients of norm and norm_apply, two passes over x and g. The output is computed again where the activation needs
/// it.
/// @param constant_moments  the moments are given numbers, not those of x
NormGradients norm_gradients(const Tensor& x, const Tensor& g, const NormShape& shape, const NormMoments& moments,
                             const NormAffine& affine, const NormWanted& wanted, bool constant_moments);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/norm_impl.hpp>
#endif
