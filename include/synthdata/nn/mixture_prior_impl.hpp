// synthdata/nn/mixture_prior_impl.hpp: bodies of mixture_prior.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/nn/mixture_prior.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace synthdata {

SYNTHDATA_INLINE MixturePrior::MixturePrior(std::int64_t components, std::int64_t latent, Rng& rng) {
  if (components < 1 || latent < 1) {
    throw ShapeError(concat("MixturePrior: expects components and latent >= 1, got ", components, " and ", latent));
  }
  constexpr double spread = 0.05;  // apart enough to part; with 0.5 tables came out less faithful
  mean_ = Param((spread * Var(normal({components, latent}, rng))).value());
  log_deviation_ = Param(Tensor::zeros({components, latent}));
  logits_ = Param(Tensor::zeros({components}));
}

SYNTHDATA_INLINE Var MixturePrior::log_prob(const Var& z) const {
  const double constant = 0.5 * std::log(2.0 * std::numbers::pi) * static_cast<double>(latent());
  // -(z - mean)^2 precision / 2, multiplied out
  const Var precision = exp(-2.0 * log_deviation_), scaled = mean_ * precision;
  const Var rest = log_softmax(logits_) - sum(0.5 * mean_ * scaled + log_deviation_, 1) - constant;
  return logsumexp(linear(square(z), -0.5 * precision) + linear(z, scaled, rest), 1);
}

SYNTHDATA_INLINE Tensor MixturePrior::sample(std::int64_t n, Rng& rng) const {
  const std::int64_t k = components(), width = latent();
  const float* const logits = logits_.value().data<float>();
  const float* const means = mean_.value().data<float>();
  const float* const log_deviations = log_deviation_.value().data<float>();
  std::vector<std::vector<float>> deviations(static_cast<std::size_t>(k));  // of those that are drawn
  const float largest = *std::max_element(logits, logits + k);
  std::vector<float> weights(static_cast<std::size_t>(k));
  float total = 0.0f;
  for (std::size_t i = 0; i < weights.size(); ++i) total += weights[i] = std::exp(logits[i] - largest);
  Tensor z = normal({n, width}, rng);
  for (std::int64_t row = 0; row < n; ++row) {
    float left = rng.uniform() * total;
    std::int64_t drawn = 0;
    while (drawn + 1 < k && (left -= weights[static_cast<std::size_t>(drawn)]) >= 0.0f) ++drawn;
    std::vector<float>& deviation = deviations[static_cast<std::size_t>(drawn)];
    if (deviation.empty()) {
      for (std::int64_t j = 0; j < width; ++j) deviation.push_back(std::exp(log_deviations[drawn * width + j]));
    }
    const float *const mean = means + drawn * width, *const by = deviation.data();
    float* const at = z.data<float>() + row * width;
    for (std::int64_t j = 0; j < width; ++j) at[j] = mean[j] + by[j] * at[j];
  }
  return z;
}

}  // namespace synthdata
