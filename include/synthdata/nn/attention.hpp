// synthdata/nn/attention.hpp: multi-head attention over sequences.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/module.hpp>

namespace synthdata {

struct AttentionOptions {
  bool causal = false;   ///< a step sees itself and those before it only
  double dropout = 0.0;  ///< share of the attention weights set to zero in training
  bool bias = true;
};

/// Each step of x looks at all steps of a sequence: softmax(q kᵀ / sqrt(dim / heads)) v in every head, heads side by
/// side in the channels. Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.
/// x [N, T, dim] -> [N, T, dim].   Cost: O(N heads T S) memory for the weights, S the length of the other sequence.
/// Weights start Glorot uniform, biases at zero.
class MultiHeadAttention {
 public:
  static constexpr const char* kind = "attention";

  /// @throws ShapeError unless heads divide dim; NumericError unless 0 <= dropout < 1.
  MultiHeadAttention(std::int64_t dim, std::int64_t heads, Rng& rng, const AttentionOptions& options = {});

  /// Self attention.
  Var operator()(const Var& x, Context& context) const { return (*this)(x, x, context); }
  /// Cross attention: queries from x [N, T, dim], keys and values from memory [N, S, dim].
  /// @throws ShapeError if the batches or channels differ, or the lengths do and the layer is causal.
  Var operator()(const Var& x, const Var& memory, Context& context) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("query", self.query_);
    v("key", self.key_);
    v("value", self.value_);
    v("output", self.output_);
  }

 private:
  Var split_heads(const Var& x) const;

  std::int64_t heads_;
  AttentionOptions options_;
  Linear query_, key_, value_, output_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/attention_impl.hpp>
#endif
