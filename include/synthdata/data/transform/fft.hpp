// synthdata/data/transform/fft.hpp: the discrete Fourier transform of any length.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <cstdint>
#include <vector>

namespace synthdata {

struct Complex {
  double re = 0.0, im = 0.0;
};

/// Transforms of one length, in double. May be used by several threads at a time.
/// Cost: O(n log n) for any n: mixed radix; lengths with a prime factor above 31 by Bluestein's way, as a circular
/// convolution of a power of two. Sources: Cooley and Tukey 1965; Bluestein 1970.
class Fft {
 public:
  /// @throws NumericError unless 1 <= n <= 2^26
  explicit Fft(std::int64_t n);

  std::int64_t size() const { return n_; }
  /// X[k] = sum over t of x[t] e^(-2 pi i k t / n); both of n numbers, not the same ones.
  void forward(const Complex* x, Complex* out) const;
  /// x[t] = 1/n sum over k of X[k] e^(2 pi i k t / n).
  void inverse(const Complex* x, Complex* out) const;

 private:
  void step(const Complex* x, std::int64_t stride, Complex* out, std::int64_t n, std::size_t factor) const;
  void convolve(const Complex* x, Complex* out) const;

  std::int64_t n_;
  std::vector<std::int64_t> factors_;
  std::vector<Complex> turns_;              // e^(-2 pi i k / n)
  std::vector<Complex> chirp_, chirp_fft_;  // Bluestein's
  std::vector<Fft> inner_;                  // none or one: of the power of two
};

/// Transforms of real numbers: n of them to n / 2 + 1 complex ones (the others are their conjugates), and back.
class RealFft {
 public:
  /// @throws NumericError unless 1 <= n <= 2^26
  explicit RealFft(std::int64_t n);

  std::int64_t size() const { return n_; }
  std::int64_t bins() const { return n_ / 2 + 1; }
  void forward(const double* x, Complex* out) const;
  /// Of bin 0, and of the last one if n is even, only the real part counts.
  void inverse(const Complex* x, double* out) const;

 private:
  std::int64_t n_;
  Fft half_;  // of n / 2 if n is even, else of n
  std::vector<Complex> turns_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/fft_impl.hpp>
#endif
