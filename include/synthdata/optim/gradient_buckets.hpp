// synthdata/optim/gradient_buckets.hpp: gradients averaged over ranks while the backward pass still makes others.
//
// Gradients are packed into buckets in the order in which they become complete, which is the same on every rank as long
// as all build the same graph. A full bucket is sent at once. Source: Li et al. 2020, arXiv:2006.15704, section 3.2.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/communicator.hpp>

#include <vector>

namespace synthdata {

class GradientBuckets {
 public:
  /// For the gradients of one update, numbered 0 ... count - 1.
  GradientBuckets(Communicator& communicator, std::size_t count, std::int64_t bucket_bytes);
  /// Waits for what was sent, should the update have been given up.
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  /// Gradient i is complete.
  void add(std::size_t i, const Tensor& gradient);
  /// Puts the means over all ranks in the place of the gradients. Those never added count as they are here.
  void finish(std::vector<Tensor>& gradients);

  /// Buckets sent so far.
  std::size_t sent() const { return sent_.size(); }

 private:
  struct Entry {
    std::size_t number;
    Tensor gradient;
  };
  struct Bucket {
    Tensor all;  // the gradients one after the other, each on a line of its own
    std::vector<Entry> entries;
  };
  void send();

  Communicator& communicator_;
  std::int64_t bucket_bytes_, filled_bytes_ = 0;
  std::vector<bool> added_;
  std::vector<Entry> filling_;
  std::vector<Bucket> sent_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/optim/gradient_buckets_impl.hpp>
#endif
