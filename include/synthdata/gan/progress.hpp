// synthdata/gan/progress.hpp: the progress line of a training run.
//
//   step 500/1000  critic 1.214  generator 0.873  diversity 0.91  1034 samples/s  0:52 left
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/trainer.hpp>

namespace synthdata {

/// Prints to standard error: on a terminal one line that renews itself, elsewhere a line every ten seconds.
class Progress {
 public:
  /// @param first  steps done before (a resumed run)
  explicit Progress(std::int64_t steps, std::int64_t first = 0);
  /// Call after every step. Losses are averaged over the steps since the last print.
  void operator()(const StepInfo& info);
  /// Ends the line.
  void finish();

  /// Real samples per second since the start.
  double samples_per_second() const;
  /// "critic 1.214  generator 0.873 ..."
  std::string line(const StepInfo& info) const;

 private:
  static double now();  // seconds of a steady clock
  double seconds() const { return now() - start_; }

  std::int64_t steps_, first_, samples_ = 0, averaged_ = 0;
  double critic_ = 0.0, generator_ = 0.0, printed_at_ = -1e9;
  bool terminal_, warned_ = false, open_ = false;
  double start_ = now();
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/gan/progress_impl.hpp>
#endif
