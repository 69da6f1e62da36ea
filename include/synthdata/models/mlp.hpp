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
  Mlp(std::span<const std::int64_t> widths, Rng& rng, const MlpOptions& options = {});

  Var operator()(const Var& x, Context& context) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    for (std::size_t i = 0; i < self.layers_.size(); ++i) v(concat("linear", i), self.layers_[i]);
  }

 private:
  std::vector<Linear> layers_;
  MlpOptions options_;
};

/// mlp({2, 128, 128, 2}, rng)
Mlp mlp(std::initializer_list<std::int64_t> widths, Rng& rng, const MlpOptions& options = {});

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/models/mlp_impl.hpp>
#endif
