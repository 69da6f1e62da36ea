// tests/data/augment_policy_test.cpp: policies as values: printed, kept as JSON, checked; on data sets; mixed batches.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/filter.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/mix.hpp>
#include <synthdata/data/augment/policy.hpp>
#include <synthdata/data/augment/series.hpp>
#include <synthdata/data/augment/text.hpp>
#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/loader.hpp>

#include "../io/files.hpp"
#include "../test.hpp"
#include "images.hpp"

#include <map>

using namespace synthdata;
using test::data_error, test::has, test::random_image;

namespace {

/// A user's own type.
struct AddOne {
  std::int64_t times = 1;

  static constexpr const char* name = "add_one";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("times", self.times, 0.0, 9.0);
  }
  Tensor operator()(const Tensor& x, Rng&) const {
    Tensor out = x.clone();
    for (float& value : out.span<float>()) value += static_cast<float>(times);
    return out;
  }
};

Augmentation everything() {
  using namespace random;
  return Sequence{{Flip{.left_right = 0.3f},
                   {random::Affine{.degrees = {-30, 30}, .border = Border::reflect, .fill = 0.1f}, 0.7f},
                   {Perspective{}, 0.5f},
                   {Elastic{}, 0.5f},
                   Choice{{Brightness{}, {Contrast{}, 0.5f}, Hue{}, random::Gamma{}, Saturation{}}, 2},
                   RandAugment{.count = 3, .magnitude = 0.8f},
                   {Blur{}, 0.2f},
                   Noise{.std = {0, 0.03f}},
                   {Cutout{}, 0.5f},
                   ResizedCrop{.height = 20, .width = 24}}};
}

TEST_CASE("a policy says what it is, and reads back from JSON as the same policy") {
  const Augmentation policy = everything();
  const AugmentationKinds kinds = built_in_augmentations();
  const Augmentation again = kinds.read(parse_json(policy.to_json().dump()));
  CHECK(again.to_json() == policy.to_json());
  CHECK(again.str() == policy.str());
  CHECK(has(policy.str(), "affine(probability=0.7, degrees=[-30, 30]"));
  CHECK(has(policy.to_json().dump(), R"("fill":0.1,)"));
  const test::Scratch scratch;
  save_augmentation(scratch / "policy.json", policy);
  const Augmentation loaded = load_augmentation(scratch / "policy.json");
  for (const DType dtype : {DType::f32, DType::u8}) {
    const Tensor image = random_image({28, 30, 3}, 1, dtype);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Rng a{seed}, b{seed};
      const Tensor result = policy(image, a);
      CHECK(result.shape() == Shape{20, 24, 3});
      CHECK(result.dtype() == dtype);
      CHECK(same_bits(result, loaded(image, b)));
      CHECK(a.state() == b.state());
    }
  }
}

TEST_CASE("every built-in augmentation has a name, reads back, and its defaults are within its limits") {
  const AugmentationKinds kinds = built_in_augmentations();
  const char* names[] = {
      "flip",           "crop",       "resized_crop", "resize",       "affine",       "rotate",         "perspective",
      "elastic",        "brightness", "contrast",     "saturation",   "hue",          "gamma",          "invert",
      "solarize",       "posterize",  "autocontrast", "blur",         "sharpness",    "noise",          "cutout",
      "sequence",       "choice",     "rand_augment", "jitter",       "series_scale", "magnitude_warp", "time_warp",
      "window",         "time_shift", "time_stretch", "pitch_shift",  "gain",         "audio_noise",    "time_mask",
      "frequency_mask", "swap_words", "delete_words", "insert_words", "replace_words"};
  for (const char* name : names) {
    const Augmentation a = kinds.read(Json::Object{{"name", name}});
    CHECK(std::string(a.name()) == name);
    CHECK(kinds.read(a.to_json()).str() == a.str());
  }
}

TEST_CASE("a type of one's own joins a policy and its JSON") {
  AugmentationKinds kinds = built_in_augmentations();
  kinds.add<AddOne>();
  const Augmentation policy = random::Sequence{{AddOne{.times = 3}, AddOne{}}};
  Rng rng;
  CHECK(kinds.read(policy.to_json())(Tensor::zeros({2}), rng).data<float>()[1] == 4.0f);
  CHECK(Augmentation().str() == "nothing()");
  CHECK(kinds.read(Augmentation().to_json()).str() == "nothing()");
}

TEST_CASE("wrong policies say what is wrong") {
  const auto read = [](const char* text) { built_in_augmentations().read(parse_json(text)); };
  CHECK(has(data_error([&] { read("[1]"); }), "expects an object with a \"name\""));
  CHECK(has(data_error([&] { read(R"({"name":"spin"})"); }), "no augmentation is called \"spin\""));
  CHECK(has(data_error([&] { read(R"({"name":"rotate","degree":[1,2]})"); }), "rotate: has no parameter \"degree\""));
  CHECK(has(data_error([&] { read(R"({"name":"rotate","degrees":5})"); }), "rotate: degrees: expects a range"));
  CHECK(has(data_error([&] { read(R"({"name":"rotate","border":"wrap"})"); }), "constant, edge or reflect"));
  CHECK(has(data_error([&] { read(R"({"name":"sequence","steps":[{"name":"cutout","count":1.5}]})"); }),
            "cutout: count"));
  CHECK_THROWS_WITH(Augmentation(random::Rotate{.degrees = {3, -3}}), ContainsSubstring("got {3, -3}"));
  CHECK_THROWS_WITH(Augmentation(random::Flip{.left_right = 1.5f}), ContainsSubstring("flip: expects left_right"));
  CHECK_THROWS_WITH(Augmentation(random::Blur{.sigma = {0, NAN}}), ContainsSubstring("blur: expects sigma"));
  CHECK_THROWS_AS(Augmentation(random::Sequence{{{random::Flip{}, 1.1f}}}), NumericError);
  const test::Scratch scratch;
  test::spit(scratch / "p.json", R"({"name":"spin"})");
  CHECK(has(data_error([&] { load_augmentation(scratch / "p.json"); }), "p.json: no augmentation"));
}

