// synthdata/data/transform/min_max.hpp: the range of the training values mapped to low ... high.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// Linear, least to `low` and largest to `high`; a constant becomes the middle. Values beyond the training range go
/// beyond low and high. Exact both ways for whole numbers (or multiples of a unit) that span less than 2^24 of them.
class MinMax {
 public:
  static constexpr const char* name = "min_max";
  double low = -1.0, high = 1.0;

  MinMax() = default;
  /// @throws NumericError unless low < high
  MinMax(double to_low, double to_high);

  void fit(const Training& training);
  void apply(std::span<double> values) const;
  void invert(std::span<double> values) const;
  Interval range(Interval from) const;

  double least() const { return least_; }
  double largest() const { return largest_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("low", self.low);
    v("high", self.high);
    v("least", self.least_);
    v("largest", self.largest_);
  }
  void prepare();  ///< checks what was loaded

 private:
  double least_ = 0.0, largest_ = 1.0;
};

}  // namespace synthdata::transform

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/min_max_impl.hpp>
#endif
