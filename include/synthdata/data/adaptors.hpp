// synthdata/data/adaptors.hpp: data sets made from data sets: `digits | take(100) | random_flip(0.5f)`.
//
// An adaptor holds its base by value and is a data set itself. All randomness comes from the generator of the sample,
// so what a chain yields depends neither on threads nor on the order of reading.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/dataset.hpp>

namespace synthdata {

/// What stands on the right of `dataset | ...`: a function from a data set to a data set.
template <class Make>
struct Adaptor {
  Make make;
};
template <class Make>
Adaptor(Make) -> Adaptor<Make>;

/// Applies an adaptor. The left side is copied or moved in. Not a Dataset? The error names what it lacks.
template <class D, class Make>
auto operator|(D&& dataset, const Adaptor<Make>& adaptor) {
  static_assert(require_dataset<std::remove_cvref_t<D>>());
  return adaptor.make(std::remove_cvref_t<D>(std::forward<D>(dataset)));
}

namespace detail {
/// @throws NumericError unless 0 <= probability <= 1.
void check_random_flip(float probability);
/// @throws NumericError unless from.low < from.high.
void check_scale(ValueRange from);
[[noreturn]] void throw_sample_index(const char* where, std::int64_t index, std::int64_t size);
Tensor scale_sample(const Tensor& x, ValueRange from, ValueRange to);
Tensor mirror_columns(const Tensor& image);
}  // namespace detail

/// Each sample passed through f, which must be callable by several threads at a time. See map().
template <Dataset Base, class F>
class MappedDataset {
 public:
  MappedDataset(Base base, F f) : base_(std::move(base)), f_(std::move(f)) {}
  std::int64_t size() const { return static_cast<std::int64_t>(base_.size()); }
  auto get(std::int64_t index, Rng& rng) const { return f_(base_.get(index, rng)); }

 private:
  Base base_;
  F f_;
};

/// Each sample passed through an augmenter with its generator. See augment().
template <Dataset Base, Augmenter<SampleOf<Base>> A>
class AugmentedDataset {
 public:
  AugmentedDataset(Base base, A augmenter) : base_(std::move(base)), augmenter_(std::move(augmenter)) {}
  std::int64_t size() const { return static_cast<std::int64_t>(base_.size()); }
  SampleOf<Base> get(std::int64_t index, Rng& rng) const { return augmenter_(base_.get(index, rng), rng); }

 private:
  Base base_;
  A augmenter_;
};

/// The first samples of a data set. See take().
template <Dataset Base>
class TakenDataset {
 public:
  TakenDataset(Base base, std::int64_t count) : base_(std::move(base)), size_(static_cast<std::int64_t>(base_.size())) {
    if (count < 0) throw DataError(concat("take: expects a count >= 0, got ", count));
    if (count < size_) size_ = count;
  }
  std::int64_t size() const { return size_; }
  SampleOf<Base> get(std::int64_t index, Rng& rng) const {
    check(index);
    return base_.get(index, rng);
  }
  Batch gather(std::span<const std::int64_t> indices) const
    requires GathersBatches<Base>
  {
    for (const std::int64_t index : indices) check(index);
    return base_.gather(indices);
  }

 private:
  void check(std::int64_t index) const {
    if (index < 0 || index >= size_) [[unlikely]]
      detail::throw_sample_index("take", index, size_);
  }

  Base base_;
  std::int64_t size_;
};

/// Every n-th sample of a data set. See shard().
template <Dataset Base>
class ShardedDataset {
 public:
  ShardedDataset(Base base, std::int64_t rank, std::int64_t ranks)
      : base_(std::move(base)), rank_(rank), ranks_(ranks), size_(0) {
    if (ranks < 1 || rank < 0 || rank >= ranks) {
      throw DataError(concat("shard: expects 0 <= rank < ranks, got rank ", rank, " of ", ranks));
    }
    size_ = static_cast<std::int64_t>(base_.size()) / ranks;
  }
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
      detail::throw_sample_index("shard", index, size_);
    return index * ranks_ + rank_;
  }

  Base base_;
  std::int64_t rank_, ranks_, size_;
};

