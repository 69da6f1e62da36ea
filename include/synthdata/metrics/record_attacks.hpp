// synthdata/metrics/record_attacks.hpp: attacks that look for the synthetic rows nearest to what is known of a person.
//
// "Nearest" is by the distances of closest_records.hpp, in units of the range over all three tables; equally near rows
// come in an order drawn at random. All synthetic rows are searched. Held-out rows must be of the same source as the
// training rows, and must not have been used in any way to make the synthetic ones.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>
#include <synthdata/metrics/attack_result.hpp>

namespace synthdata {

struct LinkabilityOptions {
  AttackOptions attack = {};
  std::int64_t neighbours = 1;  ///< synthetic rows looked at on each side
};

/// The attacker has two tables about the same people, one with the columns `first`, one with `second`, and wants to
/// know which rows belong together: those that have a synthetic row among the nearest `neighbours` of both sides.
/// Source: arXiv:2211.10459, section 5.2.
/// Trap: where many synthetic rows agree in all columns of a side, even copies are not found; choose columns that
/// differ from person to person.
/// @throws DataError if a table has no row or lacks a column, or a side has no column with a distance; NumericError for
/// options out of range.
AttackResult linkability(const Table& training, const Table& synthetic, const Table& holdout,
                         std::span<const std::string> first, std::span<const std::string> second,
                         const LinkabilityOptions& options = {});

struct InferenceOptions {
  AttackOptions attack = {};
  double tolerance = 0.05;  ///< of integer, real and date-time secrets: |guess - truth| <= tolerance |guess|
};

/// The attacker knows the columns `known` of a person (empty: all but the secret), takes the nearest synthetic row and
/// guesses that the person's secret is the same as its. Categories, booleans and texts must be equal; a missing secret
/// is guessed by a missing value. Guessing is by the secret of a synthetic row drawn at random.
/// Source: arXiv:2211.10459, section 5.3.
/// Trap: a high rate is no harm by itself: what follows from the other columns is guessed for held-out people too.
/// @throws DataError if a table has no row or lacks a column, or none of the known columns has a distance; NumericError
/// for options out of range.
AttackResult attribute_inference(const Table& training, const Table& synthetic, const Table& holdout,
                                 const std::string& secret, std::span<const std::string> known = {},
                                 const InferenceOptions& options = {});

/// How the attacker scores that a row was in the training table.
enum class MembershipScore : std::uint8_t {
  distance,       ///< near to a synthetic row
  density_ratio,  ///< nearer to a synthetic row than to rows of a reference table, as in DOMIAS (van Breugel et al.
                  ///< 2023, arXiv:2302.12580), with the density by the nearest row. Half of the held-out rows are the
                  ///< reference for the other half.
};

struct MembershipOptions {
  MembershipScore score = MembershipScore::distance;
  std::int64_t targets = 10'000;  ///< training rows and held-out rows to be told apart, at most so many of each
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

struct MembershipResult {
  /// The attacker names rows whose score is above a threshold. The threshold is that of the greatest excess of hits
  /// over false alarms on one half of the rows and is used on the other, so that it is not fitted to the rows it is
  /// judged on. main: training rows named; control: held-out rows named; baseline: as many rows named at random.
  AttackResult attack;
  /// Probability that a training row scores higher than a held-out one (ties count half), 0.5 for an attacker who knows
  /// nothing; with its interval after DeLong et al. 1988, doi 10.2307/2531595.
  double auc = 0.5, auc_error = 0.0;
  /// main - control.
  double advantage() const { return attack.main.value - attack.control.value; }
  double advantage_error() const;
  /// Either interval excludes "nothing".
  bool found() const { return attack.found() || auc - auc_error > 0.5; }

  std::string str() const;
  Json json() const;
};

/// Was this person in the training table? Trap: numbers for the average row; a single row that stands apart may be
/// known for certain while the average row is safe.
/// @throws DataError if a table has too few rows (4 of each) or lacks a column; NumericError for options out of range.
MembershipResult membership(const Table& training, const Table& synthetic, const Table& holdout,
                            const MembershipOptions& options = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/record_attacks_impl.hpp>
#endif
