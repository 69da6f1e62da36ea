// synthdata/backend/bag_impl.hpp: bodies of backend/bag.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/bag.hpp>
#include <synthdata/backend/copy_impl.hpp>
#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/core/parallel.hpp>

#include <algorithm>

namespace synthdata::backend {

namespace detail {

/// Columns k0 ... k1 of sums for rows n0 ... n1.
template <class T, class I>
struct SumRows {
  const T* table;
  const I* index;
  std::int64_t depth, width;
  T* out;

  SYNTHDATA_HD void operator()(std::int64_t n0, std::int64_t n1) const {
    for (std::int64_t n = n0; n < n1; ++n) {
      cpu::for_blocks(width, [&](std::int64_t k, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
        T sum[64] = {};
        for (std::int64_t d = 0; d < depth; ++d) {
          const T* row = table + static_cast<std::int64_t>(index[n * depth + d]) * width + k;
          cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { sum[j] += row[j]; });
        }
        T* to = out + n * width + k;
        cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { to[j] = sum[j]; });
      });
    }
  }
};

/// Columns k0 ... k1 of all sums.
template <class T, class I>
struct AddToRows {
  const T* values;
  const I* index;
  std::int64_t count, depth, width;
  T* out;

  SYNTHDATA_HD void operator()(std::int64_t k0, std::int64_t k1) const {
    for (std::int64_t n = 0; n < count; ++n) {
      const T* from = values + n * width;
      for (std::int64_t d = 0; d < depth; ++d) {
        T* to = out + static_cast<std::int64_t>(index[n * depth + d]) * width;
        cpu::for_blocks(k1 - k0, [&](std::int64_t k, std::int64_t some) SYNTHDATA_INLINE_LAMBDA {
          cpu::for_block(some, [&](int j) SYNTHDATA_INLINE_LAMBDA { to[k0 + k + j] += from[k0 + k + j]; });
        });
      }
    }
  }
};

}  // namespace detail

SYNTHDATA_INLINE Tensor sum_rows(const Tensor& table, const Tensor& index) {
  const std::int64_t count = index.shape()[0], depth = index.shape()[1], width = table.shape()[1];
  Tensor out = Tensor::empty({count, width}, table.dtype(), table.device());
  visit_floating(table.dtype(), "embedding_bag", [&]<class T>() {
    detail::visit_index(index, [&]<class I>(const I* at) {
      const detail::SumRows<T, I> kernel{table.data<T>(), at, depth, width, out.data<T>()};
      const std::int64_t chunk = std::max<std::int64_t>(1, 65536 / (depth * width + 1));
      parallel_for(count, chunk, [&](std::int64_t begin, std::int64_t end) { cpu::run<T>(kernel, begin, end); });
    });
  });
  return out;
}

SYNTHDATA_INLINE Tensor add_to_rows(std::int64_t rows, const Tensor& index, const Tensor& values) {
  const std::int64_t count = index.shape()[0], depth = index.shape()[1], width = values.shape()[1];
  Tensor out = Tensor::zeros({rows, width}, values.dtype(), values.device());
  visit_floating(values.dtype(), "embedding_bag", [&]<class T>() {
    detail::visit_index(index, [&]<class I>(const I* at) {
      const detail::AddToRows<T, I> kernel{values.data<T>(), at, count, depth, width, out.data<T>()};
      parallel_for(width, 64, [&](std::int64_t begin, std::int64_t end) { cpu::run<T>(kernel, begin, end); });
    });
  });
  return out;
}

}  // namespace synthdata::backend
