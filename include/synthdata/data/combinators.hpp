// synthdata/data/combinators.hpp: the samples of data sets chosen, ordered, joined, repeated, kept and batched.
//
//   auto loader = concatenate(day, night) | filter(is_sharp) | skip(100) | cache() | batch({.batch_size = 64});
//
// Like all adaptors they hold their base by value. Those that only choose samples keep gather(), by which whole batches
// are assembled, where the base has it.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/loader.hpp>

#include <tuple>

namespace synthdata {

namespace detail {
/// @throws DataError unless all are in 0 ... size - 1.
Tensor sample_numbers(std::span<const std::int64_t> indices, std::int64_t size);
/// Writes the rows of `part` to the rows `places` of a batch of `count` samples.
void place_rows(Batch& batch, std::int64_t count, std::span<const std::int64_t> places, const Batch& part);
std::int64_t repeated_size(std::int64_t size, std::int64_t times);
[[noreturn]] void throw_cache_full(std::int64_t index, std::int64_t size, std::int64_t max_bytes);
}  // namespace detail

/// The samples of a list, in its order. Copies share the list. See subset(), skip(), filter() and shuffle().
template <Dataset Base>
class SubsetDataset {
 public:
  SubsetDataset(Base base, std::span<const std::int64_t> indices)
      : base_(std::move(base)), indices_(detail::sample_numbers(indices, static_cast<std::int64_t>(base_.size()))) {}
  std::int64_t size() const { return indices_.size(); }
  SampleOf<Base> get(std::int64_t index, Rng& rng) const { return base_.get(there(index), rng); }
  Batch gather(std::span<const std::int64_t> indices) const
    requires GathersBatches<Base>
  {
    std::vector<std::int64_t> all;
    all.reserve(indices.size());
    for (const std::int64_t index : indices) all.push_back(there(index));
    return base_.gather(all);
  }
  /// The number that a sample has in the base.
  std::int64_t there(std::int64_t index) const {
    if (index < 0 || index >= size()) [[unlikely]]
      detail::throw_sample_index("subset", index, size());
    return indices_.data<std::int64_t>()[index];
  }

 private:
  Base base_;
  Tensor indices_;  // i64
};

/// See repeat().
template <Dataset Base>
class RepeatedDataset {
 public:
  RepeatedDataset(Base base, std::int64_t times)
      : base_(std::move(base)), size_(detail::repeated_size(static_cast<std::int64_t>(base_.size()), times)) {}
  std::int64_t size() const { return size_; }
  SampleOf<Base> get(std::int64_t index, Rng& rng) const { return base_.get(there(index), rng); }
  Batch gather(std::span<const std::int64_t> indices) const
    requires GathersBatches<Base>
  {
    std::vector<std::int64_t> all;
    all.reserve(indices.size());
    for (const std::int64_t index : indices) all.push_back(there(index));
    return base_.gather(all);
  }

 private:
  std::int64_t there(std::int64_t index) const {
    if (index < 0 || index >= size_) [[unlikely]]
      detail::throw_sample_index("repeat", index, size_);
    return index % static_cast<std::int64_t>(base_.size());
  }

  Base base_;
  std::int64_t size_;
};

/// See concatenate().
template <Dataset First, Dataset... Rest>
  requires(std::same_as<SampleOf<First>, SampleOf<Rest>> && ...)
class ConcatenatedDataset {
 public:
  explicit ConcatenatedDataset(First first, Rest... rest) : parts_(std::move(first), std::move(rest)...) {
    std::size_t at = 0;
    std::apply([&](const auto&... part) { ((ends_[at] = (at ? ends_[at - 1] : 0) + part.size(), ++at), ...); }, parts_);
  }
  std::int64_t size() const { return ends_[sizeof...(Rest)]; }
  SampleOf<First> get(std::int64_t index, Rng& rng) const { return get_from<0>(index, rng); }
  Batch gather(std::span<const std::int64_t> indices) const
    requires(GathersBatches<First> && ... && GathersBatches<Rest>)
  {
    for (const std::int64_t index : indices) check(index);
    Batch batch;
    gather_from<0>(batch, indices);
    return batch;
  }

 private:
  static constexpr std::size_t count = 1 + sizeof...(Rest);

