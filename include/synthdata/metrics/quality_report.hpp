// synthdata/metrics/quality_report.hpp: one number for how alike two tables are, and all the scores it is made of.
//
// The same scores as SDMetrics' QualityReport and DiagnosticReport (https://docs.sdv.dev/sdmetrics, 0.32), except that
// no rows are left out of large tables.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/column_scores.hpp>
#include <synthdata/metrics/pair_scores.hpp>

namespace synthdata {

/// A score of one column.
struct ColumnScore {
  std::string column;
  std::string metric;  ///< "ks_complement", ...
  double score = 0.0;  ///< NaN: it has none
};

/// A score of two columns.
struct PairScore {
  std::string first, second;
  std::string metric;                  ///< "correlation_similarity" or "contingency_similarity"
  double score = 0.0;                  ///< NaN: it has none
  double real_correlation = 0.0;       ///< NaN for contingency_similarity
  double synthetic_correlation = 0.0;  ///< likewise
  double real_association = 0.0;       ///< Cramér's V; NaN for correlation_similarity
  bool counts = false;                 ///< in the mean: the real columns depend on each other enough
};

struct QualityOptions {
  /// A pair of continuous columns counts only if their real correlation is above this in magnitude, any other only if
  /// its real association is: without bounds, the many pairs that have nothing to do with each other hide the others. 0
  /// for all pairs.
  double correlation_above = 0.5, association_above = 0.3;
};

/// Fidelity: are columns and pairs of columns distributed alike?
struct QualityReport {
  std::vector<ColumnScore> columns;
  std::vector<PairScore> pairs;
  double column_shapes = 0.0;  ///< mean over columns; NaN if there are none
  double pair_trends = 0.0;    ///< mean over pairs that count; NaN if there are none
  double score = 0.0;          ///< mean of those of the two that are not NaN

  /// Aligned lines: the three numbers, then columns and the pairs that count, the worst first.
  std::string str() const;
  Json json() const;
};

/// Compares the continuous and discrete columns of `real` with those of the same names of `synthetic`; texts and
/// identifiers are left out. Shapes by ks_complement and tv_complement; pairs by correlation_similarity, or
/// contingency_similarity with BinEdges::of_each where a column is discrete.
/// @throws DataError if a column is missing in `synthetic`, or continuous in one table only.
/// Cost: columns² times rows; 32,561 x 15 takes about a tenth of a second.
QualityReport quality_report(const Table& real, const Table& synthetic, const QualityOptions& options = {});

/// Validity: is each value one that the real table could hold?
struct DiagnosticReport {
  std::vector<ColumnScore> columns;
  double validity = 0.0;   ///< mean over columns
  double structure = 0.0;  ///< share of (name, type) of columns that both tables have, of those that one has; text and
                           ///< identifier count as one type
  double score = 0.0;      ///< mean of the two

  std::string str() const;
  Json json() const;
};

/// boundary_adherence of continuous columns, category_adherence of discrete ones, key_uniqueness of identifiers.
/// Everything but a perfect score points to a fault. Columns that `synthetic` lacks lower the structure only.
DiagnosticReport diagnostic_report(const Table& real, const Table& synthetic);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/quality_report_impl.hpp>
#endif
