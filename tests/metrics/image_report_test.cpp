// tests/metrics/image_report_test.cpp
//
// SPDX-License-Identifier: MIT
#include <synthdata/metrics/frechet.hpp>
#include <synthdata/metrics/image_report.hpp>

#include "../models/toy_images.hpp"
#include "../test.hpp"

using namespace synthdata;

TEST_CASE("a report tells good images from noise and from copies, beside the ceiling") {
  const TensorDataset train = test::bars(500, 8, 8, 1, 1), held_out = test::bars(300, 8, 8, 1, 2);
  const models::ImageClassifier net = models::train_classifier(train, {.epochs = 12});
  const TensorDataset more = test::bars(200, 8, 8, 1, 3);
  Rng rng{9};

  const ImageReport good = judge_images(net, more.values(), held_out, train, more.labels());
  const ImageReport noise = judge_images(net, uniform({200, 8, 8, 1}, rng, DType::f32, -1.0, 1.0), held_out, train);
  const ImageReport copies = judge_images(net, train.values().rows(0, 100), held_out, train);

  CHECK(good.synthetic.count == 200);
  CHECK(good.real.count == 200);
  CHECK(good.synthetic.frechet ==
        Approx(frechet_distance(net.features(more.values()), net.features(held_out.values()))));
  CHECK(noise.synthetic.frechet > 5.0 * good.synthetic.frechet);
  CHECK(good.real.frechet < 0.2 * noise.synthetic.frechet);
  CHECK(good.synthetic.score.label_agreement.value() > 0.9);
  CHECK(good.real.score.label_agreement.value() > 0.9);
  CHECK_FALSE(noise.synthetic.score.label_agreement.has_value());
  CHECK(good.synthetic.score.score > 2.5);  // of three classes
  CHECK(good.synthetic.score.histogram.size() == 3);
  CHECK(copies.synthetic.nearest_mean == 0.0);
  CHECK(good.synthetic.nearest_least > 0.0);
  CHECK(good.synthetic.nearest_mean == Approx(good.real.nearest_mean).epsilon(0.1));

  const ImageReport again = judge_images(net, more.values(), held_out, train, more.labels());
  CHECK(again.str() == good.str());
}

TEST_CASE("a report reads as a table") {
  ImageReport report;
  report.synthetic = {.count = 1000, .frechet = 3.25, .score = {}, .nearest_mean = 5.5, .nearest_least = 2};
  report.synthetic.score.histogram = {250, 750};
  report.synthetic.score.label_agreement = 0.875;
  report.real = report.synthetic;
  report.real.score.label_agreement.reset();
  report.confident_from = 0.95;
  const std::string text = report.str();
  CHECK_THAT(text, ContainsSubstring("synthetic real, held out\n"));
  CHECK_THAT(text, ContainsSubstring("Frechet distance of features (not FID)          3.250          3.250\n"));
  CHECK_THAT(text, ContainsSubstring("label agreement                                87.5 %              -\n"));
  CHECK_THAT(text, ContainsSubstring("confident (p >= 0.95)"));
  CHECK_THAT(text, ContainsSubstring("class 1                                        75.0 %         75.0 %\n"));
}

TEST_CASE("judge_images refuses what does not fit") {
  const TensorDataset data = test::bars(30, 8, 8, 1, 1), one = test::bars(1, 8, 8, 1, 1);
  Rng rng{1};
  const models::ImageClassifier net({8, 8, 1}, 3, rng);
  CHECK_THROWS_AS(judge_images(net, Tensor(), data, data), ShapeError);
  CHECK_THROWS_AS(judge_images(net, zeros({1, 8, 8, 1}), data, data), ShapeError);
  CHECK_THROWS_AS(judge_images(net, zeros({2, 9, 8, 1}), data, data), ShapeError);
  CHECK_THROWS_AS(judge_images(net, data.values(), one, data), ShapeError);
  CHECK_THROWS_AS(judge_images(net, data.values(), data, one), ShapeError);
  CHECK_THROWS_AS(judge_images(net, data.values(), data, data, zeros({29}, DType::i64)), ShapeError);
  CHECK_THROWS_AS(judge_images(net, data.values(), data, test::bars(30, 9, 9, 1, 1)), ShapeError);
  CHECK_THROWS_AS(judge_images(net, data.values(), data, data, {}, {.score = {.splits = 31}}), NumericError);
}
