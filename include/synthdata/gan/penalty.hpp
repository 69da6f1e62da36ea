// synthdata/gan/penalty.hpp: penalties on the critic's gradient; they add up and go with any loss.
//
// Each is differentiated through the critic's own gradient, so the critic must be differentiable twice. Batch norm in
// the critic couples the samples and makes these penalties wrong: use layer norm there (Gulrajani et al. 2017, sec. 4).
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

#include <concepts>

namespace synthdata {

namespace detail {

/// [N, 1, ..., 1]: one number for each sample.
inline Shape per_sample(const Shape& shape) {
  Shape out{shape[0]};
  for (int i = 1; i < shape.rank(); ++i) out.push_back(1);
  return out;
}

/// Gradient of the summed scores at x, one row for each score: [N, D], or [N / pack, pack D] for a packed critic.
template <class Critic>
Var score_gradient(const Critic& critic, const Var& x) {
  const Var scores = critic(x);
  const Var g = grad(sum(scores), x, {.create_graph = true});
  return reshape(g, Shape{scores.size(), g.size() / (scores.size() ? scores.size() : 1)});
}

/// Euclidean length of each row.
inline Var row_norm(const Var& g) { return norm(g, 1, 1e-12); }  // epsilon keeps the slope finite at g = 0

}  // namespace detail

/// Pulls the critic's slope towards 1 between real and fake samples: weight E(|grad| - 1)², or only slopes above 1 with
/// `one_sided`. One mixing weight for each sample. Source: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.
struct GradientPenalty {
  static constexpr const char* name = "gradient_penalty";
  double weight = 10.0;
  bool one_sided = false;

  template <class Critic>
  Var operator()(const Critic& critic, const Tensor& real, const Tensor& fake, Rng& rng) const {
    const OnDevice there(real.device());
    const Var t = uniform(detail::per_sample(real.shape()), rng, real.dtype());
    const Var x = leaf(t * real + (1.0 - t) * fake);
    const Var excess = detail::row_norm(detail::score_gradient(critic, x)) - 1.0;
    return weight * mean(square(one_sided ? relu(excess) : excess));
  }
};

/// weight / 2 E|grad|² at the real samples. Source: Mescheder et al. 2018, arXiv:1801.04406, eq. 9.
struct R1 {
  static constexpr const char* name = "r1";
  double weight = 10.0;

  template <class Critic>
  Var operator()(const Critic& critic, const Tensor& real, const Tensor&, Rng&) const {
    return 0.5 * weight * mean(sum(square(detail::score_gradient(critic, leaf(real))), 1));
  }
};

/// The same at the fake samples. Source: Mescheder et al. 2018, arXiv:1801.04406, eq. 9.
struct R2 {
  static constexpr const char* name = "r2";
  double weight = 10.0;

  template <class Critic>
  Var operator()(const Critic& critic, const Tensor&, const Tensor& fake, Rng&) const {
    return 0.5 * weight * mean(sum(square(detail::score_gradient(critic, leaf(fake))), 1));
  }
};

/// weight E(|grad| - 1)² around the real samples: at real + spread std(real) u, u uniform in [0, 1).
/// Source: Kodali et al. 2017, arXiv:1705.07215, section 2.4 and its published code (spread 0.5).
struct Dragan {
  static constexpr const char* name = "dragan";
  double weight = 10.0;
  double spread = 0.5;

  template <class Critic>
  Var operator()(const Critic& critic, const Tensor& real, const Tensor&, Rng& rng) const {
    const OnDevice there(real.device());
    const Var deviation = sqrt(var(real));
    const Var noise = uniform(real.shape(), rng, real.dtype(), 0.0, spread) * deviation;
    const Var t = uniform(detail::per_sample(real.shape()), rng, real.dtype());
    const Var x = leaf(real + t * noise);
    return weight * mean(square(detail::row_norm(detail::score_gradient(critic, x)) - 1.0));
  }
};

namespace detail {
/// A critic that only the concept below calls.
struct AnyCritic {
  Var operator()(const Var& x) const { return x; }
};
}  // namespace detail

/// penalty(critic, real, fake, rng) -> scalar, where critic(x) gives scores.
template <class P>
concept CriticPenalty = requires(const P& p, const detail::AnyCritic& critic, const Tensor& x, Rng& rng) {
  { p(critic, x, x, rng) } -> std::convertible_to<Var>;
};

}  // namespace synthdata
