// synthdata/data/transform/one_hot.hpp: one number for each category, 1 for the one that is, 0 for the others.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// Each different value, "other" and missing have a column of their own, in the order of Levels.
class OneHot {
 public:
  static constexpr const char* name = "one_hot";
  static constexpr bool takes_missing = true;
  std::int64_t most = 0;     ///< of the values, the frequent ones, have their own; the rest share "other"; 0 for all
  double least_share = 0.0;  ///< of the rows that a value needs for its own

  OneHot() = default;
  /// @throws NumericError unless most >= 0 and 0 <= least_share <= 1
  explicit OneHot(std::int64_t most_values, double least_share_of_rows = 0.0);

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
  void prepare() {}

 private:
  Levels levels_;
};

}  // namespace synthdata::transform

namespace synthdata::detail {
/// @throws NumericError unless most >= 0 and 0 <= least_share <= 1
void check_levels(const char* kind, std::int64_t most, double least_share);
/// Throws a DataError: training has no such value.
[[noreturn]] void throw_unknown(double value);
}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/one_hot_impl.hpp>
#endif
