// tests/data/loader_test.cpp: order, determinism, resuming, exceptions and threads of the DataLoader.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/loader.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

using namespace synthdata;

namespace {

static_assert(BatchSource<DataLoader<TensorDataset>>);
static_assert(require_batch_source<DataLoader<TensorDataset>>());
static_assert(!std::copy_constructible<DataLoader<TensorDataset>> && std::movable<DataLoader<TensorDataset>>);

/// Sample i is [i, random]; its label is i.
struct Noisy {
  std::int64_t count = 103;
  std::int64_t size() const { return count; }
  Sample get(std::int64_t index, Rng& rng) const {
    if (index % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));  // mixes the workers' order
    return {Tensor::from(std::vector<float>{static_cast<float>(index), rng.uniform()}), index};
  }
};

struct Failing {
  std::int64_t bad = 13;
  std::int64_t size() const { return 40; }
  Sample get(std::int64_t index, Rng&) const {
    if (index == bad) throw DataError("record is broken");
    return {Tensor::scalar(static_cast<double>(index)), -1};
  }
};

struct Ragged {
  std::int64_t size() const { return 4; }
  Sample get(std::int64_t index, Rng&) const { return {Tensor::zeros({index < 2 ? 3 : 4}), -1}; }
};

TensorDataset numbers(std::int64_t count) {
  return TensorDataset(arange(count, DType::f32).reshape({count, 1}), arange(count));
}

bool same_batch(const Batch& a, const Batch& b) { return same_bits(a.data, b.data) && same_bits(a.labels, b.labels); }

template <class Source>
std::vector<Batch> take_batches(Source& source, int count) {
  std::vector<Batch> out;
  for (int i = 0; i < count; ++i) out.push_back(source.next());
  return out;
}

template <class Source>
std::vector<std::int64_t> labels_of(Source& source, std::int64_t batches) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < batches; ++i) {
    const Batch b = source.next();
    const auto s = b.labels.span<std::int64_t>();
    out.insert(out.end(), s.begin(), s.end());
  }
  return out;
}

}  // namespace

TEST_CASE("DataLoader gives the same batches for any number of workers") {
  const auto flipped = Noisy{} | augment([](Sample s, Rng& rng) {
                         s.data = Tensor::from(std::vector<float>{s.data.span<float>()[0], rng.uniform()});
                         return s;
                       });
  DataLoader reference{flipped, {.batch_size = 8, .seed = 5, .workers = 0}};
  const auto expected = take_batches(reference, 40);  // more than three epochs
  for (const int workers : {1, 2, 5}) {
    DataLoader loader{flipped, {.batch_size = 8, .seed = 5, .workers = workers, .prefetch = 3}};
    for (const Batch& batch : expected) CHECK(same_batch(loader.next(), batch));
    CHECK(loader.state() == reference.state());
  }
}

TEST_CASE("DataLoader gives each sample once an epoch, in a new order") {
  for (const int workers : {0, 2}) {
    DataLoader loader{numbers(103), {.batch_size = 10, .seed = 1, .drop_last = false, .workers = workers}};
    CHECK(loader.batches_per_epoch() == 11);
    auto first = labels_of(loader, 11), second = labels_of(loader, 11);
    CHECK(loader.state() == SourceState{1, 2, 0});
    CHECK(first != second);
    CHECK_FALSE(std::is_sorted(first.begin(), first.end()));
    for (auto* order : {&first, &second}) {
      std::sort(order->begin(), order->end());
      REQUIRE(order->size() == 103);
      for (std::size_t i = 0; i < 103; ++i) CHECK((*order)[i] == static_cast<std::int64_t>(i));
    }
  }
}

TEST_CASE("DataLoader drops the last batch or not, and keeps the order without shuffle") {
  DataLoader drop{numbers(7), {.batch_size = 3, .shuffle = false}};
  CHECK(drop.batches_per_epoch() == 2);
  CHECK(labels_of(drop, 3) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 0, 1, 2});
  DataLoader keep{numbers(7), {.batch_size = 3, .shuffle = false, .drop_last = false}};
  CHECK(keep.batches_per_epoch() == 3);
  CHECK(labels_of(keep, 4) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 0, 1, 2});
  DataLoader whole{numbers(6), {.batch_size = 3, .shuffle = false, .drop_last = false}};
  CHECK(whole.batches_per_epoch() == 2);
  CHECK(labels_of(whole, 3) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 0, 1, 2});
}

