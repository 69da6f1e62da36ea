// synthdata/data/transform/leave_out.hpp: a column that is not encoded.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// No number at all: the column is absent from the encoded tensor and from the decoded table. For identifiers, texts.
struct LeaveOut {
  static constexpr const char* name = "leave_out";
  static constexpr bool takes_missing = true;

  void fit(const Training&) {}
  std::vector<EncodedBlock> blocks() const { return {}; }
  void encode(std::span<const double>, float*, std::int64_t, Rng*) const {}
  void decode(const float*, std::int64_t, std::span<double>, Rng*) const {}

  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
  void prepare() {}
};

}  // namespace synthdata::transform
