// synthdata/metrics/image_report_impl.hpp: bodies of metrics/image_report.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/frechet.hpp>
#include <synthdata/metrics/image_report.hpp>

#include <algorithm>
#include <cstdio>

namespace synthdata {
namespace detail {

/// Samples drawn without repeats.
SYNTHDATA_INLINE Batch read_some(const SampleReader& from, std::int64_t count, Rng rng) {
  std::vector<std::int64_t> order = rng.permutation(from.size);
  order.resize(static_cast<std::size_t>(std::min(count, from.size)));
  return from.read(std::move(order));
}

/// Features of all samples; the images themselves are in memory in blocks only.
SYNTHDATA_INLINE Tensor features_of_all(const models::ImageClassifier& classifier, const SampleReader& from) {
  Tensor all = Tensor::empty({from.size, models::ImageClassifier::feature_count}, DType::f32, Device::cpu());
  constexpr std::int64_t block = 1024;
  for (std::int64_t begin = 0; begin < from.size; begin += block) {
    const std::int64_t end = std::min(begin + block, from.size);
    const Tensor some = classifier.features(read_range(from, begin, end).data);
    std::copy_n(some.data<float>(), some.size(), all.rows(begin, end).data<float>());
  }
  return all;
}

SYNTHDATA_INLINE void add_nearest(ImageNumbers& numbers, const Tensor& images, const SampleReader& train) {
  const Tensor distance = nearest_neighbours(images, train).distance;
  const auto d = distance.span<double>();
  numbers.nearest_least = d[0];
  for (const double x : d) {
    numbers.nearest_mean += x / static_cast<double>(d.size());
    numbers.nearest_least = std::min(numbers.nearest_least, x);
  }
}

SYNTHDATA_INLINE ImageReport judge_images(const models::ImageClassifier& classifier, const Tensor& synthetic,
                                          const SampleReader& test, const SampleReader& train, const Tensor& labels,
                                          const JudgeOptions& options) {
  if (!synthetic.defined() || synthetic.rank() != 4 || synthetic.shape(0) < 2) {
    throw ShapeError(concat("judge_images: expects two or more images [N, H, W, C], got ", synthetic.str()));
  }
  if (test.size < 2 || train.size < 2) {
    throw ShapeError(concat("judge_images: expects two or more real images on both sides, got ", test.size,
                            " to test and ", train.size, " of training"));
  }
  const std::int64_t count = synthetic.shape(0);
  const Rng rng(options.seed);
  ImageReport report;
  report.confident_from = options.score.confident;
  const Tensor test_features = features_of_all(classifier, test);

  const models::Classified made = classifier.classify(synthetic);
  report.synthetic.count = count;
  report.synthetic.score = classifier_score(made.probabilities, labels, options.score);
  report.synthetic.frechet = frechet_distance(made.features, test_features);
  add_nearest(report.synthetic, synthetic, train);

  const Batch held_out = read_some(test, count, rng.split(0));
  report.real.count = held_out.data.shape(0);
  ClassifierScoreOptions score = options.score;
  score.splits = std::min(score.splits, report.real.count);
  report.real.score = classifier_score(classifier.probabilities(held_out.data), held_out.labels, score);
  report.real.frechet =
      frechet_distance(classifier.features(read_some(train, count, rng.split(1)).data), test_features);
  add_nearest(report.real, held_out.data, train);
  return report;
}

}  // namespace detail

SYNTHDATA_INLINE std::string ImageReport::str() const {
  std::string out;
  const auto line = [&](const std::string& name, const std::string& a, const std::string& b) {
    char text[160];  // names and numbers below are short; snprintf would cut them, never overrun
    std::snprintf(text, sizeof text, "%-38s %14s %14s\n", name.c_str(), a.c_str(), b.c_str());
    out += text;
  };
  const auto number = [](const char* format, double x) {
    char text[32];
    std::snprintf(text, sizeof text, format, x);
    return std::string(text);
  };
  const auto both = [&](const std::string& name, const char* format, auto&& value) {
    line(name, number(format, value(synthetic)), number(format, value(real)));
  };
  using N = const ImageNumbers&;
  line("", "synthetic", "real, held out");
  line("images", std::to_string(synthetic.count), std::to_string(real.count));
  both("Frechet distance of features (not FID)", "%.3f", [](N n) { return n.frechet; });
  both("inception-style score", "%.3f", [](N n) { return n.score.score; });
  both(concat("confident (p >= ", confident_from, ")"), "%.1f %%", [](N n) { return 100.0 * n.score.confident; });
  both("mean confidence", "%.4f", [](N n) { return n.score.mean_confidence; });
  const auto agreement = [&](N n) {
    return n.score.label_agreement ? number("%.1f %%", 100.0 * *n.score.label_agreement) : std::string("-");
  };
  line("label agreement", agreement(synthetic), agreement(real));
  both("distance to nearest real, mean", "%.3f", [](N n) { return n.nearest_mean; });
  both("distance to nearest real, least", "%.3f", [](N n) { return n.nearest_least; });
  for (std::size_t k = 0; k < synthetic.score.histogram.size(); ++k) {
    const auto share = [&](N n) {
      const double all = static_cast<double>(n.count);
      return number("%.1f %%", 100.0 * static_cast<double>(n.score.histogram[k]) / all);
    };
    line(concat("class ", k), share(synthetic), share(real));
  }
  return out;
}

}  // namespace synthdata
