// synthdata/optim/ema.hpp: exponential moving average of a net's weights.
//
// Samples of the averaged generator are less noisy than those of the last step. Source: Yazici et al. 2019,
// arXiv:1806.04498.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

namespace synthdata {

/// average = decay average + (1 - decay) live for every parameter; buffers are averaged alike.
/// Early on the decay is at most (1 + updates) / (10 + updates), so that the first weights are forgotten.
class Ema {
 public:
  /// @param decay  in [0, 1). @throws NumericError outside.
  explicit Ema(double decay);

  /// Moves `average` towards `live`; both list the same state.
  void update(const ModuleState& average, const ModuleState& live);

  std::int64_t updates() const { return updates_; }
  void restore(std::int64_t updates) { updates_ = updates; }

 private:
  double decay_;
  std::int64_t updates_ = 0;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/optim/ema_impl.hpp>
#endif
