// synthdata/backend/norm_impl.hpp: bodies of backend/norm.hpp.
//
// By columns: partial sums of chunks are combined for each channel, channels into groups, and one more pass over x
// writes the result. What that pass needs is laid out as five coefficients for each column. By rows: one pass.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/norm_kernels.hpp>
#include <synthdata/backend/norm.hpp>

namespace synthdata::backend {
namespace detail {

inline ColumnWalk columns_of(const NormShape& s) { return {s.samples, s.rows, s.channels}; }
inline bool by_rows(const NormShape& s) { return s.rows == 1 && s.groups == 1; }

template <class T>
BlockActivation<T> block_activation(const NormAffine& a) {
  return {a.act, static_cast<T>(a.slope)};
}

/// Repeats the first `channels` columns of each of `count` coefficient rows until they are `wide` long.
template <class T>
void repeat_columns(const ColumnWalk& walk, T* rows, std::int64_t count) {
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t j = walk.channels; j < walk.wide; ++j)
      rows[k * walk.wide + j] = rows[k * walk.wide + j - walk.channels];
  }
}

/// [samples, 5, wide]: mean, scale, shift, q = 0, r = 0; the last two are filled in by the gradient.
template <class T>
Tensor coefficients(const ColumnWalk& walk, const NormShape& s, const NormMoments& m, const NormAffine& a) {
  Tensor out = Tensor::empty({s.samples, 5, walk.wide}, dtype_of<T>, Device::cpu());
  const T* gamma = a.gamma.defined() ? a.gamma.data<T>() : nullptr;
  const T* beta = a.beta.defined() ? a.beta.data<T>() : nullptr;
  const std::int64_t width = s.channels / s.groups;
  parallel_for(s.samples, std::int64_t{1} + 16384 / walk.wide, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* row = out.data<T>() + n * 5 * walk.wide;
      if (width == 1 && gamma && beta) {  // batch norm: a group for each channel
        std::copy_n(m.mean.data<T>() + n * s.groups, s.groups, row);
        cpu::run<T>(ColumnScales<T>{a.epsilon}, s.channels, m.variance.data<T>() + n * s.groups, gamma,
                    row + walk.wide);
        std::copy_n(beta, s.channels, row + 2 * walk.wide);
        std::fill_n(row + 3 * walk.wide, s.channels, T(0));
        std::fill_n(row + 4 * walk.wide, s.channels, T(0));
      } else {
        for (std::int64_t g = 0; g < s.groups; ++g) {
          const T mean = m.mean.data<T>()[n * s.groups + g];
          const double inverse = inverse_deviation(m.variance.data<T>()[n * s.groups + g], a.epsilon);
          for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
            row[c] = mean;
            row[walk.wide + c] = static_cast<T>(gamma ? inverse * static_cast<double>(gamma[c]) : inverse);
            row[2 * walk.wide + c] = beta ? beta[c] : T(0);
            row[3 * walk.wide + c] = row[4 * walk.wide + c] = T(0);
          }
        }
      }
      repeat_columns(walk, row, 5);
    }
  });
  return out;
}

template <class T>
Coefficients<T> coefficients_of(const Tensor& all, const ColumnWalk& walk, const Item& item) {
  const T* row = all.data<T>() + item.sample * 5 * walk.wide + item.from;
  return {row, row + walk.wide, row + 2 * walk.wide, row + 3 * walk.wide, row + 4 * walk.wide};
}

