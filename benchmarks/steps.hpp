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

/// How a step is run. Its device is the thread's current one when it is made and whenever it is called.
struct Setting {
  sd::Precision precision = sd::Precision::f32;
  bool graph = false;
};

/// A training step of two nets on random data; the trainer and all it borrows live as long as the step.
template <class Loss>
Step gan_step(sd::AnyModule g, sd::AnyModule d, const sd::Shape& real, const Loss& loss, const sd::Adam& rule,
              std::int64_t critic_steps, double penalty, const Setting& how = {}) {
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
                                                        .precision = how.precision,
                                                        .graph = how.graph,
                                                        .collapse = {.every = 0}});
  if (penalty > 0.0) game->trainer.add(sd::GradientPenalty{.weight = penalty});
  return [game] { game->trainer.step(game->source, game->rng); };
}

inline Step dcgan_step(std::int64_t batch, const sd::models::DcganOptions& nets = {}, const Setting& how = {}) {
  sd::Rng rng{0};
  return gan_step(sd::models::dcgan_generator(nets, rng), sd::models::dcgan_discriminator(nets, rng),
                  {batch, nets.height, nets.width, nets.channels}, sd::NonSaturating{}, sd::Adam{}, 1, 0.0, how);
}

inline sd::AnyModule mlp_generator(sd::Rng& rng) {
  return sd::models::mlp({latent, 128, 256, 784}, rng, {.output = sd::fused::tanh});
}
inline Step mlp_gan_step(std::int64_t batch, const Setting& how = {}) {
  sd::Rng rng{0};
  return gan_step(mlp_generator(rng), sd::models::mlp({784, 128, 1}, rng), {batch, 784}, sd::NonSaturating{},
                  sd::Adam{.beta1 = 0.5}, 1, 0.0, how);
}

/// A step written by hand as a graph of the device, as TrainerOptions::graph makes one of the trainer's: two are run,
/// the third is recorded, from then on a step is one call. `optimizers` in the order of their updates, one each.
inline Step recorded_step(Step step, sd::Rng& rng, std::vector<sd::Optimizer*> optimizers, double rate) {
  struct Recording {
    std::shared_ptr<sd::backend::DeviceGraph> graph;
    int warm_ups = 0;
    std::uint64_t first = 0, blocks = 0;  // counters of random numbers: where the step was recorded, how many it takes
    bool recorded = false;
  };
  using Phase = sd::backend::DeviceGraph::Phase;
  auto r = std::make_shared<Recording>();
  r->graph.reset(sd::backend::device_kernels().new_graph(sd::current_device().index));
  return [=, step = std::move(step), optimizers = std::move(optimizers), &rng] {
    if (r->warm_ups < 2) {
      r->graph->begin(Phase::warm_up);
      step();
      r->graph->end();
      ++r->warm_ups;
      return;
    }
    if (!r->recorded) {
      const sd::Rng before = rng;
      r->graph->begin(Phase::record);
      step();
      r->graph->end();
      r->first = before.state().counter;
      r->blocks = rng.state().counter - r->first;
      r->recorded = true;
      rng = before;
      for (sd::Optimizer* optimizer : optimizers) optimizer->uncount_steps(1);
    }
    for (std::size_t i = 0; i < optimizers.size(); ++i) optimizers[i]->step_captured(rate, r->graph->numbers(i));
    r->graph->replay(rng.state().counter - r->first);
    rng.reserve(r->blocks);
  };
}

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Milliseconds of single steps, ascending: at least 7 in at least so many seconds, after a second of warming up. A GPU
/// is waited for after every tenth step only, so that it may lag behind as it does in a training loop.
inline std::vector<double> times_of(const Step& step, double seconds) {
  const sd::Device device = sd::current_device();
  const int together = device.is_cpu() ? 1 : 10;
  const double begin = now();
  for (int n = 0; n < 4 || (now() - begin < 1.0 && n < 200); ++n) step();  // a graph is recorded by the third
  sd::synchronize(device);
  std::vector<double> times;
  for (const double start = now(); times.size() < 7 || (now() - start < seconds && times.size() < 20000);) {
    const double t = now();
    for (int n = 0; n < together; ++n) step();
    sd::synchronize(device);
    times.push_back(1e3 * (now() - t) / together);
  }
  std::sort(times.begin(), times.end());
  return times;
}

/// Of the current device.
inline double peak_mib() { return static_cast<double>(sd::memory_stats(sd::current_device()).peak_bytes) / 1048576.0; }

}  // namespace bench
