// synthdata/core/error.hpp: the exceptions of the library and the text helper they are written with.
//
// Every message says what was expected, what came, and where. Modules add their path as the exception passes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace synthdata {

/// Base of every exception thrown by the library.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
  const char* what() const noexcept override;

  /// Adds a line "while running <where>"; an outer module's name is put in front of the inner one: `outer.inner`.
  void add_context(std::string_view where);

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
/// What the CUDA runtime or one of its libraries reported.
class CudaError : public DeviceError {
  using DeviceError::DeviceError;
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
void append_integer(std::string& out, std::int64_t value);
void append_integer(std::string& out, std::uint64_t value);
void append(std::string& out, std::string_view text);
void append(std::string& out, char c);
void append(std::string& out, double value);
template <std::integral I>
void append(std::string& out, I value) {  // no overload for bool: a string literal would convert to it
  if constexpr (std::same_as<I, bool>) {
    append(out, std::string_view(value ? "true" : "false"));
  } else if constexpr (std::signed_integral<I>) {
    append_integer(out, static_cast<std::int64_t>(value));
  } else {
    append_integer(out, static_cast<std::uint64_t>(value));
  }
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

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/error_impl.hpp>
#endif
