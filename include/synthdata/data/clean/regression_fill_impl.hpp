// synthdata/data/clean/regression_fill_impl.hpp: bodies of regression_fill.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/knn_fill_impl.hpp>
#include <synthdata/data/clean/regression_fill.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthdata {

namespace detail {

/// Solves A X = B in place of B, A [n, n] symmetric and positive definite, B [n, m], by Cholesky's factors. False if A
/// is not positive definite.
SYNTHDATA_INLINE bool solve_positive(std::vector<double>& a, std::int64_t n, double* b, std::int64_t m) {
  const auto at = [&](std::int64_t i, std::int64_t j) -> double& { return a[static_cast<std::size_t>(i * n + j)]; };
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = j; i < n; ++i) {
      double sum = at(i, j);
      for (std::int64_t k = 0; k < j; ++k) sum -= at(i, k) * at(j, k);
      if (i == j && !(sum > 0.0)) return false;
      at(i, j) = i == j ? std::sqrt(sum) : sum / at(j, j);
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < i; ++k) {
      for (std::int64_t c = 0; c < m; ++c) b[i * m + c] -= at(i, k) * b[k * m + c];
    }
    for (std::int64_t c = 0; c < m; ++c) b[i * m + c] /= at(i, i);
  }
  for (std::int64_t i = n; i-- > 0;) {
    for (std::int64_t k = i + 1; k < n; ++k) {
      for (std::int64_t c = 0; c < m; ++c) b[i * m + c] -= at(k, i) * b[k * m + c];
    }
    for (std::int64_t c = 0; c < m; ++c) b[i * m + c] /= at(i, i);
  }
  return true;
}

inline constexpr std::int64_t most_rounds = 10'000;

}  // namespace detail

struct RegressionFill::Matrix {
  std::int64_t rows = 0, width = 0;
  std::vector<double> numbers;                    // [rows, width], scaled; missing ones start at the mean
  std::vector<std::vector<std::int64_t>> absent;  // of each column: the rows to predict
};

SYNTHDATA_INLINE void RegressionFill::place() {
  places_.assign(1, 0);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const bool coded = columns_[c].type == ColumnType::categorical;
    places_.push_back(places_.back() + (coded ? static_cast<std::int64_t>(columns_[c].categories.size()) : 1));
  }
}

SYNTHDATA_INLINE RegressionFill::Matrix RegressionFill::encode(const Table& table) const {
  Matrix matrix;
  matrix.rows = table.size();
  matrix.width = places_.back();
  matrix.numbers.resize(static_cast<std::size_t>(matrix.rows * matrix.width));
  matrix.absent.resize(columns_.size());
  const double* scale = scale_.data<double>();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const std::vector<double> numbers = columns_.numbers(columns_.in(table, c), c);
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
      const double number = numbers[static_cast<std::size_t>(i)];
      double* to = matrix.numbers.data() + i * matrix.width;
      const bool absent = !std::isfinite(number);
      if (absent) matrix.absent[c].push_back(i);
      for (std::int64_t p = places_[c]; p < places_[c + 1]; ++p) {
        if (columns_[c].type == ColumnType::categorical) {
          to[p] = absent ? scale[2 * p] : static_cast<double>(number == static_cast<double>(p - places_[c]));
        } else {
          to[p] = absent ? 0.0 : (number - scale[2 * p]) / scale[2 * p + 1];
        }
      }
    }
  }
  return matrix;
}

SYNTHDATA_INLINE void RegressionFill::predict(Matrix& matrix, std::size_t column, const double* weights) const {
  const std::int64_t begin = places_[column], width = places_[column + 1] - begin;
  std::vector<double> sums(static_cast<std::size_t>(width));
  for (const std::int64_t row : matrix.absent[column]) {
    double* x = matrix.numbers.data() + row * matrix.width;
    for (std::int64_t j = 0; j < width; ++j) sums[static_cast<std::size_t>(j)] = weights[matrix.width * width + j];
    for (std::int64_t p = 0; p < matrix.width; ++p) {  // the weights of the column itself are 0
      for (std::int64_t j = 0; j < width; ++j) sums[static_cast<std::size_t>(j)] += x[p] * weights[p * width + j];
    }
    std::copy(sums.begin(), sums.end(), x + begin);
  }
}

