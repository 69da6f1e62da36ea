// benchmarks/modes_bench.cpp: how many modes of a Gaussian mixture packed, WGAN-GP, unrolled and plain GANs find.
//
//   modes_bench [--data ring|grid|all] [--method NAME|all] [--seeds N] [--first-seed N] [--steps N] [--threads N]
//               [--json FILE]
//
// PacGAN's protocol: 100,000 points, a generator with two hidden layers of 400, 2,500 samples; a mode counts with one
// sample within 3 standard deviations of it (Lin et al. 2018, arXiv:1712.04086, section 4.1). Ring: eight Gaussians at
// radius 1; grid: 5 x 5 Gaussians two apart; both with standard deviation 0.05. The packed and the plain GAN take
// --steps generator steps, methods with costlier steps a share of them, so that all take about as long; all keep an
// average of the generator's weights, which is judged, and lower their rates to 0 at the end.
//
// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <synthdata/data/toy.hpp>
#include <synthdata/gan/trainer.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/sequential.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace sd = synthdata;

namespace {

enum class Game { non_saturating, wasserstein };

struct Method {
  const char* name;
  Game game = Game::non_saturating;
  std::int64_t pack = 1, critic_steps = 1, unrolled_steps = 0;
  double rate = 2e-3;  ///< of both nets
  double beta1 = 0.5, beta2 = 0.99;
  double penalty = 0.0;      ///< weight of the gradient penalty
  double steps_share = 1.0;  ///< of --steps
};

const Method methods[] = {
    {.name = "packed2", .pack = 2},
    {.name = "packed3", .pack = 3},
    {.name = "wgan-gp",
     .game = Game::wasserstein,
     .critic_steps = 5,
     .rate = 1e-3,
     .beta1 = 0.0,
     .beta2 = 0.9,
     .penalty = 0.1,
     .steps_share = 0.2},
    {.name = "unrolled", .unrolled_steps = 5, .steps_share = 0.2},
    {.name = "plain"},
};

struct Options {
  std::string data = "all", method = "all", json;
  std::int64_t seeds = 10, first_seed = 1, steps = 60000;
  int threads = 1;
};

constexpr std::int64_t batch_size = 128;  // rounded up to whole packs
constexpr std::int64_t critic_width = 128, judged_samples = 2500;
constexpr std::uint64_t judge_seed = 1000;  // of the latent vectors that are judged, the same for all

/// First layer of the critic. The modes are a hundred times smaller than the plane they lie in, and a net learns such
/// detail slowly unless its first layer is steep; each unit begins with one sample of the pack, and its kinks lie
/// across the data.
sd::Tensor steep_weight(const sd::Shape& shape, std::int64_t, std::int64_t, sd::Rng& rng) {
  sd::Tensor weight = sd::normal(shape, rng, sd::DType::f32, 0.0, 6.0);
  const std::int64_t pack = shape[1] / 2;
  for (std::int64_t i = 0; i < weight.size(); ++i) {
    const std::int64_t unit = i / shape[1], sample = i % shape[1] / 2;
    if (unit % pack != sample) weight.data<float>()[i] = 0.0f;
  }
  return weight;
}
sd::Tensor spread_bias(const sd::Shape& shape, std::int64_t, std::int64_t, sd::Rng& rng) {
  return sd::uniform(shape, rng, sd::DType::f32, -18.0, 18.0);
}

auto make_generator(sd::Rng& rng) {
  // tanh saturates, so that a mode becomes a plateau and the way between two of them a cliff, sooner than with relu
  const sd::LinearOptions he{.init = sd::init::he_uniform};
  sd::Linear in(2, 400, rng, he), hidden(400, 400, rng, he), out(400, 2, rng, he);
  return sd::Generator{sd::Sequential{in, sd::Tanh{}, hidden, sd::Tanh{}, out}, sd::NormalLatent{2}};
}
auto make_critic(std::int64_t pack, sd::Rng& rng) {
  const sd::LinearOptions he{.init = sd::init::he_uniform};
  sd::Linear in(2 * pack, critic_width, rng, {.init = steep_weight, .bias_init = spread_bias});
  sd::Linear hidden(critic_width, critic_width, rng, he), out(critic_width, 1, rng, he);
  return sd::Discriminator{sd::Sequential{in, sd::LeakyRelu{0.2}, hidden, sd::LeakyRelu{0.2}, out}, {.pack = pack}};
}

/// Constant for a share of the steps, then down to 0 in a line.
sd::Schedule falling(std::int64_t steps, double constant_share) {
  return [=](std::int64_t step) {
    return std::min(1.0, (1.0 - static_cast<double>(step) / static_cast<double>(steps)) / (1.0 - constant_share));
  };
}

struct Run {
  std::uint64_t seed = 0;
  sd::toy::ModeReport report;
  double seconds = 0.0;
  std::string error;  ///< why training stopped, if it did: the run then counts with what the nets were
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class Loss>
Run train(const sd::toy::GaussianMixture& data, const Method& m, const Loss& loss, std::uint64_t seed,
          std::int64_t steps, const std::string& title) {
  sd::Rng rng{seed};
  auto generator = make_generator(rng);
  auto critic = make_critic(m.pack, rng);
  const sd::Adam rule{.beta1 = m.beta1, .beta2 = m.beta2};
  sd::AdversarialTrainer trainer{generator,
                                 critic,
                                 loss,
                                 {.critic_steps = m.critic_steps,
                                  .learning_rate = m.rate,
                                  .generator_rule = rule,
                                  .critic_rule = rule,
                                  .schedule = falling(steps, 0.4),
                                  .unrolled_steps = m.unrolled_steps,
                                  .ema_decay = 0.999,
                                  .collapse = {.every = 0}}};
  if (m.penalty > 0.0) trainer.add(sd::GradientPenalty{.weight = m.penalty});
  const double start = now();
  if (isatty(2)) {
    trainer.on_step([&, shown = start](const sd::StepInfo& info) mutable {
      if (const double t = now(); t - shown > 0.5) {
        shown = t;
        std::fprintf(stderr, "\r%s  step %lld/%lld  %.0f s ", title.c_str(), static_cast<long long>(info.step),
                     static_cast<long long>(steps), t - start);
      }
    });
  }
  Run run;
  run.seed = seed;
  try {
    trainer.fit(data, {.batch_size = (batch_size + m.pack - 1) / m.pack * m.pack, .steps = steps, .workers = 0}, rng);
  } catch (const sd::NumericError& e) {
    run.error = e.what();
  }
  run.seconds = now() - start;
  sd::Rng judge{judge_seed};
  run.report = sd::toy::mode_report(trainer.averaged_generator().sample(judged_samples, judge), data);
  std::fprintf(stderr, "%s%s  %d of %d modes, %.1f %% high quality, reverse KL %.4f, %.1f s%s%s\n",
               isatty(2) ? "\r" : "", title.c_str(), run.report.covered, run.report.modes,
               100.0 * run.report.high_quality_share, run.report.reverse_kl, run.seconds, run.error.empty() ? "" : "; ",
               run.error.c_str());
  return run;
}

struct Statistic {
  double mean = 0.0, deviation = 0.0;  ///< sample standard deviation, 0 for one run
};
template <class F>
Statistic statistic(const std::vector<Run>& runs, F value) {
  Statistic s;
  const auto n = static_cast<double>(runs.size());
  for (const Run& r : runs) s.mean += value(r) / n;
  for (const Run& r : runs) s.deviation += (value(r) - s.mean) * (value(r) - s.mean);
  s.deviation = runs.size() > 1 ? std::sqrt(s.deviation / (n - 1.0)) : 0.0;
  return s;
}
sd::Json json_of(const Statistic& s) { return sd::Json::Object{{"mean", s.mean}, {"std", s.deviation}}; }

struct Row {
  std::string data, method;
  std::int64_t steps = 0;
  std::vector<Run> runs;
};

void print_row(const Row& row, int modes) {
  const Statistic covered = statistic(row.runs, [](const Run& r) { return r.report.covered; });
  const Statistic good = statistic(row.runs, [](const Run& r) { return 100.0 * r.report.high_quality_share; });
  const Statistic kl = statistic(row.runs, [](const Run& r) { return r.report.reverse_kl; });
  const Statistic seconds = statistic(row.runs, [](const Run& r) { return r.seconds; });
  std::printf("| %-4s | %-8s | %5.2f ± %4.2f of %2d |   %5.1f ± %4.1f | %.4f ± %.4f | %6lld | %5.1f ± %4.1f |\n",
              row.data.c_str(), row.method.c_str(), covered.mean, covered.deviation, modes, good.mean, good.deviation,
              kl.mean, kl.deviation, static_cast<long long>(row.steps), seconds.mean, seconds.deviation);
  std::fflush(stdout);
}

sd::Json json_of(const Row& row) {
  sd::Json::Array runs;
  for (const Run& r : row.runs) {
    runs.push_back(sd::Json::Object{{"seed", static_cast<std::int64_t>(r.seed)},
                                    {"modes", r.report.covered},
                                    {"high_quality_share", r.report.high_quality_share},
                                    {"reverse_kl", r.report.reverse_kl},
                                    {"seconds", r.seconds},
                                    {"error", r.error.empty() ? sd::Json() : sd::Json(r.error)}});
  }
  return sd::Json::Object{
      {"data", row.data},
      {"method", row.method},
      {"steps", row.steps},
      {"modes", json_of(statistic(row.runs, [](const Run& r) { return r.report.covered; }))},
      {"high_quality_share", json_of(statistic(row.runs, [](const Run& r) { return r.report.high_quality_share; }))},
      {"reverse_kl", json_of(statistic(row.runs, [](const Run& r) { return r.report.reverse_kl; }))},
      {"seconds", json_of(statistic(row.runs, [](const Run& r) { return r.seconds; }))},
      {"runs", std::move(runs)}};
}

void run(const Options& o) {
  sd::set_threads(o.threads);
  std::printf(
      "| data | method   | modes             | high quality %% | reverse KL      |  steps | seconds      |\n"
      "|------|----------|-------------------|----------------|-----------------|--------|--------------|\n");
  sd::Json::Array rows;
  for (const char* name : {"ring", "grid"}) {
    if (o.data != "all" && o.data != name) continue;
    const auto data = std::strcmp(name, "ring") == 0 ? sd::toy::ring({.modes = 8, .radius = 1.0f, .noise_std = 0.05f})
                                                     : sd::toy::grid({.noise_std = 0.05f});
    for (const Method& m : methods) {
      if (o.method != "all" && o.method != m.name) continue;
      Row row{name, m.name, std::max<std::int64_t>(1, std::llround(static_cast<double>(o.steps) * m.steps_share)), {}};
      for (std::int64_t i = 0; i < o.seeds; ++i) {
        const auto seed = static_cast<std::uint64_t>(o.first_seed + i);
        const std::string title = sd::concat(name, ", ", m.name, ", seed ", seed);
        row.runs.push_back(m.game == Game::wasserstein ? train(data, m, sd::Wasserstein{}, seed, row.steps, title)
                                                       : train(data, m, sd::NonSaturating{}, seed, row.steps, title));
      }
      print_row(row, static_cast<int>(data.modes()));
      rows.push_back(json_of(row));
    }
  }
  if (!o.json.empty()) {
    const sd::Json document = sd::Json::Object{{"benchmark", "modes"},
                                               {"batch_size", batch_size},
                                               {"samples", judged_samples},
                                               {"threads", o.threads},
                                               {"rows", std::move(rows)}};
    sd::write_file(o.json, document.dump() + "\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  std::vector<std::string> names{"all"};
  for (const Method& m : methods) names.emplace_back(m.name);
  constexpr std::int64_t most = 1'000'000'000;
  CLI::App app("Counts the modes of a Gaussian mixture that GANs find.");
  app.add_option("--data", o.data, "mixture")->capture_default_str()->check(CLI::IsMember({"ring", "grid", "all"}));
  app.add_option("--method", o.method, "kind of GAN")->capture_default_str()->check(CLI::IsMember(names));
  app.add_option("--seeds", o.seeds, "runs of each")->capture_default_str()->check(CLI::Range(std::int64_t{1}, most));
  app.add_option("--first-seed", o.first_seed)->capture_default_str()->check(CLI::Range(std::int64_t{0}, most));
  app.add_option("--steps", o.steps)->capture_default_str()->check(CLI::Range(std::int64_t{1}, most));
  app.add_option("--threads", o.threads)->capture_default_str()->check(CLI::Range(1, 4096));
  app.add_option("--json", o.json, "file for all numbers");
  CLI11_PARSE(app, argc, argv);
  try {
    run(o);
  } catch (const sd::Error& error) {
    std::fprintf(stderr, "modes_bench: %s\n", error.what());
    return 1;
  }
}
