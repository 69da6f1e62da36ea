// SPDX-License-Identifier: MIT
#include <synthdata/nn/any_module.hpp>
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/shape.hpp>

#include "nets.hpp"

namespace sd = synthdata;
namespace {

/// Hides `fused`, so that the layer behind it cannot be taken over.
template <class Layer>
struct Unfused {
  Layer layer;
  sd::Var operator()(const sd::Var& x, sd::Context& context) const { return sd::forward(layer, x, context); }
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("layer", self.layer);
  }
};

/// Value and all gradients of layer + activation, fused and not, must be the same bits.
template <class Layer, class Activation>
void check_fusion(const Layer& layer, const Activation& activation, const sd::Tensor& x) {
  sd::Sequential fused{layer, activation};
  sd::Sequential plain{Unfused<Layer>{layer}, activation};
  std::vector<sd::TraceEntry> trace;
  sd::Context context{.mode = sd::Mode::training, .trace = &trace};
  const sd::Var xa = sd::leaf(x), xb = sd::leaf(x);
  const sd::Var a = fused(xa, context);
  CHECK(trace.size() == 1);
  const sd::Var b = plain(xb, context);
  CHECK(trace.size() == 3);
  CHECK(sd::same_bits(a.value(), b.value()));
  std::vector<sd::Var> wanted_a = sd::parameters(fused), wanted_b = sd::parameters(plain);
  wanted_a.push_back(xa);
  wanted_b.push_back(xb);
  const auto ga = sd::grad(sd::sum(sd::square(a)), wanted_a), gb = sd::grad(sd::sum(sd::square(b)), wanted_b);
  for (std::size_t i = 0; i < ga.size(); ++i) CHECK(sd::same_bits(ga[i].value(), gb[i].value()));
}

template <class Layer>
void check_fusions(const Layer& layer, const sd::Tensor& x) {
  check_fusion(layer, sd::Relu{}, x);
  check_fusion(layer, sd::LeakyRelu{0.1}, x);
  check_fusion(layer, sd::Tanh{}, x);
  check_fusion(layer, sd::Sigmoid{}, x);
}

}  // namespace

TEST_CASE("fused layers equal unfused ones bit for bit, forward and backward") {
  sd::Rng rng{1};
  const sd::Tensor image = sd::normal({2, 5, 6, 3}, rng);
  SECTION("linear") { check_fusions(sd::Linear(37, 19, rng), sd::normal({9, 37}, rng)); }
  SECTION("linear without bias") { check_fusions(sd::Linear(5, 3, rng, {.bias = false}), sd::normal({4, 5}, rng)); }
  SECTION("conv") { check_fusions(sd::Conv2d(3, 7, 3, rng, {.stride = 2, .padding = 1}), image); }
  SECTION("grouped conv") { check_fusions(sd::Conv2d(3, 6, 3, rng, {.groups = 3}), image); }
  SECTION("transposed conv") { check_fusions(sd::ConvTranspose2d(3, 5, 4, rng, {.stride = 2, .padding = 1}), image); }
}

TEST_CASE("an activation that no layer takes over runs by itself") {
  sd::Rng rng{2};
  const sd::Sequential net{sd::Tanh{}, sd::Linear(3, 4, rng), sd::Elu{}, sd::Relu{}, sd::Linear(4, 1, rng)};
  std::vector<sd::TraceEntry> trace;
  sd::Context context{.trace = &trace};
  net(sd::zeros({2, 3}), context);
  std::vector<std::string> names;
  for (const auto& entry : trace) names.push_back(entry.layer);
  CHECK(names == std::vector<std::string>{"activation0", "linear0", "activation1", "activation2", "linear1"});
  CHECK(trace[1].parameters == 16);
  CHECK(trace[1].output == sd::Shape{2, 4});
  CHECK(trace[1].output_bytes == 32);
}

TEST_CASE("an empty Sequential is the identity") {
  const sd::Sequential<> net;
  CHECK(test::distance(test::run(net, sd::ones({2, 2})), sd::ones({2, 2})) == 0.0);
  CHECK(net.size() == 0);
}

TEST_CASE("AnyModule runs, copies and lists what it holds") {
  sd::Rng rng{3};
  const sd::Sequential inner{sd::Linear(3, 2, rng), sd::BatchNorm(2), sd::Tanh{}};
  sd::AnyModule any = inner;
  const sd::Var x = sd::normal({4, 3}, rng);
  CHECK(sd::same_bits(test::run(any, x).value(), test::run(inner, x).value()));
  CHECK(any.held_kind() == "sequential");
  sd::AnyModule copy = any;
  const auto state = sd::state_of(any), copied = sd::state_of(copy);
  REQUIRE(state.parameters.size() == 4);
  CHECK(state.parameters[0].path == "linear0.weight");
  CHECK(state.buffers.size() == 2);
  CHECK(!state.parameters[0].param->value().shares_elements(copied.parameters[0].param->value()));
  test::run(any, x, sd::Mode::training);  // the mode reaches the inside
  CHECK(!sd::same_bits(state.buffers[0].buffer->value(), copied.buffers[0].buffer->value()));
  CHECK_THROWS_AS(test::run(sd::AnyModule{}, x), sd::Error);
  CHECK(!sd::AnyModule{});
}

TEST_CASE("ModuleList builds at run time what Sequential builds at compile time") {
  sd::Rng rng{4};
  sd::ModuleList list;
  for (const std::int64_t width : {3, 5, 2}) list.push_back(sd::Linear(width, width == 3 ? 5 : 2, rng));
  list.push_back(sd::Flatten{});
  list.push_back(sd::Tanh{});
  CHECK(list.size() == 5);
  const auto state = sd::state_of(list);
  REQUIRE(state.parameters.size() == 6);
  CHECK(state.parameters[3].path == "1.bias");
  CHECK(test::run(list, sd::zeros({7, 3})).shape() == sd::Shape{7, 2});
  sd::Sequential net{list, sd::Linear(2, 1, rng)};
  CHECK(sd::state_of(net).parameters[0].path == "list0.0.weight");
  CHECK(sd::parameter_count(net) == 20 + 12 + 6 + 3);
  CHECK_THROWS_WITH(test::run(net, sd::zeros({7, 4})), ContainsSubstring("while running list0.0"));
}
