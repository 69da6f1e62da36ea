// synthdata/data/transform/signed_log_impl.hpp: bodies of data/transform/signed_log.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/signed_log.hpp>

#include <cmath>

namespace synthdata::transform {

SYNTHDATA_INLINE SignedLog::SignedLog(double linear_below) : unit(linear_below) {
  if (!(unit > 0.0) || !std::isfinite(unit)) throw NumericError(concat("signed_log: expects a unit > 0, got ", unit));
}

SYNTHDATA_INLINE void SignedLog::apply(std::span<double> values) const {
  for (double& x : values) x = std::copysign(std::log1p(std::fabs(x) / unit), x);
}
SYNTHDATA_INLINE void SignedLog::invert(std::span<double> values) const {
  for (double& x : values) x = std::copysign(std::expm1(std::fabs(x)) * unit, x);
}
SYNTHDATA_INLINE Interval SignedLog::range(Interval from) const {
  double ends[] = {from.low, from.high};
  apply(ends);
  return {ends[0], ends[1]};
}
SYNTHDATA_INLINE void SignedLog::prepare() {
  synthdata::detail::check_loaded(std::isfinite(unit) && unit > 0.0, name, "unit");
}

}  // namespace synthdata::transform