  void check(std::int64_t index) const {
    if (index < 0 || index >= size()) [[unlikely]]
      detail::throw_sample_index("concatenate", index, size());
  }
  template <std::size_t part>
  SampleOf<First> get_from(std::int64_t index, Rng& rng) const {
    if constexpr (part == 0) check(index);
    if constexpr (part + 1 < count) {
      if (index >= ends_[part]) return get_from<part + 1>(index, rng);
    }
    return std::get<part>(parts_).get(index - (part ? ends_[part - 1] : 0), rng);
  }
  template <std::size_t part>
  void gather_from(Batch& batch, std::span<const std::int64_t> indices) const {
    const std::int64_t begin = part ? ends_[part - 1] : 0;
    std::vector<std::int64_t> there, places;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] < begin || indices[i] >= ends_[part]) continue;
      there.push_back(indices[i] - begin);
      places.push_back(static_cast<std::int64_t>(i));
    }
    if (there.size() == indices.size()) {
      batch = std::get<part>(parts_).gather(there);
      return;
    }
    if (!there.empty()) {
      detail::place_rows(batch, static_cast<std::int64_t>(indices.size()), places,
                         std::get<part>(parts_).gather(there));
    }
    if constexpr (part + 1 < count) gather_from<part + 1>(batch, indices);
  }

  std::tuple<First, Rest...> parts_;
  std::int64_t ends_[count] = {};
};

/// See zip().
template <Dataset A, Dataset B, class F>
class ZippedDataset {
 public:
  ZippedDataset(A a, B b, F f) : a_(std::move(a)), b_(std::move(b)), f_(std::move(f)) {
    if (static_cast<std::int64_t>(a_.size()) != static_cast<std::int64_t>(b_.size())) {
      throw DataError(concat("zip: expects data sets of one size, got ", a_.size(), " and ", b_.size(), " samples"));
    }
  }
  std::int64_t size() const { return static_cast<std::int64_t>(a_.size()); }
  auto get(std::int64_t index, Rng& rng) const {
    Rng first = rng.split(0), second = rng.split(1);
    return f_(a_.get(index, first), b_.get(index, second));
  }

 private:
  A a_;
  B b_;
  F f_;
};

/// See cache().
template <Dataset Base>
class CachedDataset {
 public:
  CachedDataset(const Base& base, std::int64_t max_bytes) : samples_(static_cast<std::size_t>(base.size())) {
    constexpr std::int64_t chunk = 16;
    const std::int64_t chunks = (size() + chunk - 1) / chunk;
    std::vector<std::int64_t> bytes(static_cast<std::size_t>(chunks));
    constexpr std::int64_t at_once = 256;  // chunks; then the sum is looked at
    for (std::int64_t first = 0; first < chunks; first += at_once) {
      const std::int64_t now = chunks - first < at_once ? chunks - first : at_once;
      parallel_for(now, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = (first + begin) * chunk; i < (first + end) * chunk && i < size(); ++i) {
          Rng own = Rng().split(static_cast<std::uint64_t>(i));
          auto& sample = samples_[static_cast<std::size_t>(i)];
          sample = base.get(i, own);
          bytes[static_cast<std::size_t>(i / chunk)] += sample.data.size_bytes();
        }
      });
      for (std::int64_t i = first; i < first + now; ++i) bytes_ += bytes[static_cast<std::size_t>(i)];
      if (bytes_ > max_bytes) detail::throw_cache_full((first + now) * chunk, size(), max_bytes);
    }
  }
  std::int64_t size() const { return static_cast<std::int64_t>(samples_.size()); }
  SampleOf<Base> get(std::int64_t index, Rng& /*rng*/) const { return at(index); }
  Batch gather(std::span<const std::int64_t> indices) const {
    detail::BatchBuilder batch(static_cast<std::int64_t>(indices.size()));
    for (const std::int64_t index : indices) {
      const auto& sample = at(index);
      batch.add(index, sample.data, static_cast<std::int64_t>(sample.label));
    }
    return std::move(batch).finish();
  }
  /// Memory of the samples' data.
  std::int64_t size_bytes() const { return bytes_; }

 private:
  const SampleOf<Base>& at(std::int64_t index) const {
    if (index < 0 || index >= size()) [[unlikely]]
      detail::throw_sample_index("cache", index, size());
    return samples_[static_cast<std::size_t>(index)];
  }

  std::vector<SampleOf<Base>> samples_;
  std::int64_t bytes_ = 0;
};

