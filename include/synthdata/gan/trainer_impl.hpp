// synthdata/gan/trainer_impl.hpp: bodies of gan/trainer.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/trainer.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE void check_options(const TrainerOptions& options) {
  if (options.critic_steps < 1 || options.accumulate < 1 || options.unrolled_steps < 0) {
    throw NumericError(
        concat("AdversarialTrainer: expects critic_steps >= 1, accumulate >= 1 and unrolled_steps >= 0, got ",
               options.critic_steps, ", ", options.accumulate, " and ", options.unrolled_steps));
  }
}

SYNTHDATA_INLINE double checked(std::int64_t step, const char* term, const Var& value) {
  const double number = value.item();
  if (number - number != 0.0) {
    throw NumericError(concat("training stopped at step ", step, ": ", term, " is ", number,
                              "; try a smaller learning rate, gradient clipping or a gradient penalty"));
  }
  return number;
}

SYNTHDATA_INLINE void add_gradients(const Var& loss, const ModuleState& state, std::vector<Tensor>& sum) {
  const std::vector<Var> gradients = grad(loss, variables(state));
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] = sum[i].defined() ? (Var(sum[i]) + gradients[i]).value() : gradients[i].value();
  }
}

SYNTHDATA_INLINE void apply_gradients(const TrainerOptions& options, std::vector<Tensor>& sum, Optimizer& optimizer,
                                      double rate) {
  if (options.accumulate > 1) {
    for (Tensor& g : sum) g = (Var(g) * (1.0 / static_cast<double>(options.accumulate))).value();
  }
  if (options.clip_norm > 0.0) clip_by_norm(sum, options.clip_norm);
  optimizer.step(sum, rate);
}

SYNTHDATA_INLINE Var blurred(const TrainerOptions& options, std::int64_t step, const Var& x, Rng& rng) {
  double deviation = options.instance_noise;
  if (options.instance_noise_steps > 0) {
    const double left = 1.0 - static_cast<double>(step) / static_cast<double>(options.instance_noise_steps);
    deviation *= left > 0.0 ? left : 0.0;
  }
  if (deviation <= 0.0) return x;
  const OnDevice there(x.device());
  return x + normal(x.shape(), rng, x.dtype(), 0.0, deviation);
}

SYNTHDATA_INLINE void unroll_update(const Var& loss, const ModuleState& state, const AnyRule& rule,
                                    const StepNumbers& numbers, std::vector<Var>& running) {
  const std::vector<Var> gradients = grad(loss, variables(state), {.create_graph = true});
  const auto slots = static_cast<std::size_t>(rule.slots());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    Param& p = *state.parameters[i].param;
    p.rebind(rule.apply(numbers, p, gradients[i], running.data() + i * slots));
  }
}

}  // namespace synthdata::detail
