// synthdata/data/augment/table_noise.hpp: tables with noise on their values, and rows mixed in pairs.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/table_rows.hpp>

#include <string>
#include <vector>

namespace synthdata {

struct TableNoiseOptions {
  double share = 0.1;  ///< standard deviation of the noise, as a share of the column's
  double swap = 0.0;   ///< probability that a category or boolean becomes that of a random row
  /// Columns that change; empty for all but texts and identifiers.
  std::vector<std::string> columns{};
  bool within = true;  ///< values stay within the column's smallest and largest
  std::uint64_t seed = 0;
};

/// Adds normal noise to integers, reals and date-times, which keep their spelling (whole numbers, decimals, what the
/// date pattern shows), and swaps categories and booleans. Missing values stay missing. What a value becomes depends
/// on seed, column name and row only.
/// @throws DataError for a column that is not there, a text or identifier column named, or an infinite value;
/// NumericError unless share >= 0 and 0 <= swap <= 1.
Table add_noise(const Table& table, const TableNoiseOptions& options = {});

struct RowMixupOptions {
  double alpha = 0.2;      ///< share ~ Beta(alpha, alpha)
  std::int64_t rows = -1;  ///< of the result; -1 for as many as the table has
  std::string within{};    ///< column whose value both rows of a pair share, such as the class; empty for any pair
  std::uint64_t seed = 0;
};

/// New rows, each a mix of two: share of one and 1 - share of the other for integers, reals and date-times; any other
/// column, and where one of the two is missing, has the first row's value with probability share. Source: Zhang et al.
/// 2018, arXiv:1710.09412; there classes are mixed too, which a column of classes cannot hold, so they are drawn.
/// @throws DataError if the table has no rows or no column `within`; NumericError unless alpha > 0 and rows >= -1.
Table mixup_rows(const Table& table, const RowMixupOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/table_noise_impl.hpp>
#endif
