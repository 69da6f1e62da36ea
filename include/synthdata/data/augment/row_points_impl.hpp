// synthdata/data/augment/row_points_impl.hpp: bodies of data/augment/row_points.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/row_points.hpp>
#include <synthdata/data/augment/table_rows.hpp>
#include <synthdata/data/clean/columns.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthdata::detail {

inline std::int64_t category_count(const Column& column) {
  return column.type() == ColumnType::boolean ? 2 : static_cast<std::int64_t>(column.schema().categories.size());
}
inline std::vector<std::int64_t> every_row(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

SYNTHDATA_INLINE RowPoints::RowPoints(const char* name, std::vector<const Column*> numeric,
                                      std::vector<const Column*> categorical, bool standardise)
    : name_(name), numeric_(std::move(numeric)), categorical_(std::move(categorical)) {
  for (const Column* column : numeric_) {
    const Moments found = moments(*column, every_row(column->size()));
    means_.push_back(found.mean);
    scales_.push_back(standardise && found.deviation > 0.0 ? 1.0 / found.deviation : 1.0);
    has_missing_.push_back(absent_count(*column) > 0);
  }
  for (const Column* column : categorical_) has_missing_.push_back(column->missing_count() > 0);
}

SYNTHDATA_INLINE RowPoints::RowPoints(const char* name, std::span<const Column> columns) {
  std::vector<const Column*> numeric, categorical;
  for (const Column& column : columns) (is_between_type(column.type()) ? numeric : categorical).push_back(&column);
  *this = RowPoints(name, std::move(numeric), std::move(categorical), true);
}

SYNTHDATA_INLINE double RowPoints::number(const Column& column, std::int64_t row) const {
  const double value = column.number(row);
  if (std::isinf(value)) {
    throw DataError(concat(name_, ": column ", in_quotes(column.name()), ": row ", row, " is ", value));
  }
  return value;
}

SYNTHDATA_INLINE RowPoints::Moments RowPoints::moments(const Column& column, std::span<const std::int64_t> rows) const {
  double mean = 0.0, squares = 0.0, count = 0.0;
  for (const std::int64_t row : rows) count += !std::isnan(number(column, row));
  if (count == 0.0) return {};
  for (const std::int64_t row : rows) {
    if (const double value = column.number(row); !std::isnan(value)) mean += value / count;
  }
  for (const std::int64_t row : rows) {
    if (const double value = column.number(row); !std::isnan(value)) squares += (value - mean) * (value - mean);
  }
  return {mean, std::sqrt(squares / count)};
}

SYNTHDATA_INLINE Tensor RowPoints::of(std::span<const std::int64_t> rows, double length) const {
  std::int64_t width = static_cast<std::int64_t>(numeric_.size());
  for (std::size_t i = 0; i < numeric_.size(); ++i) width += has_missing_[i];
  for (const Column* column : categorical_) width += category_count(*column);
  for (std::size_t i = numeric_.size(); i < has_missing_.size(); ++i) width += has_missing_[i];
  const auto count = static_cast<std::int64_t>(rows.size());
  if (count > 0 && width > (std::int64_t{1} << 28) / count) {
    throw DataError(concat(name_, ": ", count, " rows of ", width,
                           " numbers and categories are too many to compare; leave out columns of many categories"));
  }
  Tensor points = Tensor::zeros({count, width}, DType::f64, Device::cpu());
  double* to = points.data<double>();
  for (const std::int64_t row : rows) {
    auto at = static_cast<std::int64_t>(numeric_.size());
    for (std::size_t i = 0; i < numeric_.size(); ++i) {
      const double value = numeric_[i]->number(row);
      if (has_missing_[i]) to[at++] = std::isnan(value) ? length : 0.0;
      to[i] = std::isnan(value) ? 0.0 : (value - means_[i]) * scales_[i];
    }
    for (std::size_t i = 0; i < categorical_.size(); ++i) {
      const Column& column = *categorical_[i];
      const std::int64_t choices = category_count(column);
      const std::int64_t choice = column.is_missing(row)                 ? choices
                                  : column.type() == ColumnType::boolean ? column.boolean(row)
                                                                         : column.code(row);
      to[at + choice] = length * std::sqrt(0.5);  // two of them differ if the categories do
      at += choices + has_missing_[numeric_.size() + i];
    }
    to += width;
  }
  return points;
}

SYNTHDATA_INLINE Tensor RowPoints::of_all() const {
  const std::vector<const Column*>& some = numeric_.empty() ? categorical_ : numeric_;
  const std::vector<std::int64_t> rows = every_row(some.empty() ? 0 : some[0]->size());
  return of(rows, median_deviation(rows));
}

SYNTHDATA_INLINE double RowPoints::median_deviation(std::span<const std::int64_t> rows) const {
  if (numeric_.empty()) return 1.0;
  std::vector<double> deviations;
  for (std::size_t i = 0; i < numeric_.size(); ++i) {
    deviations.push_back(moments(*numeric_[i], rows).deviation * scales_[i]);
  }
  std::sort(deviations.begin(), deviations.end());
  const std::size_t half = deviations.size() / 2;
  return deviations.size() % 2 ? deviations[half] : 0.5 * (deviations[half - 1] + deviations[half]);
}

}  // namespace synthdata::detail
