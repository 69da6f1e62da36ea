// synthdata/nn/conv_impl.hpp: bodies of nn/conv.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/conv.hpp>

namespace synthdata {

SYNTHDATA_INLINE Shape detail::filter_shape(const char* layer, int rank, std::int64_t first, const Extents& kernel,
                                            std::int64_t last, std::int64_t groups) {
  if (groups < 1 || first % groups != 0 || last % groups != 0) {
    throw ShapeError(concat(layer, ": ", groups, " groups do not divide ", first, " and ", last, " channels"));
  }
  Shape shape{first};
  for (int i = 0; i < rank; ++i) shape.push_back(kernel.at(i, rank));
  shape.push_back(last / groups);
  return shape;
}

}  // namespace synthdata
