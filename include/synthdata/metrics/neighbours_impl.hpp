// synthdata/metrics/neighbours_impl.hpp: bodies of metrics/neighbours.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/neighbours.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE SampleReader reader_of(const Tensor& samples) {
  if (!samples.defined() || samples.rank() < 1) {
    throw ShapeError(concat("neighbours: expects real samples [M, ...], got ", samples.str()));
  }
  if (samples.dtype() != DType::f32) {
    throw DTypeError(concat("neighbours: expects real samples of f32, got ", samples.str(),
                            "; give u8 images as the data set they come from"));
  }
  return {samples.shape(0), [samples](const std::vector<std::int64_t>& indices) {
            const std::int64_t width = samples.shape(0) ? samples.size() / samples.shape(0) : 0;
            Batch batch{Tensor::empty(samples.shape().with(0, static_cast<std::int64_t>(indices.size())), DType::f32,
                                      Device::cpu()),
                        {}};
            float* to = batch.data.data<float>();
            for (const std::int64_t i : indices) to = std::copy_n(samples.data<float>() + i * width, width, to);
            return batch;
          }};
}

SYNTHDATA_INLINE Batch read_range(const SampleReader& from, std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return from.read(indices);
}

/// |x|² of each row. @throws NumericError if one is not finite.
SYNTHDATA_INLINE std::vector<double> squared_norms(const Tensor& rows, const char* what, std::int64_t first) {
  const std::int64_t width = rows.shape(1);
  std::vector<double> norms(static_cast<std::size_t>(rows.shape(0)));
  parallel_for(rows.shape(0), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = rows.data<float>() + i * width;
      double sum = 0.0;
      for (std::int64_t j = 0; j < width; ++j) sum += static_cast<double>(x[j]) * static_cast<double>(x[j]);
      norms[static_cast<std::size_t>(i)] = sum;
    }
  });
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (!std::isfinite(norms[i])) {
      throw NumericError(
          concat("neighbours: ", what, " ", first + static_cast<std::int64_t>(i), " has values that are not finite"));
    }
  }
  return norms;
}

/// Samples in blocks against blocks of real ones; knows the best match so far of each sample.
class NeighbourSearch {
 public:
  explicit NeighbourSearch(const Tensor& samples)
      : samples_(samples),
        best_(static_cast<std::size_t>(samples.shape(0)), std::numeric_limits<double>::infinity()),
        index_(best_.size(), 0) {
    squared_norms(samples, "sample", 0);
  }

  /// Compares with real samples [M, D], whose first one is number `first`.
  void add(const Tensor& real, std::int64_t first) {
    const std::vector<double> norms = squared_norms(real, "real sample", first);
    constexpr std::int64_t block = 512;
    for (std::int64_t begin = 0; begin < samples_.shape(0); begin += block) {
      const Tensor part = samples_.rows(begin, std::min(begin + block, samples_.shape(0)));
      const Tensor products = matmul(part, real, {.transpose_b = true}).value();
      parallel_for(part.shape(0), 4, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) take_best(part, real, products, norms, begin, i, first);
      });
    }
  }

  Neighbours result() const {
    Neighbours out{Tensor::from(index_, Device::cpu()), Tensor::from(best_, Device::cpu())};
    for (double& d : out.distance.span<double>()) d = std::sqrt(d);
    return out;
  }

 private:
  void take_best(const Tensor& part, const Tensor& real, const Tensor& products, const std::vector<double>& norms,
                 std::int64_t begin, std::int64_t row, std::int64_t first) {
    // |s - r|² = |s|² + |r|² - 2 s·r, and |s|² is the same for all r
    const std::int64_t count = real.shape(0), width = real.shape(1);
    const float* product = products.data<float>() + row * count;
    double least = std::numeric_limits<double>::infinity();
    std::int64_t nearest = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      const double score = norms[static_cast<std::size_t>(j)] - 2.0 * static_cast<double>(product[j]);
      if (score < least) {
        least = score;
        nearest = j;
      }
    }
    const float *s = part.data<float>() + row * width, *r = real.data<float>() + nearest * width;
    double exact = 0.0;
    for (std::int64_t j = 0; j < width; ++j) {
      const double difference = static_cast<double>(s[j]) - static_cast<double>(r[j]);
      exact += difference * difference;
    }
    const auto i = static_cast<std::size_t>(begin + row);
    if (exact < best_[i]) {
      best_[i] = exact;
      index_[i] = first + nearest;
    }
  }

  Tensor samples_;
  std::vector<double> best_;  // squared distances
  std::vector<std::int64_t> index_;
};

SYNTHDATA_INLINE Neighbours nearest_neighbours(const Tensor& samples, const SampleReader& real) {
  if (!samples.defined() || samples.rank() < 1) {
    throw ShapeError(concat("neighbours: expects samples [N, ...], got ", samples.str()));
  }
  if (samples.dtype() != DType::f32)
    throw DTypeError(concat("neighbours: expects samples of f32, got ", samples.str()));
  if (real.size < 1) throw ShapeError("neighbours: there are no real samples");
  const NoGrad nothing_recorded;
  const std::int64_t count = samples.shape(0), width = samples.shape().erase(0).size();
  NeighbourSearch search(samples.reshape(Shape{count, width}));
  constexpr std::int64_t block = 2048;
  for (std::int64_t begin = 0; begin < real.size; begin += block) {
    const Tensor rows = read_range(real, begin, std::min(begin + block, real.size)).data;
    if (!(rows.shape().erase(0) == samples.shape().erase(0))) {
      throw_shape("neighbours", "samples and real samples differ in shape", {{"samples", samples}, {"real", rows}});
    }
    search.add(rows.reshape(Shape{rows.shape(0), width}), begin);
  }
  return search.result();
}

SYNTHDATA_INLINE Tensor neighbour_picture(const Tensor& samples, const SampleReader& real, std::int64_t count,
                                          ValueRange range, const GridOptions& options) {
  if (!samples.defined() || samples.rank() != 4 || samples.shape(0) < 1) {
    throw ShapeError(concat("neighbour_picture: expects images [N, H, W, C], got ", samples.str()));
  }
  if (count < 1) throw NumericError(concat("neighbour_picture: expects a count >= 1, got ", count));
  const Tensor shown = samples.rows(0, std::min(count, samples.shape(0)));
  const auto nearest = nearest_neighbours(shown, real).index.span<std::int64_t>();
  const Tensor found = real.read(std::vector<std::int64_t>(nearest.begin(), nearest.end())).data;
  const Tensor pairs = concat({Var(shown), Var(found)}, 2).value();
  constexpr std::int64_t pairs_in_a_row = 5;
  return image_grid(to_image_u8(pairs, range.low, range.high), std::min(pairs_in_a_row, shown.shape(0)), options);
}

}  // namespace detail
}  // namespace synthdata
