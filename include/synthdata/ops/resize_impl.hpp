// synthdata/ops/resize_impl.hpp: bodies of ops/resize.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/resample.hpp>
#include <synthdata/ops/resize.hpp>
#include <synthdata/ops/shape.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

inline void check_image(const char* op, const Var& x) {
  if (x.rank() != 4) [[unlikely]]
    throw ShapeError(concat(op, ": expects [N, H, W, C], got ", x.value().str()));
}

struct ImageExtents {
  std::int64_t height, width;
};

SYNTHDATA_INLINE ImageExtents resized(const char* op, const Var& x, const ResizeOptions& o) {
  check_image(op, x);
  const bool by_scale = o.scale != 0.0, by_extent = o.height != 0 || o.width != 0;
  if (by_scale == by_extent) throw ShapeError(concat(op, ": expects either height and width or a scale"));
  ImageExtents to{o.height, o.width};
  if (by_scale) {
    const auto scaled = [&](std::int64_t extent) {
      const double wanted = std::floor(static_cast<double>(extent) * o.scale);
      return wanted >= 1.0 && wanted <= 0x1p40 ? static_cast<std::int64_t>(wanted) : 0;  // NaN becomes 0 too
    };
    to = {scaled(x.shape(1)), scaled(x.shape(2))};
  }
  constexpr std::int64_t most = std::int64_t{1} << 24;  // the tables are made before the result's size is known
  if (to.height < 1 || to.width < 1 || to.height > most || to.width > most || x.shape(1) < 1 || x.shape(2) < 1) {
    throw ShapeError(concat(op, ": cannot turn ", x.value().str(), " into height ", to.height, " and width ", to.width,
                            by_scale ? concat(" (scale ", o.scale, ")") : std::string()));
  }
  return to;
}

inline backend::Taps nearest_taps(std::int64_t in, std::int64_t out) {
  backend::Taps taps{.inputs = in};
  for (std::int64_t o = 0; o < out; ++o) {
    taps.add((2 * o + 1) * in / (2 * out), 1.0);  // whole numbers: exact at the borders between pixels
    taps.end_row();
  }
  return taps;
}

inline backend::Taps bilinear_taps(std::int64_t in, std::int64_t out) {
  backend::Taps taps{.inputs = in};
  for (std::int64_t o = 0; o < out; ++o) {
    const double ratio = static_cast<double>(in) / static_cast<double>(out);
    const double at = std::fmax(0.0, (static_cast<double>(o) + 0.5) * ratio - 0.5);
    const std::int64_t left = std::min(static_cast<std::int64_t>(at), in - 1);
    const double right_share = left + 1 < in ? at - static_cast<double>(left) : 0.0;
    taps.add(left, 1.0 - right_share);
    if (right_share > 0.0) taps.add(left + 1, right_share);
    taps.end_row();
  }
  return taps;
}

}  // namespace detail

SYNTHDATA_INLINE Var resize_nearest(const Var& x, const ResizeOptions& options) {
  const auto [height, width] = detail::resized("resize_nearest", x, options);
  return detail::resample("resize_nearest", x,
                          {{backend::Taps::identity(1), detail::nearest_taps(x.shape(1), height),
                            detail::nearest_taps(x.shape(2), width)}});
}

SYNTHDATA_INLINE Var resize_bilinear(const Var& x, const ResizeOptions& options) {
  const auto [height, width] = detail::resized("resize_bilinear", x, options);
  return detail::resample("resize_bilinear", x,
                          {{backend::Taps::identity(1), detail::bilinear_taps(x.shape(1), height),
                            detail::bilinear_taps(x.shape(2), width)}});
}

SYNTHDATA_INLINE Var upsample_nearest(const Var& x, std::int64_t factor) {
  detail::check_image("upsample_nearest", x);
  if (factor < 1) throw ShapeError(concat("upsample_nearest: expects a factor >= 1, got ", factor));
  return resize_nearest(x, {.scale = static_cast<double>(factor)});
}

SYNTHDATA_INLINE Var pixel_shuffle(const Var& x, std::int64_t factor) {
  detail::check_image("pixel_shuffle", x);
  const std::int64_t r = factor, channels = x.shape(3);
  if (r < 1 || r > channels || channels % (r * r) != 0) {
    throw ShapeError(concat("pixel_shuffle: factor ", r, " squared does not divide the channels of ", x.value().str()));
  }
  const std::int64_t n = x.shape(0), h = x.shape(1), w = x.shape(2), c = channels / (r * r);
  return reshape(permute(reshape(x, Shape{n, h, w, c, r, r}), {0, 1, 4, 2, 5, 3}), Shape{n, h * r, w * r, c});
}

SYNTHDATA_INLINE Var pixel_unshuffle(const Var& x, std::int64_t factor) {
  detail::check_image("pixel_unshuffle", x);
  const std::int64_t r = factor;
  if (r < 1 || x.shape(1) % r != 0 || x.shape(2) % r != 0) {
    throw ShapeError(concat("pixel_unshuffle: factor ", r, " does not divide height and width of ", x.value().str()));
  }
  const std::int64_t n = x.shape(0), h = x.shape(1) / r, w = x.shape(2) / r, c = x.shape(3);
  return reshape(permute(reshape(x, Shape{n, h, r, w, r, c}), {0, 1, 3, 5, 2, 4}), Shape{n, h, w, c * r * r});
}

}  // namespace synthdata
