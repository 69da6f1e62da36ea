// synthdata/data/augment/mix.hpp: batches whose samples are mixed in pairs, labels too: mixup and CutMix.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/dataset.hpp>

namespace synthdata {

/// A batch of which sample i is made of two: `share` of one with labels[i], the rest of one with partners[i].
struct MixedBatch {
  Tensor data;              ///< [N, ...] f32
  Tensor labels, partners;  ///< [N] i64; undefined where the batch has no labels
  float share = 1.0f;

  /// share at the label plus 1 - share at the partner's. @return f32 [N, classes]
  /// @throws DataError without labels, or if one is not in 0 ... classes - 1.
  Tensor targets(std::int64_t classes) const;
};

namespace random {

/// x = l a + (1 - l) b with l ~ Beta(alpha, alpha), one for the batch, the partners a random order of it.
/// Source: Zhang et al. 2018, arXiv:1710.09412.
struct Mixup {
  float alpha = 0.2f;

  /// @throws NumericError unless alpha > 0.
  MixedBatch operator()(const Batch& batch, Rng& rng) const;
};

/// A rectangle of each image [N, H, W, C] comes from its partner; its share of the area is 1 - l, l ~ Beta(alpha,
/// alpha), before it is cut at the border. Source: Yun et al. 2019, arXiv:1905.04899.
struct CutMix {
  float alpha = 1.0f;

  /// @throws NumericError unless alpha > 0; ShapeError unless the data are images.
  MixedBatch operator()(const Batch& batch, Rng& rng) const;
};

/// A draw from Beta(alpha, alpha). Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables".
double symmetric_beta(double alpha, Rng& rng);

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/mix_impl.hpp>
#endif
