// synthdata/data/augment/table_rows.hpp: new rows between the rows of a table, for SMOTE, ADASYN and mixup.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

#include <span>
#include <string>
#include <vector>

namespace synthdata {

/// A new row and the two it lies between: base + share (neighbour - base).
struct SyntheticRow {
  std::int64_t base = 0, neighbour = 0;  ///< rows of the table
  double share = 0.0;                    ///< 0 ... 1
  friend bool operator==(const SyntheticRow&, const SyntheticRow&) = default;
};

namespace detail {

/// Integer, real or date-time: between two values there are others.
inline bool is_between_type(ColumnType type) {
  return type == ColumnType::integer || type == ColumnType::real || type == ColumnType::date_time;
}

/// value + by, rounded, within low ... high, which the value is too; exact for all of 64 bits.
std::int64_t moved(std::int64_t value, double by, std::int64_t low, std::int64_t high);

/// A column of integer, real or date-time values between those of the rows, spelled like the others: whole numbers,
/// the column's decimals, what the date pattern shows. A row between itself and itself may be missing, others not.
Column between(const Column& column, std::span<const SyntheticRow> rows);

/// The rows of a table that are to be made.
struct RowPlan {
  std::vector<SyntheticRow> rows;
  std::int64_t neighbours = 0;
  std::vector<std::int64_t> voters;  ///< [rows, neighbours]: rows of the table, the nearest first
};
/// Numbers and dates between base and neighbour, or the base's if one of the two is missing; the value most voters have
/// (of equally frequent ones, the nearest one's), missing ones being equal, for other columns; the base's for `target`.
Table rows_of(const Table& table, std::string_view target, const RowPlan& plan);

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/table_rows_impl.hpp>
#endif
