// synthdata/core/communicator_impl.hpp: ranks that are threads of this process.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/communicator.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE void check_reduced(const Tensor& x) {
  if (!x.defined() || !is_floating(x.dtype())) {
    throw DTypeError(concat("Communicator: expects f32 or f64 to sum over ranks, got ", x.str()));
  }
}

/// Where the ranks of one process meet.
class RankTable {
 public:
  /// What a rank brings to a call.
  struct Part {
    std::string call;  // "sum of [3] f32"
    Tensor* x = nullptr;
  };

  RankTable(int ranks, double timeout_s)
      : parts(static_cast<std::size_t>(ranks)), here_(parts.size(), false), timeout_s_(timeout_s) {}

  /// Returns when all ranks are here. What each wrote before, all may read after.
  void meet(int rank) {
    std::unique_lock lock(mutex_);
    throw_failure(rank);
    here_[static_cast<std::size_t>(rank)] = true;
    if (std::find(here_.begin(), here_.end(), false) == here_.end()) {
      std::fill(here_.begin(), here_.end(), false);
      ++meetings_;
      met_.notify_all();
      return;
    }
    const auto over = [this, number = meetings_] { return meetings_ != number; };
    met_.wait_for(lock, std::chrono::duration<double>(timeout_s_), [&] { return over() || !failure_.empty(); });
    if (over()) return;
    if (failure_.empty()) {
      failure_ = concat(parts[static_cast<std::size_t>(rank)].call, " waited ", timeout_s_, " s for rank");
      for (std::size_t r = 0; r < here_.size(); ++r) {
        if (!here_[r]) failure_ += concat(" ", r);
      }
      met_.notify_all();
    }
    throw_failure(rank);
  }

  /// All other ranks stop at their next meeting, or in the one they are at. The first failure counts.
  /// True if this is it.
  bool fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) return false;
    failure_ = why;
    met_.notify_all();
    return true;
  }

  std::vector<Part> parts;  // of each rank; written before a meeting, read after

 private:
  void throw_failure(int rank) const {
    if (!failure_.empty()) throw Error(concat("rank ", rank, " of ", here_.size(), " stopped: ", failure_));
  }

  std::mutex mutex_;
  std::condition_variable met_;
  std::vector<bool> here_;
  std::uint64_t meetings_ = 0;
  std::string failure_;
  double timeout_s_;
};

/// Elements [begin, end) of all ranks' tensors are replaced by their sum times `factor`, made in f64 in order of rank.
template <class T>
void reduce_part(const std::vector<RankTable::Part>& parts, std::int64_t begin, std::int64_t end, double factor) {
  constexpr std::int64_t block = 256;
  double sum[block];
  for (std::int64_t from = begin; from < end; from += block) {
    const std::int64_t count = std::min(block, end - from);
    std::fill(sum, sum + count, 0.0);
    for (const RankTable::Part& part : parts) {
      const T* x = part.x->data<T>() + from;
      for (std::int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(x[i]);
    }
    for (const RankTable::Part& part : parts) {
      T* x = part.x->data<T>() + from;
      for (std::int64_t i = 0; i < count; ++i) x[i] = static_cast<T>(sum[i] * factor);
    }
  }
}

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(int rank, int size, RankTable& table) : Communicator(rank, size, Device::cpu()), table_(table) {}

  void start(Tensor& x, Reduction how) override {
    check_reduced(x);
    Tensor near = x.to(Device::cpu());
    meet_with(near, how == Reduction::sum ? "sum" : "mean");
    const std::int64_t begin = x.size() * rank() / size(), end = x.size() * (rank() + 1) / size();
    visit_floating(x.dtype(), "reduce", [&]<class T>() {
      reduce_part<T>(table_.parts, begin, end, how == Reduction::sum ? 1.0 : 1.0 / size());
    });
    table_.meet(rank());
    if (!x.device().is_cpu()) x.copy_elements(near);
  }
  void wait() override {}
  void broadcast(Tensor& x) override {
    Tensor near = x.to(Device::cpu());
    meet_with(near, "broadcast");
    if (rank() != 0) near.copy_elements(*table_.parts[0].x);
    table_.meet(rank());
    if (rank() != 0 && !x.device().is_cpu()) x.copy_elements(near);
  }

 private:
  void meet_with(Tensor& x, const char* call) {
    const auto& parts = table_.parts;
    table_.parts[static_cast<std::size_t>(rank())] = {concat(call, " of ", x.str()), &x};
    table_.meet(rank());
    for (std::size_t r = 1; r < parts.size();
         ++r) {  // of the others only the text: they may be gone with their tensors
      if (parts[r].call != parts[0].call) {
        throw Error(concat("Communicator: ranks make different calls\n  rank 0 ", parts[0].call, "\n  rank ", r, " ",
                           parts[r].call));
      }
    }
  }

  RankTable& table_;
};

SYNTHDATA_INLINE void run_ranks(int ranks, double timeout_s, void (*call)(void*, Communicator&), void* f) {
  if (ranks < 1) throw Error(concat("run_ranks: expects at least one rank, got ", ranks));
  RankTable table(ranks, timeout_s);
  std::mutex mutex;
  std::exception_ptr first;  // the cause, rather than what followed from it
  const auto fail = [&](const std::string& why) {
    const bool cause = table.fail(why);
    const std::lock_guard lock(mutex);
    if (cause || !first) first = std::current_exception();
  };
  const auto run = [&](int rank) {
    ThreadCommunicator own(rank, ranks, table);
    try {
      call(f, own);
      table.parts[static_cast<std::size_t>(rank)] = {"the end", nullptr};
      table.meet(rank);  // a rank that ends early is noticed by those that go on
    } catch (const std::exception& e) {
      fail(concat("rank ", rank, " failed: ", e.what()));
    } catch (...) {
      fail(concat("rank ", rank, " failed"));
    }
  };
  std::vector<std::thread> others;
  for (int rank = 1; rank < ranks; ++rank) others.emplace_back(run, rank);
  run(0);
  for (std::thread& thread : others) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace detail

SYNTHDATA_INLINE synthdata::detail::Owned<Communicator> cuda::communicator(Device device,
                                                                           const Rendezvous& rendezvous) {
  if (!&synthdata_nccl_communicator) {
    throw DeviceError(
        "cuda::communicator: this program was linked without NCCL (compile the CUDA backend with SYNTHDATA_NCCL=1 and "
        "link nccl)");
  }
  if (device.is_cpu()) throw DeviceError("cuda::communicator: expects a GPU, got cpu");
  return synthdata::detail::Owned<Communicator>(synthdata_nccl_communicator(device.index, &rendezvous));
}

}  // namespace synthdata
