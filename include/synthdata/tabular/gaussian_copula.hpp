// synthdata/tabular/gaussian_copula.hpp: the Gaussian copula, each column's own distribution joined by correlations.
//
// A row is a point of a correlated normal distribution; the distribution function of each normal gives a place on the
// unit line, and the column says what stands there: numbers in their order (ColumnCodes, so within the range seen, with
// types and spellings as learnt), categories and missing ones the most frequent first. A column of numbers that lacks
// some has a second normal, which says whether the value is there. Sources: Nelsen 2006, "An Introduction to Copulas",
// section 2.9; Patki, Wedge and Veeramachaneni 2016, "The Synthetic Data Vault". The correlations are those at which
// the columns' normal scores (the mean of the normal where the value lies) have the covariance seen, by the Hermite
// series of what is cut into intervals, as in Cario and Nelson 1997, "Modeling and generating random vectors with
// arbitrary marginal distributions".
//
// A baseline: only what rises or falls together is learnt, column by column. A category's place is by its frequency, so
// what follows from single categories is mostly lost.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/tabular/column_codes.hpp>
#include <synthdata/tabular/condition.hpp>
#include <synthdata/tabular/training.hpp>

namespace synthdata::models {

struct GaussianCopulaOptions {
  ColumnCodesOptions codes = {};  ///< how each column's own distribution is kept
};

namespace detail {

/// One of the normals: what stands on its unit line.
struct CopulaLine {
  std::size_t column = 0;
  bool presence = false;             ///< says whether a number is missing (code 0) or there (code -1)
  std::vector<std::int64_t> codes;   ///< of the column
  std::vector<double> bounds;        ///< code i has [bounds[i], bounds[i + 1]); 0 ... 1
  std::vector<std::int64_t> places;  ///< of each code in `codes`, -1 if it has none
};

}  // namespace detail

/// Learns a table and makes rows like it. Nothing is trained: fitting is one pass for each pair of columns.
class GaussianCopula {
 public:
  /// @throws DataError for a table without rows or columns, infinite values, or options out of range.
  /// Cost: O(rows columns²), and 4 bytes a value.
  static GaussianCopula fit(const Table& table, const GaussianCopulaOptions& options = {});

  /// Rows of the table's schema that meet the conditions. The same seed gives the same rows, whatever the threads.
  /// All conditions are exact: real numbers by the conditional normal, one category, whole number or range more by a
  /// truncated one at no cost; beyond that rows are thrown away in proportion to what they miss.
  /// @throws DataError for an unknown column or a value that the model has not learnt, two conditions on one column,
  /// and if rows that meet all conditions are too rare, saying how many were found.
  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const;

  /// log of the density of each row, f64 [N]; minus infinity where a value was never learnt. It has a closed form only
  /// for rows of real numbers within ranges, with one other value at most (a category, a missing one, a number of its
  /// own or of fixed decimals) beside constant ones.
  /// @throws DataError for other rows, naming the row and two columns
  Tensor log_prob(const Table& table) const;

  /// One safetensors file with all that is needed. @throws DataError if it cannot be written.
  void save(const std::string& path) const;
  /// @throws DataError naming what does not fit, if the file is damaged or not such a model.
  static GaussianCopula load(const std::string& path);
  /// The same as an archive, to which others may add entries; `path` is for messages.
  Archive archive() const;
  static GaussianCopula from_archive(const Archive& archive, const std::string& path);

  Schema schema() const;
  const std::vector<ColumnCodes>& columns() const { return columns_; }
  /// f64 [L, L], positive definite: of lines().
  const Tensor& correlation() const { return correlation_; }
  /// The normals, by column; a column without values has none but that of its presence.
  const std::vector<detail::CopulaLine>& lines() const { return lines_; }

 private:
  GaussianCopula(std::vector<ColumnCodes> columns, std::vector<Tensor> rows);

  std::vector<ColumnCodes> columns_;
  std::vector<Tensor> rows_;  // of each code of each column, f64 [total]
  std::vector<detail::CopulaLine> lines_;
  Tensor correlation_;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/gaussian_copula_impl.hpp>
#endif
