// synthdata/metrics/classifier_score_impl.hpp: bodies of metrics/classifier_score.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classifier_score.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

/// exp of the mean divergence of rows [begin, end) from their mean: with 0 log 0 = 0.
SYNTHDATA_INLINE double split_score(const double* p, std::int64_t classes, std::int64_t begin, std::int64_t end) {
  std::vector<double> marginal(static_cast<std::size_t>(classes), 0.0);
  const double count = static_cast<double>(end - begin);
  double divergence = 0.0;
  for (std::int64_t i = begin * classes; i < end * classes; ++i) {
    marginal[static_cast<std::size_t>(i % classes)] += p[i] / count;
    if (p[i] > 0.0) divergence += p[i] * std::log(p[i]) / count;
  }
  for (const double m : marginal) {
    if (m > 0.0) divergence -= m * std::log(m);
  }
  return std::exp(divergence);
}

SYNTHDATA_INLINE void check_probabilities(const double* p, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row) {
    double sum = 0.0;
    bool fine = true;
    for (std::int64_t k = 0; k < classes; ++k) {
      const double value = p[row * classes + k];
      fine = fine && value >= 0.0;  // false for NaN
      sum += value;
    }
    if (!fine || !(std::fabs(sum - 1.0) < 1e-3)) {
      throw NumericError(concat("classifier_score: expects probabilities, but row ", row,
                                fine ? concat(" adds up to ", sum) : std::string(" has a value that is not >= 0")));
    }
  }
}

}  // namespace detail

SYNTHDATA_INLINE ClassifierScore classifier_score(const Tensor& probabilities, const Tensor& labels,
                                                  const ClassifierScoreOptions& options) {
  if (!probabilities.defined() || probabilities.rank() != 2 || probabilities.shape(0) < 1 ||
      probabilities.shape(1) < 1) {
    throw ShapeError(
        concat("classifier_score: expects probabilities [N, K] with N, K >= 1, got ", probabilities.str()));
  }
  if (!is_floating(probabilities.dtype())) detail::throw_not_floating("classifier_score", probabilities.dtype());
  const std::int64_t rows = probabilities.shape(0), classes = probabilities.shape(1);
  if (options.splits < 1 || options.splits > rows || !(options.confident >= 0.0 && options.confident <= 1.0)) {
    throw NumericError(concat("classifier_score: expects 1 to ", rows, " splits and a threshold in [0, 1], got ",
                              options.splits, " and ", options.confident));
  }
  const Tensor wide = probabilities.to(DType::f64);
  const double* p = wide.data<double>();
  detail::check_probabilities(p, rows, classes);

  ClassifierScore out;
  double sum = 0.0, squares = 0.0;
  for (std::int64_t s = 0; s < options.splits; ++s) {
    // parts that differ by one sample at most; s rows fits, as both are numbers of samples in memory
    const double score = detail::split_score(p, classes, s * rows / options.splits, (s + 1) * rows / options.splits);
    sum += score;
    squares += score * score;
  }
  const double parts = static_cast<double>(options.splits);
  out.score = sum / parts;
  out.score_deviation = std::sqrt(std::max(0.0, squares / parts - out.score * out.score));

  Tensor wanted;
  if (labels.defined()) {
    if (labels.rank() != 1 || labels.shape(0) != rows) {
      throw_shape("classifier_score", "expects one label for each sample",
                  {{"probabilities", probabilities}, {"labels", labels}});
    }
    if (is_floating(labels.dtype()) || labels.dtype() == DType::boolean) {
      throw DTypeError(concat("classifier_score: expects labels of u8, i32 or i64, got ", labels.str()));
    }
    wanted = labels.to(DType::i64);
  }
  out.histogram.assign(static_cast<std::size_t>(classes), 0);
  std::int64_t confident = 0, agreeing = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* best = std::max_element(p + row * classes, p + (row + 1) * classes);
    const std::int64_t likeliest = best - (p + row * classes);
    ++out.histogram[static_cast<std::size_t>(likeliest)];
    confident += *best >= options.confident;
    agreeing += wanted.defined() && std::as_const(wanted).data<std::int64_t>()[row] == likeliest;
    out.mean_confidence += *best / static_cast<double>(rows);
  }
  out.confident = static_cast<double>(confident) / static_cast<double>(rows);
  if (wanted.defined()) out.label_agreement = static_cast<double>(agreeing) / static_cast<double>(rows);
  return out;
}

}  // namespace synthdata
