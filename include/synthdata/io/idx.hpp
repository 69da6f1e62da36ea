// synthdata/io/idx.hpp: the IDX format of MNIST, plain or gzip-compressed.
//
// Two zero bytes, a type byte, the number of axes, one big-endian 32-bit extent an axis, then the elements, big-endian
// and row-major. Types: u8, i32, f32, f64; i8 and i16 are read as i32, since a Tensor has neither.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>
#include <synthdata/io/file.hpp>

#include <string>

namespace synthdata {

/// Reads an IDX file; its content, not its name, tells whether it is compressed.
/// @return  images as [N, H, W] u8, labels as [N] u8; other shapes and types as the file has them
/// @throws DataError naming file and (unpacked) byte: a wrong magic number, a type or number of axes a Tensor cannot
/// hold,
///         extents that the file cannot contain or beyond `max_bytes`, an end too early or bytes too many.
Tensor read_idx(const std::string& path, std::int64_t max_bytes = default_max_bytes);

/// Writes a tensor of dtype u8, i32, f32 or f64 with one to six axes, atomically; compressed if the name ends in ".gz".
/// @throws DTypeError, ShapeError  for tensors that the format cannot hold
/// @throws DataError               if the file cannot be written
void write_idx(const std::string& path, const Tensor& tensor);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/idx_impl.hpp>
#endif
