// synthdata/nn/linear.hpp: the fully connected layer.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/init.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/ops/matmul.hpp>

namespace synthdata {

struct LinearOptions {
  bool bias = true;
  Initializer init = init::fan_in_uniform;       ///< of the weight
  Initializer bias_init = init::fan_in_uniform;  ///< of the bias
};

/// Fully connected layer, y = x weightᵀ + bias.   x [..., in] -> y [..., out]
class Linear {
 public:
  static constexpr const char* kind = "linear";

  Linear(std::int64_t in, std::int64_t out, Rng& rng, const LinearOptions& options = {})
      : weight_(options.init({out, in}, in, out, rng)),
        bias_(options.bias ? Param(options.bias_init({out}, in, out, rng)) : Param()) {}

  Var operator()(const Var& x) const { return with_weight(weight_, x); }
  Var fused(const Var& x, Context&, const Activation& activation) const { return with_weight(weight_, x, activation); }

  /// The layer run with another weight of the same shape in place of its own, such as a normalised one.
  Var with_weight(const Var& weight, const Var& x, const Activation& activation = {}) const {
    return linear(x, weight, bias_, activation);
  }
  static constexpr int output_axis = 0;  ///< of the weight

  const Param& weight() const { return weight_; }
  const Param& bias() const { return bias_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("weight", self.weight_);
    v("bias", self.bias_);
  }

 private:
  Param weight_, bias_;
};

}  // namespace synthdata
