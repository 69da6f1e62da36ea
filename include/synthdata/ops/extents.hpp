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
  /// @throws ShapeError for no number or more than three.
  Extents(std::initializer_list<std::int64_t> each);

  /// The number for spatial axis i of `rank`. @throws ShapeError if another count was given.
  std::int64_t at(int i, int rank) const;

 private:
  std::int64_t extent_[3];
  int count_ = 0;  // 0: one number for all
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/extents_impl.hpp>
#endif
