// synthdata/data/json_table_impl.hpp: bodies of data/json_table.hpp.
//
// A flat record is scanned straight into cells; no tree is made.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/json_table.hpp>
#include <synthdata/data/records_impl.hpp>

#include <bit>
#include <cmath>
#include <cstring>

namespace synthdata {
namespace detail {

inline bool is_json_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
inline const char* skip_json_blanks(const char* at, const char* end) {
  while (at < end && is_json_blank(*at)) ++at;
  return at;
}

/// The first quote, backslash or control character from `at` on.
inline const char* plain_end(const char* at, const char* end) {
  constexpr std::uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  for (; end - at >= 8; at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, 8);
    const std::uint64_t quote = eight ^ (ones * '"'), slash = eight ^ (ones * '\\');
    const std::uint64_t found =
        (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((eight - ones * 0x20) & ~eight)) & tops;
    if (found) return at + (std::countr_zero(found) >> 3);
  }
  while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

/// The end of the number that begins at `at`, which must be followed by what may follow one; null if it is none.
inline const char* json_number_end(const char* at, const char* end) {
  const auto digits = [&] {
    const char* const start = at;
    while (at < end && is_digit(*at)) ++at;
    return at - start;
  };
  if (at < end && *at == '-') ++at;
  const bool zero = at < end && *at == '0';
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1)) return nullptr;
  if (at < end && *at == '.') {
    ++at;
    if (digits() == 0) return nullptr;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    if (digits() == 0) return nullptr;
  }
  return at;
}

/// The end of the object or array that begins at `at`, by its brackets; null if the text ends before.
inline const char* json_nest_end(const char* at, const char* end) {
  std::int64_t depth = 0;
  for (; at < end; ++at) {
    if (*at == '{' || *at == '[') ++depth;
    if ((*at == '}' || *at == ']') && --depth == 0) return at + 1;
    if (*at != '"') continue;
    for (++at; at < end && *at != '"'; ++at) {
      at = plain_end(at, end);
      if (at == end || *at == '"') break;
      at += *at == '\\';
    }
  }
  return nullptr;
}

/// Reads the records of a piece one after the other.
class JsonRecords {
 public:
  JsonRecords(std::string_view text, const RecordOptions& options, RecordRows& rows)
      : at_(text.data()), end_(text.data() + text.size()), options_(options), rows_(rows) {
    if (const std::size_t broken = find_not_utf8(text); broken != std::string_view::npos) {
      rows_.fail(at_ + broken, "a byte that is not UTF-8");
    }
  }

  bool at_end() {
    at_ = skip_json_blanks(at_, end_);
    return at_ == end_;
  }
  const char* at() const { return at_; }
  void skip_comma() {
    at_ = skip_json_blanks(at_, end_);
    at_ += at_ < end_ && *at_ == ',';
  }

  void record() {
    rows_.begin(at_);
    if (!take('{')) fail("expected a record, {...}");
    if (!take('}')) {
      do {
        skip();
        if (peek() != '"') fail("expected a key in quotes");
        const std::string_view key = string();
        if (!take(':')) fail(concat("expected : after key ", in_quotes(key)));
        value(key);
      } while (take(','));
      if (!take('}')) fail("expected , or }");
    }
    rows_.end(at_);
  }

