// tests/data/augment_geometry_test.cpp: warps against plain loops in double, exact turns, crops, resizing.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/augment/geometry.hpp>

#include "../test.hpp"
#include "images.hpp"

using namespace synthdata;
using test::at, test::largest_difference, test::random_image;

namespace {

/// Bilinear lookup by the definition, in double.
double look_up(const Tensor& image, double x, double y, std::int64_t c, Border border, double fill) {
  const auto pixel = [&](std::int64_t row, std::int64_t column) {
    const std::int64_t h = image.shape(0), w = image.shape(1);
    const auto inside = [&](std::int64_t i, std::int64_t n) {
      if (border == Border::edge) return i < 0 ? 0 : i >= n ? n - 1 : i;
      const std::int64_t folded = (i % (2 * n) + 2 * n) % (2 * n);
      return folded < n ? folded : 2 * n - 1 - folded;
    };
    if (border == Border::constant && (row < 0 || row >= h || column < 0 || column >= w)) return fill;
    return at(image, inside(row, h), inside(column, w), c);
  };
  const double left = std::floor(x), top = std::floor(y), a = x - left, b = y - top;
  const auto i = static_cast<std::int64_t>(top), j = static_cast<std::int64_t>(left);
  return (1 - b) * ((1 - a) * pixel(i, j) + a * pixel(i, j + 1)) +
         b * ((1 - a) * pixel(i + 1, j) + a * pixel(i + 1, j + 1));
}

TEST_CASE("a warp is the bilinear lookup of the definition, for every border and number of channels") {
  const backend::PlaneMap affine{{0.9, -0.4, 3.1, 0.35, 1.2, -4.7, 0, 0, 1}};
  const backend::PlaneMap projective{{0.9, -0.4, 3.1, 0.35, 1.2, -4.7, 0.004, -0.003, 1}};
  for (const DType dtype : {DType::f32, DType::u8}) {
    for (const std::int64_t channels : {1, 2, 3, 4, 5}) {
      for (const Border border : {Border::constant, Border::edge, Border::reflect}) {
        for (const auto& map : {affine, projective}) {
          const Tensor image = random_image({23, 31, channels}, 1, dtype);
          const double fill = dtype == DType::u8 ? 77.0 : 0.25;
          const Tensor warped = backend::warp(image, 29, 83, map, {.border = border, .fill = static_cast<float>(fill)});
          double worst = 0.0;
          for (std::int64_t y = 0; y < 29; ++y) {
            for (std::int64_t x = 0; x < 83; ++x) {
              const double u = static_cast<double>(x), v = static_cast<double>(y);
              const double d = map.m[6] * u + map.m[7] * v + map.m[8];
              const double px = (map.m[0] * u + map.m[1] * v + map.m[2]) / d;
              const double py = (map.m[3] * u + map.m[4] * v + map.m[5]) / d;
              for (std::int64_t c = 0; c < channels; ++c) {
                const double expected = look_up(image, px, py, c, border, fill);
                worst = std::max(worst, std::abs(expected - at(warped, y, x, c)));
              }
            }
          }
          // places are floats of up to about 100: 2^-17 of a pixel, over a slope of up to 2; bytes are rounded
          CHECK(worst < (dtype == DType::u8 ? 0.51 : 1e-4));
        }
      }
    }
  }
}

TEST_CASE("nearest neighbours take whole pixels") {
  const Tensor image = random_image({9, 11, 3}, 2, DType::u8);
  const Tensor moved = image::affine(image, {.shift_x = 2.3, .shift_y = -0.6},
                                     {.interpolation = Interpolation::nearest, .border = Border::edge});
  for (std::int64_t y = 0; y < 8; ++y) {
    for (std::int64_t x = 2; x < 11; ++x) CHECK(at(moved, y, x, 1) == at(image, y + 1, x - 2, 1));
  }
}

TEST_CASE("the identity and quarter turns change no bit") {
  for (const DType dtype : {DType::f32, DType::u8}) {
    for (const std::int64_t size : {1, 8, 29, 224}) {
      const Tensor image = random_image({size, size, 3}, 3, dtype);
      CHECK(same_bits(image::affine(image, {}), image));
      CHECK(same_bits(image::rotate(image, 360), image));
      CHECK(same_bits(image::rotate(image, 180), image::flip(image, true, true)));
      const Tensor left = image::rotate(image, 90);
      bool transposed = true;
      for (std::int64_t y = 0; y < size; ++y) {
        for (std::int64_t x = 0; x < size; ++x) transposed &= at(left, y, x, 0) == at(image, x, size - 1 - y, 0);
      }
      CHECK(transposed);  // the right column came to the top: counter-clockwise
      CHECK(same_bits(image::rotate(left, -90), image));
    }
  }
}

TEST_CASE("whole shifts, scales and shears land where they should") {
  const Tensor image = random_image({20, 20, 1}, 4);
  const Tensor moved = image::affine(image, {.shift_x = 3, .shift_y = 5});
  CHECK(at(moved, 5, 3, 0) == at(image, 0, 0, 0));
  CHECK(at(moved, 4, 3, 0) == 0.0);
  const Tensor odd = random_image({21, 21, 1}, 4);
  CHECK(at(image::affine(odd, {.scale = 2}), 10 + 4, 10 - 6, 0) == at(odd, 12, 7, 0));
  CHECK(at(image::affine(odd, {.shear = 45}), 10 - 2, 10 - 2 + 3, 0) == Approx(at(odd, 8, 8 + 5, 0)));
  CHECK_THROWS_AS(image::affine(image, {.scale = 0}), NumericError);
  CHECK_THROWS_AS(image::affine(image, {.degrees = NAN}), NumericError);
  CHECK_THROWS_AS(image::rotate(Tensor::zeros({3, 3}), 1), ShapeError);
  CHECK_THROWS_AS(image::rotate(Tensor::zeros({3, 3, 1}, DType::i32), 1), DTypeError);
}

TEST_CASE("a perspective takes the corners to where they are asked to be") {
  const Tensor image = random_image({31, 41, 2}, 5);
  const image::Corners whole{{{0, 0}, {40, 0}, {40, 30}, {0, 30}}};
  CHECK(largest_difference(image::perspective(image, whole), image) < 1e-5);
  const image::Corners bent{{{3, 2}, {35, 6}, {39, 27}, {1, 22}}};
  const Tensor seen = image::perspective(image, bent);
  const std::int64_t rows[] = {0, 0, 30, 30}, columns[] = {0, 40, 40, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(at(seen, rows[i], columns[i], 1) ==
          Approx(look_up(image, bent.at[i][0], bent.at[i][1], 1, Border::edge, 0)).margin(1e-4));
  }
  CHECK_THROWS_AS(image::perspective(image, {{{0, 0}, {1, 1}, {2, 2}, {3, 3}}}), NumericError);
}

TEST_CASE("an elastic field has the asked strength and does not depend on threads") {
  const std::int64_t size = 200;
  Tensor ramp = Tensor::empty({size, size, 1});  // shows the horizontal shifts
  for (std::int64_t i = 0; i < size * size; ++i) ramp.data<float>()[i] = static_cast<float>(i % size);
  Rng rng{6};
  const Tensor bent = image::elastic(ramp, 2.0f, 4.0f, rng, {.border = Border::edge});
  double sum = 0, squares = 0, n = 0;
  for (std::int64_t y = 20; y < size - 20; ++y) {
    for (std::int64_t x = 20; x < size - 20; ++x, ++n) {
      const double shift = at(bent, y, x, 0) - static_cast<double>(x);
      sum += shift;
      squares += shift * shift;
    }
  }
  // some 400 independent places: the deviation of 2 is known to 4 %
  CHECK(std::sqrt(squares / n - sum / n * sum / n) == Approx(2.0).epsilon(0.15));
  const Tensor image = random_image({50, 60, 3}, 7);
  CHECK(test::spread_over_machines([&] {
          Rng own{8};
          return image::elastic(image, 1.5f, 3.0f, own);
        }) < 1e-4);
}

TEST_CASE("resizing is the triangle filter of the definition") {
  const Tensor image = random_image({37, 29, 3}, 9);
  for (const auto& [h, w] : {std::pair{37, 29}, {12, 9}, {90, 61}, {1, 1}, {5, 100}}) {
    const Tensor out = image::resize(image, h, w);
    REQUIRE(out.shape() == Shape{h, w, 3});
    const auto weight = [](std::int64_t i, std::int64_t o, std::int64_t in, std::int64_t to) {
      const double ratio = static_cast<double>(in) / static_cast<double>(to);
      const double centre = (static_cast<double>(o) + 0.5) * ratio - 0.5;
      return std::max(0.0, 1.0 - std::abs(static_cast<double>(i) - centre) / std::max(1.0, ratio));
    };
    double worst = 0.0;
    for (std::int64_t y = 0; y < h; ++y) {
      for (std::int64_t x = 0; x < w; ++x) {
        double sum = 0.0, total = 0.0;
        for (std::int64_t i = 0; i < 37; ++i) {
          for (std::int64_t j = 0; j < 29; ++j) {
            const double k = weight(i, y, 37, h) * weight(j, x, 29, w);
            sum += k * at(image, i, j, 2);
            total += k;
          }
        }
        worst = std::max(worst, std::abs(sum / total - at(out, y, x, 2)));
      }
    }
    CHECK(worst < 1e-6);
  }
  const Tensor bytes = random_image({37, 29, 1}, 9, DType::u8);
  Tensor rounded = image::resize(bytes.to(DType::f32), 12, 40);
  for (float& value : rounded.span<float>()) value += 0.5f;
  CHECK(same_bits(image::resize(bytes, 12, 40), rounded.to(DType::u8)));
  CHECK_THROWS_AS(image::resize(image, 0, 3), ShapeError);
}

TEST_CASE("crops and pads are the pieces they name") {
  const Tensor image = random_image({7, 9, 3}, 10, DType::u8);
  const Tensor piece = image::crop(image, 2, 3, 4, 5);
  CHECK(piece.shape() == Shape{4, 5, 3});
  CHECK(at(piece, 3, 4, 2) == at(image, 5, 7, 2));
  const Tensor padded = image::pad(image, 2, 3, {.fill = 9});
  CHECK(same_bits(image::crop(padded, 2, 3, 7, 9), image));
  CHECK(at(padded, 1, 3, 0) == 9);
  CHECK(at(image::pad(image, 2, 3, {.border = Border::reflect}), 1, 3 + 4, 1) == at(image, 0, 4, 1));
  CHECK_THROWS_AS(image::crop(image, 4, 0, 4, 4), ShapeError);
  CHECK_THROWS_AS(image::crop(image, -1, 0, 4, 4), ShapeError);
  CHECK_THROWS_AS(image::pad(image, -1, 0), ShapeError);
  Rng rng{1};
  CHECK(random::Crop{.height = 11, .width = 12, .padding = 2}(image, rng).shape() == Shape{11, 12, 3});
  CHECK_THROWS_AS((random::Crop{.height = 12, .padding = 2}(image, rng)), ShapeError);
}

TEST_CASE("random warps give the same bits for any number of threads, and all instruction sets agree") {
  const Tensor image = random_image({224, 200, 3}, 11), bytes = random_image({64, 90, 3}, 11, DType::u8);
  const random::Affine affine{.shear = {-10, 10}};
  const random::Perspective perspective{};
  const auto run = [](const auto& augment, const Tensor& x) {
    return [&] {
      Rng rng{12};
      return augment(x, rng);
    };
  };
  CHECK(test::spread_over_machines(run(affine, image)) < 1e-3);  // places differ by 1e-5 pixels, by fused rounding
  CHECK(test::spread_over_machines(run(perspective, image)) < 1e-3);
  CHECK(test::spread_over_machines(run(affine, bytes)) <= 1.0);
  CHECK(test::spread_over_machines(run(random::ResizedCrop{.height = 80, .width = 70}, image)) < 1e-5);
}

TEST_CASE("a flip has its probability and a fill is black whatever the dtype") {
  const Tensor image = random_image({2, 3, 1}, 13);
  const random::Flip flip{.left_right = 0.25f};
  Rng rng{14};
  int flipped = 0;
  for (int i = 0; i < 2000; ++i) flipped += same_bits(flip(image, rng), image) ? 0 : 1;
  CHECK(flipped == Approx(500).margin(80));  // four standard deviations
  CHECK(random::fill_value(Tensor::zeros({1, 1, 1}, DType::u8), 0.5f, {-1, 1}) == 127.5f);
  CHECK(random::fill_value(image, 0.0f, {-1, 1}) == -1.0f);
}

}  // namespace
