// synthdata/tabular/encoded_rows.hpp: what nets that make encoded rows (TableEncoder) have in common.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/table_encoder.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/tabular/condition.hpp>
#include <synthdata/tabular/training.hpp>

#include <functional>

namespace synthdata::models {

/// Turns logits into encoded rows: tanh for numbers and flags, a Gumbel-softmax for what is one-hot. The last layer of
/// a generator of tables. Source: Xu et al. 2019, arXiv:1907.00503, section 4.4.
class RowActivation {
 public:
  static constexpr const char* kind = "row_activation";

  /// @throws DataError for a block that is neither a number, a flag nor one-hot: such an encoding has no activation
  RowActivation(const std::vector<EncodedBlock>& blocks, double temperature);

  Var operator()(const Var& logits, Context& context) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("is_scalar", self.is_scalar_);
  }

 private:
  std::vector<std::int64_t> sizes_;  // of the blocks
  Buffer is_scalar_;                 // f32 [1, width], 1 for numbers and flags
  double temperature_;
};

namespace detail {

/// Logits f32 [n, width] as encoded rows, on the CPU and in place: tanh for numbers and flags, one category drawn by
/// the softmax of each one-hot block (the largest entry of a Gumbel-softmax has the same distribution, whatever the
/// temperature); not a number where no category can be drawn.
void draw_encoded(Tensor& logits, const std::vector<EncodedBlock>& blocks, Rng& rng);

/// True if row `row` of the column holds what the condition asks for.
bool meets(const Column& column, std::int64_t row, const Condition& condition);

/// Rows that meet all conditions, out of as many as it takes. `make(n, round)` makes n rows.
/// @throws DataError for a column that `schema` lacks, a condition that does not fit its type, and if fewer than one in
/// `rounds` rows fits, saying how many were found and which condition stopped most.
Table sample_until(std::int64_t rows, const Conditions& conditions, const Schema& schema, std::int64_t rounds,
                   const std::function<Table(std::int64_t n, std::int64_t round)>& make);

/// The same for a model of encoded rows. `make(n, rng)` makes n of them, f32 [n, width]; called for pieces of the
/// encoder at the same time, each with a generator of its own, so threads do not matter.
Table sample_encoded(std::int64_t rows, const Conditions& conditions, const SampleOptions& options,
                     const TableEncoder& encoder, const std::function<Tensor(std::int64_t n, Rng& rng)>& make);

}  // namespace detail
}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/encoded_rows_impl.hpp>
#endif
