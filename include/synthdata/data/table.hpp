// synthdata/data/table.hpp: named, typed columns of equal length, with missing values apart from all values.
//
// Columns never change once made, so copies of a table share them: copying, selecting columns and taking a range of
// rows cost next to nothing. Memory is stated with each type in ColumnType; missing values add one bit a row, to
// columns that have any; a column kept as written adds its text.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>
#include <synthdata/data/schema.hpp>

#include <span>
#include <string>
#include <vector>

namespace synthdata {

/// Texts one behind the other in a single buffer.
struct Texts {
  Tensor bytes;    ///< u8
  Tensor offsets;  ///< [N + 1] i64: text i is bytes offsets[i] ... offsets[i + 1]

  bool defined() const { return offsets.defined(); }
  std::string_view operator[](std::int64_t row) const {
    const std::int64_t* at = offsets.data<std::int64_t>() + row;
    return {static_cast<const char*>(bytes.bytes()) + at[0], static_cast<std::size_t>(at[1] - at[0])};
  }
};

/// What a column is made of; most code makes columns with the functions of Column.
struct ColumnParts {
  ColumnSchema schema{};
  std::int64_t size = 0;
  Tensor values{};         ///< integer, date_time: i64; real: f64; boolean: u8 0 or 1; categorical: codes; [N]
  std::uint8_t width = 0;  ///< categorical: bytes of a code, 1, 2 or 4; `values` is then u8 [N * width]
  Texts texts{};           ///< text, identifier, and all that is as_written
  Tensor missing{};        ///< u8: bit i % 8 of byte i / 8 says that value i is missing; undefined if none is
};

/// One column. The value behind a missing one is 0 (or its text).
class Column {
 public:
  Column() = default;
  /// @throws DataError if the parts do not fit each other, ShapeError or DTypeError for wrong tensors.
  explicit Column(ColumnParts parts);

  /// Columns of plain values. `missing` marks missing values by true; empty for none.
  static Column integers(std::string name, std::span<const std::int64_t> values, const std::vector<bool>& missing = {});
  static Column reals(std::string name, std::span<const double> values, const std::vector<bool>& missing = {});
  static Column booleans(std::string name, const std::vector<bool>& values, const std::vector<bool>& missing = {});
  static Column categorical(std::string name, std::span<const std::int64_t> codes, std::vector<std::string> categories,
                            const std::vector<bool>& missing = {});
  static Column texts(std::string name, std::span<const std::string> values, const std::vector<bool>& missing = {});
  /// Microseconds since 1970 in UTC, or by local clocks where no zone is given; pattern and zone as in ColumnSchema.
  static Column date_times(std::string name, std::span<const std::int64_t> microseconds,
                           std::string pattern = "%Y-%m-%d %H:%M:%S", std::string zone = {},
                           const std::vector<bool>& missing = {});

  const ColumnSchema& schema() const { return parts_.schema; }
  const std::string& name() const { return parts_.schema.name; }
  ColumnType type() const { return parts_.schema.type; }
  std::int64_t size() const { return parts_.size; }
  const ColumnParts& parts() const { return parts_; }

  bool is_missing(std::int64_t row) const {
    return parts_.missing.defined() &&
           (static_cast<const std::uint8_t*>(parts_.missing.bytes())[row >> 3] >> (row & 7) & 1) != 0;
  }
  std::int64_t missing_count() const;

  /// Values of row `row`, which is not checked. @throws DTypeError if the column has another type.
  std::int64_t integer(std::int64_t row) const { return parts_.values.data<std::int64_t>()[row]; }  ///< or date-time
  double real(std::int64_t row) const { return parts_.values.data<double>()[row]; }
  bool boolean(std::int64_t row) const { return parts_.values.data<std::uint8_t>()[row] != 0; }
  /// Categorical: the number of the category; -1 where missing.
  std::int64_t code(std::int64_t row) const;
  /// Any type: the text that a CSV file has for it, without quotes.
  std::string cell(std::int64_t row) const;
  void append_cell(std::string& out, std::int64_t row) const;

