// tests/io/image_test.cpp: PNG of every kind against libpng, JPEG round trips, hostile and damaged files.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/file.hpp>
#include <synthdata/io/image.hpp>
#include <synthdata/io/png.hpp>

#include "../test.hpp"
#include "files.hpp"

#if __has_include(<png.h>)
#include <png.h>
#endif

#include <cmath>
#include <cstring>
#include <vector>

using namespace synthdata;
using test::data_error, test::has;

namespace {

Tensor random_bytes(const Shape& shape, std::uint64_t seed) {
  Rng rng{seed};
  Tensor t = Tensor::empty(shape, DType::u8);
  for (std::uint8_t& value : t.span<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  return t;
}

/// A smooth picture, as photographs are.
Tensor smooth_image(std::int64_t h, std::int64_t w, std::int64_t c) {
  Tensor t = Tensor::empty({h, w, c}, DType::u8);
  std::uint8_t* to = t.data<std::uint8_t>();
  for (std::int64_t y = 0; y < h; ++y) {
    for (std::int64_t x = 0; x < w; ++x) {
      for (std::int64_t k = 0; k < c; ++k) {
        const double value =
            128 + 100 * std::sin(0.05 * static_cast<double>(x * (k + 1)) + 0.03 * static_cast<double>(y));
        *to++ = static_cast<std::uint8_t>(value);
      }
    }
  }
  return t;
}

#ifdef PNG_LIBPNG_VER_STRING
struct PngKind {
  int color, depth;
  bool interlaced, transparent;
};

/// A PNG file of random samples, by libpng. Rows are packed as the file has them.
std::string png_by_libpng(const PngKind& kind, std::int64_t h, std::int64_t w, Rng& rng) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, std::size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<const char*>(data), n);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(w), static_cast<png_uint_32>(h), kind.depth, kind.color,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (kind.color == PNG_COLOR_TYPE_PALETTE) {
    png_color colors[256];
    png_byte alpha[256];
    for (int i = 0; i < 256; ++i) {
      const auto random = [&] { return static_cast<png_byte>(rng.below(256)); };
      colors[i] = {random(), random(), random()};
      alpha[i] = random();
    }
    png_set_PLTE(png, info, colors, 1 << kind.depth);
    if (kind.transparent) png_set_tRNS(png, info, alpha, (1 << kind.depth) - 1, nullptr);
  } else if (kind.transparent) {
    png_color_16 key = {};
    key.gray = key.red = key.green = key.blue = 1;
    png_set_tRNS(png, info, nullptr, 0, &key);
  }
  png_set_filter(png, 0, PNG_ALL_FILTERS);
  png_write_info(png, info);
  const std::size_t row_bytes = png_get_rowbytes(png, info);
  std::vector<png_byte> bytes(row_bytes * static_cast<std::size_t>(h));
  for (png_byte& b : bytes) b = static_cast<png_byte>(rng.below(3) == 0 ? rng.below(256) : 1);
  std::vector<png_bytep> rows;
  for (std::int64_t y = 0; y < h; ++y) rows.push_back(bytes.data() + row_bytes * static_cast<std::size_t>(y));
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

/// The same file read by libpng: 8 bits, or 16 as f32.
Tensor read_by_libpng(const std::string& bytes, bool sixteen) {
  struct Source {
    const std::string* bytes;
    std::size_t at;
  } source{&bytes, 0};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_read_fn(png, &source, [](png_structp p, png_bytep data, std::size_t n) {
    auto* from = static_cast<Source*>(png_get_io_ptr(p));
    std::memcpy(data, from->bytes->data() + from->at, n);
    from->at += n;
  });
  png_read_info(png, info);
  png_set_expand(png);
  if (!sixteen) png_set_scale_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const std::int64_t h = png_get_image_height(png, info), w = png_get_image_width(png, info);
  const std::int64_t c = png_get_channels(png, info);
  std::vector<png_byte> data(png_get_rowbytes(png, info) * static_cast<std::size_t>(h));
  std::vector<png_bytep> rows;
  for (std::int64_t y = 0; y < h; ++y) {
    rows.push_back(data.data() + png_get_rowbytes(png, info) * static_cast<std::size_t>(y));
  }
  png_read_image(png, rows.data());
  png_destroy_read_struct(&png, &info, nullptr);
  if (!sixteen) return Tensor::from(data, {h, w, c});
  Tensor out = Tensor::empty({h, w, c});
  for (std::size_t i = 0; i < static_cast<std::size_t>(out.size()); ++i) {
    out.data<float>()[i] = static_cast<float>(data[2 * i] * 256 + data[2 * i + 1]) / 65535.0f;
  }
  return out;
}

TEST_CASE("every kind of PNG reads as libpng reads it") {
  Rng rng{1};
  const std::pair<int, std::vector<int>> colors[] = {{PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}},
                                                     {PNG_COLOR_TYPE_RGB, {8, 16}},
                                                     {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}},
                                                     {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},
                                                     {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}}};
  for (const auto& [color, depths] : colors) {
    for (const int depth : depths) {
      for (const bool interlaced : {false, true}) {
        for (const bool transparent : {false, true}) {
          if (transparent && (color & PNG_COLOR_MASK_ALPHA) != 0) continue;
          for (const Shape& size : {Shape{1, 1}, Shape{3, 5}, Shape{17, 9}, Shape{40, 41}}) {
            const std::string file = png_by_libpng({color, depth, interlaced, transparent}, size[0], size[1], rng);
            INFO("colour type " << color << ", " << depth << " bits, interlaced " << interlaced << ", " << size.str());
            CHECK(same_bits(decode_image(file), read_by_libpng(file, false)));
            if (depth == 16) CHECK(same_bits(decode_image(file, {.as_float = true}), read_by_libpng(file, true)));
          }
        }
      }
    }
  }
}
#endif

