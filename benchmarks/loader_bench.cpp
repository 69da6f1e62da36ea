// benchmarks/loader_bench.cpp: samples/s of shuffled batches of 60,000 samples [28, 28, 1] with labels, by DataLoader.
//
// Run: loader_bench [--batch N] [--seconds S]. Prints a JSON object: for each kind of data set and number of workers
// the median of whole epochs, by the clock and by processor time. "copy" is the ceiling: the same rows in the same
// order copied by memcpy, into memory that is used again. What comes is checked once: each sample once an epoch, with
// its own label.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/combinators.hpp>
#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/split.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>

using namespace synthdata;

namespace {

constexpr std::int64_t samples = 60000, width = 784;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Seconds that the processors worked for this program.
double worked() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Samples/s of epochs that epoch() runs, the median of at least three: by the clock, and by processor time.
template <class F>
Json rate(double seconds, F&& epoch) {
  epoch();
  std::vector<double> rates, per_work;
  for (const double start = now(); rates.size() < 3 || now() - start < seconds;) {
    const double begin = now(), before = worked();
    epoch();
    rates.push_back(static_cast<double>(samples) / (now() - begin));
    per_work.push_back(static_cast<double>(samples) / (worked() - before));
  }
  std::sort(rates.begin(), rates.end());
  std::sort(per_work.begin(), per_work.end());
  return Json::Array{rates[rates.size() / 2], per_work[per_work.size() / 2]};
}

template <class D>
Json measure(const D& dataset, LoaderOptions options, double seconds) {
  options.drop_last = false;
  DataLoader<D> loader(dataset, options);
  std::vector<int> seen(static_cast<std::size_t>(samples));
  for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) {
    const Batch batch = loader.next();
    const std::int64_t* label = batch.labels.data<std::int64_t>();
    for (std::int64_t k = 0; k < batch.data.shape(0); ++k) {
      ++seen[static_cast<std::size_t>(label[k])];
      if (batch.data.data<float>()[k * width + 1] != static_cast<float>(label[k] % 256)) {
        throw DataError("a sample has another one's label");
      }
    }
  }
  if (options.weights.empty() && std::any_of(seen.begin(), seen.end(), [](int times) { return times != 1; })) {
    throw DataError("a sample does not come once an epoch");
  }
  return rate(seconds, [&] {
    for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) loader.next();
  });
}

}  // namespace

int main(int count, char** arguments) try {
  std::int64_t batch = 128;
  double seconds = 1.0;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string argument = arguments[i];
    if (argument == "--batch") batch = std::atoll(arguments[i + 1]);
    if (argument == "--seconds") seconds = std::atof(arguments[i + 1]);
  }
  Tensor floats = Tensor::empty({samples, 28, 28, 1}), bytes = Tensor::empty({samples, 28, 28, 1}, DType::u8);
  for (std::int64_t i = 0; i < samples * width; ++i) {  // the second value of each sample tells its number
    const auto value = static_cast<std::uint8_t>(i % width == 1 ? i / width % 256 : i % 251);
    floats.data<float>()[i] = value;
    bytes.data<std::uint8_t>()[i] = value;
  }
  const TensorDataset f32(floats, arange(samples)), u8(bytes, arange(samples));
  const auto one_by_one = f32 | map([](Sample sample) { return sample; });  // through get(), as augmented data goes
  const std::vector<double> weights(static_cast<std::size_t>(samples), 1.0);

  const std::vector<std::int64_t> order = Rng(1).permutation(samples);
  Tensor into = Tensor::empty({batch, width});
  const Json copy = rate(seconds, [&] {
    for (std::int64_t i = 0; i < samples; ++i) {
      std::memcpy(into.data<float>() + i % batch * width,
                  std::as_const(floats).data<float>() + order[static_cast<std::size_t>(i)] * width,
                  static_cast<std::size_t>(width) * sizeof(float));
    }
  });
  Json::Array results;
  for (const int workers : {0, 1, 2}) {
    const LoaderOptions options{.batch_size = batch, .workers = workers};
    LoaderOptions weighted = options;
    weighted.weights = weights;
    results.push_back(Json::Object{{"workers", workers},
                                   {"f32", measure(f32, options, seconds)},
                                   {"u8", measure(u8, options, seconds)},
                                   {"one_by_one", measure(one_by_one, options, seconds)},
                                   {"weighted", measure(f32, weighted, seconds)}});
  }
  std::cout << Json(Json::Object{{"batch", batch}, {"copy", copy}, {"results", std::move(results)}}).dump() << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
