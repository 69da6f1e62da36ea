// synthdata/nn/module_impl.hpp: bodies of nn/module.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

namespace synthdata {

SYNTHDATA_INLINE Rng& Context::random(const char* layer) const {
  if (!rng) [[unlikely]]
    throw Error(concat(layer, ": needs random numbers, but the context has no Rng"));
  return *rng;
}

SYNTHDATA_INLINE void Param::assign(const Tensor& value) {
  if (!(value.shape() == shape())) throw_shape("Param::assign", "shapes differ", {{"has", value_}, {"got", value}});
  if (value.dtype() != dtype()) throw DTypeError(concat("Param::assign: has ", value_.str(), ", got ", value.str()));
  if (!device().is_cpu() && value_.unique()) {  // a captured training step finds it at the same address
    value_.copy_elements(value);
  } else {
    value_ = value.to(device());
  }
}

SYNTHDATA_INLINE std::string detail::joined(const std::string& outer, const std::string& inner) {
  return outer.empty() ? inner : concat(outer, ".", inner);
}

SYNTHDATA_INLINE void detail::StateCollector::parameter(const std::string& path, Param& p) {
  state.parameters.push_back({path, &p});
}
SYNTHDATA_INLINE void detail::StateCollector::buffer(const std::string& path, Buffer& b) {
  state.buffers.push_back({path, &b});
}

SYNTHDATA_INLINE std::vector<Var> detail::variables(const ModuleState& state) {
  std::vector<Var> vars;
  vars.reserve(state.parameters.size());
  for (const NamedParam& p : state.parameters) vars.push_back(*p.param);
  return vars;
}

SYNTHDATA_INLINE std::int64_t detail::count_values(const ModuleState& state) {
  std::int64_t count = 0;
  for (const NamedParam& p : state.parameters) count += p.param->size();
  return count;
}

SYNTHDATA_INLINE void detail::note_layer(std::vector<TraceEntry>& trace, std::size_t first, const std::string& name,
                                         const Var& output, std::int64_t parameters, bool container) {
  const bool has_inner = trace.size() > first;
  for (std::size_t i = first; i < trace.size(); ++i) {
    trace[i].layer = name + "." + trace[i].layer;
    parameters -= trace[i].parameters;
  }
  if (!(has_inner && container)) trace.push_back({name, output.shape(), parameters, output.value().size_bytes()});
}

SYNTHDATA_INLINE void copy_state(const ModuleState& from, const ModuleState& into) {
  if (from.parameters.size() != into.parameters.size() || from.buffers.size() != into.buffers.size()) {
    throw ShapeError(concat("copy_state: ", from.parameters.size(), " parameters and ", from.buffers.size(),
                            " buffers cannot be copied into ", into.parameters.size(), " and ", into.buffers.size()));
  }
  for (std::size_t i = 0; i < from.parameters.size(); ++i) {
    into.parameters[i].param->assign(from.parameters[i].param->value().clone());
  }
  for (std::size_t i = 0; i < from.buffers.size(); ++i) {
    into.buffers[i].buffer->assign(from.buffers[i].buffer->value());
  }
}

SYNTHDATA_INLINE void move_state(const ModuleState& state, Device device) {
  for (const NamedParam& p : state.parameters) *p.param = Param(p.param->value().to(device));
  for (const NamedBuffer& b : state.buffers) *b.buffer = Buffer(b.buffer->value().to(device));
}

SYNTHDATA_INLINE Device device_of(const ModuleState& state) {
  if (!state.parameters.empty()) return state.parameters[0].param->device();
  return state.buffers.empty() ? current_device() : state.buffers[0].buffer->value().device();
}

}  // namespace synthdata
