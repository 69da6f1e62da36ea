// tests/models/image_classifier_test.cpp
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/digits.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/models/image_classifier.hpp>
#include <synthdata/models/mlp.hpp>

#include "../io/files.hpp"
#include "../test.hpp"
#include "toy_images.hpp"

#include <cmath>

using namespace synthdata;
using models::ImageClassifier;
using models::train_classifier;

namespace {

static_assert(Module<ImageClassifier> && Module<models::Mlp>);

TensorDataset part(const TensorDataset& all, const std::vector<std::int64_t>& indices) {
  const Batch b = all.gather(indices);
  return TensorDataset(b.data, b.labels);
}

ImageClassifier untrained(const Shape& image, std::int64_t classes) {
  Rng rng{5};
  return ImageClassifier(image, classes, rng);
}

}  // namespace

TEST_CASE("a classifier learns lying, upright and crossed bars") {
  const TensorDataset train = test::bars(600, 8, 8, 1, 1), held_out = test::bars(300, 8, 8, 1, 2);
  std::vector<models::ClassifierStep> seen;
  const ImageClassifier net =
      train_classifier(train, {.epochs = 6, .seed = 1}, [&](const auto& step) { seen.push_back(step); });
  CHECK(models::accuracy(net, held_out) > 0.97);
  REQUIRE(seen.size() == 54);
  CHECK(seen.front().step == 1);
  CHECK(seen.back().step == 54);
  CHECK(seen.back().steps == 54);
  CHECK(seen.front().loss == Approx(std::log(3.0)).margin(0.2));  // knows nothing yet
  CHECK(seen.back().loss < 0.3);
  CHECK(net.classes() == 3);
  CHECK(net.image() == Shape{8, 8, 1});
}

TEST_CASE("a classifier trains to the same bits for any number of threads") {
  const TensorDataset data = test::bars(96, 9, 11, 3, 1);
  std::vector<Tensor> probabilities;
  for (const int n : {1, 2}) {
    set_threads(n);
    probabilities.push_back(train_classifier(data, {.epochs = 2, .batch_size = 32}).probabilities(data.values()));
  }
  set_threads(0);
  CHECK(same_bits(probabilities[0], probabilities[1]));
}

TEST_CASE("classify() gives what the module computes, in blocks") {
  const ImageClassifier net = untrained({8, 10, 1}, 4);
  Rng rng{6};
  const Tensor images = uniform({300, 8, 10, 1}, rng);
  const models::Classified out = net.classify(images);
  CHECK(out.features.shape() == Shape{300, 64});
  CHECK(out.probabilities.shape() == Shape{300, 4});
  const Tensor last = net.embed(images.rows(299, 300)).value();
  const Tensor logits = net(images.rows(299, 300)).value();
  double sum = 0.0;
  for (int k = 0; k < 4; ++k) sum += std::exp(static_cast<double>(logits.data<float>()[k]));
  for (int k = 0; k < 4; ++k) {
    CHECK(out.probabilities.data<float>()[299 * 4 + k] ==
          Approx(std::exp(static_cast<double>(logits.data<float>()[k])) / sum).epsilon(1e-5));
  }
  for (int k = 0; k < 64; ++k) CHECK(out.features.data<float>()[299 * 64 + k] == Approx(last.data<float>()[k]));
  CHECK(net.classify(images.rows(0, 0)).features.shape() == Shape{0, 64});
}

TEST_CASE("classifiers fit images of many sizes") {
  for (const Shape& image : {Shape{8, 8, 1}, Shape{9, 31, 2}, Shape{14, 15, 3}, Shape{28, 28, 1}, Shape{65, 130, 3}}) {
    const ImageClassifier net = untrained(image, 2);
    CHECK(net.probabilities(zeros(image.insert(0, 1))).shape() == Shape{1, 2});
  }
}

TEST_CASE("a classifier comes back from its file bit for bit") {
  const test::Scratch folder;
  const std::string path = folder / "net.safetensors";
  const ImageClassifier net = untrained({12, 9, 2}, 5);
  net.save(path);
  const ImageClassifier loaded = ImageClassifier::load(path);
  Rng rng{7};
  const Tensor images = uniform({3, 12, 9, 2}, rng);
  CHECK(same_bits(net.probabilities(images), loaded.probabilities(images)));
  CHECK(loaded.classes() == 5);
  CHECK(loaded.image() == Shape{12, 9, 2});
}

