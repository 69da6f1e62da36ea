// tests/data/augment_series_test.cpp: augmentations of time series, sound and text.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/augment/audio.hpp>
#include <synthdata/data/augment/series.hpp>
#include <synthdata/data/augment/text.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

using namespace synthdata;

namespace {

/// sin(2 pi frequency t / rate)
Tensor tone(double frequency, double rate, std::int64_t length) {
  Tensor x = Tensor::empty({length});
  for (std::int64_t t = 0; t < length; ++t) {
    x.data<float>()[t] = static_cast<float>(std::sin(6.283185307179586 * frequency * static_cast<double>(t) / rate));
  }
  return x;
}
/// By its zero crossings, leaving out the ends.
double frequency_of(const Tensor& x, double rate) {
  const std::int64_t begin = x.size() / 8, end = x.size() - begin;
  int crossings = 0;
  for (std::int64_t t = begin + 1; t < end; ++t) crossings += (x.data<float>()[t - 1] < 0) != (x.data<float>()[t] < 0);
  return crossings * rate / (2.0 * static_cast<double>(end - begin));
}
double power(const Tensor& x) {
  double sum = 0;
  for (const float v : x.span<float>()) sum += double{v} * double{v};
  return sum / static_cast<double>(x.size());
}
Tensor ramp(std::int64_t steps, std::int64_t channels) {
  Tensor x = Tensor::empty({steps, channels});
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x.data<float>()[i] = static_cast<float>((i / channels) * (i % channels + 1));
  }
  return x;
}

TEST_CASE("jitter is relative to each channel's deviation") {
  const Tensor x = ramp(5000, 2);
  Rng rng{1};
  const Tensor noisy = random::Jitter{.std = {0.1f, 0.1f}}(x, rng);
  for (std::int64_t c = 0; c < 2; ++c) {
    double squares = 0;
    for (std::int64_t t = 0; t < 5000; ++t) {
      squares += std::pow(double{noisy.data<float>()[2 * t + c]} - double{x.data<float>()[2 * t + c]}, 2);
    }
    const double deviation = 5000 / std::sqrt(12.0) * static_cast<double>(c + 1);  // of a ramp
    CHECK(std::sqrt(squares / 5000) == Approx(0.1 * deviation).epsilon(0.05));
  }
}

TEST_CASE("a smooth curve goes through its knots and is straight where they are") {
  const auto curve = series::smooth_curve({1, 3, 2, 5}, 31);
  CHECK(curve[0] == Approx(1));
  CHECK(curve[10] == Approx(3));
  CHECK(curve[20] == Approx(2));
  CHECK(curve[30] == Approx(5));
  const auto line = series::smooth_curve({0, 2, 4, 6}, 13);
  for (std::size_t i = 0; i < 13; ++i) CHECK(line[i] == Approx(0.5 * static_cast<double>(i)).margin(1e-12));
}

TEST_CASE("time warping keeps both ends and the order of time") {
  const Tensor x = ramp(200, 1);
  Rng rng{2};
  for (int i = 0; i < 20; ++i) {
    const Tensor y = random::TimeWarp{.std = 0.8f}(x, rng);
    CHECK(y.data<float>()[0] == 0.0f);
    CHECK(y.data<float>()[199] == Approx(199).epsilon(1e-6));
    CHECK(std::is_sorted(y.data<float>(), y.data<float>() + 200));
  }
  CHECK(random::TimeWarp{}(Tensor::ones({1}), rng).size() == 1);
}

TEST_CASE("scales and magnitude warps work on each channel by itself") {
  const Tensor x = Tensor::ones({50, 3});
  Rng rng{3};
  const Tensor scaled = random::SeriesScale{.factor = {2, 3}}(x, rng);
  for (std::int64_t i = 3; i < 150; ++i) CHECK(scaled.data<float>()[i] == scaled.data<float>()[i % 3]);
  CHECK(scaled.data<float>()[0] != scaled.data<float>()[1]);
  const Tensor warped = random::MagnitudeWarp{.std = 0.3f}(x, rng);
  for (std::int64_t i = 3; i < 150; ++i) CHECK(std::abs(warped.data<float>()[i] - warped.data<float>()[i - 3]) < 0.3f);
}

TEST_CASE("a window is a piece of the series") {
  const Tensor x = ramp(100, 1);
  Rng rng{4};
  const Tensor piece = random::Window{.length = 30}(x, rng);
  REQUIRE(piece.shape() == Shape{30, 1});
  CHECK(piece.data<float>()[29] - piece.data<float>()[0] == 29.0f);
  const Tensor stretched = random::Window{.share = {0.5f, 0.5f}}(x, rng);
  REQUIRE(stretched.shape() == x.shape());
  CHECK(stretched.data<float>()[99] - stretched.data<float>()[0] == Approx(49.5).epsilon(1e-5));
  CHECK_THROWS_AS(random::Window{.length = 101}(x, rng), ShapeError);
  CHECK_THROWS_AS(random::Window{}(Tensor::zeros({2, 2, 2}), rng), ShapeError);
  CHECK_THROWS_AS(random::Jitter{}(Tensor::zeros({4}, DType::f64), rng), DTypeError);
}

