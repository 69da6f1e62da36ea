// synthdata/data/clean/knn_fill_impl.hpp: bodies of knn_fill.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/fill_impl.hpp>
#include <synthdata/data/clean/knn_fill.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE Table with_filled(const Table& filled, const Column& column, const ColumnSchema& fitted,
                                   std::span<const double> numbers, const char* step, CleaningReport* report) {
  const bool coded = column.type() == ColumnType::categorical;
  const std::int64_t absent = absent_count(column);
  if (absent == 0 && (!coded || column.schema().categories == fitted.categories)) return filled;
  ColumnEditor editor(column, fitted.categories);  // all categories that could be filled in, needed or not
  for (std::int64_t i = 0; absent > 0 && i < column.size(); ++i) {
    if (!is_absent(column, i)) continue;
    const double number = numbers[static_cast<std::size_t>(i)];
    if (coded) {
      editor.set_category(i, fitted.categories[static_cast<std::size_t>(number)]);
    } else {
      editor.set(i, number);
    }
  }
  if (report) report->add(step, column.name(), "filled", editor.changes());
  return filled.with(editor.take());
}

/// The numbers of a fitted table as [columns, rows]. @throws DataError for a column without values or with infinite
/// ones
SYNTHDATA_INLINE Tensor training_numbers(const char* step, const FittedColumns& columns, const Table& training) {
  Tensor numbers =
      Tensor::empty({static_cast<std::int64_t>(columns.size()), training.size()}, DType::f64, Device::cpu());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::vector<double> column = columns.numbers(columns.in(training, c), c);
    std::copy(column.begin(), column.end(), numbers.data<double>() + static_cast<std::int64_t>(c) * training.size());
    if (std::all_of(column.begin(), column.end(), [](double x) { return std::isnan(x); })) {
      throw DataError(concat(step, ": column ", in_quotes(columns[c].name),
                             " has no value to learn from; DropColumns removes such columns"));
    }
    const auto infinite = std::find_if(column.begin(), column.end(), [](double x) { return std::isinf(x); });
    if (infinite != column.end()) {
      throw DataError(concat(step, ": column ", in_quotes(columns[c].name), " is infinite in row ",
                             infinite - column.begin(), "; Outliers clips or removes such values"));
    }
  }
  return numbers;
}

}  // namespace detail