TEST_CASE("a classifier file that does not fit is refused") {
  const test::Scratch folder;
  const std::string path = folder / "net.safetensors";
  untrained({12, 9, 2}, 5).save(path);
  const Archive good = load_safetensors(path);
  const auto fails = [&](auto&& change, const std::string& why) {
    Archive bad = good;
    change(bad);
    save_safetensors(path, bad);
    CHECK_THROWS_AS(ImageClassifier::load(path), DataError);
    CHECK_THROWS_WITH(ImageClassifier::load(path), ContainsSubstring(why));
  };
  fails([](Archive& a) { a.metadata.erase("image"); }, "image");
  for (const char* text :
       {"", "12 9", "12 9 2 1", "12 9 x", "12 9 -2", "12 9 0", "99999999999999999999 9 2", "12,9,2"}) {
    fails([&](Archive& a) { a.metadata["image"] = text; }, "expects 3 numbers in 'image'");
  }
  fails([](Archive& a) { a.metadata["image"] = "7 9 2"; }, "at least 8 x 8");
  fails([](Archive& a) { a.metadata["classes"] = "1"; }, "two classes");
  fails([](Archive& a) { a.metadata["classes"] = "6"; }, "expected [6, 64]");
  // a small file must not make a large net
  fails([](Archive& a) { a.metadata["image"] = "1048576 1048576 2"; }, "expected");
  fails([](Archive& a) { a.metadata["image"] = "8 1048576 2"; }, "'hidden.weight'");
  fails([](Archive& a) { a.metadata["classes"] = "1048576"; }, "'head.weight'");
  fails([](Archive& a) { a.tensors.pop_back(); }, "head.bias");
  fails([](Archive& a) { a.tensors[0].tensor = a.tensors[0].tensor.to(DType::f64); }, "expected");
  test::spit(path, "no safetensors");
  CHECK_THROWS_AS(ImageClassifier::load(path), DataError);
  CHECK_THROWS_AS(ImageClassifier::load(folder / "absent"), DataError);
}

TEST_CASE("classifiers say what does not fit") {
  Rng rng{8};
  CHECK_THROWS_WITH(ImageClassifier({7, 28, 1}, 10, rng), ContainsSubstring("at least 8 x 8"));
  CHECK_THROWS_AS(ImageClassifier({28, 28}, 10, rng), ShapeError);
  CHECK_THROWS_AS(ImageClassifier({28, 28, 1}, 1, rng), ShapeError);
  const ImageClassifier net = untrained({8, 8, 1}, 3);
  CHECK_THROWS_WITH(net.features(zeros({2, 8, 9, 1})), ContainsSubstring("expects images [N, H, W, C] of [8, 8, 1]"));
  CHECK_THROWS_AS(net.features(Tensor()), ShapeError);
  CHECK_THROWS_AS(net.features(zeros({8, 8, 1})), ShapeError);
  CHECK_THROWS_AS(net.features(zeros({2, 8, 8, 1}, DType::u8)), DTypeError);

  const TensorDataset data = test::bars(30, 8, 8, 1, 1);
  const TensorDataset unlabelled(data.values());
  CHECK_THROWS_AS(train_classifier(unlabelled), DataError);
  CHECK_THROWS_AS(train_classifier(unlabelled, {.classes = 3}), DataError);
  CHECK_THROWS_AS(models::accuracy(net, unlabelled), DataError);
  CHECK_THROWS_AS(train_classifier(TensorDataset(zeros({4, 64}), zeros({4}, DType::i64))), ShapeError);
  CHECK_THROWS_AS(train_classifier(data, {.epochs = 1, .classes = 2}), ShapeError);  // a label is 2
  CHECK_THROWS_AS(train_classifier(data, {.epochs = -1}), NumericError);
  CHECK_THROWS_AS(train_classifier(data, {.batch_size = 0}), DataError);
  CHECK_THROWS_AS(train_classifier(data, {.learning_rate = 0.0}), NumericError);
  CHECK_THROWS_AS(train_classifier(data, {.shift = -1.0}), NumericError);
  CHECK_THROWS_AS(train_classifier(data, {.warp = std::nan("")}), NumericError);
  const TensorDataset broken(full({10, 8, 8, 1}, std::nan("")), data.labels().rows(0, 10));
  CHECK_THROWS_WITH(train_classifier(broken, {.epochs = 1}), ContainsSubstring("at step 1"));
}

// Slow: run with `test_models [.slow]`.

TEST_CASE("the classifier tells the 8 x 8 digits apart", "[.slow]") {
  const TensorDataset all = read_digits(test::test_dir() + "/../examples/data/digits.csv.gz");
  const std::vector<std::int64_t> order = Rng{1}.permutation(all.size());
  const auto cut = order.begin() + 1437;  // four fifths
  const ImageClassifier net = train_classifier(part(all, {order.begin(), cut}));
  const double right = models::accuracy(net, part(all, {cut, order.end()}));
  INFO("accuracy " << right);
  CHECK(right >= 0.97);
}

TEST_CASE("the classifier gets at least 99 % of MNIST's test images right", "[.slow]") {
  SYNTHDATA_NEED_DATA("mnist/t10k-images-idx3-ubyte.gz");
  const std::string folder = data_dir() + "/mnist";
  const ImageClassifier net = train_classifier(images_from_idx(folder));
  const double right = models::accuracy(net, images_from_idx(folder, Split::test));
  WARN("accuracy " << right);
  CHECK(right >= 0.99);
}
