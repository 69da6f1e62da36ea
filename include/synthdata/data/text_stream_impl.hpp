// synthdata/data/text_stream_impl.hpp: bodies of data/text_stream.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/text_stream.hpp>

namespace synthdata::detail {

SYNTHDATA_COLD SYNTHDATA_INLINE void TextPart::fail(std::size_t at, const std::string& message) const {
  const std::string_view before = text.substr(0, at);
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  throw DataError(concat(path, ":", line_of(before.size()), ":", before.size() - start + 1, ": ", message));
}

SYNTHDATA_INLINE bool TextSource::read(std::string& out, std::int64_t bytes) {
  const std::size_t kept = raw_.size();
  raw_.resize(kept + static_cast<std::size_t>(bytes));
  const std::int64_t count = file_.read_some(raw_.data() + kept, bytes);
  raw_.resize(kept + static_cast<std::size_t>(count));
  if (file_.position() == count) {  // the first piece
    const ByteOrderMark mark = byte_order_mark(raw_);
    if (encoding_ == Encoding::detect) encoding_ = mark.encoding;
    if (encoding_ == mark.encoding) raw_.erase(0, mark.bytes);
  }
  const std::size_t used = append_converted(out, raw_, encoding_);
  raw_.erase(0, used);
  const bool at_end = count < bytes;
  if (raw_.size() >= 4 || (at_end && !raw_.empty())) {
    throw_data_at(file_.path(), file_.position() - static_cast<std::int64_t>(raw_.size()),
                  "half a character of UTF-16");
  }
  return !at_end;
}

SYNTHDATA_INLINE std::string read_whole_text(const std::string& path, Encoding encoding, std::int64_t max_bytes) {
  TextSource source(path, encoding);
  std::string text;
  for (bool more = true; more;) {
    more = source.read(text, 4 << 20);
    if (static_cast<std::int64_t>(text.size()) > max_bytes) {
      throw DataError(concat(path, ": its text has more than ", max_bytes, " bytes (max_text_bytes)"));
    }
  }
  return text;
}

SYNTHDATA_INLINE bool TextSink::first(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns()) names.push_back(column.name());
  if (started_ && names != names_) {
    throw DataError(concat(file_.path(), ": expects the columns of the first table, ",
                           list_names(table.schema().columns), " were given"));
  }
  names_ = std::move(names);
  return !std::exchange(started_, true);
}

SYNTHDATA_INLINE void TextSink::flush() {
  if (text.empty() && compressed_ && packed_) return;
  file_.write(compressed_ ? gzip(text) : text);  // gzip members one behind the other are one file
  packed_ = true;
  text.clear();
}

}  // namespace synthdata::detail
