// synthdata/data/transform/fft_impl.hpp: bodies of data/transform/fft.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/fft.hpp>

#include <bit>
#include <cmath>
#include <utility>

namespace synthdata {
namespace detail {

inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
inline Complex conjugate(Complex a) { return {a.re, -a.im}; }
/// e^(-2 pi i k / n)
inline Complex turn(std::int64_t k, std::int64_t n) {
  const double angle = -6.283185307179586 * static_cast<double>(k % n) / static_cast<double>(n);
  return {std::cos(angle), std::sin(angle)};
}
SYNTHDATA_INLINE std::vector<Complex> all_turns(std::int64_t n) {
  std::vector<Complex> turns;
  turns.reserve(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k) turns.push_back(turn(k, n));
  return turns;
}
inline constexpr std::int64_t largest_radix = 31;
inline std::int64_t checked_length(std::int64_t n) {
  if (n < 1 || n > std::int64_t{1} << 26) throw NumericError(concat("Fft: expects a length of 1 ... 2^26, got ", n));
  return n;
}

}  // namespace detail

SYNTHDATA_INLINE Fft::Fft(std::int64_t n) : n_(detail::checked_length(n)) {
  std::int64_t rest = n;
  for (const std::int64_t radix : {std::int64_t{4}, std::int64_t{2}}) {
    for (; rest % radix == 0; rest /= radix) factors_.push_back(radix);
  }
  for (std::int64_t radix = 3; radix <= detail::largest_radix; radix += 2) {
    for (; rest % radix == 0; rest /= radix) factors_.push_back(radix);
  }
  if (rest == 1) {
    turns_ = detail::all_turns(n);
    return;
  }
  const auto length = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * n - 1)));
  inner_.emplace_back(length);
  for (std::int64_t t = 0; t < n; ++t) chirp_.push_back(detail::turn(t * t % (2 * n), 2 * n));
  std::vector<Complex> kernel(static_cast<std::size_t>(length));
  for (std::int64_t t = 0; t < n; ++t) {
    kernel[static_cast<std::size_t>(t)] = detail::conjugate(chirp_[static_cast<std::size_t>(t)]);
    if (t > 0) kernel[static_cast<std::size_t>(length - t)] = kernel[static_cast<std::size_t>(t)];
  }
  chirp_fft_.resize(kernel.size());
  inner_[0].forward(kernel.data(), chirp_fft_.data());
}

/// The transform of x[0], x[stride], ...: those of its `radix` interleaved parts, joined.
SYNTHDATA_INLINE void Fft::step(const Complex* x, std::int64_t stride, Complex* out, std::int64_t n,
                                std::size_t factor) const {
  using namespace detail;
  if (n == 1) {
    out[0] = x[0];
    return;
  }
  const std::int64_t radix = factors_[factor], part = n / radix;
  for (std::int64_t r = 0; r < radix; ++r) step(x + r * stride, stride * radix, out + r * part, part, factor + 1);
  const Complex* const turns = turns_.data();  // of the whole length: a turn of n-ths is `stride` of it
  if (radix == 2) {
    for (std::int64_t k = 0; k < part; ++k) {
      const Complex a = out[k], b = out[k + part] * turns[k * stride];
      out[k] = a + b;
      out[k + part] = a - b;
    }
  } else if (radix == 4) {
    for (std::int64_t k = 0; k < part; ++k) {
      const Complex a = out[k], b = out[k + part] * turns[k * stride], c = out[k + 2 * part] * turns[2 * k * stride],
                    d = out[k + 3 * part] * turns[3 * k * stride];
      const Complex even = a + c, odd = a - c, sum = b + d, difference = b - d;
      const Complex turned{difference.im, -difference.re};
      out[k] = even + sum;
      out[k + part] = odd + turned;
      out[k + 2 * part] = even - sum;
      out[k + 3 * part] = odd - turned;
    }
  } else {
    Complex terms[largest_radix];
    for (std::int64_t k = 0; k < part; ++k) {
      for (std::int64_t r = 0; r < radix; ++r) terms[r] = out[k + r * part] * turns[r * k * stride];
      for (std::int64_t q = 0; q < radix; ++q) {
        Complex sum = terms[0];
        for (std::int64_t r = 1; r < radix; ++r) sum = sum + terms[r] * turns[q * r % radix * part * stride];
        out[k + q * part] = sum;
      }
    }
  }
}

