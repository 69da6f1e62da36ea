// synthdata/metrics/classifier_score.hpp: what a classifier's probabilities say about generated samples.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <optional>
#include <vector>

namespace synthdata {

struct ClassifierScoreOptions {
  std::int64_t splits = 1;  ///< parts the samples are scored in, in their order; the source uses 10
  double confident = 0.95;  ///< a sample is confident from this probability of its likeliest class on
};

struct ClassifierScore {
  double score = 1.0;                   ///< mean over the splits; 1 (all alike) to the number of classes
  double score_deviation = 0.0;         ///< standard deviation over the splits
  std::vector<std::int64_t> histogram;  ///< samples by likeliest class
  double confident = 0.0;               ///< share of confident samples
  double mean_confidence = 0.0;         ///< mean probability of the likeliest class
  std::optional<double>
      label_agreement;  ///< share of samples whose likeliest class is their label, if labels are given
};

/// Inception-style score exp(E KL(p(y|x) || p(y))), where p(y) is the mean of p(y|x) over a split, and counts.
/// The score knows nothing of real data: a generator that repeats one perfect sample of each class gets the highest.
/// Source: Salimans et al. 2016, arXiv:1606.03498, section 4, with this classifier in place of Inception.
/// @param probabilities  [N, K], f32 or f64, rows add up to 1
/// @param labels         [N] u8, i32 or i64, the classes the samples were made for; undefined for none
/// @throws ShapeError, DTypeError if they do not fit; NumericError for rows that are no probabilities or options out of
///         range, such as more splits than samples.
ClassifierScore classifier_score(const Tensor& probabilities, const Tensor& labels = {},
                                 const ClassifierScoreOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classifier_score_impl.hpp>
#endif
