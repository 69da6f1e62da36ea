// synthdata/data/csv_scan.hpp: finds fields and rows in CSV text, 64 characters at a time.
//
// A character is inside quotes if the number of quotes before it is odd; doubled quotes fall out of that by themselves.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <cstdint>
#include <string_view>

namespace synthdata::detail {

struct CsvCharacters {
  char delimiter = ',';
  char quote = '"';  ///< 0: none
};

/// Where rows end in a piece of text, for either state of the quotes at its start: [0] outside, [1] inside.
struct RowCount {
  std::int64_t newlines[2] = {0, 0};  ///< that end a row
  std::int64_t first[2] = {-1, -1};   ///< offset of the first of them
  std::int64_t last[2] = {-1, -1};    ///< and of the last
  bool odd = false;                   ///< the number of quotes
};
RowCount count_rows(std::string_view text, char quote);

/// What was met beside the fields.
struct FieldIndex {
  std::int64_t fields = 0, rows = 0;  ///< ends of fields, and how many of them are newlines
  bool quotes = false, open = false;  ///< any quote; the text ends inside quotes
  bool ascii = true, zero_byte = false;
};
/// Writes the offset of each delimiter and newline outside quotes. `ends` has room for text.size() of them.
/// @param text  starts at a row, less than 2^32 bytes
FieldIndex index_fields(std::string_view text, CsvCharacters characters, std::uint32_t* ends);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/csv_scan_impl.hpp>
#endif
