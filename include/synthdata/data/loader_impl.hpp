// synthdata/data/loader_impl.hpp: bodies of data/loader.hpp: the plan of batches and the threads that make them ahead.
//
// Batches are numbered by tickets. Workers draw tickets in order, under the lock, together with the plan of the batch;
// ticket t is put down in slot t mod slots, and the consumer collects the slots in order.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/loader.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE std::span<const std::int64_t> BatchPlan::indices() const {
  return order.span<std::int64_t>().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

SYNTHDATA_INLINE void BatchBuilder::add(std::int64_t index, const Tensor& data, std::int64_t label) {
  if (!data.defined() || (data.dtype() != DType::f32 && data.dtype() != DType::u8)) {
    throw DTypeError(concat("a sample of a batch must be f32 or u8, sample ", index, " is ", data.str()));
  }
  if (filled_ == 0) batch_.data = Tensor::empty(data.shape().insert(0, count_), DType::f32, Device::cpu());
  if (!(batch_.data.shape().erase(0) == data.shape())) {
    throw DataError(concat("all samples of a batch must have the same shape: sample ", index, " is ", data.shape(),
                           ", those before it are ", batch_.data.shape().erase(0)));
  }
  float* to = batch_.data.data<float>() + filled_ * data.size();
  if (data.dtype() == DType::u8) {
    const std::uint8_t* from = data.data<std::uint8_t>();
    for (std::int64_t i = 0; i < data.size(); ++i) to[i] = static_cast<float>(from[i]);
  } else if (data.size()) {
    std::memcpy(to, data.data<float>(), static_cast<std::size_t>(data.size_bytes()));
  }
  if (label >= 0 && !batch_.labels.defined()) batch_.labels = Tensor::full({count_}, -1.0, DType::i64, Device::cpu());
  if (label >= 0) batch_.labels.data<std::int64_t>()[filled_] = label;
  ++filled_;
}

