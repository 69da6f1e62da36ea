// synthdata/models/mlp_impl.hpp: bodies of models/mlp.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/models/mlp.hpp>

namespace synthdata::models {

SYNTHDATA_INLINE Mlp::Mlp(std::span<const std::int64_t> widths, Rng& rng, const MlpOptions& options)
    : options_(options) {
  if (widths.size() < 2) throw ShapeError(concat("mlp: expects at least two widths, got ", widths.size()));
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    layers_.emplace_back(widths[i], widths[i + 1], rng,
                         LinearOptions{.init = options.init, .bias_init = options.bias_init});
  }
}

SYNTHDATA_INLINE Var Mlp::operator()(const Var& x, Context& context) const {
  Var y = x;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    y = layers_[i].fused(y, context, i + 1 < layers_.size() ? options_.activation : options_.output);
  }
  return y;
}

SYNTHDATA_INLINE Mlp mlp(std::initializer_list<std::int64_t> widths, Rng& rng, const MlpOptions& options) {
  return Mlp(std::span(widths.begin(), widths.size()), rng, options);
}

}  // namespace synthdata::models
