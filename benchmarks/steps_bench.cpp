// benchmarks/steps_bench.cpp: milliseconds of whole training steps and of sampling.
//
//   steps_bench [NAME ...] [--threads N] [--seconds S]        all without names; one JSON object a line
//
// A GAN step is: the generator forward; the critic on real and on detached fake samples, backward, Adam; the critic on
// the same fakes again, backward, Adam of the generator. Dropout, batch norm, random numbers and losses are inside.
// Real batches lie in memory. Each benchmark warms up for a second and reports the median step with the 10th and 90th
// percentile. Compare only with what runs the same nets and batch on the same machine, with nothing beside it.
//
// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <synthdata/gan/trainer.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/models/dcgan.hpp>
#include <synthdata/models/mlp.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sd = synthdata;

namespace {

/// The same batch again and again.
struct SameBatch {
  sd::Batch batch;
  sd::Batch next() { return batch; }
  sd::SourceState state() const { return {}; }
  void restore(const sd::SourceState&) {}
};
SameBatch noise_batch(const sd::Shape& shape, sd::Rng& rng) {
  return {{sd::uniform(shape, rng, sd::DType::f32, -1.0, 1.0), {}}};
}

using Step = std::function<void()>;
constexpr std::int64_t latent = 100;

/// A training step of two nets; the trainer and all it borrows live as long as the step.
template <class Loss>
Step gan_step(sd::AnyModule g, sd::AnyModule d, const sd::Shape& real, const Loss& loss, const sd::Adam& rule,
              std::int64_t critic_steps, double penalty) {
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
          source(noise_batch(shape, rng)) {}
  };
  auto game = std::make_shared<Game>(std::move(g), std::move(d), real, loss,
                                     sd::TrainerOptions{.critic_steps = critic_steps,
                                                        .learning_rate = 1e-4,
                                                        .generator_rule = rule,
                                                        .critic_rule = rule,
                                                        .collapse = {.every = 0}});
  if (penalty > 0.0) game->trainer.add(sd::GradientPenalty{.weight = penalty});
  return [game] { game->trainer.step(game->source, game->rng); };
}

Step dcgan(std::int64_t batch) {
  sd::Rng rng{0};
  return gan_step(sd::models::dcgan_generator({}, rng), sd::models::dcgan_discriminator({}, rng), {batch, 28, 28, 1},
                  sd::NonSaturating{}, sd::Adam{}, 1, 0.0);
}
Step wgan_gp_dcgan(std::int64_t batch) {
  sd::Rng rng{0};
  return gan_step(sd::models::dcgan_generator({}, rng), sd::models::dcgan_discriminator({.dropout = 0.0}, rng),
                  {batch, 28, 28, 1}, sd::Wasserstein{}, sd::Adam{.beta1 = 0.0, .beta2 = 0.9}, 5, 10.0);
}
sd::AnyModule mlp_generator(sd::Rng& rng) {
  return sd::models::mlp({latent, 128, 256, 784}, rng, {.output = sd::fused::tanh});
}
Step mlp_gan(std::int64_t batch) {
  sd::Rng rng{0};
  return gan_step(mlp_generator(rng), sd::models::mlp({784, 128, 1}, rng), {batch, 784}, sd::NonSaturating{},
                  sd::Adam{.beta1 = 0.5}, 1, 0.0);
}
Step wgan_gp_mlp(std::int64_t batch) {
  sd::Rng rng{0};
  return gan_step(mlp_generator(rng), sd::models::mlp({784, 128, 1}, rng), {batch, 784}, sd::Wasserstein{},
                  sd::Adam{.beta1 = 0.0, .beta2 = 0.9}, 5, 10.0);
}

/// A variational autoencoder 784-400-20 with logits and binary cross entropy, sums over the batch.
struct Vae {
  explicit Vae(sd::Rng& rng)
      : encode(784, 400, rng),
        mean(400, 20, rng),
        log_variance(400, 20, rng),
        decode(20, 400, rng),
        logits(400, 784, rng) {}
  sd::Linear encode, mean, log_variance, decode, logits;

