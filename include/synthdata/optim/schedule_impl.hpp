// synthdata/optim/schedule_impl.hpp: bodies of optim/schedule.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/optim/schedule.hpp>

#include <cmath>

namespace synthdata::schedule {

namespace detail {
SYNTHDATA_INLINE void check_positive(const char* name, std::int64_t steps) {
  if (steps < 1) throw NumericError(concat("schedule::", name, ": expects at least one step, got ", steps));
}
}  // namespace detail

SYNTHDATA_INLINE Schedule constant() {
  return [](std::int64_t) { return 1.0; };
}

SYNTHDATA_INLINE Schedule step_decay(std::int64_t every, double factor) {
  detail::check_positive("step_decay", every);
  return [=](std::int64_t step) {
    const std::int64_t whole = step / every;
    return std::pow(factor, static_cast<double>(whole));
  };
}

SYNTHDATA_INLINE Schedule exponential(std::int64_t every, double factor) {
  detail::check_positive("exponential", every);
  return [=](std::int64_t step) { return std::pow(factor, static_cast<double>(step) / static_cast<double>(every)); };
}

SYNTHDATA_INLINE Schedule cosine(std::int64_t period, double floor, double growth) {
  detail::check_positive("cosine", period);
  if (!(growth >= 1.0)) throw NumericError(concat("schedule::cosine: expects growth >= 1, got ", growth));
  return [=](std::int64_t step) {
    double length = static_cast<double>(period), into = static_cast<double>(step);
    if (growth == 1.0) {
      into = std::fmod(into, length);
    } else {
      while (into >= length) {
        into -= length;
        length *= growth;
      }
    }
    return floor + (1.0 - floor) * 0.5 * (1.0 + std::cos(3.141592653589793 * into / length));
  };
}

SYNTHDATA_INLINE Schedule warm_up(std::int64_t steps, const Schedule& then) {
  detail::check_positive("warm_up", steps);
  return [=](std::int64_t step) {
    return step < steps ? static_cast<double>(step + 1) / static_cast<double>(steps) : then(step - steps);
  };
}

}  // namespace synthdata::schedule
