// synthdata/backend/warp.hpp: resamples an image at the places that a map or a field of displacements names.
//
// Images are [H, W, C], u8 or f32. Pixel centres lie at whole numbers, x to the right and y down, the first at (0, 0).
// A map leads from a pixel of the result to its place in the image.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/interpolation.hpp>
#include <synthdata/core/tensor.hpp>

namespace synthdata {

/// What lies beyond the border of an image.
enum class Border : std::uint8_t {
  constant,  ///< one value
  edge,      ///< the nearest pixel
  reflect    ///< the image mirrored, the pixel at the border twice
};

namespace backend {

/// (x, y) -> ((m[0] x + m[1] y + m[2]) / d, (m[3] x + m[4] y + m[5]) / d) with d = m[6] x + m[7] y + m[8].
struct PlaneMap {
  double m[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  bool is_affine() const { return m[6] == 0.0 && m[7] == 0.0; }
};

struct WarpOptions {
  Interpolation interpolation = Interpolation::bilinear;
  Border border = Border::constant;
  float fill = 0.0f;  ///< of Border::constant, in the unit of the image
};

/// result(x, y) = image(map(x, y)); places are held in f32. A place that is no number takes the first pixel's border.
/// @return [height, width, C] of the image's dtype; u8 is rounded
/// @throws ShapeError for an empty image, more than 2^22 rows or columns, or an empty result; DTypeError unless u8, f32
Tensor warp(const Tensor& image, std::int64_t height, std::int64_t width, const PlaneMap& map,
            const WarpOptions& options);
/// result(x, y) = image(x + displacement[y, x, 0], y + displacement[y, x, 1]), in pixels.
/// @param displacement  f32 [H, W, 2]. @throws as above
Tensor warp(const Tensor& image, const Tensor& displacement, const WarpOptions& options);

}  // namespace backend
}  // namespace synthdata

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/warp_impl.hpp>
#endif
