// synthdata/data/transform/frequency_impl.hpp: bodies of data/transform/frequency.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/frequency.hpp>

#include <algorithm>
#include <numeric>

namespace synthdata::transform {

SYNTHDATA_INLINE Frequency::Frequency(std::int64_t most_values, double least_share_of_rows)
    : most(most_values), least_share(least_share_of_rows) {
  synthdata::detail::check_levels(name, most, least_share);
}

SYNTHDATA_INLINE void Frequency::fit(const Training& training) {
  levels_.fit(training, most, least_share);
  prepare();
}

SYNTHDATA_INLINE void Frequency::prepare() {
  order_.resize(static_cast<std::size_t>(levels_.size()));
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::int64_t a, std::int64_t b) { return levels_.count(a) > levels_.count(b); });
  const auto length = [&](std::int64_t level) { return static_cast<double>(std::max<std::int64_t>(levels_.count(level), 1)); };
  double total = 0.0, sum = 0.0;
  for (const std::int64_t level : order_) total += length(level);
  ends_.clear();
  middles_.assign(order_.size(), 0.0f);
  for (const std::int64_t level : order_) {
    const double begin = sum / total;
    sum += length(level);
    ends_.push_back(sum / total);
    const auto middle = static_cast<float>((begin + ends_.back()) / 2);
    if (!(double{middle} >= begin && double{middle} < ends_.back())) {
      throw DataError(concat("frequency: ", levels_.size(), " values cannot be told apart in f32; give a bound"));
    }
    middles_[static_cast<std::size_t>(level)] = middle;
  }
}

SYNTHDATA_INLINE std::vector<EncodedBlock> Frequency::blocks() const { return {{.low = 0.0, .high = 1.0}}; }

SYNTHDATA_INLINE void Frequency::encode(std::span<const double> values, float* out, std::int64_t stride, Rng*) const {
  for (const double value : values) {
    const std::int64_t level = levels_.level_of(value);
    if (level < 0) [[unlikely]]
      synthdata::detail::throw_unknown(value);
    *out = middles_[static_cast<std::size_t>(level)];
    out += stride;
  }
}

SYNTHDATA_INLINE void Frequency::decode(const float* in, std::int64_t stride, std::span<double> values,
                                        Rng* rng) const {
  for (double& value : values) {
    const auto at = std::upper_bound(ends_.begin(), ends_.end(), double{*in}) - ends_.begin();
    const auto last = static_cast<std::ptrdiff_t>(ends_.size()) - 1;
    value = levels_.value_of(order_[static_cast<std::size_t>(std::min(at, last))], rng);
    in += stride;
  }
}

}  // namespace synthdata::transform
