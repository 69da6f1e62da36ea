// synthdata/io/image_impl.hpp: bodies of io/image.hpp, with a PNG reader over zlib.
//
// A reader of its own because libpng spends more on setting up than a small image takes to decode.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/scratch.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/gzip.hpp>
#include <synthdata/io/image.hpp>
#include <synthdata/io/png_impl.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace synthdata {

namespace detail {

using Byte = unsigned char;

SYNTHDATA_INLINE JpegCodec& jpeg_codec() {
  static JpegCodec codec;
  return codec;
}

/// zlib's state for one thread: setting it up costs as much as unpacking a small image.
class ThreadInflater {
 public:
  static z_stream& reset() {
    static thread_local ThreadInflater own;
    if (!own.ready_ && ::inflateInit(&own.stream_) != Z_OK) throw Error("out of memory: cannot start unpacking");
    own.ready_ = true;
    ::inflateReset(&own.stream_);
    return own.stream_;
  }
  ~ThreadInflater() {
    if (ready_) ::inflateEnd(&stream_);
  }

 private:
  z_stream stream_ = {};
  bool ready_ = false;
};

/// A PNG file taken apart. Terms are those of the specification, W3C PNG (third edition).
class PngReader {
 public:
  PngReader(std::string_view bytes, const ImageReadOptions& options, const std::string& name)
      : bytes_(bytes), name_(name) {
    read_header(options);
    read_chunks();
  }

  /// Channels of the result: a palette counts as the colours it holds, transparency as a channel.
  std::int64_t channels() const {
    const std::int64_t colours = color_ == 0 || color_ == 4 ? 1 : 3;
    return colours + (color_ >= 4 || !transparency_.empty() ? 1 : 0);
  }

  /// @tparam T  u8, or float in [0, 1]
  template <class T>
  Tensor decode() const {
    std::int64_t total = 0;
    for_passes([&](const Pass& pass) { total += pass.height * (row_bytes(pass.width) + 1); });
    check_packed(total);
    Tensor out = Tensor::empty({height_, width_, channels()}, dtype_of<T>, Device::cpu());
    const Scratch<Byte> rows(total + row_bytes(width_));
    inflate(rows.data(), total);
    Byte* const blank = rows.data() + total;  // stands for the row above the first one
    std::fill_n(blank, row_bytes(width_), Byte{0});
    Byte* row = rows.data();
    for_passes([&](const Pass& pass) {
      const std::int64_t length = row_bytes(pass.width);
      const Byte* above = blank;
      for (std::int64_t y = 0; y < pass.height; ++y, row += length + 1) {
        unfilter(row[0], row + 1, above, length);
        above = row + 1;
        T* const to = out.data<T>() + ((pass.y + y * pass.step_y) * width_ + pass.x) * channels();
        expand(row + 1, pass.width, to, pass.step_x * channels());
      }
    });
    return out;
  }

 private:
  struct Pass {
    std::int64_t x, y, step_x, step_y, width, height;
  };
  struct Chunk {
    std::size_t begin, end;
  };

  [[noreturn]] void fail(std::size_t byte, const std::string& text) const {
    throw_data_at(name_, static_cast<std::int64_t>(byte), text);
  }
  std::uint32_t big_endian(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<Byte>(bytes_[at + i]);
    return value;
  }
  Byte byte(std::size_t at) const { return static_cast<Byte>(bytes_[at]); }