namespace detail {

/// Adds one column's part to the squared distances of a row, whose value there is x, to n others, of values v.
struct AddDifferences {
  /// @param m  1 where the other row has a value, 0 where not; null if all have
  SYNTHDATA_HD void operator()(double x, bool classes, const double* v, const double* m, double* sums, double* counts,
                               std::int64_t n) const {
    namespace cpu = backend::cpu;
    cpu::for_blocks(n, [=](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      if (classes && m) {
        cpu::for_block(count,
                       [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA { sums[b + j] += v[b + j] == x ? 0.0 : m[b + j]; });
      } else if (classes) {
        cpu::for_block(count,
                       [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA { sums[b + j] += v[b + j] == x ? 0.0 : 1.0; });
      } else if (m) {
        cpu::for_block(count, [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA {
          sums[b + j] += m[b + j] * ((x - v[b + j]) * (x - v[b + j]));
        });
      } else {
        cpu::for_block(count,
                       [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA { sums[b + j] += (x - v[b + j]) * (x - v[b + j]); });
      }
      if (m) cpu::for_block(count, [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA { counts[b + j] += m[b + j]; });
    });
  }
};

}  // namespace detail

/// The k nearest so far.
struct KnnFill::Compared {
  std::vector<std::pair<double, std::int64_t>> nearest;  // squared distances and rows, ascending
  void offer(double distance, std::int64_t row, std::size_t k) {
    if (nearest.size() == k && !(distance < nearest.back().first)) return;
    if (nearest.size() == k) nearest.pop_back();
    const auto at = std::upper_bound(nearest.begin(), nearest.end(), distance,
                                     [](double d, const auto& found) { return d < found.first; });
    nearest.insert(at, {distance, row});
  }
};

SYNTHDATA_INLINE void KnnFill::prepare() {
  const std::size_t width = columns_.size();
  const auto rows = static_cast<std::size_t>(training_.shape(1));
  shifts_.assign(width, 0.0);
  scales_.assign(width, 1.0);
  means_.assign(width, 0.0);
  complete_.assign(width, true);
  values_.assign(width * rows, 0.0);
  present_.assign(width * rows, 1.0);
  for (std::size_t c = 0; c < width; ++c) {
    const double* numbers = training_.data<double>() + c * rows;
    std::vector<double> there(numbers, numbers + rows);
    std::erase_if(there, [](double x) { return std::isnan(x); });
    const bool votes = detail::is_class(columns_[c].type);
    if (votes) {
      means_[c] = detail::mode_of(there);
    } else {
      const auto count = static_cast<double>(there.size());
      double sum = 0.0, squares = 0.0;
      for (const double x : there) sum += x - there[0];
      means_[c] = there[0] + sum / count;
      for (const double x : there) squares += (x - means_[c]) * (x - means_[c]);
      if (standardise_) {
        shifts_[c] = means_[c];
        scales_[c] = squares > 0.0 ? std::sqrt(squares / count) : 1.0;
      }
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const bool absent = std::isnan(numbers[i]);
      values_[c * rows + i] = absent ? 0.0 : scaled(c, numbers[i]);
      present_[c * rows + i] = absent ? 0.0 : 1.0;
      if (absent) complete_[c] = false;
    }
  }
}

SYNTHDATA_INLINE KnnFill KnnFill::fit(const Table& training, const KnnFillOptions& options) {
  if (options.k < 1) throw NumericError(concat(kind, ": expects k >= 1, got ", options.k));
  KnnFill step;
  step.k_ = options.k;
  step.by_distance_ = options.by_distance;
  step.standardise_ = options.standardise;
  step.columns_ =
      detail::FittedColumns(kind, training, options.columns, [](ColumnType type) { return !detail::is_textual(type); });
  step.training_ = detail::training_numbers(kind, step.columns_, training);
  step.prepare();
  return step;
}

SYNTHDATA_INLINE Table KnnFill::apply(const Table& table, CleaningReport* report) const {
  const std::size_t width = columns_.size();
  const std::int64_t rows = training_.shape(1);
  std::vector<const Column*> columns;
  std::vector<std::vector<double>> numbers;
  std::vector<std::int64_t> receivers;
  for (std::size_t c = 0; c < width; ++c) {
    columns.push_back(&columns_.in(table, c));
    numbers.push_back(columns_.numbers(*columns[c], c));
  }
  for (std::int64_t i = 0; i < table.size(); ++i) {
    const auto absent = [&](const Column* column) { return detail::is_absent(*column, i); };
    if (std::any_of(columns.begin(), columns.end(), absent)) receivers.push_back(i);
  }
  parallel_for(static_cast<std::int64_t>(receivers.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t block = 1024;
    double sums[block], counts[block];
    for (std::int64_t r = begin; r < end; ++r) {
      const auto row = static_cast<std::size_t>(receivers[static_cast<std::size_t>(r)]);
      std::vector<std::size_t> wanted;
      for (std::size_t c = 0; c < width; ++c) {
        if (detail::is_absent(*columns[c], static_cast<std::int64_t>(row))) wanted.push_back(c);
      }
      std::vector<Compared> found(wanted.size());
      for (std::int64_t first = 0; first < rows; first += block) {
        const std::int64_t here = std::min(block, rows - first);
        std::fill_n(sums, here, 0.0);
        std::fill_n(counts, here, 0.0);
        double shared = 0.0;  // columns that all training rows have
        for (std::size_t c = 0; c < width; ++c) {
          if (!std::isfinite(numbers[c][row])) continue;  // a category never seen compares with nothing
          const std::int64_t at = static_cast<std::int64_t>(c) * rows + first;
          const double* present = complete_[c] ? nullptr : present_.data() + at;
          shared += complete_[c];
          // float names the instruction set: the numbers are doubles
          backend::cpu::run<float>(detail::AddDifferences{}, scaled(c, numbers[c][row]),
                                   detail::is_class(columns_[c].type), static_cast<const double*>(values_.data() + at),
                                   present, static_cast<double*>(sums), static_cast<double*>(counts), here);
        }
        for (std::int64_t j = 0; j < here; ++j) counts[j] += shared;
        for (std::int64_t j = 0; j < here; ++j) sums[j] *= static_cast<double>(width) / counts[j];
        for (std::size_t w = 0; w < wanted.size(); ++w) {
          const double* there = present_.data() + static_cast<std::int64_t>(wanted[w]) * rows + first;
          for (std::int64_t j = 0; j < here; ++j) {
            if (counts[j] > 0.0 && there[j] > 0.0) found[w].offer(sums[j], first + j, static_cast<std::size_t>(k_));
          }
        }
      }
      for (std::size_t w = 0; w < wanted.size(); ++w) {
        const std::size_t c = wanted[w];
        const auto& nearest = found[w].nearest;
        if (nearest.empty()) {
          numbers[c][row] = means_[c];
          continue;
        }
        // where a neighbour is at distance 0, only those count
        const bool at_zero = by_distance_ && nearest.front().first == 0.0;
        std::vector<double> votes(columns_[c].type == ColumnType::categorical ? columns_[c].categories.size() : 2);
        double sum = 0.0, weights = 0.0;
        for (const auto& [distance, donor] : nearest) {
          const double weight = at_zero        ? (distance == 0.0 ? 1.0 : 0.0)
                                : by_distance_ ? 1.0 / std::sqrt(distance)
                                               : 1.0;
          const double value = training_.data<double>()[static_cast<std::int64_t>(c) * rows + donor];
          if (detail::is_class(columns_[c].type)) votes[static_cast<std::size_t>(value)] += weight;
          sum += weight * value;
          weights += weight;
        }
        const auto most = std::max_element(votes.begin(), votes.end()) - votes.begin();
        numbers[c][row] = detail::is_class(columns_[c].type) ? static_cast<double>(most) : sum / weights;
      }
    }
  });
  Table filled = table;
  for (std::size_t c = 0; c < width; ++c) {
    filled = detail::with_filled(filled, *columns[c], columns_[c], numbers[c], kind, report);
  }
  return filled;
}

SYNTHDATA_INLINE std::string KnnFill::str() const {
  return concat(k_, by_distance_ ? " nearest by distance" : " nearest", " of ", training_.shape(1), " rows, in ",
                standardise_ ? "standardised " : "", columns_.str());
}

SYNTHDATA_INLINE void KnnFill::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, kind, {{"k", k_}, {"by_distance", by_distance_}, {"standardise", standardise_}},
                    &columns_.schema());
  archive.add(prefix + ".training", training_);
}

SYNTHDATA_INLINE KnnFill KnnFill::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  KnnFill step;
  step.k_ = saved.integer("k");
  if (step.k_ < 1) saved.fail("k is less than 1");
  step.by_distance_ = saved.boolean("by_distance");
  step.standardise_ = saved.boolean("standardise");
  step.columns_ = detail::FittedColumns(kind, saved.schema());
  step.training_ = saved.tensor("training", DType::f64, 2);
  const std::int64_t rows = step.training_.shape(1);
  if (step.training_.shape(0) != static_cast<std::int64_t>(step.columns_.size())) saved.fail("has not a row a column");
  for (std::size_t c = 0; c < step.columns_.size(); ++c) {
    const double* numbers = step.training_.data<double>() + static_cast<std::int64_t>(c) * rows;
    const bool votes = detail::is_class(step.columns_[c].type);
    const std::size_t classes = step.columns_[c].type == ColumnType::boolean ? 2 : step.columns_[c].categories.size();
    bool any = false;
    for (std::int64_t i = 0; i < rows; ++i) {
      any |= !std::isnan(numbers[i]);
      if (std::isinf(numbers[i])) saved.fail("training data is infinite");
      const bool code =
          numbers[i] >= 0.0 && numbers[i] < static_cast<double>(classes) && numbers[i] == std::floor(numbers[i]);
      if (votes && !std::isnan(numbers[i]) && !code) saved.fail("a code stands for no category");
    }
    if (!any) saved.fail("a column has no values");
  }
  step.prepare();
  return step;
}

}  // namespace synthdata
