// synthdata/ops/pool_impl.hpp: bodies of ops/pool.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/gather_impl.hpp>  // put_along_checked
#include <synthdata/ops/pool.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/resample.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {
namespace detail {

/// The windows over x seen as [N, D, H, W, C], checked.
SYNTHDATA_INLINE backend::Windows pool_windows(const char* op, const Var& x, const PoolOptions& o) {
  const Shape volume = volume_shape(op, x);
  const int rank = x.rank() - 2;
  backend::Windows w{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  for (int i = 0; i < rank; ++i) {
    const int k = 3 - rank + i;
    w.in[k] = volume[k + 1];
    w.kernel[k] = o.kernel.at(i, rank);
    w.stride[k] = o.stride.at(i, rank) == 0 ? w.kernel[k] : o.stride.at(i, rank);
    w.padding[k] = o.padding.at(i, rank);
    constexpr std::int64_t most = std::int64_t{1} << 48;  // keeps the sums below in range
    if (w.kernel[k] < 1 || w.kernel[k] > most || w.stride[k] < 1 || w.padding[k] < 0 || w.padding[k] >= w.kernel[k])
        [[unlikely]] {
      throw ShapeError(concat(op, ": expects 1 <= kernel <= 2^48, stride >= 1 and 0 <= padding < kernel, got kernel ",
                              w.kernel[k], ", stride ", w.stride[k], ", padding ", w.padding[k]));
    }
    if (w.in[k] < 1 || w.kernel[k] > w.in[k] + 2 * w.padding[k]) [[unlikely]] {
      throw ShapeError(concat(op, ": kernel ", w.kernel[k], " does not fit spatial axis ", i, " of input ",
                              x.value().str(), " with padding ", w.padding[k]));
    }
    w.out[k] = (w.in[k] + 2 * w.padding[k] - w.kernel[k]) / w.stride[k] + 1;
  }
  return w;
}

inline backend::Taps average_taps(const backend::Windows& w, int k, bool count_include_pad) {
  backend::Taps taps{.inputs = w.in[k]};
  for (std::int64_t o = 0; o < w.out[k]; ++o) {
    const std::int64_t begin = o * w.stride[k] - w.padding[k], end = begin + w.kernel[k];
    const std::int64_t from = begin > 0 ? begin : 0, to = end < w.in[k] ? end : w.in[k];
    const double share = 1.0 / static_cast<double>(count_include_pad ? w.kernel[k] : to - from);
    for (std::int64_t i = from; i < to; ++i) taps.add(i, share);
    taps.end_row();
  }
  return taps;
}

}  // namespace detail

SYNTHDATA_INLINE Var max_pool(const Var& x, const PoolOptions& options) {
  const backend::Windows windows = detail::pool_windows("max_pool", x, options);
  const Shape volume = detail::volume_shape("max_pool", x);
  const std::int64_t positions = Shape{windows.in[0], windows.in[1], windows.in[2]}.size();
  if (positions >= std::int64_t{1} << 31) {
    throw ShapeError(concat("max_pool: expects fewer than 2^31 positions in a sample, got ", x.value().str()));
  }
  const bool recorded = detail::recording(x);
  Tensor winners;
  Tensor y = backend::max_window(x.value().reshape(volume), windows, recorded ? &winners : nullptr);
  y = y.reshape(detail::drop_unit_axes(y.shape(), x.rank()));
  if (!recorded) return Var(std::move(y));
  const Shape flat{volume[0], positions, volume[4]};
  winners = winners.reshape({volume[0], -1, volume[4]});
  return detail::linear_op("max_pool", std::move(y), x, [flat, winners, from = x.shape()](const Var& g) {
    return reshape(detail::put_along_checked(flat, 1, winners, reshape(g, winners.shape())), from);
  });
}

SYNTHDATA_INLINE Var avg_pool(const Var& x, const PoolOptions& options) {
  const backend::Windows w = detail::pool_windows("avg_pool", x, options);
  backend::SpatialTaps taps;
  for (int k = 0; k < 3; ++k) taps.axis[k] = detail::average_taps(w, k, options.count_include_pad);
  return detail::resample("avg_pool", x, std::move(taps));
}

namespace detail {
/// [N, spatial..., C] -> [N, positions, C]
inline Var flatten_space(const char* op, const Var& x) {
  const Shape volume = volume_shape(op, x);
  return reshape(x, Shape{volume[0], volume[1] * volume[2] * volume[3], volume[4]});
}
}  // namespace detail

SYNTHDATA_INLINE Var global_avg_pool(const Var& x) { return mean(detail::flatten_space("global_avg_pool", x), 1); }
SYNTHDATA_INLINE Var global_max_pool(const Var& x) { return max(detail::flatten_space("global_max_pool", x), 1); }

}  // namespace synthdata
