// synthdata/core/error.hpp: the exceptions of the library and the text helper they are written with.
//
// Every message says what was expected, what came, and where. Modules add their path as the exception passes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace synthdata {

/// Base of every exception thrown by the library.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message), text_(message) {}
  const char* what() const noexcept override { return text_.c_str(); }

  /// Adds a line "while running <where>"; an outer module's name is put in front of the inner one: `outer.inner`.
  void add_context(std::string_view where) {
    if (path_.empty()) {
      path_ = where;
    } else {
      path_ = std::string(where) + "." + path_;
    }
    text_ = std::string(std::runtime_error::what()) + "\n  while running " + path_;
  }

 private:
  std::string text_, path_;
};

/// Shapes or axes that do not fit each other or the operation.
class ShapeError : public Error {
  using Error::Error;
};
/// A dtype that the operation does not take, or two that differ.
class DTypeError : public Error {
  using Error::Error;
};
/// A device that is not there, or operands on two devices.
class DeviceError : public Error {
  using Error::Error;
};
/// Files or records that cannot be read, or hold what they must not.
class DataError : public Error {
  using Error::Error;
};
/// A number that became infinite or not a number, or a parameter out of its range.
class NumericError : public Error {
  using Error::Error;
};

namespace detail {
inline void append(std::string& out, std::string_view text) { out += text; }
inline void append(std::string& out, char c) { out += c; }
template <std::integral I>
void append(std::string& out, I value) {  // no overload for bool: a string literal would convert to it
  if constexpr (std::same_as<I, bool>)
    out += value ? "true" : "false";
  else
    out += std::to_string(value);
}
inline void append(std::string& out, double value) {
  if (value != value) {
    out += "nan";  // printf shows the sign bit of some
    return;
  }
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  out += buffer;
}
}  // namespace detail

/// Joins texts and numbers into one string: concat("expects ", 3, " channels").
template <class... Parts>
std::string concat(const Parts&... parts) {
  using detail::append;  // and, by argument-dependent lookup, those of Shape, DType and the like
  std::string out;
  (append(out, parts), ...);
  return out;
}

}  // namespace synthdata