template <class T>
NormMoments column_moments(const Tensor& x, const NormShape& s, const ColumnWalk& walk) {
  Tensor partial = Tensor::empty({s.samples * walk.chunks * 2, walk.wide}, dtype_of<T>, Device::cpu());
  T* parts = partial.data<T>();
  const T* px = x.data<T>();
  walk.for_items([&](const Item& item) {
    T* mean = parts + (item.sample * walk.chunks + item.chunk) * 2 * walk.wide + item.from;
    cpu::run<T>(ColumnMoments<T>{}, item, px + item.offset, mean, mean + walk.wide);
  });

  // Chan's rule for parts of different sizes: deviations from the common mean, all in f64.
  Tensor total = Tensor::zeros({s.samples, 2, s.channels}, DType::f64, Device::cpu());
  double* totals = total.data<double>();
  walk.for_channels([&](std::int64_t n, std::int64_t begin, std::int64_t end) {
    double* mean = totals + n * 2 * s.channels;
    double* squares = mean + s.channels;
    const auto for_parts = [&](const auto& f) {
      for (std::int64_t k = 0; k < walk.chunks; ++k) {
        for (std::int64_t i = 0; i < walk.repeat; ++i) {
          const T* part = parts + (n * walk.chunks + k) * 2 * walk.wide + i * s.channels;
          for (std::int64_t c = begin; c < end; ++c) {
            f(c, static_cast<double>(walk.rows_of(k, i * s.channels + c)), static_cast<double>(part[c]),
              static_cast<double>(part[walk.wide + c]));
          }
        }
      }
    };
    const double share = 1.0 / static_cast<double>(s.rows);
    for_parts([&](std::int64_t c, double rows, double m, double) { mean[c] += rows * share * m; });
    for_parts([&](std::int64_t c, double rows, double m, double q) {
      const double d = m - mean[c];
      squares[c] += q + rows * d * d;
    });
  });

  NormMoments moments{Tensor::empty({s.samples, s.groups}, dtype_of<T>, Device::cpu()),
                      Tensor::empty({s.samples, s.groups}, dtype_of<T>, Device::cpu())};
  T *means = moments.mean.data<T>(), *variances = moments.variance.data<T>();
  const std::int64_t width = s.channels / s.groups;
  for (std::int64_t i = 0; i < s.samples * s.groups; ++i) {
    const double* mean = totals + i / s.groups * 2 * s.channels + i % s.groups * width;
    const double* squares = mean + s.channels;
    double group_mean = 0.0, group_squares = 0.0;
    for (std::int64_t c = 0; c < width; ++c) group_mean += mean[c] / static_cast<double>(width);
    for (std::int64_t c = 0; c < width; ++c) {
      const double d = mean[c] - group_mean;
      group_squares += squares[c] + static_cast<double>(s.rows) * d * d;
    }
    means[i] = static_cast<T>(group_mean);
    variances[i] = static_cast<T>(group_squares / static_cast<double>(s.count()));
  }
  return moments;
}

template <class T>
Tensor column_apply(const Tensor& x, const NormShape& s, const NormMoments& m, const NormAffine& a,
                    const ColumnWalk& walk) {
  const Tensor all = coefficients<T>(walk, s, m, a);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), Device::cpu());
  const T* px = x.data<T>();
  T* py = y.data<T>();
  walk.for_items([&](const Item& item) {
    cpu::run<T>(ColumnApply<T>{block_activation<T>(a)}, item, coefficients_of<T>(all, walk, item), px + item.offset,
                py + item.offset);
  });
  return y;
}

/// Fills q and r of the coefficients: what the dependence of the moments on x adds to its gradient.
template <class T>
void add_moment_terms(Tensor& all, const NormShape& s, const NormMoments& m, const NormAffine& a,
                      const ColumnWalk& walk, const double* totals) {
  const T* gamma = a.gamma.defined() ? a.gamma.data<T>() : nullptr;
  const std::int64_t width = s.channels / s.groups;
  const auto count = static_cast<double>(s.count());
  for (std::int64_t n = 0; n < s.samples; ++n) {
    T* q = all.data<T>() + (n * 5 + 3) * walk.wide;
    const double* sum = totals + n * 2 * s.channels;
    const double* product = sum + s.channels;
    for (std::int64_t g = 0; g < s.groups; ++g) {
      const double inverse = inverse_deviation(m.variance.data<T>()[n * s.groups + g], a.epsilon);
      double sums = 0.0, products = 0.0;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        const double scale = gamma ? static_cast<double>(gamma[c]) : 1.0;
        sums += scale * sum[c];
        products += scale * product[c];
      }
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        q[c] = static_cast<T>(-inverse * inverse * inverse * products / count);
        q[walk.wide + c] = static_cast<T>(-inverse * sums / count);
      }
    }
    repeat_columns(walk, q, 2);
  }
}

