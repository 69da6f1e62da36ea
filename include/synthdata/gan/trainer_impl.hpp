// synthdata/gan/trainer_impl.hpp: bodies of gan/trainer.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/gan/trainer.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE void check_options(const TrainerOptions& options) {
  if (options.critic_steps < 1 || options.accumulate < 1 || options.unrolled_steps < 0) {
    throw NumericError(
        concat("AdversarialTrainer: expects critic_steps >= 1, accumulate >= 1 and unrolled_steps >= 0, got ",
               options.critic_steps, ", ", options.accumulate, " and ", options.unrolled_steps));
  }
  if (options.graph && (options.unrolled_steps > 0 || options.instance_noise_steps > 0)) {
    throw Error("AdversarialTrainer: a captured step cannot have unrolled_steps or instance_noise_steps");
  }
}

SYNTHDATA_INLINE StepCapture::StepCapture(Device device) : graph(backend::device_kernels().new_graph(device.index)) {}

SYNTHDATA_INLINE bool StepCapture::take(const std::vector<Batch>& next, const RngState& rng, Device device) {
  if (batches.empty()) {
    stream = rng;
    for (const Batch& b : next) batches.push_back({b.data.to(device).clone(), b.labels.to(device).clone()});
    return true;
  }
  if (rng.seed != stream.seed || rng.stream != stream.stream) return false;
  const auto fits = [](const Tensor& a, const Tensor& b) {
    return a.defined() == b.defined() && a.shape() == b.shape() && a.dtype() == b.dtype();
  };
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (!fits(next[i].data, batches[i].data) || !fits(next[i].labels, batches[i].labels)) return false;
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    batches[i].data.copy_elements(next[i].data);
    if (next[i].labels.defined()) batches[i].labels.copy_elements(next[i].labels);
  }
  return true;
}

SYNTHDATA_INLINE void StepCapture::add_term(std::string_view name, const Var& value) {
  names.push_back(name);
  values.push_back(value.value().reshape({1}));
}

SYNTHDATA_INLINE void StepCapture::finish(const RngState& before, const RngState& after) {
  all_values = backend::join(values, 0);
  recording = false;
  graph->end();
  if (after.used != 4) {
    throw Error("AdversarialTrainer: a step that draws single random numbers cannot be captured; set graph = false");
  }
  stream = before;
  blocks = after.counter - before.counter;
  recorded = true;
}

SYNTHDATA_INLINE void StepCapture::replay(Rng& rng) {
  graph->replay(rng.state().counter - stream.counter);
  rng.reserve(blocks);
}

SYNTHDATA_INLINE std::vector<std::pair<std::string_view, double>> StepCapture::terms(std::int64_t step) const {
  const Tensor numbers = all_values.to(Device::cpu());
  std::vector<std::pair<std::string_view, double>> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    out.emplace_back(names[i], checked(step, names[i].data(), numbers.rows(row, row + 1)));
  }
  return out;
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
  if (options.clip_norm > 0.0) clip_norm(sum, options.clip_norm);
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
