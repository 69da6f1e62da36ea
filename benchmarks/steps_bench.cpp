// benchmarks/steps_bench.cpp: milliseconds of whole training steps and of sampling.
//
//   steps_bench [NAME ...] [--threads N] [--seconds S]        all without names; one JSON object a line
//   steps_bench --device cuda --graph --precision tf32 ...    on a GPU
//   benchmarks/beside_pytorch runs it in turn with PyTorch on a CPU, benchmarks/beside_pytorch_gpu on a GPU.
//
// A GAN step is: the generator forward; the critic on real and on detached fake samples, backward, Adam; the critic on
// the same fakes again, backward, Adam of the generator. Dropout, batch norm, random numbers and losses are inside.
// Real batches lie in memory. Each benchmark warms up for a second and reports the median step with the 10th and 90th
// percentile. Compare only with what runs the same nets and batch on the same machine, with nothing beside it.
//
// SPDX-License-Identifier: MIT
#include "steps.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace bench;

Step dcgan(std::int64_t batch, const Setting& how) { return dcgan_step(batch, {}, how); }
Step dcgan_bf16(std::int64_t batch, const Setting& how) {
  return dcgan_step(batch, {}, {.precision = sd::Precision::bf16, .graph = how.graph});
}
Step wgan_gp_dcgan(std::int64_t batch, const Setting& how) {
  sd::Rng rng{0};
  return gan_step(sd::models::dcgan_generator({}, rng), sd::models::dcgan_discriminator({.dropout = 0.0}, rng),
                  {batch, 28, 28, 1}, sd::Wasserstein{}, sd::Adam{.beta1 = 0.0, .beta2 = 0.9}, 5, 10.0, how);
}
Step mlp_gan(std::int64_t batch, const Setting& how) { return mlp_gan_step(batch, how); }
Step wgan_gp_mlp(std::int64_t batch, const Setting& how) {
  sd::Rng rng{0};
  return gan_step(mlp_generator(rng), sd::models::mlp({784, 128, 1}, rng), {batch, 784}, sd::Wasserstein{},
                  sd::Adam{.beta1 = 0.0, .beta2 = 0.9}, 5, 10.0, how);
}

/// A step that is not the trainer's, under the setting.
Step by_hand(const Setting& how, Step step, sd::Rng& rng, std::vector<sd::Optimizer*> optimizers, double rate) {
  if (how.graph && !sd::current_device().is_cpu())
    step = recorded_step(std::move(step), rng, std::move(optimizers), rate);
  return [how, step = std::move(step)] {
    const sd::ProductPrecision precision(how.precision);
    step();
  };
}

