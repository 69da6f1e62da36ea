// synthdata/metrics/neighbours_impl.hpp: bodies of metrics/neighbours.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/nearest.hpp>
#include <synthdata/metrics/neighbours.hpp>
#include <synthdata/ops/shape.hpp>

#include <algorithm>
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

SYNTHDATA_INLINE Neighbours nearest_neighbours(const Tensor& samples, const SampleReader& real) {
  if (!samples.defined() || samples.rank() < 1) {
    throw ShapeError(concat("neighbours: expects samples [N, ...], got ", samples.str()));
  }
  if (samples.dtype() != DType::f32)
    throw DTypeError(concat("neighbours: expects samples of f32, got ", samples.str()));
  if (real.size < 1) throw ShapeError("neighbours: there are no real samples");
  const std::int64_t count = samples.shape(0), width = samples.shape().erase(0).size();
  const NearestNames names{"neighbours", "sample", "real sample"};
  NearestSearch search(samples.reshape(Shape{count, width}), 1, false, names);
  constexpr std::int64_t block = 2048;
  for (std::int64_t begin = 0; begin < real.size; begin += block) {
    const Tensor rows = read_range(real, begin, std::min(begin + block, real.size)).data;
    if (!(rows.shape().erase(0) == samples.shape().erase(0))) {
      throw_shape("neighbours", "samples and real samples differ in shape", {{"samples", samples}, {"real", rows}});
    }
    search.add(rows.reshape(Shape{rows.shape(0), width}), begin);
  }
  const Nearest found = search.result();
  return {found.index.reshape({count}), found.distance.reshape({count})};
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
