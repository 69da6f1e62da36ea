// synthdata/metrics/attack_result_impl.hpp: bodies of attack_result.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/attack_result.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace synthdata {

namespace detail {

/// z such that a standard normal number is between -z and z with this probability.
inline double normal_bound(double confidence) {
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw NumericError(concat("attacks: expects a confidence between 0 and 1, got ", confidence));
  }
  double low = 0.0, high = 40.0;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2.0;
    (std::erfc(middle / std::sqrt(2.0)) > 1.0 - confidence ? low : high) = middle;
  }
  return low;
}

/// "12.3 %"
inline std::string percent_text(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", 100.0 * share + 0.0);
  return std::string(text[0] == '-' && std::abs(share) < 0.0005 ? text.data() + 1 : text.data());
}

inline void check_attacks(std::int64_t attacks) {
  if (attacks < 1) throw NumericError(concat("attacks: expects at least 1 attack, got ", attacks));
}

inline Json rate_json(const AttackRate& rate) {
  return Json::Object{
      {"successes", rate.successes}, {"attempts", rate.attempts}, {"rate", rate.value}, {"error", rate.error}};
}

}  // namespace detail

SYNTHDATA_INLINE AttackRate attack_rate(double successes, std::int64_t attempts, double confidence) {
  if (attempts < 1 || !(successes >= 0.0 && successes <= static_cast<double>(attempts))) {
    throw NumericError(
        concat("attack_rate: expects 0 to ", attempts, " successes of at least 1 attempt, got ", successes));
  }
  const double z = detail::normal_bound(confidence), n = static_cast<double>(attempts);
  AttackRate rate{.successes = successes, .attempts = attempts};
  rate.value = (successes + 0.5 * z * z) / (n + z * z);
  rate.error = z / (n + z * z) * std::sqrt(successes * (n - successes) / n + 0.25 * z * z);
  return rate;
}

SYNTHDATA_INLINE double AttackResult::risk() const { return (main.value - control.value) / (1.0 - control.value); }

SYNTHDATA_INLINE double AttackResult::error() const {
  const double left = 1.0 - control.value;
  return std::hypot(main.error / left, control.error * (main.value - 1.0) / (left * left));
}

SYNTHDATA_INLINE std::string AttackResult::sentence() const {
  const std::string sure = detail::percent_text(confidence);
  std::string out =
      concat(scenario, " This succeeds in ", detail::percent_text(main.value),
             " of the attempts against people of the training data, in ", detail::percent_text(control.value),
             " against people who were not in it, and in ", detail::percent_text(baseline.value), " by guessing. ");
  const std::string range = concat(detail::percent_text(risk()), " (between ", detail::percent_text(low()), " and ",
                                   detail::percent_text(high()), " with a confidence of ", sure, ")");
  if (found()) {
    out += concat("The excess risk is ", range,
                  ": the synthetic table gives away more about people of the training data than about others.");
  } else {
    out += concat("The excess risk is ", range,
                  ", which chance explains: this attack found no sign that people of the training data are worse off "
                  "than others.");
  }
  if (weak()) out += " The attack is no better than guessing, so it is too weak to prove safety.";
  return out;
}

SYNTHDATA_INLINE std::string AttackResult::str() const {
  const auto both = [](const AttackRate& rate) {
    return concat(detail::percent_text(rate.value), " ± ", detail::percent_text(rate.error));
  };
  return concat(attack, ": risk ", detail::percent_text(risk()), " ± ", detail::percent_text(error()), ", training ",
                both(main), ", control ", both(control), ", guessing ", both(baseline), ", ", main.attempts,
                " attempts\n  ", sentence(), '\n');
}

SYNTHDATA_INLINE Json AttackResult::json() const {
  return Json::Object{{"attack", attack},
                      {"scenario", scenario},
                      {"main", detail::rate_json(main)},
                      {"baseline", detail::rate_json(baseline)},
                      {"control", detail::rate_json(control)},
                      {"risk", risk()},
                      {"low", low()},
                      {"high", high()},
                      {"confidence", confidence},
                      {"found", found()},
                      {"weak", weak()},
                      {"sentence", sentence()}};
}

}  // namespace synthdata
