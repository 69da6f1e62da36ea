// synthdata/gan/trainer_impl.hpp: bodies of gan/trainer.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/gan/trainer.hpp>

#include <algorithm>

namespace synthdata::detail {

SYNTHDATA_INLINE void check_options(const TrainerOptions& options) {
  if (options.critic_steps < 1 || options.accumulate < 1 || options.unrolled_steps < 0) {
    throw NumericError(
        concat("AdversarialTrainer: expects critic_steps >= 1, accumulate >= 1 and unrolled_steps >= 0, got ",
               options.critic_steps, ", ", options.accumulate, " and ", options.unrolled_steps));
  }
  if (options.graph && (options.unrolled_steps > 0 || options.instance_noise_steps > 0 || options.communicator ||
                        options.precision == Precision::f16)) {
    throw Error(
        "AdversarialTrainer: a captured step cannot have unrolled_steps, instance_noise_steps, f16 or a "
        "communicator");
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

SYNTHDATA_INLINE void StepCapture::abandon() noexcept {
  record(false);
  names.clear();
  values.clear();
  graph->abandon();
}

SYNTHDATA_INLINE void StepCapture::finish(const RngState& before, const RngState& after) {
  all_values = backend::join(values, 0);
  graph->end();
  record(false);
  recorded = true;
  stream = before;
  blocks = after.counter - before.counter;
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

SYNTHDATA_INLINE void broadcast_state(const ModuleState& state, Communicator& communicator) {
  for (const NamedParam& p : state.parameters) communicator.broadcast(p.param->mutable_value());
  for (const NamedBuffer& b : state.buffers) {
    Tensor value = b.buffer->value().clone();
    communicator.broadcast(value);
    b.buffer->assign(value);
  }
}

SYNTHDATA_INLINE void check_streams(const Rng& rng, Communicator& communicator) {
  // Halves of 32 bits, which f64 holds exactly; each rank fills in its own row.
  const RngState& s = rng.state();
  std::vector<double> rows(4 * static_cast<std::size_t>(communicator.size()), 0.0);
  double* const own = rows.data() + 4 * communicator.rank();
  own[0] = static_cast<double>(s.seed >> 32);
  own[1] = static_cast<double>(s.seed & 0xFFFFFFFF);
  own[2] = static_cast<double>(s.stream >> 32);
  own[3] = static_cast<double>(s.stream & 0xFFFFFFFF);
  Tensor all = Tensor::from(rows, communicator.device());
  communicator.reduce(all, Reduction::sum);
  const Tensor near = all.to(Device::cpu());
  const double* row = near.data<double>();
  for (int i = 0; i < communicator.size(); ++i) {
    for (int k = 0; k < i; ++k) {
      if (std::equal(row + 4 * i, row + 4 * i + 4, row + 4 * k)) {
        throw Error(concat("AdversarialTrainer: ranks ", k, " and ", i,
                           " draw the same random numbers; give each its own, such as rng.split(rank)"));
      }
    }
  }
}

SYNTHDATA_INLINE GradientSum::GradientSum(const TrainerOptions& options, const ModuleState& state, LossScale& scale)
    : options_(options), state_(state), scale_(scale), sum_(state.parameters.size()) {}

SYNTHDATA_INLINE void GradientSum::add(const Var& plain_loss) {
  const Var loss = scale_.active() ? plain_loss * scale_.factor() : plain_loss;
  const std::vector<Var> wanted = variables(state_);
  if (!options_.communicator || ++batches_ < options_.accumulate) {
    const std::vector<Var> gradients = grad(loss, wanted);
    for (std::size_t i = 0; i < sum_.size(); ++i) {
      sum_[i] = sum_[i].defined() ? (Var(sum_[i]) + gradients[i]).value() : gradients[i].value();
    }
    return;
  }
  buckets_.emplace(*options_.communicator, sum_.size(), options_.bucket_bytes);
  const std::vector<Var> gradients = grad(loss, wanted, {.listener = this});
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    if (!sum_[i].defined()) sum_[i] = gradients[i].value();  // zeros: the loss does not depend on this parameter
  }
}

SYNTHDATA_INLINE void GradientSum::complete(std::size_t i, const Var& gradient) {
  sum_[i] = sum_[i].defined() ? (Var(sum_[i]) + gradient).value() : gradient.value();
  buckets_->add(i, sum_[i]);
}

SYNTHDATA_INLINE void GradientSum::apply(Optimizer& optimizer, double rate) {
  if (buckets_) buckets_->finish(sum_);
  if (!scale_.unscale(sum_, static_cast<double>(options_.accumulate))) return;
  if (options_.clip_norm > 0.0) clip_norm(sum_, options_.clip_norm);
  optimizer.step(sum_, rate);
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
