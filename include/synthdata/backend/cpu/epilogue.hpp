// synthdata/backend/cpu/epilogue.hpp: what a matrix product or a convolution does to a result on its way out.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace synthdata::backend::cpu {

enum class Act : std::uint8_t { none, relu, leaky_relu, tanh, sigmoid };

/// What happens to a result on its way out: C = act([C +] sum + bias), the very bits of the unfused functors.
template <class T>
struct Epilogue {
  const T* bias = nullptr;  ///< [columns], or none
  Act act = Act::none;
  T slope = T(0);           ///< of leaky_relu below zero
  bool accumulate = false;  ///< add to what C holds
};

}  // namespace synthdata::backend::cpu
