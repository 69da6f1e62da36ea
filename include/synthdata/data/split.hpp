// synthdata/data/split.hpp: which rows are for training, validation and testing: by shares or in folds.
//
// Every split is a list of row numbers for each part. The parts share no row and cover all, follow from the seed alone,
// and are never empty: a split that would leave a part empty is a DataError. pick() applies one to a table or data set.
//
//   const auto [train, validation, test] = pick(table, stratified_split(table["income"], {0.7, 0.15, 0.15}, 1));
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/combinators.hpp>
#include <synthdata/data/table.hpp>

#include <array>

namespace synthdata {

/// Row numbers, from 0.
using Indices = std::vector<std::int64_t>;

/// A number for each row that is equal for rows that belong together: classes, or groups such as the patient.
class Keys {
 public:
  Keys(std::span<const std::int64_t> keys) : keys_(keys.begin(), keys.end()) {}
  Keys(const std::vector<std::int64_t>& keys) : keys_(keys) {}
  /// [N] u8, i32 or i64, such as TensorDataset::labels(). @throws DTypeError, ShapeError for others.
  Keys(const Tensor& keys);
  /// Equal values of a column of any type, compared as numbers or, where it has texts, as those; missing ones are a key
  /// of their own.
  Keys(const Column& column);

  std::int64_t size() const { return static_cast<std::int64_t>(keys_.size()); }
  /// The keys as numbers 0, 1, ... in the order of their first row.
  std::vector<std::int64_t> numbered() const;

 private:
  std::vector<std::int64_t> keys_;
};

namespace detail {
void random_split(std::int64_t size, std::span<const double> shares, std::uint64_t seed, Indices* parts);
void stratified_split(const Keys& classes, std::span<const double> shares, std::uint64_t seed, Indices* parts);
void grouped_split(const Keys& groups, std::span<const double> shares, std::uint64_t seed, Indices* parts);
void time_split(const Column& time, std::span<const double> shares, Indices* parts);
}  // namespace detail

/// Rows 0 ... size - 1 at random. Part sizes are the shares of `size`, rounded. Rows are in ascending order.
/// @param shares  of the parts, each above 0, together 1
/// @throws DataError for other shares, and for fewer rows than fill each part.
template <std::size_t N>
std::array<Indices, N> random_split(std::int64_t size, const double (&shares)[N], std::uint64_t seed = 0) {
  std::array<Indices, N> parts;
  detail::random_split(size, shares, seed, parts.data());
  return parts;
}

/// At random, each class in the same shares: of each class a part gets its share, rounded up or down, so that the sizes
/// of the parts are within N of their shares too. A class with fewer rows than parts is therefore missing from
/// some of them. Rows are in ascending order. @throws DataError as random_split.
template <std::size_t N>
std::array<Indices, N> stratified_split(const Keys& classes, const double (&shares)[N], std::uint64_t seed = 0) {
  std::array<Indices, N> parts;
  detail::stratified_split(classes, shares, seed, parts.data());
  return parts;
}

/// At random by whole groups: no group is in two parts. Each group in turn goes where most rows are missing, so sizes
/// are as near to the shares as about one group. Rows are in ascending order.
/// @throws DataError as random_split, and for fewer groups than parts.
template <std::size_t N>
std::array<Indices, N> grouped_split(const Keys& groups, const double (&shares)[N], std::uint64_t seed = 0) {
  std::array<Indices, N> parts;
  detail::grouped_split(groups, shares, seed, parts.data());
  return parts;
}

/// The oldest rows first: all of a part are older than all of the next. Rows of one time stay together, so a part ends
/// behind the last row of the time that its share falls on. Rows are in order of time.
/// @param time  date-times, integers or reals
/// @throws DataError as random_split, and for a missing time; DTypeError for other columns.
template <std::size_t N>
std::array<Indices, N> time_split(const Column& time, const double (&shares)[N]) {
  std::array<Indices, N> parts;
  detail::time_split(time, shares, parts.data());
  return parts;
}

/// One of k ways to hold out a part.
struct Fold {
  Indices train, test;
};
/// k parts at random, each held out once; their sizes differ by at most one. @throws DataError unless 2 <= k <= size.
std::vector<Fold> k_fold(std::int64_t size, std::int64_t k, std::uint64_t seed = 0);
/// The same with each class spread evenly: its counts in the parts differ by at most one. A class of fewer than k rows
/// is missing from some parts. @throws DataError unless 2 <= k <= size.
std::vector<Fold> stratified_k_fold(const Keys& classes, std::int64_t k, std::uint64_t seed = 0);
/// The same by whole groups, the largest first, each to the part that has the fewest rows so far.
/// @throws DataError unless 2 <= k <= number of groups.
std::vector<Fold> grouped_k_fold(const Keys& groups, std::int64_t k, std::uint64_t seed = 0);

/// The parts of a table, or of a data set as data sets. @throws ShapeError, DataError for rows that are not there.
template <std::size_t N>
std::array<Table, N> pick(const Table& table, const std::array<Indices, N>& parts) {
  std::array<Table, N> picked;
  for (std::size_t i = 0; i < N; ++i) picked[i] = table.take(parts[i]);
  return picked;
}
template <Dataset D, std::size_t N>
auto pick(const D& dataset, const std::array<Indices, N>& parts) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return std::array<SubsetDataset<D>, N>{SubsetDataset<D>(dataset, parts[i])...};
  }(std::make_index_sequence<N>());
}

/// Weights for LoaderOptions::weights by which all classes are drawn equally often: 1 / rows of the class.
std::vector<double> balanced_weights(const Keys& classes);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/split_impl.hpp>
#endif
