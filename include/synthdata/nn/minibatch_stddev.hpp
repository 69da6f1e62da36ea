// synthdata/nn/minibatch_stddev.hpp: shows a discriminator how much the samples of a batch differ.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

struct MinibatchStddevOptions {
  std::int64_t group_size = 4;  ///< samples compared with each other; a smaller batch is one group
  double epsilon = 1e-8;        ///< added to the variance: keeps the slope finite for equal samples
};

/// Appends one channel: the standard deviation of each feature over a group of samples, averaged over features.
/// Source: Karras et al. 2018, arXiv:1710.10196, section 3. Sample i belongs to group i mod (N / group_size).
/// x [N, ..., C] -> [N, ..., C + 1].   @throws ShapeError unless the group size divides N.
class MinibatchStddev {
 public:
  static constexpr const char* kind = "minibatch_stddev";

  explicit MinibatchStddev(const MinibatchStddevOptions& options = {}) : options_(options) {
    if (options.group_size < 1) {
      throw ShapeError(concat("MinibatchStddev: expects groups of at least one sample, got ", options.group_size));
    }
  }

  Var operator()(const Var& x) const {
    if (x.rank() < 2 || x.shape(0) < 1)
      throw_shape("MinibatchStddev", "expects [N, ..., C], N >= 1", {{"input", x.value()}});
    const std::int64_t n = x.shape(0), size = n < options_.group_size ? n : options_.group_size, groups = n / size;
    if (n % size != 0) {
      throw_shape("MinibatchStddev", concat("groups of ", size, " do not divide a batch of ", n),
                  {{"input", x.value()}});
    }
    const std::int64_t features = x.size() / n;
    const Var deviation = sqrt(var(reshape(x, Shape{size, groups, features}), 0) + options_.epsilon);
    const Var mean_deviation = reshape(mean(deviation, 1), Shape{1, groups, 1});
    const Shape channel = x.shape().with(-1, 1);
    const Var spread = broadcast_to(mean_deviation, Shape{size, groups, channel.size() / n});
    return concat({x, reshape(spread, channel)}, -1);
  }

  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  MinibatchStddevOptions options_;
};
static_assert(Module<MinibatchStddev>);

}  // namespace synthdata
