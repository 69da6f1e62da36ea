// synthdata/models/image_classifier_impl.hpp: bodies of models/image_classifier.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/safetensors.hpp>
#include <synthdata/models/image_classifier.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/optim/optimizer.hpp>
#include <synthdata/optim/schedule.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace synthdata::models {
namespace detail {

/// One convolution of the classifier.
struct ClassifierStage {
  std::int64_t in, out, stride;
};
/// The convolutions for images of one size, and how many numbers come out of them.
struct ClassifierPlan {
  std::vector<ClassifierStage> stages;
  std::int64_t outputs = 0;
};

inline constexpr std::int64_t classifier_kernel = 5;
inline constexpr std::int64_t largest_side = std::int64_t{1} << 20;  // of images and counts in files: no overflow below

SYNTHDATA_INLINE ClassifierPlan plan_classifier(const Shape& image, std::int64_t classes) {
  if (image.rank() != 3 || image[0] < 8 || image[1] < 8 || image[2] < 1 ||
      std::max({image[0], image[1], image[2]}) > largest_side || classes < 2) {
    throw ShapeError(concat("ImageClassifier: expects images [H, W, C] of at least 8 x 8 and two classes or more, got ",
                            image, " and ", classes));
  }
  std::int64_t height = image[0], width = image[1], channels = image[2];
  const bool small = std::min(height, width) <= 14;
  std::int64_t filters = small ? 32 : 16;
  ClassifierPlan plan;
  const auto add = [&](std::int64_t stride) {
    plan.stages.push_back({channels, filters, stride});
    height = (height - 1) / stride + 1;
    width = (width - 1) / stride + 1;
    channels = filters;
    filters = std::min<std::int64_t>(2 * filters, 128);
  };
  if (small) add(1);  // one halving is enough, one convolution is not
  while (std::min(height, width) > 7) add(2);
  plan.outputs = height * width * channels;
  return plan;
}

SYNTHDATA_INLINE std::vector<Conv2d> classifier_convs(const Shape& image, std::int64_t classes, Rng& rng) {
  std::vector<Conv2d> convs;
  for (const ClassifierStage& s : plan_classifier(image, classes).stages) {
    convs.emplace_back(s.in, s.out, classifier_kernel, rng,
                       ConvLayerOptions{.stride = s.stride, .padding = classifier_kernel / 2});
  }
  return convs;
}

/// Each image seen through its own random map, (y, x) -> (I + A)(y, x) + b about the centre: entries of A up to `warp`,
/// of b up to `shift` times the side. Between pixels it is interpolated, beyond the edge the edge is repeated.
SYNTHDATA_INLINE Tensor distorted(const Tensor& images, double shift, double warp, Rng& rng) {
  const std::int64_t height = images.shape(1), width = images.shape(2), channels = images.shape(3);
  const auto limit = [](float at, std::int64_t extent) { return std::clamp(at, 0.0f, static_cast<float>(extent - 1)); };
  const auto draw = [&](double most) { return static_cast<float>(most) * rng.uniform(-1.0f, 1.0f); };
  const float middle_y = static_cast<float>(height - 1) / 2.0f, middle_x = static_cast<float>(width - 1) / 2.0f;
  Tensor out = Tensor::empty(images.shape(), DType::f32, Device::cpu());
  float* to = out.data<float>();
  for (std::int64_t n = 0; n < images.shape(0); ++n) {
    const float* image = images.data<float>() + n * height * width * channels;
    const float yy = draw(warp), yx = draw(warp), xy = draw(warp), xx = draw(warp);
    const float down = draw(shift * static_cast<double>(height)), right = draw(shift * static_cast<double>(width));
    for (std::int64_t row = 0; row < height; ++row) {
      for (std::int64_t column = 0; column < width; ++column) {
        const float y = static_cast<float>(row), x = static_cast<float>(column);
        const float from_y = limit(y + yy * (y - middle_y) + yx * (x - middle_x) + down, height);
        const float from_x = limit(x + xy * (y - middle_y) + xx * (x - middle_x) + right, width);
        const auto y0 = static_cast<std::int64_t>(from_y), x0 = static_cast<std::int64_t>(from_x);
        const std::int64_t y1 = std::min(y0 + 1, height - 1), x1 = std::min(x0 + 1, width - 1);
        const float v = from_y - static_cast<float>(y0), u = from_x - static_cast<float>(x0);
        const auto at = [&](std::int64_t i, std::int64_t j) { return image + (i * width + j) * channels; };
        const float *p00 = at(y0, x0), *p01 = at(y0, x1), *p10 = at(y1, x0), *p11 = at(y1, x1);
        for (std::int64_t c = 0; c < channels; ++c) {
          *to++ = (1 - v) * ((1 - u) * p00[c] + u * p01[c]) + v * ((1 - u) * p10[c] + u * p11[c]);
        }
      }
    }
  }
  return out;
}

SYNTHDATA_INLINE const Tensor& labels_of(const Batch& batch) {
  if (!batch.labels.defined()) throw DataError("classifier: expects samples with labels, these have none");
  return batch.labels;
}

SYNTHDATA_INLINE std::int64_t count_classes(const Batch& batch, std::int64_t before) {
  for (const std::int64_t label : labels_of(batch).span<std::int64_t>()) before = std::max(before, label + 1);
  return before;
}

SYNTHDATA_INLINE std::int64_t count_right(const ImageClassifier& classifier, const Batch& batch) {
  const auto labels = labels_of(batch).span<std::int64_t>();
  const Tensor likeliest = argmax(classifier.probabilities(batch.data));
  return std::inner_product(labels.begin(), labels.end(), likeliest.data<std::int64_t>(), std::int64_t{0},
                            std::plus<>(), std::equal_to<>());
}

SYNTHDATA_INLINE std::int64_t training_epochs(const ClassifierTraining& o, std::int64_t batches_per_epoch) {
  if (o.epochs < 0 || o.classes < 0 || !(o.shift >= 0.0 && o.warp >= 0.0 && o.learning_rate > 0.0)) {
    throw NumericError(
        concat("train_classifier: expects epochs, classes, shift and warp >= 0 and a learning rate > 0, got ", o.epochs,
               ", ", o.classes, ", ", o.shift, ", ", o.warp, " and ", o.learning_rate));
  }
  constexpr std::int64_t passes = 3, updates = 2000;
  return o.epochs > 0 ? o.epochs : std::max(passes, (updates - 1) / batches_per_epoch + 1);
}

SYNTHDATA_INLINE ImageClassifier train_classifier(const std::function<Batch()>& next, std::int64_t classes,
                                                  std::int64_t steps, const ClassifierTraining& options,
                                                  const ClassifierProgress& progress) {
  Rng rng = Rng{options.seed}.split(1);  // another stream than the loader's
  Batch batch = next();
  if (batch.data.rank() != 4)
    throw ShapeError(concat("train_classifier: expects images [H, W, C], got a batch of ", batch.data.str()));
  ImageClassifier net(batch.data.shape().erase(0), classes, rng);
  Optimizer optimizer(state_of(net).parameters, Adam{});
  const std::int64_t rise = std::min<std::int64_t>(50, steps);
  const Schedule schedule = schedule::warm_up(rise, schedule::cosine(std::max<std::int64_t>(1, steps - rise)));
  const bool distort = options.shift > 0.0 || options.warp > 0.0;
  for (std::int64_t step = 0; step < steps; ++step) {
    if (step > 0) batch = next();
    const Var logits = net(distort ? distorted(batch.data, options.shift, options.warp, rng) : batch.data);
    const Var loss = mean(logsumexp(logits, 1) - sum(logits * one_hot(labels_of(batch), classes), 1));
    const double value = loss.item();
    if (!std::isfinite(value)) {
      throw NumericError(
          concat("train_classifier: the loss is ", value, " at step ", step + 1,
                 "; try a smaller learning rate, and look for values that are not finite in the images"));
    }
    optimizer.minimize(loss, options.learning_rate * schedule(step));
    if (progress) progress({step + 1, steps, value});
  }
  return net;
}

/// "28 28 1" as numbers. @throws DataError for anything else than `count` numbers of 1 to largest_side.
SYNTHDATA_INLINE std::vector<std::int64_t> numbers_in(const std::string& path, const char* name,
                                                      const std::string& text, std::size_t count) {
  std::vector<std::int64_t> numbers;
  const char *at = text.data(), *const end = at + text.size();
  while (at != end && numbers.size() < count) {
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 1 || number > largest_side) break;
    numbers.push_back(number);
    at = rest != end && *rest == ' ' ? rest + 1 : rest;
  }
  if (at != end || numbers.size() != count) {
    throw DataError(concat(path, ": expects ", count, " numbers in '", name, "', got \"", text.substr(0, 40), "\""));
  }
  return numbers;
}

}  // namespace detail

