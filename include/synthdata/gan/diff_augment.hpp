// synthdata/gan/diff_augment.hpp: differentiable augmentation of what a discriminator sees.
//
// With few images a discriminator learns them by heart. Augmenting only the real ones would teach the generator to make
// augmented images; here real and new images pass through the same random changes, and the generator's gradient passes
// through them too. Source: Zhao et al. 2020, arXiv:2006.10738. First layer of a discriminator:
//
//   Sequential{DiffAugment{}, Conv2d(...), ...}
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

namespace synthdata {

/// Images [N, H, W, C] with values in [-1, 1]; each image is changed by draws of its own.
struct DiffAugment {
  static constexpr const char* kind = "diff_augment";

  bool color = true;           ///< brightness +-0.5, saturation x 0 ... 2, contrast x 0.5 ... 1.5
  double translation = 0.125;  ///< up to this share of height and width, zeros come in
  double cutout = 0.5;         ///< a rectangle of this share of height and width is set to 0

  /// In training changes the images; in inference does nothing.
  Var operator()(const Var& x, Context& context) const {
    return context.training() ? (*this)(x, context.random("DiffAugment")) : x;
  }
  /// The changes with these random numbers. @throws ShapeError unless [N, H, W, C]; NumericError unless both shares are
  /// in [0, 1].
  Var operator()(const Var& x, Rng& rng) const;

  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

/// x + b, then away from each pixel's mean over the channels by s, then away from each image's mean by c.
/// @param brightness, saturation, contrast  [N, 1, 1, 1]: b, s, c
Var jitter_color(const Var& x, const Tensor& brightness, const Tensor& saturation, const Tensor& contrast);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/gan/diff_augment_impl.hpp>
#endif
