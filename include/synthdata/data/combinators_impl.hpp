// synthdata/data/combinators_impl.hpp: bodies of data/combinators.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/combinators.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE Tensor sample_numbers(std::span<const std::int64_t> indices, std::int64_t size) {
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= size) throw_sample_index("subset", index, size);
  }
  return Tensor::from(indices, {static_cast<std::int64_t>(indices.size())}, Device::cpu());
}

SYNTHDATA_INLINE void place_rows(Batch& batch, std::int64_t count, std::span<const std::int64_t> places,
                                 const Batch& part) {
  if (!batch.data.defined()) batch.data = Tensor::empty(part.data.shape().with(0, count), DType::f32, Device::cpu());
  if (batch.data.shape().erase(0) != part.data.shape().erase(0)) {
    throw DataError(concat("concatenate: all samples of a batch must have the same shape, got ",
                           batch.data.shape().erase(0), " and ", part.data.shape().erase(0)));
  }
  if (part.labels.defined() && !batch.labels.defined()) {
    batch.labels = Tensor::full({count}, -1.0, DType::i64, Device::cpu());
  }
  const std::int64_t width = batch.data.size() / count;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (width) {
      std::memcpy(batch.data.data<float>() + places[i] * width, part.data.data<float>() + row * width,
                  static_cast<std::size_t>(width) * sizeof(float));
    }
    if (part.labels.defined()) {
      batch.labels.data<std::int64_t>()[places[i]] = part.labels.data<std::int64_t>()[row];
    }
  }
}

SYNTHDATA_INLINE std::int64_t repeated_size(std::int64_t size, std::int64_t times) {
  std::int64_t all = 0;
  if (times < 1 || __builtin_mul_overflow(size, times, &all)) {
    throw DataError(concat("repeat: expects 1 or more times, within 64 bits, got ", times, " of ", size, " samples"));
  }
  return all;
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_cache_full(std::int64_t index, std::int64_t size, std::int64_t max_bytes) {
  throw DataError(concat("cache: sample ", index < size ? index : size, " of ", size,
                         " and those before it take more than ", max_bytes, " bytes, which is the limit given"));
}

}  // namespace synthdata::detail
