// Every layer, loss, penalty and update rule on the device under test against the CPU, and whole training steps.
#include <synthdata/data/prefetch.hpp>

#include "device.hpp"

#include <cstdio>
#include <optional>

using namespace test;
using sd::Var;
using Vars = std::vector<Var>;

namespace {

/// A net as a function of its input and all its parameters, in training mode; buffers follow the input's dtype.
template <class Net>
Case layer(const char* name, const Net& net, const sd::Tensor& x, int derivatives = 2, double f32 = 2e-3) {
  Net copy = net;
  Inputs at{x};
  for (const sd::NamedParam& p : sd::state_of(copy).parameters) at.push_back(p.param->value().to(sd::DType::f64));
  const auto f = [net](const Vars& v) {
    Net own = net;
    const sd::ModuleState state = sd::state_of(own);
    for (std::size_t i = 0; i < state.parameters.size(); ++i) state.parameters[i].param->rebind(v[i + 1]);
    const sd::DType dtype = state.parameters.empty() ? v[0].dtype() : v[1].dtype();
    for (const sd::NamedBuffer& b : state.buffers)
      *b.buffer = sd::Buffer(b.buffer->value().to(dtype).to(v[0].device()));
    sd::Rng rng{11};
    sd::Context context{.mode = sd::Mode::training, .rng = &rng};
    return sd::forward(own, v[0], context);
  };
  return {name, f, at, derivatives, f32};
}

sd::Rng& rng() {
  static sd::Rng shared{3};
  return shared;
}

}  // namespace

TEST_CASE("device: layers") {
  using namespace sd;
  const Tensor flat = normal({6, 8}), image = normal({2, 6, 6, 4}), sequence = normal({2, 5, 8});
  compare({
      layer("Linear", Linear(8, 5, rng()), flat),
      layer("Conv2d", Conv2d(4, 3, 3, rng(), {.padding = 1}), image),
      layer("ConvTranspose2d", ConvTranspose2d(4, 3, 4, rng(), {.stride = 2, .padding = 1}), image),
      layer("BatchNorm", BatchNorm(4), image),
      layer("LayerNorm", LayerNorm(8), flat),
      layer("GroupNorm", GroupNorm(2, 4), image),
      layer("InstanceNorm", InstanceNorm(4), image),
      layer("Dropout", Dropout(0.4), flat),
      layer("Embedding", Embedding(5, 4, rng()), index({0, 4, 2, 2}, {2, 2})),
      layer("MinibatchStddev", MinibatchStddev({.group_size = 2}), image),
      layer("MixturePrior", MixturePrior(3, 8, rng()), flat),
      layer("SpectralNorm", SpectralNorm(Linear(8, 5, rng()), rng()), flat, 1),
      layer("Recurrent of GRUCell", Recurrent<GRUCell>(8, 6, rng()), sequence),
      layer("Recurrent of LSTMCell", Recurrent<LSTMCell>(8, 6, rng()), sequence),
      layer("MultiHeadAttention", MultiHeadAttention(8, 2, rng(), {.causal = true, .dropout = 0.1}), sequence),
      layer("Residual", Residual(Linear(8, 8, rng())), flat),
      layer("Skip", Skip(Linear(8, 3, rng())), flat),
      layer("Sequential",
            Sequential(Linear(8, 8, rng()), BatchNorm(8), LeakyRelu{0.2}, Dropout(0.2), Linear(8, 1, rng())), flat),
      layer("AnyModule", AnyModule(Sequential(Linear(8, 4, rng()), Tanh{})), flat),
      layer("InPrecision", InPrecision(Precision::f32, Linear(8, 4, rng())), flat),
      layer("DiffAugment", DiffAugment{}, image),
      layer("Flatten", Flatten{}, image),
      layer("Reshape", Reshape({9, 16}), image),
      layer("Permute", Permute({0, 3, 1, 2}), image),
      layer("Upsample", Upsample{.factor = 2}, image),
      layer("MaxPool", MaxPool({.kernel = 2}), image),
      layer("AvgPool", AvgPool({.kernel = 2}), image),
      layer("GlobalAvgPool", GlobalAvgPool{}, image),
      layer("GlobalMaxPool", GlobalMaxPool{}, image),
      layer("PixelShuffle", PixelShuffle{.factor = 2}, image),
  });
}

