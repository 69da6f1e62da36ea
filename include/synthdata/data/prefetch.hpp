// synthdata/data/prefetch.hpp: batches of any source made ahead by a thread, such as those of a stream of tables.
//
// A DataLoader has threads of its own and needs none of this.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/device.hpp>
#include <synthdata/core/owned.hpp>
#include <synthdata/data/dataset.hpp>

namespace synthdata {

namespace detail {

/// A source of batches of any type.
class AnySource {
 public:
  virtual ~AnySource() = default;
  virtual Batch next() = 0;
  virtual SourceState state() const = 0;
  virtual void restore(const SourceState& state) = 0;
};
template <BatchSource Source>
class HeldSource final : public AnySource {
 public:
  explicit HeldSource(Source source) : source_(std::move(source)) {}
  Batch next() override { return source_.next(); }
  SourceState state() const override { return source_.state(); }
  void restore(const SourceState& state) override { source_.restore(state); }

 private:
  Source source_;
};

class PrefetchEngine {
 public:
  PrefetchEngine(Owned<AnySource> source, int batches, Device device);
  PrefetchEngine(PrefetchEngine&&) noexcept;
  PrefetchEngine& operator=(PrefetchEngine&&) noexcept;
  ~PrefetchEngine();

  Batch next();
  SourceState state() const;
  void restore(const SourceState& state);

 private:
  struct Impl;
  Owned<Impl> impl_;
};

}  // namespace detail

/// The batches of a source, up to `batches` of them made ahead by one thread, which starts at the first next(), and
/// brought to a GPU, `device`, beside its work (give it here, not to the source). A BatchSource itself: state() is that
/// of the batches taken, not of those made ahead. An exception of the source comes out of next() in its batch's place;
/// the next call asks the source again. It can be moved, not copied.
///   Prefetched batches(TableBatches(open, samples));
template <BatchSource Source>
class Prefetched {
 public:
  /// @throws DataError unless 1 <= batches <= 65536
  explicit Prefetched(Source source, int batches = 4, Device device = Device::cpu())
      : engine_(detail::Owned<detail::AnySource>(new detail::HeldSource<Source>(std::move(source))), batches, device) {}

  Batch next() { return engine_.next(); }
  SourceState state() const { return engine_.state(); }
  void restore(const SourceState& state) { engine_.restore(state); }

 private:
  detail::PrefetchEngine engine_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/prefetch_impl.hpp>
#endif
