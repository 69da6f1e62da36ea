// synthdata/data/column_pieces_impl.hpp: bodies of data/column_pieces.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/column_pieces.hpp>
#include <synthdata/data/csv_columns_impl.hpp>
#include <synthdata/data/table_impl.hpp>

#include <cstring>

namespace synthdata::detail {

SYNTHDATA_INLINE void ColumnPieces::resize(std::vector<std::int64_t> places, std::int64_t rows) {
  places_ = std::move(places);
  total_ = rows;
  parts_.resize(places_.size());
  rows_.resize(places_.size());
}

SYNTHDATA_INLINE void ColumnPieces::remember(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked) {
  known_.resize(plans.size());
  for (std::size_t c = 0; c < plans.size(); ++c) {
    if (marked[c]) known_[c] = plans[c].categories.size();
  }
}

SYNTHDATA_INLINE void ColumnPieces::start(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked) {
  values_.resize(plans.size());
  for (auto& part : parts_) part.resize(plans.size());
  for (std::size_t c = 0; c < plans.size(); ++c) {
    const ColumnType type = plans[c].schema.type;
    const bool in_place = type != ColumnType::categorical && !holds_texts(plans[c].schema);
    if (marked[c])
      values_[c] = in_place && !plans[c].unknown ? Tensor::empty({total_}, stored_as(type), Device::cpu()) : Tensor();
  }
}

SYNTHDATA_INLINE void ColumnPieces::read_piece(std::size_t i, const Grid& grid, const std::vector<ColumnPlan>& plans,
                                               const std::vector<bool>& marked) {
  rows_[i] = grid.rows;
  for (std::size_t c = 0; c < plans.size(); ++c) {
    if (!marked[c]) continue;
    char* at = nullptr;
    if (values_[c].defined()) {
      at = static_cast<char*>(values_[c].bytes()) + static_cast<std::size_t>(places_[i]) * size_of(values_[c].dtype());
    }
    parts_[i][c] = read_cells(grid, static_cast<std::int64_t>(c), plans[c], options_, missing_, at);
  }
}

SYNTHDATA_INLINE void ColumnPieces::join(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked,
                                         std::vector<ColumnEvidence>& evidence) const {
  for (const auto& part : parts_) {
    for (std::size_t c = 0; c < plans.size(); ++c) {
      if (marked[c]) evidence[c].join(ColumnEvidence(part[c].evidence), plans[c], options_.max_categories);
    }
  }
}

SYNTHDATA_INLINE ColumnPieces::Misfit ColumnPieces::misfit(std::size_t i, const std::vector<bool>& marked) const {
  Misfit first;
  for (std::size_t c = 0; c < marked.size(); ++c) {
    const std::int64_t bad = marked[c] ? parts_[i][c].bad_row : -1;
    if (bad >= 0 && (first.row < 0 || bad < first.row)) first = {bad, c};
  }
  return first;
}

SYNTHDATA_INLINE Table ColumnPieces::table(const std::vector<ColumnPlan>& plans) {
  std::vector<std::int64_t> first(rows_.size() + 1);
  for (std::size_t i = 0; i < rows_.size(); ++i) first[i + 1] = first[i] + rows_[i];
  std::vector<Column> columns;
  for (std::size_t c = 0; c < plans.size(); ++c) columns.push_back(column(plans[c], c, first));
  return Table(std::move(columns));
}

SYNTHDATA_INLINE Column ColumnPieces::column(const ColumnPlan& plan, std::size_t c,
                                             const std::vector<std::int64_t>& first) {
  ColumnParts made{.schema = plan.schema, .size = first.back()};
  const std::int64_t count = static_cast<std::int64_t>(parts_.size());
  const auto each_piece = [&](auto&& f) {  // at the same time
    parallel_for(count, 16, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) f(parts_[i][c], i);
    });
  };
  if (values_[c].defined()) {
    Tensor& values = values_[c];
    auto* bytes = static_cast<char*>(values.bytes());
    const std::size_t unit = size_of(values.dtype());
    for (std::size_t i = 0; i < parts_.size() && made.size < total_; ++i) {  // rows were left out: close the gaps
      std::memmove(bytes + static_cast<std::size_t>(first[i]) * unit,
                   bytes + static_cast<std::size_t>(places_[i]) * unit, static_cast<std::size_t>(rows_[i]) * unit);
    }
    made.values = values.rows(0, made.size);
  }
  if (plan.schema.type == ColumnType::categorical) {
    made.schema.categories.clear();
    std::vector<std::uint32_t> codes(plan.categories.size());
    for (std::uint32_t i = 0; i < plan.categories.size(); ++i) {
      if (plan.categories.missing(i)) continue;
      codes[i] = static_cast<std::uint32_t>(made.schema.categories.size());
      made.schema.categories.emplace_back(plan.categories[i]);
    }
    make_codes(made);
    each_piece([&](const ColumnPiece& piece, std::size_t i) {
      const Dictionary& fresh = piece.evidence.fresh;
      std::vector<std::uint32_t> recoded(codes.begin(), codes.begin() + known_[c]);
      for (std::uint32_t n = 0; n < fresh.size(); ++n) {
        recoded.push_back(codes[plan.categories.find(fresh[n], Dictionary::hash(fresh[n]))]);
      }
      const auto store = [&]<class T>(T* to) {
        for (const std::uint32_t number : piece.codes) *to++ = static_cast<T>(recoded[number]);
      };
      auto* const to = static_cast<std::uint8_t*>(made.values.bytes()) + first[i] * made.width;
      if (made.width == 1) store(to);
      if (made.width == 2) store(reinterpret_cast<std::uint16_t*>(to));
      if (made.width == 4) store(reinterpret_cast<std::uint32_t*>(to));
    });
  }
  if (holds_texts(plan.schema) || plan.schema.as_written) {
    std::vector<std::int64_t> at(parts_.size() + 1);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      at[i + 1] = at[i] + static_cast<std::int64_t>(parts_[i][c].bytes.size());
    }
    made.texts = {Tensor::empty({at.back()}, DType::u8, Device::cpu()),
                  Tensor::empty({made.size + 1}, DType::i64, Device::cpu())};
    auto* bytes = static_cast<char*>(made.texts.bytes.bytes());
    auto* offsets = made.texts.offsets.data<std::int64_t>();
    offsets[made.size] = at.back();
    each_piece([&](const ColumnPiece& piece, std::size_t i) {
      if (!piece.bytes.empty()) std::memcpy(bytes + at[i], piece.bytes.data(), piece.bytes.size());
      std::int64_t offset = at[i];
      for (std::size_t row = 0; row < piece.lengths.size(); ++row) {
        offsets[first[i] + static_cast<std::int64_t>(row)] = offset;
        offset += piece.lengths[row];
      }
    });
  }
  MissingMarks marks(made.size);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    for (const std::uint32_t row : parts_[i][c].missing) marks.mark(first[i] + row);
  }
  made.missing = marks.take();
  return Column(std::move(made));
}

