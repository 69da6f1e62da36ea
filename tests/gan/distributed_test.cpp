// tests/gan/distributed_test.cpp: several ranks that train one pair of nets, as threads, against one process with the
// joint batch.
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/toy.hpp>
#include <synthdata/gan/trainer.hpp>
#include <synthdata/models/mlp.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>

#include <cmath>

#include "../test.hpp"

using namespace synthdata;

namespace {

/// Rows of a fixed table: rank r of n gets the r-th of n parts of each batch, so that all ranks together see what one
/// process sees.
struct Table {
  Tensor rows;
  std::int64_t batch, rank = 0, ranks = 1;

  Tensor part(std::int64_t number) const {
    const std::int64_t own = batch / ranks, from = number * batch % (rows.shape(0) - batch + 1) + rank * own;
    return rows.rows(from, from + own).clone().to(current_device());
  }
};
struct TableLatent {
  Table table;
  mutable std::int64_t drawn = 0;
  Tensor operator()(std::int64_t, Rng&) const { return table.part(drawn++); }
};
struct TableSource {
  Table table;
  std::int64_t given = 0;
  Batch next() { return {table.part(given++), {}}; }
  SourceState state() const { return {}; }
  void restore(const SourceState&) {}
};

template <bool batch_norm>
auto net(std::int64_t in, std::int64_t out, Rng& rng) {
  if constexpr (batch_norm) {
    return Sequential{Linear(in, 16, rng), BatchNorm(16), LeakyRelu{0.2},      Linear(16, 16, rng),
                      BatchNorm(16),       Tanh{},        Linear(16, out, rng)};
  } else {
    return Sequential{Linear(in, 16, rng), LeakyRelu{0.2}, Linear(16, out, rng)};
  }
}

struct Result {
  std::vector<Tensor> state;  // parameters and buffers of both nets
  std::vector<StepInfo> steps;
};

/// Trains on one rank, or alone with a null communicator.
template <bool batch_norm>
Result train(Communicator* ranks, std::int64_t steps, TrainerOptions options, bool penalty) {
  const int rank = ranks ? ranks->rank() : 0, count = ranks ? ranks->size() : 1;
  Rng data(5), own(100 + static_cast<std::uint64_t>(rank));
  // Only rank 0 starts from the weights of the single process: the others must be given them.
  Rng weights(rank == 0 ? 1 : 50 + static_cast<std::uint64_t>(rank));
  const Table real{normal({60, 3}, data, DType::f32, 0.7, 1.3), 12, rank, count};
  const Table noise{normal({60, 4}, data), 12, rank, count};
  Generator generator{net<batch_norm>(4, 3, weights), TableLatent{noise}};
  Discriminator critic{net<batch_norm>(3, 1, weights)};
  options.collapse.every = 5;
  options.communicator = ranks;
  AdversarialTrainer trainer{generator, critic, NonSaturating{}, options};
  if (penalty) trainer.add(R1{.weight = 0.3});
  Result out;
  TableSource source{real};
  for (std::int64_t i = 0; i < steps; ++i) out.steps.push_back(trainer.step(source, own));
  for (const ModuleState& state : {state_of(generator), state_of(critic)}) {
    for (const NamedParam& p : state.parameters) out.state.push_back(p.param->value().clone());
    for (const NamedBuffer& b : state.buffers) out.state.push_back(b.buffer->value().clone());
  }
  return out;
}

template <bool batch_norm>
std::vector<Result> train_ranks(int count, std::int64_t steps, const TrainerOptions& options = {},
                                bool penalty = false) {
  std::vector<Result> out(static_cast<std::size_t>(count));
  run_ranks(count, [&](Communicator& ranks) {
    out[static_cast<std::size_t>(ranks.rank())] = train<batch_norm>(&ranks, steps, options, penalty);
  });
  return out;
}

double worst_difference(const Result& a, const Result& b) {
  double worst = 0.0;
  REQUIRE(a.state.size() == b.state.size());
  for (std::size_t i = 0; i < a.state.size(); ++i) {
    for (std::int64_t k = 0; k < a.state[i].size(); ++k) {
      worst = std::fmax(worst, std::fabs(a.state[i].data<float>()[k] - b.state[i].data<float>()[k]));
    }
  }
  return worst;
}
bool same_state(const Result& a, const Result& b) {
  bool same = a.state.size() == b.state.size();
  for (std::size_t i = 0; same && i < a.state.size(); ++i) same = same_bits(a.state[i], b.state[i]);
  return same;
}

}  // namespace

