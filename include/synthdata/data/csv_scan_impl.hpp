// synthdata/data/csv_scan_impl.hpp: bodies of data/csv_scan.hpp, compiled for several instruction sets.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/data/csv_scan.hpp>

#include <cstring>

namespace synthdata::detail::scan_words {  // eight characters in a 64-bit word
struct Block {
  std::uint64_t words[8];
  explicit Block(const char* at) { std::memcpy(words, at, 64); }
  std::uint64_t equal(char c) const {
    std::uint64_t mask = 0;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t low = 0x7f7f7f7f7f7f7f7fu;
      const std::uint64_t x = words[i] ^ 0x0101010101010101u * static_cast<unsigned char>(c);
      mask |= gather(~(((x & low) + low) | x | low)) << 8 * i;  // the high bit of a byte that is zero
    }
    return mask;
  }
  std::uint64_t high() const {
    std::uint64_t mask = 0;
    for (int i = 0; i < 8; ++i) mask |= gather(words[i] & 0x8080808080808080u) << 8 * i;
    return mask;
  }
  static std::uint64_t gather(std::uint64_t bits) { return (bits >> 7) * 0x0102040810204080u >> 56; }
};
}  // namespace synthdata::detail::scan_words

#define SYNTHDATA_SCAN_NAMESPACE scan_words
#define SYNTHDATA_SCAN_TARGET
#include <synthdata/data/csv_scan.inc.hpp>
#undef SYNTHDATA_SCAN_NAMESPACE
#undef SYNTHDATA_SCAN_TARGET

#if defined(__x86_64__) && defined(__GNUC__)
#define SYNTHDATA_SCAN_X86 1

#define SYNTHDATA_SCAN_NAMESPACE scan_avx2
#define SYNTHDATA_SCAN_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
namespace synthdata::detail::scan_avx2 {
typedef char Bytes __attribute__((vector_size(32)));
struct Block {
  Bytes low, high_half;
  SYNTHDATA_SCAN_TARGET explicit Block(const char* at) {
    std::memcpy(&low, at, 32);
    std::memcpy(&high_half, at + 32, 32);
  }
  SYNTHDATA_SCAN_TARGET static std::uint64_t mask(const Bytes& a, const Bytes& b) {
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(a)) |
           static_cast<std::uint64_t>(static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(b))) << 32;
  }
  SYNTHDATA_SCAN_TARGET std::uint64_t equal(char c) const {
    const Bytes all = Bytes{} + c;
    return mask(low == all, high_half == all);
  }
  SYNTHDATA_SCAN_TARGET std::uint64_t high() const { return mask(low, high_half); }
};
}  // namespace synthdata::detail::scan_avx2
#include <synthdata/data/csv_scan.inc.hpp>
#undef SYNTHDATA_SCAN_NAMESPACE
#undef SYNTHDATA_SCAN_TARGET

#define SYNTHDATA_SCAN_NAMESPACE scan_avx512
#define SYNTHDATA_SCAN_TARGET __attribute__((target("avx512f,avx512bw,avx2,bmi,bmi2,popcnt,lzcnt")))
namespace synthdata::detail::scan_avx512 {
typedef char Bytes __attribute__((vector_size(64)));
struct Block {
  Bytes bytes;
  SYNTHDATA_SCAN_TARGET explicit Block(const char* at) { std::memcpy(&bytes, at, 64); }
  SYNTHDATA_SCAN_TARGET std::uint64_t equal(char c) const {
    return static_cast<std::uint64_t>(__builtin_ia32_cmpb512_mask(bytes, Bytes{} + c, 0, ~0ull));
  }
  SYNTHDATA_SCAN_TARGET std::uint64_t high() const {
    return static_cast<std::uint64_t>(__builtin_ia32_cmpb512_mask(bytes, Bytes{}, 1, ~0ull));  // less than 0
  }
};
}  // namespace synthdata::detail::scan_avx512
#include <synthdata/data/csv_scan.inc.hpp>
#undef SYNTHDATA_SCAN_NAMESPACE
#undef SYNTHDATA_SCAN_TARGET
#else
#define SYNTHDATA_SCAN_X86 0
#endif

namespace synthdata::detail {

struct Scanner {
  RowCount (*count_rows)(std::string_view, char);
  FieldIndex (*index_fields)(std::string_view, CsvCharacters, std::uint32_t*);
};

SYNTHDATA_INLINE Scanner choose_scanner() {
  Scanner scanner{scan_words::count_rows, scan_words::index_fields};
#if SYNTHDATA_SCAN_X86
  using backend::cpu::Isa;
  const Isa isa = __builtin_cpu_supports("bmi2") ? backend::cpu::isa() : Isa::baseline;
  if (isa == Isa::avx2) scanner = {scan_avx2::count_rows, scan_avx2::index_fields};
  if (isa == Isa::avx512) scanner = {scan_avx512::count_rows, scan_avx512::index_fields};
#endif
  return scanner;
}
SYNTHDATA_INLINE const Scanner& scanner() {
  static const Scanner chosen = choose_scanner();
  return chosen;
}

SYNTHDATA_INLINE RowCount count_rows(std::string_view text, char quote) { return scanner().count_rows(text, quote); }
SYNTHDATA_INLINE FieldIndex index_fields(std::string_view text, CsvCharacters characters, std::uint32_t* ends) {
  return scanner().index_fields(text, characters, ends);
}

}  // namespace synthdata::detail
