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

  Json(std::nullptr_t = nullptr);
  template <std::same_as<bool> Bool>  // a template, so that a pointer does not turn into a boolean
  Json(Bool value) : type_(Type::boolean), boolean_(value) {}
  template <std::integral Int>
    requires(!std::same_as<Int, bool> && (sizeof(Int) < 8 || std::signed_integral<Int>))
  Json(Int value) : type_(Type::integer), integer_(static_cast<std::int64_t>(value)) {}
  template <std::floating_point Float>
  Json(Float value) : type_(Type::real), real_(static_cast<double>(value)) {}
  Json(std::string value);
  Json(std::string_view value) : Json(std::string(value)) {}
  Json(const char* value) : Json(std::string(value)) {}
  Json(Array value);
  Json(Object value);
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  /// The value if it has this type, else null. T: bool, std::int64_t, double, std::string, Array, Object.
  template <class T>
  const T* get_if() const {
    if constexpr (std::same_as<T, bool>) {
      return type_ == Type::boolean ? &boolean_ : nullptr;
    } else if constexpr (std::same_as<T, std::int64_t>) {
      return type_ == Type::integer ? &integer_ : nullptr;
    } else if constexpr (std::same_as<T, double>) {
      return type_ == Type::real ? &real_ : nullptr;
    } else if constexpr (std::same_as<T, std::string>) {
      return type_ == Type::text ? &text_ : nullptr;
    } else if constexpr (std::same_as<T, Array>) {
      return type_ == Type::array ? &array_ : nullptr;
    } else {
      static_assert(std::same_as<T, Object>, "a Json holds bool, std::int64_t, double, std::string, Array or Object");
      return type_ == Type::object ? &object_ : nullptr;
    }
  }
  bool is_null() const { return type_ == Type::null; }
  /// True for integers and doubles; number() then gives the value.
  bool is_number() const { return type_ == Type::integer || type_ == Type::real; }
  /// @throws Error if it is neither.
  double number() const;
  /// The member of that name, or null if there is none or this is no object.
  const Json* find(std::string_view key) const;

  /// On one line, without spaces. NaN and infinities, which JSON lacks, become null; bytes that are not UTF-8 become
  /// U+FFFD.
  std::string dump() const;

  bool operator==(const Json& other) const;

 private:
  enum class Type : std::uint8_t { null, boolean, integer, real, text, array, object };

  // Beside each other, not in a std::variant, which would cost every user of the library a tenth of a second to
  // compile.
  Type type_ = Type::null;
  bool boolean_ = false;
  std::int64_t integer_ = 0;
  double real_ = 0.0;
  std::string text_;
  Array array_;
  Object object_;
};

/// Where a text came from, for messages, and how much of it is believed.
struct JsonOptions {
  std::string_view source = "JSON";     ///< a path, usually
  std::int64_t first_byte = 0;          ///< offset of the text in that file
  int max_depth = 64;                   ///< of arrays and objects in each other
  std::int64_t max_values = 1'000'000;  ///< bounds the memory: about 150 bytes a value
};

/// Parses one JSON text, which may have blanks around it.
/// @throws DataError naming source and byte if it is not exactly that. An integer beyond 64 bits becomes a double.
Json parse_json(std::string_view text, const JsonOptions& options = {});

namespace detail {
/// Appends `text` in quotes and escaped as in dump().
void dump_string(std::string& out, std::string_view text);
}  // namespace detail

/// `text` in quotes and escaped as in dump(), cut to about 80 bytes: a hostile name, fit for a message.
std::string in_quotes(std::string_view text);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/json_impl.hpp>
#endif
