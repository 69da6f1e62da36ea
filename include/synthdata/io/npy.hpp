// synthdata/io/npy.hpp: one tensor in NumPy's .npy format, to hand samples to Python and take arrays from it.
//
// Written as version 1.0, little-endian, C order; read in versions 1 to 3.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <string>

namespace synthdata {

/// Writes a tensor of any dtype, atomically. @throws DataError if it cannot be written.
void write_npy(const std::string& path, const Tensor& tensor);

/// Reads what numpy.save() wrote.
/// @throws DataError naming file and byte for a header that breaks the format, a size that is not the file's, and what
/// a
///         Tensor cannot hold: Fortran order, big-endian numbers, objects, other types, more than six axes.
Tensor read_npy(const std::string& path);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/npy_impl.hpp>
#endif
