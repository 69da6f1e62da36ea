// synthdata/backend/cpu/gather.hpp: what a convolution and its input gradient have in common.
//
// Every destination position takes, for every tap, a row of channels from a source position that is an affine function
// of position and tap, and multiplies it with the weights of the tap. A strided input gradient is one such gather for
// each residue of the position modulo the stride.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/conv_geometry.hpp>
#include <synthdata/core/precision.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace synthdata::backend::cpu {

/// One axis of a gather. Position q < count is destination index first + step q; tap j < taps is kernel index
/// tap_first + tap_step j; together they take source index scale q + tap_scale j + offset, a zero outside [0, extent).
struct Axis {
  std::int64_t count, first, step;
  std::int64_t taps, tap_first, tap_step;
  std::int64_t scale, tap_scale, offset, extent;

  std::int64_t source(std::int64_t q, std::int64_t j) const { return scale * q + tap_scale * j + offset; }
  bool inside(std::int64_t q, std::int64_t j) const { return source(q, j) >= 0 && source(q, j) < extent; }
};

/// [begin, end)
struct Range {
  std::int64_t begin, end;
  bool contains(std::int64_t i) const { return i >= begin && i < end; }
};

/// The taps of position q that fall inside the source: contiguous, because the source index is monotone in the tap.
inline Range taps_inside(const Axis& axis, std::int64_t q) {
  Range r{0, axis.taps};
  while (r.begin < r.end && !axis.inside(q, r.begin)) ++r.begin;
  while (r.end > r.begin && !axis.inside(q, r.end - 1)) --r.end;
  return r;
}
/// The positions whose tap j falls inside the source.
inline Range positions_inside(const Axis& axis, std::int64_t j) {
  Range r{0, axis.count};
  while (r.begin < r.end && !axis.inside(r.begin, j)) ++r.begin;
  while (r.end > r.begin && !axis.inside(r.end - 1, j)) --r.end;
  return r;
}

/// All output positions and the taps first, first + step, ...
inline Axis forward_axis(const ConvGeometry& g, int i, std::int64_t first = 0, std::int64_t step = 1) {
  return {.count = g.out[i],
          .first = 0,
          .step = 1,
          .taps = first < g.kernel[i] ? (g.kernel[i] - first + step - 1) / step : 0,
          .tap_first = first,
          .tap_step = step,
          .scale = g.stride[i],
          .tap_scale = g.dilation[i] * step,
          .offset = first * g.dilation[i] - g.pad[i],
          .extent = g.in[i]};
}

/// The positions p = phase + stride q of x and the taps that reach them: p + pad - t dilation is a multiple of stride.
inline Axis adjoint_axis(const ConvGeometry& g, int i, std::int64_t phase) {
  const std::int64_t s = g.stride[i], d = g.dilation[i], tap_step = s / std::gcd(s, d);
  std::int64_t t = 0;
  while (t < g.kernel[i] && (phase + g.pad[i] - t * d) % s != 0) ++t;
  return {.count = phase < g.in[i] ? (g.in[i] - phase + s - 1) / s : 0,
          .first = phase,
          .step = s,
          .taps = t < g.kernel[i] ? (g.kernel[i] - t + tap_step - 1) / tap_step : 0,
          .tap_first = t,
          .tap_step = tap_step,
          .scale = 1,
          .tap_scale = -(tap_step * d / s),
          .offset = (phase + g.pad[i] - t * d) / s,
          .extent = g.out[i]};
}

inline std::int64_t product(const std::int64_t (&n)[3]) { return n[0] * n[1] * n[2]; }

/// Coordinates, walked in order without a division.
struct Index {
  std::int64_t d, h, w;

  void advance(std::int64_t extent_h, std::int64_t extent_w) {
    if (++w < extent_w) return;
    w = 0;
    if (++h < extent_h) return;
    h = 0;
    ++d;
  }
};
inline Index unravel(std::int64_t i, std::int64_t extent_h, std::int64_t extent_w) {
  return {i / (extent_w * extent_h), i / extent_w % extent_h, i % extent_w};
}