SYNTHDATA_INLINE RegressionFill RegressionFill::fit(const Table& training, const RegressionFillOptions& options) {
  if (options.rounds < 1 || options.rounds > detail::most_rounds || !(options.ridge > 0.0) ||
      !(options.tolerance >= 0.0)) {
    throw NumericError(concat(kind, ": expects rounds within 1 ... 10000, ridge > 0 and tolerance >= 0, got ",
                              options.rounds, ", ", options.ridge, " and ", options.tolerance));
  }
  std::vector<std::string> names = options.columns;
  for (const Column& column : training.columns()) {
    const bool few = static_cast<std::int64_t>(column.schema().categories.size()) <= options.max_categories;
    if (options.columns.empty() && !detail::is_textual(column.type()) && few) names.push_back(column.name());
  }
  RegressionFill step;
  if (!names.empty()) {
    step.columns_ =
        detail::FittedColumns(kind, training, names, [](ColumnType type) { return !detail::is_textual(type); });
  }
  step.place();
  const std::size_t count = step.columns_.size();
  const Tensor numbers = detail::training_numbers(kind, step.columns_, training);
  const std::int64_t rows = training.size(), width = step.places_.back();
  step.scale_ = Tensor::empty({width, 2}, DType::f64, Device::cpu());
  std::vector<std::int64_t> absent(count);
  for (std::size_t c = 0; c < count; ++c) {
    const double* x = numbers.data<double>() + static_cast<std::int64_t>(c) * rows;
    for (std::int64_t i = 0; i < rows; ++i) absent[c] += std::isnan(x[i]);
    const auto present = static_cast<double>(rows - absent[c]);
    for (std::int64_t p = step.places_[c]; p < step.places_[c + 1]; ++p) {
      const bool coded = step.columns_[c].type == ColumnType::categorical;
      const auto value = [&](double number) {
        return coded ? static_cast<double>(number == static_cast<double>(p - step.places_[c])) : number;
      };
      double mean = 0.0, squares = 0.0;
      for (std::int64_t i = 0; i < rows; ++i) mean += std::isnan(x[i]) ? 0.0 : value(x[i]) / present;
      for (std::int64_t i = 0; i < rows; ++i) {
        if (!std::isnan(x[i])) squares += (value(x[i]) - mean) * (value(x[i]) - mean);
      }
      step.scale_.data<double>()[2 * p] = mean;
      step.scale_.data<double>()[2 * p + 1] = !coded && squares > 0.0 ? std::sqrt(squares / present) : 1.0;
    }
  }
  step.order_.resize(count);
  std::iota(step.order_.begin(), step.order_.end(), std::size_t{0});
  std::stable_sort(step.order_.begin(), step.order_.end(),
                   [&](std::size_t a, std::size_t b) { return absent[a] < absent[b]; });
  for (const std::size_t c : step.order_) step.every_round_.push_back(absent[c] > 0);

  Matrix matrix = step.encode(training);
  double largest = 0.0;
  for (const double number : matrix.numbers) largest = std::max(largest, std::abs(number));

  // ridge regression of column c on all others, over the rows that have it: weights [P + 1, width of c]
  std::vector<double> gram, means(static_cast<std::size_t>(width)), chosen;
  const auto sums_of = [&](std::size_t c) {
    const double* x = matrix.numbers.data();
    std::int64_t n = rows;
    if (!matrix.absent[c].empty()) {
      chosen.clear();
      std::size_t next = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        if (next < matrix.absent[c].size() && matrix.absent[c][next] == i) {
          ++next;
        } else {
          chosen.insert(chosen.end(), x + i * width, x + (i + 1) * width);
        }
      }
      x = chosen.data();
      n = static_cast<std::int64_t>(chosen.size()) / width;
    }
    std::fill(means.begin(), means.end(), 0.0);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t p = 0; p < width; ++p) means[static_cast<std::size_t>(p)] += x[i * width + p];
    }
    for (double& mean : means) mean /= static_cast<double>(n);
    gram.assign(static_cast<std::size_t>(width * width), 0.0);
    backend::cpu::gemm(true, false, width, width, n, x, width, x, width, gram.data(), width);
    for (std::int64_t p = 0; p < width; ++p) {
      for (std::int64_t q = 0; q < width; ++q) {
        gram[static_cast<std::size_t>(p * width + q)] -=
            static_cast<double>(n) * means[static_cast<std::size_t>(p)] * means[static_cast<std::size_t>(q)];
      }
    }
  };
  const auto regress = [&](std::size_t c, double* weights) {
    const std::int64_t begin = step.places_[c], end = step.places_[c + 1], own = end - begin, others = width - own;
    std::vector<double> a(static_cast<std::size_t>(others * others)), b(static_cast<std::size_t>(others * own));
    const auto source = [&](std::int64_t p) { return p < begin ? p : p + own; };
    for (std::int64_t p = 0; p < others; ++p) {
      const double* row = gram.data() + source(p) * width;
      for (std::int64_t q = 0; q < others; ++q) a[static_cast<std::size_t>(p * others + q)] = row[source(q)];
      a[static_cast<std::size_t>(p * others + p)] += options.ridge;
      for (std::int64_t j = 0; j < own; ++j) b[static_cast<std::size_t>(p * own + j)] = row[begin + j];
    }
    if (!detail::solve_positive(a, others, b.data(), own)) {
      throw NumericError(
          concat(kind, ": no solution for column ", in_quotes(step.columns_[c].name), "; use a larger ridge"));
    }
    std::fill_n(weights, (width + 1) * own, 0.0);
    double* constant = weights + width * own;
    for (std::int64_t j = 0; j < own; ++j) constant[j] = means[static_cast<std::size_t>(begin + j)];
    for (std::int64_t p = 0; p < others; ++p) {
      for (std::int64_t j = 0; j < own; ++j) {
        const double weight = b[static_cast<std::size_t>(p * own + j)];
        weights[source(p) * own + j] = weight;
        constant[j] -= weight * means[static_cast<std::size_t>(source(p))];
      }
    }
  };

  std::vector<std::vector<double>> weights(count);  // of order_, round after round
  const auto grow = [&](std::size_t at) {
    const std::size_t c = step.order_[at];
    const auto size = static_cast<std::size_t>((width + 1) * (step.places_[c + 1] - step.places_[c]));
    weights[at].resize(weights[at].size() + size);
    return weights[at].data() + (weights[at].size() - size);
  };
  const bool anything = std::any_of(absent.begin(), absent.end(), [](std::int64_t n) { return n > 0; });
  while (anything && step.rounds_ < options.rounds) {
    const std::vector<double> before = matrix.numbers;
    for (std::size_t at = 0; at < count; ++at) {
      if (!step.every_round_[at]) continue;
      double* to = grow(at);
      sums_of(step.order_[at]);
      regress(step.order_[at], to);
      step.predict(matrix, step.order_[at], to);
    }
    ++step.rounds_;
    double change = 0.0;
    for (std::size_t i = 0; i < before.size(); ++i) change = std::max(change, std::abs(matrix.numbers[i] - before[i]));
    if (change < options.tolerance * largest) break;
  }
  step.rounds_ = std::max<std::int64_t>(step.rounds_, 1);
  bool summed = false;  // columns without missing values share their sums
  for (std::size_t at = 0; at < count; ++at) {
    if (step.every_round_[at]) continue;
    if (!summed) sums_of(step.order_[at]);
    summed = true;
    regress(step.order_[at], grow(at));
  }
  for (std::size_t at = 0; at < count; ++at) {
    const std::size_t c = step.order_[at];
    const std::int64_t own = step.places_[c + 1] - step.places_[c];
    const std::int64_t fits = step.every_round_[at] ? step.rounds_ : 1;
    step.weights_.push_back(Tensor::from(weights[at], {fits, width + 1, own}, Device::cpu()));
  }
  return step;
}

