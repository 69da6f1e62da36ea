// tests/fuzz/table_cache_fuzz.cpp: any bytes are either a table cache whose every cell can be read, or a DataError.
//
// Sums are not compared here, or no changed byte would get further: what is inside must be harmless even so. Run by
// scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#define FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#include <synthdata/data/table_cache.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using namespace synthdata;

namespace {

void read_all_cells(const std::string& path) {
  const TableCache cache(path);
  std::size_t length = 0;
  std::vector<std::int64_t> last;
  for (std::int64_t i = 0; i < cache.groups(); ++i) {
    const Table table = cache.group(i);
    for (const Column& column : table.columns()) {
      for (std::int64_t row = 0; row < table.size(); ++row) length += column.cell(row).size();
    }
    last.push_back(cache.size() - 1 - i % cache.size());
  }
  const Table some = cache.take(last);
  if (some.size() != static_cast<std::int64_t>(last.size())) std::abort();
  for (std::size_t i = 0; i < last.size(); ++i) {
    const Table row = cache.rows(last[i], last[i] + 1);
    for (std::size_t c = 0; c < some.columns().size(); ++c) {
      if (row[c].cell(0) != some[c].cell(static_cast<std::int64_t>(i))) {
        std::fprintf(stderr, "take() and rows() differ in row %lld\n", static_cast<long long>(last[i]));
        std::abort();
      }
    }
  }
  static volatile std::size_t sink;
  sink = length;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string path = concat("/tmp/table_cache_fuzz-", static_cast<int>(::getpid()));
  static const bool removes = std::atexit([] { std::remove(path.c_str()); }) == 0;
  static_cast<void>(removes);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file || std::fwrite(data, 1, size, file) != size) std::abort();
  std::fclose(file);
  try {
    read_all_cells(path);
  } catch (const DataError&) {  // as it should be
  }
  return 0;
}
