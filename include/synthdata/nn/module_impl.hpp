// synthdata/nn/module_impl.hpp: bodies of nn/module.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

namespace synthdata {

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
    into.buffers[i].buffer->set(from.buffers[i].buffer->value().clone());
  }
}

}  // namespace synthdata
