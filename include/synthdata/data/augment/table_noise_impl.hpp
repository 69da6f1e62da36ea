// synthdata/data/augment/table_noise_impl.hpp: bodies of data/augment/table_noise.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/mix.hpp>
#include <synthdata/data/augment/oversample_impl.hpp>
#include <synthdata/data/augment/table_noise.hpp>
#include <synthdata/data/clean/columns.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace synthdata {

namespace detail {

/// A stream for a column, whatever its place in the table.
SYNTHDATA_INLINE Rng stream_of(std::uint64_t seed, std::string_view column) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : column) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return Rng(seed).split(hash);
}

SYNTHDATA_INLINE Column noisy_numbers(const Column& column, const TableNoiseOptions& options, const Rng& rng) {
  double count = 0.0, mean = 0.0, squares = 0.0;
  std::int64_t low = -1, high = -1;  // rows with the least and the largest value
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (is_absent(column, row)) continue;
    const double value = column.number(row);
    if (!std::isfinite(value)) {
      throw DataError(concat("add_noise: column ", in_quotes(column.name()), ", row ", row, " is ", value));
    }
    count += 1.0;  // Welford's updates
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
    if (low < 0 || value < column.number(low)) low = row;
    if (high < 0 || value > column.number(high)) high = row;
  }
  if (low < 0) return column;
  const double deviation = options.share * std::sqrt(squares / count);
  ColumnEditor editor(column);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (is_absent(column, row)) continue;
    const double by = rng.split(static_cast<std::uint64_t>(row)).normal() * deviation;
    if (column.type() == ColumnType::real) {
      const double value = column.real(row) + by;
      editor.set(row, options.within ? std::clamp(value, column.real(low), column.real(high)) : value);
    } else {
      constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = -(least + 1);
      editor.set_integer(row, moved(column.integer(row), by, options.within ? column.integer(low) : least,
                                    options.within ? column.integer(high) : most));
    }
  }
  return editor.take();
}

SYNTHDATA_INLINE Column swapped(const Column& column, double probability, const Rng& of_column) {
  std::vector<std::int64_t> sources, present;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (!column.is_missing(row)) present.push_back(row);
  }
  for (std::int64_t row = 0; row < column.size(); ++row) {
    Rng rng = of_column.split(static_cast<std::uint64_t>(row));
    const bool swaps = !column.is_missing(row) && even_share(rng) < probability;
    sources.push_back(swaps ? present[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(present.size())))]
                            : row);
  }
  return column.take(sources);
}

}  // namespace detail

SYNTHDATA_INLINE Table add_noise(const Table& table, const TableNoiseOptions& options) {
  if (!(options.share >= 0.0 && std::isfinite(options.share)) || !(options.swap >= 0.0 && options.swap <= 1.0)) {
    throw NumericError(
        concat("add_noise: expects share >= 0 and 0 <= swap <= 1, got ", options.share, " and ", options.swap));
  }
  for (const std::string& name : options.columns) {
    if (detail::is_textual(table[name].type())) {
      throw DataError(
          concat("add_noise: column ", in_quotes(name), " is ", table[name].type(), ", which has no noise"));
    }
  }
  Table result = table;
  for (const Column& column : table.columns()) {
    const auto& names = options.columns;
    if (detail::is_textual(column.type())) continue;
    if (!names.empty() && std::find(names.begin(), names.end(), column.name()) == names.end()) continue;
    const Rng rng = detail::stream_of(options.seed, column.name());
    if (detail::is_between_type(column.type())) {
      if (options.share > 0.0) result = result.with(detail::noisy_numbers(column, options, rng));
    } else if (options.swap > 0.0) {
      result = result.with(detail::swapped(column, options.swap, rng));
    }
  }
  return result;
}

SYNTHDATA_INLINE Table mixup_rows(const Table& table, const RowMixupOptions& options) {
  if (!(options.alpha > 0.0 && options.alpha < 1e6) || options.rows < -1) {
    throw NumericError(
        concat("mixup_rows: expects alpha > 0 and rows >= -1, got ", options.alpha, " and ", options.rows));
  }
  const std::int64_t count = options.rows < 0 ? table.size() : options.rows;
  if (table.size() == 0) throw DataError("mixup_rows: the table has no rows");
  std::vector<std::vector<std::int64_t>> groups;
  std::vector<std::size_t> group_of(static_cast<std::size_t>(table.size()), 0);
  if (options.within.empty()) {
    groups.emplace_back();
    for (std::int64_t row = 0; row < table.size(); ++row) groups[0].push_back(row);
  } else {
    const Column& within = table[options.within];
    std::map<std::pair<bool, std::string>, std::size_t> known;
    for (std::int64_t row = 0; row < table.size(); ++row) {
      const bool missing = within.is_missing(row);
      const auto [at, is_new] =
          known.emplace(std::pair(missing, missing ? std::string() : within.cell(row)), groups.size());
      if (is_new) groups.emplace_back();
      groups[at->second].push_back(row);
      group_of[static_cast<std::size_t>(row)] = at->second;
    }
  }
  const Rng all(options.seed);
  const std::vector<std::int64_t> order = Rng(all.split(0)).permutation(table.size());
  std::vector<SyntheticRow> plan;
  for (std::int64_t i = 0; i < count; ++i) {
    Rng rng = all.split(1).split(static_cast<std::uint64_t>(i));
    const std::int64_t first = order[static_cast<std::size_t>(i % table.size())];
    const auto& group = groups[group_of[static_cast<std::size_t>(first)]];
    const std::int64_t second = group[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(group.size())))];
    plan.push_back({first, second, 1.0 - random::symmetric_beta(options.alpha, rng)});
  }
  std::vector<Column> columns;
  for (const Column& column : table.columns()) {
    const Rng of_column = detail::stream_of(options.seed, column.name());
    std::vector<std::int64_t> sources;
    std::vector<SyntheticRow> mixed;  // those between two rows stay; the others become one of them
    const bool numbers = detail::is_between_type(column.type()) && column.name() != options.within;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      Rng rng = of_column.split(i);
      const std::int64_t source = detail::even_share(rng) < plan[i].share ? plan[i].neighbour : plan[i].base;
      const bool whole = detail::is_absent(column, plan[i].base) || detail::is_absent(column, plan[i].neighbour);
      sources.push_back(source);
      mixed.push_back(whole ? SyntheticRow{source, source, 0.0} : plan[i]);
    }
    columns.push_back(numbers ? detail::between(column, mixed) : column.take(sources));
  }
  return Table(std::move(columns));
}

}  // namespace synthdata