TEST_CASE("DataLoader draws a sample's randomness anew in each epoch") {
  DataLoader loader{Noisy{8}, {.batch_size = 8, .shuffle = false}};
  const Batch first = loader.next(), second = loader.next();
  CHECK_FALSE(same_bits(first.data, second.data));
  DataLoader again{Noisy{8}, {.batch_size = 8, .shuffle = false}};
  CHECK(same_bits(first.data, again.next().data));
  DataLoader other{Noisy{8}, {.batch_size = 8, .shuffle = false, .seed = 1}};
  CHECK_FALSE(same_bits(first.data, other.next().data));
}

TEST_CASE("DataLoader resumes bit for bit, with any number of workers") {
  DataLoader straight{Noisy{}, {.batch_size = 16, .seed = 9, .workers = 2, .prefetch = 4}};
  for (const int stop : {0, 1, 5, 6, 17}) {
    straight.restore({.seed = 9});
    take_batches(straight, stop);
    const SourceState state = straight.state();
    const auto expected = take_batches(straight, 10);
    DataLoader resumed{Noisy{}, {.batch_size = 16, .seed = 1234, .workers = stop % 3}};
    take_batches(resumed, 3);  // restore() also works in the middle
    resumed.restore(state);
    CHECK(resumed.state() == state);
    for (const Batch& batch : expected) CHECK(same_batch(resumed.next(), batch));
  }
}

TEST_CASE("DataLoader::restore refuses a place that does not exist") {
  DataLoader loader{numbers(10), {.batch_size = 4}};
  CHECK_THROWS_WITH(loader.restore({.epoch = 0, .position = 11}), ContainsSubstring("position 11"));
  CHECK_THROWS_AS(loader.restore({.epoch = -1}), DataError);
  CHECK_THROWS_AS(loader.restore({.position = -1}), DataError);
  loader.restore({.epoch = 3, .position = 8});  // two samples left: no whole batch
  CHECK(loader.state() == SourceState{0, 4, 0});
}

TEST_CASE("an exception in a worker comes out at its batch, and the loader goes on") {
  for (const int workers : {0, 1, 3}) {
    DataLoader loader{Failing{}, {.batch_size = 5, .shuffle = false, .workers = workers, .prefetch = 6}};
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (int batch = 0; batch < 8; ++batch) {
        if (batch == 2) {
          CHECK_THROWS_WITH(loader.next(), ContainsSubstring("record is broken") && ContainsSubstring("get(13)"));
        } else {
          CHECK(loader.next().data.span<float>()[0] == static_cast<float>(5 * batch));
        }
      }
    }
    CHECK(loader.state() == SourceState{0, 3, 0});
  }
}

TEST_CASE("DataLoader refuses samples that make no batch") {
  DataLoader ragged{Ragged{}, {.batch_size = 4, .shuffle = false}};
  CHECK_THROWS_WITH(ragged.next(), ContainsSubstring("sample 2 is [4], those before it are [3]"));
  DataLoader wide{numbers(4) | map([](Sample s) {
                    s.data = s.data.to(DType::f64);
                    return s;
                  }),
                  {.batch_size = 4}};
  CHECK_THROWS_AS(wide.next(), DTypeError);
  DataLoader none{numbers(4) | map([](Sample s) {
                    s.data = {};
                    return s;
                  }),
                  {.batch_size = 4}};
  CHECK_THROWS_AS(none.next(), DTypeError);
}

TEST_CASE("DataLoader says which option does not fit") {
  CHECK_THROWS_WITH((DataLoader{numbers(3), {.batch_size = 4}}), ContainsSubstring("has 3 samples, one batch needs 4"));
  CHECK_THROWS_AS((DataLoader{numbers(0), {.batch_size = 4, .drop_last = false}}), DataError);
  CHECK_THROWS_AS((DataLoader{numbers(3), {.batch_size = 0}}), DataError);
  CHECK_THROWS_AS((DataLoader{numbers(3), {.batch_size = 1, .workers = -1}}), DataError);
  CHECK_THROWS_AS((DataLoader{numbers(3), {.batch_size = 1, .prefetch = -1}}), DataError);
}

TEST_CASE("batches hold labels when any sample has one") {
  DataLoader without{TensorDataset(Tensor::zeros({4, 1})), {.batch_size = 2}};
  CHECK_FALSE(without.next().labels.defined());
  DataLoader bare{numbers(4) | map([](Sample s) {
                    s.label = -1;
                    return s;
                  }),
                  {.batch_size = 2}};
  CHECK_FALSE(bare.next().labels.defined());
  DataLoader half{numbers(4) | map([](Sample s) {
                    s.label -= 1;
                    return s;
                  }),
                  {.batch_size = 2, .shuffle = false}};
  CHECK(labels_of(half, 1) == std::vector<std::int64_t>{-1, 0});
}