template <class T>
NormGradients column_gradients(const Tensor& x, const Tensor& g, const NormShape& s, const NormMoments& m,
                               const NormAffine& a, const NormWanted& wanted, bool constant_moments) {
  const ColumnWalk walk = columns_of(s);
  Tensor all = coefficients<T>(walk, s, m, a);
  const T *px = x.data<T>(), *pg = g.data<T>();
  const BlockActivation<T> act = block_activation<T>(a);
  NormGradients out;
  if (wanted.gamma || wanted.beta || (wanted.x && !constant_moments)) {
    Tensor partial = Tensor::empty({s.samples * walk.chunks * 2, walk.wide}, dtype_of<T>, Device::cpu());
    T* parts = partial.data<T>();
    walk.for_items([&](const Item& item) {
      T* sums = parts + (item.sample * walk.chunks + item.chunk) * 2 * walk.wide + item.from;
      cpu::run<T>(ColumnGradientSums<T>{act}, item, coefficients_of<T>(all, walk, item), px + item.offset,
                  pg + item.offset, sums, sums + walk.wide);
    });
    Tensor total = Tensor::zeros({s.samples, 2, s.channels}, DType::f64, Device::cpu());
    double* totals = total.data<double>();
    walk.for_channels([&](std::int64_t n, std::int64_t begin, std::int64_t end) {
      double* sum = totals + n * 2 * s.channels;
      for (std::int64_t k = 0; k < walk.chunks; ++k) {
        for (std::int64_t i = 0; i < walk.repeat; ++i) {
          const T* part = parts + (n * walk.chunks + k) * 2 * walk.wide + i * s.channels;
          for (std::int64_t c = begin; c < end; ++c) {
            sum[c] += static_cast<double>(part[c]);
            sum[s.channels + c] += static_cast<double>(part[walk.wide + c]);
          }
        }
      }
    });
    if (wanted.gamma) out.gamma = Tensor::empty({s.channels}, dtype_of<T>, Device::cpu());
    if (wanted.beta) out.beta = Tensor::empty({s.channels}, dtype_of<T>, Device::cpu());
    for (std::int64_t c = 0; c < s.channels && (wanted.gamma || wanted.beta); ++c) {
      const std::int64_t group = c / (s.channels / s.groups);
      double gamma = 0.0, beta = 0.0;
      for (std::int64_t n = 0; n < s.samples; ++n) {
        beta += totals[n * 2 * s.channels + c];
        gamma += totals[(n * 2 + 1) * s.channels + c] *
                 inverse_deviation(m.variance.data<T>()[n * s.groups + group], a.epsilon);
      }
      if (wanted.gamma) out.gamma.data<T>()[c] = static_cast<T>(gamma);
      if (wanted.beta) out.beta.data<T>()[c] = static_cast<T>(beta);
    }
    if (wanted.x && !constant_moments) add_moment_terms<T>(all, s, m, a, walk, totals);
  }
  if (wanted.x) {
    out.x = Tensor::empty(x.shape(), x.dtype(), Device::cpu());
    T* dx = out.x.data<T>();
    walk.for_items([&](const Item& item) {
      cpu::run<T>(ColumnGradient<T>{act}, item, coefficients_of<T>(all, walk, item), px + item.offset, pg + item.offset,
                  dx + item.offset);
    });
  }
  return out;
}

inline std::int64_t row_chunk_of(std::int64_t channels) { return std::clamp<std::int64_t>(65536 / channels, 16, 256); }

template <class T>
Tensor row_forward(const Tensor& x, const NormShape& s, const NormAffine& a, NormMoments& m) {
  const Tensor gamma = a.gamma.defined() ? a.gamma : Tensor::ones({s.channels}, x.dtype(), Device::cpu());
  const Tensor beta = a.beta.defined() ? a.beta : Tensor::zeros({s.channels}, x.dtype(), Device::cpu());
  m = {Tensor::empty({s.samples, 1}, x.dtype(), Device::cpu()),
       Tensor::empty({s.samples, 1}, x.dtype(), Device::cpu())};
  Tensor y = Tensor::empty(x.shape(), x.dtype(), Device::cpu());
  const T *px = x.data<T>(), *pg = gamma.data<T>(), *pb = beta.data<T>();
  T *py = y.data<T>(), *means = m.mean.data<T>(), *variances = m.variance.data<T>();
  const RowForward<T> kernel{block_activation<T>(a), a.epsilon};
  parallel_for(s.samples, row_chunk_of(s.channels), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * s.channels;
    cpu::run<T>(kernel, end - begin, s.channels, px + at, pg, pb, py + at, means + begin, variances + begin);
  });
  return y;
}

