// synthdata/backend/cpu/bf16.hpp: panels of bf16 pairs, for products by AVX512-BF16.
//
// A word of a panel holds two values that follow each other along k, rounded to nearest even; one instruction
// multiplies the pairs of 16 columns and adds both products to f32 sums. So a panel has half as many steps, and all
// else stays as for f32. The instructions are written out: compilers of the supported range disagree on the names of
// their functions.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/isa.hpp>

#include <cstdint>
#include <cstring>

#if SYNTHDATA_X86_KERNELS

namespace synthdata::backend::cpu::pairs {

typedef float V16 __attribute__((vector_size(64)));
typedef std::uint32_t Words __attribute__((vector_size(64)));
typedef std::uint16_t Halves __attribute__((vector_size(32)));

/// 32 values to 16 words.
SYNTHDATA_TARGET_AVX512 inline void store_row(const float* from, float* to) {
  V16 first, second;
  Words words;
  __builtin_memcpy(&first, from, sizeof(V16));
  __builtin_memcpy(&second, from + 16, sizeof(V16));
  asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(words) : "v"(second), "v"(first));
  __builtin_memcpy(to, &words, sizeof(Words));
}

/// 16 values to 8 words.
SYNTHDATA_TARGET_AVX512 inline void store_half_row(const V16& values, float* to) {
  Halves halves;
  asm("vcvtneps2bf16 %1, %0" : "=v"(halves) : "v"(values));
  __builtin_memcpy(to, &halves, sizeof(Halves));
}

/// 16 words, one of each column, from two rows.
SYNTHDATA_TARGET_AVX512 inline void store_columns(const float* low, const float* high, float* to) {
  V16 first, second;
  Halves first_half, second_half;
  __builtin_memcpy(&first, low, sizeof(V16));
  __builtin_memcpy(&second, high, sizeof(V16));
  asm("vcvtneps2bf16 %1, %0" : "=v"(first_half) : "v"(first));
  asm("vcvtneps2bf16 %1, %0" : "=v"(second_half) : "v"(second));
  const Words words = __builtin_convertvector(first_half, Words) | (__builtin_convertvector(second_half, Words) << 16);
  __builtin_memcpy(to, &words, sizeof(Words));
}

/// sum += the two products of the word `a` and each word of `b`.
[[gnu::always_inline]] SYNTHDATA_TARGET_AVX512 inline void multiply_add(V16& sum, const Words& a, const Words& b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}

/// See Kernels::copy_row.
SYNTHDATA_TARGET_AVX512 inline void copy_row(std::int64_t k, const float* from, float* to) {
  for (; k >= 32; k -= 32, from += 32, to += 16) store_row(from, to);
  if (k == 0) return;
  alignas(64) float row[32] = {}, words[16];
  std::memcpy(row, from, static_cast<std::size_t>(k) * sizeof(float));
  store_row(row, words);
  std::memcpy(to, words, static_cast<std::size_t>((k + 1) / 2) * sizeof(float));
}

/// See Kernels::copy_a and copy_b: panels of `width` columns, `step` words from one step to the next.
template <int width, int step>
SYNTHDATA_TARGET_AVX512 void copy_columns(std::int64_t k, const float* from, const std::int64_t* offsets,
                                          std::int64_t ld, std::int64_t n, float* to, std::int64_t panel_size) {
  alignas(64) float zeros[step] = {}, low[step], high[step];
  for (std::int64_t i = 0; i < k; i += 2, to += step) {
    const float* first = from + (offsets ? offsets[i] : i * ld);
    const float* second = i + 1 < k ? from + (offsets ? offsets[i + 1] : (i + 1) * ld) : nullptr;
    float* out = to;
    for (std::int64_t j = 0; j < n; j += width, out += panel_size) {
      const float *a = first + j, *b = second ? second + j : zeros;
      if (n - j < step) {  // the source ends inside the step
        const auto valid = static_cast<std::size_t>(n - j < width ? n - j : width) * sizeof(float);
        std::memset(low, 0, sizeof(low));
        std::memset(high, 0, sizeof(high));
        std::memcpy(low, a, valid);
        std::memcpy(high, b, valid);
        a = low, b = high;
      }
      for (int c = 0; c < step; c += 16) store_columns(a + c, b + c, out + c);
    }
  }
}

}  // namespace synthdata::backend::cpu::pairs

#endif