TEST_CASE("the fast path of TensorDataset equals the path sample by sample") {
  std::vector<std::uint8_t> raw(50 * 12);
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(i * 37);
  const auto set = TensorDataset(Tensor::from(raw, {50, 2, 3, 2}), arange(50)).scaled({-1, 1});
  const auto slow = set | map([](Sample s) { return s; });
  static_assert(!GathersBatches<decltype(slow)>);
  DataLoader a{set, {.batch_size = 7, .seed = 2}};
  DataLoader b{slow, {.batch_size = 7, .seed = 2, .workers = 2}};
  for (int i = 0; i < 20; ++i) CHECK(same_batch(a.next(), b.next()));
  CHECK(a.next().data.shape() == Shape{7, 2, 3, 2});

  DataLoader bytes{TensorDataset(Tensor::from(raw, {50, 12})) | map([](Sample s) { return s; }),
                   {.batch_size = 50, .shuffle = false}};
  CHECK(bytes.next().data.span<float>()[3] == 111.0f);  // u8 samples become f32 unscaled
}

TEST_CASE("a loader at work takes no memory from the system") {
  DataLoader loader{numbers(4096), {.batch_size = 64, .workers = 2, .prefetch = 4}};
  take_batches(loader, 16);                     // more live at once than ever after
  for (int i = 0; i < 200; ++i) loader.next();  // some epochs: at their ends the orders of two are live
  const auto before = memory_stats().system_allocations;
  for (int i = 0; i < 500; ++i) loader.next();
  CHECK(memory_stats().system_allocations == before);
}

TEST_CASE("loaders can be dropped, moved and restored while workers are busy") {
  for (int i = 0; i < 30; ++i) {
    DataLoader loader{Noisy{}, {.batch_size = 4, .workers = 3, .prefetch = 2}};
    if (i % 3) loader.next();
    if (i % 5 == 0) loader.restore({.epoch = i});
    DataLoader moved = std::move(loader);
    moved.next();
    moved = DataLoader{Noisy{}, {.batch_size = 4, .workers = 1}};
    if (i % 2) moved.next();
    CHECK(moved.dataset().size() == 103);
  }
}

namespace {

/// Sample i is a sequence of lengths[i] pairs (i, step), its label is i.
struct Sequences {
  std::vector<std::int64_t> lengths;
  std::int64_t size() const { return static_cast<std::int64_t>(lengths.size()); }
  Sample get(std::int64_t index, Rng&) const {
    const std::int64_t length = lengths[static_cast<std::size_t>(index)];
    Tensor x = Tensor::empty({length, 2});
    for (std::int64_t t = 0; t < length; ++t) {
      x.data<float>()[2 * t] = static_cast<float>(index);
      x.data<float>()[2 * t + 1] = static_cast<float>(t);
    }
    return {x, index};
  }
};

std::vector<std::int64_t> random_lengths(std::int64_t count, Rng& rng) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(count));
  for (std::int64_t& length : lengths) length = rng.below(100);
  return lengths;
}

}  // namespace

TEST_CASE("DataLoader draws by weight, with replacement") {
  const std::vector<double> weights = {1.0, 0.0, 2.0, 5.0, 0.5, 1.5};
  DataLoader loader{numbers(6), {.batch_size = 6, .seed = 3, .workers = 0, .weights = weights}};
  std::vector<double> drawn(6);
  constexpr int batches = 10000;
  for (const std::int64_t label : labels_of(loader, batches)) ++drawn[static_cast<std::size_t>(label)];
  for (std::size_t i = 0; i < 6; ++i) {
    const double p = weights[i] / 10.0, n = 6.0 * batches;
    CHECK(std::abs(drawn[i] - p * n) <= 5.0 * std::sqrt(p * (1.0 - p) * n));
  }
}

TEST_CASE("DataLoader with weights repeats itself, resumes, and does not depend on workers") {
  std::vector<double> weights(103, 1.0);
  weights[7] = 50.0;
  DataLoader loader{Noisy{}, {.batch_size = 16, .seed = 2, .workers = 0, .weights = weights}};
  take_batches(loader, 8);
  const SourceState state = loader.state();
  const auto expected = take_batches(loader, 12);
  DataLoader again{Noisy{}, {.batch_size = 16, .seed = 9, .workers = 2, .weights = weights}};
  again.restore(state);
  for (const Batch& batch : expected) CHECK(same_batch(again.next(), batch));
  // sample 7 comes often, and is another one each time
  std::vector<float> sevens;
  for (const Batch& batch : expected) {
    for (std::int64_t i = 0; i < 16; ++i) {
      if (batch.labels.data<std::int64_t>()[i] == 7) sevens.push_back(batch.data.data<float>()[2 * i + 1]);
    }
  }
  REQUIRE(sevens.size() > 20);
  std::sort(sevens.begin(), sevens.end());
  CHECK(std::adjacent_find(sevens.begin(), sevens.end()) == sevens.end());
}

