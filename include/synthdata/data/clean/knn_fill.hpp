// synthdata/data/clean/knn_fill.hpp: missing values filled from the nearest rows of the training data.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata {

class KnnFill;

struct KnnFillOptions {
  using Step = KnnFill;
  std::int64_t k = 5;
  bool by_distance = false;            ///< neighbours weigh 1 / distance, else all the same
  bool standardise = true;             ///< numbers and date-times to mean 0 and standard deviation 1 before comparing
  std::vector<std::string> columns{};  ///< compared and filled; empty for all but texts and identifiers
};

/// Fills a missing value with the mean of the k training rows nearest to its row that have one; booleans and categories
/// by vote, the first of equals. The distance of two rows runs over the columns in which both have a value, times the
/// number of columns over that of those: sqrt(D / present * sum of squares) (Dixon 1979, "Pattern recognition with
/// partly missing data"). Booleans and categories that differ count 1. Of equally near rows the first are taken; a row
/// that shares no column with any gets the mean or mode. Without `standardise` and categories this is scikit-learn's
/// KNNImputer.
class KnnFill {
 public:
  static constexpr const char* kind = "fill from neighbours";
  /// Keeps a copy of the columns as f64, 8 bytes a value.
  /// @throws DataError for a column that is not there, is text, has no value or an infinite one; NumericError for k < 1
  static KnnFill fit(const Table& training, const KnnFillOptions& options = {});
  /// Cost: rows with a missing value x training rows x columns.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static KnnFill load(const Archive& archive, const std::string& prefix);

 private:
  struct Compared;
  void prepare();
  double scaled(std::size_t column, double number) const { return (number - shifts_[column]) / scales_[column]; }

  std::int64_t k_ = 5;
  bool by_distance_ = false, standardise_ = true;
  detail::FittedColumns columns_;
  Tensor training_;  // [columns, rows] f64, NaN where missing
  // made from these by prepare()
  std::vector<double> shifts_, scales_, means_;  // of categories: 0, 1 and the mode
  std::vector<double> values_, present_;         // [columns, rows]: scaled, 0 where missing; and 1 or 0
  std::vector<bool> complete_;
};

namespace detail {
/// Booleans and categories: compared as equal or not, filled by vote.
inline bool is_class(ColumnType type) { return type == ColumnType::boolean || type == ColumnType::categorical; }
/// Column c's numbers as filled in, into a table; `numbers` are read where the column has no value.
Table with_filled(const Table& filled, const Column& column, const ColumnSchema& fitted,
                  std::span<const double> numbers, const char* step, CleaningReport* report);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/knn_fill_impl.hpp>
#endif