TEST_CASE("n ranks with batches of b train as one process with batches of n b") {
  const int count = GENERATE(2, 3);
  const bool penalty = GENERATE(false, true), all_options = GENERATE(false, true), batch_norm = GENERATE(false, true);
  TrainerOptions options{.learning_rate = 1e-3};
  if (all_options) {  // buckets of one gradient or of some
    options = {.critic_steps = 2,
               .learning_rate = 1e-3,
               .accumulate = 2,
               .clip_norm = 0.5,
               .bucket_bytes = count == 2 ? 1 : 300};
  }
  if (batch_norm) {  // a bias in front of it has no gradient but rounding, which Adam would blow up
    options.generator_rule = options.critic_rule = Sgd{};
    options.learning_rate = 0.05;
  }
  const Result one =
      batch_norm ? train<true>(nullptr, 20, options, penalty) : train<false>(nullptr, 20, options, penalty);
  const std::vector<Result> many =
      batch_norm ? train_ranks<true>(count, 20, options, penalty) : train_ranks<false>(count, 20, options, penalty);
  for (const Result& rank : many) {
    CHECK(worst_difference(rank, one) < 1e-4);  // the weights themselves move by more than 1e-2
    CHECK(same_state(rank, many[0]));           // bit for bit
    for (std::size_t i = 0; i < rank.steps.size(); ++i) {
      CHECK(rank.steps[i].critic_loss == many[0].steps[i].critic_loss);
      CHECK(rank.steps[i].critic_loss == Approx(one.steps[i].critic_loss).epsilon(1e-4));
      CHECK(rank.steps[i].generator_loss == Approx(one.steps[i].generator_loss).epsilon(1e-4));
      CHECK(rank.steps[i].diversity == many[0].steps[i].diversity);
    }
  }
}

TEST_CASE("the first gradients of ranks are those of the joint batch up to rounding") {
  // One step of SGD with a rate of 1e-3 from the same weights: the difference of the weights is that of gradients.
  const TrainerOptions options{.learning_rate = 1e-3, .generator_rule = Sgd{}, .critic_rule = Sgd{}};
  CHECK(worst_difference(train_ranks<false>(3, 1, options, true)[1], train<false>(nullptr, 1, options, true)) < 1e-6);
  CHECK(worst_difference(train_ranks<true>(3, 1, options, true)[1], train<true>(nullptr, 1, options, true)) < 1e-6);
}

TEST_CASE("batch norm that is not synchronised keeps the weights of ranks alike, not their running statistics") {
  const std::vector<Result> ranks = train_ranks<true>(2, 20, {.learning_rate = 1e-3, .synchronize_batch_norm = false});
  CHECK_FALSE(same_state(ranks[0], ranks[1]));
  CHECK(same_bits(ranks[0].state[0], ranks[1].state[0]));
  CHECK(worst_difference(ranks[0], train<true>(nullptr, 20, {.learning_rate = 1e-3}, false)) > 1e-3);
}

namespace {

auto ring() { return toy::ring({.modes = 8, .radius = 1.0f, .noise_std = 0.05f, .points = 400}); }

struct Nets {
  Generator<models::Mlp> generator;
  Discriminator<models::Mlp> critic;
  explicit Nets(Rng& rng)
      : generator(models::mlp({4, 16, 2}, rng), NormalLatent{4}), critic(models::mlp({2, 16, 1}, rng)) {}
};

}  // namespace

TEST_CASE("ranks stop together when one of them asks to, and all see one epoch of their parts") {
  std::vector<std::int64_t> last(3), epochs(3);
  run_ranks(3, [&](Communicator& ranks) {
    const auto r = static_cast<std::size_t>(ranks.rank());
    Rng rng = Rng{7}.split(r);
    Nets nets(rng);
    AdversarialTrainer trainer{nets.generator, nets.critic, NonSaturating{}, {.communicator = &ranks}};
    trainer.on_step([&](const StepInfo& info) {
      if (info.step == 9 && ranks.rank() == 1) trainer.stop();
    });
    trainer.on_epoch([&](const StepInfo&) { ++epochs[r]; });
    const auto part = ring() | shard(ranks.rank(), ranks.size());
    if (part.size() != 133) throw Error("shard");
    last[r] = trainer.fit(part, {.batch_size = 16, .steps = 50, .workers = 0}, rng).step;
  });
  CHECK(last == std::vector<std::int64_t>{9, 9, 9});
  CHECK(epochs == std::vector<std::int64_t>{1, 1, 1});
}

