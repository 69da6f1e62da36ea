// synthdata/data/xml_table_impl.hpp: bodies of data/xml_table.hpp.
//
// A file is cut into records by a scanner of tags, so that it may be larger than memory; pugixml then reads the records
// of each piece. Source of the format: Extensible Markup Language (XML) 1.0, fifth edition, W3C 2008.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/records_impl.hpp>
#include <synthdata/data/xml_table.hpp>

#include <charconv>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE XmlCodec& xml_codec() {
  static XmlCodec codec;
  return codec;
}

inline bool is_xml_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
/// Names as we write them; XML has more.
inline bool is_plain_xml_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto fits = [&](char c) { return letter(c) || is_digit(c) || c == '-' || c == '.'; };
  if (name.empty() || !letter(name[0]) || !std::all_of(name.begin(), name.end(), fits)) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return !(name.size() >= 3 && lower(name[0]) == 'x' && lower(name[1]) == 'm' && lower(name[2]) == 'l');
}

/// The first byte that XML has not, or npos.
inline std::size_t find_not_xml(std::string_view text) {
  const auto bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r'; };
  const auto at = std::find_if(text.begin(), text.end(), bad);
  return at == text.end() ? find_not_utf8(text) : static_cast<std::size_t>(at - text.begin());
}

/// Finds the records between the tags.
class XmlFormat final : public RecordFormat {
 public:
  XmlFormat(std::string record, const RecordOptions& options) : record_(std::move(record)), options_(options) {
    if (!xml_codec().parse) {
      throw Error(
          "this program was built without reading XML; link the CMake target synthdata::xml, or compile "
          "synthdata/data/xml_codec.cpp into it");
    }
  }
  RecordFormat* clone() const override { return new XmlFormat(record_, options_); }
  bool typed() const override { return false; }

  RecordCut cut(const TextPart& part, bool last) override {
    RecordCut made;
    RecordPiece piece;
    const auto close = [&] {
      if (piece.rows > 0) made.pieces.push_back(piece);
      piece = {.row = made.rows};
    };
    const std::string_view text = part.text;
    std::size_t at = 0, begin = 0;  // of the record that is open
    std::size_t done = 0;           // everything up to here is cut
    bool within = false;
    while (at < text.size()) {
      const std::size_t tag = std::min(text.find('<', at), text.size());
      if (tag == text.size() && !last) break;
      check_outer(part, at, tag, within);
      if (tag == text.size()) {
        at = tag;
        break;
      }
      const Token token = next_token(part, tag, last);
      if (token.end == 0) break;
      at = token.end;
      const std::string_view name = text.substr(token.name, token.name_size);
      if (token.kind == Token::open || token.kind == Token::single) {
        if (open_.empty() && root_seen_) part.fail(tag, "expected the end of the file after the root element");
        const bool record = !within && (record_.empty() ? open_.size() == 1 : name == record_);
        root_seen_ = true;
        if (open_.size() >= max_depth) part.fail(tag, concat("elements lie more than ", max_depth, " deep"));
        if (record) {
          begin = tag;
          within = true;
          depth_ = open_.size();
        }
        open_.emplace_back(name);
      }
      if (token.kind == Token::close || token.kind == Token::single) {
        if (open_.empty()) part.fail(tag, concat("the end of element ", in_quotes(name), ", which is not open"));
        if (token.kind == Token::close && open_.back() != name) {
          part.fail(tag,
                    concat("expected the end of element ", in_quotes(open_.back()), ", got that of ", in_quotes(name)));
        }
        open_.pop_back();
        if (within && open_.size() == depth_) {
          within = false;
          if (piece.rows == 0) piece.begin = begin;
          piece.end = at;
          ++piece.rows;
          ++made.rows;
          if (static_cast<std::int64_t>(at - begin) > options_.max_record_bytes) {
            part.fail(begin,
                      concat("this record is longer than ", options_.max_record_bytes, " bytes (max_record_bytes)"));
          }
          if (piece.end - piece.begin >= static_cast<std::size_t>(text_piece_bytes)) close();
        }
      }
      if (token.kind == Token::cdata && !within && (open_.empty() || record_.empty())) {
        part.fail(tag, "text outside of a record");
      }
      if (token.kind == Token::doctype && root_seen_) part.fail(tag, "a document type within the document");
      if (!within) done = at;
    }
    if (last && !open_.empty()) {
      part.fail(text.size(), concat("the file ends, expected the end of element ", in_quotes(open_.back())));
    }
    if (last && !root_seen_) part.fail(text.size(), "the file ends, expected an element");
    if (within) {  // an unfinished record is scanned again when there is more of it
      open_.resize(depth_);
      if (open_.empty()) root_seen_ = false;
    }
    close();
    made.complete = last ? text.size() : done;
    return made;
  }

