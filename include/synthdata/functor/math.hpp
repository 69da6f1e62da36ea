// synthdata/functor/math.hpp: the elementary functions that functors are written with.
//
// The float versions have no branches and no table, so the compiler vectorises a loop around them for whatever
// instruction set the kernel was compiled for; errors are below 3 units in the last place unless a line says
// otherwise. The double versions are the standard library's: they serve gradient checks. They are called by their
// builtin names, because <cmath> would cost every program that includes the library 80 ms. Functors call all of them
// unqualified after `using math::exp;`, so that the same text also runs on graph variables.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <bit>
#include <cstdint>

namespace synthdata::math {

/// mask ? a : b, both computed. Written on the bits: g++ turns a conditional expression into a jump around the
/// arithmetic of its cheaper side, and then cannot vectorise the loop.
SYNTHDATA_HD float select(bool mask, float a, float b) {
  const std::uint32_t m = 0u - static_cast<std::uint32_t>(mask);
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(a) & m) | (std::bit_cast<std::uint32_t>(b) & ~m));
}
SYNTHDATA_HD double select(bool mask, double a, double b) { return mask ? a : b; }

/// Of two numbers the larger or smaller; NaN if either is.
template <class T>
SYNTHDATA_HD T max(T a, T b) {
  const T m = select(a > b, a, b);
  return select(a == a, m, a);  // NOLINT(misc-redundant-expression): false for NaN
}
template <class T>
SYNTHDATA_HD T min(T a, T b) {
  const T m = select(a < b, a, b);
  return select(a == a, m, a);  // NOLINT(misc-redundant-expression): false for NaN
}

SYNTHDATA_HD float abs(float x) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFu); }
SYNTHDATA_HD double abs(double x) { return __builtin_fabs(x); }
/// The magnitude of x with the sign of y.
SYNTHDATA_HD float copysign(float x, float y) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFu) |
                              (std::bit_cast<std::uint32_t>(y) & 0x80000000u));
}
/// Square root, at most 1 unit in the last place off, with fused multiply-add nearly always the nearest float. Not the
/// builtin: without -fno-math-errno compilers keep a call for negative arguments beside it, and the loop stays scalar.
SYNTHDATA_HD float sqrt(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float scaled = x * select(tiny, 16777216.0f, 1.0f);  // a denormal has no exponent to halve
  // 1 / sqrt(scaled) from the halved exponent, error 6.5e-4 after a tuned Newton step and 7e-7 after a plain one.
  float inverse = std::bit_cast<float>(0x5F1FFFF9u - (std::bit_cast<std::uint32_t>(scaled) >> 1));
  inverse *= 0.703952253f * (2.38924456f - scaled * inverse * inverse);
  inverse *= 1.5f - 0.5f * scaled * inverse * inverse;
  const float near = scaled * inverse;
  const float root = (near + 0.5f * inverse * (scaled - near * near)) * select(tiny, 2.44140625e-4f, 1.0f);
  const bool regular = (x > 0.0f) & (x < __builtin_inff());
  return select(regular, root, select(x < 0.0f, __builtin_nanf(""), x));  // zeros, infinity and NaN pass
}
SYNTHDATA_HD double sqrt(double x) { return __builtin_sqrt(x); }

namespace detail {
/// p(x) = c0 + c1 x + ... by Horner's rule.
template <class T>
SYNTHDATA_HD T horner(T, T c0) {
  return c0;
}
template <class T, class... C>
SYNTHDATA_HD T horner(T x, T c0, C... rest) {
  return c0 + x * horner(x, rest...);
}
/// 2^n for -126 <= n <= 127.
SYNTHDATA_HD float power_of_two(std::int32_t n) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(n + 127) << 23);
}
/// sin(2 pi a) for |a| <= 1/4, error 2e-7.
SYNTHDATA_HD float sin_quarter(float a) {
  return a * horner(a * a, 6.28318548f, -41.3417015f, 81.6052246f, -76.7042847f, 42.0098038f, -14.3941326f);
}
}  // namespace detail

/// e^x: 0 below -104, infinity above 88.7, gradual underflow between.
SYNTHDATA_HD float exp(float x) {
  const float clamped = select(x < -104.0f, -104.0f, select(x > 89.0f, 89.0f, x));  // NaN passes
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits: no conversion, hence no NaN trap.
  const float shifted = clamped * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const std::int32_t exponent =  // ten bits, the highest of them the sign
      static_cast<std::int32_t>((std::bit_cast<std::uint32_t>(shifted) & 0x3FFu) ^ 0x200u) - 0x200;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts
  const float tail = detail::horner(r, 0.5f, 0.166665763f, 0.0416664667f, 0.00836317521f, 0.00139336439f);
  const float p = 1.0f + (r + r * r * tail);
  const std::int32_t half = exponent >> 1;  // two factors: 2^exponent itself may not be a normal float
  return p * detail::power_of_two(half) * detail::power_of_two(exponent - half);
}
SYNTHDATA_HD double exp(double x) { return __builtin_exp(x); }

/// Natural logarithm: -infinity at 0, NaN below. Coefficients: fdlibm, e_logf.c (Sun Microsystems, 1993).
SYNTHDATA_HD float log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float scaled = x * select(tiny, 8388608.0f, 1.0f);  // a denormal has no exponent to read
  const std::uint32_t bits =
      std::bit_cast<std::uint32_t>(scaled) - 0x3F3504F3u;  // so that m lies in [sqrt 1/2, sqrt 2)
  const std::int32_t exponent = (static_cast<std::int32_t>(bits) >> 23) - 23 * static_cast<std::int32_t>(tiny);
  const float m = std::bit_cast<float>((bits & 0x007FFFFFu) + 0x3F3504F3u);
  const float f = m - 1.0f, s = f / (2.0f + f), z = s * s, half = 0.5f * f * f;
  const float r = z * detail::horner(z, 0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f);
  const auto e = static_cast<float>(exponent);
  const float y = e * 0.693138123f - ((half - (s * (half + r) + e * 9.05800061e-6f)) - f);
  const float zero = select(x == 0.0f, -__builtin_inff(), y);
  const float negative = select(x < 0.0f, __builtin_nanf(""), zero);
  return select(x < __builtin_inff(), negative, x);  // infinity and NaN pass
}
SYNTHDATA_HD double log(double x) { return __builtin_log(x); }

