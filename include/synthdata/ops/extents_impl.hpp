// synthdata/ops/extents_impl.hpp: bodies of ops/extents.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/extents.hpp>

namespace synthdata {

SYNTHDATA_INLINE Extents::Extents(std::initializer_list<std::int64_t> each) : extent_{} {
  if (each.size() < 1 || each.size() > 3) {
    throw ShapeError(concat("Extents: expects 1 to 3 numbers, got ", each.size()));
  }
  for (const std::int64_t e : each) extent_[count_++] = e;
}

SYNTHDATA_INLINE std::int64_t Extents::at(int i, int rank) const {
  if (count_ != 0 && count_ != rank) {
    throw ShapeError(concat("Extents: ", count_, " numbers given for ", rank, " spatial axes"));
  }
  return extent_[i];
}

}  // namespace synthdata
