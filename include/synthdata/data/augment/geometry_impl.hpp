// synthdata/data/augment/geometry_impl.hpp: bodies of data/augment/geometry.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/pixels.hpp>
#include <synthdata/data/augment/separable.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE Tensor image::flip(const Tensor& image, bool left_right, bool top_bottom) {
  detail::check_pixels("flip", image);
  const Tensor mirrored = left_right ? detail::mirror_columns(image) : image;
  if (!top_bottom) return mirrored;
  Tensor out = Tensor::empty(image.shape(), image.dtype(), Device::cpu());
  const std::int64_t rows = image.shape(0), bytes = image.size_bytes() / rows;
  const auto* from = static_cast<const std::byte*>(mirrored.bytes());
  auto* to = static_cast<std::byte*>(out.bytes());
  for (std::int64_t y = 0; y < rows; ++y) std::copy_n(from + (rows - 1 - y) * bytes, bytes, to + y * bytes);
  return out;
}

SYNTHDATA_INLINE Tensor image::crop(const Tensor& image, std::int64_t y, std::int64_t x, std::int64_t height,
                                    std::int64_t width) {
  detail::check_pixels("crop", image);
  if (y < 0 || x < 0 || height < 1 || width < 1 || height > image.shape(0) - y || width > image.shape(1) - x) {
    throw_shape("crop",
                concat("rows ", y, " + ", height, " and columns ", x, " + ", width, " are not within the image"),
                {{"image", image}});
  }
  if (height == image.shape(0) && width == image.shape(1)) return image;
  Tensor out = Tensor::empty({height, width, image.shape(2)}, image.dtype(), Device::cpu());
  const std::int64_t pixel = image.size_bytes() / (image.shape(0) * image.shape(1));
  const std::int64_t from_bytes = image.shape(1) * pixel, to_bytes = width * pixel;
  const auto* from = static_cast<const std::byte*>(image.bytes()) + y * from_bytes + x * pixel;
  auto* to = static_cast<std::byte*>(out.bytes());
  for (std::int64_t row = 0; row < height; ++row) std::copy_n(from + row * from_bytes, to_bytes, to + row * to_bytes);
  return out;
}

SYNTHDATA_INLINE Tensor image::pad(const Tensor& image, std::int64_t rows, std::int64_t columns,
                                   const Sampling& sampling) {
  detail::check_pixels("pad", image);
  constexpr std::int64_t most = 1 << 20;
  if (rows < 0 || columns < 0 || rows > most || columns > most) {
    throw ShapeError(concat("pad: expects rows and columns in 0 ... ", most, ", got ", rows, " and ", columns));
  }
  if (rows == 0 && columns == 0) return image;
  Sampling nearest = sampling;
  nearest.interpolation = Interpolation::nearest;
  return backend::warp(image, image.shape(0) + 2 * rows, image.shape(1) + 2 * columns,
                       {{1, 0, -static_cast<double>(columns), 0, 1, -static_cast<double>(rows), 0, 0, 1}}, nearest);
}

SYNTHDATA_INLINE Tensor image::resize(const Tensor& image, std::int64_t height, std::int64_t width) {
  detail::check_pixels("resize", image);
  constexpr std::int64_t most = 1 << 20;
  if (height < 1 || width < 1 || height > most || width > most) {
    throw ShapeError(concat("resize: expects extents in 1 ... ", most, ", got ", height, " x ", width));
  }
  if (height == image.shape(0) && width == image.shape(1)) return image;
  return detail::filter_axes("resize", image, detail::resize_weights(image.shape(0), height),
                             detail::resize_weights(image.shape(1), width));
}

