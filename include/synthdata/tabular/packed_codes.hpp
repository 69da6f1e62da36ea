// synthdata/tabular/packed_codes.hpp: the codes of a table as a net is fed with them, in memory or in a mapped file.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_stream.hpp>
#include <synthdata/tabular/column_codes.hpp>

#include <span>
#include <string>
#include <vector>

namespace synthdata::models::detail {

/// The codes of all columns of a stream, in one reading. @throws DataError for a stream without rows or columns, and as
/// ColumnCodesFit; messages begin with `model`
std::vector<ColumnCodes> fit_columns(const TableSource& source, const ColumnCodesOptions& options, const char* model);

/// Bytes of a code of so many: one, two or four.
inline std::int64_t code_bytes(std::int64_t cardinality) {
  return cardinality <= 256 ? 1 : cardinality <= 65536 ? 2 : 4;
}

/// Codes of rows, row after row, each in as many bytes as its cardinality needs.
class PackedCodes {
 public:
  /// Encodes the stream, in one reading.
  /// @param file  codes are written to it, and it is mapped and removed, so that it takes no memory and is gone in the
  /// end; empty: they are kept in memory.
  /// @throws DataError if a value has no code, since the stream was another when the columns were fitted, and if the
  /// file cannot be written
  PackedCodes(const std::vector<ColumnCodes>& columns, const TableSource& source, const std::string& file = {});

  std::int64_t rows() const { return bytes_.shape(0); }
  /// Bytes of a row.
  std::int64_t width() const { return bytes_.shape(1); }
  /// i64 [N, K], K code columns: two for a column of many codes.
  Tensor batch(std::span<const std::int64_t> rows) const;
  /// A text that only equal codes share, but for a chance of 2^-64.
  std::string fingerprint() const;

 private:
  struct Place {
    std::int64_t begin, bytes;
  };
  void pack(const std::vector<ColumnCodes>& columns, const Table& piece, std::uint8_t* to) const;

  std::vector<Place> places_;  // of code columns within a row
  std::int64_t row_bytes_ = 0;
  Tensor bytes_;  // u8 [rows, row_bytes]
};

/// A name for a file of one run in `folder`; in that of the environment's TMPDIR, or /tmp, where it is empty.
std::string scratch_file(const std::string& folder);

}  // namespace synthdata::models::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/packed_codes_impl.hpp>
#endif
