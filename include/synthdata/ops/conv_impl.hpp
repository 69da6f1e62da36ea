// synthdata/ops/conv_impl.hpp: bodies of ops/conv.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/conv.hpp>
#include <synthdata/backend/device_kernels.hpp>
#include <synthdata/ops/conv.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

namespace detail {

using Geometry = backend::cpu::ConvGeometry;

inline Shape image_shape(int rank, std::int64_t n, const std::int64_t (&spatial)[3], std::int64_t channels) {
  Shape s{n};
  for (int i = 3 - rank; i < 3; ++i) s.push_back(spatial[i]);
  s.push_back(channels);
  return s;
}

/// A convolution's geometry with the spatial rank of its tensors (the kernels always see three axes).
struct ConvPlan {
  Geometry geometry;
  int rank;

  Shape x_shape() const { return image_shape(rank, geometry.batch, geometry.in, geometry.in_channels); }
  Shape y_shape() const { return image_shape(rank, geometry.batch, geometry.out, geometry.out_channels); }
  Shape w_shape() const {
    return image_shape(rank, geometry.out_channels, geometry.kernel, geometry.in_channels / geometry.groups);
  }
};

Var conv_forward(const ConvPlan& plan, const Var& x, const Var& w, const Var& bias, const Activation& act);
Var conv_input_grad(const ConvPlan& plan, const Var& gy, const Var& w, const Var& bias, const Activation& act);
Var conv_weight_grad(const ConvPlan& plan, const Var& x, const Var& gy);

inline backend::ConvCall conv_call(const ConvPlan& plan, const Activation& act) {
  return {plan.geometry, act.kind, act.negative_slope, product_precision()};
}

inline Var bias_gradient(const Var& g) { return reshape(sum_to(g, Shape{g.shape(-1)}), Shape{g.shape(-1)}); }

SYNTHDATA_INLINE Var conv_forward(const ConvPlan& plan, const Var& x, const Var& w, const Var& bias,
                                  const Activation& act) {
  backend::detail::check_devices("conv", x.value(), w.value());
  Tensor y = x.value().empty_like(plan.y_shape());
  visit_floating(x.dtype(), "conv", [&]<class T>() {
    if (!x.device().is_cpu()) {
      return backend::device_kernels().conv_forward(conv_call(plan, act), x.value(), w.value(), bias.value(), y);
    }
    backend::cpu::conv_forward(plan.geometry, x.value().data<T>(), w.value().data<T>(), y.data<T>(),
                               epilogue<T>(act, bias.value()), product_precision());
  });
  if (!recording(x, w, bias)) return Var(std::move(y));
  return record(
      "conv", y,
      [plan, x, w, y, act, precision = product_precision()](const Var& g, Backward& out) {
        const ProductPrecision same(precision);
        const Var before = through_activation(act, g, out.output(y));
        if (out.needs(0)) out.add(0, conv_input_grad(plan, before, w, {}, {}));
        if (out.needs(1)) out.add(1, conv_weight_grad(plan, x, before));
        if (out.needs(2)) out.add(2, bias_gradient(before));
      },
      x, w, bias);
}

SYNTHDATA_INLINE Var conv_input_grad(const ConvPlan& plan, const Var& gy, const Var& w, const Var& bias,
                                     const Activation& act) {
  backend::detail::check_devices("conv_transpose", gy.value(), w.value());
  Tensor gx = gy.value().empty_like(plan.x_shape());
  visit_floating(gy.dtype(), "conv_transpose", [&]<class T>() {
    if (!gy.device().is_cpu()) {
      return backend::device_kernels().conv_input_grad(conv_call(plan, act), gy.value(), w.value(), bias.value(), gx);
    }
    backend::cpu::conv_input_grad(plan.geometry, gy.value().data<T>(), w.value().data<T>(), gx.data<T>(),
                                  epilogue<T>(act, bias.value()), product_precision());
  });
  if (!recording(gy, w, bias)) return Var(std::move(gx));
  return record(
      "conv_transpose", gx,
      [plan, gy, w, gx, act, precision = product_precision()](const Var& g, Backward& out) {
        const ProductPrecision same(precision);
        const Var before = through_activation(act, g, out.output(gx));
        if (out.needs(0)) out.add(0, conv_forward(plan, before, w, {}, {}));
        if (out.needs(1)) out.add(1, conv_weight_grad(plan, before, gy));
        if (out.needs(2)) out.add(2, bias_gradient(before));
      },
      gy, w, bias);
}

SYNTHDATA_INLINE Var conv_weight_grad(const ConvPlan& plan, const Var& x, const Var& gy) {
  backend::detail::check_devices("conv_weight_grad", x.value(), gy.value());
  Tensor gw = x.value().empty_like(plan.w_shape());
  visit_floating(x.dtype(), "conv_weight_grad", [&]<class T>() {
    if (!x.device().is_cpu()) {
      return backend::device_kernels().conv_weight_grad(conv_call(plan, {}), x.value(), gy.value(), gw);
    }
    backend::cpu::conv_weight_grad(plan.geometry, x.value().data<T>(), gy.value().data<T>(), gw.data<T>(),
                                   product_precision());
  });
  return record(
      "conv_weight_grad", std::move(gw),
      [plan, x, gy, precision = product_precision()](const Var& g, Backward& out) {
        const ProductPrecision same(precision);
        if (out.needs(0)) out.add(0, conv_input_grad(plan, gy, g, {}, {}));
        if (out.needs(1)) out.add(1, conv_forward(plan, x, g, {}, {}));
      },
      x, gy);
}

/// Checks what both operations share: ranks, dtypes, groups, the filter's own channels, and the numbers' signs.
template <class Options>
void check_convolution(const char* op, const Var& x, const Var& w, const Var& bias, const Options& o,
                       std::int64_t w_channels, std::int64_t out_channels) {
  if (x.dtype() != w.dtype()) backend::detail::throw_dtypes(op, x.value(), w.value());
  if (x.rank() < 3 || x.rank() > 5 || w.rank() != x.rank()) {
    throw_shape(op, "input and weight need one to three spatial axes, the same for both",
                {{"input", x.value()}, {"weight", w.value()}});
  }
  if (w_channels != x.shape(-1)) [[unlikely]] {
    throw_shape(op, concat("weight expects ", w_channels, " input channels, input has ", x.shape(-1)),
                {{"input", x.value()}, {"weight", w.value()}});
  }
  if (o.groups < 1 || x.shape(-1) % o.groups != 0 || out_channels % o.groups != 0) {
    throw_shape(op, concat(o.groups, " groups do not divide ", x.shape(-1), " and ", out_channels, " channels"),
                {{"input", x.value()}, {"weight", w.value()}});
  }
  if (bias.defined() && !(bias.shape() == Shape{out_channels})) {
    throw_shape(op, "bias expects one value for each output channel", {{"weight", w.value()}, {"bias", bias.value()}});
  }
  const int rank = x.rank() - 2;
  for (int i = 0; i < rank; ++i) {
    if (o.stride.at(i, rank) < 1 || o.dilation.at(i, rank) < 1 || o.padding.at(i, rank) < 0) {
      throw ShapeError(concat(op, ": stride and dilation must be at least 1, padding at least 0"));
    }
    if (w.shape(1 + i) < 1) throw_shape(op, "the filter has no taps", {{"weight", w.value()}});
  }
}

template <class Options>
ConvPlan plan_of(const Var& x, const Var& w, const Options& o) {
  ConvPlan plan{{x.shape(0), {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, 0, 0, o.groups},
                x.rank() - 2};
  for (int i = 0; i < plan.rank; ++i) {
    const int axis = 3 - plan.rank + i;
    plan.geometry.kernel[axis] = w.shape(1 + i);
    plan.geometry.stride[axis] = o.stride.at(i, plan.rank);
    plan.geometry.pad[axis] = o.padding.at(i, plan.rank);
    plan.geometry.dilation[axis] = o.dilation.at(i, plan.rank);
  }
  return plan;
}

SYNTHDATA_INLINE void check_conv_rank(const char* op, const Var& x, int rank) {
  if (x.rank() != rank + 2) {
    throw_shape(op, concat("expects [N, ", rank, " spatial axes, C]"), {{"input", x.value()}});
  }
}

}  // namespace detail

SYNTHDATA_INLINE Var conv(const Var& x, const Var& weight, const Var& bias, const ConvOptions& o) {
  const std::int64_t in_channels = weight.rank() ? weight.shape(-1) * o.groups : 0;
  const std::int64_t out_channels = weight.rank() ? weight.shape(0) : 0;
  detail::check_convolution("conv", x, weight, bias, o, in_channels, out_channels);
  detail::ConvPlan plan = detail::plan_of(x, weight, o);
  detail::Geometry& g = plan.geometry;
  g.in_channels = in_channels;
  g.out_channels = out_channels;
  for (int i = 0; i < plan.rank; ++i) {
    const int axis = 3 - plan.rank + i;
    g.in[axis] = x.shape(1 + i);
    const std::int64_t reach = g.dilation[axis] * (g.kernel[axis] - 1) + 1;
    if (g.in[axis] + 2 * g.pad[axis] < reach) {
      throw_shape("conv", concat("a filter that reaches ", reach, " does not fit ", g.in[axis], " + 2 x ", g.pad[axis]),
                  {{"input", x.value()}, {"weight", weight.value()}});
    }
    g.out[axis] = (g.in[axis] + 2 * g.pad[axis] - reach) / g.stride[axis] + 1;
  }
  return detail::conv_forward(plan, x, weight, bias, o.activation);
}

SYNTHDATA_INLINE Var conv_transpose(const Var& x, const Var& weight, const Var& bias, const ConvTransposeOptions& o) {
  const std::int64_t in_channels = weight.rank() ? weight.shape(0) : 0;
  const std::int64_t out_channels = weight.rank() ? weight.shape(-1) * o.groups : 0;
  detail::check_convolution("conv_transpose", x, weight, bias, o, in_channels, out_channels);
  detail::ConvPlan plan = detail::plan_of(x, weight, o);
  detail::Geometry& g = plan.geometry;  // of the convolution this is the adjoint of: our input is its output
  g.in_channels = out_channels;
  g.out_channels = in_channels;
  for (int i = 0; i < plan.rank; ++i) {
    const int axis = 3 - plan.rank + i;
    const std::int64_t extra = o.output_padding.at(i, plan.rank);
    g.out[axis] = x.shape(1 + i);
    if (extra < 0 || (extra >= g.stride[axis] && extra >= g.dilation[axis])) {
      throw ShapeError(concat("conv_transpose: output_padding must be smaller than stride or dilation, got ", extra,
                              " with stride ", g.stride[axis], " and dilation ", g.dilation[axis]));
    }
    g.in[axis] =
        (g.out[axis] - 1) * g.stride[axis] - 2 * g.pad[axis] + g.dilation[axis] * (g.kernel[axis] - 1) + 1 + extra;
    if (g.in[axis] < 1) {
      throw_shape("conv_transpose", concat("the result would have ", g.in[axis], " positions along a spatial axis"),
                  {{"input", x.value()}, {"weight", weight.value()}});
    }
  }
  return detail::conv_input_grad(plan, x, weight, bias, o.activation);
}

SYNTHDATA_INLINE Var conv1d(const Var& x, const Var& weight, const Var& bias, const ConvOptions& o) {
  detail::check_conv_rank("conv1d", x, 1);
  return conv(x, weight, bias, o);
}
SYNTHDATA_INLINE Var conv2d(const Var& x, const Var& weight, const Var& bias, const ConvOptions& o) {
  detail::check_conv_rank("conv2d", x, 2);
  return conv(x, weight, bias, o);
}
SYNTHDATA_INLINE Var conv3d(const Var& x, const Var& weight, const Var& bias, const ConvOptions& o) {
  detail::check_conv_rank("conv3d", x, 3);
  return conv(x, weight, bias, o);
}
SYNTHDATA_INLINE Var conv_transpose1d(const Var& x, const Var& w, const Var& bias, const ConvTransposeOptions& o) {
  detail::check_conv_rank("conv_transpose1d", x, 1);
  return conv_transpose(x, w, bias, o);
}
SYNTHDATA_INLINE Var conv_transpose2d(const Var& x, const Var& w, const Var& bias, const ConvTransposeOptions& o) {
  detail::check_conv_rank("conv_transpose2d", x, 2);
  return conv_transpose(x, w, bias, o);
}
SYNTHDATA_INLINE Var conv_transpose3d(const Var& x, const Var& w, const Var& bias, const ConvTransposeOptions& o) {
  detail::check_conv_rank("conv_transpose3d", x, 3);
  return conv_transpose(x, w, bias, o);
}

}  // namespace synthdata