/// log(1 + x) without loss for small x.
SYNTHDATA_HD float log1p(float x) {
  const float u = 1.0f + x;
  const bool regular = (u > 0.0f) & (u < __builtin_inff());
  const float lost = (x - (u - 1.0f)) / select(regular, u, 1.0f);  // what rounding 1 + x threw away
  return log(u) + select(regular, lost, 0.0f);
}
SYNTHDATA_HD double log1p(double x) { return __builtin_log1p(x); }

/// e^x - 1 without loss for small x.
SYNTHDATA_HD float expm1(float x) {
  const float near = select(x < -0.5f, -0.5f, select(x > 0.5f, 0.5f, x));
  const float tail = detail::horner(near, 0.5f, 0.166666672f, 0.0416666679f, 0.00833318196f, 0.00138886727f,
                                    0.000199621863f, 2.49397417e-5f);
  return select(abs(x) <= 0.5f, near + near * near * tail, exp(x) - 1.0f);
}
SYNTHDATA_HD double expm1(double x) { return __builtin_expm1(x); }

SYNTHDATA_HD float tanh(float x) {
  const float a = abs(x);
  const float near = select(a > 0.6f, 0.6f, a), t = near * near;
  const float small =
      near * detail::horner(t, 1.0f, -0.333332837f, 0.133317053f, -0.05376992f, 0.0207574759f, -0.00585642783f);
  const float large = 1.0f - 2.0f / (exp(2.0f * a) + 1.0f);
  return copysign(select(a > 0.6f, large, select(a == a, small, a)), x);
}
SYNTHDATA_HD double tanh(double x) { return __builtin_tanh(x); }

/// 1 / (1 + e^-x)
SYNTHDATA_HD float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }
SYNTHDATA_HD double sigmoid(double x) { return 1.0 / (1.0 + __builtin_exp(-x)); }

/// Error function, absolute error 1.5e-7.
SYNTHDATA_HD float erf(float x) {
  const float a = abs(x);
  const float near = select(a > 1.0f, 1.0f, a), far = select(a < 1.0f, 1.0f, select(a > 4.0f, 4.0f, a));
  const float small = near * detail::horner(near * near, 1.12837911f, -0.37612626f, 0.112835974f, -0.0268543288f,
                                            0.00518931216f, -0.0008018855f, 7.8824975e-5f);
  const float large = 1.0f - exp(-detail::horner(far, 0.000756968628f, 1.1259259f, 0.63909334f, 0.103318982f,
                                                 -0.022621986f, 0.00343686761f, -0.00031757203f, 1.33093909e-5f));
  return copysign(select(a > 1.0f, large, select(a == a, small, a)), x);
}
SYNTHDATA_HD double erf(double x) { return __builtin_erf(x); }

/// cos(2 pi v) and sin(2 pi v) for v in [0, 1), absolute error 2e-7.
SYNTHDATA_HD float cos_turn(float v) { return -detail::sin_quarter(0.25f - abs(v - 0.5f)); }
SYNTHDATA_HD float sin_turn(float v) {
  const float t = v - 0.5f, a = abs(t);
  const float y = detail::sin_quarter(a > 0.25f ? 0.5f - a : a);
  return t < 0.0f ? y : -y;
}
SYNTHDATA_HD double cos_turn(double v) { return __builtin_cos(6.283185307179586 * v); }
SYNTHDATA_HD double sin_turn(double v) { return __builtin_sin(6.283185307179586 * v); }

/// sin and cos of x in radians. In float the error is 3e-7 plus that of reducing x: meant for |x| up to 1e4.
SYNTHDATA_HD float sin(float x) {
  const float turns = x * 0.159154943f;
  return sin_turn(turns - __builtin_floorf(turns));
}
SYNTHDATA_HD float cos(float x) {
  const float turns = x * 0.159154943f;
  return cos_turn(turns - __builtin_floorf(turns));
}
SYNTHDATA_HD double sin(double x) { return __builtin_sin(x); }
SYNTHDATA_HD double cos(double x) { return __builtin_cos(x); }

/// Nearest whole number, ties to even.
SYNTHDATA_HD float round(float x) {
  const float shifted = (abs(x) + 8388608.0f) - 8388608.0f;  // 2^23: beyond it every float is whole
  return copysign(select(abs(x) < 8388608.0f, shifted, abs(x)), x);
}
SYNTHDATA_HD double round(double x) { return __builtin_nearbyint(x); }

/// x^y. In float by exp(y log x): relative error up to 1e-5 for results beyond 1e+-30.
/// A negative base needs a whole exponent, else NaN.
SYNTHDATA_HD float pow(float x, float y) {
  const float a = abs(x);
  const float magnitude = select(y == 0.0f, 1.0f, exp(y * log(a)));
  const float whole = __builtin_truncf(y);
  const bool odd = whole - 2.0f * __builtin_truncf(0.5f * whole) != 0.0f;
  const float signed_value = select(odd, -magnitude, magnitude);
  return select(x < 0.0f, select(whole == y, signed_value, __builtin_nanf("")), magnitude);
}
SYNTHDATA_HD double pow(double x, double y) { return __builtin_pow(x, y); }

}  // namespace synthdata::math
