// synthdata/metrics/table_report.hpp: all that can be said about a synthetic table, as one HTML file and as JSON.
//
// Each number stands beside its ceiling: the same number for held-out real rows, which is what a perfect generator
// would get. Trap: the ceiling is that of as many held-out rows as there are; with few of them it is lower.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/closest_records.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/metrics/record_attacks.hpp>
#include <synthdata/metrics/singling_out.hpp>

#include <utility>

namespace synthdata {

/// A model trained on synthetic rows and one trained on real rows, both judged by held-out real rows.
struct UsefulnessScore {
  std::string model, metric;  ///< "gradient-boosted trees", "AUC"
  double real = 0.0, synthetic = 0.0;
};

struct TableReportOptions {
  std::string title = "Report on a synthetic table";
  std::vector<std::pair<std::string, std::string>> facts{};  ///< what it takes to repeat it: ("model", "Ctgan"), ...
  std::vector<UsefulnessScore> usefulness{};                 ///< empty: no such section
  std::vector<std::string> secrets{};  ///< columns to be inferred; empty: the target, or without one the last column
  std::vector<std::string> first{}, second{};  ///< columns for linkability; empty: every other one each
  std::int64_t nearest = 10;                   ///< pairs of rows shown; 0 keeps all real rows off the page
  AttackOptions attack = {};
  std::int64_t membership_targets = 10'000;
  QualityOptions quality = {};
};

/// How the values of a column are spread in the training and the synthetic table.
struct ColumnOverlay {
  std::string column;
  ColumnType type = ColumnType::text;
  std::vector<std::string> labels;          ///< of categories; for numbers the least, middle and greatest value
  std::vector<double> training, synthetic;  ///< shares of the values present, a category or a bin of equal width each
  double training_missing = 0.0, synthetic_missing = 0.0;  ///< shares of the rows
  double score = 0.0, ceiling = 0.0;                       ///< ks_complement or tv_complement; NaN for texts
};

/// A synthetic row and the training row nearest to it, as the texts of their cells.
struct NearestPair {
  std::int64_t synthetic_row = 0, training_row = 0;  ///< from 0
  double distance = 0.0, ratio = 0.0;                ///< as closest_records and nearest_neighbour_ratio have them
  std::vector<std::string> synthetic, training;
};

/// A number and its ceiling.
struct ReportNumber {
  std::string name, meaning;
  double synthetic = 0.0, holdout = 0.0;
};

/// The findings; nothing refers to the tables any more.
struct TableReport {
  TableReportOptions options;
  std::string target;
  std::int64_t training_rows = 0, holdout_rows = 0, synthetic_rows = 0;
  QualityReport quality, quality_ceiling;
  DiagnosticReport diagnostic, diagnostic_ceiling;
  std::vector<ColumnOverlay> overlays;
  std::vector<std::string> names;                          ///< of the columns of the two matrices
  std::vector<double> association, synthetic_association;  ///< Pearson's coefficient, or Cramér's V; NaN for none
  std::vector<ReportNumber> closeness;                     ///< copies and distances
  std::int64_t share_rows = 0;                             ///< rows of each table that `share` was found with
  ClosestShare share;
  std::vector<AttackResult> attacks;
  std::vector<MembershipResult> memberships;
  std::vector<std::string> not_run;  ///< attacks that these tables do not allow, and why
  std::vector<std::string> columns;  ///< of the pairs
  std::vector<NearestPair> nearest;

  /// Attacks whose interval excludes zero.
  std::int64_t found() const;
  std::string html() const;
  Json json() const;
  /// Writes the page, and the JSON beside it (report.html, report.json). @throws DataError if that fails.
  void save(const std::string& path) const;
};

/// @param target  the column that models are to predict, "" for none
/// @throws DataError if a table has fewer than 4 rows, or the tables' columns do not fit each other.
/// Cost: that of comparing all synthetic rows with all training rows, three times; 16,000 x 16,000 x 15 take a few
/// seconds.
TableReport table_report(const Table& training, const Table& holdout, const Table& synthetic,
                         const std::string& target = {}, const TableReportOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/table_report_impl.hpp>
#endif