TEST_CASE("what write_image writes as PNG, read_image reads") {
  const test::Scratch scratch;
  for (const std::int64_t channels : {1, 2, 3, 4}) {
    const Tensor image = random_bytes({13, 21, channels}, 2);
    write_image(scratch / "a.PNG", image);
    CHECK(same_bits(read_image(scratch / "a.PNG"), image));
  }
  CHECK_THROWS_WITH(write_image(scratch / "a.gif", random_bytes({1, 1, 1}, 1)), ContainsSubstring(".jpeg"));
}

TEST_CASE("16-bit PNG keeps a float to 16 bits") {
  Rng rng{3};
  Tensor image = Tensor::empty({9, 7, 3});
  for (float& value : image.span<float>()) value = rng.uniform(-0.2f, 1.2f);
  const Tensor again = decode_image(encode_png16(image), {.as_float = true});
  for (std::int64_t i = 0; i < image.size(); ++i) {
    const float clamped = std::min(1.0f, std::max(0.0f, image.data<float>()[i]));
    CHECK(std::abs(again.data<float>()[i] - clamped) <= 0.5f / 65535.0f + 1e-7f);
  }
}

TEST_CASE("channels convert on reading") {
  Tensor image = Tensor::empty({1, 2, 4}, DType::u8);
  const std::uint8_t pixels[] = {10, 20, 30, 40, 255, 0, 0, 128};
  std::memcpy(image.bytes(), pixels, sizeof pixels);
  const std::string file = encode_png(image);
  const auto read = [&](std::int64_t channels) {
    const Tensor t = decode_image(file, {.channels = channels});
    return std::vector<int>(t.data<std::uint8_t>(), t.data<std::uint8_t>() + t.size());
  };
  CHECK(read(1) == std::vector<int>{18, 76});
  CHECK(read(2) == std::vector<int>{18, 40, 76, 128});
  CHECK(read(3) == std::vector<int>{10, 20, 30, 255, 0, 0});
  CHECK(decode_image(encode_png(random_bytes({2, 2, 1}, 1)), {.channels = 4}).data<std::uint8_t>()[3] == 255);
  CHECK_THROWS_AS(decode_image(file, {.channels = 5}), NumericError);
}

