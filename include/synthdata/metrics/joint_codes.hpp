// synthdata/metrics/joint_codes.hpp: the values of a real and a synthetic column, numbered alike.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

#include <vector>

namespace synthdata::detail {

/// True for columns whose values have an order and distances: integer, real, date-time.
inline bool is_continuous(const Column& column) {
  return column.type() == ColumnType::integer || column.type() == ColumnType::real ||
         column.type() == ColumnType::date_time;
}
/// True for boolean and categorical columns.
inline bool is_discrete(const Column& column) {
  return column.type() == ColumnType::boolean || column.type() == ColumnType::categorical;
}
/// True for texts and identifiers, which no score of values applies to.
inline bool is_text(const Column& column) { return !is_continuous(column) && !is_discrete(column); }

/// Equal values have equal numbers 0 ... count - 1, in the order in which they come in the real column, then in the
/// synthetic one; -1 is a missing value.
struct JointCodes {
  std::vector<std::int32_t> real, synthetic;
  std::int32_t count = 0;
};

/// Values are compared as numbers where both columns are continuous, else as the texts of their cells.
JointCodes joint_codes(const Column& real, const Column& synthetic);

/// The values that are not missing, as f64; date-times in microseconds. NaN counts as missing.
std::vector<double> present_numbers(const Column& column);
/// All values as f64, NaN where missing.
std::vector<double> all_numbers(const Column& column);

/// The column of the synthetic table for each of the real one.
/// @throws DataError if a name is missing, or one is continuous and the other is not.
std::vector<Column> matching_columns(const char* metric, const Table& real, const Table& synthetic);
/// @throws DataError unless both are continuous or neither is.
void check_comparable(const char* metric, const Column& real, const Column& synthetic);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/joint_codes_impl.hpp>
#endif
