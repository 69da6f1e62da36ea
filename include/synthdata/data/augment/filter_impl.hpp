// synthdata/data/augment/filter_impl.hpp: bodies of data/augment/filter.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/data/augment/filter.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/pixels.hpp>
#include <synthdata/data/augment/separable.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE Tensor image::gaussian_blur(const Tensor& image, float sigma) {
  detail::check_pixels("gaussian_blur", image);
  if (!(sigma >= 0.0f && sigma <= 1000.0f)) {
    throw NumericError(concat("gaussian_blur: expects sigma in [0, 1000], got ", sigma));
  }
  if (sigma < 0.05f) return image;  // the neighbour's weight is below 1e-87
  return detail::filter_axes("gaussian_blur", image, detail::gaussian_weights(image.shape(0), sigma),
                             detail::gaussian_weights(image.shape(1), sigma));
}

SYNTHDATA_INLINE Tensor image::sharpen(const Tensor& image, float amount, ValueRange range) {
  const Tensor sharp = detail::float_pixels(image), smooth = gaussian_blur(sharp, 1.0f);
  const ValueRange units = detail::pixel_range(image, range);
  Tensor out = Tensor::empty(image.shape(), DType::f32, Device::cpu());
  const float* a = sharp.data<float>();
  const float* b = smooth.data<float>();
  float* to = out.data<float>();
  for (std::int64_t i = 0; i < image.size(); ++i) {
    to[i] = std::clamp(b[i] + amount * (a[i] - b[i]), units.low, units.high);
  }
  return detail::pixels_as(out, image.dtype());
}

SYNTHDATA_INLINE Tensor image::gaussian_noise(const Tensor& image, float std, Rng& rng, ValueRange range) {
  detail::check_pixels("gaussian_noise", image);
  const ValueRange units = detail::pixel_range(image, range);
  const Tensor noise = normal(image.shape(), rng);
  const Tensor values = detail::float_pixels(image);
  Tensor out = Tensor::empty(image.shape(), DType::f32, Device::cpu());
  const float* from = values.data<float>();
  const float* n = noise.data<float>();
  float* to = out.data<float>();
  const float scale = std * (units.high - units.low);
  for (std::int64_t i = 0; i < image.size(); ++i) {
    to[i] = std::clamp(from[i] + scale * n[i], units.low, units.high);
  }
  return detail::pixels_as(out, image.dtype());
}

SYNTHDATA_INLINE Tensor image::cut_out(const Tensor& image, std::int64_t y, std::int64_t x, std::int64_t height,
                                       std::int64_t width, float value) {
  detail::check_pixels("cut_out", image);
  const auto within = [](std::int64_t at, std::int64_t extent) { return std::clamp<std::int64_t>(at, 0, extent); };
  const std::int64_t h = image.shape(0), w = image.shape(1), c = image.shape(2);
  const std::int64_t top = within(y, h), bottom = within(y + height, h), left = within(x, w),
                     right = within(x + width, w);
  Tensor out = image.clone();
  const auto fill = [&]<class T>(T colour) {
    for (std::int64_t row = top; row < bottom; ++row) {
      if (left < right) std::fill_n(out.data<T>() + (row * w + left) * c, (right - left) * c, colour);
    }
  };
  if (image.dtype() == DType::u8) {
    fill(static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f));
  } else {
    fill(value);
  }
  return out;
}

SYNTHDATA_INLINE Tensor random::Noise::operator()(const Tensor& image, Rng& rng) const {
  const float strength = draw(std, rng);
  return image::gaussian_noise(image, strength, rng, range);
}

SYNTHDATA_INLINE Tensor random::Cutout::operator()(const Tensor& image, Rng& rng) const {
  detail::check_pixels("cutout", image);
  Tensor out = image;
  const auto side = [&](std::int64_t extent) {
    return static_cast<std::int64_t>(std::lround(draw(size, rng) * static_cast<float>(extent)));
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t height = side(image.shape(0)), width = side(image.shape(1));
    const std::int64_t y = rng.below(image.shape(0)) - height / 2, x = rng.below(image.shape(1)) - width / 2;
    out = image::cut_out(out, y, x, height, width, fill_value(image, fill, range));
  }
  return out;
}

}  // namespace synthdata