  /// The data of the chunk at at_, which is then behind it; `type` becomes its four letters.
  Chunk next_chunk(std::string_view& type) {
    if (bytes_.size() - at_ < 12) fail(bytes_.size(), "the PNG file ends before its last chunk");
    const std::size_t length = big_endian(at_), begin = at_ + 8;
    if (length > bytes_.size() - at_ - 12) {
      fail(at_, concat("a PNG chunk of ", length, " bytes is expected, the file ends before"));
    }
    type = bytes_.substr(at_ + 4, 4);
    const auto sum =
        static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Byte*>(bytes_.data() + at_ + 4), length + 4));
    if (sum != big_endian(begin + length)) fail(at_, "the checksum of a PNG chunk is wrong");
    at_ = begin + length + 4;
    return {begin, begin + length};
  }

  void read_header(const ImageReadOptions& options) {
    std::string_view type;
    const Chunk head = next_chunk(type);
    if (type != "IHDR" || head.end - head.begin != 13) fail(8, "expects the header of a PNG file, IHDR of 13 bytes");
    width_ = big_endian(head.begin);
    height_ = big_endian(head.begin + 4);
    depth_ = byte(head.begin + 8);
    color_ = byte(head.begin + 9);
    interlaced_ = byte(head.begin + 12) == 1;
    if (width_ < 1 || height_ < 1 || width_ > 0x7fffffff || height_ > 0x7fffffff) {
      fail(head.begin, concat("a PNG image of ", width_, " x ", height_, " pixels does not exist"));
    }
    if (width_ > options.max_pixels / height_) {
      fail(head.begin, concat("the image has ", width_, " x ", height_, " pixels, at most ", options.max_pixels,
                              " are accepted (max_pixels)"));
    }
    constexpr int depths[] = {1 | 2 | 4 | 8 | 16, 0, 8 | 16, 1 | 2 | 4 | 8, 8 | 16, 0, 8 | 16};  // by colour type
    const bool one_bit = depth_ == 1 || depth_ == 2 || depth_ == 4 || depth_ == 8 || depth_ == 16;
    if (color_ > 6 || !one_bit || (depths[color_] & depth_) == 0) {
      fail(head.begin + 8, concat("PNG has no colour type ", color_, " with ", depth_, " bits"));
    }
    if (byte(head.begin + 10) != 0 || byte(head.begin + 11) != 0 || byte(head.begin + 12) > 1) {
      fail(head.begin + 10, "PNG has no such compression, filter or interlace method");
    }
    constexpr int samples[] = {1, 0, 3, 1, 2, 0, 4};
    samples_ = samples[color_];
  }

  void read_chunks() {
    bool data_ended = false;
    for (std::string_view type;;) {
      const std::size_t start = at_;
      const Chunk chunk = next_chunk(type);
      const std::size_t length = chunk.end - chunk.begin;
      if (type == "IDAT") {
        if (data_ended) fail(start, "PNG image data (IDAT) in two places");
        data_.push_back(chunk);
        continue;
      }
      data_ended = !data_.empty();
      if (type == "IEND") break;
      if (type == "PLTE") {
        if (length == 0 || length % 3 != 0 || length > 768 || !palette_.empty())
          fail(start, "a wrong PNG palette (PLTE)");
        palette_ = bytes_.substr(chunk.begin, length);
      } else if (type == "tRNS") {
        const std::size_t expected = color_ == 0 ? 2 : color_ == 2 ? 6 : length;
        if (color_ > 3 || length == 0 || length != expected || length > 256) fail(start, "a wrong PNG tRNS chunk");
        transparency_ = bytes_.substr(chunk.begin, length);
      } else if ((type[0] & 0x20) == 0) {
        fail(start, concat("a PNG chunk of unknown type ", in_hex(big_endian(start + 4)), " that must not be skipped"));
      }
    }
    if (data_.empty()) fail(at_, "the PNG file has no image data (IDAT)");
    if (color_ == 3 && palette_.empty()) fail(at_, "the PNG file lacks its palette (PLTE)");
  }

  static std::string in_hex(std::uint32_t value) {
    std::string text = "0x";
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 15];
    return text;
  }

  std::int64_t row_bytes(std::int64_t width) const { return (width * samples_ * depth_ + 7) / 8; }

  /// f(pass) for the one pass of a plain image, or the seven of Adam7 as far as they have pixels.
  template <class F>
  void for_passes(const F& f) const {
    if (!interlaced_) return f(Pass{0, 0, 1, 1, width_, height_});
    constexpr std::int64_t table[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                          {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    for (const auto& [x, y, step_x, step_y] : table) {
      const std::int64_t width = (width_ - x + step_x - 1) / step_x, height = (height_ - y + step_y - 1) / step_y;
      if (width > 0 && height > 0) f(Pass{x, y, step_x, step_y, width, height});
    }
  }

  /// Deflate packs 1032 bytes into one at best: what cannot be there is found before memory is asked for.
  void check_packed(std::int64_t total) const {
    std::int64_t packed = 0;
    for (const Chunk& chunk : data_) packed += static_cast<std::int64_t>(chunk.end - chunk.begin);
    if (total > (packed + 1) * 1032) fail(data_[0].begin, concat("PNG image data are cut short: ", packed, " bytes"));
  }

  /// Unpacks the image data, which must be `total` bytes.
  void inflate(Byte* to, std::int64_t total) const {
    z_stream& stream = ThreadInflater::reset();
    stream.next_out = to;
    std::int64_t room = total;
    stream.avail_out = 0;
    int status = Z_OK;
    for (std::size_t i = 0; i < data_.size() && status == Z_OK; ++i) {
      stream.next_in = reinterpret_cast<Byte*>(const_cast<char*>(bytes_.data() + data_[i].begin));  // only read
      stream.avail_in = static_cast<uInt>(data_[i].end - data_[i].begin);
      while (status == Z_OK && stream.avail_in > 0) {
        if (stream.avail_out == 0 && room > 0) {
          stream.avail_out = static_cast<uInt>(std::min<std::int64_t>(room, 1 << 30));  // zlib counts in 32 bits
          room -= stream.avail_out;
        }
        const bool last = i + 1 == data_.size() && room == 0;
        status = ::inflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
        if (status == Z_BUF_ERROR) break;
        if (status != Z_OK && status != Z_STREAM_END) fail(data_[i].begin, "PNG image data cannot be unpacked");
      }
    }
    const std::int64_t missing = room + stream.avail_out;
    if (missing > 0) fail(data_.back().end, concat("PNG image data end ", missing, " bytes too early"));
    if (status != Z_STREAM_END) fail(data_.back().end, "PNG image data do not end where the image does");
  }

  /// Takes the filter of one row back.
  void unfilter(int filter, Byte* row, const Byte* above, std::int64_t n) const {
    const std::int64_t step = std::max<std::int64_t>(1, samples_ * depth_ / 8);
    const auto add = [](int a, int b) { return static_cast<Byte>(a + b); };
    const std::int64_t first = std::min(step, n);
    switch (filter) {
      case 0:
        return;
      case 1:
        for (std::int64_t i = step; i < n; ++i) row[i] = add(row[i], row[i - step]);
        return;
      case 2:
        for (std::int64_t i = 0; i < n; ++i) row[i] = add(row[i], above[i]);
        return;
      case 3:
        for (std::int64_t i = 0; i < first; ++i) row[i] = add(row[i], above[i] / 2);
        for (std::int64_t i = step; i < n; ++i) row[i] = add(row[i], (row[i - step] + above[i]) / 2);
        return;
      case 4:
        for (std::int64_t i = 0; i < first; ++i) row[i] = add(row[i], above[i]);
        for (std::int64_t i = step; i < n; ++i) {
          const int a = row[i - step], b = above[i], c = above[i - step];
          const int to_a = std::abs(b - c), to_b = std::abs(a - c), to_c = std::abs(a + b - 2 * c);
          row[i] = add(row[i], to_a <= to_b && to_a <= to_c ? a : to_b <= to_c ? b : c);
        }
        return;
      default:
        fail(data_[0].begin, concat("PNG has no row filter ", filter));
    }
  }

  /// Sample i of a row, as stored.
  unsigned sample(const Byte* row, std::int64_t i) const {
    if (depth_ == 8) return row[i];
    if (depth_ == 16) return static_cast<unsigned>(row[2 * i] << 8 | row[2 * i + 1]);
    const std::int64_t bit = i * depth_;
    return static_cast<unsigned>(row[bit / 8] >> (8 - depth_ - bit % 8)) & ((1u << depth_) - 1);
  }
  template <class T>
  T scaled(unsigned value, unsigned most) const {
    if constexpr (sizeof(T) == 1) {
      return static_cast<T>((value * 255 + most / 2) / most);
    } else {
      return static_cast<T>(value) / static_cast<T>(most);
    }
  }

  /// Pixels of a row, written `step` values apart.
  template <class T>
  void expand(const Byte* row, std::int64_t width, T* to, std::int64_t step) const {
    const unsigned most = (1u << depth_) - 1;
    if (color_ == 3) return expand_palette(row, width, to, step);
    if (sizeof(T) == 1 && depth_ == 8 && transparency_.empty() && step == samples_) {
      std::copy_n(row, width * samples_, to);
      return;
    }
    for (std::int64_t x = 0; x < width; ++x, to += step) {
      bool keyed = !transparency_.empty();
      for (int c = 0; c < samples_; ++c) {
        const unsigned value = sample(row, x * samples_ + c);
        to[c] = scaled<T>(value, most);
        if (keyed) {
          const auto at = static_cast<std::size_t>(2 * c);
          const unsigned key = static_cast<unsigned>(static_cast<Byte>(transparency_[at]) << 8) |
                               static_cast<Byte>(transparency_[at + 1]);
          keyed = value == (key & most);
        }
      }
      if (!transparency_.empty()) to[samples_] = scaled<T>(keyed ? 0 : 255, 255);
    }
  }
  template <class T>
  void expand_palette(const Byte* row, std::int64_t width, T* to, std::int64_t step) const {
    for (std::int64_t x = 0; x < width; ++x, to += step) {
      const std::size_t index = sample(row, x);
      if (3 * index >= palette_.size()) {
        fail(data_[0].begin, concat("colour ", index, " of a PNG palette of ", palette_.size() / 3));
      }
      for (std::size_t c = 0; c < 3; ++c) to[c] = scaled<T>(static_cast<Byte>(palette_[3 * index + c]), 255);
      if (!transparency_.empty()) {
        to[3] = scaled<T>(index < transparency_.size() ? static_cast<Byte>(transparency_[index]) : 255, 255);
      }
    }
  }

  std::string_view bytes_;
  const std::string& name_;
  std::size_t at_ = 8;  // behind the signature
  std::int64_t width_ = 0, height_ = 0;
  int depth_ = 0, color_ = 0, samples_ = 0;
  bool interlaced_ = false;
  std::string_view palette_, transparency_;
  std::vector<Chunk> data_;
};

/// `image` with another number of channels. T's white is `white`.
template <class T>
Tensor convert_channels(const Tensor& image, std::int64_t channels, T white) {
  const std::int64_t before = image.shape(2), pixels = image.shape(0) * image.shape(1);
  Tensor out = Tensor::empty(image.shape().with(2, channels), image.dtype(), Device::cpu());
  const T* from = image.data<T>();
  T* to = out.data<T>();
  const bool colour = before >= 3, has_alpha = before % 2 == 0;
  for (std::int64_t i = 0; i < pixels; ++i, from += before, to += channels) {
    if (channels >= 3) {
      for (int c = 0; c < 3; ++c) to[c] = from[colour ? c : 0];
    } else if (colour) {
      const float grey = 0.299f * static_cast<float>(from[0]) + 0.587f * static_cast<float>(from[1]) +
                         0.114f * static_cast<float>(from[2]);
      to[0] = static_cast<T>(sizeof(T) == 1 ? grey + 0.5f : grey);
    } else {
      to[0] = from[0];
    }
    if (channels % 2 == 0) to[channels - 1] = has_alpha ? from[before - 1] : white;
  }
  return out;
}

inline bool is_png(std::string_view bytes) { return bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n"; }
inline bool is_jpeg(std::string_view bytes) { return bytes.substr(0, 3) == "\xff\xd8\xff"; }

[[noreturn]] SYNTHDATA_COLD SYNTHDATA_INLINE void throw_no_jpeg(const std::string& name) {
  throw Error(concat(name,
                     ": this program was built without JPEG; link the CMake target synthdata::image, or compile "
                     "synthdata/io/jpeg_codec.cpp into it"));
}

}  // namespace detail

SYNTHDATA_INLINE Tensor decode_image(std::string_view bytes, const ImageReadOptions& options, const std::string& name) {
  if (options.channels < 0 || options.channels > 4 || options.max_pixels < 1) {
    throw NumericError(concat("decode_image: expects channels 0 to 4 and max_pixels >= 1, got ", options.channels,
                              " and ", options.max_pixels));
  }
  Tensor image;
  if (detail::is_png(bytes)) {
    const detail::PngReader png(bytes, options, name);
    image = options.as_float ? png.decode<float>() : png.decode<std::uint8_t>();
  } else if (detail::is_jpeg(bytes)) {
    if (!detail::jpeg_codec().decode) detail::throw_no_jpeg(name);
    image = detail::jpeg_codec().decode(bytes, options.max_pixels, name);
    if (options.as_float) {
      image = image.to(DType::f32);
      for (float& value : image.span<float>()) value /= 255.0f;
    }
  } else {
    detail::throw_data_at(name, 0, "expects a PNG or JPEG file");
  }
  if (options.channels == 0 || options.channels == image.shape(2)) return image;
  return options.as_float ? detail::convert_channels<float>(image, options.channels, 1.0f)
                          : detail::convert_channels<std::uint8_t>(image, options.channels, 255);
}

SYNTHDATA_INLINE Tensor read_image(const std::string& path, const ImageReadOptions& options) {
  return decode_image(read_file(path), options, path);
}

SYNTHDATA_INLINE std::string encode_jpeg(const Tensor& image, int quality) {
  constexpr std::int64_t most = 65500;  // libjpeg's own limit
  if (image.rank() != 3 || image.size() == 0 || (image.shape(2) != 1 && image.shape(2) != 3) || image.shape(0) > most ||
      image.shape(1) > most) {
    throw_shape("encode_jpeg", "expects an image [H, W, 1 or 3] of at most 65500 x 65500 pixels", {{"image", image}});
  }
  if (image.dtype() != DType::u8) throw DTypeError(concat("encode_jpeg: expects u8, got ", image.str()));
  if (quality < 1 || quality > 100) throw NumericError(concat("encode_jpeg: expects quality 1 to 100, got ", quality));
  if (!detail::jpeg_codec().encode) detail::throw_no_jpeg("encode_jpeg");
  return detail::jpeg_codec().encode(image, quality);
}

SYNTHDATA_INLINE std::string encode_png16(const Tensor& image) {
  if (image.dtype() != DType::f32) throw DTypeError(concat("encode_png16: expects f32, got ", image.str()));
  if (image.rank() != 3) throw_shape("encode_png16", "expects an image [H, W, C]", {{"image", image}});
  Tensor pairs = Tensor::empty({image.shape(0), image.shape(1), image.shape(2), 2}, DType::u8, Device::cpu());
  std::uint8_t* to = pairs.data<std::uint8_t>();
  for (const float value : image.span<float>()) {
    const float clamped = value > 0.0f ? (value < 1.0f ? value : 1.0f) : 0.0f;  // NaN fails the first comparison
    const auto bits = static_cast<std::uint32_t>(clamped * 65535.0f + 0.5f);
    *to++ = static_cast<std::uint8_t>(bits >> 8);
    *to++ = static_cast<std::uint8_t>(bits);
  }
  return detail::encode_png_samples("encode_png16", image.shape(), 16, pairs.data<std::uint8_t>());
}

SYNTHDATA_INLINE bool has_image_name(std::string_view name) {
  const auto ends = [&](std::string_view end) {
    if (name.size() < end.size()) return false;
    for (std::size_t i = 0; i < end.size(); ++i) {
      const char c = name[name.size() - end.size() + i];
      if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != end[i]) return false;
    }
    return true;
  };
  return ends(".png") || ends(".jpg") || ends(".jpeg");
}

SYNTHDATA_INLINE void write_image(const std::string& path, const Tensor& image) {
  if (!has_image_name(path)) throw DataError(concat(path, ": expects a name ending in .png, .jpg or .jpeg"));
  const char second_last = path[path.size() - 2];  // .png, .jpg, .jpeg
  write_file(path, second_last == 'n' || second_last == 'N' ? encode_png(image) : encode_jpeg(image));
}

}  // namespace synthdata