 private:
  [[noreturn]] SYNTHDATA_COLD void fail(const std::string& message) const { rows_.fail(at_, message); }
  char peek() const { return at_ < end_ ? *at_ : '\0'; }
  void skip() {
    if (at_ < end_ && static_cast<unsigned char>(*at_) <= ' ') at_ = skip_json_blanks(at_, end_);
  }
  bool take(char c) {
    skip();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  void value(std::string_view key) {
    skip();
    const char c = peek();
    if (c == '"') {
      rows_.set(key, string(), RecordRows::text);
    } else if (c == '-' || is_digit(c)) {
      const char* const number_end = json_number_end(at_, end_);
      if (!number_end) fail(concat("key ", in_quotes(key), ": a number that JSON does not have"));
      rows_.set(key, {at_, static_cast<std::size_t>(number_end - at_)}, RecordRows::number);
      at_ = number_end;
    } else if (take_word("null")) {
      rows_.set_missing(key);
    } else if (take_word("true")) {
      rows_.set_boolean(key, true);
    } else if (take_word("false")) {
      rows_.set_boolean(key, false);
    } else if (c == '{' || c == '[') {
      nested(key);
    } else {
      fail(concat("key ", in_quotes(key), ": expected a value"));
    }
  }

  void nested(std::string_view key) {
    if (!options_.nested_as_text) {
      fail(concat("key ", in_quotes(key), ": expects a flat value, got ", *at_ == '{' ? "an object" : "an array",
                  "; nested_as_text keeps it as text"));
    }
    const char* const nest_end = json_nest_end(at_, end_);
    if (!nest_end) fail(concat("key ", in_quotes(key), ": is not closed"));
    const std::string_view text(at_, static_cast<std::size_t>(nest_end - at_));
    try {
      parse_json(text, {.source = "nested value"});
    } catch (const DataError& error) {
      fail(concat("key ", in_quotes(key), ": ", error.what()));
    }
    rows_.set(key, text, RecordRows::text);
    at_ = nest_end;
  }

  /// The string that begins at a quote.
  std::string_view string() {
    const char* const start = ++at_;
    at_ = plain_end(at_, end_);
    if (peek() == '"') [[likely]]
      return {start, static_cast<std::size_t>(at_++ - start)};
    const char* close = at_;  // where it ends says how much room it needs
    while (close < end_ && *close == '\\') close = plain_end(end_ - close > 2 ? close + 2 : end_, end_);
    if (close >= end_ || *close != '"') {
      at_ = close < end_ ? close : end_;
      fail(at_ < end_ ? "a control character inside a text; it is written with a backslash"
                      : "a text that is not closed");
    }
    char* const unescaped = rows_.room(static_cast<std::size_t>(close - start));
    char* to = unescaped;
    const auto copy = [&](const char* from, const char* until) {
      std::memcpy(to, from, static_cast<std::size_t>(until - from));
      to += until - from;
    };
    copy(start, at_);
    while (*at_ != '"') {
      ++at_;  // the backslash
      constexpr std::string_view names = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
      const std::size_t name = names.find(peek());
      if (name != std::string_view::npos && at_ < end_) {
        *to++ = meant[name];
        ++at_;
      } else if (peek() == 'u') {
        std::string character;
        append_utf8(character, escaped_code());
        copy(character.data(), character.data() + character.size());
      } else {
        fail("a backslash before a character that JSON does not escape");
      }
      const char* const from = at_;
      at_ = plain_end(at_, end_);
      copy(from, at_);
    }
    ++at_;
    return {unescaped, static_cast<std::size_t>(to - unescaped)};
  }
  std::uint32_t hex4() {  // of \uXXXX, from the u on
    std::uint32_t code = 0;
    if (end_ - at_ < 5) fail("\\u without four hexadecimal digits");
    for (int i = 1; i <= 4; ++i) {
      const char c = at_[i];
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("\\u without four hexadecimal digits");
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    at_ += 5;
    return code;
  }
  std::uint32_t escaped_code() {
    const std::uint32_t first = hex4();
    if (first == 0) fail("\\u0000, a zero byte, which text does not have");
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first > 0xdbff || end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') fail("half a pair of surrogates");
    ++at_;
    const std::uint32_t second = hex4();
    if (second < 0xdc00 || second > 0xdfff) fail("half a pair of surrogates");
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }

  const char* at_;
  const char* end_;
  const RecordOptions& options_;
  RecordRows& rows_;
};

/// One record a line.
class JsonlFormat final : public RecordFormat {
 public:
  explicit JsonlFormat(const RecordOptions& options) : options_(options) {}
  RecordFormat* clone() const override { return new JsonlFormat(options_); }
  bool typed() const override { return true; }

  RecordCut cut(const TextPart& part, bool last) override {
    RecordCut made;
    const std::string_view text = part.text;
    made.complete = last ? text.size() : text.rfind('\n') + 1;  // npos + 1 is 0
    for (std::size_t begin = 0; begin < made.complete;) {
      const std::size_t step = begin + static_cast<std::size_t>(text_piece_bytes);
      const std::size_t newline = step < made.complete ? text.find('\n', step) : std::string_view::npos;
      const std::size_t end = std::min(newline, made.complete - 1) + 1;
      const auto* const bytes = text.data();
      const std::int64_t rows = std::count(bytes + begin, bytes + end, '\n') + (text[end - 1] != '\n');
      made.pieces.push_back({begin, end, made.rows, rows});
      made.rows += rows;
      begin = end;
    }
    return made;
  }

  void parse(const TextPart& text, const RecordPiece& piece, RecordRows& rows) const override {
    const std::string_view all = text.text.substr(piece.begin, piece.end - piece.begin);
    JsonRecords records(all, options_, rows);
    while (!records.at_end()) {
      const char* const start = records.at();
      records.record();
      const char* const stop = records.at();
      if (std::memchr(start, '\n', static_cast<std::size_t>(stop - start))) {
        rows.fail(start, "expects one record a line, this one has more lines; is the file JSON and not JSON Lines?");
      }
      const std::string_view rest = all.substr(static_cast<std::size_t>(stop - all.data()));
      const std::size_t blank = rest.find_first_not_of(" \t\r");
      if (blank != std::string_view::npos && rest[blank] != '\n') {
        rows.fail(stop + blank, "expects one record a line, more follows");
      }
    }
  }

 private:
  RecordOptions options_;
};

/// An array of records.
class JsonFormat final : public RecordFormat {
 public:
  explicit JsonFormat(const RecordOptions& options) : options_(options) {}
  RecordFormat* clone() const override { return new JsonFormat(options_); }
  bool typed() const override { return true; }

  RecordCut cut(const TextPart& part, bool last) override {
    RecordCut made;
    const char *const begin = part.text.data(), *const end = begin + part.text.size();
    const auto offset = [&](const char* at) { return static_cast<std::size_t>(at - begin); };
    const char* at = begin;
    RecordPiece piece;
    const auto close = [&] {
      if (piece.rows > 0) made.pieces.push_back(piece);
      piece = {.row = made.rows};
    };
    for (;; ++at) {
      at = skip_json_blanks(at, end);
      if (at == end) break;
      const char c = *at;
      if (next_ == Next::array && c == '[') {
        next_ = Next::first;
      } else if ((next_ == Next::first || next_ == Next::comma) && c == ']') {
        next_ = Next::nothing;
      } else if (next_ == Next::comma && c == ',') {
        next_ = Next::record;
      } else if ((next_ == Next::first || next_ == Next::record) && c == '{') {
        const char* const stop = json_nest_end(at, end);
        if (!stop) {
          if (last) part.fail(offset(at), "this record is not closed before the end of the file");
          break;
        }
        if (piece.rows == 0) piece.begin = offset(at);
        piece.end = offset(stop);
        ++piece.rows;
        ++made.rows;
        next_ = Next::comma;
        if (piece.end - piece.begin >= static_cast<std::size_t>(text_piece_bytes)) close();
        at = stop - 1;
      } else {
        part.fail(offset(at), expected());
      }
    }
    close();
    made.complete = offset(at);
    if (last && next_ != Next::nothing) part.fail(part.text.size(), concat(expected(), ", the file ends"));
    return made;
  }

  void parse(const TextPart& text, const RecordPiece& piece, RecordRows& rows) const override {
    JsonRecords records(text.text.substr(piece.begin, piece.end - piece.begin), options_, rows);
    while (!records.at_end()) {
      records.record();
      records.skip_comma();
    }
  }

 private:
  enum class Next { array, first, record, comma, nothing };
  const char* expected() const {
    if (next_ == Next::array) return "expected [, the start of an array of records";
    if (next_ == Next::first) return "expected a record, {...}, or ]";
    if (next_ == Next::record) return "expected a record, {...}";
    return next_ == Next::comma ? "expected , or ]" : "expected the end of the file after the array";
  }

  RecordOptions options_;
  Next next_ = Next::array;
};

/// Writes rows as JSON objects.
class JsonRowWriter {
 public:
  JsonRowWriter(const Table& table, const std::string& name) : table_(table), name_(name) {
    for (const Column& column : table.columns()) {
      check(column.name(), column, -1);
      keys_.emplace_back(&column == table.columns().data() ? "" : ",");
      dump_string(keys_.back(), column.name());
      keys_.back() += ':';
    }
  }
  void append(std::string& out, std::int64_t row) {
    out += '{';
    for (std::size_t c = 0; c < keys_.size(); ++c) {
      out += keys_[c];
      append_value(out, table_[c], row);
    }
    out += '}';
  }

 private:
  void append_value(std::string& out, const Column& column, std::int64_t row) {
    const ColumnType type = column.type();
    if (column.is_missing(row)) {
      out += "null";
    } else if (type == ColumnType::boolean) {
      out += column.boolean(row) ? "true" : "false";
    } else if (type == ColumnType::integer || type == ColumnType::real) {
      const std::size_t start = out.size();
      column.append_cell(out, row);
      if (json_number_end(out.data() + start, out.data() + out.size()) == out.data() + out.size()) return;
      out.resize(start);
      if (type == ColumnType::integer) {
        append_integer_cell(out, column.integer(row));
      } else if (const double value = column.real(row); std::isfinite(value)) {
        append_real_cell(out, value, {.type = ColumnType::real});
      } else {
        out += "null";
      }
    } else {
      cell_.clear();
      column.append_cell(cell_, row);
      check(cell_, column, row);
      dump_string(out, cell_);
    }
  }
  void check(std::string_view text, const Column& column, std::int64_t row) const {
    if (find_not_utf8(text) == std::string_view::npos && text.find('\0') == std::string_view::npos) return;
    throw DataError(concat(name_, ": column ", in_quotes(column.name()),
                           row < 0 ? std::string() : concat(", row ", row), ": expects UTF-8 without zero bytes, got ",
                           in_quotes(text)));
  }

  const Table& table_;
  const std::string& name_;
  std::vector<std::string> keys_;
  std::string cell_;
};

}  // namespace detail

SYNTHDATA_INLINE Table read_json(const std::string& path, const RecordOptions& options) {
  return detail::read_record_file(path, detail::JsonFormat(options), options);
}
SYNTHDATA_INLINE Table read_jsonl(const std::string& path, const RecordOptions& options) {
  return detail::read_record_file(path, detail::JsonlFormat(options), options);
}
SYNTHDATA_INLINE Table parse_json_table(std::string_view text, const RecordOptions& options) {
  return detail::read_record_text(text, detail::JsonFormat(options), options);
}
SYNTHDATA_INLINE Table parse_jsonl(std::string_view text, const RecordOptions& options) {
  return detail::read_record_text(text, detail::JsonlFormat(options), options);
}

SYNTHDATA_INLINE JsonReader::JsonReader(const std::string& path, const RecordOptions& options, std::int64_t rows)
    : RecordReader(path, detail::Owned<detail::RecordFormat>(new detail::JsonFormat(options)), options, rows) {}
SYNTHDATA_INLINE JsonlReader::JsonlReader(const std::string& path, const RecordOptions& options, std::int64_t rows)
    : RecordReader(path, detail::Owned<detail::RecordFormat>(new detail::JsonlFormat(options)), options, rows) {}

SYNTHDATA_INLINE void JsonlWriter::write(const Table& table) {
  sink_.first(table);
  detail::JsonRowWriter writer(table, sink_.path());
  for (std::int64_t row = 0; row < table.size(); ++row) {
    writer.append(sink_.text, row);
    sink_.text += '\n';
    sink_.flush_if_long();
  }
}

SYNTHDATA_INLINE void JsonWriter::write(const Table& table) {
  sink_.first(table);
  detail::JsonRowWriter writer(table, sink_.path());
  for (std::int64_t row = 0; row < table.size(); ++row) {
    sink_.text += any_ ? ",\n" : "[\n";
    any_ = true;
    writer.append(sink_.text, row);
    sink_.flush_if_long();
  }
}
SYNTHDATA_INLINE void JsonWriter::commit() {
  sink_.text += any_ ? "\n]\n" : "[]\n";
  sink_.commit();
}

SYNTHDATA_INLINE void write_json(const std::string& path, const Table& table) {
  JsonWriter writer(path);
  writer.write(table);
  writer.commit();
}
SYNTHDATA_INLINE void write_jsonl(const std::string& path, const Table& table) {
  JsonlWriter writer(path);
  writer.write(table);
  writer.commit();
}

SYNTHDATA_INLINE std::string format_jsonl(const Table& table) {
  const std::string name = "text";
  std::string text;
  detail::JsonRowWriter writer(table, name);
  for (std::int64_t row = 0; row < table.size(); ++row) {
    writer.append(text, row);
    text += '\n';
  }
  return text;
}
SYNTHDATA_INLINE std::string format_json(const Table& table) {
  const std::string name = "text";
  std::string text;
  detail::JsonRowWriter writer(table, name);
  for (std::int64_t row = 0; row < table.size(); ++row) {
    text += row > 0 ? ",\n" : "[\n";
    writer.append(text, row);
  }
  return text + (table.size() > 0 ? "\n]\n" : "[]\n");
}

}  // namespace synthdata
