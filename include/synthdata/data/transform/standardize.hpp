// synthdata/data/transform/standardize.hpp: (x - mean) / standard deviation.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// Mean 0 and variance 1 over the training values (dividing by N); a constant becomes 0.
class Standardize {
 public:
  static constexpr const char* name = "standardize";

  void fit(const Training& training);
  void apply(std::span<double> values) const;
  void invert(std::span<double> values) const;
  Interval range(Interval from) const { return {(from.low - mean_) / scale_, (from.high - mean_) / scale_}; }

  double mean() const { return mean_; }
  /// The standard deviation; 1 for a constant.
  double scale() const { return scale_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("mean", self.mean_);
    v("scale", self.scale_);
  }
  void prepare();  ///< checks what was loaded

 private:
  double mean_ = 0.0, scale_ = 1.0;
};

}  // namespace synthdata::transform

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/standardize_impl.hpp>
#endif
