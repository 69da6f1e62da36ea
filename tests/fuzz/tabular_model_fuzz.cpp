// tests/fuzz/tabular_model_fuzz.cpp: any bytes are either a model of tables, which makes rows, or a DataError; weights
// that are no numbers may be found only then. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/tabular/any_tabular_model.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthdata;
  try {
    const models::AnyTabularModel model = models::load_tabular_model(memory_file(data, size));
    try {
      static_cast<void>(model.sample(2).head(2));
    } catch (const NumericError&) {
    }
  } catch (const DataError&) {
  }
  return 0;
}
