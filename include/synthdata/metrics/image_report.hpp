// synthdata/metrics/image_report.hpp: all numbers about a set of generated images in one table, beside those of real
// images, which show what a perfect generator would get.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classifier_score.hpp>
#include <synthdata/metrics/neighbours.hpp>
#include <synthdata/models/image_classifier.hpp>

namespace synthdata {

/// Numbers about one set of images.
struct ImageNumbers {
  std::int64_t count = 0;      ///< images
  double frechet = 0.0;        ///< Fréchet distance of the classifier's features to all real test images (not FID)
  ClassifierScore score;       ///< classes, confidence, inception-style score
  double nearest_mean = 0.0;   ///< Euclidean distance on pixels to the nearest real training image: mean
  double nearest_least = 0.0;  ///< and least; near 0 means copies
};

struct ImageReport {
  ImageNumbers synthetic;
  ImageNumbers real;            ///< the same of held-out real images: the ceiling
  double confident_from = 0.0;  ///< probability from which on an image counts as confident

  /// An aligned table, lines ending in '\n'.
  std::string str() const;
};

struct JudgeOptions {
  ClassifierScoreOptions score = {};
  std::uint64_t seed = 0;  ///< which real images are drawn for the ceiling
};

namespace detail {
ImageReport judge_images(const models::ImageClassifier& classifier, const Tensor& synthetic, const SampleReader& test,
                         const SampleReader& train, const Tensor& labels, const JudgeOptions& options);
}  // namespace detail

/// Judges generated images by a classifier of real ones.
/// @param synthetic  f32 [N, H, W, C], N >= 2, in the range of the data sets and of the classifier's training
/// @param test       real images the classifier was not trained on, two or more
/// @param train      those it was trained on, the generator too
/// @param labels     [N] classes the synthetic images were made for; undefined for none
/// The ceiling: N of the test images drawn at random (all, if there are fewer) are scored and compared with the
/// training images; its Fréchet distance is that of N random training images (all, if there are fewer) to the test
/// images.
/// @throws ShapeError, DTypeError, NumericError if something does not fit.
/// Cost: for 1,000 images and MNIST about 10^11 operations, most of them for the neighbours.
template <Dataset Test, Dataset Train>
ImageReport judge_images(const models::ImageClassifier& classifier, const Tensor& synthetic, const Test& test,
                         const Train& train, const Tensor& labels = {}, const JudgeOptions& options = {}) {
  return detail::judge_images(classifier, synthetic, detail::reader_of(test), detail::reader_of(train), labels,
                              options);
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/image_report_impl.hpp>
#endif
