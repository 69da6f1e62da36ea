// synthdata/data/adaptors_impl.hpp: bodies of data/adaptors.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/adaptors.hpp>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE void check_random_flip(float probability) {
  if (!(probability >= 0.0f && probability <= 1.0f)) {
    throw NumericError(concat("random_flip: expects a probability in [0, 1], got ", probability));
  }
}

SYNTHDATA_INLINE void check_scale(ValueRange from) {
  if (!(from.low < from.high)) {
    throw NumericError(concat("scale: expects a range with low < high, got [", from.low, ", ", from.high, "]"));
  }
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_sample_index(const char* where, std::int64_t index, std::int64_t size) {
  throw DataError(concat(where, ": sample ", index, " is out of range, there are ", size));
}

/// @throws DTypeError unless x is u8 or f32.
SYNTHDATA_INLINE Tensor scale_sample(const Tensor& x, ValueRange from, ValueRange to) {
  if (x.dtype() != DType::u8 && x.dtype() != DType::f32) {
    throw DTypeError(concat("scale: expects u8 or f32 samples, got ", x.str()));
  }
  Tensor out = Tensor::empty(x.shape(), DType::f32, Device::cpu());
  float* y = out.data<float>();
  const double width = static_cast<double>(from.high) - from.low;
  visit_dtype(x.dtype(), [&]<class T>() {
    const T* p = x.data<T>();
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const double t = (static_cast<double>(p[i]) - from.low) / width;
      y[i] = static_cast<float>(t * to.high + (1.0 - t) * to.low);  // exact at both ends
    }
  });
  return out;
}

/// Reverses the pixels of each row. `pixel` is their size in bytes; as a constant it makes the copy one instruction.
template <class Size>
void mirror_rows(const std::byte* from, std::byte* to, std::int64_t rows, std::int64_t columns, Size pixel) {
  for (std::int64_t row = 0; row < rows; ++row, from += columns * pixel, to += columns * pixel) {
    for (std::int64_t column = 0; column < columns; ++column) {
      std::memcpy(to + column * pixel, from + (columns - 1 - column) * pixel, static_cast<std::size_t>(pixel));
    }
  }
}

SYNTHDATA_INLINE Tensor mirror_columns(const Tensor& image) {
  if (image.rank() < 2) {
    throw ShapeError(concat("random_flip: expects images [..., W, C], got ", image.str()));
  }
  Tensor out = Tensor::empty(image.shape(), image.dtype(), Device::cpu());
  if (image.size() == 0) return out;
  const std::int64_t columns = image.shape(-2);
  const std::int64_t pixel = image.shape(-1) * static_cast<std::int64_t>(size_of(image.dtype()));
  const std::int64_t rows = image.size_bytes() / (columns * pixel);
  const auto* from = static_cast<const std::byte*>(image.bytes());
  auto* to = static_cast<std::byte*>(out.bytes());
  switch (pixel) {  // one or three channels of u8 or f32
    case 1:
      mirror_rows(from, to, rows, columns, std::integral_constant<std::int64_t, 1>());
      break;
    case 3:
      mirror_rows(from, to, rows, columns, std::integral_constant<std::int64_t, 3>());
      break;
    case 4:
      mirror_rows(from, to, rows, columns, std::integral_constant<std::int64_t, 4>());
      break;
    case 12:
      mirror_rows(from, to, rows, columns, std::integral_constant<std::int64_t, 12>());
      break;
    default:
      mirror_rows(from, to, rows, columns, pixel);
  }
  return out;
}

}  // namespace detail
}  // namespace synthdata