namespace detail {

/// cos and sin of an angle in degrees, exact for multiples of 90.
SYNTHDATA_INLINE void cos_sin(double degrees, double& c, double& s) {
  const double quarters = std::round(degrees / 90.0), rest = (degrees - 90.0 * quarters) * 0.017453292519943295;
  const double cr = std::cos(rest), sr = std::sin(rest);
  const auto quadrant = static_cast<int>(std::fmod(std::fmod(quarters, 4.0) + 4.0, 4.0));
  c = quadrant == 0 ? cr : quadrant == 1 ? -sr : quadrant == 2 ? -cr : sr;
  s = quadrant == 0 ? sr : quadrant == 1 ? cr : quadrant == 2 ? -sr : -cr;
}

/// a b
SYNTHDATA_INLINE backend::PlaneMap product(const backend::PlaneMap& a, const backend::PlaneMap& b) {
  backend::PlaneMap out;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      out.m[3 * i + j] = 0.0;
      for (int k = 0; k < 3; ++k) out.m[3 * i + j] += a.m[3 * i + k] * b.m[3 * k + j];
    }
  }
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor image::affine(const Tensor& image, const AffineMap& map, const Sampling& sampling) {
  detail::check_pixels("affine", image);
  const double lean = std::tan(map.shear * 0.017453292519943295);
  const double sum = map.degrees + map.scale + lean + map.shift_x + map.shift_y;
  if (!(map.scale > 0.0) || !(std::abs(sum) < 1e12)) {
    throw NumericError(concat("affine: expects scale > 0 and finite numbers, got degrees ", map.degrees, ", scale ",
                              map.scale, ", shear ", map.shear, ", shift ", map.shift_x, ", ", map.shift_y));
  }
  const double cx = 0.5 * static_cast<double>(image.shape(1) - 1), cy = 0.5 * static_cast<double>(image.shape(0) - 1);
  double c = 0, s = 0;
  detail::cos_sin(map.degrees, c, s);
  // from the result back: shift, turn (y points down, so counter-clockwise is this way round), scale, shear
  const backend::PlaneMap to_centre{{1, 0, -cx - map.shift_x, 0, 1, -cy - map.shift_y, 0, 0, 1}};
  const backend::PlaneMap turn{{c / map.scale, -s / map.scale, 0, s / map.scale, c / map.scale, 0, 0, 0, 1}};
  const backend::PlaneMap shear{{1, -lean, 0, 0, 1, 0, 0, 0, 1}};
  const backend::PlaneMap from_centre{{1, 0, cx, 0, 1, cy, 0, 0, 1}};
  return backend::warp(image, image.shape(0), image.shape(1),
                       detail::product(from_centre, detail::product(shear, detail::product(turn, to_centre))),
                       sampling);
}

SYNTHDATA_INLINE Tensor image::perspective(const Tensor& image, const Corners& corners, const Sampling& sampling) {
  detail::check_pixels("perspective", image);
  const auto& p = corners.at;
  // The unit square onto a quadrilateral. Source: Heckbert 1989, "Fundamentals of texture mapping and image warping".
  const double dx1 = p[1][0] - p[2][0], dx2 = p[3][0] - p[2][0], sx = p[0][0] - p[1][0] + p[2][0] - p[3][0];
  const double dy1 = p[1][1] - p[2][1], dy2 = p[3][1] - p[2][1], sy = p[0][1] - p[1][1] + p[2][1] - p[3][1];
  const double area = dx1 * dy2 - dx2 * dy1;
  if (!(std::abs(area) > 1e-9) || !(std::abs(area) < 1e18)) {
    throw NumericError("perspective: expects four corners, no three of them on a line");
  }
  const double g = (sx * dy2 - dx2 * sy) / area, h = (dx1 * sy - sx * dy1) / area;
  const backend::PlaneMap square{{p[1][0] - p[0][0] + g * p[1][0], p[3][0] - p[0][0] + h * p[3][0], p[0][0],
                                  p[1][1] - p[0][1] + g * p[1][1], p[3][1] - p[0][1] + h * p[3][1], p[0][1], g, h, 1}};
  const auto unit = [](std::int64_t extent) {
    return 1.0 / static_cast<double>(std::max<std::int64_t>(1, extent - 1));
  };
  const backend::PlaneMap to_unit{{unit(image.shape(1)), 0, 0, 0, unit(image.shape(0)), 0, 0, 0, 1}};
  return backend::warp(image, image.shape(0), image.shape(1), detail::product(square, to_unit), sampling);
}

SYNTHDATA_INLINE Tensor image::elastic(const Tensor& image, float amplitude, float sigma, Rng& rng,
                                       const Sampling& sampling) {
  detail::check_pixels("elastic", image);
  if (!(amplitude >= 0.0f && amplitude < 1e6f) || !(sigma > 0.0f && sigma <= 1000.0f)) {
    throw NumericError(concat("elastic: expects amplitude >= 0 and sigma in (0, 1000], got ", amplitude, ", ", sigma));
  }
  const std::int64_t h = image.shape(0), w = image.shape(1);
  const Tensor field = uniform({h, w, 2}, rng, DType::f32, -1.0, 1.0);
  const detail::AxisWeights rows = detail::gaussian_weights(h, sigma), columns = detail::gaussian_weights(w, sigma);
  Tensor shifts = detail::filter_axes("elastic", field, rows, columns);
  // A mean with weights k of values of variance 1/3 has the variance sum k^2 / 3; far from the border it is the same
  // all over.
  const auto squares = [](const detail::AxisWeights& axis) {
    double sum = 0.0;
    const auto taps = static_cast<std::size_t>(axis.taps), middle = static_cast<std::size_t>(axis.results / 2) * taps;
    for (std::size_t t = 0; t < taps; ++t) sum += axis.weights[middle + t] * double{axis.weights[middle + t]};
    return sum;
  };
  const auto scale = static_cast<float>(double{amplitude} / std::sqrt(squares(rows) * squares(columns) / 3.0));
  for (float& shift : shifts.span<float>()) shift *= scale;
  return backend::warp(image, shifts, sampling);
}

