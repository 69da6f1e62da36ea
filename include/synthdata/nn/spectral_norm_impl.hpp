// synthdata/nn/spectral_norm_impl.hpp: bodies of nn/spectral_norm.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/spectral_norm.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE Var weight_matrix(const Var& weight, int output_axis) {
  const std::int64_t outputs = weight.shape(output_axis), rest = weight.size() / (outputs ? outputs : 1);
  return reshape(weight, output_axis == 0 ? Shape{outputs, rest} : Shape{rest, outputs});
}

inline Tensor unit_length(const Var& v, double epsilon) { return (v / maximum(norm(v), Var(epsilon))).value(); }

SYNTHDATA_INLINE void power_iteration(const Tensor& m, double epsilon, Tensor& left, Tensor& right) {
  const NoGrad constants;
  right = unit_length(matmul(m, left, {.transpose_a = true}), epsilon);
  left = unit_length(matmul(m, right), epsilon);
}

SYNTHDATA_INLINE Var singular_value(const Var& m, const Tensor& left, const Tensor& right) {
  return sum(mul(matmul(m, right), left));
}

}  // namespace synthdata::detail
