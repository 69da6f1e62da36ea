// synthdata/tabular/training.hpp: how models of tables are trained, and what they tell meanwhile.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

namespace synthdata::models {

/// How long and how a model of tables is trained.
struct TabularTraining {
  std::int64_t epochs = 0;                                   ///< at most; 0: as many as the model's source has
  double minutes = std::numeric_limits<double>::infinity();  ///< at most
  std::int64_t batch_size = 0;                               ///< 0: the model's own
  double learning_rate = 0.0;                                ///< 0: the model's own
  double validation = 0.1;                                   ///< share of the rows held out where a model stops early
  std::int64_t patience = 4;  ///< epochs without a better held-out loss before training ends
  std::uint64_t seed = 0;
};

/// What one epoch did.
struct TabularProgress {
  std::int64_t epoch = 0, epochs = 0;                          ///< from 1
  double loss = 0.0;                                           ///< what the model makes small; for a GAN the critic's
  double held_out = std::numeric_limits<double>::quiet_NaN();  ///< of held-out rows; for a GAN the generator's loss
  double seconds = 0.0;                                        ///< since the start
};
/// Called after every epoch. Training ends if it returns false.
using TabularCallback = std::function<bool(const TabularProgress&)>;

struct SampleOptions {
  std::uint64_t seed = 0;
  /// Rows that miss a condition are drawn again this many times at most.
  std::int64_t rounds = 1000;
};

}  // namespace synthdata::models