/// The samples of these numbers, in that order; a number may come twice. @throws DataError for one out of range, when
/// applied.
inline auto subset(std::vector<std::int64_t> indices) {
  return Adaptor{
      [indices = std::move(indices)]<Dataset D>(D dataset) { return SubsetDataset<D>(std::move(dataset), indices); }};
}

/// All but the first `count` samples. @throws DataError if count < 0 or there are fewer, when applied.
inline auto skip(std::int64_t count) {
  return Adaptor{[count]<Dataset D>(D dataset) {
    const auto size = static_cast<std::int64_t>(dataset.size());
    if (count < 0 || count > size) {
      throw DataError(concat("skip: expects 0 to ", size, " samples to pass over, got ", count));
    }
    std::vector<std::int64_t> kept;
    for (std::int64_t i = count; i < size; ++i) kept.push_back(i);
    return SubsetDataset<D>(std::move(dataset), kept);
  }};
}

/// The samples for which keep(sample) is true. All are read once, when applied, on all threads; what is random in them
/// comes from one fixed seed. `keep` is called by several threads at a time.
template <class F>
auto filter(F keep) {
  return Adaptor{[keep = std::move(keep)]<Dataset D>(D dataset) {
    const auto size = static_cast<std::int64_t>(dataset.size());
    std::vector<std::uint8_t> keeps(static_cast<std::size_t>(size));
    parallel_for(size, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        Rng own = Rng().split(static_cast<std::uint64_t>(i));
        keeps[static_cast<std::size_t>(i)] = keep(std::as_const(dataset).get(i, own)) ? 1 : 0;
      }
    });
    std::vector<std::int64_t> kept;
    for (std::int64_t i = 0; i < size; ++i) {
      if (keeps[static_cast<std::size_t>(i)]) kept.push_back(i);
    }
    return SubsetDataset<D>(std::move(dataset), kept);
  }};
}

/// The samples in one random order, the same in each epoch; a DataLoader draws a new order each epoch by itself.
inline auto shuffle(std::uint64_t seed) {
  return Adaptor{[seed]<Dataset D>(D dataset) {
    const std::vector<std::int64_t> order = Rng(seed).permutation(static_cast<std::int64_t>(dataset.size()));
    return SubsetDataset<D>(std::move(dataset), order);
  }};
}

/// All samples, `times` times over: one epoch is then so many. What is random in a sample differs between them.
/// @throws DataError unless times >= 1, when applied.
inline auto repeat(std::int64_t times) {
  return Adaptor{[times]<Dataset D>(D dataset) { return RepeatedDataset<D>(std::move(dataset), times); }};
}

/// Reads all samples, when applied, on all threads, and keeps them in memory as get() gave them (bytes stay bytes);
/// what is random in them is drawn once, so augment behind the cache. @throws DataError beyond `max_bytes`.
inline auto cache(std::int64_t max_bytes = std::int64_t{4} << 30) {
  return Adaptor{[max_bytes]<Dataset D>(const D& dataset) { return CachedDataset<D>(dataset, max_bytes); }};
}

/// The samples of all data sets, one data set after the other; they have one type of sample. Batches may mix them.
template <Dataset First, Dataset... Rest>
auto concatenate(First first, Rest... rest) {
  static_assert((std::same_as<SampleOf<First>, SampleOf<Rest>> && ...),
                "concatenate: all data sets must return the same type of sample; see map()");
  return ConcatenatedDataset<First, Rest...>(std::move(first), std::move(rest)...);
}

/// Sample i is f(a's sample i, b's sample i), which must be a sample (`data`, `label`); f is called by several threads.
/// @throws DataError if the sizes differ.
template <Dataset A, Dataset B, class F>
auto zip(A a, B b, F f) {
  return ZippedDataset<A, B, F>(std::move(a), std::move(b), std::move(f));
}

/// The end of a chain: a DataLoader of these options.
inline auto batch(const LoaderOptions& options = {}) {
  return Adaptor{[options]<Dataset D>(D dataset) { return DataLoader<D>(std::move(dataset), options); }};
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/combinators_impl.hpp>
#endif
