// synthdata/io/mapped_tensor.hpp: files of numbers as tensors without reading them: the system reads what is touched.
//
// The tensor owns the map, which lasts as long as anything shares its elements. A program may write to such a tensor;
// what it changes is its own copy, and the file stays as it is. Sizes are checked when the file is opened. A file
// that is cut short afterwards, in place, stops the program when the lost part is read (SIGBUS), as for any
// mapped file; so replace files by renaming new ones over them, which does no harm.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>
#include <synthdata/io/mapped_file.hpp>

namespace synthdata {

/// The array of an NPY file, as read_npy gives it. @throws DataError as read_npy, and where the elements are not
/// aligned.
Tensor map_npy(const std::string& path);

/// The data of a plain IDX file of u8 or with one byte a number, such as the images and labels of MNIST.
/// @throws DataError as read_idx; for a .gz, which must be unpacked first; and for wider numbers, which IDX stores in
/// an order of bytes that is not this machine's.
Tensor map_idx(const std::string& path);

/// Bytes from `offset` on as row-major numbers of this machine. One extent may be -1: what the size of the file leaves.
/// @throws DataError if the file is too short, or its size does not fit where an extent is -1; or if `offset` is not
/// aligned as the dtype wants. Bytes behind the last row of a shape that is given in full are passed over.
Tensor map_raw(const std::string& path, std::span<const std::int64_t> shape, DType dtype, std::int64_t offset = 0);
inline Tensor map_raw(const std::string& path, std::initializer_list<std::int64_t> shape, DType dtype,
                      std::int64_t offset = 0) {
  return map_raw(path, std::span(shape.begin(), shape.size()), dtype, offset);
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/mapped_tensor_impl.hpp>
#endif