TEST_CASE("device: products in lower precision are close to those in f32") {
  if (!has_device()) return void(++skipped_cases());
  const sd::Tensor a = normal({40, 30}, 1).to(sd::DType::f32), b = normal({30, 20}, 2).to(sd::DType::f32);
  const sd::Tensor exact = matmul(Var(a), Var(b)).value().to(sd::DType::f64);
  const sd::Device gpu = sd::cuda::device(0);
  for (const auto& [precision, tolerance] : {std::pair{sd::Precision::tf32, 1e-2}, std::pair{sd::Precision::bf16, 1e-1},
                                             std::pair{sd::Precision::f16, 1e-2}}) {
    const sd::ProductPrecision narrow(precision);
    const Var y = matmul(Var(a.to(gpu)), Var(b.to(gpu)));
    const double error = worst_error(y.value().to(sd::Device::cpu()).to(sd::DType::f64), exact);
    CHECK(error < tolerance);
    CHECK(error > 1e-6);  // it was rounded
  }
}

TEST_CASE("device: losses and penalties of adversarial training") {
  const sd::Tensor real = normal({6, 1}, 1), fake = normal({6, 1}, 2);
  const auto loss = [&](const char* name, auto value) {
    return Case{name,
                [value](const Vars& v) {
                  Var critic = value.critic(v[0], v[1]);
                  if constexpr (requires { value.generator(v[1]); }) {
                    return critic + value.generator(v[1]);
                  } else {
                    return critic + value.generator(v[0], v[1]);
                  }
                },
                {real, fake}};
  };
  compare({loss("Minimax", sd::Minimax{}), loss("NonSaturating", sd::NonSaturating{}),
           loss("LeastSquares", sd::LeastSquares{}), loss("Hinge", sd::Hinge{}), loss("Wasserstein", sd::Wasserstein{}),
           loss("Relativistic", sd::Relativistic{})});
  const auto penalty = [&](const char* name, auto value) {
    const Inputs at = {normal({5, 3}, 1), normal({5, 3}, 2), normal({4, 3}, 3), normal({1, 4}, 4)};
    return Case{name,
                [value](const Vars& v) {
                  sd::Rng own{8};
                  const auto critic = [&](const Var& x) { return linear(tanh(linear(x, v[2], {})), v[3], {}); };
                  return value(critic, v[0].value(), v[1].value(), own) + 0.0 * sum(v[0]) + 0.0 * sum(v[1]);
                },
                at, 1, 2e-3};
  };
  compare({penalty("GradientPenalty", sd::GradientPenalty{}), penalty("R1", sd::R1{}), penalty("R2", sd::R2{}),
           penalty("Dragan", sd::Dragan{})});
}

TEST_CASE("device: update rules") {
  const auto rule = [](const char* name, const sd::AnyRule& own) {
    return Case{name,
                [own](const Vars& v) {
                  sd::Param a(v[0].value()), b(v[1].value());
                  sd::Optimizer optimizer({{"a", &a}, {"b", &b}}, own);
                  for (int step = 0; step < 3; ++step) {
                    const std::vector<sd::Tensor> gradients = {(2.0 * Var(a)).value(), (Var(b) * Var(b)).value()};
                    optimizer.step(gradients, 0.1);
                  }
                  return sd::concat({reshape(Var(a.value()), {-1}), reshape(Var(b.value()), {-1})}, 0);
                },
                {normal({7, 300}, 1), normal({5}, 2)},
                0,
                1e-3};
  };
  compare({rule("Sgd", sd::Sgd{.momentum = 0.9, .nesterov = true, .weight_decay = 0.01}),
           rule("RmsProp", sd::RmsProp{.momentum = 0.5}), rule("Adam", sd::Adam{.weight_decay = 0.01}),
           rule("AdamW", sd::AdamW{})});
}

namespace {

struct Nets {
  sd::Rng rng{1};
  sd::Generator<sd::AnyModule> generator{
      sd::Sequential(sd::Linear(4, 16, rng), sd::BatchNorm(16), sd::LeakyRelu{0.2}, sd::Linear(16, 2, rng)),
      sd::NormalLatent{4}};
  sd::Discriminator<sd::AnyModule> critic{
      sd::Sequential(sd::Linear(2, 16, rng), sd::LeakyRelu{0.2}, sd::Dropout(0.2), sd::Linear(16, 1, rng))};
};

using Trainer = sd::AdversarialTrainer<sd::NonSaturating, decltype(Nets::generator), decltype(Nets::critic)>;

/// Both nets on a device, and a trainer that uses much of what there is.
struct Training {
  Nets nets;
  std::optional<Trainer> trainer;