SYNTHDATA_INLINE ImageClassifier::ImageClassifier(const Shape& image, std::int64_t classes, Rng& rng)
    : image_(image),
      classes_(classes),
      convs_(detail::classifier_convs(image, classes, rng)),
      hidden_(detail::plan_classifier(image, classes).outputs, feature_count, rng),
      head_(feature_count, classes, rng) {}

SYNTHDATA_INLINE Var ImageClassifier::embed(const Var& images) const {
  if (images.rank() != 4 || !(images.shape().erase(0) == image_)) {
    throw_shape("ImageClassifier", concat("expects images [N, H, W, C] of ", image_), {{"images", images.value()}});
  }
  Context context;
  Var x = images;
  for (const Conv2d& conv : convs_) x = conv.fused(x, context, fused::relu);
  return hidden_.fused(flatten(x, 1), context, fused::relu);
}

SYNTHDATA_INLINE Classified ImageClassifier::classify(const Tensor& images) const {
  const NoGrad nothing_recorded;
  if (!images.defined() || images.rank() != 4) {
    throw ShapeError(concat("ImageClassifier: expects images [N, H, W, C], got ", images.str()));
  }
  const std::int64_t count = images.shape(0);
  constexpr std::int64_t block = 256;
  Classified out{Tensor::empty({count, feature_count}, DType::f32, Device::cpu()),
                 Tensor::empty({count, classes_}, DType::f32, Device::cpu())};
  const auto put = [](const Tensor& from, Tensor& into, std::int64_t row) {
    std::copy_n(from.data<float>(), from.size(), into.data<float>() + row * into.shape(1));
  };
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const Var features = embed(images.rows(begin, std::min(begin + block, count)));
    const Var logits = head_(features);
    put(features.value(), out.features, begin);
    put(exp(logits - logsumexp(logits, 1, Keepdims::yes)).value(), out.probabilities, begin);
  }
  return out;
}

