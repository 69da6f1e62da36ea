// synthdata/ops/resample_impl.hpp: bodies of ops/resample.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/resample.hpp>

#include <memory>

namespace synthdata::detail {

SYNTHDATA_INLINE Shape volume_shape(const char* op, const Var& x) {
  if (x.rank() < 3 || x.rank() > 5) [[unlikely]] {
    throw ShapeError(concat(op, ": expects [N, one to three spatial axes, C], got ", x.value().str()));
  }
  Shape shape = x.shape();
  while (shape.rank() < 5) shape = shape.insert(1, 1);
  return shape;
}

SYNTHDATA_INLINE Shape drop_unit_axes(const Shape& volume, int rank) {
  Shape shape = volume;
  while (shape.rank() > rank) shape = shape.erase(1);
  return shape;
}

SYNTHDATA_INLINE Var resample(const char* op, const Var& x, backend::SpatialTaps taps) {
  Tensor y = backend::resample(x.value().reshape(volume_shape(op, x)), taps);
  y = y.reshape(drop_unit_axes(y.shape(), x.rank()));
  if (!recording(x)) return Var(std::move(y));
  return linear_op(op, std::move(y), x,
                   [op, kept = std::make_shared<const backend::SpatialTaps>(std::move(taps))](const Var& g) {
                     return resample(op, g, kept->transposed());
                   });
}

}  // namespace synthdata::detail