/// Runs f and returns what it threw. The handler has let go of the exception by then, so that it can be handed to
/// another thread under a lock.
template <class F>
std::exception_ptr caught(F&& f) {
  try {
    f();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

struct LoaderEngine::Impl {
  struct Slot {
    Batch batch;
    std::exception_ptr error;
    bool ready = false;
  };

  Impl(Owned<AnyDataset> data, const LoaderOptions& o) : dataset(std::move(data)), size(dataset->size()), options(o) {
    if (options.batch_size < 1) {
      throw DataError(concat("DataLoader: expects batch_size >= 1, got ", options.batch_size));
    }
    if (options.workers < 0 || options.workers > 256 || options.prefetch < 0 || options.prefetch > 65536) {
      throw DataError(concat("DataLoader: expects workers in 0 ... 256 and prefetch in 0 ... 65536, got ",
                             options.workers, " and ", options.prefetch));
    }
    if (size < smallest_batch()) {
      throw DataError(concat("DataLoader: the data set has ", size, " samples, one batch needs ", smallest_batch(),
                             options.drop_last ? " (drop_last is set)" : ""));
    }
    taken.seed = planned.seed = options.seed;
  }
  ~Impl() { stop_workers(); }

  std::int64_t smallest_batch() const { return options.drop_last ? options.batch_size : 1; }

  /// Moves a position at which no batch begins to the next epoch.
  void normalise(SourceState& at) const {
    if (size - at.position < smallest_batch()) {
      ++at.epoch;
      at.position = 0;
    }
  }
  void advance(SourceState& at) const {
    at.position += std::min(options.batch_size, size - at.position);
    normalise(at);
  }

  /// The plan of the next batch. To be called in order: under the lock where there are workers.
  BatchPlan next_plan() {
    BatchPlan plan;
    plan.begin = planned.position;
    plan.end = plan.begin + std::min(options.batch_size, size - plan.begin);
    const std::int64_t epoch = planned.epoch;
    const Rng epoch_rng = Rng(planned.seed).split(static_cast<std::uint64_t>(epoch));
    plan.rng = epoch_rng.split(1);
    advance(planned);  // first: a failure below must not repeat the batch
    if (!order.defined() || (options.shuffle && order_epoch != epoch)) {
      order = options.shuffle ? Tensor::from(epoch_rng.split(0).permutation(size), Device::cpu())
                              : arange(size, DType::i64, Device::cpu());
      order_epoch = epoch;
    }
    plan.order = order;
    return plan;
  }

  Batch next() {
    if (options.workers == 0) {
      advance(taken);
      return dataset->batch(next_plan());
    }
    if (threads.empty()) start_workers();
    Slot got;
    {
      std::unique_lock lock(mutex);
      Slot& slot = slots[tickets_taken % slots.size()];
      filled.wait(lock, [&] { return slot.ready; });
      got = std::exchange(slot, Slot{});
      ++tickets_taken;
    }
    freed.notify_one();
    advance(taken);
    if (got.error) std::rethrow_exception(std::move(got.error));
    return std::move(got.batch);
  }

  void start_workers() {
    slots.resize(static_cast<std::size_t>(std::max(options.prefetch, options.workers)));
    try {
      for (int i = 0; i < options.workers; ++i) threads.emplace_back([this] { work(); });
    } catch (...) {
      stop_workers();
      throw;
    }
  }

  /// Lets workers finish the batch they are at, and drops what was made ahead.
  void stop_workers() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    freed.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
    slots.clear();
    stopping = false;
    tickets_drawn = tickets_taken = 0;
    planned = taken;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      freed.wait(lock, [&] { return stopping || tickets_drawn - tickets_taken < slots.size(); });
      if (stopping) return;
      Slot& slot = slots[tickets_drawn++ % slots.size()];  // nobody else's until it is ready
      Slot made;
      BatchPlan plan;
      made.error = caught([&] { plan = next_plan(); });
      lock.unlock();
      if (!made.error) made.error = caught([&] { made.batch = dataset->batch(plan); });
      made.ready = true;
      lock.lock();
      slot = std::move(made);
      filled.notify_one();
    }
  }

  const Owned<AnyDataset> dataset;
  const std::int64_t size;
  const LoaderOptions options;
  SourceState taken;  // of the batch that next() returns next; the consumer's own

  std::mutex mutex;  // guards everything below while workers run
  std::condition_variable filled, freed;
  SourceState planned;  // of the batch to be planned next
  Tensor order;         // i64, of order_epoch
  std::int64_t order_epoch = 0;
  std::vector<Slot> slots;
  std::uint64_t tickets_drawn = 0, tickets_taken = 0;
  bool stopping = false;
  std::vector<std::thread> threads;
};

SYNTHDATA_INLINE LoaderEngine::LoaderEngine(Owned<AnyDataset> dataset, const LoaderOptions& options)
    : impl_(new Impl(std::move(dataset), options)) {}
SYNTHDATA_INLINE LoaderEngine::LoaderEngine(LoaderEngine&&) noexcept = default;
SYNTHDATA_INLINE LoaderEngine& LoaderEngine::operator=(LoaderEngine&&) noexcept = default;
SYNTHDATA_INLINE LoaderEngine::~LoaderEngine() = default;

SYNTHDATA_INLINE Batch LoaderEngine::next() { return impl_->next(); }
SYNTHDATA_INLINE SourceState LoaderEngine::state() const { return impl_->taken; }
SYNTHDATA_INLINE const LoaderOptions& LoaderEngine::options() const { return impl_->options; }
SYNTHDATA_INLINE const AnyDataset& LoaderEngine::dataset() const { return *impl_->dataset; }

SYNTHDATA_INLINE std::int64_t LoaderEngine::batches_per_epoch() const {
  const std::int64_t batch = impl_->options.batch_size, full = impl_->size / batch;
  return full + (!impl_->options.drop_last && impl_->size % batch ? 1 : 0);
}

SYNTHDATA_INLINE void LoaderEngine::restore(const SourceState& state) {
  if (state.epoch < 0 || state.position < 0 || state.position > impl_->size) {
    throw DataError(concat("DataLoader::restore: epoch ", state.epoch, ", position ", state.position,
                           " does not exist in a data set of ", impl_->size, " samples"));
  }
  impl_->stop_workers();
  impl_->order = Tensor();  // it may be of another seed
  impl_->taken = state;
  impl_->normalise(impl_->taken);
  impl_->planned = impl_->taken;
}

}  // namespace detail
}  // namespace synthdata