TEST_CASE("stretching changes the length and not the pitch, shifting the pitch and not the length") {
  constexpr std::int64_t rate = 8000;
  const Tensor x = tone(440, rate, 8000);
  for (const double factor : {0.7, 1.0, 1.5}) {
    const Tensor y = audio::time_stretch(x, factor, rate);
    CHECK(y.size() == std::llround(8000 / factor));
    CHECK(frequency_of(y, rate) == Approx(440).epsilon(0.02));
    CHECK(power(y.rows(800, y.size() - 800)) == Approx(0.5).epsilon(0.05));
  }
  for (const double semitones : {-4.0, 3.0, 12.0}) {
    const Tensor y = audio::pitch_shift(x, semitones, rate);
    CHECK(y.size() == 8000);
    CHECK(frequency_of(y, rate) == Approx(440 * std::exp2(semitones / 12)).epsilon(0.02));
  }
  CHECK_THROWS_AS(audio::time_stretch(x, 0.0, rate), NumericError);
}

TEST_CASE("an unstretched sound stays as it is, inside") {
  Rng rng{5};
  Tensor x = Tensor::empty({4000, 2});
  for (float& v : x.span<float>()) v = rng.uniform(-1.0f, 1.0f);
  const Tensor y = audio::time_stretch(x, 1.0, 8000);
  REQUIRE(y.shape() == x.shape());
  for (std::int64_t i = 0; i < 7000; ++i) REQUIRE(std::abs(y.data<float>()[i] - x.data<float>()[i]) < 1e-5f);
}

TEST_CASE("gain, noise, shifts and masks do what their numbers say") {
  const Tensor x = tone(100, 8000, 8000);
  Rng rng{6};
  CHECK(power(random::Gain{.decibel = {6.0206f, 6.0206f}}(x, rng)) == Approx(4 * power(x)).epsilon(1e-4));
  Tensor noise = random::AudioNoise{.decibel = {20, 20}}(x, rng);
  for (std::int64_t i = 0; i < 8000; ++i) noise.data<float>()[i] -= x.data<float>()[i];
  CHECK(power(noise) == Approx(power(x) / 100).epsilon(0.08));
  const Tensor later = random::TimeShift{.share = {0.25f, 0.25f}}(x, rng);
  CHECK(later.data<float>()[1999] == 0.0f);
  CHECK(later.data<float>()[2345] == x.data<float>()[345]);
  CHECK(random::TimeShift{.share = {-0.5f, -0.5f}, .wrap = true}(x, rng).data<float>()[5000] == x.data<float>()[1000]);
  const Tensor ones = Tensor::ones({100, 40});
  const Tensor muted = random::TimeMask{.share = {0.1f, 0.1f}, .value = 5}(ones, rng);
  CHECK(std::count(muted.data<float>(), muted.data<float>() + 4000, 5.0f) == 400);
  const Tensor bands = random::FrequencyMask{.share = {0.25f, 0.25f}}(ones, rng);
  CHECK(std::count(bands.data<float>(), bands.data<float>() + 4000, 0.0f) == 1000);
  CHECK_THROWS_AS(random::FrequencyMask{}(x, rng), ShapeError);
  CHECK(random::TimeStretch{.rate = 8000}(x, rng).size() == 8000);
  CHECK(random::PitchShift{.rate = 8000}(x, rng).size() == 8000);
}

std::vector<std::string> sorted_words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  std::sort(words.begin(), words.end());
  return words;
}

TEST_CASE("words are swapped, left out, put in and replaced") {
  const std::string text = "the big  car\nstood in the long street ";
  const Synonyms synonyms = {{"big", "large", "huge"}, {"car", "auto"}};
  Rng rng{7};
  int deleted = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string swapped = random::SwapWords{0.3f}(text, rng);
    CHECK(sorted_words(swapped) == sorted_words(text));
    CHECK(swapped.size() == text.size());
    deleted += 8 - static_cast<int>(sorted_words(random::DeleteWords{0.25f}(text, rng)).size());
  }
  CHECK(deleted / 400.0 == Approx(2).margin(0.3));
  CHECK(sorted_words(random::DeleteWords{1.0f}(text, rng)).size() == 1);
  CHECK(sorted_words(random::InsertWords{1.0f, synonyms}(text, rng)).size() == 16);
  const std::string replaced = random::ReplaceWords{1.0f, synonyms}(text, rng);
  CHECK(replaced.find("big") == std::string::npos);
  CHECK(replaced.find("auto\nstood in the long street ") != std::string::npos);
  CHECK(random::SwapWords{}("", rng).empty());
  CHECK(random::DeleteWords{1.0f}("", rng).empty());
  CHECK(random::InsertWords{1.0f}("a", rng) == "a a");
  CHECK(tensor_text(random::DeleteWords{0.0f}(text_tensor(text), rng)) == text);
}

}  // namespace
