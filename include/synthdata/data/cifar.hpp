// synthdata/data/cifar.hpp: CIFAR-10's binary files: a byte of label, then 32 x 32 red, green and blue planes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/in_memory.hpp>

namespace synthdata {

/// Images [32, 32, 3] in [-1, 1] with labels 0 ... 9. Source: Krizhevsky 2009, "Learning Multiple Layers of Features
/// from Tiny Images".
/// @param path  one file, plain or .gz, or a folder with data_batch_1.bin ... data_batch_5.bin, as many as there are
///              (test_batch.bin for Split::test), each plain or .gz
/// @throws DataError naming file and record if one is missing, cut short or has a label above 9.
TensorDataset images_from_cifar(const std::string& path, Split split = Split::train);

/// Writes one such file, packed where the name ends in .gz.
/// @param images  u8 [N, 32, 32, 3]
/// @param labels  [N] of 0 ... 9, any integer dtype
/// @throws ShapeError, DTypeError; DataError for another label or if the file cannot be written.
void write_cifar(const std::string& path, const Tensor& images, const Tensor& labels);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/cifar_impl.hpp>
#endif
