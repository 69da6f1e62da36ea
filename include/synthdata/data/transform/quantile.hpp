// synthdata/data/transform/quantile.hpp: numbers by their rank, spread evenly or normally.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// The empirical distribution function, linear between `knots` quantiles: values become uniform in [0, 1], or normal.
/// Values beyond the training range become its ends. As scikit-learn's QuantileTransformer.
class Quantile {
 public:
  static constexpr const char* name = "quantile";
  bool normal = false;                ///< to a standard normal, cut at +-5.2 (one in ten million), else uniform
  std::int64_t knots = 1000;          ///< 2 ... 1'000'000; at most as many as values
  std::int64_t fit_rows = 1'000'000;  ///< of more rows this many, evenly drawn, are fitted on

  Quantile() = default;
  /// @throws NumericError for knots or fit_rows below 2
  explicit Quantile(bool to_normal, std::int64_t quantiles = 1000, std::int64_t rows = 1'000'000);

  void fit(const Training& training);
  void apply(std::span<double> values) const;
  void invert(std::span<double> values) const;
  Interval range(Interval from) const;

  /// f64 [knots], rising.
  const Tensor& quantiles() const { return quantiles_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("normal", self.normal);
    v("knots", self.knots);
    v("fit_rows", self.fit_rows);
    v("quantiles", self.quantiles_);
  }
  void prepare();  ///< checks what was loaded

 private:
  Tensor quantiles_;
};

}  // namespace synthdata::transform

namespace synthdata::detail {
/// The distribution function of the standard normal, and its inverse for 0 < p < 1, each to about 1e-15.
double normal_cdf(double x);
double normal_quantile(double p);
}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/quantile_impl.hpp>
#endif
