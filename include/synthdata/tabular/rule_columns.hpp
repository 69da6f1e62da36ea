// synthdata/tabular/rule_columns.hpp: columns that a model learns in place of those that a rule ties to others.
//
// A model that learns "end - start" in place of "end" cannot make an end before its start; one that learns a single
// category for each city and country that occur together cannot mix them; a total is left out and computed again.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>
#include <synthdata/tabular/rules.hpp>

namespace synthdata::models::detail {

/// How far a column lies above (or below) another one, in place of it. Numbers or date-times, whole or real.
///
/// Where the other is missing and the column is not, it is how far it lies from `fill`, the least (greatest) such
/// value.
struct GapColumn {
  ColumnSchema column{};
  std::string base{};  ///< the other
  std::string made{};  ///< what the model learns
  bool above = true;   ///< column = base + gap, else base - gap
  double unit = 1.0;   ///< whole columns: gaps are multiples of it, and learnt as such
  bool has_fill = false;
  double fill = 0.0;
  double low = 0.0, high = 0.0;  ///< of the column as learnt; what lies beyond is made again

  /// None if the columns have no row in common or hold whole numbers beyond 2^52.
  /// @param gap  becomes the column to learn
  static std::optional<GapColumn> fit(const Column& column, const Column& base, bool above, std::string made,
                                      Column& gap);
  /// @param ok  becomes 0 for rows that must be made again
  Column restore(const Table& table, std::vector<std::uint8_t>& ok) const;
  Json json() const;
  static GapColumn from_json(const Json& json);
};

/// A total, left out. Where rows lack a part or the total on its own, what is left of the total without the parts that
/// are present is learnt: 0 in full rows.
struct SumColumn {
  ColumnSchema total{};
  std::vector<std::string> parts{};
  std::string made{};  ///< what is left; empty if all rows have a total if and only if they have all parts

  /// @param rest  becomes the column to learn, unless made is empty
  static SumColumn fit(const Rule& rule, const Table& table, std::string made, Column& rest);
  Column restore(const Table& table, std::vector<std::uint8_t>& ok) const;
  Json json() const;
  static SumColumn from_json(const Json& json);
};

/// Which of the tuples that occur, as one category "0", "1", ...
struct JointColumn {
  std::vector<ColumnSchema> columns{};  ///< categories are those of the tuples
  std::vector<std::vector<std::optional<std::string>>> tuples{};
  std::string made{};

  /// Tuples of fewer than `rare_below` rows are left out.
  /// @param joint  becomes the column to learn   @param known  becomes 0 for rows whose tuple is left out
  static JointColumn fit(const Rule& rule, const Table& table, std::int64_t rare_below, std::string made, Column& joint,
                         std::vector<std::uint8_t>& known);
  std::vector<Column> restore(const Table& table, std::vector<std::uint8_t>& ok) const;
  /// The tuples' values of column `c`.
  Column values(std::size_t c) const;
  Json json() const;
  static JointColumn from_json(const Json& json);
};

}  // namespace synthdata::models::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/rule_columns_impl.hpp>
#endif
