// synthdata/data/table_stream_impl.hpp: bodies of table_stream.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_impl.hpp>
#include <synthdata/data/table_stream.hpp>

namespace synthdata {

SYNTHDATA_INLINE Table empty_table(const Schema& schema) {
  std::vector<Column> columns;
  for (const ColumnSchema& column : schema.columns) {
    ColumnParts parts{.schema = column};
    if (column.type == ColumnType::categorical) {
      detail::make_codes(parts);
    } else if (!detail::holds_texts(column)) {
      parts.values = Tensor::empty({0}, detail::stored_as(column.type), Device::cpu());
    }
    if (detail::holds_texts(column) || column.as_written) {
      parts.texts = detail::join_texts(0, [](std::int64_t) { return std::string_view(); });
    }
    columns.emplace_back(std::move(parts));
  }
  return Table(std::move(columns));
}

namespace detail {

SYNTHDATA_INLINE Table join_pieces(std::vector<Table> pieces, const Schema& schema) {
  if (pieces.empty()) return empty_table(schema);
  for (std::size_t step = 1; step < pieces.size(); step *= 2) {  // neighbours in pairs, then pairs of pairs
    for (std::size_t i = 0; i + step < pieces.size(); i += 2 * step) {
      pieces[i] = pieces[i].append(pieces[i + step]);
      pieces[i + step] = Table();
    }
  }
  return std::move(pieces.front());
}

}  // namespace detail
}  // namespace synthdata
