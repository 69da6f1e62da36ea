// synthdata/data/transform/frequency.hpp: each category as a stretch of 0 ... 1 as long as it is frequent.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/one_hot.hpp>

namespace synthdata::transform {

/// The stretches lie one behind the other, the most frequent first; a value becomes the middle of its stretch, and any
/// number within decodes to it. Source: Patki, Wedge and Veeramachaneni 2016, "The Synthetic Data Vault", DSAA.
class Frequency {
 public:
  static constexpr const char* name = "frequency";
  static constexpr bool takes_missing = true;
  std::int64_t most = 0;     ///< as OneHot
  double least_share = 0.0;  ///< as OneHot

  Frequency() = default;
  /// @throws NumericError unless most >= 0 and 0 <= least_share <= 1
  explicit Frequency(std::int64_t most_values, double least_share_of_rows = 0.0);

  /// @throws DataError if stretches are too short to be told apart in f32: about ten million rows, or values
  void fit(const Training& training);
  std::vector<EncodedBlock> blocks() const;
  void encode(std::span<const double> values, float* out, std::int64_t stride, Rng* rng) const;
  void decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const;
  const Levels& levels() const { return levels_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("most", self.most);
    v("least_share", self.least_share);
    v("levels", self.levels_);
  }
  void prepare();  ///< finds the stretches

 private:
  Levels levels_;
  std::vector<std::int64_t> order_;  // levels, the most frequent first
  std::vector<double> ends_;         // of their stretches
  std::vector<float> middles_;       // by level
};

}  // namespace synthdata::transform

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/frequency_impl.hpp>
#endif
