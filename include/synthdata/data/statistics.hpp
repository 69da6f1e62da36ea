// synthdata/data/statistics.hpp: numbers about columns that profiles and scores share.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace synthdata::detail {

/// Pearson's coefficient, by two passes, over the places where neither is NaN. NaN where one does not vary there.
double pearson(std::span<const double> x, std::span<const double> y);

/// Pairs of classes that come, in order, as first * width + second, and how often.
using PairCounts = std::vector<std::pair<std::int64_t, double>>;
/// @param first  classes 0 ... height - 1   @param second  as many, 0 ... width - 1
PairCounts count_pairs(std::span<const std::int32_t> first, std::int64_t height, std::span<const std::int32_t> second,
                       std::int64_t width);

/// Cramér's V = sqrt(chi² / (n (min(rows, columns) - 1))), 0 ... 1, over the classes that come; NaN if a side has but
/// one. Source: Cramér 1946, section 21.9.
double cramers_v(const PairCounts& counts, std::int64_t height, std::int64_t width);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/statistics_impl.hpp>
#endif
