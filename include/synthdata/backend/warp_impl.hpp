// synthdata/backend/warp_impl.hpp: bodies of backend/warp.hpp.
//
// The image is copied once into floats with a frame around it, so that the four neighbours of every place, clamped to
// that frame, exist. Places and weights are found 64 at a time by vector code; the neighbours are fetched pixel by
// pixel, which beats gather instructions on the machines measured.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/backend/warp.hpp>
#include <synthdata/core/scratch.hpp>
#include <synthdata/functor/math.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace synthdata::backend {
namespace cpu {

/// An image in floats with a frame of one pixel, two at the right and at the bottom.
struct FramedImage {
  const float* data;    // of the frame's corner, pixel (-1, -1)
  std::int64_t stride;  // floats in a row
  std::int64_t channels;
  float width, height;  // of the image
};

/// Four floats at any address.
using Float4 [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = float;

/// `count` places and what fills the last vector register up.
SYNTHDATA_HD std::int64_t whole_lanes(std::int64_t count) { return (count + 15) / 16 * 16; }

/// Values of one block of places; Channels = 0 for a number known at run time only.
template <int Channels>
struct WarpBlock {
  FramedImage from;
  Interpolation interpolation;
  Border border;

  /// Folds places beyond the image back into it, clamps them to the frame and counts them from its corner. The order of
  /// the comparisons sends what is no number to the corner.
  SYNTHDATA_HD void place(std::int64_t lanes, float* x, float extent) const {
    const bool whole = interpolation == Interpolation::nearest;
    const float period = 2.0f * extent;
    if (border == Border::reflect) {
      for_block(lanes, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        const float turns = (x[j] + 0.5f) / period;
        const float at = (turns - math::round(turns)) * period;
        x[j] = math::abs(at) - 0.5f;
      });
    }
    if (whole) {
      for_block(lanes, [=](int j) SYNTHDATA_INLINE_LAMBDA { x[j] = math::round(x[j]); });
    }
    for_block(lanes, [=](int j) SYNTHDATA_INLINE_LAMBDA {
      const float at = x[j] + 1.0f;
      const float above = math::select(at > 0.0f, at, 0.0f);
      x[j] = math::select(above < extent + 1.0f, above, extent + 1.0f);
    });
  }

  /// out[j] = the image at (x[j], y[j]) for j < count; overwrites x and y, which hold 64 places.
  SYNTHDATA_HD void operator()(float* x, float* y, std::int64_t count, float* out) const {
    const std::int64_t lanes = whole_lanes(count);
    place(lanes, x, from.width);
    place(lanes, y, from.height);
    alignas(64) std::int32_t at[block_size];
    const auto channels = static_cast<std::int32_t>(Channels ? Channels : from.channels);
    const auto stride = static_cast<std::int32_t>(from.stride);
    for_block(lanes, [&, x, y](int j) SYNTHDATA_INLINE_LAMBDA {
      const auto column = static_cast<std::int32_t>(x[j]), row = static_cast<std::int32_t>(y[j]);
      at[j] = row * stride + column * channels;
      x[j] -= static_cast<float>(column);
      y[j] -= static_cast<float>(row);
    });
    for (int j = 0; j < static_cast<int>(count); ++j) {
      const float* const above = from.data + at[j];
      const float* const below = above + stride;
      if constexpr (Channels == 1) {
        const float top = above[0] + x[j] * (above[1] - above[0]), bottom = below[0] + x[j] * (below[1] - below[0]);
        out[j] = top + y[j] * (bottom - top);
      } else if constexpr (Channels == 3 || Channels == 4) {
        const auto load = [](const float* p) SYNTHDATA_INLINE_LAMBDA { return *reinterpret_cast<const Float4*>(p); };
        const Float4 top = load(above) + x[j] * (load(above + Channels) - load(above));
        const Float4 bottom = load(below) + x[j] * (load(below + Channels) - load(below));
        *reinterpret_cast<Float4*>(out + j * Channels) = top + y[j] * (bottom - top);  // the fourth of 3 is overwritten
      } else {
        for (std::int32_t c = 0; c < channels; ++c) {
          const float top = above[c] + x[j] * (above[c + channels] - above[c]);
          const float bottom = below[c] + x[j] * (below[c + channels] - below[c]);
          out[j * channels + c] = top + y[j] * (bottom - top);
        }
      }
    }
  }
};

/// Rows [begin, end) of a warped image.
template <int Channels, class T>
struct WarpRows {
  WarpBlock<Channels> block;
  PlaneMap map;
  const float* displacement;  // in place of the map, or null
  std::int64_t width;
  T* to;

  SYNTHDATA_HD void places(std::int64_t first, std::int64_t row, std::int64_t count, float* x, float* y) const {
    const auto column = static_cast<double>(first), line = static_cast<double>(row);
    if (displacement) {
      const float* d = displacement + 2 * (row * width + first);
      for (std::int64_t j = 0; j < count; ++j) {
        x[j] = static_cast<float>(first + j) + d[2 * j];
        y[j] = static_cast<float>(row) + d[2 * j + 1];
      }
      return;
    }
    const std::int64_t lanes = whole_lanes(count);
    const double* m = map.m;
    const double d = map.is_affine() ? m[8] : 1.0;
    const auto x0 = static_cast<float>((m[0] * column + m[1] * line + m[2]) / d);
    const auto y0 = static_cast<float>((m[3] * column + m[4] * line + m[5]) / d);
    const auto dx = static_cast<float>(m[0] / d), dy = static_cast<float>(m[3] / d);
    for_block(lanes, [=](int j) SYNTHDATA_INLINE_LAMBDA {
      x[j] = x0 + dx * static_cast<float>(j);
      y[j] = y0 + dy * static_cast<float>(j);
    });
    if (map.is_affine()) return;
    const auto w0 = static_cast<float>(m[6] * column + m[7] * line + m[8]), dw = static_cast<float>(m[6]);
    for_block(lanes, [=](int j) SYNTHDATA_INLINE_LAMBDA {
      const float scale = 1.0f / (w0 + dw * static_cast<float>(j));
      x[j] *= scale;
      y[j] *= scale;
    });
  }