  Training(sd::Device device, bool graph) {
    move_to(nets.generator, device);
    move_to(nets.critic, device);
    trainer.emplace(nets.generator, nets.critic, sd::NonSaturating{},
                    sd::TrainerOptions{.critic_steps = 2,
                                       .learning_rate = 1e-3,
                                       .schedule = sd::schedule::exponential(1, 0.9),
                                       .clip_norm = 5.0,
                                       .instance_noise = 0.1,
                                       .graph = graph,
                                       .ema_decay = 0.9});
    trainer->add(sd::GradientPenalty{.weight = 1.0});
  }
};

struct How {
  bool graph = false;
  std::string checkpoint = "";
  bool ahead = false;  ///< the loader sends batches to the device
};

/// Six training steps; samples of both generators, the losses, and the critic's weights. With a checkpoint, another
/// trainer goes on after the second step.
std::vector<sd::Tensor> trained(sd::Device device, const How& how = {}) {
  const std::string& checkpoint = how.checkpoint;
  Training first(device, how.graph), second(device, how.graph);
  Training* now = &first;
  sd::DataLoader loader(sd::toy::ring({.modes = 8}),
                        {.batch_size = 32, .seed = 3, .device = how.ahead ? device : sd::Device::cpu()});
  sd::Rng rng{7};
  std::vector<double> losses;
  for (int i = 0; i < 6; ++i) {
    if (i == 2 && !checkpoint.empty()) {
      first.trainer->save(checkpoint, loader, rng);
      now = &second;
      now->trainer->load(checkpoint, loader, rng);
      std::remove(checkpoint.c_str());
    }
    const sd::StepInfo info = now->trainer->step(loader, rng);
    losses.insert(losses.end(), {info.critic_loss, info.generator_loss, info.penalties.at(0).value});
  }
  std::vector<sd::Tensor> out = {now->nets.generator.sample(10, rng),
                                 now->trainer->averaged_generator().sample(10, rng), sd::Tensor::from(losses)};
  for (const sd::NamedParam& p : sd::state_of(now->nets.critic).parameters) {
    out.push_back(p.param->value().to(sd::Device::cpu()));
  }
  return out;
}

/// True if all are equal to the last bit.
bool same(const std::vector<sd::Tensor>& a, const std::vector<sd::Tensor>& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i) equal = sd::same_bits(a[i], b[i]);
  return equal;
}

}  // namespace

TEST_CASE("device: training steps follow those of the CPU, captured or not, and a stopped run goes on") {
  if (!has_device()) return void(++skipped_cases());
  const sd::Device gpu = sd::cuda::device(0);
  const auto cpu = trained(sd::Device::cpu()), there = trained(gpu);
  REQUIRE(cpu.size() == there.size());
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    CHECK(worst_error(cpu[i].to(sd::DType::f64), there[i].to(sd::DType::f64)) < 2e-3);
  }
  CHECK(same(trained(gpu), there));
  CHECK(same(trained(gpu, {.graph = true}), there));  // two steps as they come, the third recorded, then replayed
  const std::string checkpoint = "device_checkpoint.safetensors";
  CHECK(same(trained(gpu, {.checkpoint = checkpoint}), there));
  CHECK(same(trained(gpu, {.graph = true, .checkpoint = checkpoint}), there));
  CHECK(same(trained(gpu, {.ahead = true}), there));
  CHECK(same(trained(gpu, {.graph = true, .checkpoint = checkpoint, .ahead = true}), there));
}

