// synthdata/data/json_table.hpp: tables from and to JSON (an array of flat objects) and JSON Lines, plain or .gz.
//
// JSON says which values are texts: one in quotes stays a text, though it looks like a number, but may be a date-time.
// null and keys that are not there are missing. A column of which some values are texts and others are not is one of
// texts. Numbers keep their spelling. The parser takes RFC 8259 and nothing more: no comments, no NaN, no repeated
// keys, valid UTF-8 only, and no \u0000, which text does not have. Errors are DataErrors that begin with
// "file:line:column: ".
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/records.hpp>

namespace synthdata {

/// A file that holds one array of objects. Objects and arrays within them are errors, or texts by an option.
/// @throws DataError as described above; for a file without a record, unless a schema is given; and for what a value is
/// not, given a schema.   Memory: the table and, for .gz, the text. The file must not be cut while it is read.
Table read_json(const std::string& path, const RecordOptions& options = {});
/// A file of objects, one a line; empty lines are passed over.
Table read_jsonl(const std::string& path, const RecordOptions& options = {});
/// The same for text in memory; messages name it "text".
Table parse_json_table(std::string_view text, const RecordOptions& options = {});
Table parse_jsonl(std::string_view text, const RecordOptions& options = {});

/// Read a file of any size piece by piece. All pieces have the same schema; it is found by reading the file once
/// before, unless one is given. Pieces one below the other are the table of read_json or read_jsonl.
/// Memory: a few times the text of `rows` records, at most so many a piece, and a window of 8 MB.
class JsonReader : public detail::RecordReader {
 public:
  explicit JsonReader(const std::string& path, const RecordOptions& options = {}, std::int64_t rows = 65536);
};
class JsonlReader : public detail::RecordReader {
 public:
  explicit JsonlReader(const std::string& path, const RecordOptions& options = {}, std::int64_t rows = 65536);
};

/// Write tables one below the other; the file appears under its name when commit() is called. Integers and reals are
/// written as they were spelled where JSON allows that, NaN and infinities as null like missing values, booleans as
/// true and false, and all else as texts. Read again, the table is the same, but for what these rules leave out: how
/// missing values and booleans were spelled is in the schema only, so give it to the reader where that matters.
/// @throws DataError if the file cannot be made, is on a full disk, a table has other columns than the first, or a text
/// is not UTF-8
class JsonlWriter {
 public:
  explicit JsonlWriter(std::string path) : sink_(std::move(path)) {}
  void write(const Table& table);
  void commit() { sink_.commit(); }

 private:
  detail::TextSink sink_;
};
class JsonWriter {
 public:
  explicit JsonWriter(std::string path) : sink_(std::move(path)) {}
  void write(const Table& table);
  void commit();

 private:
  detail::TextSink sink_;
  bool any_ = false;
};

void write_json(const std::string& path, const Table& table);
void write_jsonl(const std::string& path, const Table& table);
/// The texts that they write.
std::string format_json(const Table& table);
std::string format_jsonl(const Table& table);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/json_table_impl.hpp>
#endif
