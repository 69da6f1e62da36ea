// synthdata/metrics/classify/classifier_impl.hpp: bodies of classify/classifier.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/classifier.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata::detail {

inline void check_values(const char* classifier, const Tensor& x, bool missing) {
  const double* values = x.data<double>();
  const std::int64_t width = x.shape(1);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(values[i]) || (missing && std::isnan(values[i]))) continue;
    throw NumericError(concat(classifier, ": row ", i / width, ", column ", i % width, " is ", values[i],
                              "; expects a finite number"));
  }
}

inline void check_matrix(const char* classifier, const Tensor& x) {
  if (!x.defined() || x.rank() != 2) throw ShapeError(concat(classifier, ": expects rows [N, D], got ", x.str()));
  if (x.dtype() != DType::f64) throw DTypeError(concat(classifier, ": expects rows of f64, got ", x.str()));
}

SYNTHDATA_INLINE TrainingRows training_rows(const char* classifier, const Tensor& x, const Tensor& y, bool missing) {
  check_matrix(classifier, x);
  if (!y.defined() || y.rank() != 1 || y.shape(0) != x.shape(0)) {
    throw ShapeError(concat(classifier, ": expects a class for each of ", x.shape(0), " rows, got ", y.str()));
  }
  if (y.dtype() != DType::i64) throw DTypeError(concat(classifier, ": expects classes of i64, got ", y.str()));
  if (x.shape(0) == 0) throw NumericError(concat(classifier, ": there is no row to learn from"));
  check_values(classifier, x, missing);
  TrainingRows rows{x.data<double>(), y.data<std::int64_t>(), x.shape(0), x.shape(1)};
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    if (rows.y[i] < 0 || rows.y[i] >= 1000) {
      throw NumericError(concat(classifier, ": row ", i, " has class ", rows.y[i], "; expects 0 to 999"));
    }
    rows.classes = std::max(rows.classes, rows.y[i] + 1);
  }
  return rows;
}

SYNTHDATA_INLINE const double* rows_to_classify(const char* classifier, const Tensor& x, std::int64_t width,
                                                bool missing) {
  if (width < 0) throw Error(concat(classifier, ": has not been fitted"));
  check_matrix(classifier, x);
  if (x.shape(1) != width) {
    throw ShapeError(concat(classifier, ": was fitted to ", width, " columns, got ", x.str()));
  }
  check_values(classifier, x, missing);
  return x.data<double>();
}

SYNTHDATA_INLINE std::vector<double> row_weights(const TrainingRows& rows, ClassWeight weight) {
  std::vector<double> of_class(static_cast<std::size_t>(rows.classes), 0.0);
  for (std::int64_t i = 0; i < rows.rows; ++i) of_class[static_cast<std::size_t>(rows.y[i])] += 1.0;
  const auto present =
      static_cast<double>(std::count_if(of_class.begin(), of_class.end(), [](double n) { return n > 0; }));
  for (double& n : of_class) {
    if (n > 0.0) n = weight == ClassWeight::equal ? 1.0 : static_cast<double>(rows.rows) / (present * n);
  }
  std::vector<double> weights(static_cast<std::size_t>(rows.rows));
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    weights[static_cast<std::size_t>(i)] = of_class[static_cast<std::size_t>(rows.y[i])];
  }
  return weights;
}

SYNTHDATA_INLINE std::vector<std::int64_t> likeliest(const Tensor& probabilities) {
  const std::int64_t classes = probabilities.shape(1);
  std::vector<std::int64_t> best(static_cast<std::size_t>(probabilities.shape(0)));
  const double* p = probabilities.data<double>();
  for (std::size_t i = 0; i < best.size(); ++i, p += classes) best[i] = std::max_element(p, p + classes) - p;
  return best;
}

}  // namespace synthdata::detail
