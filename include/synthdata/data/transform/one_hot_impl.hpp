// synthdata/data/transform/one_hot_impl.hpp: bodies of data/transform/one_hot.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/one_hot.hpp>

#include <algorithm>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE void check_levels(const char* kind, std::int64_t most, double least_share) {
  if (most < 0 || !(least_share >= 0.0 && least_share <= 1.0)) {
    throw NumericError(concat(kind, ": expects most >= 0 and a share in [0, 1], got ", most, ", ", least_share));
  }
}
SYNTHDATA_COLD SYNTHDATA_INLINE void throw_unknown(double value) {
  throw DataError(concat("the value ", value, " is not among those of training"));
}

}  // namespace detail

namespace transform {

SYNTHDATA_INLINE OneHot::OneHot(std::int64_t most_values, double least_share_of_rows)
    : most(most_values), least_share(least_share_of_rows) {
  synthdata::detail::check_levels(name, most, least_share);
}

SYNTHDATA_INLINE void OneHot::fit(const Training& training) { levels_.fit(training, most, least_share); }

SYNTHDATA_INLINE std::vector<EncodedBlock> OneHot::blocks() const {
  return {{.width = levels_.size(), .kind = BlockKind::one_hot, .low = 0.0, .high = 1.0}};
}

SYNTHDATA_INLINE void OneHot::encode(std::span<const double> values, float* out, std::int64_t stride, Rng*) const {
  const std::int64_t width = levels_.size();
  for (const double value : values) {
    const std::int64_t level = levels_.level_of(value);
    if (level < 0) [[unlikely]]
      synthdata::detail::throw_unknown(value);
    std::fill(out, out + width, 0.0f);
    out[level] = 1.0f;
    out += stride;
  }
}

SYNTHDATA_INLINE void OneHot::decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const {
  const std::int64_t width = levels_.size();
  for (double& value : values) {
    value = levels_.value_of(std::max_element(in, in + width) - in, rng);
    in += stride;
  }
}

}  // namespace transform
}  // namespace synthdata
