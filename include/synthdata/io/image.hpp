// synthdata/io/image.hpp: reads PNG and JPEG files as tensors, and writes them.
//
// An image is [H, W, C], u8 unless said otherwise; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. PNG needs zlib only.
// JPEG needs libjpeg-turbo: link the CMake target synthdata::image, or without CMake compile
// synthdata/io/jpeg_codec.cpp into the program and link with -ljpeg. Other metadata (orientation, colour profile,
// gamma) is not applied.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <string>
#include <string_view>

namespace synthdata {

struct ImageReadOptions {
  std::int64_t channels = 0;  ///< convert to so many, 1 to 4; 0 as the file has them, a palette as RGB or RGBA
  bool as_float = false;      ///< f32 in [0, 1], which keeps all of 16 bits; else u8, 16 bits rounded to 8
  std::int64_t max_pixels = std::int64_t{1}
                            << 26;  ///< H W; memory is at most about 16 bytes a pixel, and 1040 times the file
};

/// The image in the bytes of a PNG or JPEG file; the first bytes say which it is.
/// Colours become grey by 0.299 R + 0.587 G + 0.114 B, alpha is added opaque or dropped.
/// @param name  stands for the file in messages
/// @throws DataError naming file and byte if the data are neither, corrupt, cut short or larger than the options allow;
///         Error if it is a JPEG and the program was built without synthdata::image
Tensor decode_image(std::string_view bytes, const ImageReadOptions& options = {}, const std::string& name = "image");
/// The same from a file. @throws DataError, also if it cannot be read
Tensor read_image(const std::string& path, const ImageReadOptions& options = {});

/// The bytes of a JPEG file. @param image  u8 [H, W, 1 or 3], at most 65500 pixels wide and high; quality 1 ... 100
/// @throws ShapeError, DTypeError, NumericError; Error if the program was built without synthdata::image
std::string encode_jpeg(const Tensor& image, int quality = 90);
/// The bytes of a PNG file of 16 bits a channel. @param image  f32 [H, W, 1 to 4] in [0, 1]; beyond is clamped, NaN is
/// 0
std::string encode_png16(const Tensor& image);

/// Writes u8 [H, W, C] atomically as .png, or as .jpg or .jpeg of quality 90, by the end of the name.
/// @throws DataError for another name, or if it cannot be written; as encode_png and encode_jpeg
void write_image(const std::string& path, const Tensor& image);

/// True for names that end in .png, .jpg or .jpeg, in any case.
bool has_image_name(std::string_view name);

namespace detail {
/// What io/jpeg_codec.cpp brings into a program. Decoding gives u8 [H, W, 1 or 3].
struct JpegCodec {
  Tensor (*decode)(std::string_view bytes, std::int64_t max_pixels, const std::string& name) = nullptr;
  std::string (*encode)(const Tensor& image, int quality) = nullptr;
};
JpegCodec& jpeg_codec();
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/image_impl.hpp>
#endif
