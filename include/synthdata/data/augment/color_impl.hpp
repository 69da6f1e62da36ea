// synthdata/data/augment/color_impl.hpp: bodies of data/augment/color.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/pixels.hpp>

#include <cmath>

namespace synthdata {
namespace detail {

/// A formula for one value, in [0, 1] before and after; alpha passes.
template <class F>
struct EachValue {
  F f;

  SYNTHDATA_HD void operator()(float* values, std::int64_t pixels, std::int64_t channels) const {
    using backend::cpu::for_block;
    if (channels == 2 || channels == 4) {
      for (std::int64_t i = 0; i < pixels * channels; ++i) {
        if ((i + 1) % channels != 0) values[i] = clamped(f(values[i]));
      }
      return;
    }
    backend::cpu::for_blocks(pixels * channels, [=, this](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      for_block(count, [=, this](int j) SYNTHDATA_INLINE_LAMBDA { values[b + j] = clamped(f(values[b + j])); });
    });
  }
  SYNTHDATA_HD static float clamped(float x) {
    const float positive = math::select(x > 0.0f, x, 0.0f);
    return math::select(positive < 1.0f, positive, 1.0f);
  }
};
template <class F>
Tensor map_values(const char* op, const Tensor& image, const ValueRange& range, const F& f) {
  return map_pixels(op, image, range, EachValue<F>{f});
}

/// A formula for the colour of one pixel: f(r, g, b) changes them. Grey images pass.
template <class F>
struct EachColor {
  F f;

