// synthdata/io/json.hpp: a small JSON value, its strict parser and its writer.
//
// For file headers and logs. Integers stay exact (64 bits), doubles survive a round trip, objects keep their order. The
// parser takes RFC 8259 and nothing more: no comments, no trailing commas, no repeated keys, valid UTF-8 only.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace synthdata {

/// A name and its value in an object; a template only because Json is not complete yet.
template <class Value>
struct JsonMember {
  std::string key;
  Value value;
  friend bool operator==(const JsonMember&, const JsonMember&) = default;
};

/// null, boolean, 64-bit integer, double, string, array or object.
class Json {
 public:
  using Member = JsonMember<Json>;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json(std::nullptr_t = nullptr) {}
  template <std::same_as<bool> Bool>  // a template, so that a pointer does not turn into a boolean
  Json(Bool value) : value_(value) {}
  template <std::integral Int>
    requires(!std::same_as<Int, bool> && (sizeof(Int) < 8 || std::signed_integral<Int>))
  Json(Int value) : value_(static_cast<std::int64_t>(value)) {}
  template <std::floating_point Float>
  Json(Float value) : value_(static_cast<double>(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  /// The value if it has this type, else null. T: bool, std::int64_t, double, std::string, Array, Object.
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value_);
  }
  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  /// True for integers and doubles; number() then gives the value.
  bool is_number() const { return get_if<std::int64_t>() || get_if<double>(); }
  double number() const {
    if (const auto* integer = get_if<std::int64_t>()) return static_cast<double>(*integer);
    return std::get<double>(value_);
  }
  /// The member of that name, or null if there is none or this is no object.
  const Json* find(std::string_view key) const;

  /// On one line, without spaces. NaN and infinities, which JSON lacks, become null; bytes that are not UTF-8 become
  /// U+FFFD.
  std::string dump() const;

  friend bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

inline const Json* Json::find(std::string_view key) const {
  if (const auto* members = get_if<Object>()) {
    for (const Member& member : *members) {
      if (member.key == key) return &member.value;
    }
  }
  return nullptr;
}

/// Where a text came from, for messages, and how much of it is believed.
struct JsonOptions {
  std::string_view source = "JSON";     ///< a path, usually
  std::int64_t first_byte = 0;          ///< offset of the text in that file
  int max_depth = 64;                   ///< of arrays and objects in each other
  std::int64_t max_values = 1'000'000;  ///< bounds the memory: about 100 bytes a value
};

/// Parses one JSON text, which may have blanks around it.
/// @throws DataError naming source and byte if it is not exactly that. An integer beyond 64 bits becomes a double.
Json parse_json(std::string_view text, const JsonOptions& options = {});

/// `text` in quotes and escaped as in dump(), cut to about 80 bytes: a hostile name, fit for a message.
std::string in_quotes(std::string_view text);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/json_impl.hpp>
#endif