TEST_CASE("device: a loader sends batches ahead, into memory that it uses again") {
  if (!has_device()) return void(++skipped_cases());
  const sd::Device gpu = sd::cuda::device(0);
  sd::Rng rng{5};
  const sd::TensorDataset data(sd::uniform({64, 40}, rng), sd::arange(64));
  const auto compare_batches = [&](auto& ahead, sd::DataLoader<sd::TensorDataset> near) {
    sd::Var sum(sd::Tensor::zeros({16, 40}, sd::DType::f32, gpu)), expected(sd::Tensor::zeros({16, 40}));
    const std::int64_t before = sd::memory_stats(gpu).system_allocations;
    for (int i = 0; i < 60; ++i) {
      const sd::Batch there = ahead.next(), here = near.next();
      REQUIRE(there.data.device() == gpu);
      REQUIRE(there.labels.device() == gpu);
      CHECK(!there.lengths.defined());
      sum = sum + there.data;  // still to be done when the batch is gone
      expected = expected + here.data;
      if (i % 10 == 0) CHECK(sd::same_bits(there.labels.to(sd::Device::cpu()), here.labels));
    }
    CHECK(sd::memory_stats(gpu).system_allocations < before + 40);  // of 120 tensors that came, and some sums
    CHECK(sd::same_bits(sum.value().to(sd::Device::cpu()), expected.value()));
  };
  sd::LoaderOptions options{.batch_size = 16, .seed = 2, .prefetch = 4};
  for (const int workers : {0, 1, 3}) {
    INFO("workers " << workers);
    options.workers = workers;
    options.device = gpu;
    sd::DataLoader ahead(data, options);
    options.device = sd::Device::cpu();
    compare_batches(ahead, sd::DataLoader(data, options));
  }
  sd::Prefetched prefetched(sd::DataLoader(data, options), 4, gpu);
  compare_batches(prefetched, sd::DataLoader(data, options));
  options.device = gpu;
  sd::DataLoader restored(data, options);
  restored.next();  // others are on their way
  const sd::SourceState here = restored.state();
  const sd::Tensor second = restored.next().data.to(sd::Device::cpu());
  restored.next();
  restored.restore(here);
  CHECK(sd::same_bits(restored.next().data.to(sd::Device::cpu()), second));
  sd::empty_memory_cache(gpu);
  CHECK(sd::memory_stats(gpu).cached_bytes == 0);
  CHECK_THROWS_WITH(sd::Tensor::ones({2}, sd::DType::f32, gpu).send_ahead(sd::Device::cpu()),
                    ContainsSubstring("expects a tensor on the CPU, got [2] f32 cuda:0"));
}

namespace {
/// Draws a number of its own: a graph would repeat it.
struct SingleDraw {
  static constexpr const char* name = "single_draw";
  Var operator()(const auto&, const sd::Tensor& real, const sd::Tensor&, sd::Rng& rng) const {
    return 1e-3 * static_cast<double>(rng.uniform()) * mean(square(Var(real)));
  }
};
}  // namespace

TEST_CASE("device: a step that cannot be captured says why, and the nets stay as they were") {
  if (!has_device()) return void(++skipped_cases());
  Training training(sd::cuda::device(0), true);
  training.trainer->add(SingleDraw{});
  sd::DataLoader loader(sd::toy::ring({.modes = 8}), {.batch_size = 32, .seed = 3});
  sd::Rng rng{7};
  for (int i = 0; i < 2; ++i) training.trainer->step(loader, rng);
  const sd::Tensor before = sd::parameters(training.nets.critic)[0].value().to(sd::Device::cpu());
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH(training.trainer->step(loader, rng), ContainsSubstring("single random numbers"));
    CHECK(sd::same_bits(sd::parameters(training.nets.critic)[0].value().to(sd::Device::cpu()), before));
  }
}

TEST_CASE("device: training in every precision learns about the same as in f32") {
  if (!has_device()) return void(++skipped_cases());
  const auto loss = [](sd::Precision precision) {
    Nets nets;
    move_to(nets.generator, sd::cuda::device(0));
    move_to(nets.critic, sd::cuda::device(0));
    Trainer trainer(nets.generator, nets.critic, sd::NonSaturating{}, {.learning_rate = 1e-3, .precision = precision});
    sd::DataLoader loader(sd::toy::ring({.modes = 8}), {.batch_size = 32, .seed = 3});
    sd::Rng rng{7};
    double last = 0.0;
    for (int i = 0; i < 4; ++i) last = trainer.step(loader, rng).critic_loss;
    return last;
  };
  const double exact = loss(sd::Precision::f32);
  for (const sd::Precision precision : {sd::Precision::tf32, sd::Precision::bf16, sd::Precision::f16}) {
    CHECK(loss(precision) == Approx(exact).epsilon(0.05));
  }
}

TEST_CASE("device: a captured step follows a state that is loaded later") {
  if (!has_device()) return void(++skipped_cases());
  Training training(sd::cuda::device(0), true);
  sd::DataLoader loader(sd::toy::ring({.modes = 8}), {.batch_size = 32, .seed = 3});
  sd::Rng rng{7};
  const std::string file = "device_captured.safetensors";
  const auto go_on = [&] {
    for (int i = 0; i < 4; ++i) training.trainer->step(loader, rng);
    return std::vector<sd::Tensor>{training.nets.generator.sample(10, rng),
                                   training.trainer->averaged_generator().sample(10, rng)};
  };
  for (int i = 0; i < 4; ++i) training.trainer->step(loader, rng);  // recorded and replayed by now
  training.trainer->save(file, loader, rng);
  const auto first = go_on();
  training.trainer->load(file, loader, rng);
  std::remove(file.c_str());
  CHECK(same(go_on(), first));
}

