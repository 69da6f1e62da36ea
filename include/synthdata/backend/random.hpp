// synthdata/backend/random.hpp: tensors of random numbers.
//
// Element i depends only on the generator's state and i: the same numbers for any number of threads and, later, on
// any device. A bulk draw takes whole Philox blocks from the generator.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

namespace synthdata {

/// Uniform in [low, high). f32 or f64 (24 random bits in both).
/// @throws DTypeError for other dtypes, NumericError unless low <= high.
Tensor uniform(const Shape& shape, Rng& rng, DType dtype = DType::f32, double low = 0.0, double high = 1.0);
/// Normal with the given mean and standard deviation (Box-Muller). f32 or f64.
Tensor normal(const Shape& shape, Rng& rng, DType dtype = DType::f32, double mean = 0.0, double stddev = 1.0);
/// 1 with the given probability, else 0.
Tensor bernoulli(const Shape& shape, double probability, Rng& rng, DType dtype = DType::f32);
/// Integers uniform in [0, high), i64.
Tensor random_integers(const Shape& shape, std::int64_t high, Rng& rng);

}  // namespace synthdata

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/random_impl.hpp>
#endif
