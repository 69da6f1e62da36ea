// synthdata/data/csv_scan.inc.hpp: the two loops over CSV text, one text for every instruction set.
//
// Included by csv_scan_impl.hpp once per instruction set, which is why it has no include guard. The includer defines
//   SYNTHDATA_SCAN_NAMESPACE  namespace of this copy, which holds a Block: 64 characters with equal(c) and high(),
//   masks
//                             of the characters that are c, and of those that are not ASCII
//   SYNTHDATA_SCAN_TARGET     its target attribute
//
// SPDX-License-Identifier: MIT

namespace synthdata::detail::SYNTHDATA_SCAN_NAMESPACE {

/// Bit i of the result is the parity of bits 0 ... i.
inline std::uint64_t parity_so_far(std::uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

/// The 64 characters at `at`; beyond the end of the text, zeros that `there` leaves out.
SYNTHDATA_SCAN_TARGET inline Block block_at(std::string_view text, std::size_t at, std::uint64_t& there) {
  const std::size_t left = text.size() - at;
  there = ~std::uint64_t{0};
  if (left >= 64) [[likely]]
    return Block(text.data() + at);
  char padded[64] = {};
  std::memcpy(padded, text.data() + at, left);
  there = (std::uint64_t{1} << left) - 1;
  return Block(padded);
}

SYNTHDATA_SCAN_TARGET inline RowCount count_rows(std::string_view text, char quote) {
  RowCount count;
  std::uint64_t inside = 0;  // all ones inside quotes
  for (std::size_t at = 0; at < text.size(); at += 64) {
    std::uint64_t there = 0;
    const Block block = block_at(text, at, there);
    const std::uint64_t quotes = quote ? block.equal(quote) & there : 0, newlines = block.equal('\n');
    const std::uint64_t quoted = quotes ? parity_so_far(quotes) ^ inside : inside;
    if (quotes) inside = quoted >> 63 ? ~std::uint64_t{0} : 0;
    for (const int start : {0, 1}) {
      const std::uint64_t ends = newlines & (start ? quoted : ~quoted);
      if (ends == 0) continue;
      if (count.newlines[start] == 0) count.first[start] = static_cast<std::int64_t>(at) + __builtin_ctzll(ends);
      count.newlines[start] += __builtin_popcountll(ends);
      count.last[start] = static_cast<std::int64_t>(at) + 63 - __builtin_clzll(ends);
    }
  }
  count.odd = inside != 0;
  return count;
}

SYNTHDATA_SCAN_TARGET inline FieldIndex index_fields(std::string_view text, CsvCharacters characters,
                                                     std::uint32_t* ends) {
  FieldIndex index;
  std::uint64_t inside = 0, high = 0, zeros = 0, any_quote = 0;
  std::uint32_t* out = ends;
  for (std::size_t at = 0; at < text.size(); at += 64) {
    std::uint64_t there = 0;
    const Block block = block_at(text, at, there);
    const std::uint64_t quotes = characters.quote ? block.equal(characters.quote) & there : 0;
    std::uint64_t newlines = block.equal('\n'), found = (block.equal(characters.delimiter) & there) | newlines;
    high |= block.high();
    zeros |= block.equal('\0') & there;
    if ((quotes | inside) != 0) {
      const std::uint64_t quoted = parity_so_far(quotes) ^ inside;
      inside = quoted >> 63 ? ~std::uint64_t{0} : 0;
      any_quote |= quotes;
      newlines &= ~quoted;
      found &= ~quoted;
    }
    index.rows += __builtin_popcountll(newlines);
    for (; found != 0; found &= found - 1) {
      *out++ = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(__builtin_ctzll(found));
    }
  }
  index.fields = out - ends;
  index.quotes = any_quote != 0;
  index.open = inside != 0;
  index.ascii = high == 0;
  index.zero_byte = zeros != 0;
  return index;
}

}  // namespace synthdata::detail::SYNTHDATA_SCAN_NAMESPACE
