// benchmarks/judge_images.cpp: one judge for the images of several generators, whoever made them.
//
//   judge_images MNIST_FOLDER FILE.npy [FILE.npy ...]
//
// Trains the library's small classifier on the real training images (seed 1, as examples/mnist_dcgan.cpp does) and
// prints for each file of float images in [-1, 1], any shape of [N, ...] with one image's number of values in a row:
// the Fréchet distance of its features to the real test images, the inception-style score and the confidence. The first
// line is the ceiling: as many real training images.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/in_memory.hpp>
#include <synthdata/io/npy.hpp>
#include <synthdata/metrics/classifier_score.hpp>
#include <synthdata/metrics/frechet.hpp>
#include <synthdata/models/image_classifier.hpp>

#include <algorithm>
#include <cstdio>

namespace sd = synthdata;

namespace {

void print_row(const char* name, const sd::models::Classified& images, const sd::Tensor& test_features) {
  const sd::ClassifierScore score = sd::classifier_score(images.probabilities);
  std::printf("| %-40s | %6lld | %8.2f | %5.2f | %5.3f | %5.1f |", name,
              static_cast<long long>(images.features.shape(0)), sd::frechet_distance(images.features, test_features),
              score.score, score.mean_confidence, 100.0 * score.confident);
  for (const std::int64_t n : score.histogram) std::printf(" %lld", static_cast<long long>(n));
  std::printf(" |\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: judge_images MNIST_FOLDER FILE.npy [FILE.npy ...]\n");
    return 2;
  }
  const auto train = sd::images_from_idx(argv[1], sd::Split::train).scaled({-1.0f, 1.0f});
  const auto test = sd::images_from_idx(argv[1], sd::Split::test).scaled({-1.0f, 1.0f});
  const auto classifier = sd::models::train_classifier(train, {.seed = 1});
  std::printf("classifier: %.2f %% of the test images right\n\n", 100.0 * sd::models::accuracy(classifier, test));
  std::printf(
      "| %-40s | images | Frechet  | score | mean p | p >= 0.95, %% | classes |\n|---|---|---|---|---|---|---|\n",
      "file");
  const sd::Tensor test_features = classifier.features(test.values());
  const std::int64_t ceiling = std::min<std::int64_t>(2000, train.size());
  print_row("real training images", classifier.classify(train.rows(0, ceiling).values()), test_features);
  for (int i = 2; i < argc; ++i) {
    const sd::Tensor images = sd::read_npy(argv[i]);
    const sd::Shape one = test.sample_shape();
    const std::int64_t count = images.rank() > 0 ? images.shape(0) : 0;
    if (count < 2 || images.size() != count * one.size() || images.dtype() != sd::DType::f32) {
      throw sd::DataError(sd::concat(argv[i], ": expected two or more f32 images of ", one, ", got ", images.str()));
    }
    print_row(argv[i], classifier.classify(images.reshape(one.insert(0, count))), test_features);
  }
} catch (const sd::Error& error) {
  std::fprintf(stderr, "judge_images: %s\n", error.what());
  return 1;
}
