// synthdata/optim/gradient_buckets_impl.hpp: bodies of optim/gradient_buckets.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/optim/gradient_buckets.hpp>

namespace synthdata {
namespace detail {
/// Gradients start at multiples of so many elements: kernels load whole lines.
inline std::int64_t bucket_room(std::int64_t count) { return (count + 15) / 16 * 16; }
}  // namespace detail

SYNTHDATA_INLINE GradientBuckets::GradientBuckets(Communicator& communicator, std::size_t count,
                                                  std::int64_t bucket_bytes)
    : communicator_(communicator), bucket_bytes_(bucket_bytes), added_(count, false) {}

SYNTHDATA_INLINE GradientBuckets::~GradientBuckets() {
  if (sent_.empty()) return;
  try {
    communicator_.wait();  // a GPU may still write to the buckets
  } catch (...) {          // the communicator has failed; whoever uses it next is told
  }
}

SYNTHDATA_INLINE void GradientBuckets::add(std::size_t i, const Tensor& gradient) {
  added_[i] = true;
  if (!filling_.empty() && filling_[0].gradient.dtype() != gradient.dtype()) send();
  filling_.push_back({i, gradient});
  filled_bytes_ += gradient.size_bytes();
  if (filled_bytes_ >= bucket_bytes_) send();
}

SYNTHDATA_INLINE void GradientBuckets::send() {
  std::int64_t size = 0;
  for (const Entry& e : filling_) size += detail::bucket_room(e.gradient.size());
  const Tensor& first = filling_[0].gradient;
  Bucket bucket{Tensor::zeros({size}, first.dtype(), first.device()), std::move(filling_)};
  std::int64_t at = 0;
  for (Entry& e : bucket.entries) {
    const std::int64_t end = at + e.gradient.size();
    Tensor place = bucket.all.rows(at, end).reshape(e.gradient.shape());
    place.copy_elements(e.gradient);
    e.gradient = place;
    at = detail::bucket_room(end);
  }
  filling_.clear();
  filled_bytes_ = 0;
  sent_.push_back(std::move(bucket));
  communicator_.start(sent_.back().all, Reduction::mean);
}

SYNTHDATA_INLINE void GradientBuckets::finish(std::vector<Tensor>& gradients) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!added_[i]) add(i, gradients[i]);
  }
  if (!filling_.empty()) send();
  communicator_.wait();
  for (const Bucket& bucket : sent_) {
    for (const Entry& e : bucket.entries) gradients[e.number] = e.gradient;
  }
  sent_.clear();
}

}  // namespace synthdata
