// tests/nn/nets.hpp: what the tests of layers share: nets in double precision, finite differences through parameters.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/check.hpp>

#include "../test.hpp"

namespace test {

namespace sd = synthdata;

/// The same net with parameters and buffers in f64.
template <class Net>
Net to_f64(Net net) {
  const sd::ModuleState state = sd::state_of(net);
  for (const sd::NamedParam& p : state.parameters) p.param->rebind(sd::leaf(p.param->value().to(sd::DType::f64)));
  for (const sd::NamedBuffer& b : state.buffers) b.buffer->set(b.buffer->value().to(sd::DType::f64));
  return net;
}

inline sd::Tensor normal_f64(const sd::Shape& shape, std::uint64_t seed = 3) {
  sd::Rng rng{seed};
  return sd::normal(shape, rng, sd::DType::f64);
}

/// The net as a function of its input and of all its parameters. Buffers and random numbers are the same in each call.
template <class Net>
auto as_function(Net& net, sd::Mode mode) {
  const sd::ModuleState state = sd::state_of(net);
  std::vector<sd::Tensor> buffers;
  for (const sd::NamedBuffer& b : state.buffers) buffers.push_back(b.buffer->value());
  return [&net, state, buffers, mode](const std::vector<sd::Var>& v) {
    for (std::size_t i = 0; i < state.parameters.size(); ++i) state.parameters[i].param->rebind(v[i + 1]);
    for (std::size_t i = 0; i < buffers.size(); ++i) state.buffers[i].buffer->set(buffers[i]);
    sd::Rng rng{11};
    sd::Context context{.mode = mode, .rng = &rng};
    return sd::forward(net, v[0], context);
  };
}

/// The input, then the parameters' values: where as_function() is to be differentiated.
template <class Net>
std::vector<sd::Tensor> point(Net& net, const sd::Tensor& x) {
  std::vector<sd::Tensor> at{x};
  for (const sd::NamedParam& p : sd::state_of(net).parameters) at.push_back(p.param->value());
  return at;
}

/// Worst relative errors of first and second derivatives by the input and every parameter, in double.
struct Derivatives {
  double first = 0.0, second = 0.0;
};
template <class Net>
Derivatives check_derivatives(const Net& net, const sd::Tensor& x, sd::Mode mode = sd::Mode::training) {
  Net f64 = to_f64(net);
  const std::vector<sd::Tensor> at = point(f64, x);
  const auto f = as_function(f64, mode);
  return {sd::gradcheck(f, at).worst_relative, sd::gradgradcheck(f, at).worst_relative};
}

/// Runs a net without randomness.
template <class Net>
sd::Var run(const Net& net, const sd::Var& x, sd::Mode mode = sd::Mode::inference) {
  sd::Context context{.mode = mode};
  return sd::forward(net, x, context);
}

/// Largest absolute difference.
inline double distance(const sd::Var& a, const sd::Var& b) {
  REQUIRE(a.shape() == b.shape());
  const sd::Tensor d = sd::abs(sd::Var(a.value().to(sd::DType::f64)) - sd::Var(b.value().to(sd::DType::f64))).value();
  return d.size() ? sd::max(sd::Var(d)).item() : 0.0;
}

inline sd::Tensor f64(const std::vector<double>& values, const sd::Shape& shape) {
  return sd::Tensor::from(values, shape);
}
inline sd::Tensor f32(const std::vector<float>& values, const sd::Shape& shape) {
  return sd::Tensor::from(values, shape);
}

}  // namespace test
