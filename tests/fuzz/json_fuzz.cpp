// tests/fuzz/json_fuzz.cpp: any bytes are either a table, which written and read again is the same, or a DataError.
//
// The first byte chooses JSON or JSON Lines and options, the rest is the file. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/json_table.hpp>

#include "stop.hpp"

using namespace synthdata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool lines = (data[0] & 1) != 0;
  RecordOptions options;
  options.nested_as_text = (data[0] & 2) != 0;
  options.day_first = (data[0] & 4) != 0;
  options.max_record_bytes = 1 << 16;
  options.max_columns = 64;
  options.max_categories = 8;
  if ((data[0] & 8) != 0) options.missing = {"", "?"};
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Table table;
  try {
    table = lines ? parse_jsonl(text, options) : parse_json_table(text, options);
  } catch (const DataError&) {
    return 0;
  }
  if (options.missing) return 0;  // texts that mean a missing value are not told from null again
  const std::string written = lines ? format_jsonl(table) : format_json(table);
  const Table read = lines ? parse_jsonl(written, options) : parse_json_table(written, options);
  if (!(read == table)) stop("read, written and read again, this is another table:", written);
  if ((lines ? format_jsonl(read) : format_json(read)) != written) stop("written twice, this differs:", written);
  return 0;
}
