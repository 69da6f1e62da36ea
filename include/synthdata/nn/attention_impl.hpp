// synthdata/nn/attention_impl.hpp: bodies of nn/attention.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/attention.hpp>
#include <synthdata/ops/dropout.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/ops/softmax.hpp>

#include <cmath>
#include <limits>

namespace synthdata {
namespace detail {

inline Linear attention_projection(std::int64_t dim, Rng& rng, bool bias) {
  return Linear(dim, dim, rng, {.bias = bias, .init = init::glorot_uniform, .bias_init = init::zeros});
}

/// [steps, steps], 1 where row t may look at column s <= t.
inline Tensor causal_mask(std::int64_t steps, Device device) {
  Tensor mask = Tensor::zeros({steps, steps}, DType::f32, Device::cpu());
  float* m = mask.data<float>();
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t s = 0; s <= t; ++s) m[t * steps + s] = 1.0f;
  }
  return mask.to(device);
}

}  // namespace detail

SYNTHDATA_INLINE MultiHeadAttention::MultiHeadAttention(std::int64_t dim, std::int64_t heads, Rng& rng,
                                                        const AttentionOptions& options)
    : heads_(heads),
      options_(options),
      query_(detail::attention_projection(dim, rng, options.bias)),
      key_(detail::attention_projection(dim, rng, options.bias)),
      value_(detail::attention_projection(dim, rng, options.bias)),
      output_(detail::attention_projection(dim, rng, options.bias)) {
  if (heads < 1 || dim % heads != 0) {
    throw ShapeError(concat("MultiHeadAttention: ", heads, " heads do not divide ", dim, " channels"));
  }
  if (!(options.dropout >= 0.0 && options.dropout < 1.0)) {
    throw NumericError(concat("MultiHeadAttention: expects 0 <= dropout < 1, got ", options.dropout));
  }
}

/// [N, T, dim] -> [N, heads, T, dim / heads]
SYNTHDATA_INLINE Var MultiHeadAttention::split_heads(const Var& x) const {
  return permute(reshape(x, {x.shape(0), x.shape(1), heads_, x.shape(2) / heads_}), {0, 2, 1, 3});
}

SYNTHDATA_INLINE Var MultiHeadAttention::operator()(const Var& x, const Var& memory, Context& context) const {
  if (x.rank() != 3 || memory.rank() != 3 || x.shape(0) != memory.shape(0) || memory.shape(1) < 1) [[unlikely]] {
    throw_shape("MultiHeadAttention", "expects [N, T, C] and, of the same batch, [N, S, C] with S >= 1",
                {{"input ", x.value()}, {"memory", memory.value()}});
  }
  if (options_.causal && x.shape(1) != memory.shape(1)) [[unlikely]] {
    throw_shape("MultiHeadAttention", "causal attention expects sequences of one length",
                {{"input ", x.value()}, {"memory", memory.value()}});
  }
  const Var queries = split_heads(query_(x)), keys = split_heads(key_(memory)), values = split_heads(value_(memory));
  Var scores = matmul(queries * (1.0 / std::sqrt(static_cast<double>(queries.shape(-1)))), keys, {.transpose_b = true});
  if (options_.causal) {
    scores = where(detail::causal_mask(x.shape(1), x.device()), scores, Var(-std::numeric_limits<double>::infinity()));
  }
  Var weights = softmax(scores, -1);
  if (context.training() && options_.dropout > 0.0) {
    weights = dropout(weights, options_.dropout, context.random("MultiHeadAttention"));
  }
  const Var heads = permute(matmul(weights, values), {0, 2, 1, 3});  // [N, T, heads, dim / heads]
  return output_(reshape(heads, {x.shape(0), x.shape(1), -1}));
}

}  // namespace synthdata
