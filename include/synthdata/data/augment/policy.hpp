// synthdata/data/augment/policy.hpp: augmentations put together: one after the other, or a random choice of them.
//
// A policy is an augmentation too, so policies nest. They print themselves and are kept as JSON:
//
//   random::Sequence policy{{random::Flip{}, {random::Rotate{.degrees = {-10, 10}}, 0.5f}}};
//   save_augmentation("policy.json", policy);
//   auto data = ImageFolder("photos") | augment(load_augmentation("policy.json"));
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {
namespace random {

/// Each step in turn, with its probability.
struct Sequence {
  std::vector<AugmentationStep> steps = {};

  static constexpr const char* name = "sequence";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("steps", self.steps);
  }
  Tensor operator()(Tensor sample, Rng& rng) const;
};

/// `count` of the augmentations, one after the other, each draw among all of them; a step's probability is its weight.
struct Choice {
  std::vector<AugmentationStep> of = {};
  std::int64_t count = 1;

  static constexpr const char* name = "choice";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("of", self.of);
    v("count", self.count, 0.0, 1000.0);
  }
  Tensor operator()(Tensor sample, Rng& rng) const;
};

/// `count` of thirteen augmentations of images at one strength. Source: Cubuk et al. 2019, arXiv:1909.13719; their list
/// without equalising the histogram, which is left to autocontrast.
struct RandAugment {
  std::int64_t count = 2;
  float magnitude = 0.3f;      ///< 0 leaves the image nearly alone, 1 is the strongest (the paper's M = 30)
  float fill = 0.5f;           ///< beyond the border; 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "rand_augment";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("count", self.count, 0.0, 1000.0);
    v("magnitude", self.magnitude, 0.0, 1.0);
    v("fill", self.fill);
    v("range", self.range);
  }
  Tensor operator()(Tensor sample, Rng& rng) const;
};

}  // namespace random

/// The augmentations of this library. Add types of your own to the copy.
AugmentationKinds built_in_augmentations();

/// Writes an augmentation as JSON. @throws DataError if the file cannot be written
void save_augmentation(const std::string& path, const Augmentation& augmentation);
/// Reads it back. @throws DataError naming the file if it is not one; NumericError for parameters beyond their limits
Augmentation load_augmentation(const std::string& path, const AugmentationKinds& kinds = built_in_augmentations());

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/policy_impl.hpp>
#endif
