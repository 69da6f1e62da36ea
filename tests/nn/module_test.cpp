// SPDX-License-Identifier: MIT
#include <synthdata/nn/any_module.hpp>
#include <synthdata/nn/attention.hpp>
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/dropout.hpp>
#include <synthdata/nn/embedding.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/minibatch_stddev.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/recurrent.hpp>
#include <synthdata/nn/residual.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/shape.hpp>

#include "nets.hpp"

namespace sd = synthdata;
namespace {

struct NoVisit {
  sd::Var operator()(const sd::Var& x) const { return x; }
};
struct NoCall {
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};
struct WrongResult {
  int operator()(const sd::Var&) const { return 0; }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};
struct NotConst {  // a module is called through const
  sd::Var operator()(const sd::Var& x) { return x; }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};
static_assert(!sd::Module<NoVisit> && !sd::Module<NoCall> && !sd::Module<WrongResult> && !sd::Module<NotConst>);
static_assert(!sd::Module<int> && !sd::Module<sd::Tensor>);
static_assert(sd::Module<sd::Sequential<sd::Linear, sd::Relu>> && sd::Module<const sd::Linear>);

template <class... Layers>
constexpr bool all_modules = (... && sd::Module<Layers>);
// Here and not behind each layer, where every program that includes the library would pay for the check.
static_assert(all_modules<sd::Relu, sd::AnyModule, sd::ModuleList, sd::Linear, sd::Embedding, sd::Dropout>);
static_assert(all_modules<sd::Conv2d, sd::ConvTranspose2d, sd::MultiHeadAttention, sd::GRU, sd::LSTM>);
static_assert(all_modules<sd::BatchNorm, sd::LayerNorm, sd::GroupNorm, sd::InstanceNorm, sd::MinibatchStddev>);
static_assert(all_modules<sd::Flatten, sd::Reshape, sd::Permute, sd::Upsample, sd::PixelShuffle>);
static_assert(all_modules<sd::MaxPool, sd::AvgPool, sd::GlobalAvgPool, sd::GlobalMaxPool>);
static_assert(all_modules<sd::Residual<sd::Relu>, sd::Skip<sd::Relu>, sd::Parallel<sd::Relu, sd::Tanh>>);

auto small_net(sd::Rng& rng) {
  return sd::Sequential{sd::Linear(3, 4, rng), sd::BatchNorm(4), sd::LeakyRelu{0.2},
                        sd::Sequential{sd::Linear(4, 4, rng), sd::Tanh{}}, sd::Linear(4, 2, rng, {.bias = false})};
}

std::vector<std::string> paths(const sd::ModuleState& state) {
  std::vector<std::string> all;
  for (const auto& p : state.parameters) all.push_back(p.path);
  for (const auto& b : state.buffers) all.push_back(b.path);
  return all;
}

}  // namespace

TEST_CASE("state is listed in order, under paths of kind and count") {
  sd::Rng rng{1};
  auto net = small_net(rng);
  CHECK(paths(sd::state_of(net)) == std::vector<std::string>{"linear0.weight", "linear0.bias", "batch_norm0.gamma",
                                                             "batch_norm0.beta", "sequential0.linear0.weight",
                                                             "sequential0.linear0.bias", "linear1.weight",
                                                             "batch_norm0.mean", "batch_norm0.variance"});
  CHECK(sd::parameter_count(net) == (12 + 4) + 8 + (16 + 4) + 8);
  CHECK(sd::parameters(net).size() == 7);
}

TEST_CASE("copying a net copies its weights") {
  sd::Rng rng{2};
  auto net = small_net(rng);
  auto copy = net;
  const sd::Var x = sd::normal({2, 3}, rng);
  const sd::Tensor before = test::run(net, x).value();
  const auto state = sd::state_of(net), copied = sd::state_of(copy);
  for (std::size_t i = 0; i < state.parameters.size(); ++i) {
    CHECK(!state.parameters[i].param->value().shares_elements(copied.parameters[i].param->value()));
    CHECK(sd::same_bits(state.parameters[i].param->value(), copied.parameters[i].param->value()));
    state.parameters[i].param->mutable_value().data<float>()[0] += 1.0f;
  }
  CHECK(sd::same_bits(test::run(copy, x).value(), before));
  CHECK(!sd::same_bits(test::run(net, x).value(), before));
  net = copy;  // assignment too
  CHECK(sd::same_bits(test::run(net, x).value(), before));
}

TEST_CASE("gradients of a net do not reach its copy") {
  sd::Rng rng{3};
  sd::Linear net(2, 1, rng);
  sd::Linear copy = net;
  const sd::Var loss = sd::sum(net(sd::ones({1, 2})));
  CHECK(test::distance(sd::grad(loss, net.weight(), {.retain_graph = true}), sd::ones({1, 2})) == 0.0);
  CHECK(test::distance(sd::grad(loss, copy.weight()), sd::zeros({1, 2})) == 0.0);
}

