// synthdata/metrics/singling_out.hpp: does a description that fits one synthetic row fit exactly one real person?
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>
#include <synthdata/metrics/attack_result.hpp>

namespace synthdata {

struct SinglingOutOptions {
  AttackOptions attack = {};
  std::int64_t columns = 3;        ///< in a description; 1 for values that are rare by themselves
  std::int64_t tries = 1'000'000;  ///< at most so many descriptions are tried; unused for one column
};

/// The attacker writes descriptions that fit exactly one synthetic row, and succeeds where one fits exactly one row of
/// the training table. Of several columns: a synthetic row drawn at random gives, in each of the columns drawn, its
/// category, or that the value is at least (at most) its value, if that is above (not above) the median. Of one column:
/// values that come once, the least and the greatest value, or that the value is missing. Guesses are such descriptions
/// with values and comparisons drawn at random. All columns take part; texts are compared as a whole; equal rows count
/// as one. Source: arXiv:2211.10459, section 5.1.
///
/// The more rows, the rarer a description fits just one of them. So if there are fewer held-out rows than training rows
/// (or more), their rate is carried over to the size of the training table by the model of Cohen and Nissim 2020
/// (arXiv:1904.06009), fitted to the expected number of successes in parts of the held-out rows. Equal sizes are
/// better. The result's attempts are the descriptions found, which may be fewer than asked for.
/// @throws DataError if a table has no row or lacks a column, or no description fits one synthetic row only;
/// NumericError for options out of range.
AttackResult singling_out(const Table& training, const Table& synthetic, const Table& holdout,
                          const SinglingOutOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/singling_out_impl.hpp>
#endif
