// synthdata/io/png_impl.hpp: bodies of io/png.hpp, with a PNG writer over zlib.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/gzip.hpp>
#include <synthdata/io/png.hpp>

#include <zlib.h>

#include <algorithm>
#include <cmath>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE void append_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<unsigned char>(value >> shift));
}

/// Length, type, data and the checksum of type and data.
SYNTHDATA_INLINE void append_png_chunk(std::string& out, std::string_view type, std::string_view data) {
  append_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.append(type).append(data);
  append_big_endian(out, static_cast<std::uint32_t>(::crc32_z(
                             0, reinterpret_cast<const unsigned char*>(out.data() + start), out.size() - start)));
}

/// Appends one row, filtered by the difference to the left, to the row above or not at all: by the rule of thumb of the
/// PNG specification, the one whose bytes, taken as signed, have the smallest sum of magnitudes.
SYNTHDATA_INLINE void append_png_row(std::string& out, const unsigned char* row, const unsigned char* above,
                                     std::int64_t bytes, std::int64_t channels) {
  const auto filtered = [&](int filter, std::int64_t i) {
    const int before = filter == 1 && i >= channels ? row[i - channels] : filter == 2 && above ? above[i] : 0;
    return static_cast<signed char>(static_cast<unsigned char>(row[i] - before));
  };
  int best = 0;
  std::int64_t least = -1;
  for (int filter = 0; filter < 3; ++filter) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < bytes; ++i) sum += std::abs(int{filtered(filter, i)});
    if (least < 0 || sum < least) {
      least = sum;
      best = filter;
    }
  }
  out += static_cast<char>(best);
  for (std::int64_t i = 0; i < bytes; ++i) out += static_cast<char>(filtered(best, i));
}

/// A PNG file of samples of 8 bits, or of 16 with the high byte first. @param shape  [H, W, C]
SYNTHDATA_INLINE std::string encode_png_samples(const char* op, const Shape& shape, int bits,
                                                const unsigned char* samples) {
  constexpr std::int64_t most = 0x7fffffff;  // PNG's own limit
  if (shape.size() == 0 || shape[2] > 4 || shape[0] > most || shape[1] > most) {
    throw ShapeError(concat(op, ": expects an image [H, W, C] with 1 to 4 channels, got ", shape));
  }
  const std::int64_t height = shape[0], pixel = shape[2] * bits / 8, bytes = shape[1] * pixel;
  std::string rows;
  rows.reserve(static_cast<std::size_t>(height * (bytes + 1)));
  for (std::int64_t y = 0; y < height; ++y) {
    const unsigned char* const row = samples + y * bytes;
    append_png_row(rows, row, y > 0 ? row - bytes : nullptr, bytes, pixel);
  }
  constexpr char color_types[] = {0, 4, 2, 6};
  std::string head;
  append_big_endian(head, static_cast<std::uint32_t>(shape[1]));
  append_big_endian(head, static_cast<std::uint32_t>(height));
  head += {static_cast<char>(bits), color_types[shape[2] - 1], 0, 0, 0};  // deflate; the five filters; not interlaced

  std::string out = "\x89PNG\r\n\x1a\n";
  append_png_chunk(out, "IHDR", head);
  const std::string packed = deflate_zlib(rows);
  constexpr std::size_t piece = 1 << 20;  // a chunk's length has 31 bits only
  for (std::size_t at = 0; at < packed.size(); at += piece) {
    append_png_chunk(out, "IDAT", std::string_view(packed).substr(at, piece));
  }
  append_png_chunk(out, "IEND", {});
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor to_image_u8(const Tensor& x, double low, double high) {
  if (!(low < high)) throw NumericError(concat("to_image_u8: expects low < high, got ", low, " and ", high));
  if (x.dtype() == DType::u8) return x;
  Tensor out = Tensor::empty(x.shape(), DType::u8, Device::cpu());
  visit_floating(x.dtype(), "to_image_u8", [&]<class T>() {
    const T* from = x.data<T>();
    std::uint8_t* into = out.data<std::uint8_t>();
    const T scale = static_cast<T>(255.0 / (high - low)), offset = static_cast<T>(low);
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const T value = (from[i] - offset) * scale + T(0.5);
      into[i] = static_cast<std::uint8_t>(value > T(0) ? (value < T(255) ? value : T(255)) : T(0));  // NaN fails both
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor image_grid(const Tensor& images, std::int64_t columns, const GridOptions& options) {
  if (images.rank() != 4 || images.size() == 0) {
    throw_shape("image_grid", "expects images [N, H, W, C], none of them 0", {{"images", images}});
  }
  const std::int64_t padding = options.padding, scale = options.scale, limit = 4096;
  if (columns < 0 || columns > limit || padding < 0 || padding > limit || scale < 1 || scale > limit) {
    throw NumericError(concat("image_grid: expects columns, padding >= 0, scale >= 1 and none above ", limit, ", got ",
                              columns, ", ", padding, ", ", scale));
  }
  const std::int64_t n = images.shape(0), h = images.shape(1), w = images.shape(2), c = images.shape(3);
  if (columns == 0) columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  const std::int64_t rows = (n + columns - 1) / columns;
  const std::int64_t pitch_y = h * scale + padding, pitch_x = w * scale + padding;
  Tensor grid = Tensor::full({rows * pitch_y + padding, columns * pitch_x + padding, c}, options.background, DType::u8,
                             Device::cpu());
  const std::uint8_t* from = images.data<std::uint8_t>();
  std::uint8_t* const out = grid.data<std::uint8_t>();
  const std::int64_t row_bytes = grid.shape(1) * c;
  for (std::int64_t image = 0; image < n; ++image) {
    std::uint8_t* corner =
        out + (padding + image / columns * pitch_y) * row_bytes + (padding + image % columns * pitch_x) * c;
    for (std::int64_t y = 0; y < h; ++y, corner += scale * row_bytes) {
      std::uint8_t* into = corner;
      for (std::int64_t x = 0; x < w; ++x, from += c) {
        for (std::int64_t copy = 0; copy < scale; ++copy, into += c) std::copy_n(from, c, into);
      }
      for (std::int64_t copy = 1; copy < scale; ++copy) std::copy(corner, into, corner + copy * row_bytes);
    }
  }
  return grid;
}

SYNTHDATA_INLINE std::string encode_png(const Tensor& image) {
  if (image.rank() != 3) throw_shape("encode_png", "expects an image [H, W, C]", {{"image", image}});
  return detail::encode_png_samples("encode_png", image.shape(), 8, image.data<std::uint8_t>());
}

SYNTHDATA_INLINE void write_png(const std::string& path, const Tensor& image) { write_file(path, encode_png(image)); }

SYNTHDATA_INLINE std::string numbered(std::string_view name, std::int64_t step, std::string_view extension) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "_%06lld", static_cast<long long>(step));
  return concat(name, digits, extension);
}

}  // namespace synthdata