SYNTHDATA_INLINE float random::fill_value(const Tensor& image, float fill, const ValueRange& range) {
  const ValueRange units = detail::pixel_range(image, range);
  return units.low + fill * (units.high - units.low);
}

SYNTHDATA_INLINE Tensor random::Flip::operator()(const Tensor& image, Rng& rng) const {
  const bool mirrored = rng.uniform() < left_right, upside_down = rng.uniform() < top_bottom;
  return image::flip(image, mirrored, upside_down);
}

SYNTHDATA_INLINE Tensor random::Crop::operator()(const Tensor& image, Rng& rng) const {
  detail::check_pixels("crop", image);
  const Tensor padded = image::pad(image, padding, padding, {.border = border, .fill = fill_value(image, fill, range)});
  const std::int64_t rows = height > 0 ? height : image.shape(0), columns = width > 0 ? width : image.shape(1);
  if (rows > padded.shape(0) || columns > padded.shape(1)) {
    throw_shape("crop", concat("expects an image of at least ", rows, " x ", columns, " pixels with padding ", padding),
                {{"image", image}});
  }
  const std::int64_t y = rng.below(padded.shape(0) - rows + 1), x = rng.below(padded.shape(1) - columns + 1);
  return image::crop(padded, y, x, rows, columns);
}

SYNTHDATA_INLINE Tensor random::ResizedCrop::operator()(const Tensor& image, Rng& rng) const {
  detail::check_pixels("resized_crop", image);
  const auto h = static_cast<double>(image.shape(0)), w = static_cast<double>(image.shape(1));
  const double pixels = double{draw(area, rng)} * h * w;
  const double shape = std::exp(rng.uniform(std::log(aspect.low), std::log(aspect.high)));
  const auto extent = [](double wanted, double whole) {
    return static_cast<std::int64_t>(std::lround(std::clamp(wanted, 1.0, whole)));
  };
  const std::int64_t rows = extent(std::sqrt(pixels / shape), h), columns = extent(std::sqrt(pixels * shape), w);
  const std::int64_t y = rng.below(image.shape(0) - rows + 1), x = rng.below(image.shape(1) - columns + 1);
  return image::resize(image::crop(image, y, x, rows, columns), height > 0 ? height : image.shape(0),
                       width > 0 ? width : image.shape(1));
}

SYNTHDATA_INLINE Tensor random::Affine::operator()(const Tensor& image, Rng& rng) const {
  detail::check_pixels("affine", image);
  image::AffineMap map;
  map.degrees = draw(degrees, rng);
  map.scale = draw(scale, rng);
  map.shear = draw(shear, rng);
  map.shift_x = draw(shift_x, rng) * static_cast<double>(image.shape(1));
  map.shift_y = draw(shift_y, rng) * static_cast<double>(image.shape(0));
  return image::affine(image, map, {interpolation, border, fill_value(image, fill, range)});
}

SYNTHDATA_INLINE Tensor random::Rotate::operator()(const Tensor& image, Rng& rng) const {
  const double angle = draw(degrees, rng);
  return image::rotate(image, angle, {.border = border, .fill = fill_value(image, fill, range)});
}

SYNTHDATA_INLINE Tensor random::Perspective::operator()(const Tensor& image, Rng& rng) const {
  detail::check_pixels("perspective", image);
  const auto right = static_cast<double>(image.shape(1) - 1), bottom = static_cast<double>(image.shape(0) - 1);
  const auto moved = [&](double from, double extent) {  // towards the middle
    const double shift = 0.5 * double{distortion * rng.uniform()} * extent;
    return from == 0.0 ? shift : from - shift;
  };
  image::Corners corners = {{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}};
  for (auto& [x, y] : corners.at) {
    x = moved(x, right);
    y = moved(y, bottom);
  }
  if (image.shape(0) == 1 || image.shape(1) == 1) return image;  // a line has no corners
  return image::perspective(image, corners, {.border = border, .fill = fill_value(image, fill, range)});
}

SYNTHDATA_INLINE Tensor random::Elastic::operator()(const Tensor& image, Rng& rng) const {
  const float strength = draw(amplitude, rng);
  return image::elastic(image, strength, sigma, rng, {.border = border, .fill = fill_value(image, fill, range)});
}

}  // namespace synthdata
