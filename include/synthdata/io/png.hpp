// synthdata/io/png.hpp: pictures of samples. Turns tensors into 8-bit images, tiles them and writes PNG.
//
// Needs zlib only. One image is [H, W, C] u8, a batch [N, H, W, C]; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <string>
#include <string_view>

namespace synthdata {

/// Maps [low, high] to 0 ... 255, rounded; what is beyond is clamped, NaN becomes 0. Any shape.
/// @param x  f32 or f64; u8 is returned as it is
/// @throws NumericError unless low < high; DTypeError for other dtypes
Tensor to_image_u8(const Tensor& x, double low = -1.0, double high = 1.0);

/// How image_grid() lays images out.
struct GridOptions {
  std::int64_t padding = 2;      ///< pixels between images and around them
  std::int64_t scale = 1;        ///< each pixel becomes a square of scale x scale
  std::uint8_t background = 64;  ///< value of the padding and of empty places; dark grey tells it from black images
};

/// Tiles images row by row.
/// @param images   u8 [N, H, W, C], N >= 1
/// @param columns  images in a row; 0 makes the grid about square
/// @return         u8 [rows (H scale + padding) + padding, columns (W scale + padding) + padding, C]
/// @throws ShapeError, DTypeError; NumericError for options out of range
Tensor image_grid(const Tensor& images, std::int64_t columns = 0, const GridOptions& options = {});

/// The bytes of a PNG file. @param image  u8 [H, W, C], no extent 0. @throws ShapeError, DTypeError
std::string encode_png(const Tensor& image);

/// Writes an image atomically, missing folders too. @throws ShapeError, DTypeError; DataError if it cannot be written
void write_png(const std::string& path, const Tensor& image);

/// A file name that sorts by step: numbered("grid", 500, ".png") is "grid_000500.png".
std::string numbered(std::string_view name, std::int64_t step, std::string_view extension);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/png_impl.hpp>
#endif
