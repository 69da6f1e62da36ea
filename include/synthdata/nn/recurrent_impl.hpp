// synthdata/nn/recurrent_impl.hpp: bodies of nn/recurrent.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/recurrent.hpp>
#include <synthdata/ops/matmul.hpp>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE GateWeights::GateWeights(std::int64_t in, std::int64_t hidden, std::int64_t gates, Rng& rng)
    : input_weight(init::fan_in_uniform({gates * hidden, in}, hidden, 0, rng)),  // ±1 / sqrt(hidden) for all four
      hidden_weight(init::fan_in_uniform({gates * hidden, hidden}, hidden, 0, rng)),
      input_bias(init::fan_in_uniform({gates * hidden}, hidden, 0, rng)),
      hidden_bias(init::fan_in_uniform({gates * hidden}, hidden, 0, rng)) {}

/// Appends slices of x by halving: the adjoint of a slice has the extent of what it was cut from, so cutting each of T
/// slices from the whole would cost T² on the way back; this costs T log T.
inline void halve(const Var& x, std::vector<Var>& out) {
  const std::int64_t n = x.shape(0);
  if (n == 1) {
    out.push_back(reshape(x, x.shape().erase(0)));
    return;
  }
  halve(slice(x, 0, 0, n / 2), out);
  halve(slice(x, 0, n / 2, n), out);
}

SYNTHDATA_INLINE std::vector<Var> unstack(const Var& x) {
  std::vector<Var> slices;
  slices.reserve(static_cast<std::size_t>(x.shape(0)));
  if (x.shape(0) > 0) halve(x, slices);
  return slices;
}

SYNTHDATA_INLINE Var time_first(const char* layer, const Var& x) {
  if (x.rank() != 3 || x.shape(1) < 1) [[unlikely]] {
    throw_shape(layer, "expects a sequence [N, T, C] with T >= 1", {{"input", x.value()}});
  }
  return transpose(x, 0, 1);
}

}  // namespace detail

SYNTHDATA_INLINE Var GRUCell::project(const Var& x) const {
  return linear(x, weights_.input_weight, weights_.input_bias);
}
SYNTHDATA_INLINE Var GRUCell::zero_state(std::int64_t n) const {
  return Tensor::zeros({n, weights_.hidden_weight.shape(1)}, weights_.hidden_weight.dtype(),
                       weights_.hidden_weight.device());
}
SYNTHDATA_INLINE Var GRUCell::advance(const Var& projected, const Var& h) const {
  const std::int64_t size = weights_.hidden_weight.shape(1);
  const std::vector<Var> from_x = split(projected, -1, {2 * size, size});
  const std::vector<Var> from_h = split(linear(h, weights_.hidden_weight, weights_.hidden_bias), -1, {2 * size, size});
  const std::vector<Var> gates = split(sigmoid(from_x[0] + from_h[0]), -1, 2);
  const Var &reset = gates[0], &update = gates[1];
  const Var candidate = tanh(from_x[1] + reset * from_h[1]);
  return candidate + update * (h - candidate);
}

SYNTHDATA_INLINE Var LSTMCell::project(const Var& x) const {
  return linear(x, weights_.input_weight, weights_.input_bias);
}
SYNTHDATA_INLINE LSTMState LSTMCell::zero_state(std::int64_t n) const {
  const Var zero = Tensor::zeros({n, weights_.hidden_weight.shape(1)}, weights_.hidden_weight.dtype(),
                                 weights_.hidden_weight.device());
  return {zero, zero};
}
SYNTHDATA_INLINE LSTMState LSTMCell::advance(const Var& projected, const LSTMState& state) const {
  const Var before = projected + linear(state.hidden, weights_.hidden_weight, weights_.hidden_bias);
  const std::vector<Var> gates = split(before, -1, 4);  // input, forget, candidate, output
  const Var memory = sigmoid(gates[1]) * state.memory + sigmoid(gates[0]) * tanh(gates[2]);
  return {sigmoid(gates[3]) * tanh(memory), memory};
}

}  // namespace synthdata
