// synthdata/optim/ema_impl.hpp: bodies of optim/ema.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/optim/ema.hpp>

namespace synthdata {
namespace detail {

inline void move_towards(Tensor& average, const Tensor& live, double share) {
  if (!(average.shape() == live.shape())) throw_shape("Ema", "shapes differ", {{"average", average}, {"live", live}});
  visit_floating(average.dtype(), "Ema", [&]<class T>() {
    backend::detail::map_into<T, Towards, 2>("Ema", {share}, average, {&average, &live});
  });
}

}  // namespace detail

SYNTHDATA_INLINE Ema::Ema(double decay) : decay_(decay) {
  if (!(decay >= 0.0 && decay < 1.0)) throw NumericError(concat("Ema: expects a decay in [0, 1), got ", decay));
}

SYNTHDATA_INLINE void Ema::update(const ModuleState& average, const ModuleState& live) {
  if (average.parameters.size() != live.parameters.size() || average.buffers.size() != live.buffers.size()) {
    throw ShapeError("Ema: the average and the live net have different structures");
  }
  const double early = (1.0 + static_cast<double>(updates_)) / (10.0 + static_cast<double>(updates_));
  const double share = 1.0 - (early < decay_ ? early : decay_);
  ++updates_;
  for (std::size_t i = 0; i < average.parameters.size(); ++i) {
    detail::move_towards(average.parameters[i].param->mutable_value(), live.parameters[i].param->value(), share);
  }
  for (std::size_t i = 0; i < average.buffers.size(); ++i) {
    Tensor next = average.buffers[i].buffer->value().clone();
    detail::move_towards(next, live.buffers[i].buffer->value(), share);
    average.buffers[i].buffer->set(std::move(next));
  }
}

}  // namespace synthdata