  void parse(const TextPart& part, const RecordPiece& piece, RecordRows& rows) const override {
    const std::string_view text = part.text.substr(piece.begin, piece.end - piece.begin);
    if (const std::size_t bad = find_not_xml(text); bad != std::string_view::npos) {
      rows.fail(text.data() + bad, "a byte that is not UTF-8, or a control character, which XML has not");
    }
    struct Sink final : XmlSink {
      explicit Sink(RecordRows& into) : to(into) {}
      void begin(std::size_t at) override { to.begin(start + at); }
      void field(std::string_view name, std::string_view value) override { to.set(name, value, {}); }
      void missing(std::string_view name) override { to.set_missing(name); }
      void end() override { to.end(start); }
      void fail(std::size_t at, const std::string& message) const override { to.fail(start + at, message); }
      const char* start = nullptr;
      RecordRows& to;
    };
    Sink sink(rows);
    const auto read = [&](std::size_t begin, std::size_t end) {
      sink.start = part.text.data() + begin;
      xml_codec().parse(part.text.substr(begin, end - begin), options_.nested_as_text, sink);
    };
    if (record_.empty()) return read(piece.begin, piece.end);  // nothing but records and comments
    std::size_t begin = 0, depth = 0;
    for (std::size_t at = piece.begin; at < piece.end;) {
      const Token token = next_token(part, part.text.find('<', at), true);
      if (token.kind == Token::open || token.kind == Token::single) {
        const bool record = depth == 0 && part.text.substr(token.name, token.name_size) == record_;
        if (record) begin = token.name - 1;
        if (record && token.kind == Token::single) read(begin, token.end);
        depth += token.kind == Token::open && (record || depth > 0);
      } else if (token.kind == Token::close && depth > 0 && --depth == 0) {
        read(begin, token.end);
      }
      at = token.end;
    }
  }

 private:
  static constexpr std::size_t max_depth = 64;

  struct Token {
    enum Kind { open, close, single, cdata, doctype, other } kind = other;
    std::size_t end = 0;  ///< 0: the text ends before
    std::size_t name = 0, name_size = 0;
  };