/// map(f): sample f(sample). The result must be a sample again (`data`, `label`), of any type.
template <class F>
auto map(F f) {
  return Adaptor{[f = std::move(f)]<Dataset D>(D dataset) {
    static_assert(
        requires(const F& g, SampleOf<D> s) {
          { g(std::move(s)) } -> SampleLike;
        }, "map(f): f(sample) must be callable as const and return a type with `Tensor data` and `label`");
    return MappedDataset<D, F>(std::move(dataset), f);
  }};
}

namespace detail {
/// An augmenter of tensors as one of samples: their `data` changes.
template <TensorAugmenter A>
struct OnData {
  A augmenter;

  template <SampleLike S>
  S operator()(S sample, Rng& rng) const {
    sample.data = augmenter(std::move(sample.data), rng);
    return sample;
  }
};

template <class A>
auto augment_samples(A augmenter) {
  return Adaptor{[augmenter = std::move(augmenter)]<Dataset D>(D dataset) {
    static_assert(require_augmenter<A, SampleOf<D>>());
    return AugmentedDataset<D, A>(std::move(dataset), augmenter);
  }};
}
}  // namespace detail

/// augment(a): a(sample, rng), a new outcome in each epoch, the same for the same seed, epoch and index. An augmenter
/// of tensors changes the samples' data.
template <class A>
auto augment(A augmenter) {
  if constexpr (TensorAugmenter<A>) {
    return augment(detail::OnData<A>{std::move(augmenter)});
  } else {
    return detail::augment_samples(std::move(augmenter));
  }
}

/// Mirrors an image [..., W, C] left-right with the given probability. An Augmenter.
struct RandomFlip {
  float probability = 0.5f;

  template <SampleLike S>
  S operator()(S sample, Rng& rng) const {
    if (rng.uniform() < probability) sample.data = detail::mirror_columns(sample.data);
    return sample;
  }
};
/// @throws NumericError unless 0 <= probability <= 1; ShapeError on reading a sample of fewer than two axes.
inline auto random_flip(float probability) {
  detail::check_random_flip(probability);
  return augment(RandomFlip{probability});
}

/// Maps values from one range to another; samples become f32.
inline auto scale(ValueRange from, ValueRange to) {
  detail::check_scale(from);
  return map([from, to]<SampleLike S>(S sample) {
    sample.data = detail::scale_sample(sample.data, from, to);
    return sample;
  });
}

/// Maps the values of a data set that knows their range, such as TensorDataset, to low ... high at no cost, and bytes
/// of any other from 0 ... 255.
/// @throws DTypeError on reading, DataError at once, if the range is not known: give it, scale({0, 1}, {-1, 1}).
inline auto scale(float low, float high) {
  const ValueRange to{low, high};
  return Adaptor{[to]<Dataset D>(D dataset) {
    if constexpr (requires { dataset.scaled(to); }) {
      return dataset.scaled(to);
    } else {
      return std::move(dataset) | map([to]<SampleLike S>(S sample) {
               if (sample.data.dtype() != DType::u8) {
                 throw DTypeError(concat("scale(low, high): expects u8 samples, got ", sample.data.str(),
                                         "; say where the values lie, scale({0, 1}, {-1, 1})"));
               }
               sample.data = detail::scale_sample(sample.data, {0.0f, 255.0f}, to);
               return sample;
             });
    }
  }};
}

/// The samples rank, rank + ranks, rank + 2 ranks, ...: one of `ranks` parts of equal size; up to ranks - 1 samples at
/// the end are in none. @throws DataError unless 0 <= rank < ranks, when applied.
inline auto shard(std::int64_t rank, std::int64_t ranks) {
  return Adaptor{[=]<Dataset D>(D dataset) { return ShardedDataset<D>(std::move(dataset), rank, ranks); }};
}

/// The first `count` samples, or all if there are fewer. @throws DataError if count < 0, when applied.
inline auto take(std::int64_t count) {
  return Adaptor{[count]<Dataset D>(D dataset) { return TakenDataset<D>(std::move(dataset), count); }};
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/adaptors_impl.hpp>
#endif