TEST_CASE("DataLoader refuses weights and lengths that do not fit") {
  const auto make = [](std::vector<double> weights) {
    DataLoader loader{numbers(3), {.batch_size = 1, .weights = std::move(weights)}};
  };
  CHECK_THROWS_WITH(make({1.0, 2.0}), ContainsSubstring("3 samples, got 2"));
  CHECK_THROWS_WITH(make({1.0, -2.0, 1.0}), ContainsSubstring("sample 1 is -2"));
  CHECK_THROWS_AS(make({1.0, std::nan(""), 1.0}), DataError);
  CHECK_THROWS_WITH(make({0.0, 0.0, 0.0}), ContainsSubstring("sum to 0"));
  const LoaderOptions short_lengths{.batch_size = 1, .lengths = {1, 2}};
  CHECK_THROWS_WITH((DataLoader{numbers(3), short_lengths}), ContainsSubstring("`lengths`"));
}

TEST_CASE("DataLoader pads sequences and says where") {
  const Sequences data{{3, 0, 5, 1}};
  DataLoader loader{data, {.batch_size = 4, .shuffle = false, .pad = true, .pad_value = -7.0f}};
  const Batch batch = loader.next();
  CHECK(batch.data.shape() == Shape{4, 5, 2});
  const Tensor mask = padding_mask(batch.lengths, 5);
  for (std::int64_t i = 0; i < 4; ++i) {
    const std::int64_t length = data.lengths[static_cast<std::size_t>(i)];
    CHECK(batch.lengths.data<std::int64_t>()[i] == length);
    CHECK(batch.labels.data<std::int64_t>()[i] == i);
    for (std::int64_t t = 0; t < 5; ++t) {
      const float* x = batch.data.data<float>() + (i * 5 + t) * 2;
      CHECK(mask.data<float>()[i * 5 + t] == (t < length ? 1.0f : 0.0f));
      CHECK(x[0] == (t < length ? static_cast<float>(i) : -7.0f));
      CHECK(x[1] == (t < length ? static_cast<float>(t) : -7.0f));
    }
  }
  CHECK_THROWS_AS(padding_mask(batch.lengths, 4), DataError);
  DataLoader scalars{Failing{-1}, {.batch_size = 2, .pad = true}};
  CHECK_THROWS_WITH(scalars.next(), ContainsSubstring("[T, ...]"));
  DataLoader strict{Ragged{}, {.batch_size = 4, .pad = false}};
  CHECK_THROWS_AS(strict.next(), DataError);
}

TEST_CASE("DataLoader makes buckets of similar length and still gives each sample once") {
  Rng rng(4);
  const Sequences data{random_lengths(1003, rng)};
  const auto steps = [&](bool buckets) {
    DataLoader loader{data,
                      {.batch_size = 10,
                       .seed = 1,
                       .drop_last = false,
                       .workers = 2,
                       .pad = true,
                       .lengths = buckets ? data.lengths : std::vector<std::int64_t>{}}};
    std::int64_t all = 0;
    std::vector<std::int64_t> seen;
    for (int i = 0; i < 101; ++i) {
      const Batch batch = loader.next();
      all += batch.data.shape(0) * batch.data.shape(1);
      CHECK(batch.data.shape(0) == (i == 100 ? 3 : 10));
      for (const std::int64_t label : batch.labels.span<std::int64_t>()) seen.push_back(label);
    }
    std::sort(seen.begin(), seen.end());
    for (std::size_t i = 0; i < seen.size(); ++i) REQUIRE(seen[i] == static_cast<std::int64_t>(i));
    CHECK(loader.state() == SourceState{1, 1, 0});
    return all;
  };
  const std::int64_t with = steps(true), without = steps(false);
  std::int64_t least = 0;
  for (const std::int64_t length : data.lengths) least += length;
  CHECK(with < least + least / 20);  // 5 % of padding at most
  CHECK(without > least + least / 2);
}

TEST_CASE("buckets change from epoch to epoch and resume exactly") {
  Rng rng(5);
  const Sequences data{random_lengths(200, rng)};
  const LoaderOptions options{.batch_size = 8, .seed = 6, .pad = true, .lengths = data.lengths};
  DataLoader loader{data, options};
  const auto first = labels_of(loader, 25), second = labels_of(loader, 25);
  CHECK(first != second);
  loader.restore({.seed = 6, .epoch = 1, .position = 80});
  const auto rest = labels_of(loader, 15);
  CHECK(std::equal(rest.begin(), rest.end(), second.begin() + 80));
}
