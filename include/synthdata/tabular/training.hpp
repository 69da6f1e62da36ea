// synthdata/tabular/training.hpp: how models of tables are trained, and what they tell before and meanwhile.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/precision.hpp>

#include <functional>
#include <limits>
#include <string>

namespace synthdata {
class Table;
}  // namespace synthdata

namespace synthdata::models {

/// What ends training before all epochs are done, and so which state is kept.
enum class StopRule : std::uint8_t {
  model,    ///< as the model does: TabularAr by the held-out loss, the others never
  never,    ///< the last state is kept
  loss,     ///< `patience` epochs without a lower held-out loss; the state of the lowest is kept. Not for Ctgan
  quality,  ///< `patience` measurements without a higher quality; the state of the highest is kept
};

/// Bytes that fit() holds at its peak, the table itself not counted: all of it at the same time, as if nothing were
/// freed before the end of a step. Each model says how it counts.
struct TabularMemory {
  std::int64_t rows = 0;     ///< the table as numbers
  std::int64_t weights = 0;  ///< of nets, their copies (average, best so far) and the running values of the optimizer
  std::int64_t batch = 0;    ///< what one update makes: gradients and all that they are computed from

  std::int64_t total() const { return rows + weights + batch; }
};

/// What is about to be done.
struct TabularPlan {
  std::int64_t rows = 0, held_out = 0;           ///< to learn from, and not
  std::int64_t epochs = 0, steps = 0;            ///< at most; updates of an epoch
  std::int64_t batch_size = 0, epochs_done = 0;  ///< epochs_done: by the training that is resumed
  std::int64_t parameters = 0;                   ///< trained numbers
  TabularMemory memory;

  /// One line.
  std::string str() const;
};

/// How long and how a model of tables is trained.
struct TabularTraining {
  std::int64_t epochs = 0;                                   ///< at most; 0: as many as the model's source has
  double minutes = std::numeric_limits<double>::infinity();  ///< of this call at most
  std::int64_t batch_size = 0;                               ///< 0: the model's own
  double learning_rate = 0.0;                                ///< 0: the model's own
  /// Share of the rows held out, 20,000 of them at most. Only where they are needed: for a stop rule or the quality.
  double validation = 0.1;
  std::int64_t patience = 4;  ///< see StopRule
  std::uint64_t seed = 0;
  StopRule stop = StopRule::model;

  /// Quality: `quality_rows` rows are sampled after an epoch and compared with the held-out ones, by `quality` or else
  /// by the score of quality_report(). Measured so often that, after the first time, it takes this share of the time;
  /// 0: not at all.
  double quality_share = 0.0;
  /// > 0: after every so many epochs instead, so that what the quality decides does not depend on the clock.
  std::int64_t quality_every = 0;
  std::int64_t quality_rows = 2000;
  std::function<double(const Table& held_out, const Table& sampled)> quality = {};  ///< more is better
  /// Training ends with the first state that reaches it, which is kept.
  double enough_quality = std::numeric_limits<double>::infinity();

  /// > 0: most that TabularMemory::total() may be. Batches are made smaller for it.
  std::int64_t max_bytes = 0;

  /// File for the whole state of the training, written atomically every `state_minutes` and when training ends, by
  /// whatever but an exception. Empty: none.
  std::string state_file = {};
  double state_minutes = 5.0;
  /// Goes on from state_file as if training had never been interrupted: same bits. The table and all options that
  /// change what is learnt must be those of then; epochs, minutes and enough_quality may be others.
  bool resume = false;

  std::function<void(const TabularPlan&)> plan = {};  ///< called once, before the first update
};

/// How far training has come.
struct TabularProgress {
  std::int64_t epoch = 0, epochs = 0;                          ///< from 1
  double loss = 0.0;                                           ///< what the model makes small; for a GAN the critic's
  double held_out = std::numeric_limits<double>::quiet_NaN();  ///< of held-out rows; for a GAN the generator's loss
  double seconds = 0.0;                                        ///< since the start of this call
  std::int64_t step = 0, steps = 0;                            ///< updates of this epoch done; equal when it is over
  double seconds_left = 0.0;                                   ///< at most, at the speed so far
  double quality = std::numeric_limits<double>::quiet_NaN();   ///< last measured, 0 to 1 by quality_report()
};
/// Called after every epoch, and within long ones about once a second. Training ends if it returns false.
using TabularCallback = std::function<bool(const TabularProgress&)>;

struct SampleOptions {
  std::uint64_t seed = 0;
  /// Rows that miss a condition are drawn again this many times at most.
  std::int64_t rounds = 1000;
  /// Of a net's products. bf16 halves their time on a CPU with AVX512-BF16; the same seed then gives other rows, as
  /// likely as before up to the rounding.
  Precision precision = Precision::f32;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/training_impl.hpp>
#endif
