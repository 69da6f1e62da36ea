// synthdata/data/augment/separable_impl.hpp: bodies of data/augment/separable.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/pixels.hpp>
#include <synthdata/data/augment/separable.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata::detail {

SYNTHDATA_INLINE AxisWeights resize_weights(std::int64_t in, std::int64_t out) {
  const double ratio = static_cast<double>(in) / static_cast<double>(out), width = std::max(1.0, ratio);
  AxisWeights axis{.results = out, .taps = std::min(in, static_cast<std::int64_t>(2.0 * width) + 2)};
  axis.weights.resize(static_cast<std::size_t>(out * axis.taps));
  for (std::int64_t o = 0; o < out; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * ratio - 0.5;
    const auto begin = static_cast<std::int64_t>(std::floor(centre - width)) + 1;
    const std::int64_t first = std::clamp<std::int64_t>(begin, 0, in - axis.taps);
    float* const weights = axis.weights.data() + o * axis.taps;
    std::vector<double> exact(static_cast<std::size_t>(axis.taps));
    double sum = 0.0;
    for (std::int64_t i = 0; i < axis.taps; ++i) {
      const double distance = std::abs(static_cast<double>(first + i) - centre) / width;
      sum += exact[static_cast<std::size_t>(i)] = std::max(0.0, 1.0 - distance);
    }
    for (std::int64_t i = 0; i < axis.taps; ++i) {
      weights[i] = static_cast<float>(exact[static_cast<std::size_t>(i)] / sum);
    }
    axis.first.push_back(first);
  }
  return axis;
}

/// The index that i, beyond an axis, has in its mirror.
inline std::int64_t mirrored(std::int64_t i, std::int64_t extent) {
  const std::int64_t folded = (i % (2 * extent) + 2 * extent) % (2 * extent);
  return folded < extent ? folded : 2 * extent - 1 - folded;
}

SYNTHDATA_INLINE AxisWeights gaussian_weights(std::int64_t in, float sigma) {
  const auto reach = static_cast<std::int64_t>(std::ceil(4.0 * static_cast<double>(sigma)));
  std::vector<double> bell(static_cast<std::size_t>(reach + 1));
  double total = 0.0;
  for (std::int64_t d = 0; d <= reach; ++d) {
    const double t = static_cast<double>(d) / static_cast<double>(sigma);
    bell[static_cast<std::size_t>(d)] = std::exp(-0.5 * t * t);
    total += (d > 0 ? 2.0 : 1.0) * bell[static_cast<std::size_t>(d)];
  }
  AxisWeights axis{.results = in, .taps = std::min(in, 2 * reach + 1)};
  for (std::int64_t d = -reach; d <= reach; ++d) {
    axis.kernel.push_back(static_cast<float>(bell[static_cast<std::size_t>(d < 0 ? -d : d)] / total));
  }
  axis.weights.resize(static_cast<std::size_t>(in * axis.taps));
  for (std::int64_t o = 0; o < in; ++o) {
    const std::int64_t first = std::clamp<std::int64_t>(o - reach, 0, in - axis.taps);
    for (std::int64_t d = -reach; d <= reach; ++d) {
      const auto k = static_cast<std::size_t>(o * axis.taps + mirrored(o + d, in) - first);
      axis.weights[k] += axis.kernel[static_cast<std::size_t>(d + reach)];
    }
    axis.first.push_back(first);
  }
  return axis;
}

/// to[i] = sum of weight[t] from[t step + i], i < n.
struct WeightedRows {
  SYNTHDATA_HD void operator()(const float* from, std::int64_t step, const float* weights, std::int64_t taps, float* to,
                               std::int64_t n) const {
    using backend::cpu::for_block;
    backend::cpu::for_blocks(n, [=](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      alignas(64) float sum[backend::cpu::block_size] = {};
      for (std::int64_t t = 0; t < taps; ++t) {
        const float* const row = from + t * step + b;
        const float weight = weights[t];
        for_block(count, [&sum, row, weight](int j) SYNTHDATA_INLINE_LAMBDA { sum[j] += weight * row[j]; });
      }
      std::memcpy(to + b, sum, static_cast<std::size_t>(count) * sizeof(float));
    });
  }
};

/// to = the weighted means along the columns of one row [W, C] = `line`. `room` holds (W + taps) C floats.
SYNTHDATA_INLINE void filter_columns(const AxisWeights& columns, const float* line, std::int64_t w, std::int64_t c,
                                     float* room, float* to) {
  if (!columns.kernel.empty()) {  // the same for all: a sum of shifted rows
    const auto taps = static_cast<std::int64_t>(columns.kernel.size()), reach = taps / 2;
    std::memcpy(room + reach * c, line, static_cast<std::size_t>(w * c) * sizeof(float));
    for (std::int64_t x = 0; x < reach; ++x) {
      std::copy_n(line + mirrored(x - reach, w) * c, c, room + x * c);
      std::copy_n(line + mirrored(w + x, w) * c, c, room + (reach + w + x) * c);
    }
    backend::cpu::run<float>(WeightedRows{}, room, c, columns.kernel.data(), taps, to, w * c);
    return;
  }
  for (std::int64_t x = 0; x < columns.results; ++x) {
    const float* const at = line + columns.first[static_cast<std::size_t>(x)] * c;
    const float* const weights = columns.weights.data() + x * columns.taps;
    for (std::int64_t k = 0; k < c; ++k) {
      float sum = 0.0f;
      for (std::int64_t t = 0; t < columns.taps; ++t) sum += weights[t] * at[t * c + k];
      to[x * c + k] = sum;
    }
  }
}

SYNTHDATA_INLINE Tensor filter_axes(const char* op, const Tensor& image, const AxisWeights& rows,
                                    const AxisWeights& columns) {
  check_pixels(op, image);
  const std::int64_t w = image.shape(1), c = image.shape(2), width = columns.results;
  const Tensor values = float_pixels(image);
  Tensor out = Tensor::empty({rows.results, width, c}, DType::f32, Device::cpu());
  const float* const from = values.data<float>();
  float* const to = out.data<float>();
  parallel_for(rows.results, std::max<std::int64_t>(1, 16384 / (w * c)), [&](std::int64_t begin, std::int64_t end) {
    const Scratch<float> line(w * c), room((w + static_cast<std::int64_t>(columns.kernel.size())) * c);
    for (std::int64_t y = begin; y < end; ++y) {
      backend::cpu::run<float>(WeightedRows{}, from + rows.first[static_cast<std::size_t>(y)] * w * c, w * c,
                               rows.weights.data() + y * rows.taps, rows.taps, line.data(), w * c);
      filter_columns(columns, line.data(), w, c, room.data(), to + y * width * c);
    }
  });
  return pixels_as(out, image.dtype());
}

}  // namespace synthdata::detail
