// synthdata/gan/diversity.hpp: notices when a generator collapses onto few outputs.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/communicator.hpp>

namespace synthdata {

/// Mean absolute difference between neighbouring samples of a batch [N, ...], N >= 2: 0 when all are alike.
/// @throws ShapeError for fewer than two samples.
double batch_diversity(const Tensor& batch);

struct CollapseOptions {
  double threshold = 0.15;    ///< share of the real batch's diversity below which a generator counts as collapsed
  std::int64_t patience = 5;  ///< checks in a row that must be below
  std::int64_t every = 20;    ///< steps from one check to the next; 0 switches the checks off
  std::int64_t grace = 500;   ///< steps in which a generator that was never diverse is given time to become so
};

/// Compares the diversity of fake batches with that of real ones and reports a lasting fall.
class CollapseDetector {
 public:
  explicit CollapseDetector(const CollapseOptions& options = {}) : options_(options) {}

  bool due(std::int64_t step) const { return options_.every > 0 && step % options_.every == 0; }
  /// Takes one measurement: over all ranks, if there are others.
  void observe(std::int64_t step, const Tensor& real, const Tensor& fake, Communicator* communicator = nullptr);

  /// Diversity of the last fake batch, as a share of the real batch's.
  double diversity() const { return diversity_; }
  /// True while the fake batches stay below the threshold.
  bool collapsed() const { return below_ >= options_.patience; }

 private:
  CollapseOptions options_;
  double diversity_ = 1.0;
  bool was_diverse_ = false;
  std::int64_t below_ = 0;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/gan/diversity_impl.hpp>
#endif
