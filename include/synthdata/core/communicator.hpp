// synthdata/core/communicator.hpp: sums over the ranks of a training run that is spread over several devices.
//
// Each rank has its own copy of the nets and its own data. Every rank must make the same calls in the same order: the
// n-th call of one rank meets the n-th of all others. All ranks get the same bits.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/core/rendezvous.hpp>
#include <synthdata/core/tensor.hpp>

namespace synthdata {

enum class Reduction { sum, mean };

/// One rank's end of the line to all others. It belongs to one thread.
/// All calls throw Error (DeviceError from a GPU) if another rank has failed or does not answer in time.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Where this rank's tensors are expected.
  Device device() const { return device_; }

  /// Begins to replace x, f32 or f64, by its sum or mean over all ranks. Until wait(), x must be left alone and alive.
  virtual void start(Tensor& x, Reduction how) = 0;
  /// What this rank does from here on sees the results of all that was started. Does not wait for a GPU.
  virtual void wait() = 0;
  /// Replaces x, of any dtype, by that of rank 0.
  virtual void broadcast(Tensor& x) = 0;

  void reduce(Tensor& x, Reduction how) {
    start(x, how);
    wait();
  }
  /// The sum or mean of a number; waits for the device.
  double reduce(double x, Reduction how) {
    Tensor one = Tensor::scalar(x, DType::f64, device_);
    reduce(one, how);
    return one.item();
  }
  /// Returns when all ranks have called it.
  void barrier() { reduce(0.0, Reduction::sum); }

 protected:
  Communicator(int rank, int size, Device device) : rank_(rank), size_(size), device_(device) {}

 private:
  int rank_, size_;
  Device device_;
};

namespace detail {
/// @throws DTypeError unless x is f32 or f64.
void check_reduced(const Tensor& x);
void run_ranks(int ranks, double timeout_s, void (*call)(void* f, Communicator& ranks), void* f);
}  // namespace detail

/// Calls f(Communicator&) for ranks 0 ... n - 1, each on a thread of its own, and waits for all. Sums run in the order
/// of the ranks, so a run can be repeated bit for bit. Tensors of a GPU go through the host; use cuda::communicator().
/// @param timeout_s  how long a rank waits for the others
/// @throws what the first rank to fail threw; the others are then stopped at their next call.
template <class F>
void run_ranks(int ranks, F&& f, double timeout_s = 60.0) {
  using Closure = std::remove_reference_t<F>;
  detail::run_ranks(
      ranks, timeout_s, [](void* closure, Communicator& one) { (*static_cast<Closure*>(closure))(one); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

namespace cuda {
/// The communicator of a rank that trains on `device`, by NCCL: one GPU for each rank, which is a process or a thread.
/// Returns when all ranks are there.
/// @throws DeviceError if the program was linked without NCCL, if ranks are missing at the end of the rendezvous,
/// naming them, or for what NCCL reports.
synthdata::detail::Owned<Communicator> communicator(Device device,
                                                    const Rendezvous& rendezvous = rendezvous_from_environment());
}  // namespace cuda

}  // namespace synthdata

/// Defined by a CUDA translation unit that was compiled with SYNTHDATA_NCCL=1.
extern "C" [[gnu::weak]] synthdata::Communicator* synthdata_nccl_communicator(int device_index,
                                                                              const synthdata::Rendezvous* rendezvous);

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/communicator_impl.hpp>
#endif
