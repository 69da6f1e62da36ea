// synthdata/gan/latent.hpp: the random vectors a generator starts from.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>

#include <concepts>

namespace synthdata {

/// Draws n latent vectors: (n, rng) -> Tensor [n, ...].
template <class L>
concept Latent = requires(const L& latent, std::int64_t n, Rng& rng) {
  { latent(n, rng) } -> std::convertible_to<Tensor>;
};

/// Independent standard normal numbers, [n, size].
struct NormalLatent {
  std::int64_t size = 100;
  Tensor operator()(std::int64_t n, Rng& rng) const { return normal({n, size}, rng); }
};

/// Independent uniform numbers in [-1, 1), [n, size].
struct UniformLatent {
  std::int64_t size = 100;
  Tensor operator()(std::int64_t n, Rng& rng) const { return uniform({n, size}, rng, DType::f32, -1.0, 1.0); }
};

}  // namespace synthdata
