// synthdata/metrics/classify/logistic_regression_impl.hpp: bodies of classify/logistic_regression.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/classify/classifier_impl.hpp>
#include <synthdata/metrics/classify/logistic_regression.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>

namespace synthdata {

namespace detail {

/// What L-BFGS came to.
struct LbfgsResult {
  Eigen::VectorXd at;
  std::int64_t iterations = 0;
  bool converged = false;
};

/// Least value of a smooth function, from 0. @param f  value, writes the slope
inline LbfgsResult lbfgs(std::int64_t size, std::int64_t max_iterations, double tolerance,
                         const std::function<double(const Eigen::VectorXd&, Eigen::VectorXd&)>& f) {
  constexpr std::size_t memory = 10;
  LbfgsResult result{.at = Eigen::VectorXd::Zero(size)};
  Eigen::VectorXd slope(size), new_slope(size), at(size), direction(size);
  std::vector<Eigen::VectorXd> steps, turns;
  double value = f(result.at, slope);
  for (; result.iterations < max_iterations; ++result.iterations) {
    if (slope.cwiseAbs().maxCoeff() <= tolerance) {
      result.converged = true;
      return result;
    }
    direction = -slope;
    std::vector<double> shares(steps.size());
    for (std::size_t i = steps.size(); i-- > 0;) {
      shares[i] = steps[i].dot(direction) / steps[i].dot(turns[i]);
      direction -= shares[i] * turns[i];
    }
    if (!steps.empty()) {
      direction *= steps.back().dot(turns.back()) / turns.back().squaredNorm();
    } else {
      direction /= std::max(1.0, slope.norm());
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      direction += (shares[i] - turns[i].dot(direction) / steps[i].dot(turns[i])) * steps[i];
    }
    // Weak Wolfe conditions by bisection: enough descent, and a slope that has become flatter.
    const double descent = slope.dot(direction);
    double low = 0.0, high = 0.0, length = 1.0, next = value;
    bool found = false;
    for (int tries = 0; tries < 60 && !found; ++tries) {
      at = result.at + length * direction;
      next = f(at, new_slope);
      if (!(next <= value + 1e-4 * length * descent)) {
        high = length;
      } else if (new_slope.dot(direction) < 0.9 * descent) {
        low = length;
      } else {
        found = true;
        break;
      }
      length = high > 0.0 ? (low + high) / 2.0 : 2.0 * low;
    }
    if (!found) return result;  // no descent left that f64 can tell
    Eigen::VectorXd step = at - result.at, turn = new_slope - slope;
    if (step.dot(turn) > 1e-12 * turn.squaredNorm() * 1e-4) {
      if (steps.size() == memory) steps.erase(steps.begin()), turns.erase(turns.begin());
      steps.push_back(std::move(step));
      turns.push_back(std::move(turn));
    }
    result.at = at;
    value = next;
    slope = new_slope;
  }
  return result;
}

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Turns scores [n, L] into the probabilities of the classes, L = 1 for two of them, and adds up -weight log p.
inline double logistic_errors(RowMatrix& scores, const std::int64_t* y, const double* weights) {
  double loss = 0.0;
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    if (scores.cols() == 1) {
      const double score = scores(i, 0), sign = y[i] == 1 ? 1.0 : -1.0;
      const double e = std::exp(-std::abs(score));
      loss += weights[i] * (std::log1p(e) + std::max(0.0, -sign * score));
      scores(i, 0) = weights[i] * ((score >= 0.0 ? 1.0 : e) / (1.0 + e) - (y[i] == 1 ? 1.0 : 0.0));
    } else {
      const double high = scores.row(i).maxCoeff();
      const double sum = (scores.row(i).array() - high).exp().sum();
      loss += weights[i] * (high + std::log(sum) - scores(i, y[i]));
      scores.row(i) = (scores.row(i).array() - high).exp() * (weights[i] / sum);
      scores(i, y[i]) -= weights[i];
    }
  }
  return loss;
}

}  // namespace detail

SYNTHDATA_INLINE LogisticRegression::LogisticRegression(const LogisticRegressionOptions& options) : options_(options) {
  if (!(options.c > 0.0) || options.max_iterations < 1 || !(options.tolerance > 0.0)) {
    throw NumericError(concat("logistic_regression: expects c > 0, max_iterations >= 1, tolerance > 0, got ", options.c,
                              ", ", options.max_iterations, ", ", options.tolerance));
  }
}