SYNTHDATA_INLINE Table RegressionFill::apply(const Table& table, CleaningReport* report) const {
  Matrix matrix = encode(table);
  for (std::int64_t round = 0; round < rounds_; ++round) {
    for (std::size_t at = 0; at < order_.size(); ++at) {
      const Tensor& weights = weights_[at];
      const std::int64_t fit = every_round_[at] ? round : 0;
      predict(matrix, order_[at], weights.data<double>() + fit * weights.shape(1) * weights.shape(2));
    }
  }
  Table filled = table;
  const double* scale = scale_.data<double>();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::vector<double> numbers(static_cast<std::size_t>(table.size()));
    for (const std::int64_t row : matrix.absent[c]) {
      const double* x = matrix.numbers.data() + row * matrix.width;
      const double *begin = x + places_[c], *end = x + places_[c + 1];
      numbers[static_cast<std::size_t>(row)] = columns_[c].type == ColumnType::categorical
                                                   ? static_cast<double>(std::max_element(begin, end) - begin)
                                                   : *begin * scale[2 * places_[c] + 1] + scale[2 * places_[c]];
    }
    filled = detail::with_filled(filled, columns_.in(table, c), columns_[c], numbers, kind, report);
  }
  return filled;
}

SYNTHDATA_INLINE std::string RegressionFill::str() const {
  return concat(rounds_, rounds_ == 1 ? " round" : " rounds", " of ridge regression in ", columns_.str());
}

