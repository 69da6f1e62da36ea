// synthdata/backend/norm_impl.hpp: bodies of backend/norm.hpp.
//
// Two ways through the data. By columns: partial sums for each channel over chunks of rows, then channels are combined
// into groups, then one more pass writes the result. By rows, for layer norm: a row is in the cache, all is done at once.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/backend/norm.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthdata::backend {
namespace detail {

using cpu::block_size;
using cpu::BlockActivation;
using cpu::for_block;
using cpu::for_blocks;

inline bool by_rows(const NormShape& s) { return s.rows == 1 && s.groups == 1; }

/// How the rows of a sample are walked: few channels are laid side by side until they fill whole blocks.
struct ColumnWalk {
  std::int64_t samples, channels;
  std::int64_t elements;   // of a sample
  std::int64_t wide;       // columns: `repeat` rows of the sample side by side
  std::int64_t repeat;
  std::int64_t wide_rows;  // the last one may be short
  std::int64_t chunk_rows, chunks;
  static constexpr std::int64_t piece = 512;  // columns: a chunk of a piece stays in the L2 cache
  std::int64_t pieces;

  explicit ColumnWalk(const NormShape& s) : samples(s.samples), channels(s.channels), elements(s.rows * s.channels) {
    const std::int64_t whole = std::lcm(channels, block_size);
    wide = whole <= 4096 ? whole : channels;
    repeat = wide / channels;
    wide_rows = (elements + wide - 1) / wide;
    chunk_rows = std::min<std::int64_t>(256, 65536 / std::min(wide, piece));
    chunks = (wide_rows + chunk_rows - 1) / chunk_rows;
    pieces = (wide + piece - 1) / piece;
  }

  /// Number of wide rows of chunk k that reach column j.
  std::int64_t rows_of(std::int64_t k, std::int64_t j) const {
    const std::int64_t rows = std::min(chunk_rows, wide_rows - k * chunk_rows);
    return k + 1 == chunks && j >= elements - (wide_rows - 1) * wide ? rows - 1 : rows;
  }

  /// A chunk of rows of some columns.
  struct Item {
    std::int64_t sample, chunk, from;  // first column
    std::int64_t offset;               // of the first element
    std::int64_t rows, ld, width, last_width;  // the last row is last_width wide
  };

  template <class F>
  void for_items(const F& f) const {
    const std::int64_t cost = std::min(chunk_rows, wide_rows) * std::min(wide, piece);
    parallel_for(samples * chunks * pieces, std::int64_t{1} + 16384 / cost, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        Item item{.sample = i / pieces / chunks, .chunk = i / pieces % chunks, .from = i % pieces * piece};
        const std::int64_t first = item.chunk * chunk_rows;
        item.offset = item.sample * elements + first * wide + item.from;
        item.rows = std::min(chunk_rows, wide_rows - first);
        item.ld = wide;
        item.width = std::min(piece, wide - item.from);
        const std::int64_t rest = elements - (first + item.rows - 1) * wide - item.from;
        item.last_width = std::clamp<std::int64_t>(rest, 0, item.width);
        f(item);
      }
    });
  }

  /// f(sample, first channel, past the last) for all channels of all samples.
  template <class F>
  void for_channels(const F& f) const {
    const std::int64_t parts = (channels + piece - 1) / piece;
    const std::int64_t cost = chunks * repeat * std::min(channels, piece);
    parallel_for(samples * parts, std::int64_t{1} + 16384 / cost, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t from = i % parts * piece;
        f(i / parts, from, std::min(channels, from + piece));
      }
    });
  }
};

using Item = ColumnWalk::Item;

