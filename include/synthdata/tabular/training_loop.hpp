// synthdata/tabular/training_loop.hpp: the loop that trains every model of tables.
//
// A model is a Learner: one update, the loss of held-out rows, rows made by its present state, and its state as
// tensors. The loop does all else: budgets, progress, quality, early stopping, the best state, and the file to resume
// from.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/table.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/tabular/training.hpp>

#include <functional>
#include <vector>

namespace synthdata::models::detail {

/// A model in training.
class Learner {
 public:
  virtual ~Learner() = default;
  /// Update number `step`, from 0, of an epoch, from 1. Returns its loss.
  virtual double update(std::int64_t epoch, std::int64_t step) = 0;
  /// After the last update of an epoch: the loss of the held-out rows; NaN if there are none.
  virtual double end_epoch() = 0;
  /// Rows made by the present state, which stays as it is.
  virtual Table sample(std::int64_t rows, std::uint64_t seed) const = 0;
  /// Makes the present state the one that fit() returns.
  virtual void keep() = 0;
  virtual void save(Archive& archive, bool kept) const = 0;
  /// What save() wrote. @throws DataError if it does not fit
  virtual void restore(const Archive& archive, bool kept) = 0;
};

/// Which rows are learnt from, and which are held out.
struct RowSplit {
  std::vector<std::int64_t> learn, held_out;
};
/// @throws DataError if rows are needed to measure quality, and there are none to hold out
RowSplit split_rows(std::int64_t rows, const TabularTraining& training, bool by_loss, const char* model);

/// What the loop asks of a table: a text that no other table has, and the rows that are held out.
struct TrainingTable {
  std::function<std::string()> fingerprint;
  std::function<Table()> held_out;
};
/// Of a table in memory, which must outlive it, as the split.
TrainingTable training_table(const Table& table, const RowSplit& split);

/// The rows of each batch of an epoch, in a random order that depends on seed and epoch alone. Rows that fill no batch
/// are left out.
class BatchRows {
 public:
  /// @param rows  to draw from
  BatchRows(std::vector<std::int64_t> rows, std::int64_t batch, const Rng& rng)
      : rows_(std::move(rows)), batch_(batch), rng_(rng) {}
  /// @param epoch, step  from 1, from 0
  std::vector<std::int64_t> operator()(std::int64_t epoch, std::int64_t step);
  /// Rows of a batch.
  std::int64_t size() const { return batch_; }
  std::int64_t steps() const { return static_cast<std::int64_t>(rows_.size()) / batch_; }

 private:
  std::vector<std::int64_t> rows_, order_;
  std::int64_t batch_, epoch_ = 0;
  Rng rng_;
};

/// The largest batch, at most `wanted` and a multiple of `multiple`, with which training needs max_bytes at most.
/// @throws DataError saying what is needed, and what would help, if even the smallest does not do
std::int64_t batch_within(const TabularTraining& training, std::int64_t wanted, std::int64_t multiple,
                          const char* model, const char* what_helps,
                          const std::function<TabularMemory(std::int64_t batch)>& memory);

/// @throws DataError naming the model for options out of range
void check_training(const TabularTraining& training, const char* model);

/// A text that two tables share only if their columns, types and values agree, but for a chance of 2^-64.
std::string fingerprint(const Table& table);
/// The same of texts and tensors.
std::string fingerprint(const Archive& archive);

/// Trains.
/// @param by_loss  true if StopRule::model means StopRule::loss
/// @param model    its name, for messages
/// @param made_of  model and options that change what is learnt: a file of another training is refused by them
/// @return         true if keep() was called, so that the best state is another than the last
/// @throws NumericError if a loss is not finite; DataError if the state file cannot be written, or resumed from
bool run_training(Learner& learner, const TrainingTable& table, const TabularTraining& training, TabularPlan plan,
                  bool by_loss, Json::Object made_of, const char* model, const TabularCallback& progress);

}  // namespace synthdata::models::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/training_loop_impl.hpp>
#endif
