// synthdata/data/clean/features.hpp: rows of a table as points whose Euclidean distances mean something.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata::detail {

/// Numbers and date-times standardised (mean 0, standard deviation 1, missing ones 0); booleans and categories as one
/// coordinate a class of 0 or sqrt(1/2), so that rows that differ in one have squared distance 1, or 1/2 if it is
/// missing in one of them.
class Features {
 public:
  Features() = default;
  /// @param names, except  the columns, or all but texts, identifiers and the one called `except`
  /// @throws DataError for a column that is not there, is text, or infinite
  Features(const char* step, const Table& training, const std::vector<std::string>& names,
           const std::string& except = {});

  /// [N, width] f64. @throws DataError for columns that do not fit, or infinite
  Tensor matrix(const Table& table) const;
  std::int64_t width() const { return places_.back(); }
  const FittedColumns& columns() const { return columns_; }
  /// Coordinates of column i are places()[i] ... places()[i + 1].
  const std::vector<std::int64_t>& places() const { return places_; }

  /// Members for save_step(), beside columns().schema().
  void save(Json::Object& members) const;
  Features(const char* step, const SavedStep& saved);

 private:
  void place();

  const char* step_ = "";
  FittedColumns columns_;
  std::vector<double> means_, scales_;  // of each column; 0 and 1 for classes
  std::vector<std::int64_t> places_ = {0};
};

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/features_impl.hpp>
#endif
