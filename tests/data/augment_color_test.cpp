// tests/data/augment_color_test.cpp: colours against textbook formulas in double, blur and noise by their statistics.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/filter.hpp>

#include "../test.hpp"
#include "images.hpp"

#include <functional>

using namespace synthdata;
using test::at, test::largest_difference, test::random_image;

namespace {

using Color = std::array<double, 3>;

/// Hue in [0, 6), saturation, value. Source: Smith 1978, "Color gamut transform pairs".
Color to_hsv(const Color& c) {
  const double v = std::max({c[0], c[1], c[2]}), least = std::min({c[0], c[1], c[2]}), chroma = v - least;
  if (chroma == 0) return {0, 0, v};
  double h = 0;
  if (v == c[0]) {
    h = (c[1] - c[2]) / chroma;
  } else if (v == c[1]) {
    h = 2 + (c[2] - c[0]) / chroma;
  } else {
    h = 4 + (c[0] - c[1]) / chroma;
  }
  return {h < 0 ? h + 6 : h, chroma / v, v};
}
Color from_hsv(const Color& c) {
  const int sixth = static_cast<int>(c[0]) % 6;
  const double f = c[0] - std::floor(c[0]), v = c[2], p = v * (1 - c[1]), q = v * (1 - f * c[1]),
               t = v * (1 - (1 - f) * c[1]);
  const Color all[] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
  return all[sixth];
}

/// Applies f to each pixel of an image whose values lie in [low, high], in double, clamped.
double worst_error(const Tensor& image, const Tensor& result, double low, double high,
                   const std::function<Color(Color)>& f) {
  double worst = 0;
  for (std::int64_t y = 0; y < image.shape(0); ++y) {
    for (std::int64_t x = 0; x < image.shape(1); ++x) {
      Color in{};
      for (std::int64_t c = 0; c < 3; ++c) in[static_cast<std::size_t>(c)] = (at(image, y, x, c) - low) / (high - low);
      const Color out = f(in);
      for (std::int64_t c = 0; c < 3; ++c) {
        const double expected = low + std::clamp(out[static_cast<std::size_t>(c)], 0.0, 1.0) * (high - low);
        worst = std::max(worst, std::abs(expected - at(result, y, x, c)));
      }
    }
  }
  return worst;
}

TEST_CASE("colour changes are their textbook formulas, for floats and bytes, with and without alpha") {
  for (const DType dtype : {DType::f32, DType::u8}) {
    for (const std::int64_t channels : {3, 4}) {
      const bool bytes = dtype == DType::u8;
      Tensor image = random_image({17, 23, channels}, 1, dtype);
      const double low = bytes ? 0 : -1, high = bytes ? 255 : 1, allowed = bytes ? 0.51 : 2e-6;
      double mean = 0;
      for (std::int64_t y = 0; y < 17; ++y) {
        for (std::int64_t x = 0; x < 23; ++x) {
          mean += 0.299 * at(image, y, x, 0) + 0.587 * at(image, y, x, 1) + 0.114 * at(image, y, x, 2);
        }
      }
      mean = (mean / (17 * 23) - low) / (high - low);
      const auto each = [](const std::function<double(double)>& f) {
        return [f](Color c) { return Color{f(c[0]), f(c[1]), f(c[2])}; };
      };
      const auto check = [&](const char* name, const Tensor& result, const std::function<Color(Color)>& f,
                             double tolerance = 0.0) {
        INFO(name << " " << name_of(dtype) << " " << channels);
        CHECK(worst_error(image, result, low, high, f) < std::max(allowed, tolerance));
        if (channels == 4) CHECK(at(result, 3, 4, 3) == Approx(at(image, 3, 4, 3)).margin(bytes ? 0 : 1e-6));
      };
      check("brightness", image::brightness(image, 0.3f), each([](double v) { return v + double{0.3f}; }));
      check("contrast", image::contrast(image, 1.7f), each([&](double v) { return mean + double{1.7f} * (v - mean); }));
      check("gamma", image::gamma(image, 0.4f), each([](double v) { return std::pow(v, double{0.4f}); }), 1e-5);
      check("invert", image::invert(image), each([](double v) { return 1 - v; }));
      check("solarize", image::solarize(image, 0.61f), each([](double v) { return v >= double{0.61f} ? 1 - v : v; }));
      check("saturation", image::saturation(image, 1.6f), [](Color c) {
        const double grey = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
        for (double& v : c) v = grey + double{1.6f} * (v - grey);
        return c;
      });
      for (const float turn : {0.0f, 0.1f, -0.3f, 0.5f, 0.999f}) {
        check(
            "hue", image::hue(image, turn),
            [&](Color c) {
              Color hsv = to_hsv(c);
              hsv[0] = std::fmod(hsv[0] + 6.0 * double{turn} + 12.0, 6.0);
              return from_hsv(hsv);
            },
            1e-5);  // a hue of up to 18 sixths is a float
      }
    }
  }
}

TEST_CASE("no change is no change") {
  for (const DType dtype : {DType::f32, DType::u8}) {
    for (const std::int64_t channels : {1, 2, 3, 4}) {
      const Tensor image = random_image({30, 11, channels}, 2, dtype);
      const double allowed = dtype == DType::u8 ? 0.0 : 1e-6;
      CHECK(largest_difference(image::brightness(image, 0), image) <= allowed);
      CHECK(largest_difference(image::contrast(image, 1), image) <= allowed);
      CHECK(largest_difference(image::saturation(image, 1), image) <= allowed);
      CHECK(largest_difference(image::hue(image, 0), image) <= 10 * allowed);
      CHECK(largest_difference(image::hue(image, 1), image) <= 10 * allowed);
      CHECK(largest_difference(image::sharpen(image, 1), image) <= allowed);
      CHECK(same_bits(image::gaussian_blur(image, 0), image));
      if (dtype == DType::u8) CHECK(same_bits(image::posterize(image, 8), image));
      if (channels < 3) CHECK(largest_difference(image::hue(image, 0.3f), image) <= allowed);
    }
  }
}

TEST_CASE("posterize keeps the upper bits of a byte, autocontrast stretches each channel") {
  const Tensor image = random_image({20, 20, 3}, 3, DType::u8);
  const Tensor few = image::posterize(image, 3);
  for (std::int64_t i = 0; i < image.size(); ++i) {
    REQUIRE(few.data<std::uint8_t>()[i] == (image.data<std::uint8_t>()[i] & 0xe0));
  }
  Tensor dull = Tensor::empty({1, 4, 1}, DType::u8);
  const int values[] = {50, 60, 75, 100};
  for (int i = 0; i < 4; ++i) dull.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(values[i]);
  const Tensor bright = image::autocontrast(dull);
  CHECK(at(bright, 0, 0, 0) == 0);
  CHECK(at(bright, 0, 1, 0) == 51);
  CHECK(at(bright, 0, 3, 0) == 255);
  const Tensor flat = Tensor::full({2, 2, 3}, 0.3);
  CHECK(same_bits(image::autocontrast(flat), flat));
}

TEST_CASE("a blur is the Gaussian mean of the mirrored image") {
  const Tensor image = random_image({15, 40, 2}, 4);
  for (const float sigma : {0.4f, 1.3f, 6.0f}) {
    const Tensor out = image::gaussian_blur(image, sigma);
    const auto reach = static_cast<std::int64_t>(std::ceil(4 * double{sigma}));
    const auto fold = [](std::int64_t i, std::int64_t n) {
      const std::int64_t at_period = (i % (2 * n) + 2 * n) % (2 * n);
      return at_period < n ? at_period : 2 * n - 1 - at_period;
    };
    double worst = 0;
    for (const auto& [y, x] : {std::pair{0, 0}, {7, 20}, {14, 39}, {3, 1}}) {
      double sum = 0, total = 0;
      for (std::int64_t i = -reach; i <= reach; ++i) {
        for (std::int64_t j = -reach; j <= reach; ++j) {
          const double k = std::exp(-0.5 * static_cast<double>(i * i + j * j) / (double{sigma} * double{sigma}));
          sum += k * at(image, fold(y + i, 15), fold(x + j, 40), 1);
          total += k;
        }
      }
      worst = std::max(worst, std::abs(sum / total - at(out, y, x, 1)));
    }
    CHECK(worst < 1e-6);
  }
  CHECK_THROWS_AS(image::gaussian_blur(image, -1), NumericError);
}

TEST_CASE("noise has the asked deviation and stays in the range") {
  Rng rng{5};
  const Tensor grey = Tensor::zeros({200, 200, 1});
  const Tensor noisy = image::gaussian_noise(grey, 0.1f, rng);
  double sum = 0, squares = 0;
  for (const float v : noisy.span<float>()) {
    sum += double{v};
    squares += double{v} * double{v};
  }
  CHECK(sum / 40000 == Approx(0).margin(4 * 0.2 / 200));
  CHECK(std::sqrt(squares / 40000) == Approx(0.2).epsilon(0.02));  // a tenth of a range of 2
  const Tensor loud = image::gaussian_noise(grey, 3.0f, rng);
  for (const float v : loud.span<float>()) REQUIRE(std::abs(v) <= 1.0f);
}

TEST_CASE("a cutout is a rectangle of one value") {
  const Tensor image = random_image({10, 12, 3}, 6);
  const Tensor cut = image::cut_out(image, -2, 9, 5, 50, 0.25f);
  for (std::int64_t y = 0; y < 10; ++y) {
    for (std::int64_t x = 0; x < 12; ++x) CHECK(at(cut, y, x, 1) == (y < 3 && x >= 9 ? 0.25 : at(image, y, x, 1)));
  }
  CHECK(same_bits(image, random_image({10, 12, 3}, 6)));  // the operand stays
  Rng rng{7};
  const Tensor several = random::Cutout{.count = 3, .fill = 1.0f}(Tensor::zeros({40, 40, 1}), rng);
  CHECK(at(several, 0, 0, 0) * 0 == 0);
  CHECK(std::count(several.data<float>(), several.data<float>() + 1600, 1.0f) > 100);
}

TEST_CASE("colours and filters agree for all instruction sets and numbers of threads") {
  const Tensor image = random_image({200, 190, 3}, 8), bytes = random_image({64, 61, 3}, 9, DType::u8);
  CHECK(test::spread_over_machines([&] { return image::hue(image, 0.2f); }) < 1e-5);
  CHECK(test::spread_over_machines([&] { return image::gamma(image, 2.2f); }) < 1e-5);
  CHECK(test::spread_over_machines([&] { return image::contrast(bytes, 1.3f); }) <= 1.0);
  CHECK(test::spread_over_machines([&] { return image::gaussian_blur(image, 2.0f); }) < 1e-5);
  CHECK(test::spread_over_machines([&] { return image::sharpen(bytes, 1.5f); }) <= 1.0);
}

}  // namespace
