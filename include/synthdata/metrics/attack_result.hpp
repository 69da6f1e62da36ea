// synthdata/metrics/attack_result.hpp: what an attack on a synthetic table found, as rates, as a risk, and in words.
//
// An attack is run against rows the generator was trained on, and, as a control, against rows of the same source that
// it has never seen. What succeeds equally often against both is knowledge about the population, which is what a
// synthetic table is made for; only the excess is about the people in the training table. Source: Giomi, Boenisch,
// Wehmeyer and Tasnadi 2022, arXiv:2211.10459 (Anonymeter).
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>

#include <string>

namespace synthdata {

/// A share of successful attempts with its Wilson score interval, value ± error (doi 10.1080/01621459.1927.10502953).
/// `value` is the middle of the interval, and so a little nearer to 1/2 than successes / attempts.
struct AttackRate {
  double successes = 0.0;
  std::int64_t attempts = 0;
  double value = 0.0, error = 0.0;
};
/// @throws NumericError unless 0 <= successes <= attempts, attempts >= 1 and 0 < confidence < 1.
AttackRate attack_rate(double successes, std::int64_t attempts, double confidence = 0.95);

/// An attack, its baseline and its control.
struct AttackResult {
  std::string attack;    ///< "singling out by 3 columns", "linkability", ...
  std::string scenario;  ///< what the attacker has and does, a sentence
  AttackRate main;       ///< against rows of the training table
  AttackRate baseline;   ///< by random guesses
  AttackRate control;    ///< against held-out rows
  double confidence = 0.95;

  double risk() const;   ///< (main - control) / (1 - control): at most 1; below 0 if the control is hit more often
  double error() const;  ///< half width of its interval, by propagation of errors
  double low() const { return risk() - error(); }  ///< Anonymeter cuts the interval to [0, 1], here it is not
  double high() const { return risk() + error(); }
  /// The interval excludes 0: rows of the training table are worse off than others.
  bool found() const { return low() > 0.0; }
  /// The attack is no better than guessing: it is too weak to tell anything.
  bool weak() const { return main.value <= baseline.value; }

  /// The scenario, the rates and what follows, for readers who are no statisticians.
  std::string sentence() const;
  /// One line of numbers, then the sentence.
  std::string str() const;
  Json json() const;
};

/// What all attacks have in common.
struct AttackOptions {
  std::int64_t attacks = 1000;  ///< attempts of each kind, or as many as there are rows
  double confidence = 0.95;     ///< of all intervals
  std::uint64_t seed = 0;       ///< same seed, same result, for any number of threads
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/attack_result_impl.hpp>
#endif
