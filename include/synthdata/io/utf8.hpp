// synthdata/io/utf8.hpp: checks UTF-8 and converts other encodings of text to it.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace synthdata {

/// How the bytes of a text file stand for characters.
enum class Encoding : std::uint8_t {
  detect,  ///< by the byte order mark; UTF-8 where there is none
  utf8,
  latin1,  ///< ISO 8859-1: every byte is the character of that number
  utf16le,
  utf16be,
};

namespace detail {

/// Length of the UTF-8 sequence at the start of `text`, 0 if it is none (RFC 3629: no surrogates, shortest form only).
std::size_t utf8_length(std::string_view text);

void append_utf8(std::string& out, std::uint32_t code);

/// Offset of the first byte that is not UTF-8, or npos.   Cost: a few GB/s on ASCII.
std::size_t find_not_utf8(std::string_view text);

/// The encoding that a byte order mark at the start of `text` names, and its length; utf8 and 0 if there is none.
struct ByteOrderMark {
  Encoding encoding = Encoding::utf8;
  std::size_t bytes = 0;
};
ByteOrderMark byte_order_mark(std::string_view text);

/// Appends `text` to `out` in UTF-8 and returns how many bytes of it were used: all but half a character at the end, or
/// all before a broken one. UTF-8 is copied unchecked.
std::size_t append_converted(std::string& out, std::string_view text, Encoding from);

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/utf8_impl.hpp>
#endif
