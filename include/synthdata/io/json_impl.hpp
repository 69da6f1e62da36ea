// synthdata/io/json_impl.hpp: recursive-descent parser and writer of io/json.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE void dump_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++i;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
      out += buffer;
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  out += '"';
}

SYNTHDATA_INLINE void dump_json(std::string& out, const Json& json) {
  char buffer[32];
  if (const auto* boolean = json.get_if<bool>()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* integer = json.get_if<std::int64_t>()) {
    out += std::to_string(*integer);
  } else if (const auto* number = json.get_if<double>()) {
    if (!std::isfinite(*number)) {
      out += "null";
      return;
    }
    const std::string_view digits(buffer,
                                  static_cast<std::size_t>(std::to_chars(buffer, buffer + 32, *number).ptr - buffer));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a double when read again
  } else if (const auto* text = json.get_if<std::string>()) {
    dump_string(out, *text);
  } else if (const auto* array = json.get_if<Json::Array>()) {
    out += '[';
    for (const Json& element : *array) {
      if (&element != array->data()) out += ',';
      dump_json(out, element);
    }
    out += ']';
  } else if (const auto* object = json.get_if<Json::Object>()) {
    out += '{';
    for (const Json::Member& member : *object) {
      if (&member != object->data()) out += ',';
      dump_string(out, member.key);
      out += ':';
      dump_json(out, member.value);
    }
    out += '}';
  } else {
    out += "null";
  }
}

class JsonParser {
 public:
  JsonParser(std::string_view text, const JsonOptions& options) : text_(text), options_(options) {}

  Json parse() {
    Json result = value(0);
    skip_blanks();
    if (at_ < text_.size()) fail("expected the end of the text");
    return result;
  }

 private:
  [[noreturn]] SYNTHDATA_COLD void fail(const std::string& text) const {
    const std::int64_t byte = options_.first_byte + static_cast<std::int64_t>(at_);
    throw DataError(concat(options_.source, ", byte ", byte, ": JSON: ", text));
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }  // a zero byte fits no rule, like the end
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json value(int depth) {
    if (++values_ > options_.max_values) fail(concat("more than ", options_.max_values, " values"));
    if (depth > options_.max_depth) fail(concat("nested deeper than ", options_.max_depth));
    skip_blanks();
    const char c = peek();
    if (c == '{') return object(depth);
    if (c == '[') return array(depth);
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    if (take_word("true")) return true;
    if (take_word("false")) return false;
    if (take_word("null")) return nullptr;
    fail("expected a value");
  }

  Json array(int depth) {
    Json::Array elements;
    ++at_;
    if (take(']')) return elements;
    do {
      elements.push_back(value(depth + 1));
    } while (take(','));
    if (!take(']')) fail("expected , or ]");
    return elements;
  }

  Json object(int depth) {
    Json::Object members;
    const std::size_t start = at_++;
    if (take('}')) return members;
    do {
      skip_blanks();
      if (peek() != '"') fail("expected a name in quotes");
      std::string key = string();
      if (!take(':')) fail("expected :");
      members.push_back({std::move(key), value(depth + 1)});
    } while (take(','));
    if (!take('}')) fail("expected , or }");
    check_distinct(members, start);
    return members;
  }

