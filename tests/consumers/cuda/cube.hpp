// tests/consumers/cuda/cube.hpp: a pointwise functor of the program's own.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/functor/fused.hpp>

/// x³
struct Cube {
  static constexpr synthdata::Keep keep = synthdata::Keep::input;
  template <class V>
  SYNTHDATA_HD V value(const V& x) const {
    return x * x * x;
  }
  template <class V>
  SYNTHDATA_HD V slope(const V& x, const V&) const {
    return V(3) * (x * x);
  }
};

/// Makes its kernels; defined in a .cu file.
void install_cube();
