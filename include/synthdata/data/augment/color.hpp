// synthdata/data/augment/color.hpp: brightness, contrast, saturation, hue and the like.
//
// Images are [H, W, C], u8 or f32; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA, and alpha is kept. f32 values lie in
// `range`, u8 in 0 ... 255; formulas are in units where black is 0 and white 1, and results are clamped to that.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {
namespace image {

/// x + amount
Tensor brightness(const Tensor& image, float amount, ValueRange range = {-1, 1});
/// m + factor (x - m), with m the mean of the image's grey values.
Tensor contrast(const Tensor& image, float factor, ValueRange range = {-1, 1});
/// x + (factor - 1) (x - grey): 0 is grey, 1 the image. Grey is 0.299 R + 0.587 G + 0.114 B; grey images stay as they
/// are.
Tensor saturation(const Tensor& image, float factor, ValueRange range = {-1, 1});
/// The hue of the HSV model moved by a share of the full circle; grey images stay as they are.
Tensor hue(const Tensor& image, float turn, ValueRange range = {-1, 1});
/// x^exponent. @throws NumericError unless exponent > 0
Tensor gamma(const Tensor& image, float exponent, ValueRange range = {-1, 1});
/// 1 - x
Tensor invert(const Tensor& image, ValueRange range = {-1, 1});
/// 1 - x where x >= threshold.
Tensor solarize(const Tensor& image, float threshold, ValueRange range = {-1, 1});
/// Rounded down to 2^bits levels, so that 8 bits change no byte. @throws NumericError unless 1 <= bits <= 8
Tensor posterize(const Tensor& image, std::int64_t bits, ValueRange range = {-1, 1});
/// Stretched so that the smallest value of each channel becomes 0 and the largest 1; a flat channel stays as it is.
Tensor autocontrast(const Tensor& image, ValueRange range = {-1, 1});

}  // namespace image

namespace random {

struct Brightness {
  ValueRange amount = {-0.2f, 0.2f};
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "brightness";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("amount", self.amount, -1.0, 1.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::brightness(image, draw(amount, rng), range); }
};

struct Contrast {
  ValueRange factor = {0.8f, 1.25f};
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "contrast";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("factor", self.factor, 0.0, 100.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::contrast(image, draw(factor, rng), range); }
};

struct Saturation {
  ValueRange factor = {0.7f, 1.4f};
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "saturation";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("factor", self.factor, 0.0, 100.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::saturation(image, draw(factor, rng), range); }
};

struct Hue {
  ValueRange turn = {-0.05f, 0.05f};  ///< 1 is the full circle
  ValueRange range = {-1, 1};         ///< of f32 images

  static constexpr const char* name = "hue";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("turn", self.turn, -1.0, 1.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::hue(image, draw(turn, rng), range); }
};

struct Gamma {
  ValueRange exponent = {0.8f, 1.25f};
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "gamma";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("exponent", self.exponent, 0.01, 100.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::gamma(image, draw(exponent, rng), range); }
};

struct Invert {
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "invert";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng&) const { return image::invert(image, range); }
};

struct Solarize {
  ValueRange threshold = {0.5f, 1.0f};
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "solarize";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("threshold", self.threshold, 0.0, 2.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::solarize(image, draw(threshold, rng), range); }
};

struct Posterize {
  std::int64_t bits = 4;
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "posterize";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("bits", self.bits, 1.0, 8.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng&) const { return image::posterize(image, bits, range); }
};

struct AutoContrast {
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "autocontrast";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng&) const { return image::autocontrast(image, range); }
};

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/color_impl.hpp>
#endif
