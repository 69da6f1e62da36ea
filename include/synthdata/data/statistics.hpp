// synthdata/data/statistics.hpp: numbers about columns that profiles and scores share.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <span>

namespace synthdata::detail {

/// Pearson's coefficient, by two passes, over the places where neither is NaN. NaN where one does not vary there.
double pearson(std::span<const double> x, std::span<const double> y);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/statistics_impl.hpp>
#endif
