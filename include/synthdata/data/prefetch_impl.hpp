// synthdata/data/prefetch_impl.hpp: bodies of data/prefetch.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/prefetch.hpp>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace synthdata::detail {

struct PrefetchEngine::Impl {
  struct Made {
    Batch batch;
    std::exception_ptr error;
    SourceState after;
  };

  Impl(Owned<AnySource> s, int batches, Device where)
      : source(std::move(s)), most(static_cast<std::size_t>(batches)), device(where) {
    if (batches < 1 || batches > 65536) {
      throw DataError(concat("Prefetched: expects 1 to 65536 batches ahead, got ", batches));
    }
    taken = source->state();
  }
  ~Impl() { stop(); }

  /// Lets the thread finish the batch it is at, and drops what was made ahead.
  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    if (thread.joinable()) thread.join();
    ready.clear();
    stopping = false;
  }

  void work() {
    for (;;) {
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopping || ready.size() < most; });
        if (stopping) return;
      }
      Made made;
      try {
        made.batch = source->next();
        if (!device.is_cpu()) made.batch = made.batch.send_ahead(device);
        made.after = source->state();
      } catch (...) {
        made.error = std::current_exception();
      }
      const bool failed = made.error != nullptr;
      {
        const std::lock_guard lock(mutex);
        ready.push_back(std::move(made));
      }
      changed.notify_all();
      if (failed) return;  // the source is asked again when somebody wants to know
    }
  }

  Batch next() {
    if (!thread.joinable()) thread = std::thread([this] { work(); });
    Made got;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !ready.empty(); });
      got = std::move(ready.front());
      ready.pop_front();
    }
    changed.notify_all();
    if (got.error) {
      thread.join();  // it has ended: nothing is made behind an error
      std::rethrow_exception(std::move(got.error));
    }
    got.batch.arrived();
    taken = got.after;
    return std::move(got.batch);
  }

  const Owned<AnySource> source;  // the thread's, while it runs
  const std::size_t most;
  const Device device;
  SourceState taken;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<Made> ready;
  bool stopping = false;
  std::thread thread;
};

SYNTHDATA_INLINE PrefetchEngine::PrefetchEngine(Owned<AnySource> source, int batches, Device device)
    : impl_(new Impl(std::move(source), batches, device)) {}
SYNTHDATA_INLINE PrefetchEngine::PrefetchEngine(PrefetchEngine&&) noexcept = default;
SYNTHDATA_INLINE PrefetchEngine& PrefetchEngine::operator=(PrefetchEngine&&) noexcept = default;
SYNTHDATA_INLINE PrefetchEngine::~PrefetchEngine() = default;

SYNTHDATA_INLINE Batch PrefetchEngine::next() { return impl_->next(); }
SYNTHDATA_INLINE SourceState PrefetchEngine::state() const { return impl_->taken; }
SYNTHDATA_INLINE void PrefetchEngine::restore(const SourceState& state) {
  impl_->stop();
  // the source may be ahead of what was taken: should it refuse the new place, it goes on from the old one
  impl_->source->restore(impl_->taken);
  impl_->source->restore(state);
  impl_->taken = impl_->source->state();
}

}  // namespace synthdata::detail
