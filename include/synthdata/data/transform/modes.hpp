// synthdata/data/transform/modes.hpp: mode-specific normalisation: the mode a number belongs to, and where in it.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/gaussian_mixture.hpp>
#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// A column as a Gaussian mixture fitted by variational Bayes: a number becomes (x - mean) / (4 std) of its mode, cut
/// at +-0.99, then the mode one-hot. With a generator the mode is drawn by its responsibility, without it is the
/// likeliest. What lies more than 3.96 std from its mode is cut, so not restored. Source: Xu et al. 2019,
/// arXiv:1907.00503, section 4.2. Unlike there, the values are standardised before the fit, so that the unit they are
/// measured in does not matter.
class Modes {
 public:
  static constexpr const char* name = "modes";
  static constexpr bool takes_missing = false;
  std::int64_t most = 10;           ///< modes, 1 ... 1000
  double least_weight = 0.005;      ///< modes of less are dropped
  double concentration = 0.001;     ///< of the Dirichlet process
  std::int64_t iterations = 100;
  std::int64_t fit_rows = 100'000;  ///< of more rows this many, evenly drawn, are fitted on

  Modes() = default;
  /// @throws NumericError for most outside of 1 ... 1000
  explicit Modes(std::int64_t most_modes, std::int64_t rows = 100'000);

  void fit(const Training& training);
  std::vector<EncodedBlock> blocks() const;
  void encode(std::span<const double> values, float* out, std::int64_t stride, Rng* rng) const;
  void decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const;

  std::int64_t count() const { return means_.size(); }
  const Tensor& means() const { return means_; }  ///< f64 [modes], by rising mean
  const Tensor& stds() const { return stds_; }    ///< f64 [modes]

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("most", self.most);
    v("least_weight", self.least_weight);
    v("concentration", self.concentration);
    v("iterations", self.iterations);
    v("fit_rows", self.fit_rows);
    v("means", self.means_);
    v("stds", self.stds_);
    v("log_weights", self.log_weights_);
  }
  void prepare();  ///< checks what was loaded

 private:
  Tensor means_, stds_, log_weights_;
  std::vector<double> half_precisions_, offsets_;
};

}  // namespace synthdata::transform

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/modes_impl.hpp>
#endif
