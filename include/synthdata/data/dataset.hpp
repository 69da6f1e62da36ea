// synthdata/data/dataset.hpp: what a data set, an augmenter and a source of batches are.
//
// A data set is any type with size() and get(index, rng). get() is const and may be called by several threads at a
// time; all its randomness comes from the given generator, so a sample depends on (seed, epoch, index) only.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

namespace synthdata {

/// One record. A data set may use a type of its own with these two members and more.
struct Sample {
  Tensor data;              ///< f32 or u8, any shape; images are [H, W, C]
  std::int64_t label = -1;  ///< class 0, 1, ...; -1 when there is none
};

/// Records stacked along a new first axis.
struct Batch {
  Tensor data;       ///< [N, ...] f32
  Tensor labels;     ///< [N] i64; undefined when no sample has a label
  Tensor lengths{};  ///< [N] i64, of padded sequences [N, T, ...]; undefined otherwise

  /// What Tensor does by these names, for all three.
  Batch to(Device device) const { return {data.to(device), labels.to(device), lengths.to(device)}; }
  Batch send_ahead(Device device) const {
    return {data.send_ahead(device), labels.send_ahead(device), lengths.send_ahead(device)};
  }
  void arrived() const {
    for (const Tensor* part : {&data, &labels, &lengths}) part->arrived();
  }
};

/// The interval that values lie in, ends included.
struct ValueRange {
  float low = 0.0f, high = 1.0f;

  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

/// Where a source of batches stands: everything needed to continue with the very same batches.
struct SourceState {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::int64_t position = 0;  ///< samples of this epoch already handed out

  friend bool operator==(const SourceState&, const SourceState&) = default;
};

/// Has `Tensor data` and an integral `label`.
template <class S>
concept SampleLike = requires(const S& sample) {
  { sample.data } -> std::convertible_to<const Tensor&>;
  { sample.label } -> std::convertible_to<std::int64_t>;
};

/// `std::int64_t size() const`
template <class D>
concept HasSize = requires(const D& dataset) {
  { dataset.size() } -> std::integral;
};
/// `get(std::int64_t index, Rng& rng) const`
template <class D>
concept HasGet = requires(const D& dataset, std::int64_t index, Rng& rng) { dataset.get(index, rng); };
/// get() returns a SampleLike.
template <class D>
concept GetsSample = requires(const D& dataset, std::int64_t index, Rng& rng) {
  { dataset.get(index, rng) } -> SampleLike;
};

/// Samples numbered 0 ... size() - 1.
template <class D>
concept Dataset = HasSize<D> && HasGet<D> && GetsSample<D> && std::move_constructible<D>;

/// A data set that also assembles whole batches, faster than sample by sample, with the same result as get().
/// Only for data sets whose get() draws no random numbers. The loader uses it when it is there.
template <class D>
concept GathersBatches = Dataset<D> && requires(const D& dataset, std::span<const std::int64_t> indices) {
  { dataset.gather(indices) } -> std::same_as<Batch>;
};

/// The type that get() of a data set returns.
template <HasGet D>
using SampleOf = std::remove_cvref_t<decltype(std::declval<const D&>().get(std::int64_t{0}, std::declval<Rng&>()))>;

/// `operator()(S sample, Rng& rng) const`
template <class A, class S = Sample>
concept TakesSampleAndRng = requires(const A& augmenter, S sample, Rng& rng) { augmenter(std::move(sample), rng); };
/// The call returns a sample of the type it was given.
template <class A, class S = Sample>
concept ReturnsSample = requires(const A& augmenter, S sample, Rng& rng) {
  { augmenter(std::move(sample), rng) } -> std::convertible_to<S>;
};

/// Changes a sample at random. Called by several threads at a time.
template <class A, class S = Sample>
concept Augmenter = TakesSampleAndRng<A, S> && ReturnsSample<A, S> && std::move_constructible<A>;

/// Changes a tensor at random: `Tensor operator()(Tensor sample, Rng& rng) const`.
template <class A>
concept TensorAugmenter = std::move_constructible<A> && requires(const A& augmenter, Tensor x, Rng& rng) {
  { augmenter(std::move(x), rng) } -> std::convertible_to<Tensor>;
};

/// `Batch next()`
template <class B>
concept HasNext = requires(B& source) {
  { source.next() } -> std::same_as<Batch>;
};
/// `SourceState state() const`
template <class B>
concept HasState = requires(const B& source) {
  { source.state() } -> std::same_as<SourceState>;
};
/// `void restore(const SourceState&)`
template <class B>
concept HasRestore = requires(B& source, const SourceState& state) { source.restore(state); };

/// An endless stream of batches that resumes exactly: restore(state()) repeats what next() would have given.
template <class B>
concept BatchSource = HasNext<B> && HasState<B> && HasRestore<B>;

/// True for a Dataset; for another type the compiler stops with a sentence that names what is missing.
template <class D>
consteval bool require_dataset() {
  static_assert(HasSize<D>, "not a Dataset: it lacks `std::int64_t size() const`");
  static_assert(HasGet<D>, "not a Dataset: it lacks `Sample get(std::int64_t index, Rng& rng) const`");
  static_assert(
      !HasGet<D> || GetsSample<D>,
      "not a Dataset: get(index, rng) must return a type with members `Tensor data` and `std::int64_t label`");
  static_assert(std::move_constructible<D>,
                "not a Dataset: it cannot be moved, and adaptors and loaders hold it by value");
  return Dataset<D>;
}

/// The same for an Augmenter of samples of type S.
template <class A, class S = Sample>
consteval bool require_augmenter() {
  static_assert(TakesSampleAndRng<A, S>, "not an Augmenter: it lacks `operator()(Sample sample, Rng& rng) const`");
  static_assert(!TakesSampleAndRng<A, S> || ReturnsSample<A, S>,
                "not an Augmenter: operator()(sample, rng) must return the type of sample it is given");
  static_assert(std::move_constructible<A>, "not an Augmenter: it cannot be moved, and data sets hold it by value");
  return Augmenter<A, S>;
}

/// The same for a BatchSource.
template <class B>
consteval bool require_batch_source() {
  static_assert(HasNext<B>, "not a BatchSource: it lacks `Batch next()`");
  static_assert(HasState<B>, "not a BatchSource: it lacks `SourceState state() const`");
  static_assert(HasRestore<B>, "not a BatchSource: it lacks `void restore(const SourceState&)`");
  return BatchSource<B>;
}

}  // namespace synthdata
