// examples/mnist_dcgan.cpp: trains a DCGAN on handwritten digits, writes new ones and judges them.
//
//   mnist_dcgan                          the 8 x 8 digits shipped with the library, about a minute
//   mnist_dcgan --data DIR               MNIST-style IDX files (train-images-idx3-ubyte[.gz] ...)
//   mnist_dcgan --data DIR --conditional --loss hinge --steps 2000 --out runs/hinge
//   mnist_dcgan --out runs/hinge --resume ...        goes on where a stopped run was
//   mnist_dcgan --device cuda --graph                on a GPU, if the program was built with it
//
// Ctrl-C saves the state and the pictures, then ends.
#include <synthdata/gan.hpp>
#include <synthdata/metrics/image_report.hpp>
#include <synthdata/models/image_classifier.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>

namespace sd = synthdata;

namespace {

struct Options {
  std::string data, out = "runs/mnist_dcgan", loss = "non-saturating", device = "cpu";
  std::int64_t steps = 0, batch = 128, samples = 1000;
  double seconds = 0.0;
  std::uint64_t seed = 1;
  int threads = 0;
  bool resume = false, conditional = false, judge = true, bf16 = false, graph = false;
};

/// Training images in [-1, 1] with labels, and held-out ones to judge with.
struct Data {
  sd::TensorDataset train, test;
};

Data load(const Options& o) {
  if (!o.data.empty()) return {sd::images_from_idx(o.data), sd::images_from_idx(o.data, sd::Split::test)};
  const sd::TensorDataset all = sd::read_digits(SYNTHDATA_EXAMPLE_DATA "/digits.csv.gz");
  const std::int64_t held_out = all.size() / 5;  // the last fifth
  return {all.rows(0, all.size() - held_out), all.rows(all.size() - held_out, all.size())};
}

/// What suits the data. A few hundred small images of each digit need help against collapse: the discriminator sees
/// them in pairs (PacGAN), and learns fast from layers that start large.
struct Recipe {
  std::int64_t steps, pack;
  double learning_rate;
  sd::Initializer init;
};
Recipe recipe(const Options& o) {
  if (o.data.empty()) return {3000, 2, 1e-3, sd::init::glorot_uniform};
  return {2000, 1, 2e-4, sd::init::dcgan};
}

/// Labels 0, 1, ..., 9, 0, 1, ...: one column of a picture for each class.
sd::Tensor cycling_labels(std::int64_t n) {
  sd::Tensor labels = sd::Tensor::empty({n}, sd::DType::i64);
  for (std::int64_t i = 0; i < n; ++i) labels.data<std::int64_t>()[i] = i % 10;
  return labels;
}

template <class G>
sd::Tensor sample(const G& generator, std::int64_t n, sd::Rng& rng) {
  return generator.classes() > 0 ? generator.sample(cycling_labels(n), rng) : generator.sample(n, rng);
}

/// Writes the new images: one IDX file and one .npy of all, a picture of each and of the first hundred together.
void write_samples(const sd::RunFolder& run, const sd::Tensor& images, const sd::Tensor& labels) {
  const sd::Tensor pixels = sd::to_image_u8(images);
  const std::int64_t n = pixels.shape(0), h = pixels.shape(1), w = pixels.shape(2);
  sd::make_folders(run.file("synthetic"));
  sd::write_idx(run.file("synthetic-images-idx3-ubyte.gz"), pixels.reshape({n, h, w}));
  if (labels.defined()) sd::write_idx(run.file("synthetic-labels-idx1-ubyte.gz"), labels.to(sd::DType::u8));
  sd::write_npy(run.file("synthetic.npy"), images);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::string label = labels.defined() ? sd::concat("_label", labels.data<std::int64_t>()[i]) : "";
    sd::write_png(run.file(sd::concat("synthetic/", sd::numbered("digit", i, label + ".png"))),
                  pixels.rows(i, i + 1).reshape(sd::Shape{h, w, pixels.shape(3)}));
  }
  sd::write_png(run.file("samples.png"),
                sd::image_grid(pixels.rows(0, std::min<std::int64_t>(n, 100)), 10, {.scale = 3}));
}

