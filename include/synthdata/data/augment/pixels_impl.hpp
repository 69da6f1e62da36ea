// synthdata/data/augment/pixels_impl.hpp: body of data/augment/pixels.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/pixels.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE void check_pixels(const char* op, const Tensor& image) {
  if (image.rank() != 3 || image.size() == 0) {
    throw_shape(op, "expects an image [H, W, C] of at least one value", {{"image", image}});
  }
  if (image.dtype() != DType::u8 && image.dtype() != DType::f32) {
    throw DTypeError(concat(op, ": expects an image of u8 or f32, got ", image.str()));
  }
}

/// to[i] = the same value of another dtype, i < n.
template <class From, class To>
struct ConvertPixels {
  SYNTHDATA_HD void operator()(const From* from, To* to, std::int64_t n) const {
    using backend::cpu::for_block;
    backend::cpu::for_blocks(n, [=](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        if constexpr (sizeof(To) == 1) {
          to[b + j] = nearest_byte(from[b + j]);
        } else {
          to[b + j] = static_cast<To>(from[b + j]);
        }
      });
    });
  }
};

SYNTHDATA_INLINE Tensor float_pixels(const Tensor& image) {
  if (image.dtype() == DType::f32) return image;
  Tensor out = Tensor::empty(image.shape(), DType::f32, Device::cpu());
  backend::cpu::run<float>(ConvertPixels<std::uint8_t, float>{}, image.data<std::uint8_t>(), out.data<float>(),
                           image.size());
  return out;
}

SYNTHDATA_INLINE Tensor pixels_as(const Tensor& values, DType dtype) {
  if (dtype == DType::f32) return values;
  Tensor out = Tensor::empty(values.shape(), DType::u8, Device::cpu());
  backend::cpu::run<float>(ConvertPixels<float, std::uint8_t>{}, values.data<float>(), out.data<std::uint8_t>(),
                           out.size());
  return out;
}

}  // namespace synthdata::detail
