// synthdata/data/transform/ordinal.hpp: one whole number for each category.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/one_hot.hpp>

namespace synthdata::transform {

/// The number of a value's level, 0 ... levels - 1, in the order of Levels: the order of values. Fewer than 2^24
/// levels are exact in f32.
class Ordinal {
 public:
  static constexpr const char* name = "ordinal";
  static constexpr bool takes_missing = true;
  std::int64_t most = 0;     ///< as OneHot
  double least_share = 0.0;  ///< as OneHot

  Ordinal() = default;
  /// @throws NumericError unless most >= 0 and 0 <= least_share <= 1
  explicit Ordinal(std::int64_t most_values, double least_share_of_rows = 0.0);

  /// @throws DataError for more than 2^24 levels
  void fit(const Training& training);
  std::vector<EncodedBlock> blocks() const;
  void encode(std::span<const double> values, float* out, std::int64_t stride, Rng* rng) const;
  /// The nearest level.
  void decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const;
  const Levels& levels() const { return levels_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("most", self.most);
    v("least_share", self.least_share);
    v("levels", self.levels_);
  }
  void prepare() {}

 private:
  Levels levels_;
};

}  // namespace synthdata::transform

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/ordinal_impl.hpp>
#endif
