// synthdata/nn/minibatch_stddev_impl.hpp: bodies of nn/minibatch_stddev.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/minibatch_stddev.hpp>

namespace synthdata {

SYNTHDATA_INLINE MinibatchStddev::MinibatchStddev(const MinibatchStddevOptions& options) : options_(options) {
  if (options.group_size < 1) {
    throw ShapeError(concat("MinibatchStddev: expects groups of at least one sample, got ", options.group_size));
  }
}

SYNTHDATA_INLINE Var MinibatchStddev::operator()(const Var& x) const {
  if (x.rank() < 2 || x.shape(0) < 1)
    throw_shape("MinibatchStddev", "expects [N, ..., C], N >= 1", {{"input", x.value()}});
  const std::int64_t n = x.shape(0), size = n < options_.group_size ? n : options_.group_size, groups = n / size;
  if (n % size != 0) {
    throw_shape("MinibatchStddev", concat("groups of ", size, " do not divide a batch of ", n), {{"input", x.value()}});
  }
  const std::int64_t features = x.size() / n;
  const Var deviation = sqrt(var(reshape(x, Shape{size, groups, features}), 0) + options_.epsilon);
  const Var mean_deviation = reshape(mean(deviation, 1), Shape{1, groups, 1});
  const Shape channel = x.shape().with(-1, 1);
  const Var spread = broadcast_to(mean_deviation, Shape{size, groups, channel.size() / n});
  return concat({x, reshape(spread, channel)}, -1);
}

}  // namespace synthdata
