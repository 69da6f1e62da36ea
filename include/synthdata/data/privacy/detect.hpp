// synthdata/data/privacy/detect.hpp: which columns of a table are about a person, how sure that is, and why.
//
// A list to look through, not a proof: what has no form (a nickname, a rare name, a note about somebody) is not found,
// and harmless numbers can look like an id. Columns that say who somebody is only together (age, postcode, sex) are
// none of its business; see Mondrian.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/patterns.hpp>
#include <synthdata/data/table.hpp>

#include <string>
#include <vector>

namespace synthdata {

/// A column that seems to be personal.
struct PersonalColumn {
  std::string column;
  PersonalKind kind{};
  double confidence = 0.0;  ///< 0 ... 1, see detect_personal
  double share = 0.0;       ///< of the cells looked at that are not missing: those of the kind's form
  bool by_name = false;     ///< the column's name says so
  bool dated = false;       ///< it is a date-time column
  std::string reason{};     ///< "100 % of 2000 cells have its form; the name says so"
};

/// In the order of the table's columns.
struct PersonalColumns {
  std::vector<PersonalColumn> columns;

  /// A line for each: column, kind, confidence, reason.
  std::string str() const;
  Json json() const;
};

struct DetectOptions {
  double least = 0.3;             ///< confidence below which a column is not listed
  std::int64_t max_rows = 10000;  ///< so many rows are looked at, spread evenly over the table
};

/// Looks at the cells and the name of each column and lists those that seem personal, each as its likeliest kind.
///
/// With s the share of cells of a kind's form, less what chance would give, p how telling the form is (1 for check
/// digits and mail addresses, 0.5 for phone numbers), and h = 0.5 if the name speaks for the kind:
/// confidence = 1 - (1 - p s)(1 - h). For names s is three times the share of cells with a name from the built-in list,
/// at most 1. Column names are understood in English, German, French, Spanish, Italian, Portuguese, Dutch and Polish.
/// @throws NumericError unless 0 <= least <= 1 and max_rows >= 1.
PersonalColumns detect_personal(const Table& table, const DetectOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/detect_impl.hpp>
#endif
