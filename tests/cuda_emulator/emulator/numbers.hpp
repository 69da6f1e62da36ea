// cuda_emulator/emulator/numbers.hpp: elements of a type that is known only when the program runs.
//
// SPDX-License-Identifier: MIT
#pragma once

#include "../cuda_bf16.h"
#include "../cuda_fp16.h"

namespace cuda_emulator {

/// Bytes of an element, 0 for types that the libraries of the emulator do not take.
inline std::size_t size_of(std::uint32_t type) {
  return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : type == CUDA_R_16BF || type == CUDA_R_16F ? 2 : 0;
}
inline double load(const void* from, std::int64_t i, std::uint32_t type) {
  switch (type) {
    case CUDA_R_64F:
      return static_cast<const double*>(from)[i];
    case CUDA_R_32F:
      return static_cast<double>(static_cast<const float*>(from)[i]);
    case CUDA_R_16BF:
      return static_cast<double>(__bfloat162float(static_cast<const __nv_bfloat16*>(from)[i]));
    default:
      return static_cast<double>(__half2float(static_cast<const __half*>(from)[i]));
  }
}
inline void store(void* to, std::int64_t i, double x, std::uint32_t type) {
  switch (type) {
    case CUDA_R_64F:
      static_cast<double*>(to)[i] = x;
      break;
    case CUDA_R_32F:
      static_cast<float*>(to)[i] = static_cast<float>(x);
      break;
    case CUDA_R_16BF:
      static_cast<__nv_bfloat16*>(to)[i] = __float2bfloat16_rn(static_cast<float>(x));
      break;
    default:
      static_cast<__half*>(to)[i] = __float2half_rn(static_cast<float>(x));
      break;
  }
}

}  // namespace cuda_emulator
