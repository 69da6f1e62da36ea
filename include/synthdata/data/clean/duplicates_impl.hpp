// synthdata/data/clean/duplicates_impl.hpp: bodies of duplicates.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/duplicates.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace synthdata {

SYNTHDATA_INLINE const char* name_of(KeepRows keep) {
  constexpr const char* names[] = {"first", "last", "none"};
  return names[static_cast<std::size_t>(keep)];
}
SYNTHDATA_INLINE void append(std::string& out, KeepRows keep) { out += name_of(keep); }

namespace detail {

/// A good mixture of 64 bits. Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", mix64.
inline std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t hash = text.size() + 0x9e3779b97f4a7c15u + seed;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    hash = mix_bits(hash ^ word) + seed;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  return mix_bits(hash ^ rest);
}

/// Bits that are equal where values are.
inline std::uint64_t value_bits(const Column& column, std::int64_t row) {
  if (is_absent(column, row)) return 0x7ff8dead00000000u;
  if (column.type() == ColumnType::integer || column.type() == ColumnType::date_time) {
    return static_cast<std::uint64_t>(column.integer(row));
  }
  return std::bit_cast<std::uint64_t>(column.number(row) + 0.0);  // -0 + 0 is 0
}
/// -1, 0 or 1; an order of some kind, equal where values are.
SYNTHDATA_INLINE int compare_values(const Column& column, std::int64_t a, std::int64_t b) {
  if (is_absent(column, a) || is_absent(column, b)) {
    return static_cast<int>(is_absent(column, a)) - static_cast<int>(is_absent(column, b));
  }
  if (is_textual(column.type())) {
    const int order = column.parts().texts[a].compare(column.parts().texts[b]);
    return order < 0 ? -1 : order > 0;
  }
  const std::uint64_t x = value_bits(column, a), y = value_bits(column, b);
  return x < y ? -1 : x > y;
}

SYNTHDATA_INLINE std::vector<std::int64_t> first_equal_rows(std::span<const Column* const> columns, std::int64_t rows) {
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(rows), 0);
  parallel_for(rows, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (const Column* column : columns) {
      const bool textual = is_textual(column->type());
      for (std::int64_t i = begin; i < end; ++i) {
        std::uint64_t& hash = hashes[static_cast<std::size_t>(i)];
        const bool text = textual && !column->is_missing(i);
        hash = mix_bits(hash + 0x9e3779b97f4a7c15u) ^
               (text ? hash_text(column->parts().texts[i]) : mix_bits(value_bits(*column, i)));
      }
    }
  });
  // sorted, not in a hash table: rows made to collide cost a comparison of values, not the square of their number
  std::vector<std::pair<std::uint64_t, std::int64_t>> order(hashes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = {hashes[i], static_cast<std::int64_t>(i)};
  std::sort(order.begin(), order.end());
  const auto compare = [&](std::int64_t a, std::int64_t b) {
    for (const Column* column : columns) {
      if (const int way = compare_values(*column, a, b)) return way;
    }
    return 0;
  };
  std::vector<std::int64_t> first(hashes.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && order[end].first == order[begin].first) ++end;
    const auto from = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = order.begin() + static_cast<std::ptrdiff_t>(end);
    const bool all_equal =
        std::all_of(from, to, [&](const auto& row) { return compare(from->second, row.second) == 0; });
    if (!all_equal) {
      std::sort(from, to, [&](const auto& a, const auto& b) {
        const int way = compare(a.second, b.second);
        return way != 0 ? way < 0 : a.second < b.second;
      });
    }
    for (auto row = from, group = from; row != to; ++row) {
      if (!all_equal && compare(group->second, row->second) != 0) group = row;
      first[static_cast<std::size_t>(row->second)] = group->second;
    }
  }
  return first;
}

}  // namespace detail

SYNTHDATA_INLINE Duplicates Duplicates::fit(const Table& training, const DuplicatesOptions& options) {
  Duplicates step;
  step.keep_ = options.keep;
  step.columns_ = detail::FittedColumns(kind, training, options.columns, [](ColumnType) { return true; });
  return step;
}

SYNTHDATA_INLINE Table Duplicates::apply(const Table& table, CleaningReport* report) const {
  std::vector<const Column*> columns;
  for (std::size_t c = 0; c < columns_.size(); ++c) columns.push_back(&columns_.in(table, c));
  const std::vector<std::int64_t> first = detail::first_equal_rows(columns, table.size());
  std::vector<std::int64_t> last(first.size()), count(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    last[static_cast<std::size_t>(first[i])] = static_cast<std::int64_t>(i);
    ++count[static_cast<std::size_t>(first[i])];
  }
  std::vector<bool> marked(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto group = static_cast<std::size_t>(first[i]);
    const auto row = static_cast<std::int64_t>(i);
    marked[i] = keep_ == KeepRows::first  ? first[i] != row
                : keep_ == KeepRows::last ? last[group] != row
                                          : count[group] > 1;
  }
  if (report) report->add(kind, "", "removed", std::count(marked.begin(), marked.end(), true));
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string Duplicates::str() const {
  return concat("keep ", keep_, " of rows equal in ", columns_.str());
}
SYNTHDATA_INLINE void Duplicates::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, kind, {{"keep", name_of(keep_)}}, &columns_.schema());
}
SYNTHDATA_INLINE Duplicates Duplicates::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  Duplicates step;
  step.columns_ = detail::FittedColumns(kind, saved.schema());
  const std::string keep = saved.text("keep");
  for (const KeepRows one : {KeepRows::first, KeepRows::last, KeepRows::none}) {
    if (keep == name_of(one)) {
      step.keep_ = one;
      return step;
    }
  }
  saved.fail(concat("no rule is called ", in_quotes(keep)));
}

}  // namespace synthdata
