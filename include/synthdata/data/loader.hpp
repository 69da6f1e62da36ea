// synthdata/data/loader.hpp: DataLoader, an endless source of shuffled batches, made ahead by background threads.
//
// Batch k is the same for any number of threads: the order of an epoch follows from (seed, epoch), and each sample has
// its own generator from (seed, epoch, index), or place in the epoch where it may come twice. Three numbers say where a
// loader stands; restored, it goes on with the same bits.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/device.hpp>
#include <synthdata/core/owned.hpp>
#include <synthdata/data/dataset.hpp>

#include <vector>

namespace synthdata {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool shuffle = true;     ///< a new order each epoch; else 0, 1, 2, ...
  std::uint64_t seed = 0;  ///< of the orders and of the samples' generators
  bool drop_last = true;   ///< leave out the last, smaller batch of an epoch
  int workers = 1;         ///< background threads; 0 makes each batch inside next()
  int prefetch = 2;        ///< batches made ahead, at least one for each worker
  /// A GPU that batches are brought to; workers send those made ahead beside its work. next() is then for the thread
  /// that queues that work.
  Device device = Device::cpu();

  /// One for each sample, >= 0: an epoch is then size() draws with replacement, each sample's chance in proportion to
  /// its weight. balanced_weights() draws all classes equally often. Empty: each sample once an epoch.
  std::vector<double> weights{};

  /// Samples are sequences [T, ...] of any T >= 0: shorter ones are filled up to the longest of their batch, and
  /// Batch::lengths says where; see padding_mask().
  bool pad = false;
  float pad_value = 0.0f;
  /// One for each sample: batches are then made of samples of similar length (buckets), which saves padding. The
  /// samples of 64 batches at a time are sorted by length and cut into batches, whose order is random again.
  std::vector<std::int64_t> lengths{};
};

/// 1 where a padded sequence has values, 0 where it was filled up: f32 [N, T].
/// @param lengths  [N] i64, 0 <= length <= steps. @throws DataError for others.
Tensor padding_mask(const Tensor& lengths, std::int64_t steps);

namespace detail {

/// Which samples make up one batch, the parent of their generators, and whether they are padded.
struct BatchPlan {
  Tensor order;                     // i64, of the whole epoch
  std::int64_t begin = 0, end = 0;  // the part of it
  Rng rng;                          // of the epoch
  bool by_place = false;            // a sample may come twice in an epoch, and is then another one
  bool pad = false;
  float pad_value = 0.0f;

  std::span<const std::int64_t> indices() const;
  /// That of sample `index`, the i-th of the batch.
  Rng rng_of(std::int64_t i, std::int64_t index) const {
    return rng.split(static_cast<std::uint64_t>(by_place ? begin + i : index));
  }
};

/// Copies samples into a batch. @throws DataError naming the sample that does not fit the first one.
class BatchBuilder {
 public:
  explicit BatchBuilder(std::int64_t count) : count_(count) {}
  void add(std::int64_t index, const Tensor& data, std::int64_t label);
  Batch finish() && { return std::move(batch_); }

 private:
  std::int64_t count_, filled_ = 0;
  Batch batch_;
};
/// The same for sequences of different lengths.
class PaddedBatchBuilder {
 public:
  PaddedBatchBuilder(std::int64_t count, float pad_value) : pad_value_(pad_value) {
    data_.reserve(static_cast<std::size_t>(count));
  }
  void add(std::int64_t index, const Tensor& data, std::int64_t label);
  Batch finish() &&;

 private:
  float pad_value_;
  std::vector<Tensor> data_;
  std::vector<std::int64_t> labels_;
};

template <class D, class Builder>
Batch build_batch(const D& dataset, const BatchPlan& plan, Builder batch) {
  std::int64_t i = 0;
  for (const std::int64_t index : plan.indices()) {
    try {
      Rng own = plan.rng_of(i++, index);
      const auto sample = dataset.get(index, own);
      batch.add(index, sample.data, static_cast<std::int64_t>(sample.label));
    } catch (Error& error) {
      error.add_context(concat("DataLoader: get(", index, ")"));
      throw;
    }
  }
  return std::move(batch).finish();
}
template <class D>
Batch make_batch(const D& dataset, const BatchPlan& plan) {
  const std::int64_t count = plan.end - plan.begin;
  if (plan.pad) return build_batch(dataset, plan, PaddedBatchBuilder(count, plan.pad_value));
  if constexpr (GathersBatches<D>) {
    return dataset.gather(plan.indices());
  } else {
    return build_batch(dataset, plan, BatchBuilder(count));
  }
}
/// The samples of these indices as a batch; sample i draws from rng.split(i).
template <class D>
Batch make_batch(const D& dataset, std::span<const std::int64_t> indices, const Rng& rng) {
  const auto count = static_cast<std::int64_t>(indices.size());
  return make_batch(dataset,
                    BatchPlan{.order = Tensor::from(indices, {count}, Device::cpu()), .end = count, .rng = rng});
}

/// A data set of any type.
class AnyDataset {
 public:
  virtual ~AnyDataset() = default;
  virtual std::int64_t size() const = 0;
  virtual Batch batch(const BatchPlan& plan) const = 0;
};
template <class D>
class HeldDataset final : public AnyDataset {
 public:
  explicit HeldDataset(D dataset) : dataset_(std::move(dataset)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(dataset_.size()); }
  Batch batch(const BatchPlan& plan) const override { return make_batch(dataset_, plan); }
  const D& dataset() const { return dataset_; }

 private:
  const D dataset_;
};

/// The part of a loader that does not depend on the type of the data set.
class LoaderEngine {
 public:
  LoaderEngine(Owned<AnyDataset> dataset, const LoaderOptions& options);
  LoaderEngine(LoaderEngine&&) noexcept;
  LoaderEngine& operator=(LoaderEngine&&) noexcept;
  ~LoaderEngine();

  Batch next();
  SourceState state() const;
  void restore(const SourceState& state);
  const LoaderOptions& options() const;
  std::int64_t batches_per_epoch() const;
  const AnyDataset& dataset() const;

 private:
  struct Impl;
  Owned<Impl> impl_;
};

}  // namespace detail

/// Endless batches of a data set. It can be moved, not copied; threads start at the first next().
template <class D>
class DataLoader {
  static_assert(require_dataset<D>());

 public:
  /// @throws DataError if the data set is too small for one batch, or an option is out of its range or does not have
  /// one number for each sample.
  explicit DataLoader(D dataset, const LoaderOptions& options = {})
      : engine_(detail::Owned<detail::AnyDataset>(new detail::HeldDataset<D>(std::move(dataset))), options) {}

  /// The next batch. What the data set throws while making a batch, next() throws in its place, and goes on with the
  /// batch behind it. To be called by one thread at a time.
  Batch next() { return engine_.next(); }

  /// Where the loader stands: what next() returns next. Batches made ahead do not count.
  SourceState state() const { return engine_.state(); }
  /// Continues as the loader whose state this is, seed included; data set and batch size are the caller's to keep.
  /// @throws DataError if the position does not exist in this data set.
  void restore(const SourceState& state) { engine_.restore(state); }

  std::int64_t batches_per_epoch() const { return engine_.batches_per_epoch(); }
  const LoaderOptions& options() const { return engine_.options(); }
  const D& dataset() const { return static_cast<const detail::HeldDataset<D>&>(engine_.dataset()).dataset(); }

 private:
  detail::LoaderEngine engine_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/loader_impl.hpp>
#endif