TEST_CASE("an exponential moving average is a copy that follows") {
  sd::Rng rng{4};
  sd::Linear net(2, 2, rng);
  auto ema = net;
  const sd::Tensor start = net.weight().value().clone();
  const auto from = sd::state_of(net), into = sd::state_of(ema);
  from.parameters[0].param->assign(sd::ones({2, 2}));
  for (std::size_t i = 0; i < from.parameters.size(); ++i) {
    const sd::Var mixed = into.parameters[i].param->detach() * 0.75 + from.parameters[i].param->detach() * 0.25;
    into.parameters[i].param->assign(mixed.value());
  }
  CHECK(test::distance(ema.weight(), (sd::Var(start) * 0.75 + 0.25).detach()) < 1e-7);
  CHECK(test::distance(net.weight(), sd::ones({2, 2})) == 0.0);
}

TEST_CASE("mutable_value leaves what a recorded graph saw") {
  sd::Rng rng{5};
  sd::Linear net(2, 1, rng, {.bias = false});
  const sd::Tensor weight = net.weight().value().clone();
  const sd::Var x = sd::leaf(sd::ones({1, 2}));
  const sd::Var y = net(x);
  sd::state_of(net).parameters[0].param->mutable_value().data<float>()[0] = 99.0f;
  CHECK(sd::same_bits(sd::grad(sd::sum(y), x).value(), weight));
}

TEST_CASE("a rebound parameter passes gradients through the update") {
  // w' = w - rate x, y = w' x: dy / d rate = -x². Unrolled GANs differentiate so.
  sd::Rng rng{6};
  sd::Linear net(1, 1, rng, {.bias = false});
  auto unrolled = net;
  const sd::Var rate = sd::leaf(sd::Tensor::full({1, 1}, 0.1));
  sd::Param& w = *sd::state_of(unrolled).parameters[0].param;
  w.rebind(w - rate * sd::Var(sd::Tensor::full({1, 1}, 3.0)));
  const sd::Var y = sd::sum(unrolled(sd::Tensor::full({1, 1}, 3.0)));
  CHECK(sd::grad(y, rate).item() == Approx(-9.0));
}

TEST_CASE("Param refuses another shape or dtype") {
  sd::Param p(sd::zeros({2, 3}));
  CHECK_THROWS_AS(p.assign(sd::zeros({3, 2})), sd::ShapeError);
  CHECK_THROWS_AS(p.assign(sd::zeros({2, 3}, sd::DType::f64)), sd::DTypeError);
  const sd::detail::Node* node = p.node().get();
  p.assign(sd::ones({2, 3}));
  CHECK(p.node().get() == node);  // the same leaf
}

TEST_CASE("copy_state copies parameters and buffers, and refuses another structure") {
  sd::Rng rng{7};
  auto a = small_net(rng), b = small_net(rng);
  test::run(a, sd::normal({8, 3}, rng), sd::Mode::training);  // moves the running statistics
  const sd::Var x = sd::normal({2, 3}, rng);
  CHECK(!sd::same_bits(test::run(a, x).value(), test::run(b, x).value()));
  sd::copy_state(sd::state_of(a), sd::state_of(b));
  CHECK(sd::same_bits(test::run(a, x).value(), test::run(b, x).value()));
  CHECK(!sd::parameters(a)[0].value().shares_elements(sd::parameters(b)[0].value()));
  sd::Linear other(3, 4, rng), wider(3, 5, rng);
  CHECK_THROWS_AS(sd::copy_state(sd::state_of(a), sd::state_of(other)), sd::ShapeError);
  CHECK_THROWS_AS(sd::copy_state(sd::state_of(wider), sd::state_of(other)), sd::ShapeError);
}

TEST_CASE("an error carries the path of the layer that threw it") {
  sd::Rng rng{8};
  const sd::Sequential net{sd::Linear(3, 4, rng), sd::Sequential{sd::Relu{}, sd::Linear(5, 1, rng)}};
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 3})),
                    ContainsSubstring("weight expects 5 input features, input has 4"));
  CHECK_THROWS_WITH(test::run(net, sd::zeros({2, 3})), ContainsSubstring("while running sequential0.linear0"));
  CHECK_THROWS_AS(test::run(net, sd::zeros({2, 3})), sd::ShapeError);
  const sd::Sequential second{sd::Linear(3, 3, rng), sd::Tanh{}, sd::Linear(4, 1, rng), sd::Tanh{}};
  CHECK_THROWS_WITH(test::run(second, sd::zeros({2, 3})), ContainsSubstring("while running linear1"));
}

TEST_CASE("a context without random numbers says who needed them") {
  const sd::Context context{.mode = sd::Mode::training};
  CHECK_THROWS_WITH(context.random("Dropout"), ContainsSubstring("Dropout"));
}

TEST_CASE("parameters in double are found by every kind of visit") {
  sd::Rng rng{9};
  auto net = test::to_f64(small_net(rng));
  for (const sd::Var& p : sd::parameters(net)) CHECK(p.dtype() == sd::DType::f64);
  const auto d = test::check_derivatives(small_net(rng), test::normal_f64({3, 3}));
  CHECK(d.first < 1e-6);
  CHECK(d.second < 1e-5);
}
