// synthdata/optim/rule.hpp: update rules of the optimisers.
//
// A rule is a formula for one number: it changes the weight p by its gradient g and the running values kept beside it.
// The one text runs in the CPU loop over all weights and, for an unrolled critic, on graph variables, so that gradients
// flow through the update.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/math.hpp>

#include <cstdint>

namespace synthdata {

/// Numbers a rule needs that change from step to step.
struct StepNumbers {
  double learning_rate = 1e-3;
  std::int64_t step = 1;  ///< counts from 1
};

/// Gradient descent with momentum.   v = momentum v + g,   p -= learning_rate v
/// (or g + momentum v with `nesterov`). Weight decay adds weight_decay p to g.
struct Sgd {
  double momentum = 0.0;
  bool nesterov = false;
  double weight_decay = 0.0;

  static constexpr const char* name = "sgd";
  static constexpr int slots = 1;

  struct Update {
    double learning_rate, momentum, look_ahead, weight_decay;
    template <class V>
    SYNTHDATA_HD void operator()(V& p, const V& gradient, V& v, V&) const {
      const V g = gradient + V(weight_decay) * p;
      v = V(momentum) * v + g;
      p = p - V(learning_rate) * (V(1.0 - look_ahead) * v + V(look_ahead) * (g + V(momentum) * v));
    }
  };
  Update at(const StepNumbers& n) const { return {n.learning_rate, momentum, nesterov ? 1.0 : 0.0, weight_decay}; }
};

/// Divides by a running root mean square.   s = decay s + (1 - decay) g²,   p -= learning_rate g / (sqrt(s) + epsilon)
/// With momentum the quotient is accumulated first. Source: Tieleman and Hinton 2012, Coursera lecture 6.5.
struct RmsProp {
  double decay = 0.99;
  double momentum = 0.0;
  double epsilon = 1e-8;
  double weight_decay = 0.0;

  static constexpr const char* name = "rmsprop";
  static constexpr int slots = 2;

  struct Update {
    double learning_rate, decay, momentum, epsilon, weight_decay;
    template <class V>
    SYNTHDATA_HD void operator()(V& p, const V& gradient, V& s, V& v) const {
      using math::sqrt;
      const V g = gradient + V(weight_decay) * p;
      s = V(decay) * s + V(1.0 - decay) * (g * g);
      v = V(momentum) * v + g / (sqrt(s) + V(epsilon));
      p = p - V(learning_rate) * v;
    }
  };
  Update at(const StepNumbers& n) const { return {n.learning_rate, decay, momentum, epsilon, weight_decay}; }
};

namespace detail {
/// 1 - beta^step: what a running mean that started at 0 has seen so far.
inline double seen(double beta, std::int64_t step) {
  double power = 1.0, base = beta;
  for (std::int64_t n = step; n > 0; n /= 2, base *= base) {
    if (n % 2 == 1) power *= base;
  }
  return 1.0 - power;
}

/// p -= rate m / (sqrt(v) / root + epsilon), then the decay of the weight itself.
struct AdamUpdate {
  double rate, beta1, beta2, inverse_root, epsilon, gradient_decay, weight_keep;
  template <class V>
  SYNTHDATA_HD void operator()(V& p, const V& gradient, V& m, V& v) const {
    using math::sqrt;
    const V g = gradient + V(gradient_decay) * p;
    m = V(beta1) * m + V(1.0 - beta1) * g;
    v = V(beta2) * v + V(1.0 - beta2) * (g * g);
    p = V(weight_keep) * p - V(rate) * (m / (V(inverse_root) * sqrt(v) + V(epsilon)));
  }
};
}  // namespace detail

/// Adam with bias correction; weight decay is added to the gradient. Source: Kingma and Ba 2015, arXiv:1412.6980,
/// alg. 1.
struct Adam {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;

  static constexpr const char* name = "adam";
  static constexpr int slots = 2;

  detail::AdamUpdate at(const StepNumbers& n) const {
    using math::sqrt;
    return {n.learning_rate / detail::seen(beta1, n.step),
            beta1,
            beta2,
            1.0 / sqrt(detail::seen(beta2, n.step)),
            epsilon,
            weight_decay,
            1.0};
  }
};

/// Adam whose weight decay shrinks the weight itself. Source: Loshchilov and Hutter 2019, arXiv:1711.05101, alg. 2.
struct AdamW {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;

  static constexpr const char* name = "adamw";
  static constexpr int slots = 2;

  detail::AdamUpdate at(const StepNumbers& n) const {
    using math::sqrt;
    return {n.learning_rate / detail::seen(beta1, n.step), beta1,   beta2,
            1.0 / sqrt(detail::seen(beta2, n.step)),       epsilon, 0.0,
            1.0 - n.learning_rate * weight_decay};
  }
};

}  // namespace synthdata