/// f(row, first column, count) for the blocks of an item.
template <class F>
SYNTHDATA_HD void for_item(const Item& item, const F& f) {
  for (std::int64_t r = 0; r < item.rows; ++r) {
    for_blocks(r + 1 == item.rows ? item.last_width : item.width,
               [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA { f(r * item.ld + b, b, count); });
  }
}

/// Mean and sum of squared deviations of each column of an item. The second pass finds it in the cache.
template <class T>
struct ColumnMoments {
  SYNTHDATA_HD void operator()(Item item, const T* x, T* mean, T* squares) const {
    const auto scale = [&](std::int64_t begin, std::int64_t end, std::int64_t rows) SYNTHDATA_INLINE_LAMBDA {
      const T share = rows ? T(1) / static_cast<T>(rows) : T(0);
      for (std::int64_t j = begin; j < end; ++j) mean[j] *= share;
    };
    std::fill_n(mean, item.width, T(0));
    std::fill_n(squares, item.width, T(0));
    for_item(item, [=](std::int64_t at, std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { mean[b + j] += x[at + j]; });
    });
    scale(0, item.last_width, item.rows);
    scale(item.last_width, item.width, item.rows - 1);
    for_item(item, [=](std::int64_t at, std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        const T d = x[at + j] - mean[b + j];
        squares[b + j] += d * d;
      });
    });
  }
};

/// The gradient before the activation: g itself, or `buffer`. value(j) is the activation's argument.
template <class T, class F>
SYNTHDATA_HD const T* before_activation(const BlockActivation<T>& act, std::int64_t count, const T* g, const F& value,
                                        T* buffer) {
  if (act.kind == cpu::Act::none) return g;
  alignas(64) T y[block_size];
  for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { y[j] = value(j); });
  if (!act.slope_is_of_sign()) act.apply(count, y);
  act.gradient(count, g, y, buffer);
  return buffer;
}

/// Coefficients of each column: y = act((x - mean) scale + shift), dx = scale g + q (x - mean) + r.
template <class T>
struct Coefficients {
  const T *mean, *scale, *shift, *q, *r;
};

template <class T>
struct ColumnApply {
  BlockActivation<T> act;
  SYNTHDATA_HD void operator()(Item item, Coefficients<T> c, const T* x, T* y) const {
    for_item(item, [&](std::int64_t at, std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      const T *mean = c.mean + b, *scale = c.scale + b, *shift = c.shift + b, *from = x + at;
      T* to = y + at;
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { to[j] = (from[j] - mean[j]) * scale[j] + shift[j]; });
      act.apply(count, to);
    });
  }
};

/// Sums of g and of g (x - mean) for each column.
template <class T>
struct ColumnGradientSums {
  BlockActivation<T> act;
  SYNTHDATA_HD void operator()(Item item, Coefficients<T> c, const T* x, const T* g, T* sums, T* products) const {
    std::fill_n(sums, item.width, T(0));
    std::fill_n(products, item.width, T(0));
    for_item(item, [&](std::int64_t at, std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      const T *mean = c.mean + b, *scale = c.scale + b, *shift = c.shift + b, *from = x + at;
      const auto value = [=](int j) SYNTHDATA_INLINE_LAMBDA { return (from[j] - mean[j]) * scale[j] + shift[j]; };
      alignas(64) T buffer[block_size];
      const T* before = before_activation(act, count, g + at, value, buffer);
      T *sum = sums + b, *product = products + b;
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        sum[j] += before[j];
        product[j] += before[j] * (from[j] - mean[j]);
      });
    });
  }
};

template <class T>
struct ColumnGradient {
  BlockActivation<T> act;
  SYNTHDATA_HD void operator()(Item item, Coefficients<T> c, const T* x, const T* g, T* dx) const {
    for_item(item, [&](std::int64_t at, std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      const T *mean = c.mean + b, *scale = c.scale + b, *shift = c.shift + b, *q = c.q + b, *r = c.r + b;
      const T* from = x + at;
      const auto value = [=](int j) SYNTHDATA_INLINE_LAMBDA { return (from[j] - mean[j]) * scale[j] + shift[j]; };
      alignas(64) T buffer[block_size];
      const T* before = before_activation(act, count, g + at, value, buffer);
      T* to = dx + at;
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        to[j] = scale[j] * before[j] + q[j] * (from[j] - mean[j]) + r[j];
      });
    });
  }
};

template <class T>
BlockActivation<T> block_activation(const NormAffine& a) {
  return {a.act, static_cast<T>(a.slope)};
}

