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

  /// @throws ShapeError for groups of less than one sample.
  explicit MinibatchStddev(const MinibatchStddevOptions& options = {});

  Var operator()(const Var& x) const;

  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  MinibatchStddevOptions options_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/minibatch_stddev_impl.hpp>
#endif