  SYNTHDATA_HD void operator()(float* values, std::int64_t pixels, std::int64_t channels) const {
    constexpr int most = backend::cpu::block_size;
    if (channels < 3) return;
    alignas(64) float r[most] = {}, g[most] = {}, b[most] = {};
    for (std::int64_t i = 0; i < pixels; ++i) {
      r[i] = values[i * channels];
      g[i] = values[i * channels + 1];
      b[i] = values[i * channels + 2];
    }
    backend::cpu::for_block(most, [&, this](int j) SYNTHDATA_INLINE_LAMBDA {
      f(r[j], g[j], b[j]);
      r[j] = EachValue<F>::clamped(r[j]);
      g[j] = EachValue<F>::clamped(g[j]);
      b[j] = EachValue<F>::clamped(b[j]);
    });
    for (std::int64_t i = 0; i < pixels; ++i) {
      values[i * channels] = r[i];
      values[i * channels + 1] = g[i];
      values[i * channels + 2] = b[i];
    }
  }
};
template <class F>
Tensor map_colors(const char* op, const Tensor& image, const ValueRange& range, const F& f) {
  return map_pixels(op, image, range, EachColor<F>{f});
}

SYNTHDATA_HD float grey_of(float r, float g, float b) { return 0.299f * r + 0.587f * g + 0.114f * b; }

/// The mean grey value of an image in [0, 1], summed in double.
SYNTHDATA_INLINE float mean_grey(const Tensor& image, const ValueRange& range) {
  const std::int64_t channels = image.shape(2), pixels = image.shape(0) * image.shape(1);
  const ValueRange units = pixel_range(image, range);
  double sum = 0.0;
  const auto add = [&]<class T>() {
    const T* p = image.data<T>();
    for (std::int64_t i = 0; i < pixels; ++i, p += channels) {
      const auto at = [&](std::int64_t c) { return static_cast<float>(p[c]); };
      sum += static_cast<double>(channels < 3 ? at(0) : grey_of(at(0), at(1), at(2)));
    }
  };
  image.dtype() == DType::u8 ? add.template operator()<std::uint8_t>() : add.template operator()<float>();
  const double mean = sum / static_cast<double>(pixels);
  return static_cast<float>((mean - double{units.low}) / (double{units.high} - double{units.low}));
}

struct AddAmount {
  float amount;
  SYNTHDATA_HD float operator()(float x) const { return x + amount; }
};
struct StretchAbout {
  float middle, factor;
  SYNTHDATA_HD float operator()(float x) const { return middle + factor * (x - middle); }
};
struct RaiseTo {
  float exponent;
  SYNTHDATA_HD float operator()(float x) const { return math::pow(math::select(x > 0.0f, x, 0.0f), exponent); }
};
struct InvertFrom {
  float threshold;
  SYNTHDATA_HD float operator()(float x) const { return math::select(x >= threshold, 1.0f - x, x); }
};
/// Counted in 256ths as bytes are, so that u8 and f32 images agree.
struct KeepBits {
  float step;  // bytes from one level to the next
  SYNTHDATA_HD float operator()(float x) const {
    const float level = (x * 255.0f + 0.001953125f) / step;  // a byte's value must not fall below itself by rounding
    return static_cast<float>(static_cast<std::int32_t>(math::select(level > 0.0f, level, 0.0f))) * step / 255.0f;
  }
};
struct AwayFromGrey {
  float factor;
  SYNTHDATA_HD void operator()(float& r, float& g, float& b) const {
    const float grey = grey_of(r, g, b);
    r = grey + factor * (r - grey);
    g = grey + factor * (g - grey);
    b = grey + factor * (b - grey);
  }
};
/// Value and chroma stay; hue moves by `sixths` of the circle.
struct TurnHue {
  float sixths;
  SYNTHDATA_HD void operator()(float& r, float& g, float& b) const {
    const float top = math::max(r, math::max(g, b)), chroma = top - math::min(r, math::min(g, b));
    const float part = 1.0f / math::select(chroma > 0.0f, chroma, 1.0f);
    const float from_blue = 4.0f + (r - g) * part, from_green = 2.0f + (b - r) * part;
    const float hue = math::select(top == r, (g - b) * part, math::select(top == g, from_green, from_blue)) + sixths;
    const auto channel = [&](float n) SYNTHDATA_INLINE_LAMBDA {
      const float shifted = (n + hue) * (1.0f / 6.0f);  // n + hue is above -8
      const float turn = shifted + 2.0f;
      const float k = 6.0f * (turn - static_cast<float>(static_cast<std::int32_t>(turn)));
      const float ramp = math::min(k, 4.0f - k);
      return top - chroma * EachValue<TurnHue>::clamped(ramp);
    };
    r = channel(5.0f);
    g = channel(3.0f);
    b = channel(1.0f);
  }
};

}  // namespace detail

SYNTHDATA_INLINE Tensor image::brightness(const Tensor& image, float amount, ValueRange range) {
  return detail::map_values("brightness", image, range, detail::AddAmount{amount});
}
SYNTHDATA_INLINE Tensor image::contrast(const Tensor& image, float factor, ValueRange range) {
  detail::check_pixels("contrast", image);
  return detail::map_values("contrast", image, range, detail::StretchAbout{detail::mean_grey(image, range), factor});
}
SYNTHDATA_INLINE Tensor image::saturation(const Tensor& image, float factor, ValueRange range) {
  return detail::map_colors("saturation", image, range, detail::AwayFromGrey{factor});
}
SYNTHDATA_INLINE Tensor image::hue(const Tensor& image, float turn, ValueRange range) {
  if (!(std::abs(turn) < 1e6f)) throw NumericError(concat("hue: expects a share of the circle, got ", turn));
  return detail::map_colors("hue", image, range, detail::TurnHue{6.0f * (turn - std::floor(turn))});
}
SYNTHDATA_INLINE Tensor image::gamma(const Tensor& image, float exponent, ValueRange range) {
  if (!(exponent > 0.0f)) throw NumericError(concat("gamma: expects an exponent > 0, got ", exponent));
  return detail::map_values("gamma", image, range, detail::RaiseTo{exponent});
}
SYNTHDATA_INLINE Tensor image::invert(const Tensor& image, ValueRange range) { return solarize(image, -1e30f, range); }
SYNTHDATA_INLINE Tensor image::solarize(const Tensor& image, float threshold, ValueRange range) {
  return detail::map_values("solarize", image, range, detail::InvertFrom{threshold});
}
SYNTHDATA_INLINE Tensor image::posterize(const Tensor& image, std::int64_t bits, ValueRange range) {
  if (bits < 1 || bits > 8) throw NumericError(concat("posterize: expects bits in 1 ... 8, got ", bits));
  return detail::map_values("posterize", image, range, detail::KeepBits{static_cast<float>(1 << (8 - bits))});
}

SYNTHDATA_INLINE Tensor image::autocontrast(const Tensor& image, ValueRange range) {
  detail::check_pixels("autocontrast", image);
  const std::int64_t channels = image.shape(2), colours = channels < 3 ? 1 : 3;
  const ValueRange units = detail::pixel_range(image, range);
  Tensor out = image.dtype() == DType::f32 ? image.clone() : detail::float_pixels(image);
  float* const values = out.data<float>();
  for (std::int64_t c = 0; c < colours; ++c) {
    float least = values[c], most = values[c];
    for (std::int64_t i = c; i < out.size(); i += channels) {
      least = values[i] < least ? values[i] : least;
      most = values[i] > most ? values[i] : most;
    }
    if (!(least < most)) continue;
    const float factor = (units.high - units.low) / (most - least);
    for (std::int64_t i = c; i < out.size(); i += channels) values[i] = units.low + (values[i] - least) * factor;
  }
  return detail::pixels_as(out, image.dtype());
}

}  // namespace synthdata
