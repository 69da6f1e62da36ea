// synthdata/functor/fused.hpp: what pointwise kernels are made for: functors as callables, and small formulas that run
// in one pass.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/activation.hpp>
#include <synthdata/functor/binary.hpp>

namespace synthdata {

/// A stateless pointwise functor (functor/activation.hpp): usable as a layer.
template <class F>
concept Functor = requires(const F& f, float x) {
  F::keep;
  f.value(x);
  f.slope(x, x);
};

namespace detail {

template <class F>
struct ValueOf {
  F f;
  template <class T>
  SYNTHDATA_HD T operator()(T x) const {
    return f.value(x);
  }
};
/// gradient * slope, in one pass over the gradient and the one tensor the slope reads.
template <class F>
struct SlopeTimes {
  F f;
  template <class T>
  SYNTHDATA_HD T operator()(T g, T kept) const {
    return g * f.slope(kept, kept);
  }
};
template <class F>
struct BinaryValueOf {
  F f;
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    return f.value(a, b);
  }
};

struct WhereValue {
  template <class T>
  SYNTHDATA_HD T operator()(T c, T a, T b) const {
    return Where{}.value(c, a, b);
  }
};
/// -log(-log(u)) for u in (0, 1): standard Gumbel noise.
struct GumbelOf {
  template <class T>
  SYNTHDATA_HD T operator()(T u) const {
    using math::log;
    return -log(-log(u));
  }
};

/// An infinite peak would make infinity minus infinity.
struct FiniteOrZero {
  template <class T>
  SYNTHDATA_HD T operator()(T x) const {
    return math::select(x - x == T(0), x, T(0));
  }
};
// Terms of a loss: value(a, b) and its partial derivatives. As with all functors, one text serves kernels and graphs.
struct SquaredError {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return (a - b) * (a - b);
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V& a, const V& b) const {
    return V(2) * (a - b);
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& a, const V& b) const {
    return V(2) * (b - a);
  }
};
struct AbsoluteError {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    using math::abs;
    return abs(a - b);
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V& a, const V& b) const {
    return Sign{}.value(a - b);
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& a, const V& b) const {
    return Sign{}.value(b - a);
  }
};
struct BinaryCrossEntropy {
  template <class V>
  SYNTHDATA_HD V value(const V& x, const V& t) const {
    return Softplus{}.value(x) - x * t;
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V& x, const V& t) const {
    using math::sigmoid;
    return sigmoid(x) - t;
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& x, const V&) const {
    return -x;
  }
};

template <class F, bool first>
struct ScaledSlope {
  F f;
  double factor;
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    if constexpr (first) {
      return static_cast<T>(factor) * f.slope_a(a, b);
    } else {
      return static_cast<T>(factor) * f.slope_b(a, b);
    }
  }
};

/// factor e^y - shift
struct ScaledExp {
  double factor, shift;
  template <class T>
  SYNTHDATA_HD T operator()(T y) const {
    using math::exp;
    return static_cast<T>(factor) * exp(y) - static_cast<T>(shift);
  }
};

/// a + share (b - a)
struct Towards {
  double share;
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    return a + static_cast<T>(share) * (b - a);
  }
};

}  // namespace detail

namespace backend::detail {

/// a + b: what gradients are summed with.
struct Sum2 {
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    return a + b;
  }
};

struct Scaled {
  double factor;
  template <class T>
  SYNTHDATA_HD T operator()(T a) const {
    return static_cast<T>(factor) * a;
  }
};

struct Identity {
  template <class T>
  SYNTHDATA_HD T operator()(T a) const {
    return a;
  }
};

}  // namespace backend::detail

}  // namespace synthdata