SYNTHDATA_INLINE void LogisticRegression::fit(const Tensor& x, const Tensor& y) {
  const detail::TrainingRows rows = detail::training_rows(name, x, y);
  const std::vector<double> weights = detail::row_weights(rows, options_.class_weight);
  std::vector<std::int64_t> of_class(static_cast<std::size_t>(rows.classes), 0);
  for (std::int64_t i = 0; i < rows.rows; ++i) ++of_class[static_cast<std::size_t>(rows.y[i])];
  for (std::size_t k = 0; k < of_class.size(); ++k) {
    if (of_class[k] == 0) throw NumericError(concat("logistic_regression: class ", k, " has no row"));
  }
  width_ = rows.width;
  classes_ = rows.classes;
  const std::int64_t lines = classes_ > 2 ? classes_ : 1, width = rows.width;
  const auto n = static_cast<double>(rows.rows);

  // Columns of mean 0 and deviation 1. Shifting them changes the intercepts only; what scaling does to the penalty is
  // undone there, so the least value is that of the columns as given.
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(width), scale = Eigen::VectorXd::Zero(width);
  const Eigen::Map<const detail::RowMatrix> given(rows.x, rows.rows, width);
  for (Eigen::Index i = 0; i < given.rows(); ++i) mean += given.row(i).transpose() / n;
  for (Eigen::Index i = 0; i < given.rows(); ++i) {
    scale += (given.row(i).transpose() - mean).cwiseAbs2() / n;
  }
  scale = scale.cwiseSqrt();
  for (double& s : scale) {
    if (!(s > 0.0)) s = 1.0;  // a constant column: its coefficient is 0
  }
  detail::RowMatrix columns = given;
  parallel_for(rows.rows, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (Eigen::Index i = begin; i < end; ++i) {
      columns.row(i) = ((given.row(i).transpose() - mean).array() / scale.array()).transpose();
    }
  });

  constexpr std::int64_t chunk = 1024;
  const std::int64_t chunks = (rows.rows + chunk - 1) / chunk;
  std::vector<detail::RowMatrix> slopes(static_cast<std::size_t>(chunks));
  std::vector<double> losses(static_cast<std::size_t>(chunks));
  double total = 0.0;
  for (const double weight : weights) total += weight;
  const auto loss = [&](const Eigen::VectorXd& at, Eigen::VectorXd& slope) {
    // at: coefficients [L, D], then intercepts [L]
    const Eigen::Map<const detail::RowMatrix> coefficients(at.data(), lines, width);
    const auto intercepts = at.tail(lines);
    parallel_for(rows.rows, chunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t from = begin; from < end; from += chunk) {  // several chunks come as one if there is one thread
        const std::int64_t count = std::min(chunk, end - from);
        const auto part = columns.middleRows(from, count);
        detail::RowMatrix scores = (part * coefficients.transpose()).rowwise() + intercepts.transpose();
        const auto c = static_cast<std::size_t>(from / chunk);
        losses[c] = detail::logistic_errors(scores, rows.y + from, weights.data() + from);
        slopes[c].resize(lines, width + 1);
        slopes[c].leftCols(width).noalias() = scores.transpose() * part;
        slopes[c].col(width) = scores.colwise().sum().transpose();
      }
    });
    double value = 0.0;
    detail::RowMatrix sum = detail::RowMatrix::Zero(lines, width + 1);
    for (std::size_t c = 0; c < slopes.size(); ++c) {
      value += losses[c];
      sum += slopes[c];
    }
    for (std::int64_t line = 0; line < lines; ++line) {
      for (std::int64_t d = 0; d < width; ++d) {
        const double coefficient = coefficients(line, d) / scale[d];
        value += coefficient * coefficient / (2.0 * options_.c);
        slope[line * width + d] = (sum(line, d) + coefficient / (options_.c * scale[d])) / total;
      }
      slope[lines * width + line] = sum(line, width) / total;
    }
    return value / total;
  };
  const detail::LbfgsResult found =
      detail::lbfgs(lines * (width + 1), options_.max_iterations, options_.tolerance, loss);
  iterations_ = found.iterations;
  converged_ = found.converged;
  coefficients_ = Tensor::empty({lines, width}, DType::f64, Device::cpu());
  intercepts_ = Tensor::empty({lines}, DType::f64, Device::cpu());
  for (std::int64_t line = 0; line < lines; ++line) {
    double intercept = found.at[lines * width + line];
    for (std::int64_t d = 0; d < width; ++d) {
      const double coefficient = found.at[line * width + d] / scale[d];
      coefficients_.data<double>()[line * width + d] = coefficient;
      intercept -= coefficient * mean[d];
    }
    intercepts_.data<double>()[line] = intercept;
  }
}

SYNTHDATA_INLINE Tensor LogisticRegression::probabilities(const Tensor& x) const {
  const double* rows = detail::rows_to_classify(name, x, width_);
  Tensor out = Tensor::empty({x.shape(0), classes_}, DType::f64, Device::cpu());
  const std::int64_t lines = intercepts_.size();
  const Eigen::Map<const detail::RowMatrix> all(rows, x.shape(0), width_);
  const Eigen::Map<const detail::RowMatrix> coefficients(coefficients_.data<double>(), lines, width_);
  const Eigen::Map<const Eigen::RowVectorXd> intercepts(intercepts_.data<double>(), lines);
  Eigen::Map<detail::RowMatrix> to(out.data<double>(), x.shape(0), classes_);
  parallel_for(x.shape(0), 1024, [&](std::int64_t begin, std::int64_t end) {
    const detail::RowMatrix scores =
        (all.middleRows(begin, end - begin) * coefficients.transpose()).rowwise() + intercepts;
    for (Eigen::Index i = begin; i < end; ++i) {
      if (classes_ < 2) {
        to(i, 0) = 1.0;
      } else if (lines == 1) {
        const double score = scores(i - begin, 0), e = std::exp(-std::abs(score));
        to(i, 0) = (score >= 0.0 ? e : 1.0) / (1.0 + e);
        to(i, 1) = (score >= 0.0 ? 1.0 : e) / (1.0 + e);
      } else {
        to.row(i) = (scores.row(i - begin).array() - scores.row(i - begin).maxCoeff()).exp();
        to.row(i) /= to.row(i).sum();
      }
    }
  });
  return out;
}

}  // namespace synthdata
