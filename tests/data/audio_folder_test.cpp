// tests/data/audio_folder_test.cpp: folders of WAV files as data sets.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/audio_folder.hpp>
#include <synthdata/data/loader.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;
using test::data_error, test::has;

namespace {
std::int64_t digit(std::string_view name) { return name[0] - '0'; }
void put(const std::string& path, int value, std::int64_t frames = 4, std::int64_t rate = 8000) {
  write_wav(path, Tensor::full({frames, 1}, value, DType::i32), rate);
}
}  // namespace

TEST_CASE("an audio folder takes labels from sub-folders or from names") {
  const test::Scratch scratch;
  put(scratch / "yes/2.wav", 2);
  put(scratch / "yes/1.WAV", 1);
  put(scratch / "no/5_x.wav", 0, 7);
  test::spit(scratch / "no/notes.txt", "no sound");
  const AudioFolder folder(scratch.str());
  CHECK(folder.classes() == std::vector<std::string>{"no", "yes"});
  REQUIRE(folder.size() == 3);
  Rng rng;
  for (std::int64_t i = 0; i < 3; ++i) {
    const Sample sample = folder.get(i, rng);
    CHECK(sample.data.shape() == Shape{i == 0 ? 7 : 4, 1});
    CHECK(sample.data.data<float>()[0] == static_cast<float>(i) / 32768.0f);
    CHECK(sample.label == (i == 0 ? 0 : 1));
  }
  const AudioFolder named(scratch.str(), {.label = digit, .length = 5});
  CHECK(named.label(0) == 5);
  CHECK(named.label(2) == 2);
  CHECK(named.classes().empty());
  CHECK(named.get(2, rng).data.shape() == Shape{5, 1});
  CHECK(named.get(2, rng).data.data<float>()[3] == 2.0f / 32768.0f);
  CHECK(named.get(2, rng).data.data<float>()[4] == 0.0f);
  DataLoader loader(named, {.batch_size = 3});
  CHECK(loader.next().data.shape() == Shape{3, 5, 1});
  CHECK(has(data_error([&] { AudioFolder(scratch.str(), {.sample_rate = 16000}).get(0, rng); }), "has 8000"));
  CHECK(has(data_error([&] { AudioFolder(scratch / "none"); }), "cannot open folder"));
  CHECK(has(data_error([&] { folder.get(3, rng); }), "out of range"));
  CHECK_THROWS_AS(AudioFolder(scratch.str(), {.length = -1}), NumericError);
}

TEST_CASE("the spoken digits are sound, and the same when they are written again") {
  SYNTHDATA_NEED_DATA("spoken-digits/0_george_0.wav");
  const AudioFolder digits(data_dir() + "/spoken-digits", {.label = digit, .sample_rate = 8000});
  REQUIRE(digits.size() == 200);
  Rng rng;
  std::int64_t least = 1 << 30, most = 0;
  std::vector<std::int64_t> counts(10);
  for (std::int64_t i = 0; i < digits.size(); ++i) {
    const Sample sample = digits.get(i, rng);
    const std::int64_t frames = sample.data.shape(0);
    least = std::min(least, frames);
    most = std::max(most, frames);
    ++counts[static_cast<std::size_t>(sample.label)];
    const Tensor raw = read_wav(digits.path(i), {.as_integers = true}).samples;
    const std::string bytes = test::slurp(digits.path(i));
    // its own header may hold more chunks than ours
    const std::string written = encode_wav(sample.data, 8000);
    CHECK(written == encode_wav(raw, 8000));
    CHECK(has(bytes, std::string_view(written).substr(44)));
    CHECK(same_bits(decode_wav(encode_wav(sample.data, 8000, WavFormat::f32)).samples, sample.data));
  }
  CHECK(least == 1251);
  CHECK(most == 9178);
  CHECK(counts == std::vector<std::int64_t>(10, 20));
}