TEST_CASE("JPEG reads back near to what was written") {
  if (!detail::jpeg_codec().encode) SYNTHDATA_SKIP("built without synthdata::image");
  const test::Scratch scratch;
  for (const std::int64_t channels : {1, 3}) {
    const Tensor image = smooth_image(61, 83, channels);
    write_image(scratch / "a.jpg", image);
    const Tensor again = read_image(scratch / "a.jpg");
    REQUIRE(again.shape() == image.shape());
    double error = 0;
    for (std::int64_t i = 0; i < image.size(); ++i) {
      const double difference = image.data<std::uint8_t>()[i] - double{again.data<std::uint8_t>()[i] * 1.0};
      error += difference * difference;
    }
    CHECK(10 * std::log10(255 * 255 / (error / static_cast<double>(image.size()))) > 30.0);  // dB
  }
  CHECK(encode_jpeg(smooth_image(64, 64, 3), 30).size() < encode_jpeg(smooth_image(64, 64, 3), 95).size());
  CHECK_THROWS_AS(encode_jpeg(random_bytes({2, 2, 4}, 1)), ShapeError);
  CHECK_THROWS_AS(encode_jpeg(random_bytes({2, 2, 3}, 1), 0), NumericError);
}

TEST_CASE("a file that is no image, empty, cut or too large says so") {
  CHECK(has(data_error([] { decode_image("", {}, "x.png"); }), "x.png, byte 0: expects a PNG or JPEG"));
  CHECK(has(data_error([] { decode_image("GIF89a...", {}, "x"); }), "expects a PNG or JPEG"));
  const std::string png = encode_png(random_bytes({40, 30, 3}, 4));
  CHECK(has(data_error([&] { decode_image(png, {.max_pixels = 1000}); }), "30 x 40 pixels, at most 1000"));
  for (std::size_t cut = 8; cut < png.size(); cut += 11) {
    CHECK(has(data_error([&] { decode_image(png.substr(0, cut)); }), "byte"));
  }
  if (!detail::jpeg_codec().encode) SYNTHDATA_SKIP("built without synthdata::image");
  const std::string jpeg = encode_jpeg(smooth_image(40, 30, 3));
  CHECK(has(data_error([&] { decode_image(jpeg, {.max_pixels = 1000}, "a.jpg"); }), "a.jpg: the image has 30 x 40"));
  for (std::size_t cut = 3; cut < jpeg.size(); cut += 7) {
    CHECK(has(data_error([&] { decode_image(jpeg.substr(0, cut), {}, "a.jpg"); }), "a.jpg, byte"));
  }
}

TEST_CASE("a small PNG that claims to be huge is refused before memory is taken") {
  // the header of 60000 x 60000 RGBA in 16 bits with its right checksum, and hardly any data
  const std::string small = encode_png(random_bytes({1, 1, 4}, 5));
  std::string head = small.substr(12, 17);
  const char extents[] = "\x00\x00\xea\x60\x00\x00\xea\x60\x10";
  head.replace(4, 9, std::string(extents, 9));
  std::string png = small.substr(0, 12) + head;
  std::uint32_t crc = 0xffffffffu;
  for (const char c : head) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  crc = ~crc;
  for (int shift = 24; shift >= 0; shift -= 8) png += static_cast<char>(static_cast<unsigned char>(crc >> shift));
  png += small.substr(33);
  CHECK(has(data_error([&] { decode_image(png); }), "max_pixels"));
  CHECK(has(data_error([&] { decode_image(png, {.max_pixels = std::int64_t{1} << 40}); }), "cut short"));
}

TEST_CASE("damaged images end in an image or an Error, never worse") {
  Rng rng{6};
  std::vector<std::string> files = {encode_png(random_bytes({9, 14, 1}, 7)), encode_png(smooth_image(31, 22, 3)),
                                    encode_png16(Tensor::full({5, 5, 4}, 0.3))};
  if (detail::jpeg_codec().encode) files.push_back(encode_jpeg(smooth_image(31, 22, 3)));
  int errors = 0, images = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string bytes =
        test::mutate(files[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(files.size())))], rng);
    try {
      images += decode_image(bytes, {.max_pixels = 1 << 20}).size() > 0;
    } catch (const DataError&) {
      ++errors;
    }
  }
  CHECK(errors > 1000);
  CHECK(images + errors == 3000);
}

}  // namespace
