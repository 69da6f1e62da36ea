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

}  // namespace synthdata::detail
