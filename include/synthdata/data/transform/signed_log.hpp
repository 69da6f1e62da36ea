// synthdata/data/transform/signed_log.hpp: the logarithm of 1 + |x| with the sign of x.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// sign(x) log(1 + |x|): log1p for x >= 0, and defined, odd and smooth for all x. For long tails; chain
/// SignedLog{} | Standardize{}. `unit`: log(1 + |x| / unit), the size below which it is nearly linear.
class SignedLog {
 public:
  static constexpr const char* name = "signed_log";
  double unit = 1.0;

  SignedLog() = default;
  /// @throws NumericError unless unit > 0
  explicit SignedLog(double linear_below);

  void fit(const Training&) {}
  void apply(std::span<double> values) const;
  void invert(std::span<double> values) const;
  Interval range(Interval from) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("unit", self.unit);
  }
  void prepare();  ///< checks what was loaded
};

}  // namespace synthdata::transform

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/signed_log_impl.hpp>
#endif
