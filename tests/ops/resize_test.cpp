// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/resize.hpp>

#include "../test.hpp"

#include <algorithm>
#include <limits>

using namespace synthdata;

namespace {

double pixel(const Tensor& x, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
  return x.data<double>()[((n * x.shape(1) + h) * x.shape(2) + w) * x.shape(3) + c];
}

/// Calls value(n, h, w, c) for every element of y and compares.
template <class F>
bool matches(const Tensor& y, const F& value, double tolerance = 1e-12) {
  const Tensor wide = y.to(DType::f64);
  for (std::int64_t n = 0; n < y.shape(0); ++n) {
    for (std::int64_t h = 0; h < y.shape(1); ++h) {
      for (std::int64_t w = 0; w < y.shape(2); ++w) {
        for (std::int64_t c = 0; c < y.shape(3); ++c) {
          if (!(std::fabs(pixel(wide, n, h, w, c) - value(n, h, w, c)) <= tolerance)) return false;
        }
      }
    }
  }
  return true;
}

/// Where the centre of pixel i of the result lies in the input.
double source(std::int64_t i, std::int64_t in, std::int64_t out) {
  return (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
}

}  // namespace

TEST_CASE("resize_nearest and resize_bilinear agree with their definitions") {
  Rng rng{1};
  const std::int64_t channels = GENERATE(1, 3, 20);
  const auto size = GENERATE(Shape{10, 14}, Shape{5, 7}, Shape{3, 4}, Shape{13, 3}, Shape{1, 1}, Shape{2, 21});
  const Tensor x = normal({2, 5, 7, channels}, rng, DType::f64);
  const ResizeOptions to{.height = size[0], .width = size[1]};
  const Tensor nearest = resize_nearest(x, to).value(), bilinear = resize_bilinear(x, to).value();
  REQUIRE(nearest.shape() == Shape{2, size[0], size[1], channels});
  REQUIRE(bilinear.shape() == nearest.shape());
  CHECK(matches(nearest, [&](auto n, auto h, auto w, auto c) {
    // The centre belongs to the pixel whose interval [i, i + 1) holds it; 1e-9 is above the rounding of this formula.
    const auto closest = [](double at) { return static_cast<std::int64_t>(std::floor(at + 0.5 + 1e-9)); };
    return pixel(x, n, closest(source(h, 5, size[0])), closest(source(w, 7, size[1])), c);
  }));
  const auto clamped = [&](std::int64_t n, double h, double w, std::int64_t c) {
    const auto in = [](double at, std::int64_t extent) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(at), 0, extent - 1);
    };
    return pixel(x, n, in(h, 5), in(w, 7), c);
  };
  const auto expected = [&](auto n, auto i, auto j, auto c) {
    const double h = source(i, 5, size[0]), w = source(j, 7, size[1]), h0 = std::floor(h), w0 = std::floor(w);
    return (1.0 - (h - h0)) * ((1.0 - (w - w0)) * clamped(n, h0, w0, c) + (w - w0) * clamped(n, h0, w0 + 1, c)) +
           (h - h0) * ((1.0 - (w - w0)) * clamped(n, h0 + 1, w0, c) + (w - w0) * clamped(n, h0 + 1, w0 + 1, c));
  };
  CHECK(matches(bilinear, expected));
  CHECK(matches(resize_bilinear(x.to(DType::f32), to).value(), expected, 1e-5));
}

TEST_CASE("a scale stands for both extents") {
  Rng rng{2};
  const Tensor x = normal({1, 4, 6, 2}, rng);
  CHECK(resize_bilinear(x, {.scale = 0.5}).shape() == Shape{1, 2, 3, 2});
  CHECK(resize_nearest(x, {.scale = 1.6}).shape() == Shape{1, 6, 9, 2});
  CHECK(same_bits(upsample_nearest(x, 3).value(), resize_nearest(x, {.height = 12, .width = 18}).value()));
  CHECK(matches(upsample_nearest(x, 3).value(),
                [wide = x.to(DType::f64)](auto n, auto h, auto w, auto c) { return pixel(wide, n, h / 3, w / 3, c); }));
  CHECK(same_bits(resize_bilinear(x, {.scale = 1}).value(), x));
}

