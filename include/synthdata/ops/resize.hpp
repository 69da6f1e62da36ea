// synthdata/ops/resize.hpp: nearest and bilinear resizing of images, pixel shuffle.
//
// Images are [N, H, W, C]. Pixel centres lie at half numbers (PyTorch: align_corners=false): pixel i of the result
// looks at (i + 0.5) in / out - 0.5. All operations are linear; their adjoints are of the same kind.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// The extents of the result, or a factor for both: {.height = 32, .width = 48} or {.scale = 2}.
struct ResizeOptions {
  std::int64_t height = 0, width = 0;
  double scale = 0.0;  ///< result: floor(scale * extent), the ratio of the extents is then the exact factor
};

/// The nearest pixel. For whole factors as PyTorch's "nearest", else as its "nearest-exact".
/// @throws ShapeError unless x has four axes and either a positive height and width or a positive scale is given.
Var resize_nearest(const Var& x, const ResizeOptions& options);
/// Weighted mean of the four nearest pixels; no smoothing when the image shrinks. @throws as resize_nearest.
Var resize_bilinear(const Var& x, const ResizeOptions& options);
/// Each pixel `factor` times in both directions: [N, H, W, C] -> [N, factor H, factor W, C].
Var upsample_nearest(const Var& x, std::int64_t factor);

/// [N, H, W, C r²] -> [N, H r, W r, C]: channel (c r + i) r + j of pixel (h, w) goes to channel c of pixel
/// (h r + i, w r + j), the order of PyTorch's PixelShuffle. Source: Shi et al. 2016, arXiv:1609.05158.
/// @throws ShapeError unless x has four axes and r² divides the channels.
Var pixel_shuffle(const Var& x, std::int64_t factor);
/// The inverse: [N, H r, W r, C] -> [N, H, W, C r²]. @throws ShapeError unless r divides both extents.
Var pixel_unshuffle(const Var& x, std::int64_t factor);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/resize_impl.hpp>
#endif
