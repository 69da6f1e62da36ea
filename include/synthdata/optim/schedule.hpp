// synthdata/optim/schedule.hpp: learning rate over time.
//
// A schedule is a pure function of the step (counted from 0), so resuming needs to know nothing but the step.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>

#include <cmath>
#include <functional>

namespace synthdata {

/// step -> factor for the learning rate.
using Schedule = std::function<double(std::int64_t step)>;

namespace schedule {

namespace detail {
inline void check_positive(const char* name, std::int64_t steps) {
  if (steps < 1) throw NumericError(concat("schedule::", name, ": expects at least one step, got ", steps));
}
}  // namespace detail

inline Schedule constant() {
  return [](std::int64_t) { return 1.0; };
}

/// factor^(step / every), in whole steps of `every`.
inline Schedule step_decay(std::int64_t every, double factor) {
  detail::check_positive("step_decay", every);
  return [=](std::int64_t step) {
    const std::int64_t whole = step / every;
    return std::pow(factor, static_cast<double>(whole));
  };
}

/// factor^(step / every), continuous.
inline Schedule exponential(std::int64_t every, double factor) {
  detail::check_positive("exponential", every);
  return [=](std::int64_t step) { return std::pow(factor, static_cast<double>(step) / static_cast<double>(every)); };
}

/// Half a cosine from 1 to `floor` over `period` steps, then again; every period is `growth` times as long as the one
/// before. Source: Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5.
inline Schedule cosine(std::int64_t period, double floor = 0.0, double growth = 1.0) {
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

/// Rises in a line from 1 / steps to 1 over the first `steps`, then goes on with `then`, which starts from its step 0.
inline Schedule warm_up(std::int64_t steps, const Schedule& then = constant()) {
  detail::check_positive("warm_up", steps);
  return [=](std::int64_t step) {
    return step < steps ? static_cast<double>(step + 1) / static_cast<double>(steps) : then(step - steps);
  };
}

}  // namespace schedule
}  // namespace synthdata