template <class T>
NormGradients row_gradients(const Tensor& x, const Tensor& g, const NormShape& s, const NormMoments& m,
                            const NormAffine& a, const NormWanted& wanted) {
  const Tensor gamma = a.gamma.defined() ? a.gamma : Tensor::ones({s.channels}, x.dtype(), Device::cpu());
  const Tensor beta = a.beta.defined() ? a.beta : Tensor::zeros({s.channels}, x.dtype(), Device::cpu());
  const std::int64_t chunk = row_chunk_of(s.channels), chunks = (s.samples + chunk - 1) / chunk;
  NormGradients out;
  if (wanted.x) out.x = Tensor::empty(x.shape(), x.dtype(), Device::cpu());
  Tensor partial = Tensor::empty({chunks, 2 * s.channels}, x.dtype(), Device::cpu());
  const T *px = x.data<T>(), *pg = g.data<T>(), *scale = gamma.data<T>(), *shift = beta.data<T>();
  const T *means = m.mean.data<T>(), *variances = m.variance.data<T>();
  T *dx = wanted.x ? out.x.data<T>() : nullptr, *parts = partial.data<T>();
  const RowGradient<T> kernel{block_activation<T>(a), a.epsilon};
  parallel_for(s.samples, chunk, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * s.channels;
    cpu::run<T>(kernel, end - begin, s.channels, px + at, pg + at, scale, shift, means + begin, variances + begin,
                dx ? dx + at : nullptr, parts + begin / chunk * 2 * s.channels);
  });
  const auto total = [&](const T* first) {
    Tensor sum = Tensor::empty({s.channels}, x.dtype(), Device::cpu());
    for (std::int64_t c = 0; c < s.channels; ++c) {
      double all = 0.0;
      for (std::int64_t k = 0; k < chunks; ++k) all += static_cast<double>(first[k * 2 * s.channels + c]);
      sum.data<T>()[c] = static_cast<T>(all);
    }
    return sum;
  };
  if (wanted.gamma) out.gamma = total(parts);
  if (wanted.beta) out.beta = total(parts + s.channels);
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor norm(const Tensor& x, const NormShape& shape, const NormAffine& affine, NormMoments& moments) {
  if (!x.device().is_cpu()) {
    moments = {x.empty_like({shape.samples, shape.groups}), x.empty_like({shape.samples, shape.groups})};
    if (x.size() > 0) device_kernels().norm_moments(x, shape, moments);
    return norm_apply(x, shape, moments, affine);
  }
  return visit_floating(x.dtype(), "norm", [&]<class T>() {
    if (detail::by_rows(shape)) return detail::row_forward<T>(x, shape, affine, moments);
    const detail::ColumnWalk walk = detail::columns_of(shape);
    moments = detail::column_moments<T>(x, shape, walk);
    return detail::column_apply<T>(x, shape, moments, affine, walk);
  });
}

SYNTHDATA_INLINE NormMoments norm_moments(const Tensor& x, const NormShape& shape) {
  if (!x.device().is_cpu()) {
    NormMoments moments{x.empty_like({shape.samples, shape.groups}), x.empty_like({shape.samples, shape.groups})};
    device_kernels().norm_moments(x, shape, moments);
    return moments;
  }
  return visit_floating(x.dtype(), "norm",
                        [&]<class T>() { return detail::column_moments<T>(x, shape, detail::columns_of(shape)); });
}

SYNTHDATA_INLINE Tensor norm_apply(const Tensor& x, const NormShape& shape, const NormMoments& moments,
                                   const NormAffine& affine) {
  if (!x.device().is_cpu()) {
    Tensor y = x.empty_like(x.shape());
    if (x.size() > 0) device_kernels().norm_apply(x, shape, moments, affine, y);
    return y;
  }
  return visit_floating(x.dtype(), "norm", [&]<class T>() {
    return detail::column_apply<T>(x, shape, moments, affine, detail::columns_of(shape));
  });
}

SYNTHDATA_INLINE NormGradients norm_gradients(const Tensor& x, const Tensor& g, const NormShape& shape,
                                              const NormMoments& moments, const NormAffine& affine,
                                              const NormWanted& wanted, bool constant_moments) {
  if (!x.device().is_cpu()) {
    NormGradients out;
    if (wanted.x) out.x = x.empty_like(x.shape());
    if (wanted.gamma) out.gamma = Tensor::zeros({shape.channels}, x.dtype(), x.device());
    if (wanted.beta) out.beta = Tensor::zeros({shape.channels}, x.dtype(), x.device());
    if (x.size() > 0) device_kernels().norm_gradients(x, g, shape, moments, affine, constant_moments, out);
    return out;
  }
  return visit_floating(x.dtype(), "norm", [&]<class T>() {
    if (detail::by_rows(shape) && !constant_moments) {
      return detail::row_gradients<T>(x, g, shape, moments, affine, wanted);
    }
    return detail::column_gradients<T>(x, g, shape, moments, affine, wanted, constant_moments);
  });
}

}  // namespace synthdata::backend