TEST_CASE("ranks that draw the same random numbers are told so") {
  CHECK_THROWS_WITH(
      run_ranks(2,
                [&](Communicator& ranks) {
                  Rng rng(3);
                  Nets nets(rng);
                  AdversarialTrainer trainer{nets.generator, nets.critic, NonSaturating{}, {.communicator = &ranks}};
                  trainer.fit(ring(), {.batch_size = 16, .steps = 2, .workers = 0}, rng);
                }),
      ContainsSubstring("ranks 0 and 1 draw the same random numbers"));
}

TEST_CASE("a loss that is not finite on one rank stops all at the same step; one that throws stops the others") {
  const auto run = [](bool throws) {
    std::vector<std::string> errors(2);
    std::vector<std::int64_t> steps(2);
    const auto body = [&](Communicator& ranks) {
      const auto r = static_cast<std::size_t>(ranks.rank());
      Rng rng = Rng{7}.split(r);
      Nets nets(rng);
      AdversarialTrainer trainer{nets.generator, nets.critic, NonSaturating{}, {.communicator = &ranks}};
      trainer.on_step([&](const StepInfo& info) {
        if (info.step != 3 || r != 1) return;
        if (throws) throw DataError("no more disk");
        state_of(nets.critic).parameters[0].param->mutable_value().data<float>()[0] = std::nanf("");
      });
      try {
        trainer.fit(ring(), {.batch_size = 16, .steps = 50, .workers = 0}, rng);
      } catch (const Error& e) {
        errors[r] = e.what();
        steps[r] = trainer.steps();
        throw;
      }
    };
    CHECK_THROWS_AS(run_ranks(2, body, 20.0), Error);
    CHECK(steps == std::vector<std::int64_t>{3, 3});
    return errors;
  };
  for (const std::string& e : run(false)) CHECK_THAT(e, ContainsSubstring("step 4: critic loss is nan"));
  const std::vector<std::string> errors = run(true);
  CHECK_THAT(errors[0], ContainsSubstring("rank 0 of 2 stopped: rank 1 failed: no more disk"));
  CHECK_THAT(errors[1], ContainsSubstring("no more disk"));
}

TEST_CASE("a bucket is sent as soon as it is full, before the backward pass is over") {
  struct Watch final : GradListener {
    GradientBuckets& buckets;
    std::vector<std::size_t> order, sent;  // buckets sent when each gradient was there
    explicit Watch(GradientBuckets& b) : buckets(b) {}
    void complete(std::size_t i, const Var& gradient) override {
      order.push_back(i);
      buckets.add(i, gradient.value());
      sent.push_back(buckets.sent());
    }
  };
  std::vector<std::size_t> order, sent;
  bool same = true;
  run_ranks(2, [&](Communicator& ranks) {
    Rng rng(1);
    const Var w1 = leaf(normal({8, 8}, rng)), w2 = leaf(normal({8, 8}, rng)), w3 = leaf(normal({8, 8}, rng));
    const Var x(normal({4, 8}, rng));
    GradientBuckets buckets(ranks, 3, 400);  // a gradient is 256 bytes: two fill a bucket
    Watch watch(buckets);
    const std::vector<Var> g = grad(mean(square(matmul(tanh(matmul(tanh(matmul(x, w1)), w2)), w3))),
                                    std::vector<Var>{w1, w2, w3}, {.listener = &watch});
    std::vector<Tensor> averaged{g[0].value(), g[1].value(), g[2].value()};
    buckets.finish(averaged);
    if (ranks.rank() != 0) return;
    order = watch.order;
    sent = watch.sent;
    for (std::size_t i = 0; i < 3; ++i)
      same = same && same_bits(averaged[i], g[i].value());  // both ranks have the same
  });
  CHECK(order == std::vector<std::size_t>{2, 1, 0});
  CHECK(sent == std::vector<std::size_t>{0, 1, 1});
  CHECK(same);
}