SYNTHDATA_INLINE std::string expectation(const ColumnSchema& schema) {
  std::string expected = concat("expects ", schema.type);
  if (schema.type == ColumnType::categorical)
    expected = concat("expects one of ", schema.categories.size(), " categories");
  if (schema.type == ColumnType::boolean) expected += concat(" (", schema.true_text, " or ", schema.false_text, ")");
  if (schema.type == ColumnType::date_time) expected += concat(" (", schema.pattern, schema.zone, ")");
  return expected;
}

SYNTHDATA_INLINE bool settle_all(std::vector<ColumnPlan>& plans, std::vector<ColumnEvidence>& evidence,
                                 const CsvOptions& options, std::vector<bool>& marked) {
  bool again = false;
  for (std::size_t c = 0; c < plans.size(); ++c) {
    if (!marked[c]) continue;
    marked[c] = settle(plans[c], evidence[c], options);
    again |= marked[c];
    if (marked[c]) evidence[c] = {};
  }
  return again;
}

SYNTHDATA_INLINE Schema schema_of(const std::vector<ColumnPlan>& plans) {
  Schema schema;
  for (const ColumnPlan& plan : plans) {
    schema.columns.push_back(plan.schema);
    if (plan.schema.type != ColumnType::categorical) continue;
    std::vector<std::string>& categories = schema.columns.back().categories;
    categories.clear();
    for (std::uint32_t i = 0; i < plan.categories.size(); ++i) {
      if (!plan.categories.missing(i)) categories.emplace_back(plan.categories[i]);
    }
  }
  return schema;
}

}  // namespace synthdata::detail
