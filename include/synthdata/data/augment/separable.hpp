// synthdata/data/augment/separable.hpp: weighted means along rows and columns, which resizing and blurring are made of.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <vector>

namespace synthdata::detail {

/// For each result along one axis, the first source it takes and the weights of that and the following ones.
struct AxisWeights {
  std::int64_t results = 0, taps = 0;  ///< `taps` weights for each, 0 at the end where there are fewer
  std::vector<std::int64_t> first = {};
  std::vector<float> weights = {};
  std::vector<float> kernel = {};  ///< where all results take the same weights, centred, of the mirrored axis
};

/// A triangle around (i + 0.5) in / out - 0.5, as wide as the larger of one source and one result.
AxisWeights resize_weights(std::int64_t in, std::int64_t out);
/// A Gaussian to four standard deviations, the axis mirrored at its ends.
AxisWeights gaussian_weights(std::int64_t in, float sigma);

/// The weighted means of [H, W, C], along columns first. @return [rows.results, columns.results, C] of the same dtype.
Tensor filter_axes(const char* op, const Tensor& image, const AxisWeights& rows, const AxisWeights& columns);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/separable_impl.hpp>
#endif