  SYNTHDATA_HD void operator()(std::int64_t begin, std::int64_t end, float* values) const {
    alignas(64) float x[block_size] = {}, y[block_size] = {};
    const std::int64_t channels = Channels ? Channels : block.from.channels;
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t first = 0; first < width; first += block_size) {
        const std::int64_t count = std::min(block_size, width - first);
        places(first, row, count, x, y);
        T* const out = to + (row * width + first) * channels;
        block(x, y, count, values);
        if constexpr (sizeof(T) == sizeof(float)) {
          std::memcpy(out, values, static_cast<std::size_t>(count * channels) * sizeof(float));
        } else {
          for_blocks(count * channels, [=](std::int64_t b, std::int64_t n) SYNTHDATA_INLINE_LAMBDA {
            for_block(n, [=](int j) SYNTHDATA_INLINE_LAMBDA {
              out[b + j] = static_cast<T>(static_cast<std::int32_t>(values[b + j] + 0.5f));
            });
          });
        }
      }
    }
  }
};

}  // namespace cpu

namespace detail {

/// The framed copy of an image; `floats` holds it.
template <class T>
cpu::FramedImage frame_image(const Tensor& image, const WarpOptions& options, float* floats) {
  const std::int64_t h = image.shape(0), w = image.shape(1), c = image.shape(2), stride = (w + 3) * c;
  const T* from = image.data<T>();
  const bool constant = options.border == Border::constant;
  for (std::int64_t y = 0; y < h; ++y, from += w * c) {
    float* const row = floats + (y + 1) * stride;
    for (std::int64_t i = 0; i < w * c; ++i) row[c + i] = static_cast<float>(from[i]);
    for (std::int64_t i = 0; i < c; ++i) {
      row[i] = constant ? options.fill : row[c + i];
      row[(w + 1) * c + i] = row[(w + 2) * c + i] = constant ? options.fill : row[w * c + i];
    }
  }
  const auto frame_row = [&](std::int64_t y, std::int64_t like) {
    float* const row = floats + y * stride;
    if (constant) {
      std::fill_n(row, stride, options.fill);
    } else {
      std::copy_n(floats + like * stride, stride, row);
    }
  };
  frame_row(0, 1);
  frame_row(h + 1, h);
  frame_row(h + 2, h);
  floats[(h + 3) * stride] = 0.0f;  // read, but not used, with the last pixel of three channels
  return {floats, stride, c, static_cast<float>(w), static_cast<float>(h)};
}

inline Tensor warp_image(const Tensor& image, std::int64_t height, std::int64_t width, const PlaneMap& map,
                         const float* displacement, const WarpOptions& options) {
  constexpr std::int64_t most = std::int64_t{1} << 22, most_floats = std::int64_t{1} << 30;
  if (image.rank() != 3 || image.size() == 0 || height < 1 || width < 1 || image.shape(0) > most ||
      image.shape(1) > most || (image.shape(0) + 3) * (image.shape(1) + 3) > most_floats / image.shape(2)) {
    throw_shape("warp",
                concat("expects an image [H, W, C] of at most 2^22 rows and columns and 2^30 values, and a result "
                       "of at least one pixel, which is ",
                       height, " x ", width),
                {{"image", image}});
  }
  if (image.dtype() != DType::u8 && image.dtype() != DType::f32) {
    throw DTypeError(concat("warp: expects an image of u8 or f32, got ", image.str()));
  }
  const std::int64_t channels = image.shape(2);
  Tensor out = Tensor::empty({height, width, channels}, image.dtype(), Device::cpu());
  const Scratch<float> floats((image.shape(0) + 3) * (image.shape(1) + 3) * channels + 1);
  const auto run = [&]<class T, int Channels>() {
    const cpu::FramedImage framed = frame_image<T>(image, options, floats.data());
    const cpu::WarpRows<Channels, T> rows{
        {framed, options.interpolation, options.border}, map, displacement, width, out.data<T>()};
    parallel_for(height, std::max<std::int64_t>(1, 16384 / width), [&](std::int64_t begin, std::int64_t end) {
      const Scratch<float> values(cpu::block_size * channels + 1);
      cpu::run<float>(rows, begin, end, values.data());
    });
  };
  const auto run_type = [&]<class T>() {
    if (channels == 1) return run.template operator()<T, 1>();
    if (channels == 3) return run.template operator()<T, 3>();
    if (channels == 4) return run.template operator()<T, 4>();
    return run.template operator()<T, 0>();
  };
  image.dtype() == DType::u8 ? run_type.template operator()<std::uint8_t>() : run_type.template operator()<float>();
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor warp(const Tensor& image, std::int64_t height, std::int64_t width, const PlaneMap& map,
                             const WarpOptions& options) {
  return detail::warp_image(image, height, width, map, nullptr, options);
}

SYNTHDATA_INLINE Tensor warp(const Tensor& image, const Tensor& displacement, const WarpOptions& options) {
  if (image.rank() != 3 || !(displacement.shape() == Shape{image.shape(0), image.shape(1), 2})) {
    throw_shape("warp", "expects an image [H, W, C] and displacements [H, W, 2]",
                {{"image", image}, {"displacement", displacement}});
  }
  return detail::warp_image(image, image.shape(0), image.shape(1), {}, displacement.data<float>(), options);
}

}  // namespace synthdata::backend
