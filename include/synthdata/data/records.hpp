// synthdata/data/records.hpp: tables from files of records with named fields, which JSON and XML have in common.
//
// Columns are the names in the order in which they first come; a record that lacks one has a missing value there.
// Types are inferred as for CSV, so that one rule holds for all formats.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/column_pieces.hpp>
#include <synthdata/data/table_stream.hpp>
#include <synthdata/data/text_stream.hpp>

namespace synthdata {

struct RecordOptions {
  /// Columns by name; found by looking at all records where empty. Values of a schema's column must fit its type, and
  /// its categories, if it lists any. A name that is not in it is an error; one that no record has is all missing.
  Schema schema{};
  /// Texts that mean a missing value, beside null and fields that are not there. Where nothing is given: none for JSON,
  /// whose null says it; those of CsvOptions for XML.
  std::optional<std::vector<std::string>> missing{};
  std::int64_t max_categories = 1000;  ///< as in CsvOptions
  bool day_first = false;              ///< as in CsvOptions
  bool nested_as_text = false;         ///< keep what is not flat as the text it is written with; else it is an error

  std::int64_t max_record_bytes = std::int64_t{64} << 20;  ///< of one record, at most 2^31
  std::int64_t max_columns = 10'000;
  std::int64_t max_text_bytes = default_max_bytes;  ///< of a file that is unpacked or converted whole
};

namespace detail {

/// The columns of a file of records, as far as they are known.
struct RecordColumns {
  Dictionary names;
  bool fixed = false;                         ///< by a schema
  std::vector<const ColumnSchema*> booleans;  ///< by column: how it spells true and false; null for plainly
  std::vector<std::uint8_t> kinds;            ///< what its values were, see RecordRows::Kind
  void add(std::string_view name) {
    names.add(name, Dictionary::hash(name), false);
    booleans.push_back(nullptr);
    kinds.push_back(0);
  }
};

/// Whole records of a text.
struct RecordPiece {
  std::size_t begin = 0, end = 0;
  std::int64_t row = 0, rows = 0;  ///< place of its first record, and an upper bound of how many it has
};
struct RecordCut {
  std::vector<RecordPiece> pieces;
  std::int64_t rows = 0;
  std::size_t complete = 0;  ///< end of what is cut
};

/// Records of one piece on their way to a grid of cells.
class RecordRows {
 public:
  enum Kind : std::uint8_t { text = 1, number = 2, boolean = 4 };

  RecordRows(const TextPart& whole, const RecordPiece& piece, const RecordColumns& columns,
             const RecordOptions& options);

  void begin(const char* at);
  /// Both throw a DataError that shows the key for one that is not in a schema, or comes twice in the record.
  void set(std::string_view key, std::string_view value, Kind kind);  ///< the value must stay where it is until end()
  void set_boolean(std::string_view key, bool value);
  void set_missing(std::string_view key);
  void end(const char* at);

  /// Room for `bytes` bytes that stay where they are until end(), for values that the text does not have as they are.
  /// All together may be as long as the piece.
  char* room(std::size_t bytes);

  [[noreturn]] void fail(const char* at, const std::string& message) const;

  Grid grid() const;
  const char* source(std::int64_t row) const { return whole_.text.data() + sources_[static_cast<std::size_t>(row)]; }
  const Dictionary& fresh() const { return fresh_; }
  const std::vector<std::uint8_t>& kinds() const { return kinds_; }

 private:
  struct Cell {
    const char* at = nullptr;
    std::size_t size = 0;
  };
  /// The place of a key's value; null if it is new.
  Cell* find(std::string_view key);
  void put(std::string_view key, const char* at, std::size_t size, std::uint8_t kind);

  const TextPart& whole_;
  const RecordColumns& columns_;
  const RecordOptions& options_;
  std::size_t piece_bytes_;
  std::vector<Cell> cells_;
  std::vector<std::uint8_t> kinds_;
  std::uint32_t next_ = 0;  // the column that is expected
  std::size_t bytes_ = 0;   // of the cells of this record
  const char* start_ = nullptr;
  Dictionary fresh_;
  std::string room_, text_;
  std::size_t used_room_ = 0, filled_ = 16;  // numbers are read with 16 bytes before them
  std::vector<std::uint32_t> begins_, ends_;
  std::vector<std::size_t> sources_;
};

/// How the text of a file is made of records. One object goes over a text once, from start to end.
class RecordFormat {
 public:
  RecordFormat() = default;
  RecordFormat(const RecordFormat&) = default;
  RecordFormat& operator=(const RecordFormat&) = default;
  virtual ~RecordFormat() = default;
  /// One that stands at the start.
  virtual RecordFormat* clone() const = 0;
  /// Cuts what follows into pieces. @param last  nothing follows `text`  @throws DataError for what is no record
  virtual RecordCut cut(const TextPart& text, bool last) = 0;
  /// Several threads may call it. @throws DataError
  virtual void parse(const TextPart& text, const RecordPiece& piece, RecordRows& rows) const = 0;
  /// Whether values may be texts that look like numbers and are none.
  virtual bool typed() const = 0;
};

Table read_records(const TextPart& whole, const RecordFormat& format, const RecordOptions& options);
/// The same, called "text", behind a byte order mark if it has one.
Table read_record_text(std::string_view text, const RecordFormat& format, const RecordOptions& options);
Table read_record_file(const std::string& path, const RecordFormat& format, const RecordOptions& options);

/// Reads a file of records of any size piece by piece; a TableReader.
class RecordReader {
 public:
  RecordReader(const std::string& path, Owned<RecordFormat> format, const RecordOptions& options, std::int64_t rows);
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;
  ~RecordReader();

  /// The next rows; none after the last. @throws DataError
  std::optional<Table> next();
  const Schema& schema() const;

 private:
  struct Impl;
  Owned<Impl> impl_;
};

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/records_impl.hpp>
#endif
