// synthdata/backend/window_impl.hpp: bodies of backend/window.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/elementwise.hpp>
#include <synthdata/backend/window.hpp>

#include <algorithm>

namespace synthdata::backend {
namespace cpu {

inline constexpr std::int64_t lanes = 16;  // a fixed trip count, which g++ -O2 turns into vector code

/// y = w x, or y += w x.
template <class T>
SYNTHDATA_HD void weigh(T* y, const T* x, T w, std::int64_t n, bool first) {
  std::int64_t i = 0;
  if (first) {
    for (; i + lanes <= n; i += lanes) {
      SYNTHDATA_IVDEP
      for (int j = 0; j < static_cast<int>(lanes); ++j) y[i + j] = w * x[i + j];
    }
    for (; i < n; ++i) y[i] = w * x[i];
  } else {
    for (; i + lanes <= n; i += lanes) {
      SYNTHDATA_IVDEP
      for (int j = 0; j < static_cast<int>(lanes); ++j) y[i + j] += w * x[i + j];
    }
    for (; i < n; ++i) y[i] += w * x[i];
  }
}

/// Taps with weights of the element type.
template <class T>
struct TapsView {
  const std::int64_t* start;
  const std::int64_t* index;
  const T* weight;
  bool identity;
};

template <class T>
struct ResamplePlan {
  std::int64_t in[3], out[3], channels;
  TapsView<T> d, h, w;
};

/// One row of the output: the rows of the input it depends on are summed into `sum`, then the taps of W are applied.
template <class T>
SYNTHDATA_HD void resample_row(const ResamplePlan<T>& p, const T* x, T* y, T* sum, std::int64_t row) {
  const std::int64_t c = p.channels, length = p.in[2] * c;
  const std::int64_t oh = row % p.out[1], od = row / p.out[1] % p.out[0], n = row / p.out[1] / p.out[0];
  const T* image = x + n * p.in[0] * p.in[1] * length;
  const std::int64_t d0 = p.d.start[od], d1 = p.d.start[od + 1], h0 = p.h.start[oh], h1 = p.h.start[oh + 1];
  y += row * p.out[2] * c;
  const T* source = sum;
  if (d1 - d0 == 1 && h1 - h0 == 1 && p.d.weight[d0] * p.h.weight[h0] == T(1)) {
    source = image + (p.d.index[d0] * p.in[1] + p.h.index[h0]) * length;  // needs no sum
    if (p.w.identity) {
      for (std::int64_t i = 0; i < length; ++i) y[i] = source[i];
      return;
    }
  } else {
    T* into = p.w.identity ? y : sum;
    bool first = true;
    for (std::int64_t d = d0; d < d1; ++d) {
      for (std::int64_t h = h0; h < h1; ++h) {
        weigh(into, image + (p.d.index[d] * p.in[1] + p.h.index[h]) * length, p.d.weight[d] * p.h.weight[h], length,
              first);
        first = false;
      }
    }
    if (first) {
      for (std::int64_t i = 0; i < length; ++i) into[i] = T(0);
    }
    if (p.w.identity) return;
  }
  for (std::int64_t ow = 0; ow < p.out[2]; ++ow, y += c) {
    const std::int64_t w0 = p.w.start[ow], w1 = p.w.start[ow + 1];
    if (c == 1 || w0 == w1) {
      T total = T(0);
      for (std::int64_t t = w0; t < w1; ++t) total += p.w.weight[t] * source[p.w.index[t]];
      for (std::int64_t i = 0; i < c; ++i) y[i] = total;
    } else {
      for (std::int64_t t = w0; t < w1; ++t) weigh(y, source + p.w.index[t] * c, p.w.weight[t], c, t == w0);
    }
  }
}

template <class T>
void resample_baseline(const ResamplePlan<T>& p, const T* x, T* y, T* sum, std::int64_t row) {
  resample_row(p, x, y, sum, row);
}
template <class T>
SYNTHDATA_TARGET_AVX2 void resample_avx2(const ResamplePlan<T>& p, const T* x, T* y, T* sum, std::int64_t row) {
  resample_row(p, x, y, sum, row);
}
template <class T>
SYNTHDATA_TARGET_AVX512 void resample_avx512(const ResamplePlan<T>& p, const T* x, T* y, T* sum, std::int64_t row) {
  resample_row(p, x, y, sum, row);
}

/// best = max(best, x) with the position of the winner. Branch-free: it runs in lanes.
template <bool Positions, class T>
SYNTHDATA_HD void take_larger(T* best, std::int32_t* where, const T* x, std::int32_t position, std::int64_t c) {
  std::int64_t i = 0;
  for (; i + lanes <= c; i += lanes) {
    SYNTHDATA_IVDEP
    for (int j = 0; j < static_cast<int>(lanes); ++j) {
      const T v = x[i + j], b = best[i + j];
      const bool wins = (v > b) | (v != v);
      best[i + j] = wins ? v : b;
      if constexpr (Positions) where[i + j] = wins ? position : where[i + j];
    }
  }
  for (; i < c; ++i) {
    const T v = x[i], b = best[i];
    const bool wins = (v > b) | (v != v);
    best[i] = wins ? v : b;
    if constexpr (Positions) where[i] = wins ? position : where[i];
  }
}

/// One row of windows; position [out W, C] is null unless wanted.
template <bool Positions, class T>
SYNTHDATA_HD void max_row(const Windows& s, std::int64_t c, const T* x, T* y, std::int32_t* where, std::int64_t row) {
  const std::int64_t o[2] = {row / s.out[1] % s.out[0], row % s.out[1]};
  x += row / s.out[1] / s.out[0] * s.in[0] * s.in[1] * s.in[2] * c;
  y += row * s.out[2] * c;
  if constexpr (Positions) where += row * s.out[2] * c;
  std::int64_t from[2], to[2];
  for (int k = 0; k < 2; ++k) {
    const std::int64_t begin = o[k] * s.stride[k] - s.padding[k], end = begin + s.kernel[k];
    from[k] = begin > 0 ? begin : 0;
    to[k] = end < s.in[k] ? end : s.in[k];
  }
  for (std::int64_t ow = 0; ow < s.out[2]; ++ow, y += c) {
    const std::int64_t begin = ow * s.stride[2] - s.padding[2], end = begin + s.kernel[2];
    const std::int64_t w0 = begin > 0 ? begin : 0, w1 = end < s.in[2] ? end : s.in[2];
    bool first = true;
    for (std::int64_t d = from[0]; d < to[0]; ++d) {
      for (std::int64_t h = from[1]; h < to[1]; ++h) {
        for (std::int64_t w = w0; w < w1; ++w) {
          const std::int64_t position = (d * s.in[1] + h) * s.in[2] + w;
          const T* v = x + position * c;
          if (first) {
            for (std::int64_t i = 0; i < c; ++i) y[i] = v[i];
            if constexpr (Positions) {
              for (std::int64_t i = 0; i < c; ++i) where[i] = static_cast<std::int32_t>(position);
            }
            first = false;
          } else {
            take_larger<Positions>(y, where, v, static_cast<std::int32_t>(position), c);
          }
        }
      }
    }
    if constexpr (Positions) where += c;
  }
}

template <bool Positions, class T>
void max_baseline(const Windows& s, std::int64_t c, const T* x, T* y, std::int32_t* where, std::int64_t row) {
  max_row<Positions>(s, c, x, y, where, row);
}
template <bool Positions, class T>
SYNTHDATA_TARGET_AVX2 void max_avx2(const Windows& s, std::int64_t c, const T* x, T* y, std::int32_t* where,
                                    std::int64_t row) {
  max_row<Positions>(s, c, x, y, where, row);
}
template <bool Positions, class T>
SYNTHDATA_TARGET_AVX512 void max_avx512(const Windows& s, std::int64_t c, const T* x, T* y, std::int32_t* where,
                                        std::int64_t row) {
  max_row<Positions>(s, c, x, y, where, row);
}

template <bool Positions, class T>
void max_rows(const Windows& s, std::int64_t batch, std::int64_t c, const T* x, T* y, std::int32_t* where) {
  const auto kernel = isa() == Isa::avx512 ? max_avx512<Positions, T>
                      : isa() == Isa::avx2 ? max_avx2<Positions, T>
                                           : max_baseline<Positions, T>;
  const std::int64_t work = s.out[2] * c * s.kernel[0] * s.kernel[1] * s.kernel[2];
  parallel_for(batch * s.out[0] * s.out[1], std::max<std::int64_t>(1, elementwise_chunk / work),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) kernel(s, c, x, y, where, row);
               });
}

}  // namespace cpu