SYNTHDATA_INLINE void ImageClassifier::save(const std::string& path) const {
  Archive archive;
  ImageClassifier& self = const_cast<ImageClassifier&>(*this);  // listed through pointers to non-const, only read here
  for (const NamedParam& p : state_of(self).parameters) archive.add(p.path, p.param->value());
  archive.metadata = {{"format", "synthdata image classifier"},
                      {"image", concat(image_[0], " ", image_[1], " ", image_[2])},
                      {"classes", concat(classes_)}};
  save_safetensors(path, archive);
}

SYNTHDATA_INLINE ImageClassifier ImageClassifier::load(const std::string& path) {
  const Archive archive = load_safetensors(path);
  const auto image = detail::numbers_in(path, "image", archive.text("image"), 3);
  const std::int64_t classes = detail::numbers_in(path, "classes", archive.text("classes"), 1)[0];
  const Shape shape{image[0], image[1], image[2]};
  const auto expect = [&](const std::string& name, const Shape& wanted) {
    const Tensor& found = archive.at(name);
    if (!(found.shape() == wanted) || found.dtype() != DType::f32) {
      throw DataError(concat(path, ": '", name, "' is ", found.str(), ", expected ", wanted, " f32"));
    }
  };
  // Weights are looked at before a net of that size is made: a small file cannot ask for a large one.
  if (image[0] < 8 || image[1] < 8 || classes < 2) {
    throw DataError(concat(path, ": expects images of at least 8 x 8 and two classes, got ", shape, " and ", classes));
  }
  const detail::ClassifierPlan plan = detail::plan_classifier(shape, classes);
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& s = plan.stages[i];
    expect(concat("conv", i, ".weight"), {s.out, detail::classifier_kernel, detail::classifier_kernel, s.in});
  }
  expect("hidden.weight", {feature_count, plan.outputs});
  expect("head.weight", {classes, feature_count});
  Rng rng;
  ImageClassifier net(shape, classes, rng);
  for (const NamedParam& p : state_of(net).parameters) {
    expect(p.path, p.param->shape());
    p.param->assign(archive.at(p.path).clone());
  }
  return net;
}

}  // namespace synthdata::models