SYNTHDATA_INLINE void RegressionFill::save(Archive& archive, const std::string& prefix) const {
  Json::Array order, every_round;
  for (std::size_t at = 0; at < order_.size(); ++at) {
    order.push_back(static_cast<std::int64_t>(order_[at]));
    every_round.push_back(Json(static_cast<bool>(every_round_[at])));
    archive.add(concat(prefix, ".weights.", at), weights_[at]);
  }
  archive.add(prefix + ".scale", scale_);
  detail::save_step(archive, prefix, kind,
                    {{"rounds", rounds_}, {"order", std::move(order)}, {"every_round", std::move(every_round)}},
                    &columns_.schema());
}

SYNTHDATA_INLINE RegressionFill RegressionFill::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  RegressionFill step;
  step.columns_ = detail::FittedColumns(kind, saved.schema());
  step.place();
  step.rounds_ = saved.integer("rounds");
  step.scale_ = saved.tensor("scale", DType::f64, 2);
  const std::int64_t width = step.places_.back();
  if (!(step.scale_.shape() == Shape{width, 2})) saved.fail("its scale does not fit its columns");
  const Json::Array* order = saved.member("order").get_if<Json::Array>();
  const Json::Array* every_round = saved.member("every_round").get_if<Json::Array>();
  const std::size_t count = step.columns_.size();
  if (!order || !every_round || order->size() != count || every_round->size() != count || step.rounds_ < 1 ||
      step.rounds_ > detail::most_rounds) {
    saved.fail("its order does not fit its columns");
  }
  for (std::size_t at = 0; at < count; ++at) {
    const std::int64_t* c = (*order)[at].get_if<std::int64_t>();
    const bool* every = (*every_round)[at].get_if<bool>();
    const ColumnSchema& fitted = step.columns_[at];
    if (fitted.type == ColumnType::categorical && fitted.categories.empty()) saved.fail("a column has no categories");
    if (!c || !every || *c < 0 || *c >= static_cast<std::int64_t>(count)) saved.fail("its order names no column");
    step.order_.push_back(static_cast<std::size_t>(*c));
    step.every_round_.push_back(*every);
    const std::size_t column = step.order_.back();
    const std::int64_t own = step.places_[column + 1] - step.places_[column];
    step.weights_.push_back(saved.tensor(concat("weights.", at).c_str(), DType::f64, 3));
    if (!(step.weights_.back().shape() == Shape{*every ? step.rounds_ : 1, width + 1, own})) {
      saved.fail("its weights do not fit its columns");
    }
  }
  return step;
}

}  // namespace synthdata
