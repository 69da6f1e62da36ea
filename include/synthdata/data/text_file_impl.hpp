// synthdata/data/text_file_impl.hpp: bodies of data/text_file.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_stream_impl.hpp>
#include <synthdata/data/text_file.hpp>
#include <synthdata/data/text_stream_impl.hpp>

namespace synthdata {
namespace detail {

/// @throws DataError for the first byte that is zero or not UTF-8.
SYNTHDATA_INLINE void check_text(const TextPart& part) {
  const std::size_t zero = part.text.find('\0'), broken = find_not_utf8(part.text);
  if (zero < broken) part.fail(zero, "a zero byte, which text does not have; is this UTF-16?");
  if (broken != std::string_view::npos) {
    part.fail(broken, "a byte that is not UTF-8; set encoding if the file has another one");
  }
}

inline ColumnSchema schema_of_lines(const TextOptions& options) {
  return {.name = options.column, .type = ColumnType::text};
}

SYNTHDATA_INLINE Table table_of_lines(const TextPart& part, const TextOptions& options) {
  check_text(part);
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < part.text.size();) {
    const std::size_t newline = std::min(part.text.find('\n', at), part.text.size());
    std::string_view text = part.text.substr(at, newline - at);
    if (static_cast<std::int64_t>(text.size()) > options.max_line_bytes) {
      part.fail(at, concat("this line is longer than ", options.max_line_bytes, " bytes (max_line_bytes)"));
    }
    if (text.ends_with('\r')) text.remove_suffix(1);
    lines.push_back(text);
    at = newline + 1;
  }
  ColumnParts parts{.schema = schema_of_lines(options), .size = static_cast<std::int64_t>(lines.size())};
  parts.texts = join_texts(parts.size, [&](std::int64_t i) { return lines[static_cast<std::size_t>(i)]; });
  return Table({Column(std::move(parts))});
}

}  // namespace detail

SYNTHDATA_INLINE std::string read_text(const std::string& path, const TextOptions& options) {
  std::string text = detail::read_whole_text(path, options.encoding, options.max_text_bytes);
  detail::check_text({text, path, 1});
  return text;
}

SYNTHDATA_INLINE void write_text(const std::string& path, std::string_view text) {
  if (path.ends_with(".gz")) return write_file(path, gzip(text));
  write_file(path, text);
}

struct LineReader::Impl {
  Impl(const std::string& path_wanted, const TextOptions& wanted, std::int64_t rows_wanted)
      : path(path_wanted), options(wanted), rows(rows_wanted), source(path_wanted, wanted.encoding) {
    if (rows < 1) throw NumericError(concat("LineReader: expects at least one row a piece, got ", rows));
    schema.columns.push_back(detail::schema_of_lines(options));
  }

  /// The lines of the next window; none at the end.
  std::optional<Table> read_window() {
    std::size_t end = 0;
    while (more && end == 0) {
      const auto had = static_cast<std::int64_t>(buffer.size());
      const std::int64_t wanted = std::max(detail::text_window_bytes, 2 * had);
      while (more && static_cast<std::int64_t>(buffer.size()) < wanted) {
        more = source.read(buffer, wanted - static_cast<std::int64_t>(buffer.size()));
      }
      end = buffer.rfind('\n') + 1;  // npos + 1 is 0
      if (static_cast<std::int64_t>(buffer.size() - end) > options.max_line_bytes) {
        detail::TextPart{buffer, path, line}.fail(
            end, concat("this line is longer than ", options.max_line_bytes, " bytes (max_line_bytes)"));
      }
    }
    if (!more) end = buffer.size();
    if (end == 0) return {};
    Table table = detail::table_of_lines({std::string_view(buffer).substr(0, end), path, line}, options);
    line += table.size();
    buffer.erase(0, end);
    return table;
  }

  std::string path;
  TextOptions options;
  std::int64_t rows, line = 1;
  detail::TextSource source;
  std::string buffer;
  bool more = true;
  Schema schema;
  detail::Rechunked chunks;
};

SYNTHDATA_INLINE LineReader::LineReader(const std::string& path, const TextOptions& options, std::int64_t rows)
    : impl_(new Impl(path, options, rows)) {}
SYNTHDATA_INLINE LineReader::LineReader(LineReader&&) noexcept = default;
SYNTHDATA_INLINE LineReader& LineReader::operator=(LineReader&&) noexcept = default;
SYNTHDATA_INLINE LineReader::~LineReader() = default;
SYNTHDATA_INLINE const Schema& LineReader::schema() const { return impl_->schema; }
SYNTHDATA_INLINE std::optional<Table> LineReader::next() {
  return impl_->chunks.next(impl_->rows, [&] { return impl_->read_window(); });
}

SYNTHDATA_INLINE Table read_lines(const std::string& path, const TextOptions& options) {
  const std::string text = detail::read_whole_text(path, options.encoding, options.max_text_bytes);
  return detail::table_of_lines({text, path, 1}, options);
}

SYNTHDATA_INLINE void LineWriter::write(const Table& table) {
  sink_.first(table);
  const auto fail = [&](const std::string& what) { throw DataError(concat(sink_.path(), ": ", what)); };
  if (table.columns().size() != 1) {
    fail(concat("expects a table of one column for lines of text, got ", table.columns().size()));
  }
  const Column& column = table[std::size_t{0}];
  for (std::int64_t row = 0; row < table.size(); ++row) {
    if (column.is_missing(row)) fail(concat("row ", row, " is missing, which a line of text cannot say"));
    const std::size_t start = sink_.text.size();
    column.append_cell(sink_.text, row);
    const std::string_view line = std::string_view(sink_.text).substr(start);
    if (line.find('\n') != line.npos || line.ends_with('\r') || line.find('\0') != line.npos ||
        detail::find_not_utf8(line) != line.npos) {
      fail(concat("row ", row, ": expects a line of UTF-8, got ", in_quotes(line)));
    }
    // what looks like a byte order mark is none behind one
    if (!std::exchange(any_, true) && detail::byte_order_mark(line).bytes > 0) sink_.text.insert(start, "\xef\xbb\xbf");
    sink_.text += '\n';
    sink_.flush_if_long();
  }
}

SYNTHDATA_INLINE void write_lines(const std::string& path, const Table& table) {
  LineWriter writer(path);
  writer.write(table);
  writer.commit();
}

}  // namespace synthdata
