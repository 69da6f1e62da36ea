// synthdata/data/clean/report.hpp: what cleaning changed, by column and count.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>

#include <string>
#include <vector>

namespace synthdata {

/// One line of a report.
struct CleaningChange {
  std::string step;    ///< "fill missing"
  std::string column;  ///< empty for what happened to rows
  std::string what;    ///< "filled", "removed", "clipped", "marked", "left missing"
  std::int64_t count = 0;

  friend bool operator==(const CleaningChange&, const CleaningChange&) = default;
};

/// Changes in the order in which they were first made. Those of several tables, such as the pieces of a stream, add up.
struct CleaningReport {
  std::vector<CleaningChange> changes;

  /// Adds to the line of the same step, column and words; a count of 0 adds none.
  void add(std::string_view step, std::string_view column, std::string_view what, std::int64_t count);
  /// Sum of the counts of a column's lines whose words are `what`; column "" for rows.
  std::int64_t count(std::string_view column, std::string_view what) const;

  /// An aligned line for each change; "nothing changed" if there is none.
  std::string str() const;
  Json json() const;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/report_impl.hpp>
#endif
