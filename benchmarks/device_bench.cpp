// benchmarks/device_bench.cpp: what single operations reach on a device.
//
//   device_bench [--device auto] [--mib 256] [--seconds 0.2] [--precision f32 tf32 bf16]      one JSON object a line
//   device_bench --device cpu --mib 8 --small                                                 tries it out anywhere
//
// A copy within the device comes first: it reads and writes each byte once, and is what element-wise operations are
// measured by. Their bytes are counted the same way, operands and result once each; "share" is their rate by that of
// the copy. Then products and convolutions, in GFLOP/s; a convolution counts every tap.
//
// SPDX-License-Identifier: MIT
#include "steps.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace bench;

struct Options {
  std::string device = "auto";
  std::int64_t mib = 256;
  double seconds = 0.2;
  bool small = false;
  std::vector<std::string> precisions{"f32", "tf32", "bf16"};
};

/// Median seconds of one call: samples of a millisecond or more, at least 7 of them.
double seconds_of(const Step& once, double seconds) {
  const sd::Device device = sd::current_device();
  const auto timed = [&](int calls) {
    const double start = now();
    for (int n = 0; n < calls; ++n) once();
    sd::synchronize(device);
    return now() - start;
  };
  timed(2);  // chooses plans, fills the cache of memory
  const int calls = static_cast<int>(std::clamp(2e-3 / std::max(timed(1), 1e-7), 1.0, 200.0));
  std::vector<double> samples;
  for (const double start = now(); samples.size() < 7 || (now() - start < seconds && samples.size() < 1000);) {
    samples.push_back(timed(calls) / calls);
  }
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

void print(const std::string& name, const char* precision, double time, const char* unit, double amount, double share) {
  sd::Json::Object line{{"bench", name}, {"ms", 1e3 * time}, {unit, 1e-9 * amount / time}};
  if (*precision != '\0') line.push_back({"precision", precision});
  if (share > 0.0) line.push_back({"share", share});
  std::printf("%s\n", sd::Json(line).dump().c_str());
  std::fflush(stdout);
}

/// Operations whose time is that of moving their operands.
void elementwise(const Options& o) {
  const std::int64_t columns = 256, rows = o.mib * 1048576 / (4 * columns);
  const double bytes = 4.0 * static_cast<double>(rows * columns);
  sd::Rng rng{1};
  sd::Tensor into = sd::Tensor::empty({rows, columns});
  const sd::Tensor from = sd::uniform({rows, columns}, rng, sd::DType::f32, -1.0, 1.0);
  const sd::Var x = from, y = sd::uniform({rows, columns}, rng, sd::DType::f32, -1.0, 1.0);
  const sd::Var row = sd::uniform({columns}, rng), column = sd::uniform({rows, 1}, rng);

  double copy = 0.0;
  const auto measure = [&](const char* name, double passes, const Step& once) {
    const double time = seconds_of(once, o.seconds);
    if (copy == 0.0) copy = passes * bytes / time;
    print(name, "", time, "gb_per_s", passes * bytes, passes * bytes / time / copy);
  };
  measure("copy", 2, [&] { into.copy_elements(from); });
  measure("fill", 1, [&] { sd::Tensor::full({rows, columns}, 1.0); });
  measure("relu", 2, [&] { relu(x); });
  measure("tanh", 2, [&] { tanh(x); });
  measure("2 x + 1", 2, [&] { affine(x, 2.0, 1.0); });
  measure("x + y", 3, [&] { x + y; });
  measure("x + row", 2, [&] { x + row; });
  measure("x * column", 2, [&] { x* column; });
  measure("sum", 1, [&] { sum(x); });
  measure("sum of columns", 1, [&] { sum(x, 0); });
  measure("sum of rows", 1, [&] { sum(x, 1); });
  measure("softmax of rows", 2, [&] { softmax(x, 1); });
  measure("batch norm", 3, [&] { batch_norm(x); });  // read for the moments, read and written for the result
  measure("transpose", 2, [&] { transpose(x); });
  measure("uniform", 1, [&] { sd::uniform({rows, columns}, rng); });
  measure("normal", 1, [&] { sd::normal({rows, columns}, rng); });
}

struct ConvCase {
  std::int64_t batch, size, in, out, stride;
};

void products(const Options& o, const std::string& precision) {
  const sd::ProductPrecision scope(precision == "tf32"   ? sd::Precision::tf32
                                   : precision == "bf16" ? sd::Precision::bf16
                                   : precision == "f16"  ? sd::Precision::f16
                                                         : sd::Precision::f32);
  sd::Rng rng{2};
  const auto random = [&](const sd::Shape& shape) { return sd::uniform(shape, rng, sd::DType::f32, -1.0, 1.0); };
  const std::int64_t large = o.small ? 256 : 4096;
  const std::int64_t sizes[][3] = {{large, large, large}, {1024, 1024, 1024}, {128, 12544, 100}, {128, 256, 784}};
  for (const auto& [m, n, k] : sizes) {
    const sd::Var a = random({m, k}), b = random({k, n});
    const double time = seconds_of([&] { matmul(a, b); }, o.seconds);
    print(sd::concat("matmul ", m, " ", n, " ", k), precision.c_str(), time, "gflop_per_s",
          2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k), 0.0);
  }
  // Of the DCGAN for 28 x 28, and a larger one; 5 x 5, padding 2.
  std::vector<ConvCase> cases{{128, 28, 1, 64, 2}, {128, 14, 64, 128, 2}};
  if (!o.small) cases.insert(cases.end(), {{512, 14, 64, 128, 2}, {128, 32, 128, 256, 1}});
  for (const ConvCase& c : cases) {
    const sd::Var x = leaf(random({c.batch, c.size, c.size, c.in})), w = leaf(random({c.out, 5, 5, c.in}));
    const sd::ConvOptions options{.stride = c.stride, .padding = 2};
    const std::int64_t side = (c.size - 1) / c.stride + 1;
    const double flop = 50.0 * static_cast<double>(c.batch * side * side * c.in * c.out);
    const std::string name = sd::concat(" ", c.batch, " ", c.size, " ", c.in, " ", c.out, " ", c.stride);
    const auto forward = [&] {
      const sd::NoGrad constant;
      conv2d(x, w, {}, options);
    };
    print("conv" + name, precision.c_str(), seconds_of(forward, o.seconds), "gflop_per_s", flop, 0.0);
    const sd::Tensor g = random({c.batch, side, side, c.out});
    const auto all = [&] { grad(sum(conv2d(x, w, {}, options) * g), {x, w}); };
    print("conv+grads" + name, precision.c_str(), seconds_of(all, o.seconds), "gflop_per_s", 3.0 * flop, 0.0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Times single operations on a device.");
  app.add_option("--device", o.device, "cpu, cuda, cuda:1, ..., or auto: a GPU where there is one")
      ->capture_default_str();
  app.add_option("--mib", o.mib, "size of an operand")->capture_default_str()->check(CLI::Range(1, 16384));
  app.add_option("--seconds", o.seconds, "time for each")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--precision", o.precisions, "of products")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "tf32", "bf16", "f16"}));
  app.add_flag("--small", o.small, "no product that a CPU takes long for");
  CLI11_PARSE(app, argc, argv);
  try {
    const sd::OnDevice there(sd::device(o.device));
    const sd::Device device = sd::current_device();
    const sd::Json about = sd::Json::Object{{"device", sd::concat(device)}, {"name", sd::name_of(device)}};
    std::printf("%s\n", about.dump().c_str());
    elementwise(o);
    for (const std::string& precision : o.precisions) products(o, precision);
  } catch (const sd::Error& error) {
    std::fprintf(stderr, "device_bench: %s\n", error.what());
    return 1;
  }
}
