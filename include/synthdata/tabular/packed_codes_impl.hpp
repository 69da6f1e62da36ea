// synthdata/tabular/packed_codes_impl.hpp: bodies of packed_codes.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv_columns.hpp>
#include <synthdata/io/mapped_tensor.hpp>
#include <synthdata/tabular/packed_codes.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace synthdata::models::detail {

SYNTHDATA_INLINE std::vector<ColumnCodes> fit_columns(const TableSource& source, const ColumnCodesOptions& options,
                                                      const char* model) {
  AnyTableReader reader = source.open();
  std::vector<ColumnCodesFit> fits;
  for (const ColumnSchema& column : reader.schema().columns) fits.emplace_back(column, options);
  const auto count = static_cast<std::int64_t>(fits.size());
  while (const auto piece = reader.next()) {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) fits[c].add((*piece)[c]);
    });
  }
  const std::int64_t rows = fits.empty() ? 0 : fits[0].rows();
  if (rows == 0) {
    throw DataError(concat(model, ": expects a table with rows and columns, got ", rows, " x ", count));
  }
  std::vector<ColumnCodes> columns(fits.size());
  parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c)
      columns[c] = fits[c].finish();
  });
  return columns;
}

SYNTHDATA_INLINE PackedCodes::PackedCodes(const std::vector<ColumnCodes>& columns, const TableSource& source,
                                          const std::string& file) {
  for (const ColumnCodes& column : columns) {
    for (const std::int64_t n : column.cardinalities()) {
      places_.push_back({row_bytes_, code_bytes(n)});
      row_bytes_ += places_.back().bytes;
    }
  }
  AnyTableReader reader = source.open();
  if (file.empty()) {
    std::vector<Tensor> pieces;
    std::int64_t rows = 0;
    while (const auto piece = reader.next()) {
      pieces.push_back(Tensor::empty({piece->size(), row_bytes_}, DType::u8, Device::cpu()));
      pack(columns, *piece, pieces.back().data<std::uint8_t>());
      rows += piece->size();
    }
    if (pieces.size() == 1) {
      bytes_ = std::move(pieces[0]);
      return;
    }
    bytes_ = Tensor::empty({rows, row_bytes_}, DType::u8, Device::cpu());
    std::uint8_t* to = bytes_.data<std::uint8_t>();
    for (const Tensor& piece : pieces) {
      if (piece.size() > 0) std::memcpy(to, piece.bytes(), static_cast<std::size_t>(piece.size()));
      to += piece.size();
    }
    return;
  }
  AtomicFile out(file);
  std::vector<std::uint8_t> bytes;
  while (const auto piece = reader.next()) {
    bytes.resize(static_cast<std::size_t>(piece->size() * row_bytes_));
    pack(columns, *piece, bytes.data());
    out.write(bytes.data(), static_cast<std::int64_t>(bytes.size()));
  }
  out.commit();
  struct Remover {
    const std::string& path;
    ~Remover() { ::unlink(path.c_str()); }
  } const remover{file};
  bytes_ = map_raw(file, {-1, row_bytes_}, DType::u8);
}

SYNTHDATA_INLINE void PackedCodes::pack(const std::vector<ColumnCodes>& columns, const Table& piece,
                                        std::uint8_t* to) const {
  std::vector<std::size_t> first;
  std::size_t next = 0;
  for (const ColumnCodes& column : columns) {
    first.push_back(next);
    next += column.cardinalities().size();
  }
  const auto put = [](std::uint8_t* at, std::int64_t code, std::int64_t bytes) {
    for (std::int64_t i = 0; i < bytes; ++i, code >>= 8) at[i] = static_cast<std::uint8_t>(code);
  };
  parallel_for(static_cast<std::int64_t>(columns.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      const ColumnCodes& column = columns[c];
      const std::vector<std::int64_t> codes = column.encode(piece[column.schema().name]);
      const Place *high = &places_[first[c]], *low = column.cardinalities().size() == 2 ? high + 1 : nullptr;
      std::uint8_t* row = to;
      for (const std::int64_t code : codes) {
        if (code >= column.total()) {
          throw DataError(concat("column ", in_quotes(column.schema().name),
                                 ": has a value that was not there when it was read first; a source must give the same "
                                 "rows each time"));
        }
        put(row + high->begin, low ? code / column.cardinalities()[1] : code, high->bytes);
        if (low) put(row + low->begin, code % column.cardinalities()[1], low->bytes);
        row += row_bytes_;
      }
    }
  });
}

SYNTHDATA_INLINE Tensor PackedCodes::batch(std::span<const std::int64_t> rows) const {
  const auto width = static_cast<std::int64_t>(places_.size());
  Tensor out = Tensor::empty({static_cast<std::int64_t>(rows.size()), width}, DType::i64, Device::cpu());
  auto* to = out.data<std::int64_t>();
  const auto* all = static_cast<const std::uint8_t*>(bytes_.bytes());
  for (const std::int64_t row : rows) {
    const std::uint8_t* from = all + row * row_bytes_;
    for (const Place& place : places_) {
      std::int64_t code = 0;
      for (std::int64_t i = place.bytes; i-- > 0;) code = code << 8 | from[place.begin + i];
      *to++ = code;
    }
  }
  return out;
}

SYNTHDATA_INLINE std::string PackedCodes::fingerprint() const {
  const std::string_view all(static_cast<const char*>(bytes_.bytes()), static_cast<std::size_t>(bytes_.size()));
  return concat(rows(), " rows, ", places_.size(), " codes, ", synthdata::detail::Dictionary::hash(all));
}

SYNTHDATA_INLINE std::string scratch_file(const std::string& folder) {
  static std::atomic<int> counter{0};
  const char* given = std::getenv("TMPDIR");
  const std::string in = !folder.empty() ? folder : given && *given ? given : "/tmp";
  return concat(in, "/synthdata-", ::getpid(), "-", counter.fetch_add(1), ".codes");
}

}  // namespace synthdata::models::detail
