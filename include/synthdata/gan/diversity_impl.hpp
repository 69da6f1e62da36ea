// synthdata/gan/diversity_impl.hpp: bodies of gan/diversity.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/diversity.hpp>

#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE double batch_diversity(const Tensor& batch) {
  if (batch.rank() < 1 || batch.shape(0) < 2) {
    throw ShapeError(concat("batch_diversity: expects at least two samples, got ", batch.str()));
  }
  const Tensor near = batch.to(Device::cpu());
  return visit_floating(batch.dtype(), "batch_diversity", [&]<class T>() {
    const T* x = near.data<T>();
    const std::int64_t features = batch.size() / batch.shape(0), pairs = batch.size() - features;
    double total = 0.0;
    for (std::int64_t i = 0; i < pairs; ++i) total += std::fabs(static_cast<double>(x[i]) - x[i + features]);
    return pairs ? total / static_cast<double>(pairs) : 0.0;
  });
}

SYNTHDATA_INLINE void CollapseDetector::observe(std::int64_t step, const Tensor& real, const Tensor& fake,
                                                Communicator* communicator) {
  const bool measurable = real.shape(0) >= 2 && fake.shape(0) >= 2;
  if (!measurable && !communicator) return;
  double reference = measurable ? batch_diversity(real) : 0.0, own = measurable ? batch_diversity(fake) : 0.0;
  if (communicator) {  // all ranks come to the same conclusion
    reference = communicator->reduce(reference, Reduction::sum);
    own = communicator->reduce(own, Reduction::sum);
  }
  diversity_ = reference > 0.0 ? own / reference : 1.0;
  if (diversity_ >= options_.threshold) {
    was_diverse_ = true;
    below_ = 0;
  } else if (was_diverse_ || step >= options_.grace) {
    ++below_;
  }
}

}  // namespace synthdata
