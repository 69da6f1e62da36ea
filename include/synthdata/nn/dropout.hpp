// synthdata/nn/dropout.hpp: dropout as a layer.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/dropout.hpp>

namespace synthdata {

/// In training sets each value to zero with probability `rate` and scales the others by 1 / (1 - rate); in inference
/// does nothing. Source: Srivastava et al. 2014, JMLR 15. Needs the context's random numbers in training.
class Dropout {
 public:
  static constexpr const char* kind = "dropout";

  /// @throws NumericError unless 0 <= rate < 1.
  explicit Dropout(double rate);

  Var operator()(const Var& x, Context& context) const {
    if (!context.training() || rate_ == 0.0) return x;
    return dropout(x, rate_, context.random("Dropout"));
  }
  /// Dropout of activation(x), in one pass.
  Var after(const Activation& activation, const Var& x, Context& context) const {
    if (!context.training() || rate_ == 0.0) return detail::activated(activation, x);
    return dropout(x, rate_, context.random("Dropout"), activation);
  }

  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  double rate_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/dropout_impl.hpp>
#endif
