// synthdata/nn/any_module_impl.hpp: bodies of nn/any_module.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/any_module.hpp>

namespace synthdata {

SYNTHDATA_INLINE Var AnyModule::operator()(const Var& x, Context& context) const {
  if (!box_) throw Error("AnyModule: holds no module");
  return box_->run(x, context);
}

SYNTHDATA_INLINE void ModuleList::push_back(AnyModule module) { modules_.push_back(std::move(module)); }

SYNTHDATA_INLINE Var ModuleList::operator()(const Var& x, Context& context) const {
  Var y = x;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    const std::size_t noted = context.trace ? context.trace->size() : 0;
    try {
      y = modules_[i](y, context);
      if (context.trace) {
        AnyModule copy = modules_[i];
        detail::note_layer(*context.trace, noted, concat(i, " ", copy.held_kind()), y, parameter_count(copy), true);
      }
    } catch (Error& e) {
      e.add_context(std::to_string(i));
      throw;
    }
  }
  return y;
}

}  // namespace synthdata
