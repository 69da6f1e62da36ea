// synthdata/optim/loss_scale.hpp: the factor that keeps gradients in the range of f16.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <span>

namespace synthdata {

/// Products in f16 lose gradients below 6e-8 and overflow above 65,504. The loss is therefore multiplied by a power of
/// two and its gradients divided by it. When one of them is not finite the factor is halved and that update left out;
/// after 2,000 good updates in a row it is doubled. Source: Micikevicius et al. 2018, arXiv:1710.03740, section 3.2.
class LossScale {
 public:
  static constexpr std::int64_t patience = 2000;

  /// @param active  false: the factor is 1 and stays so
  explicit LossScale(bool active) : exponent_(active ? 16 : 0), active_(active) {}

  bool active() const { return active_; }
  double factor() const { return static_cast<double>(std::int64_t{1} << exponent_); }

  /// Divides gradients by the factor and by `count`, and learns from them. False if the update must be left out.
  /// Waits for the device if active.
  bool unscale(std::span<Tensor> gradients, double count);

  std::int64_t exponent() const { return exponent_; }
  std::int64_t good_updates() const { return good_updates_; }
  /// @throws DataError for an exponent outside [0, 62] or a negative count.
  void restore(std::int64_t exponent, std::int64_t good_updates);

 private:
  std::int64_t exponent_, good_updates_ = 0;
  bool active_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/optim/loss_scale_impl.hpp>
#endif
