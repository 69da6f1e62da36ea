// synthdata/ops/pointwise.hpp: pointwise operations with broadcasting, and their gradients.
//
// Any functor with `value` and `slope` (functor/unary.hpp) becomes a differentiable operation by pointwise(f, x).
// Operands broadcast as in NumPy; a scalar constant takes the dtype of the other operand.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>
#include <synthdata/backend/elementwise.hpp>
#include <synthdata/functor/activation.hpp>
#include <synthdata/functor/binary.hpp>
#include <synthdata/functor/fused.hpp>

namespace synthdata {

// Arithmetic. @throws ShapeError if the shapes do not broadcast, DTypeError if the dtypes differ.
Var add(const Var& a, const Var& b);
Var sub(const Var& a, const Var& b);
Var mul(const Var& a, const Var& b);
Var div(const Var& a, const Var& b);
/// a^b. A negative base needs a whole exponent.
Var pow(const Var& a, const Var& b);
Var pow(const Var& x, double exponent);
/// The larger or smaller of two; a tie gives each half of the slope.
Var maximum(const Var& a, const Var& b);
Var minimum(const Var& a, const Var& b);
/// scale x + shift
Var affine(const Var& x, double scale, double shift);

inline Var operator+(const Var& a, const Var& b) { return add(a, b); }
inline Var operator-(const Var& a, const Var& b) { return sub(a, b); }
inline Var operator*(const Var& a, const Var& b) { return mul(a, b); }
inline Var operator/(const Var& a, const Var& b) { return div(a, b); }
inline Var operator+(const Var& x, double s) { return affine(x, 1.0, s); }
inline Var operator+(double s, const Var& x) { return affine(x, 1.0, s); }
inline Var operator-(const Var& x, double s) { return affine(x, 1.0, -s); }
inline Var operator-(double s, const Var& x) { return affine(x, -1.0, s); }
inline Var operator*(const Var& x, double s) { return affine(x, s, 0.0); }
inline Var operator*(double s, const Var& x) { return affine(x, s, 0.0); }
inline Var operator/(const Var& x, double s) { return affine(x, 1.0 / s, 0.0); }
Var operator/(double s, const Var& x);
inline Var operator-(const Var& x) { return affine(x, -1.0, 0.0); }

// Comparisons: 1 or 0 in the operands' dtype, constants.
Var operator>(const Var& a, const Var& b);
Var operator>=(const Var& a, const Var& b);
Var operator<(const Var& a, const Var& b);
Var operator<=(const Var& a, const Var& b);
Var equal(const Var& a, const Var& b);
Var not_equal(const Var& a, const Var& b);

/// condition != 0 ? a : b, broadcast. No gradient flows into the condition.
Var where(const Var& condition, const Var& a, const Var& b);

Var exp(const Var& x);
Var expm1(const Var& x);
/// Natural logarithm.
Var log(const Var& x);
Var log1p(const Var& x);
Var sqrt(const Var& x);
Var rsqrt(const Var& x);
Var square(const Var& x);
Var reciprocal(const Var& x);
/// |x|; slope 0 at 0.
Var abs(const Var& x);
/// -1, 0 or 1; slope 0.
Var sign(const Var& x);
Var sin(const Var& x);
Var cos(const Var& x);
Var erf(const Var& x);
/// Nearest whole number, ties to even; slope 0 (see straight_through).
Var round(const Var& x);
/// Limits x to [low, high]; slope 1 inside, 0 outside. @throws NumericError unless low <= high.
Var clamp(const Var& x, double low, double high);

Var relu(const Var& x);
/// x for x > 0, else negative_slope x. @throws NumericError for a negative slope below 0.
Var leaky_relu(const Var& x, double negative_slope = 0.2);
Var elu(const Var& x, double alpha = 1.0);
Var selu(const Var& x);
/// x times the normal distribution function of x (exact, by erf).
Var gelu(const Var& x);
/// x sigmoid(x)
Var silu(const Var& x);
Var tanh(const Var& x);
Var sigmoid(const Var& x);
/// log(1 + e^x)
Var softplus(const Var& x);

/// The value of `hard` with the gradient of `soft`: straight-through estimator.
/// Source: Bengio et al. 2013, arXiv:1308.3432. @throws ShapeError if the shapes differ.
Var straight_through(const Var& hard, const Var& soft);

// The names that functors call; found by argument-dependent lookup when their text runs on graph variables.
inline Var max(const Var& a, const Var& b) { return maximum(a, b); }
inline Var min(const Var& a, const Var& b) { return minimum(a, b); }
inline Var select(const Var& mask, const Var& a, const Var& b) { return where(mask, a, b); }

/// f(x) for every element, differentiable to any order: `slope` is a kernel for the first derivative and is run on
/// graph variables when the gradient itself is recorded.
template <class F>
Var pointwise(const char* name, const F& f, const Var& x) {
  Tensor y = backend::map(name, detail::ValueOf<F>{f}, x.value());
  if (!detail::recording(x)) return Var(std::move(y));
  if constexpr (F::keep == Keep::input) {
    return detail::record(
        name, std::move(y),
        [f, x, name](const Var& g, Backward& out) {
          out.add(0, grad_enabled() ? mul(g, f.slope(x, x))
                                    : Var(backend::map(name, detail::SlopeTimes<F>{f}, g.value(), x.value())));
        },
        x);
  } else if constexpr (F::keep == Keep::output) {
    return detail::record(
        name, y,
        [f, y, name](const Var& g, Backward& out) {
          const Var own = out.output(y);
          out.add(0, grad_enabled() ? mul(g, f.slope(own, own))
                                    : Var(backend::map(name, detail::SlopeTimes<F>{f}, g.value(), y)));
        },
        x);
  } else {
    return detail::record(
        name, std::move(y), [f](const Var& g, Backward& out) { out.add(0, mul(g, f.slope(g, g))); }, x);
  }
}
template <class F>
Var pointwise(const F& f, const Var& x) {
  return pointwise("pointwise", f, x);
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/pointwise_impl.hpp>
#endif
