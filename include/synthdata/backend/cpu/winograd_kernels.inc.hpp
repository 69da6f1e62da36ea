// synthdata/backend/cpu/winograd_kernels.inc.hpp: the transforms of winograd.hpp, one text for every instruction set.
//
// Included by winograd.hpp once per instruction set, after gemm_tiles.hpp; see gemm_kernels.inc.hpp for the macros.
//
// SPDX-License-Identifier: MIT

namespace synthdata::backend::cpu::SYNTHDATA_KERNEL_ISA {

using WinogradVector = VectorOf<float>::type;

/// y = B^T x, as many values as points: the coefficients of the polynomials that vanish at all points but one.
template <int points>
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void winograd_data_1d(const WinogradVector* x, int step,
                                                                            WinogradVector* y) {
  using V = WinogradVector;
  const V x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step], x5 = x[5 * step];
  if constexpr (points == 6) {
    y[0 * step] = 4.0f * x0 - 5.0f * x2 + x4;
    y[5 * step] = 4.0f * x1 - 5.0f * x3 + x5;
    V even = x4 - 4.0f * x2, odd = x3 - 4.0f * x1;
    y[1 * step] = even + odd;
    y[2 * step] = even - odd;
    even = x4 - x2, odd = 2.0f * (x3 - x1);
    y[3 * step] = even + odd;
    y[4 * step] = even - odd;
  } else {
    const V x6 = x[6 * step];
    y[0 * step] = x6 - x0 + 5.25f * (x2 - x4);
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
}

/// y = A x, `count` values to as many as points: the polynomial with these coefficients at each point.
template <int points, int count>
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void winograd_evaluate_1d(const WinogradVector* x, int step,
                                                                                const float* scale, WinogradVector* y) {
  using V = WinogradVector;
  constexpr int pairs = points / 2 - 1;
  const V first = x[0], last = x[(count - 1) * step];
  V even[3] = {first, first, first}, odd[3] = {};
  float power_2 = 2.0f, power_half = 0.5f;
  SYNTHDATA_UNROLL
  for (int i = 1; i < count; ++i, power_2 *= 2.0f, power_half *= 0.5f) {
    V* sum = i % 2 == 0 ? even : odd;
    const V v = x[i * step];
    sum[0] += v;
    sum[1] += power_2 * v;
    if (pairs > 2) sum[2] += power_half * v;
  }
  y[0 * step] = scale[0] * first;
  y[(points - 1) * step] = last;
  SYNTHDATA_UNROLL
  for (int p = 0; p < pairs; ++p) {
    y[(1 + 2 * p) * step] = scale[1 + p] * (even[p] + odd[p]);
    y[(2 + 2 * p) * step] = scale[1 + p] * (even[p] - odd[p]);
  }
}

/// y = A^T x, as many values as points to `count`: the transposed of winograd_evaluate_1d.
template <int points, int count>
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void winograd_combine_1d(const WinogradVector* x, int step,
                                                                               const float* scale, WinogradVector* y) {
  using V = WinogradVector;
  constexpr int pairs = points / 2 - 1;
  V even[3] = {}, odd[3] = {};
  SYNTHDATA_UNROLL
  for (int p = 0; p < pairs; ++p) {
    even[p] = scale[1 + p] * (x[(1 + 2 * p) * step] + x[(2 + 2 * p) * step]);
    odd[p] = scale[1 + p] * (x[(1 + 2 * p) * step] - x[(2 + 2 * p) * step]);
  }
  const V first = scale[0] * x[0], last = x[(points - 1) * step];
  float power_2 = 1.0f, power_half = 1.0f;
  SYNTHDATA_UNROLL
  for (int i = 0; i < count; ++i, power_2 *= 2.0f, power_half *= 0.5f) {
    const V* sum = i % 2 == 0 ? even : odd;
    V v = sum[0] + power_2 * sum[1];
    if (pairs > 2) v += power_half * sum[2];
    if (i == 0) v += first;
    if (i == count - 1) v += last;
    y[i * step] = v;
  }
}

/// A transform on `lines` lines of a tile in place, each value `step` from the next. How many values there are is known
/// when the loop is compiled, so that they stay in registers.
template <int points>
SYNTHDATA_KERNEL_TARGET void winograd_data_lines(WinogradVector* t, int lines, int line, int step) {
  for (int i = 0; i < lines; ++i) winograd_data_1d<points>(t + i * line, step, t + i * line);
}
template <int points, int count>
SYNTHDATA_KERNEL_TARGET void winograd_evaluate_lines(WinogradVector* t, int lines, int line, int step,
                                                     const float* scale) {
  for (int i = 0; i < lines; ++i) winograd_evaluate_1d<points, count>(t + i * line, step, scale, t + i * line);
}
template <int points, int count>
SYNTHDATA_KERNEL_TARGET void winograd_combine_lines(WinogradVector* t, int lines, int line, int step,
                                                    const float* scale) {
  for (int i = 0; i < lines; ++i) winograd_combine_1d<points, count>(t + i * line, step, scale, t + i * line);
}

/// The transforms for a number of points, by the number of values: 2 to 7, but fewer than the points.
struct WinogradLines {
  using Scaled = void (*)(WinogradVector* t, int lines, int line, int step, const float* scale);
  void (*data)(WinogradVector* t, int lines, int line, int step);
  Scaled evaluate[6], combine[6];
};
template <int points>
inline constexpr WinogradLines winograd_lines = {
    winograd_data_lines<points>,
    {winograd_evaluate_lines<points, 2>, winograd_evaluate_lines<points, 3>, winograd_evaluate_lines<points, 4>,
     winograd_evaluate_lines<points, 5>, winograd_evaluate_lines<points, std::min(6, points - 1)>,
     winograd_evaluate_lines<points, std::min(7, points - 1)>},
    {winograd_combine_lines<points, 2>, winograd_combine_lines<points, 3>, winograd_combine_lines<points, 4>,
     winograd_combine_lines<points, 5>, winograd_combine_lines<points, std::min(6, points - 1)>,
     winograd_combine_lines<points, std::min(7, points - 1)>}};
inline const WinogradLines& winograd_lines_of(int points) {
  return points == 6 ? winograd_lines<6> : winograd_lines<8>;
}

/// Values of a panel's row, from channel c on.
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void store_channels(const WinogradVector& v, float* row,
                                                                          std::int64_t c) {
#if SYNTHDATA_KERNEL_PAIRS
  pairs::store_half_row(v, row + c / 2);
#else
  __builtin_memcpy(row + c, &v, sizeof(v));
#endif
}

SYNTHDATA_KERNEL_TARGET inline void winograd_data(const float* const* in, int height, int width, std::int64_t n,
                                                  float* out, std::int64_t plane) {
  using V = WinogradVector;
  const auto by_height = winograd_lines_of(height).data;
  const auto by_width = winograd_lines_of(width).data;
  for (std::int64_t c = 0; c < n; c += VectorOf<float>::lanes) {
    V t[64];
    for (int i = 0; i < height * width; ++i) __builtin_memcpy(&t[i], in[i] + c, sizeof(V));
    by_height(t, width, 1, width);
    by_width(t, height, width, 1);
    for (int i = 0; i < height * width; ++i) store_channels(t[i], out + i * plane, c);
  }
}

SYNTHDATA_KERNEL_TARGET inline void winograd_evaluate(const float* const* in, const WinogradSide& height,
                                                      const WinogradSide& width, std::int64_t n, float* out,
                                                      std::int64_t plane) {
  using V = WinogradVector;
  const auto by_height = winograd_lines_of(height.points).evaluate[height.values - 2];
  const auto by_width = winograd_lines_of(width.points).evaluate[width.values - 2];
  for (std::int64_t c = 0; c < n; c += VectorOf<float>::lanes) {
    V t[64];
    for (int h = 0; h < height.values; ++h)
      for (int w = 0; w < width.values; ++w)
        __builtin_memcpy(&t[width.points * h + w], in[h * width.values + w] + c, sizeof(V));
    by_height(t, width.values, 1, width.points, height.scale);
    by_width(t, height.points, width.points, 1, width.scale);
    for (int i = 0; i < height.points * width.points; ++i) __builtin_memcpy(out + i * plane + c, &t[i], sizeof(V));
  }
}

SYNTHDATA_KERNEL_TARGET inline void winograd_combine(const float* in, std::int64_t plane, const WinogradSide& height,
                                                     const WinogradSide& width, const float* bias, bool accumulate,
                                                     std::int64_t n, float* const* out) {
  using V = WinogradVector;
  const auto by_height = winograd_lines_of(height.points).combine[height.values - 2];
  const auto by_width = winograd_lines_of(width.points).combine[width.values - 2];
  for (std::int64_t c = 0; c < n; c += VectorOf<float>::lanes) {
    V t[64];
    for (int i = 0; i < height.points * width.points; ++i) __builtin_memcpy(&t[i], in + i * plane + c, sizeof(V));
    by_height(t, width.points, 1, width.points, height.scale);
    by_width(t, height.values, width.points, 1, width.scale);
    for (int h = 0; h < height.values; ++h)
      for (int w = 0; w < width.values; ++w) {
        float* to = out[h * width.values + w];
        if (!to) continue;
        V v = t[width.points * h + w], other;
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
