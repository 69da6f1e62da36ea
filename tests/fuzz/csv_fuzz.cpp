// tests/fuzz/csv_fuzz.cpp: any bytes are either a table, which written and read again is the same, or a DataError.
//
// The first byte chooses options, the rest is the file. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>

#include "stop.hpp"

#include <cstring>

using namespace synthdata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  CsvOptions options;
  std::vector<RaggedRow> ragged;
  options.max_row_bytes = 1 << 16;
  options.max_columns = 64;
  options.max_categories = 8;
  if (data[0] & 1) options.comment = '#';
  if (data[0] & 2) options.ragged = &ragged;
  if (data[0] & 4) options.header = true;
  if (data[0] & 8) options.encoding = data[0] & 16 ? Encoding::latin1 : Encoding::utf16le;
  if (data[0] & 32) options.delimiter = ';';
  if (data[0] & 64) options.day_first = true;
  // a copy of its own, so that a read beyond either end is noticed
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Table table;
  try {
    table = parse_csv(text, options);
  } catch (const DataError&) {
    return 0;
  }
  // What we write has no comments, ragged rows or other encodings; what was blank may have been a comment's row.
  for (const Column& column : table.columns()) {
    for (std::int64_t row = 0; row < table.size(); ++row) {
      if (options.comment != 0 && column.cell(row).starts_with('#')) return 0;
    }
    if (column.name().starts_with('#') || column.name().find('\0') != std::string::npos) return 0;
  }
  CsvOptions again;
  again.max_columns = options.max_columns;
  again.max_categories = options.max_categories;
  again.delimiter = ',';
  again.header = true;
  again.day_first = options.day_first;
  const std::string written = format_csv(table);
  const Table read = parse_csv(written, again);
  if (!(read == table)) stop("read, written and read again, this is another table:", written);
  if (format_csv(read) != written) stop("written twice, this differs:", written);
  return 0;
}
