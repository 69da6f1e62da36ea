// tests/fuzz/xml_fuzz.cpp: any bytes are either a table, which written and read again is the same, or a DataError.
//
// The first byte chooses options, the rest is the file. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/xml_table.hpp>

#include "stop.hpp"

using namespace synthdata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  RecordOptions options;
  options.nested_as_text = (data[0] & 2) != 0;
  options.day_first = (data[0] & 4) != 0;
  options.max_record_bytes = 1 << 16;
  options.max_columns = 64;
  options.max_categories = 8;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Table table;
  try {
    table = parse_xml(text, (data[0] & 1) != 0 ? "row" : "", options);
  } catch (const DataError&) {
    return 0;
  }
  const std::string written = format_xml(table);
  const Table read = parse_xml(written, {}, options);
  if (!(read == table)) stop("read, written and read again, this is another table:", written);
  if (format_xml(read) != written) stop("written twice, this differs:", written);
  return 0;
}
