// synthdata/tabular/training_impl.hpp: bodies of training.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>
#include <synthdata/tabular/training.hpp>

namespace synthdata::models {
namespace detail {

/// "12.3 MB", in decimal units.
SYNTHDATA_INLINE std::string megabytes(std::int64_t bytes) {
  const std::int64_t tenths = (bytes + 50'000) / 100'000;
  return concat(tenths / 10, ".", tenths % 10, " MB");
}

}  // namespace detail

SYNTHDATA_INLINE std::string TabularPlan::str() const {
  return concat(rows, " rows to learn from, ", held_out, " held out; ", parameters, " weights; at most ", epochs,
                " epochs of ", steps, " batches of ", batch_size,
                epochs_done > 0 ? concat(", ", epochs_done, " done") : "", "; ", detail::megabytes(memory.total()),
                " of memory: rows ", detail::megabytes(memory.rows), ", weights ", detail::megabytes(memory.weights),
                ", a batch ", detail::megabytes(memory.batch));
}

}  // namespace synthdata::models
