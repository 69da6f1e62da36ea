// Layers against PyTorch: tests/reference/nn.py says how the numbers in nn.txt were made.
//
// SPDX-License-Identifier: MIT
#include <synthdata/nn/attention.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/recurrent.hpp>
#include <synthdata/ops/shape.hpp>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "nets.hpp"

namespace sd = synthdata;
namespace {

const std::vector<double>& reference(const std::string& name) {
  static const std::map<std::string, std::vector<double>> all = [] {
    std::map<std::string, std::vector<double>> read;
    std::ifstream file(test::reference("nn.txt"));
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string key;
      words >> key;
      for (double value; words >> value;) read[key].push_back(value);
    }
    return read;
  }();
  INFO("reference " << name);
  REQUIRE(all.count(name) == 1);
  return all.at(name);
}

/// Largest difference from the reference; both were computed in double.
double off(const std::string& name, const sd::Var& got) {
  const std::vector<double>& expected = reference(name);
  REQUIRE(static_cast<std::size_t>(got.size()) == expected.size());
  return test::distance(got, test::f64(expected, got.shape()));
}

sd::Tensor wave(const sd::Shape& shape) {
  sd::Tensor t = sd::Tensor::empty(shape, sd::DType::f64);
  for (std::int64_t k = 0; k < t.size(); ++k) t.data<double>()[k] = std::cos(0.7 * static_cast<double>(k));
  return t;
}

/// 0.5 sin(k + p): element k of parameter p.
sd::Tensor filling(const sd::Shape& shape, std::size_t p) {
  sd::Tensor t = sd::Tensor::empty(shape, sd::DType::f64);
  for (std::int64_t k = 0; k < t.size(); ++k) {
    t.data<double>()[k] = 0.5 * std::sin(static_cast<double>(k) + static_cast<double>(p));
  }
  return t;
}

template <class Net>
Net filled(const Net& net) {
  Net f64 = test::to_f64(net);
  const auto state = sd::state_of(f64);
  for (std::size_t p = 0; p < state.parameters.size(); ++p) {
    state.parameters[p].param->assign(filling(state.parameters[p].param->shape(), p));
  }
  return f64;
}

/// Gradients of sum(output * wave): the input's, and the sum of squares of each parameter's.
struct Gradients {
  sd::Var input;
  std::vector<double> squares;
};
Gradients gradients(const sd::Var& output, const sd::Var& x, const std::vector<sd::Var>& parameters) {
  std::vector<sd::Var> wanted{x};
  wanted.insert(wanted.end(), parameters.begin(), parameters.end());
  const std::vector<sd::Var> found = sd::grad(sd::sum(output * sd::Var(wave(output.shape()))), wanted);
  Gradients g{found[0], {}};
  for (std::size_t i = 1; i < found.size(); ++i) g.squares.push_back(sd::sum(sd::square(found[i])).item());
  return g;
}

constexpr double tolerance = 1e-12;  // both sides in double, the file holds 15 digits

template <class Net>
void check_gradients(const std::string& name, Net& net, const sd::Var& output, const sd::Var& x) {
  CHECK(off(name + ".output", output) < tolerance);
  const Gradients g = gradients(output, x, sd::parameters(net));
  CHECK(off(name + ".grad_input", g.input) < tolerance);
  CHECK(off(name + ".grad_squares", sd::Tensor::from(g.squares)) < tolerance);
}

template <class Layer>
void check_recurrent(const std::string& name, const Layer& layer, const sd::Shape& input) {
  Layer net = filled(layer);
  const sd::Var x = sd::leaf(wave(input));
  const auto result = net.run(x);
  check_gradients(name, net, result.output, x);
  std::vector<sd::Var> hidden, memories;
  for (const auto& state : result.states) {
    if constexpr (std::is_same_v<Layer, sd::LSTM>) {
      hidden.push_back(state.hidden);
      memories.push_back(state.memory);
    } else {
      hidden.push_back(state);
    }
  }
  CHECK(off(name + ".hidden", sd::stack(hidden)) < tolerance);
  if (!memories.empty()) CHECK(off(name + ".memory", sd::stack(memories)) < tolerance);
}

/// A layer that needs only its input; returns the filled net.
template <class Layer>
Layer check_layer(const std::string& name, const Layer& layer, const sd::Shape& input, sd::Mode mode) {
  Layer net = filled(layer);
  const sd::Var x = sd::leaf(wave(input));
  check_gradients(name, net, test::run(net, x, mode), x);
  return net;
}

/// PyTorch keeps the three input projections in one weight [3 dim, dim] and one bias.
void check_attention(const std::string& name, std::int64_t steps, const sd::Var& given_memory, bool causal) {
  sd::Rng rng{1};
  sd::MultiHeadAttention net = test::to_f64(sd::MultiHeadAttention(4, 2, rng, {.causal = causal}));
  const auto state = sd::state_of(net);  // weight and bias of query, key, value, output
  const sd::Tensor weights = filling({12, 4}, 0), biases = filling({12}, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto part = static_cast<std::int64_t>(4 * i);
    state.parameters[2 * i].param->assign(weights.rows(part, part + 4).clone());
    state.parameters[2 * i + 1].param->assign(biases.rows(part, part + 4).clone());
  }
  state.parameters[6].param->assign(filling({4, 4}, 2));
  state.parameters[7].param->assign(filling({4}, 3));
  const sd::Var x = sd::leaf(wave({2, steps, 4}));
  sd::Context context;
  const sd::Var output = given_memory.defined() ? net(x, given_memory, context) : net(x, context);
  CHECK(off(name + ".output", output) < tolerance);
  const Gradients g = gradients(output, x, sd::parameters(net));
  CHECK(off(name + ".grad_input", g.input) < tolerance);
  const std::vector<double>& s = g.squares;
  CHECK(off(name + ".grad_squares", test::f64({s[0] + s[2] + s[4], s[1] + s[3] + s[5], s[6], s[7]}, {4})) < tolerance);
}

}  // namespace

TEST_CASE("GRU and LSTM agree with PyTorch") {
  sd::Rng rng{1};
  check_recurrent("gru", sd::GRU(3, 2, rng), {2, 4, 3});
  check_recurrent("gru2", sd::GRU(3, 2, rng, {.layers = 2, .bidirectional = true}), {2, 3, 3});
  check_recurrent("lstm", sd::LSTM(3, 2, rng), {2, 4, 3});
  check_recurrent("lstm2", sd::LSTM(3, 2, rng, {.layers = 2, .bidirectional = true}), {2, 3, 3});
}

TEST_CASE("norms agree with PyTorch, running statistics included") {
  const auto training = sd::Mode::training;
  const sd::BatchNorm batch = check_layer("batch_norm", sd::BatchNorm(3), {2, 2, 2, 3}, training);
  CHECK(off("batch_norm.mean", batch.running_mean()) < tolerance);
  CHECK(off("batch_norm.var", batch.running_variance()) < tolerance);
  check_layer("batch_norm_inference", batch, {2, 2, 2, 3}, sd::Mode::inference);
  check_layer("layer_norm", sd::LayerNorm(5), {2, 3, 5}, training);
  check_layer("group_norm", sd::GroupNorm(2, 4), {2, 3, 2, 4}, training);
  check_layer("instance_norm", sd::InstanceNorm(3), {2, 2, 3, 3}, training);
}

TEST_CASE("attention agrees with PyTorch: self, causal, cross") {
  check_attention("attention", 3, {}, false);
  check_attention("attention_causal", 3, {}, true);
  check_attention("attention_cross", 3, (sd::Var(wave({2, 5, 4})) * 0.5), false);
}
