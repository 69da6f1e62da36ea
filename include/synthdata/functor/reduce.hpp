// synthdata/functor/reduce.hpp: what reductions are made of: an operation and the value that changes nothing.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/math.hpp>

namespace synthdata {

struct SumReduction {
  template <class T>
  SYNTHDATA_HD static constexpr T identity() {
    return T(0);
  }
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    return a + b;
  }
};

/// NaN wins.
struct MaxReduction {
  template <class T>
  SYNTHDATA_HD static constexpr T identity() {
    return -static_cast<T>(__builtin_inff());
  }
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    return math::max(b, a);
  }
};

}  // namespace synthdata