SYNTHDATA_INLINE void Fft::convolve(const Complex* x, Complex* out) const {
  using namespace detail;
  const auto length = static_cast<std::size_t>(inner_[0].size()), n = static_cast<std::size_t>(n_);
  std::vector<Complex> padded(length), spectrum(length);
  for (std::size_t t = 0; t < n; ++t) padded[t] = x[t] * chirp_[t];
  inner_[0].forward(padded.data(), spectrum.data());
  for (std::size_t k = 0; k < length; ++k) spectrum[k] = spectrum[k] * chirp_fft_[k];
  inner_[0].inverse(spectrum.data(), padded.data());
  for (std::size_t k = 0; k < n; ++k) out[k] = padded[k] * chirp_[k];
}

SYNTHDATA_INLINE void Fft::forward(const Complex* x, Complex* out) const {
  if (inner_.empty()) {
    step(x, 1, out, n_, 0);
  } else {
    convolve(x, out);
  }
}

SYNTHDATA_INLINE void Fft::inverse(const Complex* x, Complex* out) const {
  forward(x, out);  // of the same numbers: the inverse backwards, but for the scale
  const double scale = 1.0 / static_cast<double>(n_);
  for (std::int64_t t = 1; t < n_ - t; ++t) std::swap(out[t], out[n_ - t]);
  for (std::int64_t t = 0; t < n_; ++t) out[t] = {out[t].re * scale, out[t].im * scale};
}

SYNTHDATA_INLINE RealFft::RealFft(std::int64_t n)
    : n_(detail::checked_length(n)), half_(n % 2 == 0 ? n / 2 : n), turns_(n % 2 == 0 ? detail::all_turns(n) : std::vector<Complex>()) {}

SYNTHDATA_INLINE void RealFft::forward(const double* x, Complex* out) const {
  using namespace detail;
  const std::int64_t m = half_.size();
  std::vector<Complex> packed(static_cast<std::size_t>(m)), spectrum(static_cast<std::size_t>(m));
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  if (n_ % 2 != 0) {
    for (std::int64_t t = 0; t < n_; ++t) packed[at(t)] = {x[t], 0.0};
    half_.forward(packed.data(), spectrum.data());
    for (std::int64_t k = 0; k < bins(); ++k) out[k] = spectrum[at(k)];
    return;
  }
  for (std::int64_t t = 0; t < m; ++t) packed[at(t)] = {x[2 * t], x[2 * t + 1]};
  half_.forward(packed.data(), spectrum.data());
  for (std::int64_t k = 0; k <= m; ++k) {  // the even and odd samples apart, then joined
    const Complex a = spectrum[at(k % m)], b = conjugate(spectrum[at((m - k) % m)]);
    const Complex even{(a.re + b.re) / 2, (a.im + b.im) / 2}, odd{(a.im - b.im) / 2, (b.re - a.re) / 2};
    out[k] = even + odd * (k == m ? Complex{-1.0, 0.0} : turns_[at(k)]);
  }
}

SYNTHDATA_INLINE void RealFft::inverse(const Complex* x, double* out) const {
  using namespace detail;
  const std::int64_t m = half_.size();
  std::vector<Complex> packed(static_cast<std::size_t>(m)), samples(static_cast<std::size_t>(m));
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  if (n_ % 2 != 0) {
    packed[0] = {x[0].re, 0.0};
    for (std::int64_t k = 1; k < bins(); ++k) {
      packed[at(k)] = x[k];
      packed[at(n_ - k)] = conjugate(x[k]);
    }
    half_.inverse(packed.data(), samples.data());
    for (std::int64_t t = 0; t < n_; ++t) out[t] = samples[at(t)].re;
    return;
  }
  const auto bin = [&](std::int64_t k) { return k == 0 || k == m ? Complex{x[k].re, 0.0} : x[k]; };
  for (std::int64_t k = 0; k < m; ++k) {
    const Complex a = bin(k), b = conjugate(bin(m - k));
    const Complex even{(a.re + b.re) / 2, (a.im + b.im) / 2}, difference{(a.re - b.re) / 2, (a.im - b.im) / 2};
    const Complex odd = difference * conjugate(turns_[at(k)]);
    packed[at(k)] = {even.re - odd.im, even.im + odd.re};
  }
  half_.inverse(packed.data(), samples.data());
  for (std::int64_t t = 0; t < m; ++t) {
    out[2 * t] = samples[at(t)].re;
    out[2 * t + 1] = samples[at(t)].im;
  }
}

}  // namespace synthdata
