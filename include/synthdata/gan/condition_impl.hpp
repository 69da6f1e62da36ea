// synthdata/gan/condition_impl.hpp: bodies of gan/condition.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/condition.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

SYNTHDATA_INLINE Var append_labels(const Var& x, const Tensor& labels, std::int64_t classes) {
  if (!labels.defined() || x.rank() < 1 || labels.size() != x.shape(0)) {
    throw_shape("append_labels", "expects one label for each sample", {{"x", x.value()}, {"labels", labels}});
  }
  Var features = one_hot(labels.reshape({-1}), classes);
  if (features.dtype() != x.dtype()) features = Var(features.value().to(x.dtype()));
  Shape narrow{x.shape(0)};
  for (int i = 1; i + 1 < x.rank(); ++i) narrow.push_back(1);
  narrow.push_back(classes);
  const Var wide = broadcast_to(reshape(features, narrow), x.shape().with(-1, classes));
  return concat({x, wide}, -1);
}

SYNTHDATA_INLINE Var pack(const Var& x, std::int64_t count) {
  if (count == 1) return x;
  if (count < 1 || x.rank() < 1 || x.shape(0) % count != 0) {
    throw_shape("pack", concat(count, " does not divide the number of samples"), {{"x", x.value()}});
  }
  const std::int64_t packs = x.shape(0) / count, channels = x.shape(-1);
  const std::int64_t outer = x.shape(0) * channels, positions = outer > 0 ? x.size() / outer : 0;
  const Var split = reshape(x, Shape{packs, count, positions, channels});
  return reshape(permute(split, {0, 2, 1, 3}), x.shape().with(0, packs).with(-1, count * channels));
}

}  // namespace synthdata