/// Trains a classifier on the real images and judges the synthetic ones with it.
void judge(const sd::RunFolder& run, const Data& data, const sd::Tensor& images, const sd::Tensor& labels) {
  std::printf("training a classifier on the real images, to judge the new ones with\n");
  // Its seed is fixed: scores compare only under the same judge.
  const auto classifier = sd::models::train_classifier(data.train, {.seed = 1}, [](const auto& info) {
    if (info.step % 200 != 0 && info.step != info.steps) return;
    std::fprintf(stderr, "classifier step %lld/%lld  loss %.3f\n", static_cast<long long>(info.step),
                 static_cast<long long>(info.steps), info.loss);
  });
  std::printf("classifier: %.2f %% of the held-out real images right\n",
              100.0 * sd::models::accuracy(classifier, data.test));
  const sd::ImageReport report = sd::judge_images(classifier, images, data.test, data.train, labels);
  std::printf("%s", report.str().c_str());
  sd::write_png(run.file("neighbours.png"), sd::neighbour_picture(images, data.train, 20, {-1, 1}, {.scale = 3}));
  sd::AtomicFile text(run.file("report.txt"));
  text.write(report.str());
  text.commit();
}

template <class Loss>
int run(const Options& o, const Loss& loss) {
  const sd::Device device = sd::device(o.device);
  if (o.threads > 0) sd::set_threads(o.threads);
  const Data data = load(o);
  const Recipe with = recipe(o);
  const std::int64_t steps = o.steps > 0 ? o.steps : with.steps;
  sd::Rng rng{o.seed};

  const std::int64_t classes = o.conditional ? 10 : 0;
  const sd::models::DcganOptions nets{.height = data.train.sample_shape()[0],
                                      .width = data.train.sample_shape()[1],
                                      .classes = classes,
                                      .pack = with.pack,
                                      .init = with.init};
  sd::Generator generator{sd::models::dcgan_generator(nets, rng), sd::NormalLatent{nets.latent}, classes};
  sd::Discriminator discriminator{sd::models::dcgan_discriminator(nets, rng), {.classes = classes, .pack = with.pack}};
  sd::move_to(generator, device);
  sd::move_to(discriminator, device);
  sd::AdversarialTrainer trainer{generator,
                                 discriminator,
                                 loss,
                                 {.learning_rate = with.learning_rate,
                                  .precision = o.bf16 ? sd::Precision::bf16 : sd::Precision::f32,
                                  .graph = o.graph,
                                  .ema_decay = 0.99}};
  sd::DataLoader images(data.train, {.batch_size = o.batch, .seed = o.seed, .device = device});
  if constexpr (std::is_same_v<Loss, sd::Wasserstein>) trainer.add(sd::GradientPenalty{});

  sd::RunFolder folder(o.out);
  if (o.resume) {
    trainer.load(folder.checkpoint(), images, rng);
    std::printf("resumed %s at step %lld\n", folder.checkpoint().c_str(), static_cast<long long>(trainer.steps()));
  }
  if (!device.is_cpu()) std::printf("on %s, %s\n", sd::concat(device).c_str(), sd::name_of(device).c_str());
  std::printf("%lld real images of %lld x %lld, %lld steps of %lld images, loss %s, seed %llu, %d threads\n%s",
              static_cast<long long>(data.train.size()), static_cast<long long>(nets.height),
              static_cast<long long>(nets.width), static_cast<long long>(steps), static_cast<long long>(o.batch),
              o.loss.c_str(), static_cast<unsigned long long>(o.seed), sd::threads(),
              sd::summary(generator.net(), {1, nets.latent + classes}).c_str());

  // Samples come from the averaged weights, with batch statistics of their own.
  const auto new_images = [&](std::int64_t n, sd::Rng draws) {
    auto average = trainer.averaged_generator();
    average.refresh_statistics(draws);
    return sample(average, n, draws);
  };
  // The same latent vectors every tenth of the run: a column of the second picture is one digit growing clear.
  std::vector<sd::Var> over_time;
  const auto picture = [&](std::int64_t step) {
    const sd::Tensor pixels = sd::to_image_u8(new_images(100, sd::Rng{7}));
    folder.image(step, "samples", sd::image_grid(pixels, 10));
    over_time.push_back(pixels.rows(0, 10).to(sd::DType::f32));
    sd::write_png(folder.file("over_time.png"),
                  sd::image_grid(sd::concat(over_time, 0).value().to(sd::DType::u8), 10, {.scale = 2}));
  };
  const auto start = std::chrono::steady_clock::now();
  sd::Interrupt interrupt;
  sd::Progress progress(steps, trainer.steps());
  trainer.on_step([&](const sd::StepInfo& info) {
    progress(info);
    if (info.step % 10 == 0) {
      folder.record(info.step, {{"loss/critic", info.critic_loss},
                                {"loss/generator", info.generator_loss},
                                {"diversity", info.diversity},
                                {"samples_per_second", progress.samples_per_second()}});
    }
    if (info.step % std::max<std::int64_t>(1, steps / 10) == 0) picture(info.step);
    if (info.step % 500 == 0) trainer.save(folder.checkpoint(), images, rng);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (interrupt.requested() || (o.seconds > 0.0 && spent.count() >= o.seconds)) trainer.stop();
  });
  trainer.fit(images, {.steps = steps}, rng);
  progress.finish();
  trainer.save(folder.checkpoint(), images, rng);
  if (interrupt.requested()) {
    std::printf("stopped at step %lld; go on with --resume --out %s\n", static_cast<long long>(trainer.steps()),
                o.out.c_str());
  }

  const sd::Tensor labels = o.conditional ? cycling_labels(o.samples) : sd::Tensor();
  const sd::Tensor synthetic = new_images(o.samples, sd::Rng{o.seed}.split(1));
  write_samples(folder, synthetic, labels);
  std::printf("%lld new images: %s (and one by one in %s)\n", static_cast<long long>(o.samples),
              folder.file("samples.png").c_str(), folder.file("synthetic/").c_str());
  if (o.judge && !interrupt.requested()) judge(folder, data, synthetic, labels);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  const CLI::Range count(std::int64_t{1}, std::int64_t{1'000'000'000});
  CLI::App app("Trains a DCGAN on handwritten digits, writes new ones and judges them.");
  app.add_option("--data", o.data,
                 "folder of MNIST-style IDX files; without it the 8 x 8 digits shipped with the library");
  app.add_option("--out", o.out, "folder for everything that is written")->capture_default_str();
  app.add_option("--steps", o.steps, "training steps; default 3000, with --data 2000")->check(count);
  app.add_option("--seconds", o.seconds, "end training after so much time, if that comes before --steps")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch", o.batch, "images a step")->capture_default_str()->check(count);
  app.add_option("--samples", o.samples, "new images to write")->capture_default_str()->check(count);
  app.add_option("--seed", o.seed, "same seed, same digits")->capture_default_str();
  app.add_option("--threads", o.threads, "threads; default all")->check(CLI::Range(1, 4096));
  app.add_option("--device", o.device, "where the nets learn: cpu, cuda, cuda:1, ..., or auto")->capture_default_str();
  app.add_flag("--graph", o.graph, "on a GPU: capture a training step once and replay it");
  app.add_option("--loss", o.loss, "the game the two nets play")
      ->capture_default_str()
      ->check(CLI::IsMember({"minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"}));
  app.add_flag("--bf16", o.bf16, "round the factors of products to bf16, where the processor multiplies those faster");
  app.add_flag("--resume", o.resume, "go on where the run in --out was stopped");
  app.add_flag("--conditional", o.conditional, "labels go into both nets: choose the digit that is made");
  app.add_flag("!--no-judge", o.judge, "do not train the classifier that judges");
  CLI11_PARSE(app, argc, argv);
  try {
    if (o.loss == "minimax") return run(o, sd::Minimax{});
    if (o.loss == "least-squares") return run(o, sd::LeastSquares{});
    if (o.loss == "hinge") return run(o, sd::Hinge{});
    if (o.loss == "wasserstein") return run(o, sd::Wasserstein{});
    if (o.loss == "relativistic") return run(o, sd::Relativistic{});
    return run(o, sd::NonSaturating{});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "\nmnist_dcgan: %s\n", error.what());
    return 1;
  }
}
