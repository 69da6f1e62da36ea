// synthdata/data/csv.hpp: tables from and to CSV, TSV and the like, whole or in pieces, plain or .gz.
//
// The format is RFC 4180 with any delimiter: fields in quotes may hold delimiters, newlines and doubled quotes; a quote
// inside a field without quotes is an error (set `quote` to 0 for files that mean it as a character). Rows end with
// "\n" or "\r\n"; empty lines are passed over. Errors are DataErrors that begin with "file:line:column: ", in lines of
// the file and bytes of the line, from 1.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/csv_options.hpp>
#include <synthdata/data/table_stream.hpp>
#include <synthdata/data/text_stream.hpp>

namespace synthdata {

/// How a file is written, and what it looks like.
struct CsvDialect {
  char delimiter = ',';
  bool header = true;
  bool crlf = false;  ///< rows end with "\r\n"
  Encoding encoding = Encoding::utf8;
  std::vector<std::string> names;  ///< of the columns; "column 1", ... without a header

  /// "delimiter ',', header, 15 columns, utf-8"
  std::string str() const;
};

/// Guesses from the first 64 KiB. The delimiter is the one that gives most rows the same number of fields, more than
/// one; the first row is a header if its cells are all different, none empty and none a number or a date-time, and none
/// comes again in its column. What `options` says is taken, not guessed.
/// @throws DataError if the file cannot be read or decoded.
CsvDialect detect_csv(const std::string& path, const CsvOptions& options = {});

/// A whole file as a table, each column of the narrowest type that all its cells have, in the order of ColumnType:
/// integer; real; boolean (true/false, yes/no, t/f, y/n, on/off, in one case); date_time; and of texts identifier (all
/// different, none missing, each with a digit and without a blank; also integers named "id" or "..._id"), categorical,
/// text. Numbers with leading zeros are texts. Formats follow the rule in schema.hpp, so write_csv gives the cells
/// back. The result does not depend on the number of threads.
/// @throws DataError as described above; for a file without columns; and for what a cell is not, given a schema.
/// Memory: the table and, for .gz and encodings other than UTF-8, the text. The file must not be cut while it is read.
Table read_csv(const std::string& path, const CsvOptions& options = {});
/// The same for text in memory; messages name it "text".
Table parse_csv(std::string_view text, const CsvOptions& options = {});

/// The schema that read_csv would find, in bounded memory: at most 8 bytes a row and text column beside a few MB.
Schema infer_csv(const std::string& path, const CsvOptions& options = {});

/// Reads a file of any size piece by piece. All pieces have the same schema; it is found by reading the file once
/// before, unless one is given. Pieces one below the other are the table of read_csv.
///   CsvReader reader("big.csv.gz");
///   while (auto piece = reader.next()) use(*piece);
class CsvReader {
 public:
  /// @param rows  of a piece, at most. Memory: a few times the text of so many rows.
  explicit CsvReader(const std::string& path, const CsvOptions& options = {}, std::int64_t rows = 65536);
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;
  ~CsvReader();

  /// The next rows; none after the last. @throws DataError as read_csv.
  std::optional<Table> next();

  const Schema& schema() const;
  const CsvDialect& dialect() const;

 private:
  struct Impl;
  detail::Owned<Impl> impl_;
};

struct CsvWriteOptions {
  char delimiter = ',';
  char quote = '"';
  bool header = true;
  bool crlf = false;
};

/// Writes tables one below the other. The file appears under its name when commit() is called; a name that ends in .gz
/// is compressed. Fields are put in quotes only where they must be.
class CsvWriter {
 public:
  /// @throws DataError if the file cannot be made, as do write() and commit() for a full disk.
  explicit CsvWriter(std::string path, const CsvWriteOptions& options = {})
      : sink_(std::move(path)), options_(options) {}

  /// @throws DataError unless the names are those of the first table.
  void write(const Table& table);
  void commit();

 private:
  detail::TextSink sink_;
  CsvWriteOptions options_;
};

void write_csv(const std::string& path, const Table& table, const CsvWriteOptions& options = {});
/// The text that write_csv writes.
std::string format_csv(const Table& table, const CsvWriteOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/csv_impl.hpp>
#endif
