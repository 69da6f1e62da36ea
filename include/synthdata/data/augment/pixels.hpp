// synthdata/data/augment/pixels.hpp: what kernels over pixels are written with: checks, rows, values in [0, 1].
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/core/scratch.hpp>
#include <synthdata/core/tensor.hpp>
#include <synthdata/data/dataset.hpp>
#include <synthdata/functor/math.hpp>

namespace synthdata::detail {

/// @throws ShapeError unless [H, W, C] without a 0; DTypeError unless u8 or f32.
void check_pixels(const char* op, const Tensor& image);

/// Where white and black lie in an image: 0 and 255 for u8, else `range`.
inline ValueRange pixel_range(const Tensor& image, const ValueRange& range) {
  return image.dtype() == DType::u8 ? ValueRange{0.0f, 255.0f} : range;
}

/// The values of an image as f32; shared if they are.
Tensor float_pixels(const Tensor& image);
/// The way back: u8 is rounded and clamped.
Tensor pixels_as(const Tensor& values, DType dtype);

/// `value` as the nearest byte; NaN is 0.
SYNTHDATA_HD std::uint8_t nearest_byte(float value) {
  const float rounded = value + 0.5f, positive = math::select(rounded > 0.0f, rounded, 0.0f);
  return static_cast<std::uint8_t>(static_cast<std::int32_t>(math::select(positive < 255.0f, positive, 255.0f)));
}

/// Calls kernel(begin, count, values) for runs of at most `most` pixels of an image, whose values lie in [0, 1] there
/// and are written back by it; u8 is rounded and clamped. Compiled for each instruction set.
template <class T, class Kernel>
struct UnitPixels {
  static constexpr std::int64_t most = backend::cpu::block_size;
  Kernel kernel;
  const T* from;
  T* to;
  std::int64_t channels;
  float low, width;

  SYNTHDATA_HD void operator()(std::int64_t begin, std::int64_t end, float* values) const {
    using backend::cpu::for_block;
    using backend::cpu::for_blocks;
    for (std::int64_t pixel = begin; pixel < end; pixel += most) {
      const std::int64_t pixels = end - pixel < most ? end - pixel : most, n = pixels * channels;
      const T* const in = from + pixel * channels;
      T* const out = to + pixel * channels;
      const float offset = low, scale = 1.0f / width, back = width;
      for_blocks(n, [=](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
          values[b + j] = (static_cast<float>(in[b + j]) - offset) * scale;
        });
      });
      kernel(values, pixels, channels);
      for_blocks(n, [=](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
          if constexpr (sizeof(T) == sizeof(float)) {
            out[b + j] = values[b + j] * back + offset;
          } else {
            out[b + j] = nearest_byte(values[b + j] * 255.0f);
          }
        });
      });
    }
  }
};

/// `image` with kernel(values, pixels, channels) applied to runs of at most 64 of its pixels, in units where black is 0
/// and white 1.
template <class Kernel>
Tensor map_pixels(const char* op, const Tensor& image, const ValueRange& range, const Kernel& kernel) {
  check_pixels(op, image);
  const ValueRange units = pixel_range(image, range);
  if (!(units.low < units.high)) throw NumericError(concat(op, ": expects a range with low < high"));
  Tensor out = Tensor::empty(image.shape(), image.dtype(), Device::cpu());
  const std::int64_t channels = image.shape(2);
  const auto run = [&]<class T>() {
    const UnitPixels<T, Kernel> pixels{kernel,   image.data<T>(), out.data<T>(),
                                       channels, units.low,       units.high - units.low};
    parallel_for(image.shape(0) * image.shape(1), 16384, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<float> values(pixels.most * channels);
      backend::cpu::run<float>(pixels, begin, end, values.data());
    });
  };
  image.dtype() == DType::u8 ? run.template operator()<std::uint8_t>() : run.template operator()<float>();
  return out;
}

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/pixels_impl.hpp>
#endif
