// synthdata/nn/embedding.hpp: a table of learned vectors, one for each word, class or category.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/init.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/ops/gather.hpp>

namespace synthdata {

/// Rows of a [vocabulary, dim] table.   index [...], i64 or i32 -> [..., dim]
/// Rows start standard normal.   @throws ShapeError naming an index outside [0, vocabulary).
class Embedding {
 public:
  static constexpr const char* kind = "embedding";

  Embedding(std::int64_t vocabulary, std::int64_t dim, Rng& rng) : weight_(normal({vocabulary, dim}, rng)) {}

  Var operator()(const Var& index) const { return embedding(weight_, index); }

  const Param& weight() const { return weight_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("weight", self.weight_);
  }

 private:
  Param weight_;
};

}  // namespace synthdata
