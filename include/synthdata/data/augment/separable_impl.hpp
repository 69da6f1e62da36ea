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
  axis.weights.resize(static_cast<std::size_t>(in * axis.taps));
  for (std::int64_t o = 0; o < in; ++o) {
    const std::int64_t first = std::clamp<std::int64_t>(o - reach, 0, in - axis.taps);
    for (std::int64_t d = -reach; d <= reach; ++d) {
      std::int64_t at = ((o + d) % (2 * in) + 2 * in) % (2 * in);
      if (at >= in) at = 2 * in - 1 - at;
      const auto k = static_cast<std::size_t>(o * axis.taps + at - first);
      axis.weights[k] += static_cast<float>(bell[static_cast<std::size_t>(d < 0 ? -d : d)] / total);
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

SYNTHDATA_INLINE Tensor filter_axes(const char* op, const Tensor& image, const AxisWeights& rows,
                                    const AxisWeights& columns) {
  check_pixels(op, image);
  const std::int64_t h = image.shape(0), w = image.shape(1), c = image.shape(2), width = columns.results;
  const Tensor values = image.to(DType::f32);
  Tensor out = Tensor::empty({rows.results, width, c});
  const float* const from = values.data<float>();
  float* const to = out.data<float>();
  (void)h;
  parallel_for(rows.results, std::max<std::int64_t>(1, 16384 / (w * c)), [&](std::int64_t begin, std::int64_t end) {
    const Scratch<float> line(w * c);
    for (std::int64_t y = begin; y < end; ++y) {
      backend::cpu::run<float>(WeightedRows{}, from + rows.first[static_cast<std::size_t>(y)] * w * c, w * c,
                               rows.weights.data() + y * rows.taps, rows.taps, line.data(), w * c);
      for (std::int64_t x = 0; x < width; ++x) {
        const float* const at = line.data() + columns.first[static_cast<std::size_t>(x)] * c;
        const float* const weights = columns.weights.data() + x * columns.taps;
        for (std::int64_t k = 0; k < c; ++k) {
          float sum = 0.0f;
          for (std::int64_t t = 0; t < columns.taps; ++t) sum += weights[t] * at[t * c + k];
          to[(y * width + x) * c + k] = sum;
        }
      }
    }
  });
  if (image.dtype() == DType::f32) return out;
  for (float& value : out.span<float>()) value += 0.5f;  // to() cuts off and clamps
  return out.to(DType::u8);
}

}  // namespace synthdata::detail
