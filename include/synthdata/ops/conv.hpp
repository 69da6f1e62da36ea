// synthdata/ops/conv.hpp: convolution and transposed convolution in one, two and three dimensions.
//
// Forward, input gradient and weight gradient are closed under differentiation: the gradient of each is written with
// the other two, so derivatives of any order exist. Images are [N, H, W, C], filters [out, kH, kW, in / groups], all
// row-major; sequences [N, T, C] and volumes [N, D, H, W, C] likewise. Transposed convolution is the input gradient.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/activation.hpp>
#include <synthdata/ops/extents.hpp>

namespace synthdata {

struct ConvOptions {
  Extents stride = 1;
  Extents padding = 0;   ///< zeros on both sides
  Extents dilation = 1;  ///< distance between the taps of the filter
  std::int64_t groups = 1;
  Activation activation = {};  ///< applied to the result
};

/// Convolution (cross-correlation). x [N, spatial..., in], weight [out, kernel..., in / groups], bias [out] or
/// undefined
/// -> [N, (spatial + 2 padding - dilation (kernel - 1) - 1) / stride + 1 ..., out].
/// @throws ShapeError if the extents do not fit.
Var conv(const Var& x, const Var& weight, const Var& bias, const ConvOptions& options = {});

struct ConvTransposeOptions {
  Extents stride = 1;
  Extents padding = 0;         ///< positions cut from both sides of the result
  Extents output_padding = 0;  ///< positions added behind the result, < stride or dilation
  Extents dilation = 1;
  std::int64_t groups = 1;
  Activation activation = {};
};

/// Transposed convolution, the adjoint of conv. x [N, spatial..., in], weight [in, kernel..., out / groups], bias [out]
/// -> [N, (spatial - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1 ..., out].
/// @throws ShapeError if the extents do not fit.
Var conv_transpose(const Var& x, const Var& weight, const Var& bias, const ConvTransposeOptions& options = {});

// The same with the number of spatial axes checked.
Var conv1d(const Var& x, const Var& weight, const Var& bias = {}, const ConvOptions& options = {});
Var conv2d(const Var& x, const Var& weight, const Var& bias = {}, const ConvOptions& options = {});
Var conv3d(const Var& x, const Var& weight, const Var& bias = {}, const ConvOptions& options = {});
Var conv_transpose1d(const Var& x, const Var& weight, const Var& bias = {}, const ConvTransposeOptions& options = {});
Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias = {}, const ConvTransposeOptions& options = {});
Var conv_transpose3d(const Var& x, const Var& weight, const Var& bias = {}, const ConvTransposeOptions& options = {});

namespace detail {
/// @throws ShapeError unless x is [N, spatial axes x rank, C].
void check_conv_rank(const char* op, const Var& x, int rank);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/conv_impl.hpp>
#endif
