// synthdata/tabular/softmax_draw.hpp: draws from many softmaxes of the same width side by side.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/functor/math.hpp>

#include <cstdint>

namespace synthdata::models::detail {

/// What is drawn by the softmax of logits alone, by its product with weights that all rows have in common, or with
/// weights of each row's own.
enum class DrawWeights : std::uint8_t { none, common, own };

/// A place i of `width` for each lane, with a probability in proportion to weight[i] exp(logit[i]).
template <int lanes, DrawWeights by>
struct SoftmaxDraw {
  std::int64_t width;
  float* scratch;  ///< [width, lanes]

  /// @param logits, weights  of each lane; common weights are those of the first   @param uniform in [0, 1]
  /// @param drawn  -1 where no place has a weight, or a number is not one
  /// @param share  the softmax's sum over weight[i] softmax(logits)[i]
  SYNTHDATA_HD void operator()(const float* const* logits, const float* const* weights, const float* uniform,
                               std::int64_t* drawn, float* share) const {
    alignas(64) float peak[lanes], all[lanes], sum[lanes], left[lanes], below[lanes];
    for (int l = 0; l < lanes; ++l) peak[l] = logits[l][0];
    for (std::int64_t i = 0; i < width; ++i) {
      float* const x = scratch + i * lanes;
      for (int l = 0; l < lanes; ++l) x[l] = logits[l][i];
      SYNTHDATA_IVDEP
      for (int l = 0; l < lanes; ++l) peak[l] = x[l] > peak[l] ? x[l] : peak[l];
    }
    for (int l = 0; l < lanes; ++l) all[l] = sum[l] = below[l] = 0.0f;
    for (std::int64_t i = 0; i < width; ++i) {  // sums up to each place
      float* const x = scratch + i * lanes;
      alignas(64) float weight[lanes];
      if constexpr (by == DrawWeights::own) {
        for (int l = 0; l < lanes; ++l) weight[l] = weights[l][i];
      }
      const float of_all = by == DrawWeights::common ? weights[0][i] : 1.0f;
      SYNTHDATA_IVDEP
      for (int l = 0; l < lanes; ++l) {
        const float e = math::exp(x[l] - peak[l]);
        all[l] += e;
        x[l] = sum[l] += by == DrawWeights::own ? weight[l] * e : of_all * e;
      }
    }
    for (int l = 0; l < lanes; ++l) {
      share[l] = sum[l] / all[l];
      left[l] = sum[l] * uniform[l];
    }
    for (std::int64_t i = 0; i < width; ++i) {
      const float* const x = scratch + i * lanes;
      SYNTHDATA_IVDEP
      for (int l = 0; l < lanes; ++l) below[l] += x[l] <= left[l] ? 1.0f : 0.0f;
    }
    for (int l = 0; l < lanes; ++l) {
      drawn[l] = static_cast<std::int64_t>(below[l]);
      if (!(sum[l] > 0.0f)) drawn[l] = -1;
      // Rounding may leave nothing beyond `left`: then it is the last place that adds to the sum.
      while (drawn[l] >= width ||
             (drawn[l] > 0 && scratch[drawn[l] * lanes + l] == scratch[(drawn[l] - 1) * lanes + l])) {
        --drawn[l];
      }
    }
  }
};

}  // namespace synthdata::models::detail
