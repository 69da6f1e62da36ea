#include <synthdata/gan/trainer.hpp>

#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/toy.hpp>
#include <synthdata/models/mlp.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>

#include <cmath>
#include <cstdio>

#include "../test.hpp"

using namespace synthdata;

namespace {

using Net = models::Mlp;
using Ring = decltype(toy::ring({}));

struct Nets {
  Rng rng;
  Generator<Net> generator;
  Discriminator<Net> critic;

  explicit Nets(std::uint64_t seed, std::int64_t classes = 0, std::int64_t pack = 1)
      : rng(seed),
        generator(models::mlp({4 + classes, 32, 32, 2}, rng), NormalLatent{4}, classes),
        critic(models::mlp({(2 + classes) * pack, 32, 32, 1}, rng, {.activation = fused::leaky_relu(0.2)}),
               {.classes = classes, .pack = pack}) {}
};

Ring ring() { return toy::ring({.modes = 8, .radius = 1.0f, .noise_std = 0.05f, .points = 4000}); }
DataLoader<Ring> loader() { return DataLoader<Ring>(ring(), {.batch_size = 32, .seed = 3}); }

/// All weights of both nets, to compare bit for bit.
bool same_weights(Nets& a, Nets& b) {
  const auto equal = [](const ModuleState& x, const ModuleState& y) {
    bool same = x.parameters.size() == y.parameters.size();
    for (std::size_t i = 0; same && i < x.parameters.size(); ++i) {
      same = same_bits(x.parameters[i].param->value(), y.parameters[i].param->value());
    }
    return same;
  };
  return equal(state_of(a.generator), state_of(b.generator)) && equal(state_of(a.critic), state_of(b.critic));
}

struct InfinitePenalty {
  static constexpr const char* name = "my_penalty";
  Var operator()(const auto&, const Tensor&, const Tensor&, Rng&) const { return Tensor::full({}, INFINITY); }
};

const TrainerOptions full_options{.critic_steps = 2, .learning_rate = 1e-3, .instance_noise = 0.1, .ema_decay = 0.9};

}  // namespace

TEST_CASE("bf16 products are an option of the trainer: other weights after a step, kept in f32") {
  Nets narrow(1), plain(1);
  auto images = loader(), same = loader();
  AdversarialTrainer a{narrow.generator, narrow.critic, NonSaturating{}, {.precision = Precision::bf16}};
  AdversarialTrainer b{plain.generator, plain.critic, NonSaturating{}};
  const double loss = a.step(images, narrow.rng).critic_loss;
  CHECK(loss == Approx(b.step(same, plain.rng).critic_loss).epsilon(0.02));
  CHECK(product_precision() == Precision::f32);
  CHECK(same_weights(narrow, plain) == !backend::cpu::has_bf16());
}

TEST_CASE("a run that stopped and resumed equals one that did not, bit for bit") {
  const std::string path = "trainer_test_state.safetensors";
  Nets whole(1), stopped(1), resumed(2);
  {
    auto source = loader();
    AdversarialTrainer trainer(whole.generator, whole.critic, Wasserstein{}, full_options);
    trainer.add(GradientPenalty{});
    trainer.fit(source, {.steps = 200}, whole.rng);
  }
  {
    auto source = loader();
    AdversarialTrainer trainer(stopped.generator, stopped.critic, Wasserstein{}, full_options);
    trainer.add(GradientPenalty{});
    trainer.fit(source, {.steps = 100}, stopped.rng);
    trainer.save(path, source, stopped.rng);
  }
  auto source = loader();
  AdversarialTrainer trainer(resumed.generator, resumed.critic, Wasserstein{}, full_options);
  trainer.add(GradientPenalty{});
  trainer.load(path, source, resumed.rng);
  CHECK(trainer.steps() == 100);
  CHECK_FALSE(same_weights(whole, resumed));
  trainer.fit(source, {.steps = 200}, resumed.rng);
  CHECK(same_weights(whole, resumed));
  CHECK(whole.rng.state() == resumed.rng.state());
  std::remove(path.c_str());
}

TEST_CASE("one thread and two give the same bits") {
  Nets one(1), two(1);
  for (Nets* nets : {&one, &two}) {
    set_threads(nets == &one ? 1 : 2);
    auto source = loader();
    AdversarialTrainer trainer(nets->generator, nets->critic, NonSaturating{}, {.learning_rate = 1e-3});
    trainer.add(R1{.weight = 0.1});
    trainer.fit(source, {.steps = 50}, nets->rng);
  }
  set_threads(0);
  CHECK(same_weights(one, two));
}

