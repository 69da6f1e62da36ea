#include <synthdata/data/toy.hpp>
#include <synthdata/gan/trainer.hpp>
#include <synthdata/models/mlp.hpp>

#include "../test.hpp"

using namespace synthdata;

// A whole training run in small; benchmarks/modes_bench.cpp measures the methods at full size.
TEST_CASE("a small WGAN-GP finds all eight modes of a ring") {
  Rng rng{1};
  const auto data = toy::ring({.modes = 8, .radius = 1.0f, .noise_std = 0.05f, .points = 10000});
  Generator generator{models::mlp({2, 64, 64, 2}, rng), NormalLatent{2}};
  Discriminator critic{models::mlp({2, 64, 64, 1}, rng, {.activation = fused::leaky_relu(0.2)})};
  const Adam rule{.beta1 = 0.5, .beta2 = 0.9};
  AdversarialTrainer trainer{
      generator,
      critic,
      Wasserstein{},
      {.critic_steps = 3, .learning_rate = 2e-3, .generator_rule = rule, .critic_rule = rule, .ema_decay = 0.99}};
  trainer.add(GradientPenalty{.weight = 0.1});
  trainer.fit(data, {.batch_size = 128, .steps = 600, .workers = 0}, rng);

  const auto report = toy::mode_report(trainer.averaged_generator().sample(2500, rng), data);
  CHECK(report.covered == 8);
  CHECK(report.high_quality_share > 0.2);  // uniform points in the square around the ring have 0.04
  CHECK(report.reverse_kl < 0.2);
}
