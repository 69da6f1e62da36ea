// synthdata/data/loader.hpp: DataLoader, an endless source of shuffled batches, made ahead by background threads.
//
// Batch k is the same for any number of threads: the order of an epoch follows from (seed, epoch), and each sample has
// its own generator from (seed, epoch, index). Three numbers say where a loader stands; restored, it goes on
// with the same bits.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/dataset.hpp>

namespace synthdata {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool shuffle = true;     ///< a new order each epoch; else 0, 1, 2, ...
  std::uint64_t seed = 0;  ///< of the orders and of the samples' generators
  bool drop_last = true;   ///< leave out the last, smaller batch of an epoch
  int workers = 1;         ///< background threads; 0 makes each batch inside next()
  int prefetch = 2;        ///< batches made ahead, at least one for each worker
};

namespace detail {

/// Which samples make up one batch, and the parent of their generators.
struct BatchPlan {
  Tensor order;                     // i64, of the whole epoch
  std::int64_t begin = 0, end = 0;  // the part of it
  Rng rng;                          // sample i draws from rng.split(i)

  std::span<const std::int64_t> indices() const;
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

/// The samples of these indices as a batch; sample i draws from rng.split(i).
template <class D>
Batch make_batch(const D& dataset, std::span<const std::int64_t> indices, const Rng& rng) {
  if constexpr (GathersBatches<D>) {
    return dataset.gather(indices);
  } else {
    BatchBuilder batch(static_cast<std::int64_t>(indices.size()));
    for (const std::int64_t index : indices) {
      try {
        Rng own = rng.split(static_cast<std::uint64_t>(index));
        const auto sample = dataset.get(index, own);
        batch.add(index, sample.data, static_cast<std::int64_t>(sample.label));
      } catch (Error& error) {
        error.add_context(concat("DataLoader: get(", index, ")"));
        throw;
      }
    }
    return std::move(batch).finish();
  }
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
  Batch batch(const BatchPlan& plan) const override { return make_batch(dataset_, plan.indices(), plan.rng); }
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
  /// @throws DataError if the data set is too small for one batch, or an option is out of its range.
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