TEST_CASE("a warm training step takes no memory from the system and leaves no live node") {
  Nets nets(1);
  auto source = loader();
  AdversarialTrainer trainer(nets.generator, nets.critic, Wasserstein{}, full_options);
  trainer.add(GradientPenalty{});
  trainer.fit(source, {.steps = 20}, nets.rng);
  const std::int64_t before = memory_stats().system_allocations;
  trainer.fit(source, {.steps = 60}, nets.rng);
  CHECK(memory_stats().system_allocations == before);
  CHECK(detail::Node::live() == 0);
}

TEST_CASE("a loss that is not finite stops the training and names step and term") {
  Nets nets(1);
  auto source = loader();
  AdversarialTrainer trainer(nets.generator, nets.critic, Wasserstein{}, {.learning_rate = 1e-3});
  trainer.fit(source, {.steps = 3}, nets.rng);
  Param& weight = *state_of(nets.critic).parameters[0].param;
  weight.mutable_value().data<float>()[0] = std::nanf("");
  CHECK_THROWS_AS(trainer.fit(source, {.steps = 9}, nets.rng), NumericError);
  CHECK_THROWS_WITH(trainer.fit(source, {.steps = 9}, nets.rng), ContainsSubstring("step 4: critic loss is nan"));

  Nets with_penalty(1);
  AdversarialTrainer second(with_penalty.generator, with_penalty.critic, Wasserstein{}, {});
  second.add(InfinitePenalty{});
  CHECK_THROWS_WITH(second.fit(source, {.steps = 1}, with_penalty.rng), ContainsSubstring("my_penalty is inf"));
}

TEST_CASE("callbacks see every step and epoch, and can stop the run") {
  Nets nets(1);
  auto source = loader();  // 125 batches an epoch
  AdversarialTrainer trainer(nets.generator, nets.critic, LeastSquares{}, {.learning_rate = 1e-3});
  std::int64_t steps = 0, epochs = 0;
  trainer.on_step([&](const StepInfo& info) {
    CHECK(info.step == ++steps);
    CHECK(info.samples == 32);
    if (info.step == 260) trainer.stop();
  });
  trainer.on_epoch([&](const StepInfo&) { ++epochs; });
  const StepInfo last = trainer.fit(source, {.steps = 1000}, nets.rng);
  CHECK(last.step == 260);
  CHECK(steps == 260);
  CHECK(epochs == 2);
}

TEST_CASE("conditional nets get the labels, and say so when there are none") {
  Nets nets(1, /*classes=*/8);
  auto source = loader();  // the ring labels its points by mode
  AdversarialTrainer trainer(nets.generator, nets.critic, NonSaturating{}, {.learning_rate = 2e-3});
  trainer.fit(source, {.steps = 400}, nets.rng);
  const Tensor labels = arange(8);
  CHECK(nets.generator.sample(labels, nets.rng).shape() == Shape{8, 2});
  CHECK_THROWS_WITH(nets.generator.sample(3, nets.rng), ContainsSubstring("conditional"));

  const TensorDataset unlabelled(normal({64, 2}, nets.rng));
  CHECK_THROWS_WITH(trainer.fit(unlabelled, {.batch_size = 32, .steps = 500}, nets.rng),
                    ContainsSubstring("no labels"));
}

TEST_CASE("packed, unrolled and accumulated training run and learn") {
  const auto run = [](std::int64_t pack, TrainerOptions options) {
    Nets nets(1, 0, pack);
    auto source = loader();
    options.learning_rate = 1e-3;
    AdversarialTrainer trainer(nets.generator, nets.critic, NonSaturating{}, options);
    const StepInfo info = trainer.fit(source, {.steps = 30}, nets.rng);
    CHECK(std::isfinite(info.generator_loss));
    CHECK(detail::Node::live() == 0);
    return nets.generator.sample(16, nets.rng);
  };
  const Tensor plain = run(1, {});
  CHECK_FALSE(same_bits(plain, run(2, {})));
  CHECK_FALSE(same_bits(plain, run(1, {.unrolled_steps = 3})));
  CHECK_FALSE(same_bits(plain, run(1, {.accumulate = 2})));
}

