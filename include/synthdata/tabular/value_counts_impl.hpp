// synthdata/tabular/value_counts_impl.hpp: bodies of value_counts.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/tabular/value_counts.hpp>

#include <algorithm>
#include <bit>

namespace synthdata::models {

SYNTHDATA_INLINE void NumberCounts::merge() {
  if (pending_.empty()) return;
  std::sort(pending_.begin(), pending_.end());
  std::vector<NumberCount> merged;
  merged.reserve(counts_.size() + pending_.size());
  const auto put = [&](double value, std::int64_t rows) {
    if (merged.empty() || merged.back().value != value) merged.push_back({value, 0});
    merged.back().rows += rows;
  };
  auto next = pending_.begin();
  for (const NumberCount& count : counts_) {
    for (; next != pending_.end() && *next < count.value; ++next) put(*next, 1);
    put(count.value, count.rows);
  }
  for (; next != pending_.end(); ++next) put(*next, 1);
  pending_.clear();
  counts_ = std::move(merged);
  while (static_cast<std::int64_t>(counts_.size()) > most_) halve();
}

SYNTHDATA_INLINE void NumberCounts::halve() {
  ++halvings_;
  std::size_t kept = 0;
  for (const NumberCount& count : counts_) {
    std::int64_t rows = 0;  // a fair coin for each
    for (std::int64_t left = count.rows; left > 0; left -= 64) {
      const std::uint64_t coins = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
      rows += std::popcount(rng_.next_u64() & coins);
    }
    if (rows > 0) counts_[kept++] = {count.value, rows};
  }
  counts_.resize(kept);
}

SYNTHDATA_INLINE void TextCounts::add(std::string_view text, std::int64_t rows) {
  if (const auto found = counts_.find(text); found != counts_.end()) {
    found->second += rows;
    return;
  }
  counts_.emplace(text, rows);
  bytes_ += static_cast<std::int64_t>(text.size());
  while (static_cast<std::int64_t>(counts_.size()) > most_ || bytes_ > 64 * most_) lower();
}

SYNTHDATA_INLINE void TextCounts::lower() {
  std::vector<std::int64_t> rows;
  rows.reserve(counts_.size());
  for (const auto& [text, count] : counts_) rows.push_back(count);
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
  std::nth_element(rows.begin(), middle, rows.end());
  for (auto at = counts_.begin(); at != counts_.end();) {
    at->second -= *middle;
    if (at->second > 0) {
      ++at;
      continue;
    }
    bytes_ -= static_cast<std::int64_t>(at->first.size());
    ++dropped_;
    at = counts_.erase(at);
  }
}

SYNTHDATA_INLINE std::vector<std::pair<std::string, std::int64_t>> TextCounts::take() {
  std::vector<std::pair<std::string, std::int64_t>> all;
  all.reserve(counts_.size());
  while (!counts_.empty()) {
    auto node = counts_.extract(counts_.begin());
    all.emplace_back(std::move(node.key()), node.mapped());
  }
  bytes_ = 0;
  return all;
}

}  // namespace synthdata::models
