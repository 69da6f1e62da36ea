// synthdata/backend/cpu/norm_kernels.hpp: the inner loops of normalisation, and how they walk over the data.
//
// Two ways. By columns: sums for each channel over a chunk of rows. By rows, for layer norm: a row stays in the cache,
// so all is done at once. backend/norm_impl.hpp puts the parts together.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthdata::backend::detail {

using cpu::block_size;
using cpu::BlockActivation;
using cpu::for_block;
using cpu::for_blocks;

/// How the rows of a sample are walked: few channels are laid side by side until they fill whole blocks.
struct ColumnWalk {
  std::int64_t samples, channels;
  std::int64_t elements;  // of a sample
  std::int64_t wide;      // columns: `repeat` rows of the sample side by side
  std::int64_t repeat;
  std::int64_t wide_rows;  // the last one may be short
  std::int64_t chunk_rows, chunks;
  static constexpr std::int64_t piece = 1024;  // columns: a chunk of a piece stays in the L2 cache
  std::int64_t pieces;

  /// x is [samples, rows, channels].
  ColumnWalk(std::int64_t x_samples, std::int64_t x_rows, std::int64_t x_channels)
      : samples(x_samples), channels(x_channels), elements(x_rows * x_channels) {
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
    std::int64_t sample = 0, chunk = 0;
    std::int64_t from = 0;    // first column
    std::int64_t offset = 0;  // of the first element
    std::int64_t rows = 0, ld = 0, width = 0;
    std::int64_t last_width = 0;  // of the last row
  };

  template <class F>
  void for_items(const F& f) const {
    const std::int64_t cost = std::max<std::int64_t>(1, std::min(chunk_rows, wide_rows) * std::min(wide, piece));
    parallel_for(samples * chunks * pieces, std::int64_t{1} + 16384 / cost, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        Item item;
        item.sample = i / pieces / chunks;
        item.chunk = i / pieces % chunks;
        item.from = i % pieces * piece;
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
    const std::int64_t cost = std::max<std::int64_t>(1, chunks * repeat * std::min(channels, piece));
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
    const auto divide = [&](std::int64_t begin, std::int64_t end, std::int64_t rows) SYNTHDATA_INLINE_LAMBDA {
      const T count = rows ? static_cast<T>(rows) : T(1);  // divided, not multiplied by 1 / count: exact for constants
      for (std::int64_t j = begin; j < end; ++j) mean[j] /= count;
    };
    std::fill_n(mean, item.width, T(0));
    std::fill_n(squares, item.width, T(0));
    for_item(item, [=](std::int64_t at, std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA { mean[b + j] += x[at + j]; });
    });
    divide(0, item.last_width, item.rows);
    divide(item.last_width, item.width, item.rows - 1);
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

/// The moments as they are used everywhere: 1 / sqrt(variance + epsilon).
template <class T>
double inverse_deviation(T variance, double epsilon) {
  return 1.0 / std::sqrt(static_cast<double>(variance) + epsilon);
}

/// The same for each column, times gamma.
template <class T>
struct ColumnScales {
  double epsilon;
  SYNTHDATA_HD void operator()(std::int64_t columns, const T* variance, const T* gamma, T* scale) const {
    for_blocks(columns, [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      const T *from = variance + b, *by = gamma + b;
      T* to = scale + b;
      const double added = epsilon;
      for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        const double v = static_cast<double>(from[j]) + added;
        if constexpr (std::is_same_v<T, float>) {
          // There is no root of doubles in vectors: a Newton step from that of a float.
          const double near = static_cast<double>(1.0f / math::sqrt(static_cast<float>(v)));
          to[j] = static_cast<float>(near * (1.5 - 0.5 * v * near * near) * static_cast<double>(by[j]));
        } else {
          to[j] = by[j] / math::sqrt(v);
        }
      });
    });
  }
};

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
  SYNTHDATA_HD void operator()(std::int64_t rows, std::int64_t n, const T* x, const T* gamma, const T* beta, T* y,
                               T* means, T* variances) const {
    for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
      const T size = static_cast<T>(n);
      const T mean = lane_sum<T>(n, [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA { return x[j]; }) / size;
      const T variance = lane_sum<T>(n,
                                     [=](std::int64_t j) SYNTHDATA_INLINE_LAMBDA {
                                       const T d = x[j] - mean;
                                       return d * d;
                                     }) /
                         size;
      const T inverse = static_cast<T>(inverse_deviation(variance, epsilon));
      means[r] = mean;
      variances[r] = variance;
      for_blocks(n, [&](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        const T *from = x + b, *scale = gamma + b, *shift = beta + b;
        T* to = y + b;
        for_block(count,
                  [=](int j) SYNTHDATA_INLINE_LAMBDA { to[j] = (from[j] - mean) * inverse * scale[j] + shift[j]; });
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

}  // namespace synthdata::backend::detail
