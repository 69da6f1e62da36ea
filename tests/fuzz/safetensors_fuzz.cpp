// tests/fuzz/safetensors_fuzz.cpp: any bytes are either an archive no larger than they are, or a DataError. Run by
// scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/safetensors.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthdata;
  try {
    std::int64_t bytes = 0;
    for (const NamedTensor& tensor : load_safetensors(memory_file(data, size)).tensors) {
      bytes += tensor.tensor.size_bytes();
    }
    if (bytes > static_cast<std::int64_t>(size)) std::abort();
  } catch (const DataError&) {
  }
  return 0;
}