TEST_CASE("pixel_shuffle has PyTorch's order of channels") {
  const Tensor x = arange(2 * 2 * 3 * 12, DType::f64).reshape({2, 2, 3, 12});
  const Tensor y = pixel_shuffle(x, 2).value();
  REQUIRE(y.shape() == Shape{2, 4, 6, 3});
  CHECK(
      matches(y, [&](auto n, auto h, auto w, auto c) { return pixel(x, n, h / 2, w / 2, c * 4 + h % 2 * 2 + w % 2); }));
  CHECK(same_bits(pixel_unshuffle(y, 2).value(), x));
}

TEST_CASE("resizing has the right first and second derivatives") {
  Rng rng{3};
  const std::vector<Tensor> at = {normal({2, 4, 3, 4}, rng, DType::f64)};
  using V = const std::vector<Var>&;
  const auto check = [&](const auto& f) {
    CHECK(gradcheck(f, at).worst_relative < 1e-8);
    CHECK(gradgradcheck([&](V v) { return square(f(v)); }, at).worst_relative < 1e-7);
  };
  check([](V v) { return resize_nearest(v[0], {.height = 7, .width = 2}); });
  check([](V v) { return resize_bilinear(v[0], {.height = 7, .width = 2}); });
  check([](V v) { return resize_bilinear(v[0], {.height = 3, .width = 6}); });
  check([](V v) { return upsample_nearest(v[0], 2); });
  check([](V v) { return pixel_shuffle(v[0], 2); });
  check([](V v) { return pixel_unshuffle(resize_nearest(v[0], {.scale = 2}), 2); });
}

TEST_CASE("resizing gives the same bits for any number of threads") {
  Rng rng{4};
  const Var x = leaf(normal({3, 40, 30, 17}, rng));
  const auto run = [&] {
    const Var y = resize_bilinear(x, {.height = 71, .width = 64}) + resize_nearest(x, {.height = 71, .width = 64});
    return std::vector<Tensor>{y.value(), grad(sum(square(y)), x).value()};
  };
  set_threads(1);
  const std::vector<Tensor> expected = run();
  set_threads(3);
  const std::vector<Tensor> got = run();
  set_threads(0);
  CHECK(same_bits(got[0], expected[0]));
  CHECK(same_bits(got[1], expected[1]));
}

TEST_CASE("resizing names what does not fit") {
  const Tensor x = Tensor::zeros({1, 4, 6, 3});
  CHECK_THROWS_WITH(resize_nearest(x, {}), ContainsSubstring("either height and width or a scale"));
  CHECK_THROWS_AS(resize_nearest(x, {.height = 3, .width = 3, .scale = 2}), ShapeError);
  CHECK_THROWS_WITH(resize_bilinear(x, {.height = 3}),
                    ContainsSubstring("cannot turn [1, 4, 6, 3] f32 into height 3 and width 0"));
  CHECK_THROWS_WITH(resize_bilinear(x, {.scale = 0.1}), ContainsSubstring("(scale 0.1)"));
  CHECK_THROWS_AS(resize_bilinear(x, {.scale = std::numeric_limits<double>::quiet_NaN()}), ShapeError);
  CHECK_THROWS_AS(resize_bilinear(x, {.height = INT64_MAX, .width = 1}), ShapeError);
  CHECK_THROWS_WITH(resize_bilinear(Tensor::zeros({4, 6, 3}), {.scale = 2}),
                    ContainsSubstring("expects [N, H, W, C], got [4, 6, 3] f32"));
  CHECK_THROWS_WITH(pixel_shuffle(x, 2), ContainsSubstring("factor 2 squared does not divide the channels"));
  CHECK_THROWS_AS(pixel_shuffle(x, 0), ShapeError);
  CHECK_THROWS_AS(pixel_unshuffle(x, 4), ShapeError);
  CHECK_THROWS_AS(upsample_nearest(x, 0), ShapeError);
  CHECK_THROWS_AS(resize_nearest(Tensor::zeros({1, 4, 6, 3}, DType::u8), {.scale = 2}), DTypeError);
}
