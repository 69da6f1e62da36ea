// synthdata/tabular/cell_value.hpp: columns of a given type and spelling from numbers or texts.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

#include <string>
#include <vector>

namespace synthdata::models::detail {

/// The number that a cell of a column of numbers, booleans or date-times means (microseconds for the last).
/// @throws DataError naming the column if it is none
double value_of_cell(const ColumnSchema& schema, std::string_view text);

/// A column of the schema's name, type and spelling; values are rounded towards zero where the type is whole.
/// @param missing  true marks missing values; empty for none
Column column_of(const ColumnSchema& schema, const std::vector<double>& values, const std::vector<bool>& missing);
/// The same for integers and date-times, exactly.
Column column_of(const ColumnSchema& schema, const std::vector<std::int64_t>& values, const std::vector<bool>& missing);
/// The same for any type, from the texts of cells. @throws DataError naming the column for a cell that does not fit
Column column_of(const ColumnSchema& schema, const std::vector<std::string>& cells, const std::vector<bool>& missing);

/// True for a missing value, and for a real one that is not a number.
inline bool lacks(const Column& column, std::int64_t row) {
  return column.is_missing(row) || (column.type() == ColumnType::real && column.real(row) != column.real(row));
}
/// True for categorical, text and identifier columns.
inline bool is_text_type(ColumnType type) {
  return type == ColumnType::categorical || type == ColumnType::text || type == ColumnType::identifier;
}

}  // namespace synthdata::models::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/cell_value_impl.hpp>
#endif
