// synthdata/io/mapped_tensor_impl.hpp: bodies of io/mapped_tensor.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/idx_impl.hpp>
#include <synthdata/io/mapped_tensor.hpp>
#include <synthdata/io/npy_impl.hpp>

namespace synthdata {
namespace detail {

/// `shape` at `offset` of the file, which must be that long.
SYNTHDATA_INLINE Tensor map_elements(MappedFile file, std::int64_t offset, const Shape& shape, DType dtype) {
  const auto unit = static_cast<std::int64_t>(size_of(dtype));
  if (offset % unit != 0) {
    throw_data_at(file.path(), offset,
                  concat("elements of ", unit, " bytes that begin here are not aligned, so they cannot be mapped"));
  }
  if (shape.size() == 0) return Tensor::empty(shape, dtype, Device::cpu());  // an empty file has no map
  const auto size = static_cast<std::int64_t>(file.bytes().size());
  if (offset > size || shape.size() > (size - offset) / unit) {  // also: it was cut since its header was read
    throw_data_at(file.path(), offset, concat(shape, " ", dtype, " is expected here, the file has ", size, " bytes"));
  }
  char* at = file.data() + offset;
  return Tensor::over(at, shape, dtype, std::move(file));
}

}  // namespace detail

SYNTHDATA_INLINE Tensor map_npy(const std::string& path) {
  const detail::NpyLayout layout = detail::npy_layout(InputFile(path));
  Tensor tensor = detail::map_elements(MappedFile(path, true), layout.data_start, layout.shape, layout.dtype);
  detail::check_npy_bools(path, layout, tensor.bytes());
  return tensor;
}

SYNTHDATA_INLINE Tensor map_idx(const std::string& path) {
  MappedFile map(path, true);
  if (map.bytes().starts_with("\x1f\x8b")) {
    throw DataError(concat(path, ": is compressed, so it cannot be mapped; unpack it, or use read_idx"));
  }
  UnpackedFile file(path);
  const detail::IdxHeader header = detail::read_idx_header(file, std::int64_t{1} << 62);
  if (header.dtype != DType::u8) {
    throw DataError(concat(path, ": holds numbers of ", header.stored, " bytes (type ", header.code,
                           "); expects u8, only that can be mapped; use read_idx"));
  }
  if (const std::int64_t left = file.bound() - file.position(); left != header.bytes) {
    detail::throw_data_at(path, file.position() + header.bytes,
                          concat("IDX: the data of ", header.shape, " end here, but bytes follow"));
  }
  return detail::map_elements(std::move(map), file.position(), header.shape, header.dtype);
}

SYNTHDATA_INLINE Tensor map_raw(const std::string& path, std::span<const std::int64_t> shape, DType dtype,
                                std::int64_t offset) {
  MappedFile file(path, true);
  const auto size = static_cast<std::int64_t>(file.bytes().size());
  if (offset < 0 || offset > size) {
    throw DataError(concat(path, ": expects an offset in 0 ... ", size, ", the size of the file, got ", offset));
  }
  Shape full;
  int open = -1;
  for (const std::int64_t extent : shape) {
    if (extent == -1 && open < 0) open = full.rank();
    full.push_back(extent == -1 && open == full.rank() ? 1 : extent);
  }
  if (open >= 0) {
    std::int64_t row = 0;
    if (__builtin_mul_overflow(full.size(), static_cast<std::int64_t>(size_of(dtype)), &row) || row == 0 ||
        (size - offset) % row != 0) {
      throw DataError(concat(path, ": the ", size - offset, " bytes from ", offset,
                             " on are not a whole number of times ", full, " ", dtype));
    }
    full[open] = (size - offset) / row;
  }
  Tensor tensor = detail::map_elements(std::move(file), offset, full, dtype);
  detail::check_npy_bools(path, {dtype, full, offset, tensor.size_bytes()}, tensor.bytes());
  return tensor;
}

}  // namespace synthdata
