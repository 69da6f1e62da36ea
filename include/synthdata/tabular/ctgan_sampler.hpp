// synthdata/tabular/ctgan_sampler.hpp: the generator of a Ctgan, prepared for sampling.
//
// A trained generator always does the same to its input, so what can be done once is: batch norm becomes part of the
// weights before it, and a category asked for, whose one-hot picks one column of each weight, a row to start from.
// Inputs of the skip connections stay where they are: each layer writes its result before them in the same row.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>
#include <synthdata/nn/module.hpp>

#include <vector>

namespace synthdata::models::detail {

class CtganSampler {
 public:
  CtganSampler() = default;
  /// @param generator  parameters and buffers of Ctgan's generator, on the CPU
  /// @param epsilon    of its batch norms
  CtganSampler(const ModuleState& generator, std::int64_t labels, double epsilon);

  /// Logits of rows, f32 [n, width].
  /// @param latent  f32 [n, latent]
  /// @param asked   one label for each row, or none if the generator has no labels
  Tensor operator()(const Tensor& latent, const std::vector<std::int64_t>& asked) const;

 private:
  /// y = x weight^T + start[label], then a ReLU but for the last.
  struct Layer {
    Tensor weight;  ///< [out, in]
    Tensor start;   ///< [labels or 1, out]: bias and column of the label
  };
  std::vector<Layer> layers_;
};

}  // namespace synthdata::models::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/ctgan_sampler_impl.hpp>
#endif
