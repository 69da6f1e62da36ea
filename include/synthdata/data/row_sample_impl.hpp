// synthdata/data/row_sample_impl.hpp: bodies of row_sample.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/row_sample.hpp>

#include <algorithm>

namespace synthdata {

SYNTHDATA_INLINE RowSample::RowSample(std::int64_t count, std::uint64_t seed)
    : count_(count), rng_(seed), below_(~std::uint64_t{0}) {
  if (count < 1) throw DataError(concat("RowSample: expects a number of rows >= 1, got ", count));
}

SYNTHDATA_INLINE void RowSample::add(const Table& piece) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < piece.size(); ++row) {
    const std::uint64_t number = rng_.next_u64();
    if (number > below_) continue;
    rows.push_back(row);
    numbers_.push_back(number);
  }
  if (pieces_.empty() || !rows.empty()) pieces_.push_back(piece.take(rows));
  if (static_cast<std::int64_t>(numbers_.size()) >= 2 * count_) drop();
}

SYNTHDATA_INLINE void RowSample::drop() {
  if (pieces_.empty()) throw DataError("RowSample: no piece has come");
  Table all = detail::join_pieces(std::move(pieces_), {});
  if (static_cast<std::int64_t>(numbers_.size()) > count_) {
    std::vector<std::uint64_t> sorted = numbers_;
    const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(count_ - 1);
    std::nth_element(sorted.begin(), last, sorted.end());
    below_ = *last;
    std::vector<std::int64_t> rows;
    std::vector<std::uint64_t> kept;
    for (std::size_t i = 0; i < numbers_.size() && static_cast<std::int64_t>(rows.size()) < count_; ++i) {
      if (numbers_[i] > below_) continue;
      rows.push_back(static_cast<std::int64_t>(i));
      kept.push_back(numbers_[i]);
    }
    all = all.take(rows);
    numbers_ = std::move(kept);
  }
  pieces_.clear();
  pieces_.push_back(std::move(all));
}

SYNTHDATA_INLINE Table RowSample::table() {
  drop();
  return pieces_[0];
}

}  // namespace synthdata
