// synthdata/metrics/neighbours.hpp: the real sample nearest to each generated one.
//
// A generator that has learnt its training set by heart gives distances near 0; pictures of pairs show it at a glance.
// Distances are Euclidean on the raw values, so both sides must lie in the same range.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/loader.hpp>
#include <synthdata/io/png.hpp>

#include <functional>

namespace synthdata {

/// For each of N samples, its nearest real one.
struct Neighbours {
  Tensor index;     ///< [N] i64, row of the real samples; the first of equally near ones
  Tensor distance;  ///< [N] f64, in the unit of the values
};

namespace detail {

/// A data set of any type, read by index.
struct SampleReader {
  std::int64_t size = 0;
  std::function<Batch(const std::vector<std::int64_t>& indices)> read;
};

/// Borrows the data set. Samples that it draws at random are drawn alike each time.
template <Dataset D>
SampleReader reader_of(const D& data) {
  return {static_cast<std::int64_t>(data.size()),
          [&data](const std::vector<std::int64_t>& indices) { return make_batch<D>(data, indices, Rng{}); }};
}
SampleReader reader_of(const Tensor& samples);
/// Samples begin ... end - 1.
Batch read_range(const SampleReader& from, std::int64_t begin, std::int64_t end);

Neighbours nearest_neighbours(const Tensor& samples, const SampleReader& real);
Tensor neighbour_picture(const Tensor& samples, const SampleReader& real, std::int64_t count, ValueRange range,
                         const GridOptions& options);

}  // namespace detail

/// The nearest real sample of each sample, by comparing all pairs.
/// @param samples  f32 [N, ...]
/// @param real     a data set, or a tensor f32 [M, ...], M >= 1, whose samples have the same shape
/// @throws ShapeError, DTypeError if they do not fit, NumericError for values that are not finite.
/// Cost: N M D multiply-adds as matrix products in f32 over blocks, so memory stays small; exact, see data/nearest.hpp.
template <Dataset D>
Neighbours nearest_neighbours(const Tensor& samples, const D& real) {
  return detail::nearest_neighbours(samples, detail::reader_of(real));
}
inline Neighbours nearest_neighbours(const Tensor& samples, const Tensor& real) {
  return detail::nearest_neighbours(samples, detail::reader_of(real));
}

/// A picture of pairs, five in a row: on the left a sample, on the right the real image nearest to it.
/// @param samples  f32 [N, H, W, C]; the first `count` of them are shown
/// @param range    what is black and what is white
/// @return         u8 [height, width, C] for write_png()
/// @throws ShapeError for anything but images, NumericError unless count >= 1; and as nearest_neighbours()
template <Dataset D>
Tensor neighbour_picture(const Tensor& samples, const D& real, std::int64_t count, ValueRange range = {-1.0f, 1.0f},
                         const GridOptions& options = {}) {
  return detail::neighbour_picture(samples, detail::reader_of(real), count, range, options);
}
inline Tensor neighbour_picture(const Tensor& samples, const Tensor& real, std::int64_t count,
                                ValueRange range = {-1.0f, 1.0f}, const GridOptions& options = {}) {
  return detail::neighbour_picture(samples, detail::reader_of(real), count, range, options);
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/neighbours_impl.hpp>
#endif
