// synthdata/data/augment/geometry.hpp: images moved, turned, cut and bent.
//
// Images are [H, W, C], u8 or f32. namespace image has the plain functions, namespace random the augmentations. Pixel
// centres lie at whole numbers, x to the right and y down.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {
namespace image {

/// How an image is looked up between its pixels and beyond its border; fill is in the unit of the image.
using Sampling = backend::WarpOptions;

/// Mirrored left-right, top-bottom or both.
Tensor flip(const Tensor& image, bool left_right, bool top_bottom = false);
/// Rows [y, y + height) and columns [x, x + width). @throws ShapeError unless they are within the image.
Tensor crop(const Tensor& image, std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width);
/// `rows` more at top and bottom, `columns` more left and right. @throws ShapeError for negative numbers.
Tensor pad(const Tensor& image, std::int64_t rows, std::int64_t columns, const Sampling& sampling = {});
/// Weighted mean of the pixels nearby: bilinear when the image grows, a triangle as wide as the step between the
/// results when it shrinks, so that nothing is left out. Border::edge. @throws ShapeError unless both extents are
/// positive.
Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width);

/// What is done to an image about its centre: sheared, scaled, turned counter-clockwise, then shifted.
struct AffineMap {
  double degrees = 0.0;
  double scale = 1.0;
  double shear = 0.0;                   ///< degrees that vertical lines lean to the left
  double shift_x = 0.0, shift_y = 0.0;  ///< pixels
};
/// @throws NumericError unless scale > 0 and all is finite.
Tensor affine(const Tensor& image, const AffineMap& map, const Sampling& sampling = {});
/// Turned counter-clockwise about the centre; exact for multiples of 90 degrees of a square.
inline Tensor rotate(const Tensor& image, double degrees, const Sampling& sampling = {}) {
  return affine(image, {.degrees = degrees}, sampling);
}
/// Where the corners of the result lie in the image, as x, y: top left, top right, bottom right, bottom left.
struct Corners {
  double at[4][2];
};
/// The plane seen from another place. @throws NumericError if three corners lie on a line.
Tensor perspective(const Tensor& image, const Corners& corners, const Sampling& sampling = {});
/// Bent by a random field. Source: Simard et al. 2003, "Best practices for convolutional neural networks", ICDAR; here
/// the strength is the standard deviation of the shifts.
/// @param amplitude  pixels, >= 0
/// @param sigma      pixels, of the Gaussian that smooths the field, > 0
Tensor elastic(const Tensor& image, float amplitude, float sigma, Rng& rng, const Sampling& sampling = {});

}  // namespace image

namespace random {

/// The fill of an augmentation, 0 for the low end of an image's values and 1 for the high one, in the unit of the
/// image: u8 are 0 ... 255, f32 lie in `range`.
float fill_value(const Tensor& image, float fill, const ValueRange& range);

/// Mirrors with these probabilities.
struct Flip {
  float left_right = 0.5f, top_bottom = 0.0f;

  static constexpr const char* name = "flip";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("left_right", self.left_right, 0.0, 1.0);
    v("top_bottom", self.top_bottom, 0.0, 1.0);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// A piece at a random place of the image after `padding` pixels were put around it.
struct Crop {
  std::int64_t height = 0, width = 0;  ///< 0: those of the image
  std::int64_t padding = 0;
  Border border = Border::constant;
  float fill = 0.0f;           ///< 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "crop";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("height", self.height, 0.0, 1e6);
    v("width", self.width, 0.0, 1e6);
    v("padding", self.padding, 0.0, 1e6);
    v("border", self.border);
    v("fill", self.fill);
    v("range", self.range);
  }
  /// @throws ShapeError if the padded image is smaller than the piece.
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// A piece of random area and aspect, resized. Source: Szegedy et al. 2015, arXiv:1409.4842, section 6.
struct ResizedCrop {
  std::int64_t height = 0, width = 0;      ///< 0: those of the image
  ValueRange area = {0.4f, 1.0f};          ///< share of the image
  ValueRange aspect = {0.75f, 1.333333f};  ///< width by height of the piece, drawn evenly on a log scale

  static constexpr const char* name = "resized_crop";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("height", self.height, 0.0, 1e6);
    v("width", self.width, 0.0, 1e6);
    v("area", self.area, 1e-6, 1.0);
    v("aspect", self.aspect, 1e-3, 1e3);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// Always the same size; the step of a policy that makes images of a folder alike.
struct Resize {
  std::int64_t height = 1, width = 1;

  static constexpr const char* name = "resize";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("height", self.height, 1.0, 1e6);
    v("width", self.width, 1.0, 1e6);
  }
  Tensor operator()(const Tensor& image, Rng&) const { return image::resize(image, height, width); }
};

/// Turned, scaled, sheared and shifted about the centre.
struct Affine {
  ValueRange degrees = {-15, 15};
  ValueRange scale = {0.9f, 1.1f};
  ValueRange shear = {0, 0};                                    ///< degrees
  ValueRange shift_x = {-0.1f, 0.1f}, shift_y = {-0.1f, 0.1f};  ///< shares of width and height
  Interpolation interpolation = Interpolation::bilinear;
  Border border = Border::constant;
  float fill = 0.0f;           ///< 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "affine";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("degrees", self.degrees, -1e6, 1e6);
    v("scale", self.scale, 1e-3, 1e3);
    v("shear", self.shear, -89.0, 89.0);
    v("shift_x", self.shift_x, -1e3, 1e3);
    v("shift_y", self.shift_y, -1e3, 1e3);
    v("interpolation", self.interpolation);
    v("border", self.border);
    v("fill", self.fill);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// Turned about the centre.
struct Rotate {
  ValueRange degrees = {-15, 15};
  Border border = Border::constant;
  float fill = 0.0f;           ///< 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "rotate";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("degrees", self.degrees, -1e6, 1e6);
    v("border", self.border);
    v("fill", self.fill);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// Each corner is moved inwards by up to this share of half the image.
struct Perspective {
  float distortion = 0.3f;
  Border border = Border::constant;
  float fill = 0.0f;           ///< 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "perspective";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("distortion", self.distortion, 0.0, 0.9);
    v("border", self.border);
    v("fill", self.fill);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

/// Bent as by a hand that trembles.
struct Elastic {
  ValueRange amplitude = {0.0f, 1.0f};  ///< standard deviation of the shifts, pixels
  float sigma = 4.0f;                   ///< smoothness, pixels
  Border border = Border::edge;
  float fill = 0.0f;           ///< 0 black ... 1 white
  ValueRange range = {-1, 1};  ///< of f32 images

  static constexpr const char* name = "elastic";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("amplitude", self.amplitude, 0.0, 1e3);
    v("sigma", self.sigma, 0.1, 100.0);
    v("border", self.border);
    v("fill", self.fill);
    v("range", self.range);
  }
  Tensor operator()(const Tensor& image, Rng& rng) const;
};

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/geometry_impl.hpp>
#endif
