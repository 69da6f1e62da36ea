// synthdata/tabular/smote_impl.hpp: bodies of smote.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/row_points.hpp>
#include <synthdata/data/augment/table_rows.hpp>
#include <synthdata/data/nearest.hpp>
#include <synthdata/tabular/column_codes_impl.hpp>
#include <synthdata/tabular/encoded_rows_impl.hpp>
#include <synthdata/tabular/model_file.hpp>
#include <synthdata/tabular/smote.hpp>

#include <algorithm>

namespace synthdata::models {

SYNTHDATA_INLINE Smote Smote::fit(const Table& table, const SmoteOptions& options) {
  if (options.neighbours < 1) throw DataError(concat("Smote: expects neighbours >= 1, got ", options.neighbours));
  if (table.size() < 2) throw DataError(concat("Smote: expects at least two rows, got ", table.size()));
  std::vector<Column> kept;
  for (const Column& column : table.columns()) {
    if (column.type() == ColumnType::text || column.type() == ColumnType::identifier) continue;
    ColumnSchema format = column.schema();
    format.as_written = false;
    kept.push_back(column.spelled(format));
  }
  if (kept.empty()) throw DataError("Smote: the table has no column that can be kept: all are texts or identifiers");
  Table rows(std::move(kept));
  const synthdata::detail::RowPoints points("Smote", rows.columns());
  const Tensor all = points.of_all();
  return {std::move(rows), nearest_others(all, std::min(options.neighbours, table.size() - 1)).index};
}

SYNTHDATA_INLINE Table Smote::sample(std::int64_t rows, const Conditions& conditions,
                                     const SampleOptions& options) const {
  const std::int64_t k = neighbours_.shape(1);
  return detail::sample_until(rows, conditions, schema(), options.rounds, [&](std::int64_t n, std::int64_t round) {
    const Rng rng = Rng{options.seed}.split(static_cast<std::uint64_t>(round));
    synthdata::detail::RowPlan plan{.rows = {}, .neighbours = k, .voters = {}};
    for (std::int64_t i = 0; i < n; ++i) {
      Rng own = rng.split(static_cast<std::uint64_t>(i));
      const std::int64_t base = own.below(rows_.size());
      const std::int64_t* const near = neighbours_.data<std::int64_t>() + base * k;
      const std::int64_t neighbour = near[own.below(k)];
      plan.rows.push_back({base, neighbour, detail::uniform_double(own)});
      plan.voters.insert(plan.voters.end(), near, near + k);
    }
    return synthdata::detail::rows_of(rows_, "", plan);
  });
}

SYNTHDATA_INLINE Archive Smote::archive() const {
  Archive archive;
  archive.metadata["format"] = "synthdata smote 1";
  archive.metadata["schema"] = schema().json().dump();
  for (std::size_t c = 0; c < rows_.columns().size(); ++c) {
    const ColumnParts& parts = rows_[c].parts();
    archive.add(concat("column.", c), parts.values);
    if (parts.missing.defined()) archive.add(concat("column.", c, ".missing"), parts.missing);
  }
  archive.add("neighbours", neighbours_);
  return archive;
}

SYNTHDATA_INLINE void Smote::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE Smote Smote::load(const std::string& path) {
  return from_archive(detail::load_model_alone(path), path);
}

SYNTHDATA_INLINE Smote Smote::from_archive(const Archive& archive, const std::string& path) {
  const OnDevice host(Device::cpu());
  if (archive.text("format") != "synthdata smote 1") {
    throw DataError(concat(path, ": is not a model of Smote, version 1"));
  }
  try {
    const Schema schema = Schema::from_json(parse_json(archive.text("schema"), {.source = path}));
    const Tensor& neighbours = archive.at("neighbours");
    if (neighbours.dtype() != DType::i64 || neighbours.rank() != 2 || neighbours.shape(0) < 2 ||
        neighbours.shape(1) < 1) {
      throw DataError(concat("neighbours is ", neighbours.str(), ", expected [rows, neighbours] i64"));
    }
    const std::int64_t size = neighbours.shape(0);
    for (const std::int64_t row : neighbours.span<std::int64_t>()) {
      if (row < 0 || row >= size) throw DataError(concat("neighbour ", row, " of ", size, " rows"));
    }
    std::vector<Column> columns;
    for (std::size_t c = 0; c < schema.columns.size(); ++c) {
      ColumnParts parts{.schema = schema.columns[c], .size = size, .values = archive.at(concat("column.", c))};
      if (parts.schema.type == ColumnType::categorical) {
        parts.width = static_cast<std::uint8_t>(std::min<std::int64_t>(parts.values.size() / size, 8));
      }
      if (const Tensor* missing = archive.find(concat("column.", c, ".missing"))) {
        if (missing->dtype() != DType::u8 || missing->size() != (size + 7) / 8) {
          throw DataError(concat("marks of missing values are ", missing->str()));
        }
        parts.missing = *missing;
      }
      columns.emplace_back(std::move(parts));
    }
    if (columns.empty()) throw DataError("there are no columns");
    return {Table(std::move(columns)), neighbours};
  } catch (const Error& error) {
    throw DataError(concat(path, ": no model of Smote: ", error.what()));
  }
}

}  // namespace synthdata::models
