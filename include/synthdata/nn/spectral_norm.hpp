// synthdata/nn/spectral_norm.hpp: a layer whose weight is divided by its largest singular value.
//
// Source: Miyato et al. 2018, arXiv:1802.05957. The singular value is estimated by power iteration from vectors that
// are kept between calls, one step with each forward pass in training; gradients flow through it, the vectors held
// fixed.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/ops/activation.hpp>
#include <synthdata/ops/matmul.hpp>

namespace synthdata {

struct SpectralNormOptions {
  int first_steps = 15;    ///< of power iteration when the layer is made
  double epsilon = 1e-12;  ///< smallest norm that a vector is divided by
};

/// A layer that has one weight matrix (or filters, as a matrix with one row for each output) and can run with another.
template <class L>
concept WeightLayer = Module<L> && requires(const L& l, const Var& x) {
  { l.weight() } -> std::convertible_to<const Var&>;
  { l.with_weight(x, x) } -> std::convertible_to<Var>;
  { L::output_axis } -> std::convertible_to<int>;
};

namespace detail {
/// The weight as a matrix with one row (`output_axis` 0) or one column (-1) for each output.
Var weight_matrix(const Var& weight, int output_axis);
/// One step towards the leading singular vectors of m: right = mᵀ left, left = m right, each scaled to length 1.
void power_iteration(const Tensor& m, double epsilon, Tensor& left, Tensor& right);
/// leftᵀ m right, a scalar: the singular value that belongs to the two vectors.
Var singular_value(const Var& m, const Tensor& left, const Tensor& right);
}  // namespace detail

/// Runs `Layer` with weight / sigma(weight): `SpectralNorm{Conv2d(3, 64, 4, rng, {.stride = 2}), rng}`.
/// A training pass sets the kept vectors, so a layer in training belongs to one thread.
template <WeightLayer Layer>
class SpectralNorm {
 public:
  static constexpr const char* kind = "spectral_norm";

  SpectralNorm(Layer layer, Rng& rng, const SpectralNormOptions& options = {})
      : layer_(std::move(layer)), epsilon_(options.epsilon) {
    const NoGrad constants;
    const Tensor m = matrix().value();
    const OnDevice there(m.device());
    Tensor left = normal({m.shape(0), 1}, rng, m.dtype()), right;
    for (int i = 0; i < (options.first_steps > 1 ? options.first_steps : 1); ++i) {
      detail::power_iteration(m, epsilon_, left, right);
    }
    left_ = Buffer(std::move(left));
    right_ = Buffer(std::move(right));
  }

  Var operator()(const Var& x, Context& context) const { return layer_.with_weight(weight(context), x); }
  Var fused(const Var& x, Context& context, const Activation& activation) const {
    return layer_.with_weight(weight(context), x, activation);
  }

  /// The normalised weight. In training one power iteration comes first.
  Var weight(Context& context) const {
    const Var m = matrix();
    if (context.training()) {
      Tensor left = left_.value(), right = right_.value();
      detail::power_iteration(m.value(), epsilon_, left, right);
      left_.set(std::move(left));
      right_.set(std::move(right));
    }
    return layer_.weight() / detail::singular_value(m, left_.value(), right_.value());
  }

  const Layer& layer() const { return layer_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("layer", self.layer_);
    v("left", self.left_);
    v("right", self.right_);
  }

 private:
  Var matrix() const { return detail::weight_matrix(layer_.weight(), Layer::output_axis); }

  Layer layer_;
  Buffer left_, right_;
  double epsilon_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/spectral_norm_impl.hpp>
#endif
