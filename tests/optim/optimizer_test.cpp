#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/optim/ema.hpp>
#include <synthdata/optim/optimizer.hpp>

#include <cmath>

#include "../test.hpp"

using namespace synthdata;

namespace {

/// Ten steps of rate 0.1 from (0.5, -1, 2) with the gradients sin(t (i + 1)), t = 1 ... 10.
Tensor after_ten_steps(const AnyRule& rule, DType dtype) {
  Param p(Tensor::from(std::vector<double>{0.5, -1.0, 2.0}).to(dtype));
  Optimizer optimizer({{"p", &p}}, rule);
  for (int t = 1; t <= 10; ++t) {
    const Tensor g = Tensor::from(std::vector<double>{std::sin(t), std::sin(2 * t), std::sin(3 * t)}).to(dtype);
    optimizer.step({&g, 1}, 0.1);
  }
  CHECK(optimizer.steps() == 10);
  return p.value();
}

struct Case {
  AnyRule rule;
  std::vector<double> expected;
};

// What torch.optim 1.13 gives for the same steps in float64.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {Sgd{}, {0.35888116287819893, -1.0646505694038157, 2.0464027748671216}},
      {Sgd{.momentum = 0.9}, {-0.24484956890137718, -1.2222753476151647, 2.002082634809394}},
      {Sgd{.momentum = 0.9, .nesterov = true}, {-0.3114834491330405, -1.2646983822574638, 2.048277146195577}},
      {Sgd{.momentum = 0.5, .weight_decay = 0.1}, {0.15438934913968072, -0.8961924722857244, 1.6907251989418304}},
      {RmsProp{}, {-0.882753230697069, -1.5182806107705995, 1.689694718510502}},
      {RmsProp{.decay = 0.9, .momentum = 0.5, .weight_decay = 0.1},
       {-0.3458980120226806, -0.8918529481052567, 0.9965112678066738}},
      {Adam{}, {0.1345427105003073, -1.1370581903675392, 1.9157571823375967}},
      {Adam{.beta1 = 0.5, .beta2 = 0.9, .weight_decay = 0.1},
       {0.21299618920400853, -0.9534319546539136, 1.6395614477422522}},
      {AdamW{}, {0.1320014697517699, -1.1260507880847608, 1.8966309527459975}},
      {AdamW{.beta1 = 0.5, .weight_decay = 0.2}, {0.18176994690165973, -0.8799835384918259, 1.6007563235620694}},
  };
  return all;
}

}  // namespace

TEST_CASE("update rules equal PyTorch's") {
  for (const Case& c : cases()) {
    INFO(c.rule.name());
    const Tensor f64 = after_ten_steps(c.rule, DType::f64), f32 = after_ten_steps(c.rule, DType::f32);
    for (int i = 0; i < 3; ++i) {
      const double expected = c.expected[static_cast<std::size_t>(i)];
      CHECK(f64.data<double>()[i] == Approx(expected).epsilon(1e-12));
      CHECK(f32.data<float>()[i] == Approx(expected).epsilon(1e-5));  // ten roundings of values near 1
    }
  }
}

TEST_CASE("long parameters are updated element by element, whatever the instruction set") {
  Rng rng{1};
  const Tensor start = normal({1000}, rng), g = normal({1000}, rng);
  for (const Case& c : cases()) {
    const auto run = [&](backend::cpu::Isa isa) {
      backend::cpu::force_isa(isa);
      Param p(start.clone());
      Optimizer optimizer({{"p", &p}}, c.rule);
      for (int t = 0; t < 3; ++t) optimizer.step({&g, 1}, 0.01);
      backend::cpu::force_isa(backend::cpu::Isa::avx512);
      return p.value();
    };
    const Tensor baseline = run(backend::cpu::Isa::baseline), widest = run(backend::cpu::Isa::avx512);
    // Element 999 lies in the padded tail: alone in a tensor it must get the same bits.
    Param one(Tensor::from(std::vector<float>{start.data<float>()[999]}));
    const Tensor one_g = Tensor::from(std::vector<float>{g.data<float>()[999]});
    Optimizer alone({{"p", &one}}, c.rule);
    for (int t = 0; t < 3; ++t) alone.step({&one_g, 1}, 0.01);
    CHECK(one.value().data<float>()[0] == widest.data<float>()[999]);
    for (int i = 0; i < 1000; ++i) CHECK(baseline.data<float>()[i] == Approx(widest.data<float>()[i]).margin(1e-6));
  }
}