SYNTHDATA_INLINE void Taps::add(std::int64_t position, double w) {
  index.push_back(position);
  weight.push_back(w);
}

SYNTHDATA_INLINE void Taps::end_row() { start.push_back(static_cast<std::int64_t>(index.size())); }

SYNTHDATA_INLINE Taps Taps::identity(std::int64_t n) {
  Taps taps{.inputs = n};
  for (std::int64_t i = 0; i < n; ++i) {
    taps.add(i, 1.0);
    taps.end_row();
  }
  return taps;
}

SYNTHDATA_INLINE bool Taps::is_identity() const {
  if (outputs() != inputs || static_cast<std::int64_t>(index.size()) != inputs) return false;
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (start[i] != static_cast<std::int64_t>(i) || index[i] != start[i] || weight[i] != 1.0) return false;
  }
  return true;
}

SYNTHDATA_INLINE Taps Taps::transposed() const {
  Taps t{.inputs = outputs(), .start = std::vector<std::int64_t>(static_cast<std::size_t>(inputs) + 1, 0)};
  for (const std::int64_t i : index) ++t.start[static_cast<std::size_t>(i) + 1];
  for (std::size_t i = 1; i < t.start.size(); ++i) t.start[i] += t.start[i - 1];
  t.index.resize(index.size());
  t.weight.resize(index.size());
  std::vector<std::int64_t> next = t.start;
  for (std::size_t row = 0; row + 1 < start.size(); ++row) {
    for (auto k = static_cast<std::size_t>(start[row]); k < static_cast<std::size_t>(start[row + 1]); ++k) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(index[k])]++);
      t.index[at] = static_cast<std::int64_t>(row);
      t.weight[at] = weight[k];
    }
  }
  return t;
}

