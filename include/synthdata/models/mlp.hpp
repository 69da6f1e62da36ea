// synthdata/models/mlp.hpp: fully connected nets of any depth.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/linear.hpp>

namespace synthdata::models {

struct MlpOptions {
  Activation activation = fused::relu;  ///< after every layer but the last
  Activation output = fused::none;      ///< after the last layer
  Initializer init = init::fan_in_uniform;
  Initializer bias_init = init::fan_in_uniform;
};

/// Linear layers with an activation between them.   [N, widths.front()] -> [N, widths.back()]
class Mlp {
 public:
  static constexpr const char* kind = "mlp";

  /// @throws ShapeError for fewer than two widths.
  Mlp(std::span<const std::int64_t> widths, Rng& rng, const MlpOptions& options = {}) : options_(options) {
    if (widths.size() < 2) throw ShapeError(concat("mlp: expects at least two widths, got ", widths.size()));
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      layers_.emplace_back(widths[i], widths[i + 1], rng,
                           LinearOptions{.init = options.init, .bias_init = options.bias_init});
    }
  }

  Var operator()(const Var& x, Context& context) const {
    Var y = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      y = layers_[i].fused(y, context, i + 1 < layers_.size() ? options_.activation : options_.output);
    }
    return y;
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    for (std::size_t i = 0; i < self.layers_.size(); ++i) v(concat("linear", i), self.layers_[i]);
  }

 private:
  std::vector<Linear> layers_;
  MlpOptions options_;
};
static_assert(Module<Mlp>);

/// mlp({2, 128, 128, 2}, rng)
inline Mlp mlp(std::initializer_list<std::int64_t> widths, Rng& rng, const MlpOptions& options = {}) {
  return Mlp(std::span(widths.begin(), widths.size()), rng, options);
}

}  // namespace synthdata::models
