// synthdata/backend/cpu/winograd_kernels.inc.hpp: the transforms of winograd.hpp, one text for every instruction set.
//
// Included by winograd.hpp once per instruction set, after gemm_tiles.hpp; see gemm_kernels.inc.hpp for the macros.
//
// SPDX-License-Identifier: MIT

namespace synthdata::backend::cpu::SYNTHDATA_KERNEL_ISA {

using WinogradVector = VectorOf<float>::type;

/// y = B^T x, eight values to eight: the coefficients of the polynomials that vanish at all points but one.
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void winograd_data_1d(const WinogradVector* x, int step,
                                                                            WinogradVector* y) {
  using V = WinogradVector;
  const V x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step], x5 = x[5 * step], x6 = x[6 * step];
  y[0 * step] = x6 - x[0] + 5.25f * (x2 - x4);
  y[7 * step] = x[7 * step] - x1 + 5.25f * (x3 - x5);
  V even = x6 + x2 - 4.25f * x4, odd = x5 + x1 - 4.25f * x3;
  y[1 * step] = even + odd;
  y[2 * step] = even - odd;
  even = x6 + 0.25f * x2 - 1.25f * x4, odd = 2.0f * x5 + 0.5f * x1 - 2.5f * x3;
  y[3 * step] = even + odd;
  y[4 * step] = even - odd;
  even = x6 + 4.0f * x2 - 5.0f * x4, odd = 0.5f * x5 + 2.0f * x1 - 2.5f * x3;
  y[5 * step] = even + odd;
  y[6 * step] = even - odd;
}

/// y = A x, `count` values (1 to 7) to eight: the polynomial with these coefficients at each point.
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void winograd_evaluate_1d(const WinogradVector* x, int step,
                                                                                int count, const float* scale,
                                                                                WinogradVector* y) {
  using V = WinogradVector;
  V even[3] = {}, odd[3] = {};
  float power_2 = 1.0f, power_half = 1.0f;
  for (int i = 0; i < count; ++i, power_2 *= 2.0f, power_half *= 0.5f) {
    V* sum = i % 2 == 0 ? even : odd;
    const V v = x[i * step];
    sum[0] += v;
    sum[1] += power_2 * v;
    sum[2] += power_half * v;
  }
  y[0 * step] = scale[0] * x[0];
  y[7 * step] = x[(count - 1) * step];
  for (int p = 0; p < 3; ++p) {
    y[(1 + 2 * p) * step] = scale[1 + p] * (even[p] + odd[p]);
    y[(2 + 2 * p) * step] = scale[1 + p] * (even[p] - odd[p]);
  }
}

/// y = A^T x, eight values to `count`: the transposed of winograd_evaluate_1d.
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void winograd_combine_1d(const WinogradVector* x, int step,
                                                                               int count, const float* scale,
                                                                               WinogradVector* y) {
  using V = WinogradVector;
  V even[3], odd[3];
  for (int p = 0; p < 3; ++p) {
    even[p] = scale[1 + p] * (x[(1 + 2 * p) * step] + x[(2 + 2 * p) * step]);
    odd[p] = scale[1 + p] * (x[(1 + 2 * p) * step] - x[(2 + 2 * p) * step]);
  }
  const V first = scale[0] * x[0], last = x[7 * step];
  float power_2 = 1.0f, power_half = 1.0f;
  for (int i = 0; i < count; ++i, power_2 *= 2.0f, power_half *= 0.5f) {
    const V* sum = i % 2 == 0 ? even : odd;
    V v = sum[0] + power_2 * sum[1] + power_half * sum[2];
    if (i == 0) v += first;
    if (i == count - 1) v += last;
    y[i * step] = v;
  }
}

SYNTHDATA_KERNEL_TARGET inline void winograd_data(const float* const* in, std::int64_t n, float* out,
                                                  std::int64_t plane) {
  using V = WinogradVector;
  for (std::int64_t c = 0; c < n; c += VectorOf<float>::lanes) {
    V t[64];
    for (int i = 0; i < 64; ++i) __builtin_memcpy(&t[i], in[i] + c, sizeof(V));
    for (int i = 0; i < 8; ++i) winograd_data_1d(t + i, 8, t + i);
    for (int i = 0; i < 8; ++i) winograd_data_1d(t + 8 * i, 1, t + 8 * i);
    for (int i = 0; i < 64; ++i) __builtin_memcpy(out + i * plane + c, &t[i], sizeof(V));
  }
}

SYNTHDATA_KERNEL_TARGET inline void winograd_evaluate(const float* const* in, int height, int width, const float* scale,
                                                      std::int64_t n, float* out, std::int64_t plane) {
  using V = WinogradVector;
  for (std::int64_t c = 0; c < n; c += VectorOf<float>::lanes) {
    V t[64];
    for (int h = 0; h < height; ++h)
      for (int w = 0; w < width; ++w) __builtin_memcpy(&t[8 * h + w], in[h * width + w] + c, sizeof(V));
    for (int w = 0; w < width; ++w) winograd_evaluate_1d(t + w, 8, height, scale, t + w);
    for (int h = 0; h < 8; ++h) winograd_evaluate_1d(t + 8 * h, 1, width, scale, t + 8 * h);
    for (int i = 0; i < 64; ++i) __builtin_memcpy(out + i * plane + c, &t[i], sizeof(V));
  }
}

SYNTHDATA_KERNEL_TARGET inline void winograd_combine(const float* in, std::int64_t plane, int height, int width,
                                                     const float* scale, const float* bias, bool accumulate,
                                                     std::int64_t n, float* const* out) {
  using V = WinogradVector;
  for (std::int64_t c = 0; c < n; c += VectorOf<float>::lanes) {
    V t[64];
    for (int i = 0; i < 64; ++i) __builtin_memcpy(&t[i], in + i * plane + c, sizeof(V));
    for (int w = 0; w < 8; ++w) winograd_combine_1d(t + w, 8, height, scale, t + w);
    for (int h = 0; h < height; ++h) winograd_combine_1d(t + 8 * h, 1, width, scale, t + 8 * h);
    for (int h = 0; h < height; ++h)
      for (int w = 0; w < width; ++w) {
        float* to = out[h * width + w];
        if (!to) continue;
        V v = t[8 * h + w], other;
        if (accumulate) {
          __builtin_memcpy(&other, to + c, sizeof(V));
          v += other;
        }
        if (bias) {
          __builtin_memcpy(&other, bias + c, sizeof(V));
          v += other;
        }
        __builtin_memcpy(to + c, &v, sizeof(V));
      }
  }
}

inline constexpr WinogradKernels winograd_kernels = {winograd_data, winograd_evaluate, winograd_combine};

}  // namespace synthdata::backend::cpu::SYNTHDATA_KERNEL_ISA
