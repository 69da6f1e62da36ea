// synthdata/data/augment/table_rows_impl.hpp: bodies of data/augment/table_rows.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/table_rows.hpp>
#include <synthdata/data/clean/columns.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata::detail {

SYNTHDATA_INLINE std::int64_t moved(std::int64_t value, double by, std::int64_t low, std::int64_t high) {
  const auto at = static_cast<std::uint64_t>(value);
  const std::uint64_t room = by < 0.0 ? at - static_cast<std::uint64_t>(low) : static_cast<std::uint64_t>(high) - at;
  const double distance = std::floor(std::fabs(by) + 0.5);
  const std::uint64_t step = distance < static_cast<double>(room) ? static_cast<std::uint64_t>(distance) : room;
  return static_cast<std::int64_t>(by < 0.0 ? at - step : at + step);
}

SYNTHDATA_INLINE Column between(const Column& column, std::span<const SyntheticRow> rows) {
  std::vector<std::int64_t> bases;
  for (const SyntheticRow& row : rows) bases.push_back(row.base);
  ColumnEditor editor(column.take(bases));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (rows[i].base == rows[i].neighbour) continue;  // taken as it is, missing or not
    if (column.type() == ColumnType::real) {
      const double a = column.real(rows[i].base), b = column.real(rows[i].neighbour);
      const double far = b - a;  // beyond the largest number only if the two are almost
      editor.set(at, std::isfinite(far) ? a + rows[i].share * far : (1.0 - rows[i].share) * a + rows[i].share * b);
    } else {
      const std::int64_t a = column.integer(rows[i].base), b = column.integer(rows[i].neighbour);
      const std::int64_t low = std::min(a, b), high = std::max(a, b);
      const auto far = static_cast<double>(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low));
      editor.set_integer(at, moved(a, (a < b ? far : -far) * rows[i].share, low, high));
    }
  }
  return editor.take();
}

SYNTHDATA_INLINE Table rows_of(const Table& table, std::string_view target, const RowPlan& plan) {
  std::vector<Column> columns;
  for (const Column& column : table.columns()) {
    if (column.name() != target && is_between_type(column.type())) {
      std::vector<SyntheticRow> rows = plan.rows;
      for (SyntheticRow& row : rows) {
        if (is_absent(column, row.base) || is_absent(column, row.neighbour)) row.neighbour = row.base;
      }
      columns.push_back(between(column, rows));
      continue;
    }
    std::vector<std::int64_t> sources;
    const auto value = [&](std::int64_t row) {
      if (column.is_missing(row)) return std::int64_t{-1};
      return column.type() == ColumnType::boolean ? std::int64_t{column.boolean(row)} : column.code(row);
    };
    for (std::size_t i = 0; i < plan.rows.size(); ++i) {
      std::int64_t source = plan.rows[i].base, most = 0;
      const auto count = static_cast<std::size_t>(plan.neighbours);
      for (std::size_t n = 0; column.name() != target && n < count; ++n) {
        const std::int64_t* voters = plan.voters.data() + i * count;
        const auto votes =
            std::count_if(voters, voters + count, [&](std::int64_t row) { return value(row) == value(voters[n]); });
        if (votes > most) {
          most = votes;
          source = voters[n];
        }
      }
      sources.push_back(source);
    }
    columns.push_back(column.take(sources));
  }
  return Table(std::move(columns));
}

}  // namespace synthdata::detail
