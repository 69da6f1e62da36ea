// synthdata/data/text_file.hpp: plain text, whole or as a table of lines, plain or .gz.
//
// Text is UTF-8, or UTF-16 with a byte order mark, or what the options say; it is checked, and a zero byte is an error.
// Errors are DataErrors that begin with "file:line:column: ".
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/table_stream.hpp>
#include <synthdata/data/text_stream.hpp>

namespace synthdata {

struct TextOptions {
  Encoding encoding = Encoding::detect;
  std::string column = "text";  ///< what the column of lines is called
  std::int64_t max_line_bytes = std::int64_t{64} << 20;
  std::int64_t max_text_bytes = default_max_bytes;  ///< of a file that is read whole, unpacked
};

/// All text of a file, without a byte order mark, else as it is. @throws DataError
std::string read_text(const std::string& path, const TextOptions& options = {});
/// Writes text as it is, atomically; compressed if the name ends in .gz. @throws DataError
void write_text(const std::string& path, std::string_view text);

/// A row a line in one column of type text, none of which is missing. Lines end with "\n" or "\r\n", which are not part
/// of them; the last one need not. @throws DataError
Table read_lines(const std::string& path, const TextOptions& options = {});

/// The same for a file of any size piece by piece; a TableReader. Memory: a few times the text of `rows` lines, at most
/// so many a piece, and a window of 8 MB.
class LineReader {
 public:
  explicit LineReader(const std::string& path, const TextOptions& options = {}, std::int64_t rows = 65536);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  std::optional<Table> next();
  const Schema& schema() const;

 private:
  struct Impl;
  detail::Owned<Impl> impl_;
};

/// Writes tables of one column, a cell a line, each with "\n" behind it. @throws DataError for other tables, missing
/// values, and cells that would not be read again as they are: with a newline, a carriage return at the end, zero bytes
/// or what is not UTF-8.
class LineWriter {
 public:
  explicit LineWriter(std::string path) : sink_(std::move(path)) {}
  void write(const Table& table);
  void commit() { sink_.commit(); }

 private:
  detail::TextSink sink_;
  bool any_ = false;
};
void write_lines(const std::string& path, const Table& table);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/text_file_impl.hpp>
#endif
