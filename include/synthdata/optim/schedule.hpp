// synthdata/optim/schedule.hpp: learning rate over time.
//
// A schedule is a pure function of the step (counted from 0), so resuming needs to know nothing but the step.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>

#include <functional>

namespace synthdata {

/// step -> factor for the learning rate.
using Schedule = std::function<double(std::int64_t step)>;

namespace schedule {

Schedule constant();

/// factor^(step / every), in whole steps of `every`.
Schedule step_decay(std::int64_t every, double factor);

/// factor^(step / every), continuous.
Schedule exponential(std::int64_t every, double factor);

/// Half a cosine from 1 to `floor` over `period` steps, then again; every period is `growth` times as long as the one
/// before. Source: Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5.
Schedule cosine(std::int64_t period, double floor = 0.0, double growth = 1.0);

/// Rises in a line from 1 / steps to 1 over the first `steps`, then goes on with `then`, which starts from its step 0.
Schedule warm_up(std::int64_t steps, const Schedule& then = constant());

}  // namespace schedule
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/optim/schedule_impl.hpp>
#endif