  sd::Var loss(const sd::Tensor& x, sd::Rng& rng) const {
    sd::Context context{.mode = sd::Mode::training, .rng = &rng};
    const sd::Var h = encode.fused(x, context, sd::fused::relu), mu = mean(h), lv = log_variance(h);
    const sd::Var z = mu + sd::normal(mu.shape(), rng) * exp(0.5 * lv);
    const sd::Var y = logits(decode.fused(z, context, sd::fused::relu));
    return sum(softplus(y) - y * x) - 0.5 * sum(1.0 + lv - square(mu) - exp(lv));
  }
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("encode", self.encode);
    v("mean", self.mean);
    v("log_variance", self.log_variance);
    v("decode", self.decode);
    v("logits", self.logits);
  }
};
Step vae(std::int64_t batch) {
  struct Training {
    sd::Rng rng{1};
    Vae net{rng};
    sd::Tensor real;
    sd::Optimizer optimizer{sd::state_of(net).parameters, sd::Adam{}};
  };
  auto t = std::make_shared<Training>();
  t->real = sd::uniform({batch, 784}, t->rng);
  return [t] {
    std::vector<sd::Tensor> gradients;
    for (const sd::Var& g : grad(t->net.loss(t->real, t->rng), sd::parameters(t->net))) gradients.push_back(g.value());
    t->optimizer.step(gradients, 1e-3);
  };
}

Step sampling(std::int64_t batch) {
  struct Sampling {
    sd::Rng rng{1};
    sd::Generator<sd::AnyModule> generator{sd::models::dcgan_generator({}, rng), sd::NormalLatent{latent}};
  };
  auto s = std::make_shared<Sampling>();
  return [s, batch] { s->generator.sample(batch, s->rng); };
}

struct Benchmark {
  const char* name;
  std::int64_t samples;
  Step (*make)(std::int64_t batch);
  std::int64_t batch;
};
const Benchmark benchmarks[] = {{"dcgan28_b128", 128, dcgan, 128},
                                {"dcgan28_b256", 256, dcgan, 256},
                                {"mlpgan_b128", 128, mlp_gan, 128},
                                {"mlpgan_b1", 1, mlp_gan, 1},
                                {"wgangp_dcgan_iter_b64", 320, wgan_gp_dcgan, 64},
                                {"wgangp_mlp_iter_b64", 320, wgan_gp_mlp, 64},
                                {"vae_b128", 128, vae, 128},
                                {"sample_dcgan_b1", 1, sampling, 1},
                                {"sample_dcgan_b256", 256, sampling, 256}};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void measure(const Benchmark& b, double seconds) {
  sd::reset_peak_memory();
  const Step step = b.make(b.batch);
  const double begin = now();
  for (int n = 0; n < 3 || (now() - begin < 1.0 && n < 200); ++n) step();
  std::vector<double> times;
  for (const double start = now(); times.size() < 7 || (now() - start < seconds && times.size() < 20000);) {
    const double t = now();
    step();
    times.push_back(1e3 * (now() - t));
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  const sd::Json line = sd::Json::Object{{"bench", b.name},
                                         {"threads", sd::threads()},
                                         {"steps", static_cast<std::int64_t>(times.size())},
                                         {"ms", median},
                                         {"p10", times[times.size() / 10]},
                                         {"p90", times[times.size() * 9 / 10]},
                                         {"samples_per_s", 1e3 * static_cast<double>(b.samples) / median},
                                         {"peak_mib", static_cast<double>(sd::memory_stats().peak_bytes) / 1048576.0}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 6.0;
  int threads = 0;
  std::vector<std::string> names, known;
  for (const Benchmark& b : benchmarks) known.emplace_back(b.name);
  CLI::App app("Times whole training steps, and sampling.");
  app.add_option("names", names, "benchmarks; all without")->check(CLI::IsMember(known));
  app.add_option("--threads", threads, "threads; default all")->check(CLI::Range(1, 4096));
  app.add_option("--seconds", seconds, "time for each")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    sd::set_threads(threads);
    for (const Benchmark& b : benchmarks) {
      if (names.empty() || std::find(names.begin(), names.end(), b.name) != names.end()) measure(b, seconds);
    }
  } catch (const sd::Error& error) {
    std::fprintf(stderr, "steps_bench: %s\n", error.what());
    return 1;
  }
}
