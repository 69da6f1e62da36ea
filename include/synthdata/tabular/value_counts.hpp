// synthdata/tabular/value_counts.hpp: how many rows have each value of a column, in bounded memory.
//
// Both counts are exact as long as a column has few enough different values, and say what they are beyond that. They
// depend on the rows and their order only, not on the pieces in which rows come.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace synthdata::models {
namespace detail {

/// So that maps of std::string are asked for a std::string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace detail

/// A number and how many rows have it.
struct NumberCount {
  double value;
  std::int64_t rows;
};

/// Counts numbers. Whenever more than `most` different ones are counted, each counted row is dropped with probability
/// 1/2, and of the rows to come as many are passed over: what is counted is then an even sample of the rows, of at
/// least about `most` / 2 rows. Source: the concise samples of Gibbons and Matias 1998, "New sampling-based summary
/// statistics for improving approximate query answers", SIGMOD. Memory: 32 bytes for each of `most`, and 1 MB.
class NumberCounts {
 public:
  explicit NumberCounts(std::int64_t most, std::uint64_t seed = 0) : most_(most), rng_(seed) {}

  /// @param value  finite
  void add(double value) {
    lowest_ = value < lowest_ ? value : lowest_;
    highest_ = value > highest_ ? value : highest_;
    if (halvings_ > 0 && (rng_.next_u64() & ((std::uint64_t{1} << halvings_) - 1)) != 0) return;
    pending_.push_back(value);
    if (pending_.size() == pending_size) merge();
  }
  /// The counted numbers, rising.
  const std::vector<NumberCount>& counts() {
    merge();
    return counts_;
  }
  /// True as long as all rows are counted.
  bool exact() const { return halvings_ == 0; }
  /// Of all rows. Infinity and minus infinity without any.
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }

 private:
  static constexpr std::size_t pending_size = 65536;
  void merge();
  void halve();

  std::int64_t most_;
  Rng rng_;
  int halvings_ = 0;
  double lowest_ = std::numeric_limits<double>::infinity(), highest_ = -lowest_;
  std::vector<NumberCount> counts_;
  std::vector<double> pending_;
};

/// Counts texts. Whenever more than `most` different ones, or more than 64 * `most` bytes of them, are counted, all
/// counts are lowered by the middle one of them and the texts that have none left are dropped: counts are then at least
/// as small as the true ones, by at most 2 * rows / `most` for short texts. Source: Misra and Gries 1982, "Finding
/// repeated elements"; lowering by the middle: Anderson et al. 2017, arXiv:1705.07001.
class TextCounts {
 public:
  explicit TextCounts(std::int64_t most) : most_(most) {}

  void add(std::string_view text, std::int64_t rows = 1);
  /// Texts and their rows, in no order; gives them away.
  std::vector<std::pair<std::string, std::int64_t>> take();
  /// True as long as nothing was dropped.
  bool exact() const { return dropped_ == 0; }
  /// How often a text was dropped: at most so many different texts have no count.
  std::int64_t dropped() const { return dropped_; }

 private:
  void lower();

  std::int64_t most_, bytes_ = 0, dropped_ = 0;
  std::unordered_map<std::string, std::int64_t, detail::TextHash, std::equal_to<>> counts_;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/value_counts_impl.hpp>
#endif
