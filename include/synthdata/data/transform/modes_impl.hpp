// synthdata/data/transform/modes_impl.hpp: bodies of data/transform/modes.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/gaussian_mixture_impl.hpp>
#include <synthdata/data/transform/modes.hpp>
#include <synthdata/data/transform/standardize.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthdata::transform {

SYNTHDATA_INLINE Modes::Modes(std::int64_t most_modes, std::int64_t rows) : most(most_modes), fit_rows(rows) {
  if (most < 1 || most > 1000 || fit_rows < 1) {
    throw NumericError(concat("modes: expects 1 ... 1000 modes and fit_rows >= 1, got ", most, ", ", fit_rows));
  }
}

SYNTHDATA_INLINE void Modes::fit(const Training& training) {
  const std::vector<double> thin = synthdata::detail::thinned(training.values, fit_rows, training.rng.split(0));
  Standardize unit;
  unit.fit({.values = thin, .missing_count = 0, .schema = training.schema, .rng = training.rng});
  synthdata::detail::Distinct all = synthdata::detail::distinct(thin);
  unit.apply(all.values);
  const auto rows = static_cast<std::int64_t>(all.values.size());
  Tensor weights = Tensor::empty({rows}, DType::f64, Device::cpu());
  for (std::int64_t i = 0; i < rows; ++i) {
    weights.data<double>()[i] = static_cast<double>(all.counts[static_cast<std::size_t>(i)]);
  }
  Rng rng = training.rng.split(1);
  const GaussianMixture mixture = GaussianMixture::fit(Tensor::from(all.values, {rows}, Device::cpu()),
                                                       {.components = std::min(most, rows),
                                                        .bayesian = true,
                                                        .concentration = concentration,
                                                        .max_iterations = iterations,
                                                        .row_weights = weights},
                                                       rng);
  std::vector<std::int64_t> kept;
  const double* const shares = mixture.weights().data<double>();
  const double* const means = mixture.means().data<double>();
  for (std::int64_t k = 0; k < mixture.components(); ++k) {
    if (shares[k] > least_weight) kept.push_back(k);
  }
  if (kept.empty()) kept.push_back(std::max_element(shares, shares + mixture.components()) - shares);
  std::sort(kept.begin(), kept.end(), [&](std::int64_t a, std::int64_t b) { return means[a] < means[b]; });
  const auto count = static_cast<std::int64_t>(kept.size());
  means_ = Tensor::empty({count}, DType::f64, Device::cpu());
  stds_ = Tensor::empty({count}, DType::f64, Device::cpu());
  log_weights_ = Tensor::empty({count}, DType::f64, Device::cpu());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t k = kept[static_cast<std::size_t>(i)];
    means_.data<double>()[i] = means[k] * unit.scale() + unit.mean();
    stds_.data<double>()[i] =
        std::max(std::sqrt(mixture.covariances().data<double>()[k]) * unit.scale(), std::numeric_limits<double>::min());
    log_weights_.data<double>()[i] = mixture.log_weights().data<double>()[k];
  }
  prepare();
}

SYNTHDATA_INLINE void Modes::prepare() {
  bool good = most >= 1 && fit_rows >= 1 && std::isfinite(least_weight) && std::isfinite(concentration);
  for (const Tensor* tensor : {&means_, &stds_, &log_weights_}) {
    good = good && tensor->defined() && tensor->dtype() == DType::f64 && tensor->rank() == 1 &&
           tensor->shape() == means_.shape() && tensor->size() >= 1 && tensor->size() <= 1000;
  }
  half_precisions_.clear();
  offsets_.clear();
  for (std::int64_t i = 0; good && i < means_.size(); ++i) {
    const double std = stds_.data<double>()[i];
    const double offset = log_weights_.data<double>()[i] - std::log(std);
    good = std::isfinite(means_.data<double>()[i]) && std > 0.0 && std::isfinite(offset);
    half_precisions_.push_back(std::fmin(0.5 / std / std, 1e300));
    offsets_.push_back(offset);
  }
  synthdata::detail::check_loaded(good, name, "modes");
}

SYNTHDATA_INLINE std::vector<EncodedBlock> Modes::blocks() const {
  return {{.low = -1.0, .high = 1.0},
          {.begin = 1, .width = count(), .kind = BlockKind::one_hot, .low = 0.0, .high = 1.0}};
}

SYNTHDATA_INLINE void Modes::encode(std::span<const double> values, float* out, std::int64_t stride, Rng* rng) const {
  using synthdata::detail::mixture_block;
  const std::int64_t modes = count();
  const synthdata::detail::Mixture1d mixture{modes, means_.data<double>(), half_precisions_.data(), offsets_.data()};
  std::vector<double> r(static_cast<std::size_t>(modes * mixture_block));
  double x[mixture_block], log_p[mixture_block], entropy[mixture_block];
  for (std::size_t begin = 0; begin < values.size(); begin += mixture_block) {
    const std::size_t size = std::min<std::size_t>(mixture_block, values.size() - begin);
    for (std::size_t i = 0; i < mixture_block; ++i) x[i] = values[begin + std::min(i, size - 1)];
    backend::cpu::run<float>(synthdata::detail::Responsibilities1d{mixture}, x, r.data(), log_p, entropy);
    for (std::size_t i = 0; i < size; ++i) {
      std::int64_t chosen = 0;
      const auto share = [&](std::int64_t k) { return r[static_cast<std::size_t>(k) * mixture_block + i]; };
      if (rng) {
        double left = double{rng->uniform()};
        while (chosen + 1 < modes && left >= share(chosen)) left -= share(chosen++);
      } else {
        for (std::int64_t k = 1; k < modes; ++k) {
          if (share(k) > share(chosen)) chosen = k;
        }
      }
      const double place = (x[i] - means_.data<double>()[chosen]) / (4.0 * stds_.data<double>()[chosen]);
      out[0] = static_cast<float>(std::fmin(std::fmax(place, -0.99), 0.99));
      std::fill(out + 1, out + 1 + modes, 0.0f);
      out[1 + chosen] = 1.0f;
      out += stride;
    }
  }
}

SYNTHDATA_INLINE void Modes::decode(const float* in, std::int64_t stride, std::span<double> values, Rng*) const {
  for (double& value : values) {
    const std::int64_t mode = std::max_element(in + 1, in + 1 + count()) - (in + 1);
    const double place = std::fmin(std::fmax(double{in[0]}, -1.0), 1.0);
    value = means_.data<double>()[mode] + place * 4.0 * stds_.data<double>()[mode];
    in += stride;
  }
}

}  // namespace synthdata::transform
