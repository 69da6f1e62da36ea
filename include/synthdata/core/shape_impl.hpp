// synthdata/core/shape_impl.hpp: bodies of core/shape.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/shape.hpp>

namespace synthdata {

SYNTHDATA_INLINE std::string Shape::str() const {
  std::string out = "[";
  for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string(extents_[i]);
  return out + "]";
}

SYNTHDATA_INLINE void append(std::string& out, const Shape& shape) { out += shape.str(); }

SYNTHDATA_COLD SYNTHDATA_INLINE void Shape::throw_axis(int axis) const {
  throw ShapeError(concat("axis ", axis, " is out of range for shape ", str()));
}
SYNTHDATA_COLD SYNTHDATA_INLINE void Shape::throw_size() const {
  throw ShapeError(concat("shape ", str(), " has more elements than can be counted"));
}
SYNTHDATA_COLD SYNTHDATA_INLINE void Shape::throw_extent(std::int64_t extent) const {
  if (extent < 0) throw ShapeError(concat("a shape needs extents >= 0, got ", extent));
  throw ShapeError(concat("a shape has at most ", max_rank, " axes: ", str(), " cannot grow"));
}

SYNTHDATA_INLINE Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const int rank = a.rank() > b.rank() ? a.rank() : b.rank();
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const std::int64_t ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    if (ea != eb && ea != 1 && eb != 1) [[unlikely]] {
      throw ShapeError(concat(op, ": shapes ", a, " and ", b, " do not broadcast (", ea, " against ", eb, ")"));
    }
    out.push_back(ea == 1 ? eb : ea);
  }
  return out;
}

}  // namespace synthdata
