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

SYNTHDATA_INLINE void check_sample(std::int64_t index, const Tensor& data) {
  if (!data.defined() || (data.dtype() != DType::f32 && data.dtype() != DType::u8)) {
    throw DTypeError(concat("a sample of a batch must be f32 or u8, sample ", index, " is ", data.str()));
  }
}
SYNTHDATA_INLINE void copy_sample(const Tensor& data, float* to) {
  if (data.dtype() == DType::u8) {
    const std::uint8_t* from = data.data<std::uint8_t>();
    for (std::int64_t i = 0; i < data.size(); ++i) to[i] = static_cast<float>(from[i]);
  } else if (data.size()) {
    std::memcpy(to, data.data<float>(), static_cast<std::size_t>(data.size_bytes()));
  }
}

SYNTHDATA_INLINE void BatchBuilder::add(std::int64_t index, const Tensor& data, std::int64_t label) {
  check_sample(index, data);
  if (filled_ == 0) batch_.data = Tensor::empty(data.shape().insert(0, count_), DType::f32, Device::cpu());
  if (!(batch_.data.shape().erase(0) == data.shape())) {
    throw DataError(concat("all samples of a batch must have the same shape: sample ", index, " is ", data.shape(),
                           ", those before it are ", batch_.data.shape().erase(0)));
  }
  copy_sample(data, batch_.data.data<float>() + filled_ * data.size());
  if (label >= 0 && !batch_.labels.defined()) batch_.labels = Tensor::full({count_}, -1.0, DType::i64, Device::cpu());
  if (label >= 0) batch_.labels.data<std::int64_t>()[filled_] = label;
  ++filled_;
}

SYNTHDATA_INLINE void PaddedBatchBuilder::add(std::int64_t index, const Tensor& data, std::int64_t label) {
  check_sample(index, data);
  if (data.rank() == 0) throw DataError(concat("sequences to be padded are [T, ...], sample ", index, " is a number"));
  if (!data_.empty() && !(data.shape().with(0, 1) == data_[0].shape().with(0, 1))) {
    throw DataError(concat("all sequences of a batch must have the same shape but for the first axis: sample ", index,
                           " is ", data.shape(), ", the first one is ", data_[0].shape()));
  }
  data_.push_back(data);
  labels_.push_back(label);
}

SYNTHDATA_INLINE Batch PaddedBatchBuilder::finish() && {
  const auto count = static_cast<std::int64_t>(data_.size());
  std::int64_t longest = 0;
  for (const Tensor& data : data_) longest = std::max(longest, data.shape(0));
  const Shape sample = data_[0].shape().with(0, longest);
  const std::int64_t width = sample.size();
  Batch batch{.data = Tensor::empty(sample.insert(0, count), DType::f32, Device::cpu()),
              .labels = {},
              .lengths = Tensor::empty({count}, DType::i64, Device::cpu())};
  float* to = batch.data.data<float>();
  for (std::size_t i = 0; i < data_.size(); ++i, to += width) {
    copy_sample(data_[i], to);
    std::fill(to + data_[i].size(), to + width, pad_value_);
    batch.lengths.data<std::int64_t>()[i] = data_[i].shape(0);
  }
  if (std::any_of(labels_.begin(), labels_.end(), [](std::int64_t label) { return label >= 0; })) {
    for (std::int64_t& label : labels_) label = std::max<std::int64_t>(label, -1);
    batch.labels = Tensor::from(labels_, Device::cpu());
  }
  return batch;
}

