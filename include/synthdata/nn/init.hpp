// synthdata/nn/init.hpp: first values of weights.
//
// An initialiser is a function (shape, fan_in, fan_out, rng) -> Tensor; layers take one as an option.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>

namespace synthdata {

/// @param fan_in, fan_out  number of inputs that feed one output, and outputs that one input feeds
using Initializer = Tensor (*)(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);

namespace init {

Tensor zeros(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
Tensor ones(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
/// Uniform in ±1 / sqrt(fan_in): the default of this library and of PyTorch's layers.
Tensor fan_in_uniform(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
/// Uniform in ±sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010, AISTATS, eq. 16.
Tensor glorot_uniform(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
Tensor glorot_normal(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
/// Variance 2 / fan_in, for rectifiers. Source: He et al. 2015, arXiv:1502.01852, eq. 10.
Tensor he_normal(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
Tensor he_uniform(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
/// Normal with standard deviation 0.02. Source: Radford et al. 2016, arXiv:1511.06434, section 4.
Tensor dcgan(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);
/// Rows (or columns, if there are more rows than columns) of the flattened matrix are orthonormal.
/// Source: Saxe et al. 2014, arXiv:1312.6120.
Tensor orthogonal(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, Rng& rng);

}  // namespace init
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/init_impl.hpp>
#endif
