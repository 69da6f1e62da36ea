// synthdata/nn/recurrent.hpp: gated recurrent layers over sequences, GRU and LSTM.
//
// Sequences are [N, T, C]. The inputs of all steps are projected by one product, each step then costs one product with
// the state for all gates. Equations and order of the gates are PyTorch's, so its weights can be loaded. For dropout
// between layers write Sequential{GRU(...), Dropout(...), GRU(...)}.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/init.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

namespace detail {
/// The four parameters of a cell: its gates see x input_weightᵀ + input_bias and h hidden_weightᵀ + hidden_bias.
struct GateWeights {
  /// @param gates  number of gates; each has `hidden` rows
  GateWeights(std::int64_t in, std::int64_t hidden, std::int64_t gates, Rng& rng);
  Param input_weight, hidden_weight, input_bias, hidden_bias;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("input_weight", self.input_weight);
    v("hidden_weight", self.hidden_weight);
    v("input_bias", self.input_bias);
    v("hidden_bias", self.hidden_bias);
  }
};

/// Slices 0, 1, ... of the first axis.
std::vector<Var> unstack(const Var& x);
/// [N, T, C] -> [T, N, C]. @throws ShapeError unless there are three axes and at least one step.
Var time_first(const char* layer, const Var& x);
}  // namespace detail

/// Gated recurrent unit. Source: Cho et al. 2014, arXiv:1406.1078, with the reset gate behind the product.
///   r = sigmoid(W_r x + U_r h), z = sigmoid(W_z x + U_z h), n = tanh(W_n x + r (U_n h)), h' = (1 - z) n + z h
/// Biases are in each product; the rows of the weights are r, z, n.
class GRUCell {
 public:
  static constexpr const char* kind = "gru";
  using State = Var;  ///< h [N, hidden]

  GRUCell(std::int64_t in, std::int64_t hidden, Rng& rng) : weights_(in, hidden, 3, rng) {}

  /// x [N, in], h [N, hidden] -> the next h
  State step(const Var& x, const State& h) const { return advance(project(x), h); }
  /// What x [..., in] contributes to the gates, [..., 3 hidden].
  Var project(const Var& x) const;
  /// A step whose input was projected.
  State advance(const Var& projected, const State& h) const;
  State zero_state(std::int64_t n) const;
  static const Var& output(const State& h) { return h; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    detail::GateWeights::visit(self.weights_, v);
  }

 private:
  detail::GateWeights weights_;
};

struct LSTMState {
  Var hidden;  ///< h [N, hidden], the output
  Var memory;  ///< c [N, hidden]
};

/// Long short-term memory. Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
///   i, f, o = sigmoid(W x + U h), g = tanh(W_g x + U_g h), c' = f c + i g, h' = o tanh(c')
/// Biases are in each product; the rows of the weights are i, f, g, o.
class LSTMCell {
 public:
  static constexpr const char* kind = "lstm";
  using State = LSTMState;

  LSTMCell(std::int64_t in, std::int64_t hidden, Rng& rng) : weights_(in, hidden, 4, rng) {}

  State step(const Var& x, const State& state) const { return advance(project(x), state); }
  Var project(const Var& x) const;
  State advance(const Var& projected, const State& state) const;
  State zero_state(std::int64_t n) const;
  static const Var& output(const State& state) { return state.hidden; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    detail::GateWeights::visit(self.weights_, v);
  }

 private:
  detail::GateWeights weights_;
};

struct RecurrentOptions {
  std::int64_t layers = 1;
  bool bidirectional = false;  ///< a second pass from the last step to the first; outputs are joined
};

/// Layers of a cell run over a sequence.   x [N, T, in] -> [N, T, hidden], or 2 hidden if bidirectional.
/// @throws ShapeError for another rank, no step, or other features.
template <class Cell>
class Recurrent {
 public:
  static constexpr const char* kind = Cell::kind;
  using State = typename Cell::State;
  struct Result {
    Var output;                 ///< of the last layer, all steps
    std::vector<State> states;  ///< after the last step: of each layer, forwards then backwards
  };

  Recurrent(std::int64_t in, std::int64_t hidden, Rng& rng, const RecurrentOptions& options = {})
      : directions_(options.bidirectional ? 2 : 1) {
    if (options.layers < 1) throw ShapeError(concat(kind, ": expects at least one layer, got ", options.layers));
    for (std::int64_t i = 0; i < options.layers * directions_; ++i) {
      cells_.emplace_back(i < directions_ ? in : hidden * directions_, hidden, rng);
    }
  }

  Var operator()(const Var& x) const { return run(x).output; }

  /// Starts from `states` (as in Result), or from zeros if there are none.
  Result run(const Var& x, std::vector<State> states = {}) const {
    Var sequence = detail::time_first(kind, x);
    if (states.empty()) {
      for (const Cell& cell : cells_) states.push_back(cell.zero_state(x.shape(0)));
    }
    if (states.size() != cells_.size()) {
      throw ShapeError(concat(kind, ": expects ", cells_.size(), " states, got ", states.size()));
    }
    for (std::size_t first = 0; first < cells_.size(); first += static_cast<std::size_t>(directions_)) {
      std::vector<Var> outputs{scan(cells_[first], sequence, states[first], false)};
      if (directions_ == 2) outputs.push_back(scan(cells_[first + 1], sequence, states[first + 1], true));
      sequence = concat(outputs, -1);
    }
    return {transpose(sequence, 0, 1), std::move(states)};
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("cells", self.cells_);
  }

 private:
  /// One direction of one layer, [T, N, C] -> [T, N, hidden]; leaves the last state in `state`.
  static Var scan(const Cell& cell, const Var& sequence, State& state, bool backwards) {
    const std::vector<Var> inputs = detail::unstack(cell.project(sequence));
    std::vector<Var> outputs(inputs.size());
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const std::size_t t = backwards ? inputs.size() - 1 - k : k;
      state = cell.advance(inputs[t], state);
      outputs[t] = Cell::output(state);
    }
    return stack(outputs, 0);
  }

  std::vector<Cell> cells_;
  std::int64_t directions_;
};

using GRU = Recurrent<GRUCell>;
using LSTM = Recurrent<LSTMCell>;

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/recurrent_impl.hpp>
#endif