  /// Value as a number: integer, real, boolean as 0 or 1, the code of a category, microseconds; NaN where missing.
  /// @throws DTypeError for texts.
  double number(std::int64_t row) const;

  /// The same values under another name, or spelled another way (as_written is then dropped).
  Column renamed(std::string name) const;
  Column spelled(const ColumnSchema& format) const;

  /// Rows [begin, end), sharing the values. @throws ShapeError out of range.
  Column rows(std::int64_t begin, std::int64_t end) const;
  /// The rows named, in that order, repeated if named twice. @throws ShapeError out of range.
  Column take(std::span<const std::int64_t> rows) const;
  /// This column's values, then the other's. Categories are joined; spellings that differ are kept as written.
  /// @throws DataError if name or type differ.
  Column append(const Column& below) const;

  /// The column as a tensor [N]; integers and date-times may become any dtype, see Table::to_tensor.
  Tensor to_tensor(DType dtype = DType::f32) const;

  /// Bytes of memory of the values, texts and marks of missing values.
  std::int64_t size_bytes() const;

  /// True if name, type, spelling and all values agree; NaN equals NaN.
  friend bool operator==(const Column& a, const Column& b);

 private:
  ColumnParts parts_;
};

/// Columns of equal length with distinct names.
class Table {
 public:
  Table() = default;
  /// @throws DataError if lengths differ or a name comes twice.
  explicit Table(std::vector<Column> columns);

  /// Number of rows.
  std::int64_t size() const { return size_; }
  const std::vector<Column>& columns() const { return columns_; }
  /// @throws DataError if there is no such column, naming those there are.
  const Column& operator[](std::string_view name) const;
  const Column& operator[](std::size_t index) const { return columns_.at(index); }
  /// Place of a column, or -1.
  std::int64_t find(std::string_view name) const;
  Schema schema() const;

  /// The named columns, in that order. @throws DataError if one is not there.
  Table select(std::span<const std::string> names) const;
  Table select(std::initializer_list<std::string> names) const {
    return select(std::span<const std::string>(names.begin(), names.size()));
  }
  /// All columns but the named ones. @throws DataError if one is not there.
  Table without(std::span<const std::string> names) const;
  Table without(std::initializer_list<std::string> names) const {
    return without(std::span<const std::string>(names.begin(), names.size()));
  }
  /// With `column` in place of the one of its name, or added at the end. @throws DataError if its length differs.
  Table with(Column column) const;

  /// Rows [begin, end), sharing the values. @throws ShapeError out of range.
  Table rows(std::int64_t begin, std::int64_t end) const;
  /// The rows named, in that order. @throws ShapeError out of range.
  Table take(std::span<const std::int64_t> rows) const;
  /// This table's rows, then the other's. @throws DataError unless names and types are the same, in the same order.
  Table append(const Table& below) const;

  /// The columns side by side, [N, columns]; `names` empty for all. Booleans become 0 and 1, categories their codes,
  /// date-times microseconds.
  /// @throws DTypeError for text and identifiers; DataError for a missing value where `dtype` has no NaN.
  Tensor to_tensor(std::span<const std::string> names = {}, DType dtype = DType::f32) const;
  /// Columns from a tensor [N, columns]: real ones of f32 and f64 (NaN becomes missing), integer ones of the others.
  static Table from_tensor(const Tensor& tensor, std::span<const std::string> names);

  /// The first rows as an aligned text, with a line of types: numbers to the right, missing values as "-".
  std::string head(std::int64_t rows = 10) const;

  std::int64_t size_bytes() const;

  friend bool operator==(const Table& a, const Table& b) { return a.size_ == b.size_ && a.columns_ == b.columns_; }

 private:
  std::vector<Column> columns_;
  std::int64_t size_ = 0;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/table_impl.hpp>
#endif
