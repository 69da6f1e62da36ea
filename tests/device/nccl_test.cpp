// tests/device/nccl_test.cpp: several GPUs by NCCL, or two devices of the emulator, each with a thread as its rank.
#include "device.hpp"

#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>

#include <exception>
#include <filesystem>
#include <thread>

using namespace test;
using sd::Communicator;
using sd::Tensor;

namespace {

constexpr int ranks = 2;

#define NEED_GPUS()                     \
  if (sd::cuda::device_count() < ranks) \
    SYNTHDATA_SKIP("needs " << ranks << " GPUs (emulated: CUDA_EMULATOR_DEVICES), has " << sd::cuda::device_count())

struct Folder {
  std::string path = "nccl_test_rendezvous";
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// Runs f(communicator) on a thread for each GPU, with new tensors there; what each of them threw.
template <class F>
std::vector<std::string> on_gpus(const F& f, double timeout_s = 30.0) {
  const Folder folder;
  std::vector<std::string> errors(ranks);
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) {
    threads.emplace_back([&, r] {
      try {
        const sd::OnDevice there(sd::cuda::device(r));
        const auto one = sd::cuda::communicator(sd::cuda::device(r), {r, ranks, folder.path, timeout_s});
        f(*one);
      } catch (const std::exception& e) {
        errors[static_cast<std::size_t>(r)] = e.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}
const std::vector<std::string> none(ranks);

/// Batch `number` of a fixed table, or the part of it that belongs to this rank.
Tensor part(const Tensor& table, std::int64_t number, const Communicator& one) {
  const std::int64_t own = 8 / one.size(), from = number * 8 % 40 + one.rank() * own;
  return table.rows(from, from + own).clone();
}
struct TableLatent {
  const Communicator* one;
  Tensor table;
  mutable std::int64_t drawn = 0;
  Tensor operator()(std::int64_t, sd::Rng&) const { return part(table, drawn++, *one).to(sd::current_device()); }
};
struct TableSource {
  const Communicator* one;
  Tensor table;
  std::int64_t given = 0;
  sd::Batch next() { return {part(table, given++, *one), {}}; }
  sd::SourceState state() const { return {}; }
  void restore(const sd::SourceState&) {}
};

/// Trains a small GAN on this rank's device and gives all parameters and buffers, on the CPU.
std::vector<Tensor> train(Communicator& one, sd::Device device) {
  const sd::OnDevice host(sd::Device::cpu());
  sd::Rng data(5), weights(1 + static_cast<std::uint64_t>(one.rank())),
      own(100 + static_cast<std::uint64_t>(one.rank()));
  const Tensor real = sd::normal({48, 3}, data, sd::DType::f32, 0.7, 1.3), noise = sd::normal({48, 4}, data);
  const auto net = [&](std::int64_t in, std::int64_t out) {
    return sd::Sequential{sd::Linear(in, 8, weights), sd::BatchNorm(8), sd::LeakyRelu{0.2},
                          sd::Linear(8, out, weights)};
  };
  sd::Generator generator{net(4, 3), TableLatent{&one, noise}};
  sd::Discriminator critic{net(3, 1)};
  sd::move_to(generator, device);
  sd::move_to(critic, device);
  sd::AdversarialTrainer trainer{generator,
                                 critic,
                                 sd::NonSaturating{},
                                 {.learning_rate = 0.05,
                                  .generator_rule = sd::Sgd{},
                                  .critic_rule = sd::Sgd{},
                                  .clip_norm = 1.0,
                                  .collapse = {.every = 2},
                                  .communicator = &one,
                                  .bucket_bytes = 100}};
  trainer.add(sd::R1{.weight = 0.3});
  TableSource source{&one, real};
  trainer.fit(source, {.steps = 4}, own);
  std::vector<Tensor> out;
  for (const sd::ModuleState& state : {sd::state_of(generator), sd::state_of(critic)}) {
    for (const sd::NamedParam& p : state.parameters) out.push_back(p.param->value().to(sd::Device::cpu()));
    for (const sd::NamedBuffer& b : state.buffers) out.push_back(b.buffer->value().to(sd::Device::cpu()));
  }
  return out;
}

}  // namespace

TEST_CASE("nccl: sums, means, broadcasts and barriers") {
  NEED_GPUS();
  for (const sd::DType dtype : {sd::DType::f32, sd::DType::f64}) {
    std::vector<std::vector<double>> got(ranks);
    CHECK(on_gpus([&](Communicator& one) {
            Tensor sum = Tensor::full({1000}, one.rank() + 1.0, dtype), mean = Tensor::full({7}, one.rank(), dtype);
            Tensor copy = Tensor::full({3}, 10.0 * one.rank() + 7.0, sd::DType::i64), empty = Tensor::empty({0}, dtype);
            one.start(sum, sd::Reduction::sum);
            one.start(mean, sd::Reduction::mean);
            one.start(empty, sd::Reduction::mean);
            one.wait();
            one.broadcast(copy);
            one.barrier();
            got[static_cast<std::size_t>(one.rank())] = {sum.rows(999, 1000).item(), mean.rows(6, 7).item(),
                                                         copy.rows(2, 3).item(), one.reduce(4.0, sd::Reduction::sum)};
          }) == none);
    for (const auto& numbers : got) CHECK(numbers == std::vector<double>{3.0, 0.5, 7.0, 8.0});
  }
}

TEST_CASE("nccl: GPUs train as threads on the CPU and one process do, with the same bits on all of them") {
  NEED_GPUS();
  std::vector<std::vector<Tensor>> gpu(ranks), cpu(ranks);
  CHECK(on_gpus([&](Communicator& one) { gpu[static_cast<std::size_t>(one.rank())] = train(one, one.device()); }) ==
        none);
  sd::run_ranks(ranks,
                [&](Communicator& one) { cpu[static_cast<std::size_t>(one.rank())] = train(one, one.device()); });
  std::vector<Tensor> alone;
  sd::run_ranks(1, [&](Communicator& one) { alone = train(one, one.device()); });
  REQUIRE(gpu[0].size() == alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    for (int r = 0; r < ranks; ++r) CHECK(same_bits(gpu[static_cast<std::size_t>(r)][i], gpu[0][i]));
    const auto wide = [](const Tensor& t) { return t.to(sd::DType::f64); };
    CHECK(worst_error(wide(gpu[0][i]), wide(cpu[0][i])) < 1e-4);
    CHECK(worst_error(wide(gpu[0][i]), wide(alone[i])) < 1e-4);
  }
}

TEST_CASE("nccl: a rank that throws, or does not come, stops the others") {
  NEED_GPUS();
  const std::vector<std::string> thrown = on_gpus([](Communicator& one) {
    one.barrier();
    if (one.rank() == 1) throw sd::DataError("no more disk");
    one.barrier();
  });
  CHECK_THAT(thrown[1], ContainsSubstring("no more disk"));
  CHECK_THAT(thrown[0], ContainsSubstring("rank 0 of 2 stopped: rank 1: stopped by an exception"));

  const std::vector<std::string> late = on_gpus(
      [](Communicator& one) {
        one.barrier();
        if (one.rank() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1500));
        one.barrier();
      },
      0.5);
  CHECK_THAT(late[1], ContainsSubstring("not all ranks came within 0.5 s"));
  CHECK_THAT(late[0], ContainsSubstring("rank 0 of 2 stopped: rank 1: a sum"));

  const Folder folder;
  CHECK_THROWS_WITH(sd::cuda::communicator(sd::cuda::device(0), {0, 2, folder.path, 0.1}),
                    ContainsSubstring("for rank 1"));
  CHECK_THROWS_WITH(sd::cuda::communicator(sd::Device::cpu(), {0, 1, folder.path}),
                    ContainsSubstring("expects a GPU, got cpu"));
  const auto alone = sd::cuda::communicator(sd::cuda::device(0), {0, 1, folder.path});
  Tensor x = sd::zeros({2});
  CHECK_THROWS_WITH(alone->reduce(x, sd::Reduction::sum), ContainsSubstring("are expected on cuda:0, got"));
}
