// synthdata/data/augment/row_points.hpp: rows of a table as points between which SMOTE measures distances.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

#include <span>
#include <vector>

namespace synthdata::detail {

/// Numbers and date-times about their means, in units of each column's standard deviation over all rows; two categories
/// that differ add the square of a given length to the squared distance. Source: Chawla et al. 2002, section 6.1. A
/// missing number lies at the mean and differs as a category does from one that is there; a missing category is one
/// more. Borrows the columns.
class RowPoints {
 public:
  RowPoints() = default;
  /// @param name  how messages begin     @param standardise  false for numbers as they are
  /// @throws DataError for infinite values
  RowPoints(const char* name, std::vector<const Column*> numeric, std::vector<const Column*> categorical,
            bool standardise);
  /// All columns: integers, reals and date-times as numbers, categories and booleans; no others.
  RowPoints(const char* name, std::span<const Column> columns);

  /// f64 [rows, width]. @param length  between two categories
  /// @throws DataError if there are so many categories that the points would take more than 2 GB
  Tensor of(std::span<const std::int64_t> rows, double length) const;
  /// All rows, two categories being a median deviation apart.
  Tensor of_all() const;
  /// The median of the standard deviations of the numeric columns over some rows, in units of the points; 1 if there
  /// are none.
  double median_deviation(std::span<const std::int64_t> rows) const;

 private:
  double number(const Column& column, std::int64_t row) const;  // NaN if missing
  struct Moments {
    double mean = 0.0, deviation = 0.0;
  };
  Moments moments(const Column& column, std::span<const std::int64_t> rows) const;

  const char* name_ = "";
  std::vector<const Column*> numeric_, categorical_;
  std::vector<double> means_, scales_;     // by numeric column
  std::vector<std::uint8_t> has_missing_;  // numeric columns, then categorical ones
};

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/row_points_impl.hpp>
#endif
