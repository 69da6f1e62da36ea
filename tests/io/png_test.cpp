// SPDX-License-Identifier: MIT
#include <synthdata/io/png.hpp>

#include "../test.hpp"
#include "files.hpp"

#if __has_include(<png.h>)
#include <png.h>
#endif

#include <limits>
#include <vector>

using namespace synthdata;
using test::data_error, test::has, test::slurp;

namespace {
Tensor random_image(const Shape& shape, std::uint64_t seed) {
  Tensor image = Tensor::empty(shape, DType::u8);
  Rng rng{seed};
  std::uint8_t value = 0;
  for (std::uint8_t& pixel : image.span<std::uint8_t>()) {  // smooth in places, so that every row filter is chosen
    pixel = value = static_cast<std::uint8_t>(rng.below(20) == 0 ? rng.below(256) : value + 1);
  }
  return image;
}
}  // namespace

#ifdef PNG_LIBPNG_VER_STRING
TEST_CASE("libpng reads back what write_png wrote") {
  const test::Scratch scratch;
  constexpr png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  for (const std::int64_t channels : {1, 2, 3, 4}) {
    for (const Shape& size : {Shape{1, 1}, Shape{7, 1}, Shape{1, 7}, Shape{64, 33}, Shape{900, 700}}) {
      const Tensor image = random_image({size[0], size[1], channels}, 1);
      const std::string path = scratch / "a.png";
      write_png(path, image);
      png_image reader = {};
      reader.version = PNG_IMAGE_VERSION;
      REQUIRE(png_image_begin_read_from_file(&reader, path.c_str()) != 0);
      CHECK(reader.format == formats[channels - 1]);  // stored as it is, not converted
      CHECK(reader.height == size[0]);
      CHECK(reader.width == size[1]);
      Tensor again = Tensor::empty(image.shape(), DType::u8);
      REQUIRE(PNG_IMAGE_SIZE(reader) == static_cast<std::size_t>(again.size()));
      CHECK(png_image_finish_read(&reader, nullptr, again.bytes(), 0, nullptr) != 0);
      CHECK(reader.warning_or_error == 0);
      CHECK(same_bits(image, again));
    }
  }
}
#endif

TEST_CASE("a PNG of one pixel has these bytes around its data") {
  const std::string png = encode_png(Tensor::full({1, 1, 1}, 200, DType::u8));
  CHECK(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  CHECK(png.substr(8, 25) == std::string("\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55", 25));
  CHECK(png.substr(png.size() - 12) == std::string("\0\0\0\0IEND\xae\x42\x60\x82", 12));
}

TEST_CASE("write_png refuses what is no image and leaves no file behind an error") {
  const test::Scratch scratch;
  CHECK_THROWS_WITH(write_png(scratch / "a.png", Tensor::zeros({2, 2}, DType::u8)),
                    ContainsSubstring("image [2, 2] u8"));
  CHECK_THROWS_AS(write_png(scratch / "a.png", Tensor::zeros({2, 2, 5}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(write_png(scratch / "a.png", Tensor::zeros({0, 2, 1}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(write_png(scratch / "a.png", Tensor::zeros({2, 2, 1})), DTypeError);
  const test::FileSizeLimit limit(1000);
  CHECK(has(data_error([&] { write_png(scratch / "a.png", random_image({100, 100, 3}, 2)); }), "a.png: cannot write"));
  CHECK(scratch.count() == 0);
}

TEST_CASE("to_image_u8 maps the range to 0 ... 255, rounds and clamps") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x =
      Tensor::from(std::vector<float>{-1, 1, 0, -1.0f + 2.4f / 255, -1.0f + 2.6f / 255, -5, 5, inf, -inf, inf - inf});
  const Tensor expected = Tensor::from(std::vector<std::uint8_t>{0, 255, 128, 1, 1, 0, 255, 255, 0, 0});
  CHECK(same_bits(to_image_u8(x), expected));
  CHECK(same_bits(to_image_u8(x.to(DType::f64)), expected));
  CHECK(same_bits(to_image_u8(Tensor::from(std::vector<float>{0, 0.5f, 1}), 0, 1),
                  Tensor::from(std::vector<std::uint8_t>{0, 128, 255})));
  CHECK(to_image_u8(expected).shares_elements(expected));
  CHECK_THROWS_AS(to_image_u8(x, 1, 1), NumericError);
  CHECK_THROWS_AS(to_image_u8(Tensor::zeros({2}, DType::i64)), DTypeError);
  for (int value = 0; value < 256; ++value) {  // the inverse of scaling u8 to [-1, 1]
    if (to_image_u8(Tensor::full({}, value / 127.5 - 1)).item() != value) FAIL(value);
  }
}

TEST_CASE("image_grid puts every pixel where it belongs") {
  const Tensor images = random_image({5, 3, 4, 2}, 3);
  const std::int64_t scale = GENERATE(1, 3), padding = GENERATE(0, 2), columns = 2;
  const Tensor grid = image_grid(images, columns, {.padding = padding, .scale = scale, .background = 9});
  REQUIRE(grid.shape() == Shape{3 * (3 * scale + padding) + padding, 2 * (4 * scale + padding) + padding, 2});
  int wrong = 0;
  for (std::int64_t y = 0; y < grid.shape(0); ++y) {
    for (std::int64_t x = 0; x < grid.shape(1); ++x) {
      for (std::int64_t c = 0; c < 2; ++c) {
        const std::int64_t dy = y - padding, dx = x - padding;  // from the corner of the first image
        const std::int64_t row = dy / (3 * scale + padding), column = dx / (4 * scale + padding);
        const std::int64_t iy = dy % (3 * scale + padding), ix = dx % (4 * scale + padding);
        const std::int64_t image = row * columns + column;
        const bool inside = dy >= 0 && dx >= 0 && iy < 3 * scale && ix < 4 * scale && column < columns && image < 5;
        const int expected =
            inside ? images.data<std::uint8_t>()[((image * 3 + iy / scale) * 4 + ix / scale) * 2 + c] : 9;
        wrong += grid.data<std::uint8_t>()[(y * grid.shape(1) + x) * 2 + c] != expected;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("image_grid chooses a square and checks what it gets") {
  CHECK(image_grid(Tensor::zeros({10, 1, 1, 1}, DType::u8), 0, {.padding = 0}).shape() == Shape{3, 4, 1});
  CHECK_THROWS_AS(image_grid(Tensor::zeros({3, 4, 1}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(image_grid(Tensor::zeros({0, 3, 4, 1}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(image_grid(Tensor::zeros({1, 3, 4, 1})), DTypeError);
  CHECK_THROWS_AS(image_grid(Tensor::zeros({1, 3, 4, 1}, DType::u8), -1), NumericError);
  CHECK_THROWS_AS(image_grid(Tensor::zeros({1, 3, 4, 1}, DType::u8), 1, {.scale = 0}), NumericError);
}

TEST_CASE("numbered names sort by step") {
  CHECK(numbered("grid", 500, ".png") == "grid_000500.png");
  CHECK(numbered("grid", 12345678, ".png") == "grid_12345678.png");
}