TEST_CASE("device: nothing is copied to the host silently, and operands must be together") {
  if (!has_device()) return void(++skipped_cases());
  const sd::Tensor x = sd::Tensor::ones({2, 3}, sd::DType::f32, sd::cuda::device(0)), y = sd::Tensor::ones({2, 3});
  CHECK_THROWS_WITH(x.data<float>(), ContainsSubstring("on cuda:0; copy them with to(Device::cpu())"));
  CHECK_THROWS_WITH(x.bytes(), ContainsSubstring("cuda:0"));
  CHECK_THROWS_WITH(Var(x) + Var(y), ContainsSubstring("expects all operands on cuda:0, got one of [2, 3] on cpu"));
  CHECK_THROWS_WITH(matmul(Var(x), Var(y), {.transpose_b = true}), ContainsSubstring("different devices"));
  CHECK(x.str() == "[2, 3] f32 cuda:0");
  CHECK(sd::same_bits(x.to(sd::Device::cpu()), y));
  CHECK(sd::Tensor::scalar(2.5, sd::DType::f32, sd::cuda::device(0)).item() == 2.5);
}

TEST_CASE("device: an index out of range is an error at the next synchronisation, naming the operation") {
  if (!has_device()) return void(++skipped_cases());
  const sd::Device gpu = sd::cuda::device(0);
  const sd::Tensor x = sd::Tensor::ones({3, 2}, sd::DType::f32, gpu), wrong = index({0, 7, 1}, {3}).to(gpu);
  const Var y = gather(Var(x), 0, Var(wrong));
  CHECK_THROWS_WITH(y.value().to(sd::Device::cpu()),
                    ContainsSubstring("gather: index 7 (element 1") && ContainsSubstring("[0, 3)"));
  CHECK_NOTHROW(sd::synchronize(gpu));  // told once
}

TEST_CASE("device: large tensors travel there and back, also when their memory is overwritten at once") {
  if (!has_device()) return void(++skipped_cases());
  const std::int64_t n = (std::int64_t{21} << 20) / 4 + 3;  // more than all staging pieces hold
  sd::Rng rng{4};
  sd::Tensor x = sd::uniform({n}, rng);
  const sd::Tensor kept = x.clone(), there = x.to(sd::cuda::device(0));
  x.fill(-1.0);
  CHECK(sd::same_bits(there.to(sd::Device::cpu()), kept));
}

TEST_CASE("device: memory is kept for reuse and counted") {
  if (!has_device()) return void(++skipped_cases());
  const sd::Device gpu = sd::cuda::device(0);
  const auto use = [&] { return sd::Tensor::zeros({1000}, sd::DType::f32, gpu); };
  use();
  const sd::MemoryStats before = sd::memory_stats(gpu);
  {
    const sd::Tensor x = use();
    CHECK(sd::memory_stats(gpu).live_bytes >= before.live_bytes + 4000);
  }
  CHECK(sd::memory_stats(gpu).live_bytes == before.live_bytes);
  CHECK(sd::memory_stats(gpu).system_allocations == before.system_allocations);
  sd::empty_memory_cache(gpu);
  CHECK(sd::memory_stats(gpu).cached_bytes == 0);
}

TEST_CASE("device: names of devices") {
  CHECK(sd::device("cpu").is_cpu());
  CHECK(sd::device("auto").is_cpu() == !has_device());
  CHECK_THROWS_WITH(sd::device("tpu"), ContainsSubstring("unknown device 'tpu'"));
  CHECK_THROWS_WITH(sd::device("cuda:x"), ContainsSubstring("unknown device"));
  CHECK_THROWS_AS(sd::device("cuda:99"), sd::DeviceError);
  if (!has_device()) CHECK_THROWS_WITH(sd::device("cuda"), ContainsSubstring("no GPU can be used"));
}

TEST_CASE("device: how many comparisons found no device") {
  if (skipped_cases() > 0) WARN("skipped: " << skipped_cases() << " comparisons; there is no GPU to compare with");
  SUCCEED();
}
