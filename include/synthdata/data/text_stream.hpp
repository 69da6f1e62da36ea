// synthdata/data/text_stream.hpp: text from and to files in pieces, plain or .gz, in UTF-8 whatever the file has.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>
#include <synthdata/io/gzip.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>

namespace synthdata::detail {

inline constexpr std::int64_t text_piece_bytes = 256 << 10;  // with its fields' ends it fits a core's own cache
inline constexpr std::int64_t text_window_bytes = 8 << 20;   // of a file read piece by piece

/// A piece of a file's text that starts at a row, and the line of the file on which it does.
struct TextPart {
  std::string_view text;
  std::string_view path;
  std::int64_t line = 1;

  /// Throws DataError "file:line:column: message" for the byte at `at`.
  [[noreturn]] void fail(std::size_t at, const std::string& message) const;
  std::int64_t line_of(std::size_t at) const {
    return line + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  }
};

/// A file's text in UTF-8, from start to end.
class TextSource {
 public:
  explicit TextSource(const std::string& path, Encoding encoding = Encoding::detect)
      : file_(path), encoding_(encoding) {}

  Encoding encoding() const { return encoding_; }  ///< known after the first read

  /// Appends about `bytes` bytes; false at the end of the file. @throws DataError for half a character of UTF-16.
  bool read(std::string& out, std::int64_t bytes);

 private:
  UnpackedFile file_;
  Encoding encoding_;
  std::string raw_;
};

/// All text of a file. @throws DataError if it has more than `max_bytes`, an option called max_text_bytes.
std::string read_whole_text(const std::string& path, Encoding encoding, std::int64_t max_bytes);

/// A table's text on its way into a file, which is packed if its name ends in .gz.
class TextSink {
 public:
  explicit TextSink(std::string path) : file_(path), compressed_(path.ends_with(".gz")) {}

  /// True for the first table; the others must have its columns. @throws DataError
  bool first(const Table& table);
  /// What is to be written; call flush() when it is long.
  std::string text;
  void flush_if_long() {
    if (text.size() >= std::size_t{1} << 20) flush();
  }
  void commit() {
    flush();
    file_.commit();
  }
  const std::string& path() const { return file_.path(); }

 private:
  void flush();

  AtomicFile file_;
  bool compressed_, packed_ = false, started_ = false;
  std::vector<std::string> names_;
};

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/text_stream_impl.hpp>
#endif