/// A part of a packed row: `length` elements from `source` of an image, or zeros if source < 0.
struct Segment {
  std::int64_t source, length;
};

/// Destination [batch, positions, groups * columns] from source [batch, extents, groups * channels].
template <class T>
struct Gather {
  Axis axis[3];
  std::int64_t batch, groups, channels, columns;
  const T* source;
  const T* weights;
  bool weights_by_column;  ///< [columns, taps, channels] as in forward, else [channels, taps, columns]
  std::int64_t kernel[3];
  T* destination;
  std::int64_t destination_extent[3];
  Precision precision = Precision::f32;

  std::int64_t positions() const { return axis[0].count * axis[1].count * axis[2].count; }
  std::int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  std::int64_t image_size() const { return axis[0].extent * axis[1].extent * axis[2].extent * groups * channels; }

  Index position(std::int64_t p) const { return unravel(p, axis[1].count, axis[2].count); }
  Index tap(std::int64_t t) const { return unravel(t, axis[1].taps, axis[2].taps); }
  std::int64_t kernel_index(const Index& j) const {
    return ((axis[0].tap_first + axis[0].tap_step * j.d) * kernel[1] + axis[1].tap_first + axis[1].tap_step * j.h) *
               kernel[2] +
           axis[2].tap_first + axis[2].tap_step * j.w;
  }
  T* destination_row(std::int64_t n, const Index& q) const {
    const std::int64_t d = axis[0].first + axis[0].step * q.d, h = axis[1].first + axis[1].step * q.h,
                       w = axis[2].first + axis[2].step * q.w;
    return destination + (((n * destination_extent[0] + d) * destination_extent[1] + h) * destination_extent[2] + w) *
                             groups * columns;
  }
  /// Weights of kernel index t, source channel r, column j of a group.
  const T* weight(std::int64_t group, std::int64_t t, std::int64_t r, std::int64_t j) const {
    const std::int64_t all = product(kernel);
    return weights_by_column ? weights + ((group * columns + j) * all + t) * channels + r
                             : weights + ((group * channels + r) * all + t) * columns + j;
  }
  std::int64_t weight_stride() const { return product(kernel) * (weights_by_column ? channels : columns); }

  /// Lists where the packed row of position q comes from, joining what is contiguous. With `shrink`, first narrows
  /// `taps` to those between the first and the last that are inside. Returns the number of segments.
  std::int64_t list_segments(const Index& q, Range& taps, bool shrink, const Range& wanted, Segment* out) const {
    const Range d = taps_inside(axis[0], q.d), h = taps_inside(axis[1], q.h), w = taps_inside(axis[2], q.w);
    const std::int64_t n_channels = wanted.end - wanted.begin, pixel = groups * channels;
    if (taps.begin == taps.end) return 0;
    std::int64_t count = 0, begin = taps.end, end = taps.end;
    Index j = tap(taps.begin);
    for (std::int64_t t = taps.begin; t < taps.end; ++t, j.advance(axis[1].taps, axis[2].taps)) {
      const bool valid = d.contains(j.d) && h.contains(j.h) && w.contains(j.w);
      if (valid || !shrink) begin = std::min(begin, t), end = t + 1;
      if (begin > t) continue;  // nothing inside yet
      const std::int64_t from =
          ((axis[0].source(q.d, j.d) * axis[1].extent + axis[1].source(q.h, j.h)) * axis[2].extent +
           axis[2].source(q.w, j.w)) *
              pixel +
          wanted.begin;
      Segment* last = count > 0 ? &out[count - 1] : nullptr;
      if (last && (valid ? last->source >= 0 && last->source + last->length == from : last->source < 0))
        last->length += n_channels;
      else
        out[count++] = {valid ? from : -1, n_channels};
    }
    if (shrink && count > 0 && out[count - 1].source < 0) --count;  // zeros behind the last tap inside
    taps = {begin, end};
    return count;
  }
};

}  // namespace synthdata::backend::cpu
