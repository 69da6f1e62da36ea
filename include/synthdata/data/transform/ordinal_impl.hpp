// synthdata/data/transform/ordinal_impl.hpp: bodies of data/transform/ordinal.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/ordinal.hpp>

#include <cmath>

namespace synthdata::transform {

SYNTHDATA_INLINE Ordinal::Ordinal(std::int64_t most_values, double least_share_of_rows)
    : most(most_values), least_share(least_share_of_rows) {
  synthdata::detail::check_levels(name, most, least_share);
}

SYNTHDATA_INLINE void Ordinal::fit(const Training& training) {
  levels_.fit(training, most, least_share);
  if (levels_.size() > 1 << 24) throw DataError("ordinal: more than 2^24 different values; give a bound");
}

SYNTHDATA_INLINE std::vector<EncodedBlock> Ordinal::blocks() const {
  return {{.kind = BlockKind::code, .low = 0.0, .high = static_cast<double>(levels_.size() - 1)}};
}

SYNTHDATA_INLINE void Ordinal::encode(std::span<const double> values, float* out, std::int64_t stride, Rng*) const {
  for (const double value : values) {
    const std::int64_t level = levels_.level_of(value);
    if (level < 0) [[unlikely]]
      synthdata::detail::throw_unknown(value);
    *out = static_cast<float>(level);
    out += stride;
  }
}

SYNTHDATA_INLINE void Ordinal::decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const {
  const auto last = static_cast<double>(levels_.size() - 1);
  for (double& value : values) {
    const double nearest = std::fmin(std::fmax(std::round(double{*in}), 0.0), last);
    value = levels_.value_of(static_cast<std::int64_t>(nearest), rng);
    in += stride;
  }
}

}  // namespace synthdata::transform
