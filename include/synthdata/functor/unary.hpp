// synthdata/functor/unary.hpp: pointwise functions of one argument, value and slope.
//
// One text serves the CPU loops (float, double), a device kernel, and graph variables when the gradient itself is to
// be differentiated. `keep` says what the slope reads: the input, the output, or nothing; only that is saved.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/math.hpp>

namespace synthdata {

/// What a functor's slope(x, y) reads of its input x and its output y = value(x).
enum class Keep { none, input, output };

/// -x
struct Neg {
  static constexpr Keep keep = Keep::none;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    return -x;
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V&) const {
    return V(-1);
  }
};

/// a x + b
struct Affine {
  static constexpr Keep keep = Keep::none;
  double scale = 1.0, shift = 0.0;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    return V(scale) * x + V(shift);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V&) const {
    return V(scale);
  }
};

/// x²
struct Square {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    return x * x;
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    return V(2) * x;
  }
};

/// 1 / x
struct Reciprocal {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    return V(1) / x;
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return -(y * y);
  }
};

/// e^x
struct Exp {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::exp;
    return exp(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return y;
  }
};

/// Natural logarithm.
struct Log {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::log;
    return log(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    return V(1) / x;
  }
};

/// log(1 + x) without loss for small x.
struct Log1p {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::log1p;
    return log1p(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    return V(1) / (V(1) + x);
  }
};

/// e^x - 1 without loss for small x.
struct Expm1 {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::expm1;
    return expm1(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return y + V(1);
  }
};

/// Square root; the slope at 0 is infinite.
struct Sqrt {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::sqrt;
    return sqrt(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return V(0.5) / y;
  }
};

/// 1 / sqrt(x)
struct Rsqrt {
  static constexpr Keep keep = Keep::output;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::sqrt;
    return V(1) / sqrt(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V& y) const {
    return V(-0.5) * (y * y * y);
  }
};

/// x^p for a constant p. A negative base needs a whole p.
struct PowScalar {
  static constexpr Keep keep = Keep::input;
  double exponent = 1.0;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::pow;
    return pow(x, V(exponent));
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    using math::pow;
    return V(exponent) * pow(x, V(exponent - 1.0));
  }
};

/// -1, 0 or 1; slope 0.
struct Sign {
  static constexpr Keep keep = Keep::none;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::select;
    return select(x > V(0), V(1), select(x < V(0), V(-1), V(0)));
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V&) const {
    return V(0);
  }
};

/// |x|; slope 0 at 0.
struct Abs {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::abs;
    return abs(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    return Sign{}.value(x);
  }
};

/// Limits x to [low, high]; slope 1 inside (bounds included), 0 outside.
struct Clamp {
  static constexpr Keep keep = Keep::input;
  double low = 0.0, high = 1.0;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::max, math::min;
    return max(min(x, V(high)), V(low));
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    using math::select;
    return select(x < V(low), V(0), select(x > V(high), V(0), V(1)));
  }
};

/// sin x and cos x.
struct Cos;
struct Sin {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const;
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const;
};
struct Cos {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::cos;
    return cos(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    return -Sin{}.value(x);
  }
};
template <class V>
SYNTHDATA_HD V Sin::value(const V& x) const {
  using math::sin;
  return sin(x);
}
template <class V>
SYNTHDATA_HD V Sin::slope(const V& x, const V&) const {
  return Cos{}.value(x);
}

/// Error function.
struct Erf {
  static constexpr Keep keep = Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::erf;
    return erf(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    using math::exp;
    return V(1.1283791670955126) * exp(-(x * x));  // 2 / sqrt(pi)
  }
};

/// Rounds to the nearest whole number, ties to even; slope 0.
struct Round {
  static constexpr Keep keep = Keep::none;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    using math::round;
    return round(x);
  }
  template <class V>
  SYNTHDATA_HD V slope(const V&, const V&) const {
    return V(0);
  }
};

}  // namespace synthdata