/// The moments as they are used everywhere: 1 / sqrt(variance + epsilon).
template <class T>
double inverse_deviation(T variance, double epsilon) {
  return 1.0 / std::sqrt(static_cast<double>(variance) + epsilon);
}

/// Repeats the first `channels` columns of each of `count` coefficient rows until they are `wide` long.
template <class T>
void repeat_columns(const ColumnWalk& walk, T* rows, std::int64_t count) {
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t j = walk.channels; j < walk.wide; ++j) rows[k * walk.wide + j] = rows[k * walk.wide + j - walk.channels];
  }
}

/// [samples, 5, wide]: mean, scale, shift, q = 0, r = 0; the last two are filled in by the gradient.
template <class T>
Tensor coefficients(const ColumnWalk& walk, const NormShape& s, const NormMoments& m, const NormAffine& a) {
  Tensor out = Tensor::empty({s.samples, 5, walk.wide}, dtype_of<T>);
  const T* gamma = a.gamma.defined() ? a.gamma.data<T>() : nullptr;
  const T* beta = a.beta.defined() ? a.beta.data<T>() : nullptr;
  const std::int64_t width = s.channels / s.groups;
  parallel_for(s.samples, std::int64_t{1} + 16384 / walk.wide, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* row = out.data<T>() + n * 5 * walk.wide;
      for (std::int64_t g = 0; g < s.groups; ++g) {
        const T mean = std::as_const(m.mean).data<T>()[n * s.groups + g];
        const double inverse = inverse_deviation(m.variance.data<T>()[n * s.groups + g], a.epsilon);
        for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
          row[c] = mean;
          row[walk.wide + c] = static_cast<T>(gamma ? inverse * static_cast<double>(gamma[c]) : inverse);
          row[2 * walk.wide + c] = beta ? beta[c] : T(0);
          row[3 * walk.wide + c] = row[4 * walk.wide + c] = T(0);
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
  Tensor partial = Tensor::empty({s.samples * walk.chunks * 2, walk.wide}, dtype_of<T>);
  T* parts = partial.data<T>();
  const T* px = x.data<T>();
  walk.for_items([&](const Item& item) {
    T* mean = parts + (item.sample * walk.chunks + item.chunk) * 2 * walk.wide + item.from;
    cpu::run<T>(ColumnMoments<T>{}, item, px + item.offset, mean, mean + walk.wide);
  });

  // Chan's rule for parts of different sizes: deviations from the common mean, all in f64.
  Tensor total = Tensor::zeros({s.samples, 2, s.channels}, DType::f64);
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

  NormMoments moments{Tensor::empty({s.samples, s.groups}, dtype_of<T>), Tensor::empty({s.samples, s.groups}, dtype_of<T>)};
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
Tensor column_apply(const Tensor& x, const NormShape& s, const NormMoments& m, const NormAffine& a, const ColumnWalk& walk) {
  const Tensor all = coefficients<T>(walk, s, m, a);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
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
void add_moment_terms(Tensor& all, const NormShape& s, const NormMoments& m, const NormAffine& a, const ColumnWalk& walk,
                      const double* totals) {
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
NormGradients column_gradients(const Tensor& x, const Tensor& g, const NormShape& s, const NormMoments& m, const NormAffine& a,
                               const NormWanted& wanted, bool constant_moments) {
  const ColumnWalk walk(s);
  Tensor all = coefficients<T>(walk, s, m, a);
  const T *px = x.data<T>(), *pg = g.data<T>();
  const BlockActivation<T> act = block_activation<T>(a);
  NormGradients out;
  if (wanted.gamma || wanted.beta || (wanted.x && !constant_moments)) {
    Tensor partial = Tensor::empty({s.samples * walk.chunks * 2, walk.wide}, dtype_of<T>);
    T* parts = partial.data<T>();
    walk.for_items([&](const Item& item) {
      T* sums = parts + (item.sample * walk.chunks + item.chunk) * 2 * walk.wide + item.from;
      cpu::run<T>(ColumnGradientSums<T>{act}, item, coefficients_of<T>(all, walk, item), px + item.offset,
                  pg + item.offset, sums, sums + walk.wide);
    });
    Tensor total = Tensor::zeros({s.samples, 2, s.channels}, DType::f64);
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
    if (wanted.gamma) out.gamma = Tensor::empty({s.channels}, dtype_of<T>);
    if (wanted.beta) out.beta = Tensor::empty({s.channels}, dtype_of<T>);
    for (std::int64_t c = 0; c < s.channels && (wanted.gamma || wanted.beta); ++c) {
      const std::int64_t group = c / (s.channels / s.groups);
      double gamma = 0.0, beta = 0.0;
      for (std::int64_t n = 0; n < s.samples; ++n) {
        beta += totals[n * 2 * s.channels + c];
        gamma += totals[(n * 2 + 1) * s.channels + c] * inverse_deviation(m.variance.data<T>()[n * s.groups + group], a.epsilon);
      }
      if (wanted.gamma) out.gamma.data<T>()[c] = static_cast<T>(gamma);
      if (wanted.beta) out.beta.data<T>()[c] = static_cast<T>(beta);
    }
    if (wanted.x && !constant_moments) add_moment_terms<T>(all, s, m, a, walk, totals);
  }
  if (wanted.x) {
    out.x = Tensor::empty(x.shape(), x.dtype());
    T* dx = out.x.data<T>();
    walk.for_items([&](const Item& item) {
      cpu::run<T>(ColumnGradient<T>{act}, item, coefficients_of<T>(all, walk, item), px + item.offset, pg + item.offset,
                  dx + item.offset);
    });
  }
  return out;
}

/// The sum of f(j) for j in [0, n), in 64 lanes.
template <class T, class F>
SYNTHDATA_HD T lane_sum(std::int64_t n, const F& f) {
  alignas(64) T lanes[block_size];
  for (T& lane : lanes) lane = T(0);
  for_blocks(n, [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
    for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { lanes[j] += f(b + j); });
  });
  return cpu::fold<static_cast<int>(block_size)>(lanes, Sum2{});
}

/// Layer norm of rows of n values.
template <class T>
struct RowForward {
  BlockActivation<T> act;
  double epsilon;
  SYNTHDATA_HD void operator()(std::int64_t rows, std::int64_t n, const T* x, const T* gamma, const T* beta, T* y, T* means,
                               T* variances) const {
    for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
      const T share = T(1) / static_cast<T>(n);
      const T mean = share * lane_sum<T>(n, [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA { return x[j]; });
      const T variance = share * lane_sum<T>(n, [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA {
        const T d = x[j] - mean;
        return d * d;
      });
      const T inverse = static_cast<T>(inverse_deviation(variance, epsilon));
      means[r] = mean;
      variances[r] = variance;
      for_blocks(n, [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        const T *from = x + b, *scale = gamma + b, *shift = beta + b;
        T* to = y + b;
        for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { to[j] = (from[j] - mean) * inverse * scale[j] + shift[j]; });
        act.apply(count, to);
      });
    }
  }
};

/// Adds the gradients of gamma and beta to `sums` [2, n]; writes that of x unless dx is null.
template <class T>
struct RowGradient {
  BlockActivation<T> act;
  double epsilon;
  SYNTHDATA_HD void operator()(std::int64_t rows, std::int64_t n, const T* x, const T* g, const T* gamma, const T* beta,
                               const T* means, const T* variances, T* dx, T* sums) const {
    std::fill_n(sums, 2 * n, T(0));
    for (std::int64_t r = 0; r < rows; ++r, x += n, g += n) {
      const T mean = means[r], inverse = static_cast<T>(inverse_deviation(variances[r], epsilon));
      const auto before = [&](std::int64_t b, std::int64_t count, T* buffer) SYNTHDATA_INLINE_LAMBDA {
        const T *from = x + b, *scale = gamma + b, *shift = beta + b;
        return before_activation(
            act, count, g + b,
            [=](int j) SYNTHDATA_INLINE_LAMBDA { return (from[j] - mean) * inverse * scale[j] + shift[j]; }, buffer);
      };
      alignas(64) T sum[block_size], product[block_size], buffer[block_size];
      for (int j = 0; j < static_cast<int>(block_size); ++j) sum[j] = product[j] = T(0);
      for_blocks(n, [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        const T *gb = before(b, count, buffer), *from = x + b, *scale = gamma + b;
        T *d_gamma = sums + b, *d_beta = sums + n + b;
        for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA {
          const T scaled = gb[j] * scale[j], deviation = from[j] - mean;
          sum[j] += scaled;
          product[j] += scaled * deviation;
          d_gamma[j] += gb[j] * (deviation * inverse);
          d_beta[j] += gb[j];
        });
      });
      if (!dx) continue;
      constexpr int lanes = static_cast<int>(block_size);
      const T share = inverse / static_cast<T>(n);
      const T shift = -share * cpu::fold<lanes>(sum, Sum2{});
      const T q = -share * inverse * inverse * cpu::fold<lanes>(product, Sum2{});
      for_blocks(n, [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        const T *gb = before(b, count, buffer), *from = x + b, *scale = gamma + b;
        T* to = dx + r * n + b;
        for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
          to[j] = inverse * (gb[j] * scale[j]) + q * (from[j] - mean) + shift;
        });
      });
    }
  }
};

inline std::int64_t row_chunk_of(std::int64_t channels) { return std::clamp<std::int64_t>(65536 / channels, 16, 256); }

template <class T>
Tensor row_forward(const Tensor& x, const NormShape& s, const NormAffine& a, NormMoments& m) {
  const Tensor gamma = a.gamma.defined() ? a.gamma : Tensor::ones({s.channels}, x.dtype());
  const Tensor beta = a.beta.defined() ? a.beta : Tensor::zeros({s.channels}, x.dtype());
  m = {Tensor::empty({s.samples, 1}, x.dtype()), Tensor::empty({s.samples, 1}, x.dtype())};
  Tensor y = Tensor::empty(x.shape(), x.dtype());
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
NormGradients row_gradients(const Tensor& x, const Tensor& g, const NormShape& s, const NormMoments& m, const NormAffine& a,
                            const NormWanted& wanted) {
  const Tensor gamma = a.gamma.defined() ? a.gamma : Tensor::ones({s.channels}, x.dtype());
  const Tensor beta = a.beta.defined() ? a.beta : Tensor::zeros({s.channels}, x.dtype());
  const std::int64_t chunk = row_chunk_of(s.channels), chunks = (s.samples + chunk - 1) / chunk;
  NormGradients out;
  if (wanted.x) out.x = Tensor::empty(x.shape(), x.dtype());
  Tensor partial = Tensor::empty({chunks, 2 * s.channels}, x.dtype());
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
    Tensor sum = Tensor::empty({s.channels}, x.dtype());
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
  return visit_floating(x.dtype(), "norm", [&]<class T>() {
    if (detail::by_rows(shape)) return detail::row_forward<T>(x, shape, affine, moments);
    const detail::ColumnWalk walk(shape);
    moments = detail::column_moments<T>(x, shape, walk);
    return detail::column_apply<T>(x, shape, moments, affine, walk);
  });
}

SYNTHDATA_INLINE Tensor norm_apply(const Tensor& x, const NormShape& shape, const NormMoments& moments,
                                   const NormAffine& affine) {
  return visit_floating(x.dtype(), "norm", [&]<class T>() {
    return detail::column_apply<T>(x, shape, moments, affine, detail::ColumnWalk(shape));
  });
}

SYNTHDATA_INLINE NormGradients norm_gradients(const Tensor& x, const Tensor& g, const NormShape& shape,
                                              const NormMoments& moments, const NormAffine& affine,
                                              const NormWanted& wanted, bool constant_moments) {
  return visit_floating(x.dtype(), "norm", [&]<class T>() {
    if (detail::by_rows(shape) && !constant_moments) {
      return detail::row_gradients<T>(x, g, shape, moments, affine, wanted);
    }
    return detail::column_gradients<T>(x, g, shape, moments, affine, wanted, constant_moments);
  });
}

}  // namespace synthdata::backend