  /// The tag, comment or the like that begins at `at`.
  static Token next_token(const TextPart& part, std::size_t at, bool last) {
    const std::string_view text = part.text;
    const auto until = [&](std::string_view mark, std::size_t from, const char* what) -> Token {
      const std::size_t end = text.find(mark, from);
      if (end == text.npos && last) part.fail(at, concat(what, " is not closed before the end of the file"));
      return {Token::other, end == text.npos ? 0 : end + mark.size(), 0, 0};
    };
    const std::string_view rest = text.substr(at);
    const auto starts = [&](std::string_view mark) {  // or may, once there is more text
      return rest.substr(0, mark.size()) == mark.substr(0, std::min(mark.size(), last ? mark.size() : rest.size()));
    };
    if (starts("<!--")) return until("-->", at + 4, "a comment");
    if (starts("<![CDATA[")) {
      Token token = until("]]>", at + 9, "a CDATA section");
      token.kind = Token::cdata;
      return token;
    }
    if (starts("<?")) {
      const Token token = until("?>", at + 2, "a processing instruction");
      if (rest.starts_with("<?xml") && token.end != 0) check_encoding(part, at, token.end);
      return token;
    }
    if (starts("<!DOCTYPE")) {
      Token token = until(">", at, "a document type");
      token.kind = Token::doctype;
      if (token.end != 0 && text.substr(at, token.end - at).find('[') != text.npos) {
        part.fail(at, "a document type with declarations of its own, such as entities, is refused");
      }
      return token;
    }
    Token token{starts("</") ? Token::close : Token::open, 0, at + 1, 0};
    if (token.kind == Token::close) ++token.name;
    char quote = 0;
    std::size_t end = token.name;
    for (; end < text.size() && (quote != 0 || text[end] != '>'); ++end) {
      const char c = text[end];
      if (c == '<') part.fail(end, "a < inside a tag");
      if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      }
    }
    if (end == text.size()) {
      if (last) part.fail(at, "a tag that is not closed before the end of the file");
      return {};
    }
    check_references(part, token.name, end);
    std::size_t name_end = token.name;
    while (name_end < end && !is_xml_blank(text[name_end]) && text[name_end] != '/' && text[name_end] != '=' &&
           text[name_end] != '"' && text[name_end] != '\'') {
      ++name_end;
    }
    token.name_size = name_end - token.name;
    if (token.name_size == 0 || text[token.name] == '!') part.fail(at, "expected the name of an element");
    if (token.kind == Token::open && text[end - 1] == '/') token.kind = Token::single;
    if (token.kind == Token::close) {
      for (; name_end < end; ++name_end) {
        if (!is_xml_blank(text[name_end])) part.fail(name_end, "expected > after the name");
      }
    }
    token.end = end + 1;
    return token;
  }

  /// Entities other than XML's own five are an error, not a text.
  static void check_references(const TextPart& part, std::size_t begin, std::size_t end) {
    const std::string_view text = part.text.substr(begin, end - begin);
    for (std::size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
      const std::size_t stop = text.find(';', at);
      const std::string_view name = stop == text.npos ? std::string_view() : text.substr(at + 1, stop - at - 1);
      bool known = name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
      if (name.starts_with('#') && name.size() >= 2 && name.size() <= 10) {
        const bool hex = name[1] == 'x';
        std::uint32_t code = 0;
        const char* const last = name.data() + name.size();
        const auto result = std::from_chars(name.data() + (hex ? 2 : 1), last, code, hex ? 16 : 10);
        known = result.ec == std::errc() && result.ptr == last &&
                (code >= 0x20 || code == 9 || code == 10 || code == 13) && code <= 0x10ffff &&
                !(code >= 0xd800 && code <= 0xdfff);
      }
      if (!known) part.fail(begin + at, concat("entity ", in_quotes(name), " is not one of XML's own"));
    }
  }

  void check_outer(const TextPart& part, std::size_t begin, std::size_t end, bool within) const {
    check_references(part, begin, end);
    if (within || (!record_.empty() && !open_.empty())) return;
    for (std::size_t at = begin; at < end; ++at) {
      if (!is_xml_blank(part.text[at])) part.fail(at, "text outside of a record");
    }
  }

  static void check_encoding(const TextPart& part, std::size_t begin, std::size_t end) {
    const std::string_view text = part.text.substr(begin, end - begin);
    const std::size_t key = text.find("encoding");
    if (key == text.npos) return;
    const std::size_t open = text.find_first_of("\"'", key);
    if (open == text.npos) return;
    std::string name(text.substr(open + 1, text.find(text[open], open + 1) - open - 1));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (name != "utf-8" && name != "utf8" && name != "us-ascii" && name != "utf-16") {
      part.fail(begin, concat("encoding ", in_quotes(name), " is not supported, expects UTF-8 or UTF-16"));
    }
  }

  std::string record_;
  RecordOptions options_;
  std::vector<std::string> open_;  // names of the elements that are open
  std::size_t depth_ = 0;          // of the record
  bool root_seen_ = false;
};

SYNTHDATA_INLINE void append_xml(std::string& out, std::string_view text, const std::string& name) {
  if (find_not_xml(text) != std::string_view::npos) {
    throw DataError(
        concat(name, ": expects UTF-8 without control characters, which XML has not, got ", in_quotes(text)));
  }
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\r') {
      out += "&#13;";
    } else if (c == '\n') {
      out += "&#10;";
    } else if (c == '\t') {
      out += "&#9;";
    } else {
      out += c;
    }
  }
}

