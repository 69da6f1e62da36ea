// synthdata/data/augment/oversample.hpp: more rows of the rare classes of a table: SMOTE, SMOTENC, ADASYN.
//
// A new row lies on the line between a row of its class and one of that row's nearest neighbours in the class. Fit
// scalers and split off test data before: a new row tells about the rows it was made of.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/table_rows.hpp>

#include <string>
#include <utility>
#include <vector>

namespace synthdata {

struct OversampleOptions {
  std::string target{};         ///< the column of classes; any type but real
  std::int64_t neighbours = 5;  ///< a class needs one row more than this
  double ratio = 1.0;           ///< classes are filled up to this share of the largest one
  /// Classes, as their cells are written, and how many rows they are to have, old and new together; the others stay as
  /// they are. Empty for all classes by `ratio`.
  std::vector<std::pair<std::string, std::int64_t>> counts{};
  bool standardise = true;  ///< distances in units of each column's standard deviation over all rows
  std::uint64_t seed = 0;
};

struct Oversampled {
  Table table;                     ///< the old rows, then the new ones, class by class
  std::vector<SyntheticRow> made;  ///< of each new row, what it was made of: rows of the old table
};

/// SMOTE. Source: Chawla et al. 2002, "SMOTE: synthetic minority over-sampling technique". Each row of the class is the
/// base of equally many new rows, give or take one; the neighbour and the share of the way to it are drawn evenly.
/// Integers and dates are rounded, reals to the decimals their column is written with.
/// @throws DataError if the target or a class is not there, a class has too few rows or more than wanted, a value is
/// missing, or a feature is not integer, real or date-time; NumericError unless neighbours >= 1 and 0 < ratio <= 1.
/// Cost: that of nearest_others for each class that grows.
Oversampled smote(const Table& table, const OversampleOptions& options);

/// SMOTE for tables with categories and booleans too: two that differ add the median of the standard deviations of the
/// class's numeric columns, squared, to the squared distance (1 if there are none), and a new row has the value most of
/// the base's neighbours have, the nearest one's if equally many. Source: Chawla et al. 2002, section 6.1.
Oversampled smotenc(const Table& table, const OversampleOptions& options);

/// ADASYN: the more of a row's nearest neighbours in the whole table belong to other classes, the more new rows it is
/// the base of: rint(G r / sum of r), r being that share and G the rows wanted, so that the class may end with a few
/// rows more or less. The other end of the line is a nearest neighbour in the class. Source: He et al. 2008, "ADASYN:
/// adaptive synthetic sampling approach for imbalanced learning"; neighbours in the class as imbalanced-learn has it.
/// @throws DataError like smote(), and if no row of a class that is to grow has a neighbour of another class.
Oversampled adasyn(const Table& table, const OversampleOptions& options);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/oversample_impl.hpp>
#endif
