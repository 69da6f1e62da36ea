// benchmarks/augment_bench.cpp: images a second of warps and other augmentations, and of reading image files.
//
// Run: augment_bench [--threads 1] [--seconds 1] [--folder DIR] [CASE ...]. Prints one JSON object a case; --folder is
// for the case "read", which decodes all images of a folder. benchmarks/augment_beside_opencv compares with OpenCV and
// Pillow.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/filter.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/policy.hpp>
#include <synthdata/data/image_folder.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace sd = synthdata;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<sd::Tensor> random_images(std::int64_t count, std::int64_t size, std::int64_t channels, sd::DType dtype) {
  sd::Rng rng{1};
  std::vector<sd::Tensor> images;
  for (std::int64_t i = 0; i < count; ++i) {
    sd::Tensor image = sd::Tensor::empty({size, size, channels});
    for (float& value : image.span<float>()) value = static_cast<float>(rng.below(256));
    images.push_back(image.to(dtype));
  }
  return images;
}

/// Images a second: median, and the range from the tenth to the ninetieth percentile, of passes over all images.
void measure(const std::string& name, std::int64_t count, double seconds, const std::function<void()>& pass) {
  pass();
  std::vector<double> rates;
  const double start = now();
  while (rates.size() < 7 || now() - start < seconds) {
    const double begin = now();
    pass();
    rates.push_back(static_cast<double>(count) / (now() - begin));
  }
  std::sort(rates.begin(), rates.end());
  const auto at = [&](double q) { return rates[static_cast<std::size_t>(q * static_cast<double>(rates.size() - 1))]; };
  std::printf("{\"name\": \"%s\", \"threads\": %d, \"rate\": %.1f, \"p10\": %.1f, \"p90\": %.1f}\n", name.c_str(),
              sd::threads(), at(0.5), at(0.1), at(0.9));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> wanted;
  std::string folder;
  double seconds = 1.0;
  int threads = 1;
  CLI::App app("Images a second of augmentations and of reading image files.");
  app.add_option("case", wanted, "affine, resize, hue, blur, policy, read; all without");
  app.add_option("--folder", folder, "images for the case read");
  app.add_option("--seconds", seconds, "for each case")->capture_default_str();
  app.add_option("--threads", threads, "threads")->capture_default_str()->check(CLI::Range(1, 4096));
  CLI11_PARSE(app, argc, argv);
  sd::set_threads(threads);
  const auto asked = [&](const char* name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  const sd::random::Affine affine{};
  const sd::random::RandAugment policy{};
  float sum = 0;  // of something of each result, so that none can be left out
  const auto each = [&](const char* name, std::int64_t size, std::int64_t channels, sd::DType dtype, const auto& f) {
    if (!asked(name)) return;
    const auto images = random_images(size < 100 ? 2000 : 60, size, channels, dtype);
    measure(sd::concat(name, " ", size, "x", size, "x", channels, " ", dtype), std::ssize(images), seconds, [&] {
      sd::Rng rng{2};
      for (const sd::Tensor& image : images) sum += static_cast<float>(f(image, rng).shape(0));
    });
  };
  for (const sd::DType dtype : {sd::DType::f32, sd::DType::u8}) {
    for (const auto& [size, channels] : {std::pair<std::int64_t, std::int64_t>{28, 1}, {32, 3}, {224, 3}}) {
      each("affine", size, channels, dtype, affine);
      each("resize", size, channels, dtype,
           [size = size](const sd::Tensor& x, sd::Rng&) { return sd::image::resize(x, size * 4 / 7, size * 4 / 7); });
      each("blur", size, channels, dtype,
           [](const sd::Tensor& x, sd::Rng&) { return sd::image::gaussian_blur(x, 1.0f); });
      if (channels == 3) {
        each("hue", size, channels, dtype, [](const sd::Tensor& x, sd::Rng&) {
          return sd::image::hue(x, 0.1f, {0, 255});
        });
      }
      each("policy", size, channels, dtype, policy);
    }
  }
  if (asked("read") && !folder.empty()) {
    const sd::ImageFolder images(folder, {});
    measure("read " + folder, images.size(), seconds, [&] {
      sd::Rng rng;
      for (std::int64_t i = 0; i < images.size(); ++i) sum += static_cast<float>(images.get(i, rng).data.shape(0));
    });
  }
  return sum > 0 ? 0 : 1;
}