class XmlRowWriter {
 public:
  XmlRowWriter(const Table& table, const XmlWriteOptions& options, const std::string& name)
      : table_(table), options_(options), name_(name), missing_(defaults_.missing) {
    for (const Column& column : table.columns()) {
      std::string open = "<", close = "</";
      if (is_plain_xml_name(column.name()) && column.name() != "field") {
        open += column.name();
        close += column.name();
      } else {
        open += "field name=\"";
        append_xml(open, column.name(), name);
        open += '"';
        close += "field";
      }
      open_.push_back(std::move(open));
      close_.push_back(close + '>');
    }
  }
  void append(std::string& out, std::int64_t row) {
    out += concat("<", options_.record, ">");
    for (std::size_t c = 0; c < open_.size(); ++c) {
      const Column& column = table_[c];
      cell_.clear();
      column.append_cell(cell_, row);
      out += open_[c];
      if (column.is_missing(row) && (cell_.empty() || !missing_.contains(cell_))) {
        out += " xsi:nil=\"true\"/>";
      } else {
        out += '>';
        append_xml(out, cell_, name_);
        out += close_[c];
      }
    }
    out += concat("</", options_.record, ">\n");
  }

 private:
  const Table& table_;
  const XmlWriteOptions& options_;
  const std::string& name_;
  CsvOptions defaults_;
  MissingTexts missing_;
  std::vector<std::string> open_, close_;
  std::string cell_;
};

inline std::string xml_start(const XmlWriteOptions& options) {
  return concat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<", options.root,
                " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n");
}
SYNTHDATA_INLINE void check_xml_names(const XmlWriteOptions& options) {
  for (const std::string& name : {options.root, options.record}) {
    if (!is_plain_xml_name(name)) {
      throw DataError(
          concat("XmlWriteOptions: expects names of letters, digits and _ - . that begin with a letter, got ",
                 in_quotes(name)));
    }
  }
}

}  // namespace detail

SYNTHDATA_INLINE Table read_xml(const std::string& path, const std::string& record, const RecordOptions& options) {
  return detail::read_record_file(path, detail::XmlFormat(record, options), options);
}
SYNTHDATA_INLINE Table parse_xml(std::string_view text, const std::string& record, const RecordOptions& options) {
  return detail::read_record_text(text, detail::XmlFormat(record, options), options);
}

SYNTHDATA_INLINE XmlReader::XmlReader(const std::string& path, const std::string& record, const RecordOptions& options,
                                      std::int64_t rows)
    : RecordReader(path, detail::Owned<detail::RecordFormat>(new detail::XmlFormat(record, options)), options, rows) {}

SYNTHDATA_INLINE XmlWriter::XmlWriter(std::string path, const XmlWriteOptions& options)
    : sink_(std::move(path)), options_(options) {
  detail::check_xml_names(options);
  sink_.text = detail::xml_start(options);
}
SYNTHDATA_INLINE void XmlWriter::write(const Table& table) {
  sink_.first(table);
  detail::XmlRowWriter writer(table, options_, sink_.path());
  for (std::int64_t row = 0; row < table.size(); ++row) {
    writer.append(sink_.text, row);
    sink_.flush_if_long();
  }
}
SYNTHDATA_INLINE void XmlWriter::commit() {
  sink_.text += concat("</", options_.root, ">\n");
  sink_.commit();
}

SYNTHDATA_INLINE void write_xml(const std::string& path, const Table& table, const XmlWriteOptions& options) {
  XmlWriter writer(path, options);
  writer.write(table);
  writer.commit();
}
SYNTHDATA_INLINE std::string format_xml(const Table& table, const XmlWriteOptions& options) {
  detail::check_xml_names(options);
  const std::string name = "text";
  std::string text = detail::xml_start(options);
  detail::XmlRowWriter writer(table, options, name);
  for (std::int64_t row = 0; row < table.size(); ++row) writer.append(text, row);
  return text + concat("</", options.root, ">\n");
}

}  // namespace synthdata
