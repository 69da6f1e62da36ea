// tests/cuda_emulator/cuda_fp16.h: __half, storage and conversions only; arithmetic is done in float.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <bit>

#include "emulator/types.hpp"

struct __half {
  unsigned short bits;
};
typedef __half half;
struct alignas(4) __half2 {
  __half x, y;
};
typedef __half2 half2;

/// To nearest, ties to even; every NaN becomes the same one, as on the device.
inline __half __float2half_rn(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  std::uint32_t rounded;
  if (magnitude > 0x7F800000u) return {0x7FFF};
  if (magnitude >= 0x477FF000u) {  // 65520, halfway from the largest half to the next power of two
    rounded = 0x7C00;
  } else if (magnitude < 0x38800000u) {  // below 2^-14: the sum's last bit is worth 2^-24, as that of the result
    rounded = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
  } else {
    rounded = (magnitude + 0xFFFu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
  }
  return {static_cast<unsigned short>(sign | rounded)};
}
inline __half __float2half(float x) { return __float2half_rn(x); }
inline float __half2float(__half x) {
  const std::uint32_t sign = (x.bits & 0x8000u) << 16, magnitude = x.bits & 0x7FFFu;
  std::uint32_t bits;
  if (magnitude >= 0x7C00u) {
    bits = (magnitude << 13) + 0x70000000u;
  } else if (magnitude < 0x0400u) {
    bits = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
  } else {
    bits = (magnitude << 13) + 0x38000000u;
  }
  return std::bit_cast<float>(sign | bits);
}
inline unsigned short __half_as_ushort(__half x) { return x.bits; }
inline __half __ushort_as_half(unsigned short bits) { return {bits}; }

inline __half2 __floats2half2_rn(float x, float y) { return {__float2half_rn(x), __float2half_rn(y)}; }
inline __half2 __float22half2_rn(float2 v) { return __floats2half2_rn(v.x, v.y); }
inline float2 __half22float2(__half2 v) { return {__half2float(v.x), __half2float(v.y)}; }
