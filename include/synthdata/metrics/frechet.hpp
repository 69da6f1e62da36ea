// synthdata/metrics/frechet.hpp: how far two sets of features are apart, seen as Gaussians.
//
// With features of InceptionV3 this number is known as FID. Here the features are the caller's, such as those of
// models::ImageClassifier, so only numbers made with the same features compare.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

namespace synthdata {

/// Fréchet distance between Gaussians fitted to two feature sets. Source: Heusel et al. 2017, arXiv:1706.08500.
/// |mean_a - mean_b|² + trace(A + B - 2 (A B)^½) with the unbiased covariances A and B (divided by N - 1).
/// @param a, b  features [N, D], f32 or f64, N >= 2, in the same unit
/// @return      squared distance in that unit, >= 0; biased upward for small N, so compare at equal N only
/// @throws ShapeError if D differs or N < 2; NumericError for features that are not finite.
/// Cost: O(N D² + D³) time, O(D²) memory, CPU, f64, one thread.
double frechet_distance(const Tensor& a, const Tensor& b);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/frechet_impl.hpp>
#endif
