// synthdata/nn/shape_impl.hpp: bodies of nn/shape.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/shape.hpp>

namespace synthdata {

SYNTHDATA_INLINE Var Reshape::operator()(const Var& x) const {
  if (x.rank() < 1 || x.size() != x.shape(0) * sample_.size()) [[unlikely]] {
    throw_shape("Reshape", concat("expects samples of ", sample_.size(), " elements for ", sample_),
                {{"input", x.value()}});
  }
  return reshape(x, sample_.insert(0, x.shape(0)));
}

SYNTHDATA_INLINE Permute::Permute(std::initializer_list<int> axes) : axes_(axes) {
  if (axes_.empty() || axes_[0] != 0) throw ShapeError("Permute: the batch must stay axis 0");
}

SYNTHDATA_INLINE Var Permute::operator()(const Var& x) const { return permute(x, axes_); }

}  // namespace synthdata