/// Draws numbers 0 ... N - 1 in proportion to weights, in constant time each. Source: Walker 1977, "An efficient method
/// for generating discrete random variables with general distributions"; set up as Vose 1991 does.
class AliasTable {
 public:
  AliasTable() = default;
  /// @throws DataError unless all weights are finite and >= 0, and one is above 0.
  explicit AliasTable(const std::vector<double>& weights) : keep_(weights), other_(weights.size()) {
    double sum = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (!(weights[i] >= 0.0 && weights[i] <= 1e300)) {
        throw DataError(concat("DataLoader: expects finite weights >= 0, that of sample ", i, " is ", weights[i]));
      }
      sum += weights[i];
    }
    if (!(sum > 0.0 && sum <= 1e300)) throw DataError(concat("DataLoader: the weights sum to ", sum));
    const double scale = static_cast<double>(weights.size()) / sum;
    std::vector<std::size_t> small, large;
    std::size_t heaviest = 0;
    for (std::size_t i = 0; i < keep_.size(); ++i) {
      if (weights[i] > weights[heaviest]) heaviest = i;
      keep_[i] *= scale;
      (keep_[i] < 1.0 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
      const std::size_t poor = small.back(), rich = large.back();
      small.pop_back();
      other_[poor] = static_cast<std::int64_t>(rich);
      keep_[rich] -= 1.0 - keep_[poor];
      if (keep_[rich] < 1.0) {
        large.pop_back();
        small.push_back(rich);
      }
    }
    for (const std::size_t i : large) keep_[i] = 1.0;
    for (const std::size_t i : small) {  // left over by rounding; a weight of 0 stays impossible
      other_[i] = static_cast<std::int64_t>(heaviest);
      if (weights[i] > 0.0) keep_[i] = 1.0;
    }
  }
  std::int64_t draw(Rng& rng) const {
    const auto i = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(keep_.size())));
    const double u = static_cast<double>(rng.next_u64() >> 11) * 0x1p-53;
    return u < keep_[i] ? static_cast<std::int64_t>(i) : other_[i];
  }

 private:
  std::vector<double> keep_;
  std::vector<std::int64_t> other_;
};

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
    check_count("weights", options.weights.size());
    check_count("lengths", options.lengths.size());
    if (!options.weights.empty()) alias = AliasTable(options.weights);
    taken.seed = planned.seed = options.seed;
  }
  void check_count(const char* what, std::size_t count) const {
    if (count == 0 || static_cast<std::int64_t>(count) == size) return;
    throw DataError(concat("DataLoader: expects one of `", what, "` for each of ", size, " samples, got ", count));
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
    plan.by_place = !options.weights.empty();
    plan.pad = options.pad;
    plan.pad_value = options.pad_value;
    advance(planned);  // first: a failure below must not repeat the batch
    if (!order.defined() || order_epoch != epoch) {
      const bool changes = options.shuffle || !options.weights.empty() || !options.lengths.empty();
      if (changes || !order.defined()) order = Tensor::from(order_of_epoch(epoch_rng), Device::cpu());
      order_epoch = epoch;
    }
    plan.order = order;
    return plan;
  }

  std::vector<std::int64_t> order_of_epoch(const Rng& epoch_rng) const {
    Rng rng = epoch_rng.split(0);
    std::vector<std::int64_t> samples;
    if (!options.weights.empty()) {
      samples.resize(static_cast<std::size_t>(size));
      for (std::int64_t& sample : samples) sample = alias.draw(rng);
    } else if (options.shuffle) {
      samples = rng.permutation(size);
    } else {
      samples.resize(static_cast<std::size_t>(size));
      for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int64_t>(i);
    }
    if (!options.lengths.empty()) return bucketed(std::move(samples), epoch_rng.split(2));
    return samples;
  }

  /// Batches of samples of similar length in a random order; the smaller last one, if any, stays the last.
  std::vector<std::int64_t> bucketed(std::vector<std::int64_t> samples, Rng rng) const {
    const auto length = [&](std::int64_t sample) { return options.lengths[static_cast<std::size_t>(sample)]; };
    const std::int64_t batch = options.batch_size, batches = size / batch, whole = batches * batch;
    constexpr std::int64_t sorted_batches = 64;
    for (std::int64_t begin = 0; begin < batches; begin += sorted_batches) {
      const std::int64_t end = std::min(begin + sorted_batches, batches);
      std::stable_sort(samples.begin() + begin * batch, samples.begin() + end * batch,
                       [&](std::int64_t a, std::int64_t b) { return length(a) < length(b); });
    }
    std::vector<std::int64_t> mixed;
    mixed.reserve(samples.size());
    for (const std::int64_t i : rng.permutation(batches)) {
      mixed.insert(mixed.end(), samples.begin() + i * batch, samples.begin() + (i + 1) * batch);
    }
    mixed.insert(mixed.end(), samples.begin() + whole, samples.end());
    return mixed;
  }

  Batch next() {
    if (options.workers == 0) {
      advance(taken);
      const Batch made = dataset->batch(next_plan());
      return options.device.is_cpu() ? made : made.to(options.device);
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
    got.batch.arrived();
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
      if (!made.error) {
        made.error = caught([&] {
          made.batch = dataset->batch(plan);
          if (!options.device.is_cpu()) made.batch = made.batch.send_ahead(options.device);
        });
      }
      made.ready = true;
      lock.lock();
      slot = std::move(made);
      filled.notify_one();
    }
  }

  const Owned<AnyDataset> dataset;
  const std::int64_t size;
  const LoaderOptions options;
  AliasTable alias;   // of options.weights
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

SYNTHDATA_INLINE Tensor padding_mask(const Tensor& lengths, std::int64_t steps) {
  Tensor mask = Tensor::zeros({lengths.size(), steps}, DType::f32, Device::cpu());
  float* row = mask.data<float>();
  for (const std::int64_t length : lengths.span<std::int64_t>()) {
    if (length < 0 || length > steps) {
      throw DataError(concat("padding_mask: expects lengths in 0 ... ", steps, ", got ", length));
    }
    std::fill(row, row + length, 1.0f);
    row += steps;
  }
  return mask;
}

}  // namespace synthdata