template <class Net>
void update(Net& net, sd::Optimizer& optimizer, const sd::Var& loss, double rate) {
  std::vector<sd::Tensor> gradients;
  for (const sd::Var& g : grad(loss, sd::parameters(net))) gradients.push_back(g.value());
  optimizer.step(gradients, rate);
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
    return static_cast<double>(x.size()) * binary_cross_entropy_with_logits(y, x) -
           0.5 * sum(1.0 + lv - square(mu) - exp(lv));
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
Step vae(std::int64_t batch, const Setting& how) {
  struct Training {
    sd::Rng rng{1};
    Vae net{rng};
    sd::Tensor real;
    sd::Optimizer optimizer{sd::state_of(net).parameters, sd::Adam{}};
  };
  auto t = std::make_shared<Training>();
  t->real = sd::uniform({batch, 784}, t->rng);
  const auto step = [t] { update(t->net, t->optimizer, t->net.loss(t->real, t->rng), 1e-3); };
  return by_hand(how, step, t->rng, {&t->optimizer}, 1e-3);
}

/// CTGAN's two nets on rows of 10 continuous columns (a scalar and 9 modes each) and 8 categorical ones: a critic
/// update with gradient penalty on packs of 10 rows, then a generator update with the loss of the asked-for categories.
/// Source of nets and losses: Xu et al. 2019, arXiv:1907.00503, section 4.
struct Tabular {
  static constexpr std::int64_t continuous = 10, modes = 9, pack = 10, noise = 128;
  static constexpr std::int64_t categories[] = {9, 7, 6, 5, 2, 14, 15, 2};
  static constexpr std::int64_t asked = 60, encoded = continuous * (1 + modes), row = encoded + asked;

  explicit Tabular(std::int64_t batch) : rows(batch) {
    std::vector<float> scalar(static_cast<std::size_t>(row), 0.0f);
    for (std::int64_t c = 0; c < continuous; ++c) {
      scalar[static_cast<std::size_t>(c * (1 + modes))] = 1.0f;
      blocks.insert(blocks.end(), {1, modes});
    }
    blocks.insert(blocks.end(), std::begin(categories), std::end(categories));
    is_scalar = sd::Tensor::from(scalar, {1, row});

    // Rows and conditions as data has them: one category in each block, one block asked for in each row.
    std::vector<float> data, condition, block;
    for (std::int64_t n = 0; n < rows; ++n) {
      for (const std::int64_t size : blocks) {
        const auto one = static_cast<std::int64_t>(rng.next_u64() % static_cast<std::uint64_t>(size));
        for (std::int64_t i = 0; i < size; ++i) data.push_back(size == 1 ? 0.3f : static_cast<float>(i == one));
      }
      const auto column = static_cast<std::size_t>(rng.next_u64() % std::size(categories));
      for (std::size_t c = 0; c < std::size(categories); ++c) {
        const auto one = static_cast<std::int64_t>(rng.next_u64() % static_cast<std::uint64_t>(categories[c]));
        for (std::int64_t i = 0; i < categories[c]; ++i) {
          block.push_back(static_cast<float>(c == column));
          condition.push_back(static_cast<float>(c == column && i == one));
        }
      }
    }
    conditions = sd::Tensor::from(condition, {rows, asked});
    in_block = sd::Tensor::from(block, {rows, asked});
    real = sd::concat({sd::Tensor::from(data, {rows, row}), conditions}, 1).value();
  }

  /// The generator's logits and its rows, with the conditions behind them as the critic wants them.
  struct Fake {
    sd::Var logits, rows;
  };
  Fake generate() {
    sd::Context context{.mode = sd::Mode::training, .rng = &rng};
    const sd::Var y = forward(generator, sd::concat({sd::normal({rows, noise}, rng), conditions}, 1), context);
    const sd::Var made = where(is_scalar, tanh(y), gumbel_softmax_blocks(y, blocks, rng, {.temperature = 0.2}));
    return {y, sd::concat({made, conditions}, 1)};
  }
  sd::Var judge(const sd::Var& x) {
    sd::Context context{.mode = sd::Mode::training, .rng = &rng};
    return forward(critic, reshape(x, {x.shape(0) * x.shape(1) / packed, packed}), context);
  }
  /// Cross entropy of the asked-for categories; the other blocks of a row take no part.
  sd::Var condition_loss(const sd::Var& logits) const {
    const sd::Var y = slice(logits, 1, encoded, row);
    return mean(logsumexp(where(in_block, y, sd::Tensor::full({1, 1}, -1e30)), 1) - sum(y * conditions, 1));
  }
  void step() {
    const sd::Tensor fake = [&] {
      const sd::NoGrad constant;
      return generate().rows.value();
    }();
    const sd::Tensor t = sd::uniform({rows / pack, 1}, rng);
    const sd::Var a = reshape(real, {rows / pack, packed}), b = reshape(fake, {rows / pack, packed});
    const sd::Var x = leaf(t * a + (1.0 - sd::Var(t)) * b);
    const sd::Var slope = grad(sum(judge(x)), x, {.create_graph = true});
    const sd::Var penalty = 10.0 * mean(square(norm(slope, 1, 1e-12) - 1.0));
    const sd::Var scores = judge(sd::concat({fake, real}, 0));  // no layer looks at more than one pack
    const std::int64_t packs = rows / pack;
    update(critic, critic_optimizer,
           mean(slice(scores, 0, 0, packs)) - mean(slice(scores, 0, packs, 2 * packs)) + penalty, rate);

    const Fake next = generate();
    update(generator, generator_optimizer, condition_loss(next.logits) - mean(judge(next.rows)), rate);
  }

  static auto residual(std::int64_t in, sd::Rng& rng) {
    return sd::Skip(sd::Sequential(sd::Linear(in, 256, rng), sd::BatchNorm(256), sd::Relu{}));
  }
  static sd::AnyModule make_generator(sd::Rng& rng) {
    const std::int64_t in = noise + asked;
    return sd::Sequential(residual(in, rng), residual(in + 256, rng), sd::Linear(in + 512, row, rng));
  }
  static sd::AnyModule make_critic(sd::Rng& rng) {
    return sd::Sequential(sd::Linear(packed, 256, rng), sd::LeakyRelu{0.2}, sd::Dropout(0.5), sd::Linear(256, 256, rng),
                          sd::LeakyRelu{0.2}, sd::Dropout(0.5), sd::Linear(256, 1, rng));
  }

  static constexpr std::int64_t packed = pack * (row + asked);
  static constexpr double rate = 2e-4;
  std::int64_t rows;
  sd::Rng rng{1};
  std::vector<std::int64_t> blocks;
  sd::Tensor is_scalar, conditions, in_block, real;
  sd::AnyModule generator = make_generator(rng), critic = make_critic(rng);
  sd::Optimizer generator_optimizer{sd::state_of(generator).parameters,
                                    sd::Adam{.beta1 = 0.5, .beta2 = 0.9, .weight_decay = 1e-6}};
  sd::Optimizer critic_optimizer{sd::state_of(critic).parameters, sd::Adam{.beta1 = 0.5, .beta2 = 0.9}};
};
Step tabular(std::int64_t batch, const Setting& how) {
  auto t = std::make_shared<Tabular>(batch);
  return by_hand(
      how, [t] { t->step(); }, t->rng, {&t->critic_optimizer, &t->generator_optimizer}, Tabular::rate);
}

/// The new samples are brought to the CPU, and are not captured.
Step sampling(std::int64_t batch, const Setting& how) {
  struct Sampling {
    sd::Rng rng{1};
    sd::Generator<sd::AnyModule> generator{sd::models::dcgan_generator({}, rng), sd::NormalLatent{latent}};
  };
  auto s = std::make_shared<Sampling>();
  return [s, batch, how] {
    const sd::ProductPrecision precision(how.precision);
    s->generator.sample(batch, s->rng);
  };
}

struct Benchmark {
  const char* name;
  std::int64_t samples;
  Step (*make)(std::int64_t batch, const Setting& how);
  std::int64_t batch;
};
const Benchmark benchmarks[] = {{"dcgan28_b128", 128, dcgan, 128},
                                {"dcgan28_b256", 256, dcgan, 256},
                                {"dcgan28_b512", 512, dcgan, 512},
                                {"dcgan28_b128_bf16", 128, dcgan_bf16, 128},
                                {"mlpgan_b128", 128, mlp_gan, 128},
                                {"mlpgan_b1", 1, mlp_gan, 1},
                                {"wgangp_dcgan_iter_b64", 320, wgan_gp_dcgan, 64},
                                {"wgangp_mlp_iter_b64", 320, wgan_gp_mlp, 64},
                                {"tabular_b500", 500, tabular, 500},
                                {"vae_b128", 128, vae, 128},
                                {"sample_dcgan_b1", 1, sampling, 1},
                                {"sample_dcgan_b256", 256, sampling, 256}};

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "g++ " __VERSION__;
#endif

void measure(const Benchmark& b, const Setting& how, double seconds) {
  const sd::Device device = sd::current_device();
  sd::reset_peak_memory(device);
  const Step step = b.make(b.batch, how);
  const std::vector<double> times = times_of(step, seconds);
  const double median = times[times.size() / 2];
  const sd::Json line = sd::Json::Object{{"bench", b.name},
                                         {"threads", sd::threads()},
                                         {"device", sd::concat(device)},
                                         {"steps", static_cast<std::int64_t>(times.size())},
                                         {"ms", median},
                                         {"p10", times[times.size() / 10]},
                                         {"p90", times[times.size() * 9 / 10]},
                                         {"samples_per_s", 1e3 * static_cast<double>(b.samples) / median},
                                         {"peak_mib", peak_mib()}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 6.0;
  int threads = 0;
  bool about = false;
  std::string device = "cpu";
  Setting how;
  const std::map<std::string, sd::Precision> precisions{{"f32", sd::Precision::f32},
                                                        {"tf32", sd::Precision::tf32},
                                                        {"bf16", sd::Precision::bf16},
                                                        {"f16", sd::Precision::f16}};
  std::vector<std::string> names, known;
  for (const Benchmark& b : benchmarks) known.emplace_back(b.name);
  CLI::App app("Times whole training steps, and sampling.");
  app.add_option("names", names, "benchmarks; all without")->check(CLI::IsMember(known));
  app.add_option("--threads", threads, "threads; default all")->check(CLI::Range(1, 4096));
  app.add_option("--seconds", seconds, "time for each")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--device", device, "cpu, cuda, cuda:1, ..., or auto: a GPU where there is one")
      ->capture_default_str();
  app.add_option("--precision", how.precision, "of products: f32, tf32, bf16 or f16; default f32")
      ->transform(CLI::CheckedTransformer(precisions).description(""));
  app.add_flag("--graph", how.graph, "on a GPU: the step is captured once and replayed");
  app.add_flag("--about", about, "prints compiler, instruction set and device, and ends");
  CLI11_PARSE(app, argc, argv);
  try {
    const sd::OnDevice there(sd::device(device));
    if (about) {
      const sd::Json line = sd::Json::Object{{"compiler", compiler},
                                             {"isa", sd::backend::cpu::name(sd::backend::cpu::isa())},
                                             {"device", sd::name_of(sd::current_device())}};
      std::printf("%s\n", line.dump().c_str());
      return 0;
    }
    sd::set_threads(threads);
    for (const Benchmark& b : benchmarks) {
      if (names.empty() || std::find(names.begin(), names.end(), b.name) != names.end()) measure(b, how, seconds);
    }
  } catch (const sd::Error& error) {
    std::fprintf(stderr, "steps_bench: %s\n", error.what());
    return 1;
  }
}