TEST_CASE("the recorded update gives the same numbers as the kernel") {
  Rng rng{2};
  const Tensor start = normal({5}, rng, DType::f64), g = normal({5}, rng, DType::f64);
  for (const Case& c : cases()) {
    Param p(start.clone());
    Optimizer optimizer({{"p", &p}}, c.rule);
    optimizer.step({&g, 1}, 0.1);
    Var running[2] = {Tensor::zeros({5}, DType::f64), Tensor::zeros({5}, DType::f64)};
    const Var gradient = leaf(g);
    const Var recorded = c.rule.apply({.learning_rate = 0.1, .step = 1}, Var(start), gradient, running);
    for (int i = 0; i < 5; ++i) CHECK(recorded.value().data<double>()[i] == Approx(p.value().data<double>()[i]));
    CHECK(recorded.requires_grad());
  }
}

TEST_CASE("an optimizer's state goes through names and back") {
  Rng rng{3};
  Sequential net{Linear(3, 4, rng), Tanh{}, Linear(4, 1, rng)};
  Optimizer trained(state_of(net).parameters, Adam{});
  std::vector<Tensor> gradients;
  for (const Var& p : parameters(net)) gradients.push_back(normal(p.shape(), rng));
  trained.step(gradients, 0.1);

  auto copy = net;
  Optimizer restored(state_of(copy).parameters, Adam{});
  const std::vector<NamedTensor> saved = trained.state("opt.");
  const auto find = [&](const std::string& name) -> const Tensor* {
    for (const NamedTensor& t : saved) {
      if (t.name == name) return &t.tensor;
    }
    return nullptr;
  };
  restored.restore("opt.", find);
  trained.step(gradients, 0.1);
  restored.step(gradients, 0.1);
  CHECK(restored.steps() == 2);
  CHECK(same_bits(net.get<0>().weight().value(), copy.get<0>().weight().value()));
  CHECK_THROWS_WITH(restored.restore("other.", find), ContainsSubstring("'other.steps' is missing"));
}

TEST_CASE("gradients that do not fit are refused") {
  Param p(Tensor::zeros({3}));
  Optimizer optimizer({{"p", &p}}, Sgd{});
  const Tensor wrong = Tensor::zeros({4});
  CHECK_THROWS_WITH(optimizer.step({&wrong, 1}, 0.1), ContainsSubstring("gradient of p does not fit"));
  CHECK_THROWS_AS(optimizer.step({}, 0.1), ShapeError);
}

TEST_CASE("clipping limits values and joint norms") {
  std::vector<Tensor> g = {Tensor::from(std::vector<float>{3.0f, -0.5f}), Tensor::from(std::vector<float>{4.0f})};
  std::vector<Tensor> by_value = {g[0].clone(), g[1].clone()};
  clip_by_value(by_value, 1.0);
  CHECK(by_value[0].data<float>()[0] == 1.0f);
  CHECK(by_value[0].data<float>()[1] == -0.5f);
  CHECK(by_value[1].data<float>()[0] == 1.0f);

  const double before = clip_by_norm(g, 1.0);
  CHECK(before == Approx(std::sqrt(9.0 + 0.25 + 16.0)));
  CHECK(g[0].data<float>()[0] == Approx(3.0 / before));
  CHECK(g[1].data<float>()[0] == Approx(4.0 / before));
  CHECK(clip_by_norm(g, 10.0) == Approx(1.0));  // already short enough: untouched
  CHECK(g[1].data<float>()[0] == Approx(4.0 / before));
  CHECK_THROWS_AS(clip_by_norm(g, 0.0), NumericError);
  CHECK_THROWS_AS(clip_by_value(g, -1.0), NumericError);
}

TEST_CASE("the weight average follows the decay, early on faster") {
  Rng rng{4};
  Linear live(2, 1, rng, {.bias = false}), average = live;
  const float first = live.weight().value().data<float>()[0];
  state_of(live).parameters[0].param->assign(Tensor::full({1, 2}, first + 1.0));
  Ema ema(0.5);
  ema.update(state_of(average), state_of(live));
  CHECK(average.weight().value().data<float>()[0] == Approx(first + 0.9));  // the first decay is 1 / 10
  for (int i = 0; i < 20; ++i) ema.update(state_of(average), state_of(live));
  CHECK(average.weight().value().data<float>()[0] == Approx(first + 1.0).epsilon(1e-4));
  CHECK(ema.updates() == 21);
  CHECK_THROWS_AS(Ema(1.0), NumericError);
}
