// synthdata/tabular/smote.hpp: rows between the rows of a table, as a model.
//
// Source: Chawla et al. 2002, "SMOTE: synthetic minority over-sampling technique", section 6.1 (SMOTENC), with the
// whole table for one class. Distances, rows between rows and votes are those of data/augment/oversample.hpp.
//
// A baseline, and an honest one only: it keeps the training table, its file holds it, and a row it makes lies between
// two rows of real people, often next to one. It protects nobody.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/tabular/condition.hpp>
#include <synthdata/tabular/training.hpp>

namespace synthdata::models {

struct SmoteOptions {
  std::int64_t neighbours = 5;  ///< of each row, or as many as there are others
};

class Smote {
 public:
  /// Keeps all columns but texts and identifiers. A row that lacks numbers is near to others that lack the same.
  /// @throws DataError for fewer than two rows, no column that can be kept, infinite values, or neighbours < 1.
  /// Cost: that of nearest_others: rows² times the numbers and categories.
  static Smote fit(const Table& table, const SmoteOptions& options = {});

  /// Each row has a base drawn evenly from the training rows and one of its neighbours: numbers and date-times between
  /// them, as missing as the base's; what most neighbours have for all else. Rows that miss a condition are thrown
  /// away. The same seed gives the same rows.
  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const;

  /// One safetensors file with all that is needed: the training rows too. @throws DataError if it cannot be written.
  void save(const std::string& path) const;
  /// @throws DataError naming what does not fit, if the file is damaged or not such a model.
  static Smote load(const std::string& path);
  /// The same as an archive, to which others may add entries; `path` is for messages.
  Archive archive() const;
  static Smote from_archive(const Archive& archive, const std::string& path);

  Schema schema() const { return rows_.schema(); }
  const Table& rows() const { return rows_; }
  const Tensor& neighbours() const { return neighbours_; }  ///< i64 [N, k], the nearest first

 private:
  Smote(Table rows, Tensor neighbours) : rows_(std::move(rows)), neighbours_(std::move(neighbours)) {}
  Table rows_;
  Tensor neighbours_;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/smote_impl.hpp>
#endif
