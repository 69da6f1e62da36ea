// synthdata/data/clean/missing.hpp: rows without missing values, and columns that say something.
//
// Missing are values marked so and, in real columns, NaN.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata {

class DropMissingRows;
class DropColumns;

struct DropMissingRowsOptions {
  using Step = DropMissingRows;
  std::vector<std::string> columns{};  ///< that must have a value; empty for all
};

/// Removes the rows in which a value is missing.
class DropMissingRows {
 public:
  static constexpr const char* kind = "drop missing rows";
  /// @throws DataError for a column that is not there
  static DropMissingRows fit(const Table& training, const DropMissingRowsOptions& options = {});
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static DropMissingRows load(const Archive& archive, const std::string& prefix);

 private:
  detail::FittedColumns columns_;
};

struct DropColumnsOptions {
  using Step = DropColumns;
  double max_missing_share = 1.0;   ///< columns of which a larger share is missing are dropped, 0 ... 1
  bool constant = true;             ///< drop columns of one value; missing ones count as a value of their own
  std::vector<std::string> keep{};  ///< whatever they hold
};

/// Removes the columns that were, in the training data, constant, all missing, or missing in too many rows. Which ones
/// is learnt, so other tables lose the same columns. Of a table without rows none is dropped.
class DropColumns {
 public:
  static constexpr const char* kind = "drop columns";
  /// @throws DataError for a column that is not there, NumericError for a share out of range
  static DropColumns fit(const Table& training, const DropColumnsOptions& options = {});
  /// Columns that are not there need not be dropped.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static DropColumns load(const Archive& archive, const std::string& prefix);

  /// What is dropped.
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  std::vector<std::string> columns_, reasons_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/missing_impl.hpp>
#endif
