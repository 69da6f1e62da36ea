// synthdata/nn/conv.hpp: convolution layers in one, two and three dimensions, and their transposes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/init.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/ops/conv.hpp>

namespace synthdata {

struct ConvLayerOptions {
  Extents stride = 1;
  Extents padding = 0;
  Extents dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  Initializer init = init::fan_in_uniform;
  Initializer bias_init = init::fan_in_uniform;
};

struct ConvTransposeLayerOptions {
  Extents stride = 1;
  Extents padding = 0;
  Extents output_padding = 0;
  Extents dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  Initializer init = init::fan_in_uniform;
  Initializer bias_init = init::fan_in_uniform;
};

namespace detail {
/// [first, kernel..., last]. @throws ShapeError if the groups do not divide `last`.
Shape filter_shape(const char* layer, int rank, std::int64_t first, const Extents& kernel, std::int64_t last,
                   std::int64_t groups);
}  // namespace detail

/// Convolution over `Rank` spatial axes.   x [N, spatial..., in] -> [N, spatial'..., out]; see conv().
template <int Rank>
class Conv {
 public:
  static constexpr const char* kind = "conv";

  Conv(std::int64_t in, std::int64_t out, const Extents& kernel, Rng& rng, const ConvLayerOptions& o = {})
      : options_{o.stride, o.padding, o.dilation, o.groups, {}} {
    const Shape shape = detail::filter_shape("Conv", Rank, out, kernel, in, o.groups);
    const std::int64_t taps = shape.size() / (shape[0] ? shape[0] : 1);
    weight_ = Param(o.init(shape, taps, taps / (in / o.groups) * (out / o.groups), rng));
    if (o.bias) bias_ = Param(o.bias_init({out}, taps, out, rng));
  }

  Var operator()(const Var& x) const { return with_weight(weight_, x); }
  Var fused(const Var& x, Context&, const Activation& activation) const { return with_weight(weight_, x, activation); }

  /// The layer run with another weight of the same shape in place of its own, such as a normalised one.
  Var with_weight(const Var& weight, const Var& x, const Activation& activation = {}) const {
    detail::check_conv_rank("conv", x, Rank);
    ConvOptions o = options_;
    o.activation = activation;
    return conv(x, weight, bias_, o);
  }
  static constexpr int output_axis = 0;  ///< of the weight

  const Param& weight() const { return weight_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("weight", self.weight_);
    v("bias", self.bias_);
  }

 private:
  ConvOptions options_;
  Param weight_, bias_;
};

/// Transposed convolution over `Rank` spatial axes; see conv_transpose().
template <int Rank>
class ConvTranspose {
 public:
  static constexpr const char* kind = "conv_transpose";

  ConvTranspose(std::int64_t in, std::int64_t out, const Extents& kernel, Rng& rng,
                const ConvTransposeLayerOptions& o = {})
      : options_{o.stride, o.padding, o.output_padding, o.dilation, o.groups, {}} {
    const Shape shape = detail::filter_shape("ConvTranspose", Rank, in, kernel, out, o.groups);
    const std::int64_t taps = shape.size() / (shape[0] ? shape[0] : 1);
    weight_ = Param(o.init(shape, taps / (out / o.groups) * (in / o.groups), taps, rng));
    if (o.bias) bias_ = Param(o.bias_init({out}, taps, out, rng));
  }

  Var operator()(const Var& x) const { return with_weight(weight_, x); }
  Var fused(const Var& x, Context&, const Activation& activation) const { return with_weight(weight_, x, activation); }

  /// The layer run with another weight of the same shape in place of its own, such as a normalised one.
  Var with_weight(const Var& weight, const Var& x, const Activation& activation = {}) const {
    detail::check_conv_rank("conv_transpose", x, Rank);
    ConvTransposeOptions o = options_;
    o.activation = activation;
    return conv_transpose(x, weight, bias_, o);
  }
  static constexpr int output_axis = -1;  ///< of the weight

  const Param& weight() const { return weight_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("weight", self.weight_);
    v("bias", self.bias_);
  }

 private:
  ConvTransposeOptions options_;
  Param weight_, bias_;
};

using Conv1d = Conv<1>;
using Conv2d = Conv<2>;
using Conv3d = Conv<3>;
using ConvTranspose1d = ConvTranspose<1>;
using ConvTranspose2d = ConvTranspose<2>;
using ConvTranspose3d = ConvTranspose<3>;

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/conv_impl.hpp>
#endif
