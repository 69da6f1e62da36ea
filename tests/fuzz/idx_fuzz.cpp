// tests/fuzz/idx_fuzz.cpp: any bytes are either an IDX file, plain or packed, or a DataError. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/idx.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthdata;
  constexpr std::int64_t most = 1 << 24;
  try {
    // elements of one byte and two are widened to four
    if (read_idx(memory_file(data, size), most).size_bytes() > 4 * most) std::abort();
  } catch (const DataError&) {
  }
  return 0;
}
