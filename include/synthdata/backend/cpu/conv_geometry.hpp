// synthdata/backend/cpu/conv_geometry.hpp: the numbers that describe a convolution.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace synthdata::backend::cpu {

/// Extents are in the order depth, height, width. `out` is given and not derived, since a transposed convolution may
/// want more than one `in` for the same `out`; positions nobody reaches are allowed.
struct ConvGeometry {
  std::int64_t batch;
  std::int64_t in[3], out[3], kernel[3], stride[3];
  std::int64_t pad[3];  ///< zeros before the first element; those behind the last follow from `out`
  std::int64_t dilation[3];
  std::int64_t in_channels, out_channels, groups;

  bool operator==(const ConvGeometry&) const = default;
};

}  // namespace synthdata::backend::cpu
