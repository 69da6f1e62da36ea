// synthdata/backend/cuda/nccl.cuh: sums over GPUs by NCCL, one rank for each GPU. Needs nccl.h of NCCL 2.18 or newer.
//
// Sums run on a stream of their own, so that they go on beside the backward pass; events order them with the GPU's
// queue. A rank that hangs in a sum cannot be told to stop by an exception. So the communicator is of NCCL's
// non-blocking kind, and a thread watches: if another rank posts a failure in the folder of the rendezvous, NCCL
// reports one, or a sum takes too long, it aborts the communicator. That ends the sum with whatever is there, and the
// next call of this rank throws. A rank posts a failure when its communicator is destroyed by an exception.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/core/communicator.hpp>

#include <nccl.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace synthdata::cuda {

class NcclCommunicator final : public Communicator {
 public:
  /// Returns when all ranks are there.
  NcclCommunicator(int device_index, const Rendezvous& at)
      : Communicator(at.rank, at.size, {DeviceType::cuda, static_cast<std::uint8_t>(device_index)}),
        at_(at),
        exceptions_(std::uncaught_exceptions()) {
    const UseDevice use(device_index);
    ncclUniqueId id{};
    if (at.rank == 0 && ncclGetUniqueId(&id) != ncclSuccess) {
      throw CudaError(concat("ncclGetUniqueId: ", ncclGetLastError(nullptr)));
    }
    meeting_ = synthdata::detail::meet(at, to_hex(id));
    id = from_hex(meeting_.text);
    try {
      int least = 0, greatest = 0;
      check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
      // Others wait for a sum: it goes before this GPU's own work.
      check(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest), "cudaStreamCreateWithPriority");
      for (cudaEvent_t* event : {&ready_, &done_}) {
        check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
      }
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      run("joining the ranks", [&] { return ncclCommInitRankConfig(&comm_, at.size, id, at.rank, &config); });
      watcher_ = std::thread([this] { watch(); });
    } catch (const std::exception& e) {
      give_up(e.what());
      close();
      throw;
    }
  }

  ~NcclCommunicator() override {
    try {
      if (std::uncaught_exceptions() > exceptions_) {
        give_up("stopped by an exception");
      } else {
        const UseDevice use(device().index);
        run("leaving the ranks", [&] { return ncclCommFinalize(comm_); });  // when all ranks' sums are done
      }
    } catch (...) {  // another rank has failed, and said so
    }
    close();
  }

  void start(Tensor& x, Reduction how) override {
    synthdata::detail::check_reduced(x);
    enqueue("a sum", x, [&] {
      return ncclAllReduce(x.address(), x.address(), static_cast<std::size_t>(x.size()),
                           x.dtype() == DType::f64 ? ncclFloat64 : ncclFloat32,
                           how == Reduction::sum ? ncclSum : ncclAvg, comm_, stream_);
    });
  }

  void wait() override {
    if (!started_) return;
    started_ = false;
    const UseDevice use(device().index);
    const std::lock_guard lock(mutex_);
    throw_failure();
    check(cudaEventRecord(done_, stream_), "cudaEventRecord");
    check(cudaStreamWaitEvent(driver().queue(device().index).stream, done_, 0), "cudaStreamWaitEvent");
    waiting_ = true;
    since_ = Clock::now();
  }

  void broadcast(Tensor& x) override {
    enqueue("a broadcast", x, [&] {
      return ncclBroadcast(x.address(), x.address(), static_cast<std::size_t>(x.size_bytes()), ncclUint8, 0, comm_,
                           stream_);
    });
    wait();
  }

 private:
  using Clock = std::chrono::steady_clock;

  template <class Call>
  void enqueue(const char* what, const Tensor& x, const Call& call) {
    if (!(x.device() == device())) {
      throw DeviceError(concat("Communicator: this rank's tensors are expected on ", device(), ", got ", x.str()));
    }
    if (x.size() == 0) return;
    const UseDevice use(device().index);
    check(cudaEventRecord(ready_, driver().queue(device().index).stream), "cudaEventRecord");
    check(cudaStreamWaitEvent(stream_, ready_, 0), "cudaStreamWaitEvent");
    run(what, call);
    started_ = true;
  }

  /// Makes a call of NCCL and polls until it is under way.
  template <class Call>
  void run(const char* what, const Call& call) {
    std::unique_lock lock(mutex_);
    throw_failure();
    ncclResult_t result = call();
    const auto end = Clock::now() + timeout();
    while (result == ncclInProgress) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
      throw_failure();
      if (Clock::now() > end) fail(concat(what, ": ", waited_too_long()));
      throw_failure();
      const ncclResult_t asked = ncclCommGetAsyncError(comm_, &result);
      if (asked != ncclSuccess) result = asked;
    }
    if (result != ncclSuccess) fail(concat(what, ": ", ncclGetErrorString(result), ", ", ncclGetLastError(comm_)));
    throw_failure();
  }

  // Both with the lock held.
  void throw_failure() const {
    if (!failure_.empty()) throw CudaError(failure_);
  }
  /// The first failure counts.
  void fail(const std::string& why, bool from_here = true) {
    if (!failure_.empty()) return;
    failure_ = concat("rank ", rank(), " of ", size(), " stopped: ", why);
    if (from_here) synthdata::detail::post_failure(at_, meeting_, concat("rank ", rank(), ": ", why));
    if (comm_) ncclCommAbort(std::exchange(comm_, nullptr));
  }
  void give_up(const char* why) {
    const std::lock_guard lock(mutex_);
    fail(why);
  }

  std::chrono::duration<double> timeout() const { return std::chrono::duration<double>(at_.timeout_s); }
  std::string waited_too_long() const {
    return concat("not all ranks came within ", at_.timeout_s, " s; one has died or does something else");
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!closing_ && failure_.empty()) {
      wake_.wait_for(lock, std::chrono::milliseconds(100));
      lock.unlock();
      const std::string posted = synthdata::detail::posted_failure(at_, meeting_);
      lock.lock();
      if (closing_ || !failure_.empty()) return;
      ncclResult_t result = ncclSuccess;
      if (!posted.empty()) {
        fail(posted, false);
      } else if (ncclCommGetAsyncError(comm_, &result) == ncclSuccess && result != ncclSuccess &&
                 result != ncclInProgress) {
        fail(concat(ncclGetErrorString(result), ", ", ncclGetLastError(comm_)));
      } else if (waiting_) {
        waiting_ = cudaEventQuery(done_) == cudaErrorNotReady;
        cudaGetLastError();  // "not ready" is no error
        if (waiting_ && Clock::now() - since_ > timeout()) fail(waited_too_long());
      }
    }
  }

  void close() noexcept {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    if (watcher_.joinable()) watcher_.join();
    if (comm_) ncclCommDestroy(comm_);
    for (const cudaEvent_t event : {ready_, done_}) {
      if (event) cudaEventDestroy(event);
    }
    if (stream_) cudaStreamDestroy(stream_);
    synthdata::detail::leave(at_);
  }

  static std::string to_hex(const ncclUniqueId& id) {
    std::string text;
    for (const char c : id.internal) {
      text += static_cast<char>('a' + (static_cast<unsigned char>(c) >> 4));
      text += static_cast<char>('a' + (static_cast<unsigned char>(c) & 15));
    }
    return text;
  }
  static ncclUniqueId from_hex(const std::string& text) {
    ncclUniqueId id{};
    if (text.size() != 2 * sizeof(id.internal)) {
      throw CudaError("rendezvous: the id of rank 0 has another length; was it built with another NCCL?");
    }
    for (std::size_t i = 0; i < sizeof(id.internal); ++i) {
      id.internal[i] = static_cast<char>((text[2 * i] - 'a') << 4 | (text[2 * i + 1] - 'a'));
    }
    return id;
  }

  Rendezvous at_;
  int exceptions_;
  synthdata::detail::Meeting meeting_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t ready_ = nullptr, done_ = nullptr;
  bool started_ = false;

  std::mutex mutex_;  // of what follows, and of all calls with comm_
  ncclComm_t comm_ = nullptr;
  std::string failure_;
  bool closing_ = false, waiting_ = false;
  Clock::time_point since_;
  std::condition_variable wake_;
  std::thread watcher_;
};

}  // namespace synthdata::cuda
