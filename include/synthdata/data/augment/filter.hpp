// synthdata/data/augment/filter.hpp: images smoothed, sharpened, disturbed by noise, with a piece cut out.
//
// Images are [H, W, C], u8 or f32. f32 values lie in `range`, u8 in 0 ... 255; strengths are shares of that.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {
namespace image {

/// Gaussian smoothing, pixels to four standard deviations away; the border is mirrored.
/// @param sigma  pixels; 0 changes nothing. @throws NumericError unless 0 <= sigma <= 1000
Tensor gaussian_blur(const Tensor& image, float sigma);
/// image + (amount - 1) (image - blurred), clamped to the range: 0 is the blurred image, 1 the image, 2 a sharper one.
Tensor sharpen(const Tensor& image, float amount, ValueRange range = {-1, 1});
/// Normal noise of standard deviation `std`, a share of the range, on every value; clamped to the range.
Tensor gaussian_noise(const Tensor& image, float std, Rng& rng, ValueRange range = {-1, 1});
/// Rows [y, y + height) and columns [x, x + width), as far as they exist, set to `value`, in the unit of the image.
Tensor cut_out(const Tensor& image, std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width,
               float value);

}  // namespace image

namespace random {

struct Blur {
  ValueRange sigma = {0.1f, 1.5f};  ///< pixels

  static constexpr const char* name = "blur";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("sigma", self.sigma, 0.0, 1000.0);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::gaussian_blur(image, draw(sigma, rng)); }
};

struct Sharpness {
  ValueRange amount = {0.5f, 2.0f};  ///< below 1 blurs, above sharpens
  ValueRange range = {-1, 1};        ///< of f32 images

  static constexpr const char* name = "sharpness";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("amount", self.amount, 0.0, 100.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const { return image::sharpen(image, draw(amount, rng), range); }
};

struct Noise {
  ValueRange std = {0.0f, 0.1f};  ///< share of the range
  ValueRange range = {-1, 1};     ///< of f32 images

  static constexpr const char* name = "noise";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("std", self.std, 0.0, 100.0);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// Rectangles set to one value; a centre may lie anywhere, so that a piece of one can be beyond the border. Source:
/// DeVries and Taylor 2017, arXiv:1708.04552.
struct Cutout {
  ValueRange size = {0.25f, 0.5f};  ///< of the sides, each a share of the image's
  std::int64_t count = 1;
  float fill = 0.5f;           ///< 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "cutout";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("size", self.size, 0.0, 1.0);
    v("count", self.count, 0.0, 1000.0);
    v("fill", self.fill);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/filter_impl.hpp>
#endif