SYNTHDATA_INLINE SpatialTaps SpatialTaps::transposed() const {
  return {{axis[0].transposed(), axis[1].transposed(), axis[2].transposed()}};
}

SYNTHDATA_INLINE Tensor resample(const Tensor& x, const SpatialTaps& taps) {
  const Shape shape{x.shape()[0], taps.axis[0].outputs(), taps.axis[1].outputs(), taps.axis[2].outputs(), x.shape()[4]};
  Tensor out = x.empty_like(shape);
  if (out.size() == 0) return out;
  if (!x.device().is_cpu()) {
    device_kernels().resample(x, taps, out);
    return out;
  }
  visit_floating(x.dtype(), "resample", [&]<class T>() {
    std::vector<T> weight[3];
    cpu::TapsView<T> view[3];
    cpu::ResamplePlan<T> plan{};
    for (int k = 0; k < 3; ++k) {
      const Taps& axis = taps.axis[k];
      for (const double w : axis.weight) weight[k].push_back(static_cast<T>(w));
      view[k] = {axis.start.data(), axis.index.data(), weight[k].data(), axis.is_identity()};
      plan.in[k] = axis.inputs;
      plan.out[k] = axis.outputs();
    }
    plan.channels = shape[4];
    plan.d = view[0];
    plan.h = view[1];
    plan.w = view[2];
    const auto kernel = cpu::isa() == cpu::Isa::avx512 ? cpu::resample_avx512<T>
                        : cpu::isa() == cpu::Isa::avx2 ? cpu::resample_avx2<T>
                                                       : cpu::resample_baseline<T>;
    const T* from = x.data<T>();
    T* into = out.data<T>();
    const std::int64_t work = std::max(plan.in[2], plan.out[2]) * plan.channels;
    parallel_for(shape[0] * shape[1] * shape[2], std::max<std::int64_t>(1, cpu::elementwise_chunk / work),
                 [&](std::int64_t begin, std::int64_t end) {
                   std::vector<T> sum(static_cast<std::size_t>(plan.in[2] * plan.channels));
                   for (std::int64_t row = begin; row < end; ++row) kernel(plan, from, into, sum.data(), row);
                 });
  });
  return out;
}

SYNTHDATA_INLINE Tensor max_window(const Tensor& x, const Windows& windows, Tensor* position) {
  const Shape shape{x.shape()[0], windows.out[0], windows.out[1], windows.out[2], x.shape()[4]};
  Tensor out = x.empty_like(shape);
  if (position) *position = Tensor::empty(shape, DType::i32, x.device());
  if (out.size() == 0) return out;
  if (!x.device().is_cpu()) {
    device_kernels().max_window(x, windows, out, position);
    return out;
  }
  visit_floating(x.dtype(), "max_pool", [&]<class T>() {
    if (position) {
      cpu::max_rows<true>(windows, shape[0], shape[4], x.data<T>(), out.data<T>(), position->data<std::int32_t>());
    } else {
      cpu::max_rows<false>(windows, shape[0], shape[4], x.data<T>(), out.data<T>(), nullptr);
    }
  });
  return out;
}

}  // namespace synthdata::backend
