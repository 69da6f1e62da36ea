// synthdata/ops/pointwise_impl.hpp: bodies of ops/pointwise.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>

namespace synthdata {
namespace detail {

/// A constant of one element on the CPU, whose value can go into a kernel as a number.
inline bool is_scalar_constant(const Var& x) { return x.rank() == 0 && !x.requires_grad() && x.device().is_cpu(); }

/// Gives a scalar constant the dtype of the operand it meets. Of two scalar constants the f64 one yields: it may be a
/// number that Var(1.0) wrapped.
inline Var match_dtype(const Var& x, const Var& other) {
  if (x.dtype() == other.dtype() || !is_scalar_constant(x)) return x;
  if (is_scalar_constant(other) && x.dtype() != DType::f64) return x;
  return Var(x.value().to(other.dtype()));
}

template <class F>
Var comparison(const char* name, const Var& a, const Var& b) {
  return Var(backend::map(name, BinaryValueOf<F>{}, match_dtype(a, b).value(), match_dtype(b, a).value()));
}

/// f(a, b) broadcast, its gradients by the functor's slopes.
template <class F>
Var binary(const char* name, const Var& a0, const Var& b0) {
  const Var a = match_dtype(a0, b0), b = match_dtype(b0, a0);
  Tensor y = backend::map(name, BinaryValueOf<F>{}, a.value(), b.value());
  if (!recording(a, b)) return Var(std::move(y));
  return record(
      name, y,
      [a, b, y](const Var& g, Backward& out) {
        const Var own = out.output(y);
        if (out.needs(0)) out.add(0, sum_to(mul(g, F{}.slope_a(a, b, own)), a.shape()));
        if (out.needs(1)) out.add(1, sum_to(mul(g, F{}.slope_b(a, b, own)), b.shape()));
      },
      a, b);
}

}  // namespace detail

SYNTHDATA_INLINE Var affine(const Var& x, double scale, double shift) {
  Tensor y = backend::map("affine", detail::ValueOf<Affine>{{scale, shift}}, x.value());
  return detail::linear_op("affine", std::move(y), x, [scale](const Var& g) { return affine(g, scale, 0.0); });
}

SYNTHDATA_INLINE Var add(const Var& a0, const Var& b0) {
  if (detail::is_scalar_constant(b0) && a0.rank() > 0) return affine(a0, 1.0, b0.item());
  if (detail::is_scalar_constant(a0) && b0.rank() > 0) return affine(b0, 1.0, a0.item());
  const Var a = detail::match_dtype(a0, b0), b = detail::match_dtype(b0, a0);
  Tensor y = backend::map("add", detail::BinaryValueOf<Add>{}, a.value(), b.value());
  return detail::record(
      "add", std::move(y),
      [sa = a.shape(), sb = b.shape()](const Var& g, Backward& out) {
        if (out.needs(0)) out.add(0, sum_to(g, sa));
        if (out.needs(1)) out.add(1, sum_to(g, sb));
      },
      a, b);
}

SYNTHDATA_INLINE Var sub(const Var& a0, const Var& b0) {
  if (detail::is_scalar_constant(b0) && a0.rank() > 0) return affine(a0, 1.0, -b0.item());
  if (detail::is_scalar_constant(a0) && b0.rank() > 0) return affine(b0, -1.0, a0.item());
  const Var a = detail::match_dtype(a0, b0), b = detail::match_dtype(b0, a0);
  Tensor y = backend::map("sub", detail::BinaryValueOf<Sub>{}, a.value(), b.value());
  return detail::record(
      "sub", std::move(y),
      [sa = a.shape(), sb = b.shape()](const Var& g, Backward& out) {
        if (out.needs(0)) out.add(0, sum_to(g, sa));
        if (out.needs(1)) out.add(1, -sum_to(g, sb));
      },
      a, b);
}

SYNTHDATA_INLINE Var mul(const Var& a, const Var& b) {
  if (detail::is_scalar_constant(b) && a.rank() > 0) return affine(a, b.item(), 0.0);
  if (detail::is_scalar_constant(a) && b.rank() > 0) return affine(b, a.item(), 0.0);
  return detail::binary<Mul>("mul", a, b);
}

SYNTHDATA_INLINE Var div(const Var& a, const Var& b) {
  if (detail::is_scalar_constant(b) && a.rank() > 0) return affine(a, 1.0 / b.item(), 0.0);
  return detail::binary<Div>("div", a, b);
}
SYNTHDATA_INLINE Var operator/(double s, const Var& x) {
  const Var inverse = reciprocal(x);
  return s == 1.0 ? inverse : affine(inverse, s, 0.0);
}

SYNTHDATA_INLINE Var pow(const Var& a, const Var& b) { return detail::binary<Pow>("pow", a, b); }
SYNTHDATA_INLINE Var pow(const Var& x, double exponent) {
  if (exponent == 1.0) return x;
  if (exponent == 2.0) return square(x);
  if (exponent == 0.0) return x * 0.0 + 1.0;  // ends the chain of derivatives before it divides by zero
  return pointwise("pow", PowScalar{exponent}, x);
}
SYNTHDATA_INLINE Var maximum(const Var& a, const Var& b) { return detail::binary<Maximum>("maximum", a, b); }
SYNTHDATA_INLINE Var minimum(const Var& a, const Var& b) { return detail::binary<Minimum>("minimum", a, b); }

SYNTHDATA_INLINE Var operator>(const Var& a, const Var& b) { return detail::comparison<Greater>(">", a, b); }
SYNTHDATA_INLINE Var operator>=(const Var& a, const Var& b) { return detail::comparison<GreaterEqual>(">=", a, b); }
SYNTHDATA_INLINE Var operator<(const Var& a, const Var& b) { return detail::comparison<Less>("<", a, b); }
SYNTHDATA_INLINE Var operator<=(const Var& a, const Var& b) { return detail::comparison<LessEqual>("<=", a, b); }
SYNTHDATA_INLINE Var equal(const Var& a, const Var& b) { return detail::comparison<Equal>("equal", a, b); }
SYNTHDATA_INLINE Var not_equal(const Var& a, const Var& b) { return detail::comparison<NotEqual>("not_equal", a, b); }

SYNTHDATA_INLINE Var where(const Var& condition, const Var& a0, const Var& b0) {
  // two numbers take the dtype of a condition that was computed from the operands
  const bool numbers = detail::is_scalar_constant(a0) && detail::is_scalar_constant(b0) && a0.dtype() == DType::f64 &&
                       b0.dtype() == DType::f64 && is_floating(condition.dtype());
  const Var a = detail::match_dtype(a0, numbers ? condition : b0),
            b = detail::match_dtype(b0, numbers ? condition : a0);
  const Tensor mask = condition.value().to(a.dtype());
  Tensor y = backend::map("where", detail::WhereValue{}, mask, a.value(), b.value());
  return detail::record(
      "where", std::move(y),
      [mask, sa = a.shape(), sb = b.shape()](const Var& g, Backward& out) {
        if (out.needs(0)) out.add(0, sum_to(where(mask, g, Var(0.0)), sa));
        if (out.needs(1)) out.add(1, sum_to(where(mask, Var(0.0), g), sb));
      },
      a, b);
}

SYNTHDATA_INLINE Var exp(const Var& x) { return pointwise("exp", Exp{}, x); }
SYNTHDATA_INLINE Var expm1(const Var& x) { return pointwise("expm1", Expm1{}, x); }
SYNTHDATA_INLINE Var log(const Var& x) { return pointwise("log", Log{}, x); }
SYNTHDATA_INLINE Var log1p(const Var& x) { return pointwise("log1p", Log1p{}, x); }
SYNTHDATA_INLINE Var sqrt(const Var& x) { return pointwise("sqrt", Sqrt{}, x); }
SYNTHDATA_INLINE Var rsqrt(const Var& x) { return pointwise("rsqrt", Rsqrt{}, x); }
SYNTHDATA_INLINE Var square(const Var& x) { return pointwise("square", Square{}, x); }
SYNTHDATA_INLINE Var reciprocal(const Var& x) { return pointwise("reciprocal", Reciprocal{}, x); }
SYNTHDATA_INLINE Var abs(const Var& x) { return pointwise("abs", Abs{}, x); }
SYNTHDATA_INLINE Var sign(const Var& x) { return pointwise("sign", Sign{}, x); }
SYNTHDATA_INLINE Var sin(const Var& x) { return pointwise("sin", Sin{}, x); }
SYNTHDATA_INLINE Var cos(const Var& x) { return pointwise("cos", Cos{}, x); }
SYNTHDATA_INLINE Var erf(const Var& x) { return pointwise("erf", Erf{}, x); }
SYNTHDATA_INLINE Var round(const Var& x) { return pointwise("round", Round{}, x); }
SYNTHDATA_INLINE Var clamp(const Var& x, double low, double high) {
  if (!(low <= high)) throw NumericError(concat("clamp: expects low <= high, got ", low, " and ", high));
  return pointwise("clamp", Clamp{low, high}, x);
}

SYNTHDATA_INLINE Var relu(const Var& x) { return pointwise("relu", Relu{}, x); }
SYNTHDATA_INLINE Var leaky_relu(const Var& x, double negative_slope) {
  if (!(negative_slope >= 0.0)) {
    throw NumericError(concat("leaky_relu: expects a slope >= 0 for negative numbers, got ", negative_slope));
  }
  return pointwise("leaky_relu", LeakyRelu{negative_slope}, x);
}
SYNTHDATA_INLINE Var elu(const Var& x, double alpha) {
  if (!(alpha >= 0.0)) throw NumericError(concat("elu: expects alpha >= 0, got ", alpha));
  return pointwise("elu", Elu{alpha}, x);
}
SYNTHDATA_INLINE Var selu(const Var& x) { return pointwise("selu", Selu{}, x); }
SYNTHDATA_INLINE Var gelu(const Var& x) { return pointwise("gelu", Gelu{}, x); }
SYNTHDATA_INLINE Var silu(const Var& x) { return pointwise("silu", Silu{}, x); }
SYNTHDATA_INLINE Var tanh(const Var& x) { return pointwise("tanh", Tanh{}, x); }
SYNTHDATA_INLINE Var sigmoid(const Var& x) { return pointwise("sigmoid", Sigmoid{}, x); }
SYNTHDATA_INLINE Var softplus(const Var& x) { return pointwise("softplus", Softplus{}, x); }

SYNTHDATA_INLINE Var straight_through(const Var& hard, const Var& soft) {
  if (!(hard.shape() == soft.shape())) {
    throw_shape("straight_through", "shapes differ", {{"hard", hard.value()}, {"soft", soft.value()}});
  }
  return detail::linear_op("straight_through", hard.value(), soft, [](const Var& g) { return g; });
}

}  // namespace synthdata
