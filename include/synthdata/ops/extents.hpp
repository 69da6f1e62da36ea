// synthdata/ops/extents.hpp: options that hold for every spatial axis, or one number for each.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/shape.hpp>

namespace synthdata {

/// One number for every spatial axis, or one for each: `.stride = 2`, `.padding = {1, 2}`.
class Extents {
 public:
  Extents(std::int64_t all) : extent_{all, all, all} {}  // NOLINT: .stride = 2
  Extents(std::initializer_list<std::int64_t> each) : extent_{} {
    if (each.size() < 1 || each.size() > 3) {
      throw ShapeError(concat("Extents: expects 1 to 3 numbers, got ", each.size()));
    }
    for (const std::int64_t e : each) extent_[count_++] = e;
  }

  /// The number for spatial axis i of `rank`. @throws ShapeError if another count was given.
  std::int64_t at(int i, int rank) const {
    if (count_ != 0 && count_ != rank) {
      throw ShapeError(concat("Extents: ", count_, " numbers given for ", rank, " spatial axes"));
    }
    return extent_[i];
  }

 private:
  std::int64_t extent_[3];
  int count_ = 0;  // 0: one number for all
};

}  // namespace synthdata
