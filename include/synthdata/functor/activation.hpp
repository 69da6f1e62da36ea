// synthdata/functor/activation.hpp: activation functions, value and slope.
//
// Those that are monotone write their slope in terms of the output, so that a layer fused with one saves a single
// tensor. See functor/unary.hpp for how a functor is read.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/unary.hpp>

namespace synthdata {

/// max(x, 0); slope 0 at 0.
struct Relu {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::max;
    return max(x, V(0));
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    using math::select;
    return select(y > V(0), V(1), V(0));
  }
};

/// x for x > 0, else negative_slope x. negative_slope must be positive: the slope is read off the output's sign.
struct LeakyRelu {
  static constexpr Keep keep = Keep::output;
  double negative_slope = 0.2;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::select;
    return select(x > V(0), x, V(negative_slope) * x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    using math::select;
    return select(y > V(0), V(1), V(negative_slope));
  }
};

/// x for x > 0, else alpha (e^x - 1). Source: Clevert et al. 2016, arXiv:1511.07289.
struct Elu {
  static constexpr Keep keep = Keep::output;
  double alpha = 1.0;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::expm1, math::min, math::select;
    return select(x > V(0), x, V(alpha) * expm1(min(x, V(0))));
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    using math::select;
    return select(y > V(0), V(1), y + V(alpha));
  }
};

/// Scaled ELU; keeps mean 0 and variance 1. Source: Klambauer et al. 2017, arXiv:1706.02515, eq. 2.
struct Selu {
  static constexpr Keep keep = Keep::output;
  static constexpr double scale = 1.0507009873554805, alpha = 1.6732632423543772;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    return V(scale) * Elu{alpha}.value(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    using math::select;
    return select(y > V(0), V(scale), y + V(scale * alpha));
  }
};

/// 1 / (1 + e^-x)
struct Sigmoid {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::sigmoid;
    return sigmoid(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return y * (V(1) - y);
  }
};

struct Tanh {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::tanh;
    return tanh(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return V(1) - y * y;
  }
};

/// log(1 + e^x), finite for every finite x. Slope: sigmoid(x).
struct Softplus {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::abs, math::exp, math::log1p, math::max;
    return max(x, V(0)) + log1p(exp(-abs(x)));  // the exponent is never positive: no overflow
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    using math::sigmoid;
    return sigmoid(x);
  }
};

/// x sigmoid(x). Source: Elfwing et al. 2017, arXiv:1702.03118.
struct Silu {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::sigmoid;
    return x * sigmoid(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    using math::sigmoid;
    const V s = sigmoid(x);
    return s * (V(1) + x * (V(1) - s));
  }
};

/// x Phi(x), Phi the normal distribution function. Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
struct Gelu {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::erf;
    return V(0.5) * x * (V(1) + erf(V(0.7071067811865476) * x));
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    using math::erf, math::exp;
    const V cdf = V(0.5) * (V(1) + erf(V(0.7071067811865476) * x));
    return cdf + x * (V(0.3989422804014327) * exp(V(-0.5) * (x * x)));  // 1 / sqrt(2 pi)
  }
};

}  // namespace synthdata
