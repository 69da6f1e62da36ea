// synthdata/io/utf8_impl.hpp: bodies of io/utf8.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/utf8.hpp>

#include <cstring>

namespace synthdata::detail {

SYNTHDATA_INLINE std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(0), second = byte(1);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

SYNTHDATA_INLINE void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

SYNTHDATA_INLINE std::size_t find_not_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::uint64_t eight = 0;
    if (text.size() - i >= 8) {
      std::memcpy(&eight, text.data() + i, 8);
      if ((eight & 0x8080808080808080u) == 0) {
        i += 8;
        continue;
      }
    }
    const std::size_t length = utf8_length(text.substr(i, 4));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

SYNTHDATA_INLINE ByteOrderMark byte_order_mark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) return {Encoding::utf8, 3};
  if (text.starts_with("\xff\xfe")) return {Encoding::utf16le, 2};
  if (text.starts_with("\xfe\xff")) return {Encoding::utf16be, 2};
  return {};
}

SYNTHDATA_INLINE std::size_t append_converted(std::string& out, std::string_view text, Encoding from) {
  if (from == Encoding::utf8 || from == Encoding::detect) {
    out += text;
    return text.size();
  }
  if (from == Encoding::latin1) {
    for (const char c : text) append_utf8(out, static_cast<unsigned char>(c));
    return text.size();
  }
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]), second = static_cast<unsigned char>(text[at + 1]);
    return static_cast<std::uint32_t>(from == Encoding::utf16le ? first | second << 8 : first << 8 | second);
  };
  std::size_t at = 0;
  while (at + 2 <= text.size()) {
    std::uint32_t code = unit(at);
    std::size_t length = 2;
    if (code >= 0xd800 && code <= 0xdbff) {  // the first half of a pair
      if (at + 4 > text.size()) break;
      const std::uint32_t low = unit(at + 2);
      if (low < 0xdc00 || low > 0xdfff) break;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      length = 4;
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      break;
    }
    append_utf8(out, code);
    at += length;
  }
  return at;
}

}  // namespace synthdata::detail