TEST_CASE("a choice takes each augmentation as often as its weight says") {
  const random::Choice choice{{AddOne{1}, {AddOne{2}, 0.5f}, {AddOne{4}, 0.0f}}, 1};
  std::map<float, int> counts;
  Rng rng{2};
  for (int i = 0; i < 3000; ++i) ++counts[choice(Tensor::zeros({1}), rng).data<float>()[0]];
  CHECK(counts[1.0f] == Approx(2000).margin(110));  // four standard deviations
  CHECK(counts[2.0f] == Approx(1000).margin(110));
  CHECK(counts.count(4.0f) == 0);
  CHECK(same_bits(random::Choice{}(Tensor::zeros({1}), rng), Tensor::zeros({1})));
}

TEST_CASE("RandAugment keeps shape and dtype at every strength and leaves operands alone") {
  for (const DType dtype : {DType::f32, DType::u8}) {
    for (const std::int64_t channels : {1, 3, 4}) {
      const Tensor image = random_image({16, 18, channels}, 3, dtype), before = image.clone();
      Rng rng{4};
      for (int i = 0; i < 100; ++i) {
        const random::RandAugment augment{.count = 4, .magnitude = static_cast<float>(i) / 99.0f};
        const Tensor out = augment(image, rng);
        REQUIRE(out.shape() == image.shape());
        REQUIRE(out.dtype() == dtype);
      }
      CHECK(same_bits(image, before));
    }
  }
}

TEST_CASE("an augmented data set gives the same batches for any number of workers") {
  const Tensor images = random_image({40, 28, 30, 3}, 5, DType::u8);
  const auto data = TensorDataset(images, arange(40)).scaled({-1, 1}) | augment(everything());
  std::vector<Tensor> first;
  for (const int workers : {0, 1, 3}) {
    DataLoader loader(data, {.batch_size = 8, .seed = 7, .workers = workers});
    for (std::size_t i = 0; i < 12; ++i) {
      const Batch batch = loader.next();
      if (workers == 0) {
        first.push_back(batch.data);
      } else {
        REQUIRE(same_bits(first[i], batch.data));
      }
    }
  }
  CHECK_FALSE(same_bits(first[0], first[5]));  // another epoch, another outcome
}

TEST_CASE("mixup mixes data and targets in the same proportion") {
  Batch batch{Tensor::empty({32, 2, 2, 1}), arange(32)};
  for (std::int64_t i = 0; i < 128; ++i) batch.data.data<float>()[i] = static_cast<float>(i / 4);
  Rng rng{8};
  const MixedBatch mixed = random::Mixup{.alpha = 0.4f}(batch, rng);
  const Tensor targets = mixed.targets(32);
  for (std::int64_t i = 0; i < 32; ++i) {
    double expected = 0, total = 0;
    for (std::int64_t c = 0; c < 32; ++c) {
      expected += static_cast<double>(c) * double{targets.data<float>()[i * 32 + c]};
      total += double{targets.data<float>()[i * 32 + c]};
    }
    CHECK(total == Approx(1));
    CHECK(double{mixed.data.data<float>()[i * 4]} == Approx(expected).margin(1e-4));
  }
  CHECK_THROWS_AS(mixed.targets(31), DataError);
  CHECK_THROWS_AS(random::Mixup{.alpha = 0}(batch, rng), NumericError);
}

TEST_CASE("CutMix's share is the area that is left") {
  Batch batch{Tensor::empty({16, 24, 20, 1}), arange(16)};
  for (std::int64_t i = 0; i < batch.data.size(); ++i) batch.data.data<float>()[i] = static_cast<float>(i / 480);
  Rng rng{9};
  for (int round = 0; round < 50; ++round) {
    const MixedBatch mixed = random::CutMix{}(batch, rng);
    for (std::int64_t n = 0; n < 16; ++n) {
      const auto partner = static_cast<float>(mixed.partners.data<std::int64_t>()[n]);
      if (partner == static_cast<float>(n)) continue;
      double own = 0;
      for (std::int64_t i = 0; i < 480; ++i) {
        const float value = mixed.data.data<float>()[n * 480 + i];
        REQUIRE((value == static_cast<float>(n) || value == partner));
        own += value == static_cast<float>(n) ? 1 : 0;
      }
      CHECK(own / 480 == Approx(double{mixed.share}).margin(1e-6));
    }
  }
}

TEST_CASE("draws from Beta(a, a) have mean 1/2 and variance 1 / (4 (2 a + 1))") {
  Rng rng{10};
  for (const double alpha : {0.2, 1.0, 5.0}) {
    double sum = 0, squares = 0;
    constexpr int n = 40000;
    for (int i = 0; i < n; ++i) {
      const double x = random::symmetric_beta(alpha, rng);
      REQUIRE((x >= 0 && x <= 1));
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
    }
    CHECK(sum / n == Approx(0.5).margin(0.01));
    CHECK(squares / n == Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.03));
  }
}

}  // namespace