TEST_CASE("an unrolled generator's gradient flows through the critic's updates") {
  // With one parameter each the look-ahead can be written by hand: critic score c x, generator output g.
  Rng rng{1};
  Param g(Tensor::full({1, 1}, 0.3, DType::f64)), c(Tensor::full({1, 1}, 0.7, DType::f64));
  const AnyRule rule = Sgd{};
  const auto ahead_loss = [&](const Var& gv) {
    Param copy = c;
    Var slot = Tensor::zeros({1, 1}, DType::f64);
    const Var loss = sum(square(mul(copy, gv) - 1.0));
    const Var slope = grad(loss, copy, {.create_graph = true});
    copy.rebind(rule.apply({.learning_rate = 0.1, .step = 1}, copy, slope, &slot));
    return sum(square(mul(copy, gv)));
  };
  const double analytic = grad(ahead_loss(g), g).item();
  const auto value = [&](double x) { return ahead_loss(Var(Tensor::full({1, 1}, x, DType::f64))).item(); };
  // ahead_loss of a constant still needs the critic's gradient, which does not depend on the generator's being a leaf.
  CHECK(analytic == Approx((value(0.3 + 1e-6) - value(0.3 - 1e-6)) / 2e-6).epsilon(1e-6));
}

TEST_CASE("collapse is reported when the diversity of the fake batches falls and stays low") {
  Rng rng{1};
  const Tensor real = normal({64, 2}, rng), same = Tensor::full({64, 2}, 0.5);
  CollapseDetector detector({.threshold = 0.2, .patience = 3, .every = 1, .grace = 100});
  for (std::int64_t step = 1; step <= 10; ++step) detector.observe(step, real, same);
  CHECK_FALSE(detector.collapsed());  // never diverse yet, and still within the grace
  detector.observe(11, real, normal({64, 2}, rng));
  CHECK(detector.diversity() > 0.8);
  for (std::int64_t step = 12; step <= 14; ++step) detector.observe(step, real, same);
  CHECK(detector.collapsed());
  CHECK(detector.diversity() == 0.0);
  detector.observe(15, real, normal({64, 2}, rng));
  CHECK_FALSE(detector.collapsed());
}

TEST_CASE("a state that does not fit is refused and changes nothing") {
  const std::string path = "trainer_test_misfit.safetensors";
  Nets small(1), wide(1, 0, 2);
  auto source = loader();
  AdversarialTrainer trainer(small.generator, small.critic, NonSaturating{}, {});
  trainer.fit(source, {.steps = 2}, small.rng);
  trainer.save(path, source, small.rng);
  Nets before = wide;
  AdversarialTrainer other(wide.generator, wide.critic, NonSaturating{}, {});
  CHECK_THROWS_AS(other.load(path, source, wide.rng), DataError);
  CHECK_THROWS_WITH(other.load(path, source, wide.rng), ContainsSubstring("expected [32, 4] f32"));
  CHECK(same_weights(before, wide));
  std::remove(path.c_str());
}

TEST_CASE("Wasserstein weight clipping keeps every critic weight in its box") {
  Nets nets(1);
  auto source = loader();
  AdversarialTrainer trainer(nets.generator, nets.critic, Wasserstein{.clip = 0.01},
                             {.critic_steps = 5, .learning_rate = 1e-2});
  trainer.fit(source, {.steps = 5}, nets.rng);
  for (const NamedParam& p : state_of(nets.critic).parameters) {
    for (const float w : p.param->value().span<float>()) CHECK(std::fabs(w) <= 0.01f);
  }
}

TEST_CASE("refreshed statistics are those of the generator's own samples") {
  Rng rng{1};
  Generator generator{Sequential{Linear(4, 3, rng), BatchNorm(3, {.momentum = 0.01})}, NormalLatent{4}};
  const BatchNorm& norm = generator.net().get<1>();
  CHECK(norm.running_mean().data<float>()[0] == 0.0f);  // never trained
  generator.refresh_statistics(rng, 10, 64);

  // By hand: the mean of the ten batches' means, the numbers drawn again.
  Rng first{1};
  Sequential same{Linear(4, 3, first)};
  Context context{.mode = Mode::inference};
  double expected = 0.0;
  for (int i = 0; i < 10; ++i)
    expected += mean(same(Var(normal({64, 4}, first)), context), 0).value().data<float>()[0] / 10.0;
  CHECK(norm.running_mean().data<float>()[0] == Approx(expected).epsilon(1e-4));
  CHECK(first.state() == rng.state());
}
