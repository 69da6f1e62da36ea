// synthdata/functor/binary.hpp: pointwise functions of two arguments, value and both slopes.
//
// slope_a(a, b, y) and slope_b(a, b, y) are the partial derivatives of y = value(a, b). See functor/unary.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/math.hpp>

namespace synthdata {

struct Add {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return a + b;
  }
};

struct Sub {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return a - b;
  }
};

struct Mul {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return a * b;
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V&, const V& b, const V&) const {
    return b;
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& a, const V&, const V&) const {
    return a;
  }
};

struct Div {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return a / b;
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V&, const V& b, const V&) const {
    return V(1) / b;
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V&, const V& b, const V& y) const {
    return -(y / b);
  }
};

/// a^b. The slope in b needs a > 0 and is 0 elsewhere.
struct Pow {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    using math::pow;
    return pow(a, b);
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V& a, const V& b, const V&) const {
    using math::pow;
    return b * pow(a, b - V(1));
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& a, const V&, const V& y) const {
    using math::log, math::max, math::select;
    return select(a > V(0), y * log(max(a, V(1e-30))), V(0));
  }
};

/// The larger of the two; ties give each argument half of the slope.
struct Maximum {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    using math::max;
    return max(a, b);
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V& a, const V& b, const V&) const {
    using math::select;
    return select(a > b, V(1), select(a < b, V(0), V(0.5)));
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& a, const V& b, const V&) const {
    return slope_a(b, a, a);
  }
};

/// The smaller of the two; ties give each argument half of the slope.
struct Minimum {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    using math::min;
    return min(a, b);
  }
  template <class V>
  SYNTHDATA_HD V slope_a(const V& a, const V& b, const V&) const {
    using math::select;
    return select(a < b, V(1), select(a > b, V(0), V(0.5)));
  }
  template <class V>
  SYNTHDATA_HD V slope_b(const V& a, const V& b, const V&) const {
    return slope_a(b, a, a);
  }
};

// Comparisons give 1 or 0 and have no slope.
struct Greater {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return math::select(a > b, V(1), V(0));
  }
};
struct GreaterEqual {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return math::select(a >= b, V(1), V(0));
  }
};
struct Less {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return math::select(a < b, V(1), V(0));
  }
};
struct LessEqual {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return math::select(a <= b, V(1), V(0));
  }
};
struct Equal {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return math::select(a == b, V(1), V(0));
  }
};
struct NotEqual {
  template <class V>
  SYNTHDATA_HD V value(const V& a, const V& b) const {
    return math::select(a != b, V(1), V(0));
  }
};

/// condition != 0 ? a : b
struct Where {
  template <class V>
  SYNTHDATA_HD V value(const V& condition, const V& a, const V& b) const {
    return math::select(condition != V(0), a, b);
  }
};

}  // namespace synthdata
