// benchmarks/steps.hpp: what the benchmarks of training steps share.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/synthdata.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace bench {

namespace sd = synthdata;

/// The same batch again and again.
struct SameBatch {
  sd::Batch batch;
  sd::Batch next() { return batch; }
  sd::SourceState state() const { return {}; }
  void restore(const sd::SourceState&) {}
};

using Step = std::function<void()>;
constexpr std::int64_t latent = 100;

/// A training step of two nets on random data; the trainer and all it borrows live as long as the step.
template <class Loss>
Step gan_step(sd::AnyModule g, sd::AnyModule d, const sd::Shape& real, const Loss& loss, const sd::Adam& rule,
              std::int64_t critic_steps, double penalty, sd::Precision precision = sd::Precision::f32) {
  struct Game {
    sd::Rng rng{1};
    sd::Generator<sd::AnyModule> generator;
    sd::Discriminator<sd::AnyModule> critic;
    sd::AdversarialTrainer<Loss, sd::Generator<sd::AnyModule>, sd::Discriminator<sd::AnyModule>> trainer;
    SameBatch source;
    Game(sd::AnyModule&& net, sd::AnyModule&& judge, const sd::Shape& shape, const Loss& l, sd::TrainerOptions options)
        : generator(std::move(net), sd::NormalLatent{latent}),
          critic(std::move(judge)),
          trainer(generator, critic, l, std::move(options)),
          source{{sd::uniform(shape, rng, sd::DType::f32, -1.0, 1.0), {}}} {}
  };
  auto game = std::make_shared<Game>(std::move(g), std::move(d), real, loss,
                                     sd::TrainerOptions{.critic_steps = critic_steps,
                                                        .learning_rate = 1e-4,
                                                        .generator_rule = rule,
                                                        .critic_rule = rule,
                                                        .precision = precision,
                                                        .collapse = {.every = 0}});
  if (penalty > 0.0) game->trainer.add(sd::GradientPenalty{.weight = penalty});
  return [game] { game->trainer.step(game->source, game->rng); };
}

inline Step dcgan_step(std::int64_t batch, const sd::models::DcganOptions& nets = {},
                       sd::Precision precision = sd::Precision::f32) {
  sd::Rng rng{0};
  return gan_step(sd::models::dcgan_generator(nets, rng), sd::models::dcgan_discriminator(nets, rng),
                  {batch, nets.height, nets.width, nets.channels}, sd::NonSaturating{}, sd::Adam{}, 1, 0.0, precision);
}

inline sd::AnyModule mlp_generator(sd::Rng& rng) {
  return sd::models::mlp({latent, 128, 256, 784}, rng, {.output = sd::fused::tanh});
}
inline Step mlp_gan_step(std::int64_t batch) {
  sd::Rng rng{0};
  return gan_step(mlp_generator(rng), sd::models::mlp({784, 128, 1}, rng), {batch, 784}, sd::NonSaturating{},
                  sd::Adam{.beta1 = 0.5}, 1, 0.0);
}

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Milliseconds of single steps, ascending: at least 7 in at least so many seconds, after a second of warming up.
inline std::vector<double> times_of(const Step& step, double seconds) {
  const double begin = now();
  for (int n = 0; n < 3 || (now() - begin < 1.0 && n < 200); ++n) step();
  std::vector<double> times;
  for (const double start = now(); times.size() < 7 || (now() - start < seconds && times.size() < 20000);) {
    const double t = now();
    step();
    times.push_back(1e3 * (now() - t));
  }
  std::sort(times.begin(), times.end());
  return times;
}

inline double peak_mib() { return static_cast<double>(sd::memory_stats().peak_bytes) / 1048576.0; }

}  // namespace bench