  void check_distinct(const Json::Object& members, std::size_t start) {
    std::vector<std::string_view> keys;  // sorted: a million names must not cost a million squared
    keys.reserve(members.size());
    for (const Json::Member& member : members) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice == keys.end()) return;
    at_ = start;
    fail(concat("this object holds the name ", in_quotes(*twice), " twice"));
  }

  std::string string() {
    std::string out;
    for (++at_; peek() != '"';) {
      if (at_ >= text_.size()) fail("a string without end");
      if (static_cast<unsigned char>(text_[at_]) < 0x20) fail("a control character in a string");
      if (text_[at_] == '\\') {
        escape(out);
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_, 4));
      if (length == 0) fail("a byte that is not UTF-8");
      out += text_.substr(at_, length);
      at_ += length;
    }
    ++at_;
    return out;
  }

  void escape(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (const std::size_t i = c ? names.find(c) : std::string_view::npos; i != std::string_view::npos) {
      out += values[i];
      at_ += 2;
      return;
    }
    if (c != 'u') fail("an unknown escape");
    std::uint32_t code = hex4();
    if (code >= 0xd800 && code <= 0xdbff && text_.substr(at_, 2) == "\\u") {  // the first half of a pair
      const std::uint32_t low = hex4();
      if (low < 0xdc00 || low > 0xdfff) fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xd800 && code <= 0xdfff) {
      fail("half of a surrogate pair");
    }
    append_utf8(out, code);
  }

  std::uint32_t hex4() {
    const std::string_view digits = text_.substr(at_ + 2, 4);
    std::uint32_t code = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || result.ptr != digits.data() + 4) fail("\\u needs four hexadecimal digits");
    at_ += 6;
    return code;
  }

  Json number() {
    const std::size_t start = at_;
    bool whole = true;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) fail("expected a digit");
    const bool zero = peek() == '0';
    if (zero) {
      ++at_;
    } else {
      digits();
    }
    if (is_digit(peek())) fail("a number with a leading zero");
    if (peek() == '.') {
      whole = false;
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    const std::string_view literal = text_.substr(start, at_ - start);
    const char* const end = literal.data() + literal.size();
    if (whole && literal != "-0") {
      std::int64_t integer = 0;
      if (std::from_chars(literal.data(), end, integer).ec == std::errc()) return integer;
    }
    double value = 0;
    if (std::from_chars(literal.data(), end, value).ec != std::errc()) {
      at_ = start;
      fail("a number beyond the range of a double");
    }
    return value;
  }

  void digits() {
    if (!is_digit(peek())) fail("expected a digit");
    while (is_digit(peek())) ++at_;
  }

  std::string_view text_;
  const JsonOptions& options_;
  std::size_t at_ = 0;
  std::int64_t values_ = 0;
};

}  // namespace detail

SYNTHDATA_INLINE Json::Json(std::nullptr_t) {}
SYNTHDATA_INLINE Json::Json(std::string value) : type_(Type::text), text_(std::move(value)) {}
SYNTHDATA_INLINE Json::Json(Array value) : type_(Type::array), array_(std::move(value)) {}
SYNTHDATA_INLINE Json::Json(Object value) : type_(Type::object), object_(std::move(value)) {}
SYNTHDATA_INLINE Json::Json(const Json& other) = default;
SYNTHDATA_INLINE Json::Json(Json&& other) noexcept = default;
SYNTHDATA_INLINE Json& Json::operator=(const Json& other) = default;
SYNTHDATA_INLINE Json& Json::operator=(Json&& other) noexcept = default;
SYNTHDATA_INLINE Json::~Json() = default;

SYNTHDATA_INLINE bool Json::operator==(const Json& other) const {  // "= default" here crashes clang 16
  return type_ == other.type_ && boolean_ == other.boolean_ && integer_ == other.integer_ && real_ == other.real_ &&
         text_ == other.text_ && array_ == other.array_ && object_ == other.object_;
}

SYNTHDATA_INLINE double Json::number() const {
  if (const auto* integer = get_if<std::int64_t>()) return static_cast<double>(*integer);
  if (const auto* real = get_if<double>()) return *real;
  throw Error("Json::number: not a number");
}

SYNTHDATA_INLINE const Json* Json::find(std::string_view key) const {
  if (const auto* members = get_if<Object>()) {
    for (const Member& member : *members) {
      if (member.key == key) return &member.value;
    }
  }
  return nullptr;
}

SYNTHDATA_INLINE std::string Json::dump() const {
  std::string out;
  detail::dump_json(out, *this);
  return out;
}

SYNTHDATA_INLINE Json parse_json(std::string_view text, const JsonOptions& options) {
  return detail::JsonParser(text, options).parse();
}

SYNTHDATA_INLINE std::string in_quotes(std::string_view text) {
  std::string out;
  detail::dump_string(out, text.substr(0, 80));
  if (text.size() > 80) out += "...";
  return out;
}

}  // namespace synthdata
