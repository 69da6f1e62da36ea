// synthdata/data/digits.hpp: the 8x8 UCI handwritten digits that ship in examples/data/digits.csv.gz.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/in_memory.hpp>

namespace synthdata {

/// Reads a CSV file, plain or .gz, without header: per row 64 pixels of 0 ... 16, then the label 0 ... 9.
/// Source: Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", doi 10.24432/C50P49.
/// @return  samples [8, 8, 1] in [-1, 1] with labels; 1797 of them in the shipped file
/// @throws DataError naming file, row and column (both from 1) of what does not fit; or if the file cannot be read.
TensorDataset read_digits(const std::string& path);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/digits_impl.hpp>
#endif
