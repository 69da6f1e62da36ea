// tests/fuzz/npy_fuzz.cpp: any bytes are either an array or an archive of arrays, or a DataError.
//
// The first byte chooses NPY or NPZ, the rest is the file. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/npy.hpp>
#include <synthdata/io/npz.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthdata;
  if (size == 0) return 0;
  const std::string path = memory_file(data + 1, size - 1);
  constexpr std::int64_t most = 1 << 24;
  try {
    if ((data[0] & 1) != 0) {
      std::int64_t bytes = 0;
      for (const NamedTensor& tensor : read_npz(path, most).tensors) bytes += tensor.tensor.size_bytes();
      if (bytes > most) std::abort();
    } else if (read_npy(path).size_bytes() >= static_cast<std::int64_t>(size)) {
      std::abort();
    }
  } catch (const DataError&) {
  }
  return 0;
}
