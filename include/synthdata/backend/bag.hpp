// synthdata/backend/bag.hpp: sums of rows of a table, on the CPU.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

namespace synthdata::backend {

/// out[n, k] = sum over d of table[index[n, d], k]. table [V, K] f32 or f64, index [N, D] i64 or i32, checked before.
Tensor sum_rows(const Tensor& table, const Tensor& index);

/// out[index[n, d], k] += values[n, k] for all n and d in order, over zeros of [rows, K].
Tensor add_to_rows(std::int64_t rows, const Tensor& index, const Tensor& values);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/bag_impl.hpp>
#endif
