// synthdata/metrics/column_scores.hpp: how alike one real and one synthetic column are, as numbers from 0 to 1.
//
// Names and definitions are those of SDMetrics (https://docs.sdv.dev/sdmetrics), so that scores can be compared with
// those of the Python package. All are 1 for a copy, so a high score alone says nothing about privacy. NaN means that a
// score has no value for these columns: nothing present, or nothing that varies. "Continuous" columns are integer, real
// and date-time ones, "discrete" ones boolean and categorical. NaN values count as missing.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

namespace synthdata {

/// 1 - the Kolmogorov-Smirnov distance: the largest gap between the two cumulative distributions. Continuous columns;
/// missing values are left out. Values are rounded to 14 decimals before, so that noise in the last bit does not count.
/// Trap: a table of shuffled columns scores 1.
double ks_complement(const Column& real, const Column& synthetic);

/// 1 - the total variation distance between the two distributions of categories: 1 - 1/2 sum |p - q|. Missing values
/// are left out. Trap: with many rare categories even a second real sample scores clearly below 1. (As in SDMetrics, a
/// category that the real column lacks counts there as 1e-6 of a row.)
double tv_complement(const Column& real, const Column& synthetic);

/// Share of synthetic values between the least and greatest real one. Where the real column has missing values those of
/// the synthetic one are left out, else they count as outside. Continuous columns.
double boundary_adherence(const Column& real, const Column& synthetic);

/// Share of the real range that the synthetic range covers. Continuous columns; NaN for a constant real column. Trap:
/// two extreme values are enough for 1.
double range_coverage(const Column& real, const Column& synthetic);

/// Share of the distinct real values that the synthetic column has.
double category_coverage(const Column& real, const Column& synthetic);

/// Share of synthetic values that the real column has too; a missing one counts as such if the real column has any.
double category_adherence(const Column& real, const Column& synthetic);

/// 1 - |share of missing values, real - synthetic|.
double missing_value_similarity(const Column& real, const Column& synthetic);

enum class Statistic : std::uint8_t { mean, median, standard_deviation };
/// 1 - |difference of the statistic| / the real range, at least 0. Continuous columns; NaN for a constant real column.
/// The standard deviation is that of a sample (n - 1).
double statistic_similarity(const Column& real, const Column& synthetic, Statistic statistic = Statistic::mean);

/// Share of values that are neither missing nor equal to an earlier one. For identifiers.
double key_uniqueness(const Column& synthetic);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/column_scores_impl.hpp>
#endif
