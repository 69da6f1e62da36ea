// synthdata/data/nearest.hpp: the k nearest rows of a matrix, exactly, by comparing all pairs.
//
// Rows are compared by a matrix product first, whose rounding error is bounded; only pairs that the bound cannot rule
// out are compared again in f64, one difference after the other. So results are those of the plain loop in f64, and
// equal bit for bit for any number of threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <utility>
#include <vector>

namespace synthdata {

/// For each of N rows its k nearest others, the nearest first; of equally near ones the one with the smaller index.
struct Nearest {
  Tensor index;     ///< [N, k] i64, rows of the points
  Tensor distance;  ///< [N, k] f64, Euclidean, in the unit of the values
};

/// The k points nearest to each row.
/// @param rows    [N, D], f32 or f64
/// @param points  [M, D], of the same dtype
/// @param k       1 ... M
/// @throws ShapeError, DTypeError if they do not fit each other, NumericError for a k out of range and for values that
/// are not finite or whose squares are not.
/// Cost: N M D multiply-adds as matrix products; N k entries of 16 bytes and a few MB. Values far from 0 beside
/// their differences make the bound weak and the search slow: subtract the mean first.
Nearest nearest(const Tensor& rows, const Tensor& points, std::int64_t k);

/// The k rows nearest to each row of the same matrix, without the row itself; k is 1 ... N - 1.
Nearest nearest_others(const Tensor& rows, std::int64_t k);

namespace detail {

/// How messages call the two sides.
struct NearestNames {
  const char *caller = "nearest", *row = "row", *point = "point";
};

/// The search of nearest() for points that come in pieces.
class NearestSearch {
 public:
  /// @param but_itself  leaves out, for row i, point i
  NearestSearch(const Tensor& rows, std::int64_t k, bool but_itself = false, const NearestNames& names = {});
  /// Compares with points [M, D], of which the first is number `first`; pieces come in ascending order.
  void add(const Tensor& points, std::int64_t first);
  /// At least k points must have been added.
  Nearest result() const;

 private:
  using Found = std::pair<double, std::int64_t>;  // squared distance and index: a heap, the worst in front
  template <class T>
  void add_piece(const Tensor& rows, const Tensor& points, std::int64_t first, const std::vector<double>& squares);
  void offer(std::int64_t row, double distance, std::int64_t point);
  /// Squared distance that a point must not exceed to be among the k nearest so far.
  double limit(std::int64_t row) const;

  Tensor rows_;
  std::int64_t k_;
  bool but_itself_, large_ = false;
  NearestNames names_;
  std::vector<double> squares_;             // of the rows
  std::vector<Found> found_;                // [N, k]
  std::vector<std::int64_t> found_counts_;  // [N]
};

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/nearest_impl.hpp>
#endif
