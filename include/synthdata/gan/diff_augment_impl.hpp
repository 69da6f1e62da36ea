// synthdata/gan/diff_augment_impl.hpp: bodies of gan/diff_augment.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/gan/diff_augment.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shift.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

/// 0 in a rectangle of each image, 1 elsewhere: [N, H, W, 1]. Its centre may be anywhere, as in the authors' program.
SYNTHDATA_INLINE Tensor cutout_mask(const Shape& images, double share, Rng& rng, DType dtype) {
  const std::int64_t n = images[0], h = images[1], w = images[2];
  const auto side = [&](std::int64_t extent) -> std::int64_t {
    return std::llround(share * static_cast<double>(extent));
  };
  Tensor mask = Tensor::ones({n, h, w, 1}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t top = rng.below(h + 1) - side(h) / 2, left = rng.below(w + 1) - side(w) / 2;
    const std::int64_t begin = std::max<std::int64_t>(left, 0), end = std::min(left + side(w), w);
    for (std::int64_t y = std::max<std::int64_t>(top, 0); y < std::min(top + side(h), h); ++y) {
      float* const row = mask.data<float>() + (i * h + y) * w;
      if (begin < end) std::fill(row + begin, row + end, 0.0f);
    }
  }
  return mask.to(dtype);
}

}  // namespace detail

SYNTHDATA_INLINE Var jitter_color(const Var& x, const Tensor& brightness, const Tensor& saturation,
                                  const Tensor& contrast) {
  Var y = x + Var(brightness);
  const Var grey = mean(y, -1, Keepdims::yes);
  y = (y - grey) * Var(saturation) + grey;
  const Var middle = mean(y, {1, 2, 3}, Keepdims::yes);
  return (y - middle) * Var(contrast) + middle;
}

SYNTHDATA_INLINE Var DiffAugment::operator()(const Var& x, Rng& rng) const {
  if (x.rank() != 4 || x.value().size() == 0) throw_shape("DiffAugment", "expects [N, H, W, C]", {{"x", x.value()}});
  if (!(translation >= 0.0 && translation <= 1.0 && cutout >= 0.0 && cutout <= 1.0)) {
    throw NumericError(
        concat("DiffAugment: expects translation and cutout in [0, 1], got ", translation, ", ", cutout));
  }
  const std::int64_t n = x.shape(0);
  const OnDevice there(x.device());
  Var y = x;
  if (color) {
    const auto draw = [&](double low, double high) { return uniform({n, 1, 1, 1}, rng, x.dtype(), low, high); };
    const Tensor brightness = draw(-0.5, 0.5), saturation = draw(0.0, 2.0), contrast = draw(0.5, 1.5);
    y = jitter_color(y, brightness, saturation, contrast);
  }
  if (translation > 0.0) {
    const auto most = [&](int axis) -> std::int64_t {
      return std::llround(translation * static_cast<double>(x.shape(axis)));
    };
    Tensor shifts = Tensor::empty({n, 2}, DType::i64, Device::cpu());
    for (std::int64_t i = 0; i < n; ++i) {
      shifts.data<std::int64_t>()[2 * i] = rng.below(2 * most(1) + 1) - most(1);
      shifts.data<std::int64_t>()[2 * i + 1] = rng.below(2 * most(2) + 1) - most(2);
    }
    y = shift_images(y, shifts.to(x.device()));
  }
  if (cutout > 0.0) y = y * Var(detail::cutout_mask(x.shape(), cutout, rng, x.dtype()).to(x.device()));
  return y;
}

}  // namespace synthdata
