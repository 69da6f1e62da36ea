// benchmarks/growth_bench.cpp: how time and memory of a training step grow with batch, width and image size.
//
//   growth_bench [--threads N] [--seconds S]        one JSON object a line; growth_figure draws them
//
// A DCGAN, one of the three changing at a time, from batch 64, 64 filters and 28 x 28 pixels; and nets of dense layers
// against the batch. `gflop` counts the products of all taps of the layers, forward and backward, as a direct
// computation would make them.
//
// SPDX-License-Identifier: MIT
#include "steps.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace {

using namespace bench;

/// Multiplications and additions of a step, for the nets of models/dcgan.hpp, in units of 10^9.
double gflop(std::int64_t batch, std::int64_t filters, std::int64_t size) {
  const auto f = static_cast<double>(filters), pixels = static_cast<double>(size * size), taps = 25.0;
  const double dense = 100.0 * 4.0 * f * pixels / 16.0;
  const double conv_1 = taps * 4.0 * f * 2.0 * f * pixels / 16.0;  // stride 1, at a quarter of the side
  const double conv_2 = taps * 2.0 * f * f * pixels / 16.0, conv_3 = taps * f * pixels / 4.0;
  const double generator = dense + conv_1 + conv_2 + conv_3, critic = conv_3 + conv_2;
  // Generator: forward and both gradients, but none of the latent vector. Critic: three passes forward, two weight
  // gradients, three input gradients, of which only the generator's reaches the image.
  const double products = 3.0 * generator - dense + 5.0 * critic + 3.0 * conv_2 + conv_3;
  return 2e-9 * products * static_cast<double>(batch);
}

/// The same for the dense nets of mlp_gan_step().
double dense_gflop(std::int64_t batch) {
  const double generator = 100 * 128 + 128 * 256 + 256 * 784, critic = 784 * 128 + 128;
  return 2e-9 * (3.0 * generator - 100 * 128 + 6.0 * critic + 2.0 * 128) * static_cast<double>(batch);
}

void measure(const char* axis, std::int64_t value, double operations, const std::function<Step()>& make,
             double seconds) {
  sd::empty_memory_cache();
  sd::reset_peak_memory();
  const std::vector<double> times = times_of(make(), seconds);
  const sd::Json line = sd::Json::Object{{"axis", axis},
                                         {"value", value},
                                         {"threads", sd::threads()},
                                         {"ms", times[times.size() / 2]},
                                         {"p10", times[times.size() / 10]},
                                         {"p90", times[times.size() * 9 / 10]},
                                         {"gflop", operations},
                                         {"peak_mib", peak_mib()}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}
void measure_dcgan(const char* axis, std::int64_t value, std::int64_t batch, std::int64_t filters, std::int64_t size,
                   double seconds) {
  measure(
      axis, value, gflop(batch, filters, size),
      [&] { return dcgan_step(batch, {.height = size, .width = size, .filters = filters}); }, seconds);
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 2.0;
  int threads = 1;
  CLI::App app("Times a DCGAN step against batch, width and image size.");
  app.add_option("--threads", threads, "threads")->capture_default_str()->check(CLI::Range(1, 4096));
  app.add_option("--seconds", seconds, "time for each")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    sd::set_threads(threads);
    for (const std::int64_t batch : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})
      measure(
          "dense_batch", batch, dense_gflop(batch), [&] { return mlp_gan_step(batch); }, seconds);
    for (const std::int64_t batch : {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})  // batch norm needs two
      measure_dcgan("batch", batch, batch, 64, 28, seconds);
    for (const std::int64_t filters : {16, 32, 64, 128, 256})
      measure_dcgan("filters", filters, 64, filters, 28, seconds);
    for (const std::int64_t size : {28, 40, 64, 96, 128}) measure_dcgan("size", size, 64, 64, size, seconds);
  } catch (const sd::Error& error) {
    std::fprintf(stderr, "growth_bench: %s\n", error.what());
    return 1;
  }
}
