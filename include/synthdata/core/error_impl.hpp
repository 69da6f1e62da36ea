// synthdata/core/error_impl.hpp: bodies of core/error.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>

#include <cstdio>

namespace synthdata {

SYNTHDATA_INLINE Error::Error(const std::string& message) : std::runtime_error(message), text_(message) {}

SYNTHDATA_INLINE const char* Error::what() const noexcept { return text_.c_str(); }

SYNTHDATA_INLINE void Error::add_context(std::string_view where) {
  path_ = path_.empty() ? std::string(where) : concat(where, ".", path_);
  text_ = concat(std::runtime_error::what(), "\n  while running ", path_);
}

SYNTHDATA_INLINE void detail::append_integer(std::string& out, std::int64_t value) { out += std::to_string(value); }
SYNTHDATA_INLINE void detail::append_integer(std::string& out, std::uint64_t value) { out += std::to_string(value); }
SYNTHDATA_INLINE void detail::append(std::string& out, std::string_view text) { out += text; }
SYNTHDATA_INLINE void detail::append(std::string& out, char c) { out += c; }
SYNTHDATA_INLINE void detail::append(std::string& out, double value) {
  if (value != value) {
    out += "nan";  // printf shows the sign bit of some
    return;
  }
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  out += buffer;
}

}  // namespace synthdata
