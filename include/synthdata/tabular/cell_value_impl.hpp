// synthdata/tabular/cell_value_impl.hpp: bodies of cell_value.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/tabular/cell_value.hpp>

#include <unordered_map>

namespace synthdata::models::detail {

SYNTHDATA_INLINE double value_of_cell(const ColumnSchema& schema, std::string_view text) {
  using namespace synthdata::detail;
  Number number;
  std::int64_t microseconds = 0;
  if (schema.type == ColumnType::boolean && (text == schema.true_text || text == schema.false_text)) {
    return text == schema.true_text ? 1.0 : 0.0;
  }
  if (schema.type == ColumnType::date_time && parse_date_time(text, schema.pattern, schema.zone, microseconds)) {
    return static_cast<double>(microseconds);
  }
  if ((schema.type == ColumnType::integer || schema.type == ColumnType::real) && parse_number(text, number)) {
    return number.value;
  }
  throw DataError(concat("column ", in_quotes(schema.name), ": expects ", schema.type,
                         schema.pattern.empty() ? "" : " such as ", schema.pattern, schema.zone, ", got ",
                         in_quotes(text)));
}

SYNTHDATA_INLINE Column column_of(const ColumnSchema& schema, const std::vector<double>& values,
                                  const std::vector<bool>& missing) {
  if (schema.type == ColumnType::real) return Column::reals(schema.name, values, missing).spelled(schema);
  if (schema.type == ColumnType::boolean) {
    std::vector<bool> bits(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) bits[i] = values[i] != 0.0;
    return Column::booleans(schema.name, bits, missing).spelled(schema);
  }
  std::vector<std::int64_t> whole(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) whole[i] = static_cast<std::int64_t>(values[i]);
  return column_of(schema, whole, missing);
}

SYNTHDATA_INLINE Column column_of(const ColumnSchema& schema, const std::vector<std::int64_t>& values,
                                  const std::vector<bool>& missing) {
  if (schema.type == ColumnType::integer) return Column::integers(schema.name, values, missing).spelled(schema);
  return Column::date_times(schema.name, values, schema.pattern, schema.zone, missing).spelled(schema);
}

SYNTHDATA_INLINE Column column_of(const ColumnSchema& schema, const std::vector<std::string>& cells,
                                  const std::vector<bool>& missing) {
  const auto present = [&](std::size_t i) { return missing.empty() || !missing[i]; };
  const auto fail = [&](const std::string& cell) {
    throw DataError(concat("column ", in_quotes(schema.name), ": expects ", schema.type, ", got ", in_quotes(cell)));
  };
  if (schema.type == ColumnType::text || schema.type == ColumnType::identifier) {
    ColumnParts parts = Column::texts(schema.name, cells, missing).parts();
    parts.schema = schema;
    parts.schema.as_written = false;
    return Column(std::move(parts));
  }
  if (schema.type == ColumnType::categorical) {
    std::unordered_map<std::string_view, std::int64_t> code_of;
    for (const std::string& category : schema.categories) {
      code_of.emplace(category, static_cast<std::int64_t>(code_of.size()));
    }
    std::vector<std::int64_t> codes(cells.size(), 0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!present(i)) continue;
      const auto found = code_of.find(cells[i]);
      if (found == code_of.end()) fail(cells[i]);
      codes[i] = found->second;
    }
    return Column::categorical(schema.name, codes, schema.categories, missing).spelled(schema);
  }
  if (schema.type == ColumnType::integer || schema.type == ColumnType::date_time) {
    std::vector<std::int64_t> values(cells.size(), 0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!present(i)) continue;
      const bool fits = schema.type == ColumnType::integer
                            ? synthdata::detail::parse_integer(cells[i], values[i])
                            : synthdata::detail::parse_date_time(cells[i], schema.pattern, schema.zone, values[i]);
      if (!fits) fail(cells[i]);
    }
    return column_of(schema, values, missing);
  }
  std::vector<double> values(cells.size(), 0.0);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (present(i)) values[i] = value_of_cell(schema, cells[i]);
  }
  return column_of(schema, values, missing);
}

}  // namespace synthdata::models::detail
