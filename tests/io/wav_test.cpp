// tests/io/wav_test.cpp: WAV files of other programs and our own, and broken ones.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/gzip.hpp>
#include <synthdata/io/wav.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <limits>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {
// as in tests/reference/make_files.py
const std::vector<float> steps = {-1.0f, 0.0f, 0.5f, -0.5f, 0.25f, -0.25f, 0.0078125f, -0.0078125f, 0.75f, -1.0f};

std::string with_number(std::string bytes, std::size_t at, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}
}  // namespace

TEST_CASE("WAV files that Python and SciPy wrote are read in every width") {
  struct Case {
    const char* name;
    std::int64_t rate;
    int bits;
    bool floats;
  };
  for (const Case& known :
       {Case{"u8", 8000, 8, false}, Case{"i16", 44100, 16, false}, Case{"i24", 96000, 24, false},
        Case{"i32", 48000, 32, false}, Case{"f32", 22050, 32, true}, Case{"f64", 22050, 64, true}}) {
    INFO(known.name);
    const std::string path = test::reference(concat("files/", known.name, ".wav"));
    const Audio audio = read_wav(path);
    CHECK(audio.sample_rate == known.rate);
    CHECK(audio.bits == known.bits);
    CHECK(audio.floats == known.floats);
    REQUIRE(audio.samples.shape() == Shape{5, 2});
    for (std::size_t i = 0; i < steps.size(); ++i) {
      CHECK(audio.samples.data<float>()[i] == steps[i] * (known.floats ? 1.5f : 1.0f));
    }
    if (known.floats) {
      CHECK(has(data_error([&] { read_wav(path, {.as_integers = true}); }), "expects integers, has floats"));
    } else {
      const Tensor raw = read_wav(path, {.as_integers = true}).samples;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(raw.data<std::int32_t>()[i] == std::ldexp(static_cast<double>(steps[i]), known.bits - 1));
      }
    }
  }
}

TEST_CASE("Sound written as WAV is the same when it is read again") {
  const test::Scratch scratch;
  std::vector<std::int32_t> all;
  for (std::int32_t value = -32768; value < 32768; ++value) all.push_back(value);
  const Tensor integers = Tensor::from(all, {32768, 2});
  write_wav(scratch / "a.wav", integers, 16000);
  const std::string bytes = slurp(scratch / "a.wav");
  CHECK(bytes.size() == 44 + 131072);
  const Audio audio = read_wav(scratch / "a.wav");
  CHECK(audio.sample_rate == 16000);
  CHECK(same_bits(read_wav(scratch / "a.wav", {.as_integers = true}).samples, integers));
  CHECK(encode_wav(audio.samples, 16000) == bytes);  // all numbers of 16 bits, by way of f32
  write_wav(scratch / "b.wav.gz", audio.samples, 16000);
  CHECK(read_gzip_or_plain(scratch / "b.wav.gz") == bytes);
  CHECK(same_bits(read_wav(scratch / "b.wav.gz").samples, audio.samples));

  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Tensor loud = Tensor::from(std::vector<float>{2.0f, -2.0f, infinity, -infinity, nan, 1.0f, 0.6f / 32768.0f});
  const std::vector<std::int32_t> clamped = {32767, -32768, 32767, -32768, 0, 32767, 1};
  CHECK(same_bits(decode_wav(encode_wav(loud, 8000), {.as_integers = true}).samples, Tensor::from(clamped, {7, 1})));
  const Audio floats = decode_wav(encode_wav(loud, 8000, WavFormat::f32));
  CHECK(floats.floats);
  CHECK(same_bits(floats.samples, loud.reshape({7, 1})));
  CHECK(decode_wav(encode_wav(Tensor::zeros({0, 3}), 8000)).samples.shape() == Shape{0, 3});

  CHECK_THROWS_AS(encode_wav(Tensor::zeros({2}, DType::f64), 8000), DTypeError);
  CHECK_THROWS_AS(encode_wav(integers, 8000, WavFormat::f32), DTypeError);
  CHECK_THROWS_AS(encode_wav(Tensor::zeros({2, 2, 2}), 8000), ShapeError);
  CHECK_THROWS_AS(encode_wav(Tensor::zeros({2, 0}), 8000), ShapeError);
  CHECK_THROWS_AS(encode_wav(Tensor::zeros({2}), 0), DataError);
  CHECK_THROWS_AS(encode_wav(Tensor::full({2}, 32768, DType::i32), 8000), DataError);
}

TEST_CASE("WAV files may be extensible and have other chunks") {
  const std::string plain = slurp(test::reference("files/i24.wav"));
  const std::string data = plain.substr(plain.find("data"));
  std::string format = plain.substr(20, 16);
  format[0] = '\xfe';
  format[1] = '\xff';
  const std::string_view tail("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
  format += std::string("\x16\0\x18\0\3\0\0\0\1\0", 10).append(tail);
  const std::string start = "RIFF\xff\xff\xff\xffWAVE";
  const std::string list("LIST\3\0\0\0abc\0", 12);  // an odd size has a byte behind it
  const std::string wide = start + list + std::string("fmt \x28\0\0\0", 8) + format + list + data + "left over";
  CHECK(same_bits(decode_wav(wide).samples, decode_wav(plain).samples));
  std::string other = wide;
  other[other.find("\x80")] = '\x81';
  CHECK(has(data_error([&] { decode_wav(other); }), "expects PCM"));
}

TEST_CASE("broken WAV files are errors that name the byte") {
  const std::string good = slurp(test::reference("files/i16.wav"));
  const auto error_of = [](const std::string& bytes) { return data_error([&] { decode_wav(bytes, {}, "a.wav"); }); };
  CHECK(error_of(good).empty());
  CHECK(error_of("") == "a.wav, byte 0: WAV: expects RIFF and WAVE");
  CHECK(error_of("RIFX1234WAVE") == "a.wav, byte 0: WAV: expects RIFF and WAVE");
  CHECK(error_of(good.substr(0, 12)) == "a.wav, byte 12: WAV: the file ends before its data chunk");
  CHECK(has(error_of(good.substr(0, good.size() - 1)), "byte 36: WAV: chunk \"data\" claims 20 bytes, 19 are left"));
  CHECK(has(error_of(with_number(good, 40, 0xffffffff, 4)), "claims 4294967295 bytes"));
  CHECK(has(error_of(with_number(good, 40, 18, 4)), "no multiple of a frame's 4"));
  CHECK(has(error_of(with_number(good, 22, 0, 2)), "contradicts itself"));
  CHECK(has(error_of(with_number(good, 24, 0, 4)), "contradicts itself"));
  CHECK(has(error_of(with_number(good, 32, 3, 2)), "contradicts itself"));
  CHECK(has(error_of(with_number(good, 34, 12, 2)), "got coding 1 of 12 bits"));
  CHECK(has(error_of(with_number(good, 20, 7, 2)), "got coding 7 of 16 bits"));
  CHECK(has(error_of(with_number(good, 16, 14, 4)), "16 bytes or more"));
  CHECK(has(error_of(good.substr(0, 12) + good.substr(36)), "expects a fmt chunk before the data"));
  Rng rng(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = test::mutate(good, rng);
    try {
      const Audio audio = decode_wav(bytes);
      CHECK(audio.samples.size() <= static_cast<std::int64_t>(bytes.size()));
    } catch (const DataError&) {
    }
  }
}
