// synthdata/io/idx_impl.hpp: bodies of io/idx.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/gzip.hpp>
#include <synthdata/io/idx.hpp>

#include <algorithm>
#include <bit>

namespace synthdata {

static_assert(std::endian::native == std::endian::little, "IDX is big-endian and is swapped here");

namespace detail {

/// Reverses the bytes of each element.
SYNTHDATA_INLINE void swap_elements(void* data, std::int64_t count, std::size_t element_size) {
  auto* bytes = static_cast<unsigned char*>(data);
  if (element_size == 1) return;
  for (std::int64_t i = 0; i < count; ++i, bytes += element_size) std::reverse(bytes, bytes + element_size);
}

SYNTHDATA_INLINE std::int64_t big_endian_32(const unsigned char* bytes) {
  return std::int64_t{bytes[0]} << 24 | std::int64_t{bytes[1]} << 16 | std::int64_t{bytes[2]} << 8 | bytes[3];
}

/// How a type byte of IDX is stored in the file and in a Tensor; `stored` 0 means that there is no such type.
struct IdxType {
  DType dtype;
  std::size_t stored;
};
SYNTHDATA_INLINE IdxType idx_type(int code) {
  switch (code) {
    case 0x08:
      return {DType::u8, 1};
    case 0x09:
      return {DType::i32, 1};
    case 0x0b:
      return {DType::i32, 2};
    case 0x0c:
      return {DType::i32, 4};
    case 0x0d:
      return {DType::f32, 4};
    case 0x0e:
      return {DType::f64, 8};
    default:
      return {DType::u8, 0};
  }
}

/// Widens i8 or i16, which fill the front of `tensor`, to its i32. From the back, so that none is overwritten unread.
template <class Narrow>
void widen_in_place(Tensor& tensor) {
  std::int32_t* const out = tensor.data<std::int32_t>();
  for (std::int64_t i = tensor.size() - 1; i >= 0; --i) {
    Narrow value = 0;
    std::memcpy(&value, static_cast<const char*>(tensor.bytes()) + i * static_cast<std::int64_t>(sizeof value),
                sizeof value);
    out[i] = value;
  }
}

/// What an IDX file says about its data, which follow.
struct IdxHeader {
  DType dtype;
  int code;
  std::size_t stored;  // bytes of an element in the file
  Shape shape;
  std::int64_t bytes;
};

SYNTHDATA_INLINE IdxHeader read_idx_header(UnpackedFile& file, std::int64_t max_bytes) {
  const std::string& path = file.path();
  unsigned char magic[4] = {};
  file.read(magic, 4, "magic number");
  const IdxType type = idx_type(magic[2]);
  if (magic[0] != 0 || magic[1] != 0 || type.stored == 0) {
    throw_data_at(path, 0,
                  concat("IDX: expects the bytes 0, 0, a type of 8 9 11 12 13 14, the axes; got ", int{magic[0]}, ", ",
                         int{magic[1]}, ", ", int{magic[2]}, ", ", int{magic[3]}));
  }
  if (magic[3] < 1 || magic[3] > Shape::max_rank) {
    throw_data_at(path, 3, concat("IDX: expects 1 to ", Shape::max_rank, " axes, got ", int{magic[3]}));
  }
  unsigned char extents[4 * Shape::max_rank] = {};
  file.read(extents, 4 * magic[3], "extents");
  Shape shape;
  for (int axis = 0; axis < magic[3]; ++axis) shape.push_back(big_endian_32(extents + 4 * axis));
  std::int64_t count = 0, stored_bytes = 0;
  // Before memory is taken: a gzip file cannot hold more than about a thousand times its size.
  if (!shape.count(count) || __builtin_mul_overflow(count, static_cast<std::int64_t>(type.stored), &stored_bytes) ||
      stored_bytes > std::min(max_bytes, file.bound() - file.position())) {
    throw_data_at(path, 4,
                  concat("IDX: extents ", shape, " claim more data than the file holds (at most ",
                         file.bound() - file.position(), " bytes) or is accepted (", max_bytes, ")"));
  }
  return {type.dtype, magic[2], type.stored, shape, stored_bytes};
}

}  // namespace detail

SYNTHDATA_INLINE Tensor read_idx(const std::string& path, std::int64_t max_bytes) {
  UnpackedFile file(path);
  const detail::IdxHeader header = detail::read_idx_header(file, max_bytes);
  Tensor tensor = Tensor::empty(header.shape, header.dtype, Device::cpu());
  file.read(tensor.bytes(), header.bytes, "data");
  unsigned char extra = 0;
  if (file.read_some(&extra, 1) != 0) {
    detail::throw_data_at(path, file.position() - 1,
                          concat("IDX: the data of ", header.shape, " end here, but bytes follow"));
  }
  detail::swap_elements(tensor.bytes(), tensor.size(), header.stored);
  if (header.code == 0x09) detail::widen_in_place<std::int8_t>(tensor);
  if (header.code == 0x0b) detail::widen_in_place<std::int16_t>(tensor);
  return tensor;
}

SYNTHDATA_INLINE void write_idx(const std::string& path, const Tensor& tensor) {
  const DType dtype = tensor.dtype();
  const char code = dtype == DType::u8    ? '\x08'
                    : dtype == DType::i32 ? '\x0c'
                    : dtype == DType::f32 ? '\x0d'
                    : dtype == DType::f64 ? '\x0e'
                                          : '\0';
  if (code == '\0') throw DTypeError(concat("write_idx: expects u8, i32, f32 or f64, got ", tensor.str()));
  const auto fits = [](std::int64_t extent) { return extent <= 0xffffffff; };
  if (tensor.rank() == 0 || !std::all_of(tensor.shape().begin(), tensor.shape().end(), fits)) {
    throw ShapeError(concat("write_idx: expects at least one axis and extents below 2^32, got ", tensor.str()));
  }
  std::string head = {0, 0, code, static_cast<char>(tensor.rank())};
  for (const std::int64_t extent : tensor.shape()) {
    for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(static_cast<unsigned char>(extent >> shift));
  }
  Tensor data = tensor;
  if (size_of(dtype) > 1) {
    data = tensor.clone();
    detail::swap_elements(data.bytes(), data.size(), size_of(dtype));
  }
  const std::string_view bytes(static_cast<const char*>(data.bytes()), static_cast<std::size_t>(data.size_bytes()));
  AtomicFile file(path);
  if (path.ends_with(".gz")) {
    file.write(gzip(head.append(bytes)));
  } else {
    file.write(head);
    file.write(bytes);
  }
  file.commit();
}

}  // namespace synthdata
