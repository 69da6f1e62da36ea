// synthdata/optim/optimizer_impl.hpp: bodies of optim/optimizer.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/reduce.hpp>
#include <synthdata/optim/optimizer.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE Optimizer::Optimizer(std::vector<NamedParam> parameters, AnyRule rule)
    : parameters_(std::move(parameters)), rule_(std::move(rule)) {
  for (const NamedParam& p : parameters_) {
    for (int slot = 0; slot < rule_.slots(); ++slot) {
      running_.push_back(Tensor::zeros(p.param->shape(), p.param->dtype(), p.param->device()));
    }
  }
}

SYNTHDATA_INLINE void Optimizer::step(std::span<const Tensor> gradients, double learning_rate) {
  if (gradients.size() != parameters_.size()) {
    throw ShapeError(concat("Optimizer::step: ", parameters_.size(), " parameters, ", gradients.size(), " gradients"));
  }
  ++steps_;
  const auto slots = static_cast<std::size_t>(rule_.slots());
  std::vector<RuleOperands> elsewhere;  // all at once: one kernel for the whole net
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    Param& p = *parameters_[i].param;
    if (!(gradients[i].shape() == p.shape())) {
      throw_shape("Optimizer::step", concat("gradient of ", parameters_[i].path, " does not fit"),
                  {{"parameter", p.value()}, {"gradient", gradients[i]}});
    }
    if (p.device().is_cpu()) {
      rule_.apply({learning_rate, steps_}, p.mutable_value(), gradients[i], running_.data() + i * slots);
    } else {
      elsewhere.push_back({&p.mutable_value(), &gradients[i], running_.data() + i * slots});
    }
  }
  if (!elsewhere.empty()) rule_.apply({learning_rate, steps_}, elsewhere);
}

SYNTHDATA_INLINE void Optimizer::minimize(const Var& loss, double learning_rate) {
  std::vector<Var> weights;
  for (const NamedParam& p : parameters_) weights.push_back(*p.param);
  std::vector<Tensor> gradients;
  for (const Var& g : grad(loss, weights)) gradients.push_back(g.defined() ? g.value() : Tensor());
  step(gradients, learning_rate);
}

SYNTHDATA_INLINE std::vector<NamedTensor> Optimizer::state(const std::string& prefix) const {
  std::vector<NamedTensor> out;
  out.push_back({prefix + "steps", Tensor::full({1}, static_cast<double>(steps_), DType::i64, Device::cpu())});
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    for (int slot = 0; slot < rule_.slots(); ++slot) {
      out.push_back({slot_name(prefix, i, slot), running(i)[static_cast<std::size_t>(slot)]});
    }
  }
  return out;
}

SYNTHDATA_INLINE void Optimizer::restore(const std::string& prefix, FindTensor call, const void* find) {
  const auto fetch = [&](const std::string& name, const Tensor& like) -> Tensor {
    const Tensor* found = call(find, name);
    if (!found) throw DataError(concat("optimizer state: '", name, "' is missing"));
    if (!(found->shape() == like.shape()) || found->dtype() != like.dtype()) {
      throw DataError(concat("optimizer state: '", name, "' is ", found->str(), ", expected ", like.str()));
    }
    return found->to(like.device()).clone();
  };
  const std::int64_t steps =
      static_cast<std::int64_t>(fetch(prefix + "steps", Tensor::zeros({1}, DType::i64, Device::cpu())).item());
  std::vector<Tensor> running = running_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    for (int slot = 0; slot < rule_.slots(); ++slot) {
      Tensor& value = running[i * static_cast<std::size_t>(rule_.slots()) + static_cast<std::size_t>(slot)];
      value = fetch(slot_name(prefix, i, slot), value);
    }
  }
  running_ = std::move(running);
  steps_ = steps;
}

SYNTHDATA_INLINE std::string Optimizer::slot_name(const std::string& prefix, std::size_t i, int slot) const {
  return concat(prefix, parameters_[i].path, ".", slot);
}

SYNTHDATA_INLINE void clip_by_value(std::span<Tensor> gradients, double limit) {
  if (!(limit > 0.0)) throw NumericError(concat("clip_by_value: expects a limit > 0, got ", limit));
  for (Tensor& g : gradients) {
    if (g.defined()) g = clamp(Var(g), -limit, limit).value();
  }
}

SYNTHDATA_INLINE double clip_by_norm(std::span<Tensor> gradients, double limit) {
  if (!(limit > 0.0)) throw NumericError(concat("clip_by_norm: expects a limit > 0, got ", limit));
  double squared = 0.0;
  Var elsewhere;  // summed there, so that it is waited for once
  for (const Tensor& g : gradients) {
    if (!g.defined()) continue;
    const Var one = sum(square(Var(g)));
    if (g.device().is_cpu()) {
      squared += one.item();
    } else {
      elsewhere = elsewhere.defined() ? elsewhere + one : one;
    }
  }
  if (elsewhere.defined()) squared += elsewhere.item();
  const double total = std::sqrt(squared);
  if (total > limit) {
    for (Tensor& g : gradients) {
      if (g.defined()) g = (Var(g) * (limit / total)).value();
    }
  }
  return total;
}

SYNTHDATA_INLINE void detail::clip_norm(std::span<Tensor> gradients, double limit) {
  const auto first = std::find_if(gradients.begin(), gradients.end(), [](const Tensor& g) { return g.defined(); });
  if (first == gradients.end() || first->device().is_cpu() || !(limit > 0.0)) {
    clip_by_norm(gradients, limit);
    return;
  }
  Var squared;
  for (const Tensor& g : gradients) {
    if (g.defined()) squared = squared.defined() ? squared + sum(square(Var(g))) : sum(square(Var(g)));
  }
  const Var factor = minimum(Var(1.0), limit * rsqrt(squared));
  for (Tensor& g : gradients) {
    if (g.defined()) g = (Var(g) * factor).value();
  }
}

}  // namespace synthdata
