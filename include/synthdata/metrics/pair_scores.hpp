// synthdata/metrics/pair_scores.hpp: how alike the relation of two columns is in a real and a synthetic table.
//
// Names and definitions are those of SDMetrics (https://docs.sdv.dev/sdmetrics). All are 1 for a copy.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

namespace synthdata {

enum class Correlation : std::uint8_t { pearson, spearman };

struct CorrelationScore {
  double score = 0.0;  ///< 1 - |difference of the coefficients| / 2, from 0 to 1
  double real = 0.0, synthetic = 0.0;
};

/// Compares the correlation of columns `first` and `second` of two tables, over the rows where both are present. The
/// score is NaN where a coefficient is: a column that is constant, or fewer than two rows.
/// @throws DataError if a table lacks a column; unless the columns are integer, real or date-time.
/// Trap: two columns may depend on each other strongly and have a correlation of 0.
CorrelationScore correlation_similarity(const Table& real, const Table& synthetic, std::string_view first,
                                        std::string_view second, Correlation correlation = Correlation::pearson);

/// How continuous columns are cut into bins of equal width before their values are counted.
enum class BinEdges : std::uint8_t {
  of_real,  ///< between the least and greatest real value; the outer bins take what lies beyond
  of_each,  ///< each table's column between its own least and greatest value, as SDMetrics' quality report does. Trap:
            ///< a synthetic column that is shifted or stretched as a whole does not lose anything here. The greatest
            ///< value shares its bin with missing ones.
};

struct ContingencyOptions {
  BinEdges edges = BinEdges::of_real;
  int bins = 10;
};

struct ContingencyScore {
  double score = 0.0;             ///< 1 - total variation distance of the two joint distributions
  double real_association = 0.0;  ///< Cramér's V of the real table (without correction of bias), NaN where a column of
                                  ///< the real table has a single value
};

/// Compares how often pairs of values of columns `first` and `second` come. A missing value is one of the values.
/// @throws DataError if a table lacks a column, a continuous column has an infinite value, or bins < 1.
/// Trap: two columns of many categories score well below 1 even for a second real sample, because each cell of the
/// table holds few rows.
ContingencyScore contingency_similarity(const Table& real, const Table& synthetic, std::string_view first,
                                        std::string_view second, const ContingencyOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/pair_scores_impl.hpp>
#endif
