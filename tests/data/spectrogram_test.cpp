// tests/data/spectrogram_test.cpp: Fourier transforms and spectrograms against numpy's and librosa's.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/transform/spectrogram.hpp>
#include <synthdata/io/safetensors.hpp>

#include <cmath>

using namespace synthdata;
using test::data_error, test::has;

namespace {

Archive reference() { return load_safetensors(test::reference("transforms.safetensors")); }

Tensor chord(std::int64_t length) {
  Tensor sound = Tensor::empty({length}, DType::f32, Device::cpu());
  for (std::int64_t t = 0; t < length; ++t) {
    const auto x = static_cast<double>(t);
    sound.data<float>()[t] = static_cast<float>(0.4 * std::sin(0.2 * x) + 0.3 * std::sin(0.71 * x + 1e-5 * x * x));
  }
  return sound;
}

double furthest(const Tensor& a, const Tensor& b) {
  REQUIRE(a.size() == b.size());
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  double most = 0.0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    most = std::fmax(most, std::fabs(x.data<double>()[i] - y.data<double>()[i]));
  }
  return most;
}

}  // namespace

TEST_CASE("Fourier transforms of any length agree with numpy's and invert") {
  const Archive stored = reference();
  for (const std::int64_t n : {1, 2, 12, 30, 37, 49, 74, 128}) {
    INFO(n);
    const Tensor x = stored.at(concat("fft/", n)), wanted = stored.at(concat("fft/", n, "_out"));
    const Fft fft(n);
    std::vector<Complex> in, out(static_cast<std::size_t>(n)), back(out.size());
    for (std::int64_t t = 0; t < n; ++t) in.push_back({x.data<double>()[2 * t], x.data<double>()[2 * t + 1]});
    fft.forward(in.data(), out.data());
    fft.inverse(out.data(), back.data());
    double worst = 0.0, inverse = 0.0;
    for (std::size_t k = 0; k < out.size(); ++k) {
      worst = std::fmax(worst, std::hypot(out[k].re - wanted.data<double>()[2 * k], out[k].im - wanted.data<double>()[2 * k + 1]));
      inverse = std::fmax(inverse, std::hypot(back[k].re - in[k].re, back[k].im - in[k].im));
    }
    CHECK(worst < 1e-12);
    CHECK(inverse < 1e-13);
    // the real parts alone: their transform is the conjugate-symmetric half
    const RealFft real(n);
    std::vector<double> samples(out.size()), again(out.size());
    std::vector<Complex> bins(static_cast<std::size_t>(real.bins()));
    for (std::size_t t = 0; t < samples.size(); ++t) samples[t] = in[t].re;
    real.forward(samples.data(), bins.data());
    real.inverse(bins.data(), again.data());
    for (std::size_t k = 0; k < bins.size(); ++k) {
      const std::size_t mirror = (out.size() - k) % out.size();
      CHECK(bins[k].re == Approx((out[k].re + out[mirror].re) / 2).margin(1e-12));
      CHECK(bins[k].im == Approx((out[k].im - out[mirror].im) / 2).margin(1e-12));
    }
    for (std::size_t t = 0; t < samples.size(); ++t) CHECK(again[t] == Approx(samples[t]).margin(1e-13));
  }
  CHECK_THROWS_AS(Fft(0), NumericError);
  CHECK_THROWS_AS(RealFft(-4), NumericError);
  CHECK_THROWS_AS(Fft(std::int64_t{1} << 40), NumericError);
}

TEST_CASE("the short-time Fourier transform is librosa's, and inverts exactly") {
  const Archive stored = reference();
  const Tensor sound = stored.at("sound");
  const std::pair<std::int64_t, std::int64_t> shapes[] = {{128, 64}, {100, 50}, {63, 21}};
  for (const auto& [size, hop] : shapes) {
    INFO(size << " " << hop);
    const Spectrogram spectrogram({.size = size, .hop = hop});
    const Tensor spectrum = spectrogram.stft(sound);
    CHECK(spectrum.shape() == stored.at(concat("stft/", size, "_", hop)).shape());
    CHECK(furthest(spectrum, stored.at(concat("stft/", size, "_", hop))) < 2e-6);  // sums of 128 in f32
    const std::int64_t whole = hop * (spectrum.shape(0) - 1);
    CHECK(furthest(spectrogram.istft(spectrum), sound.rows(0, whole)) < 1e-6);
    CHECK(furthest(spectrogram.istft(spectrum, 1000), sound) < 1e-6);
  }
  const Spectrogram plain({.size = 64, .hop = 16, .center = false});
  const Tensor spectrum = plain.stft(sound.rows(0, 64 + 16 * 9));
  CHECK(spectrum.shape() == Shape{10, 33, 2});
  CHECK(furthest(plain.istft(spectrum).rows(1, 64 + 16 * 9), sound.rows(1, 64 + 16 * 9)) < 1e-5);  // the window is 0 at sample 0

  set_threads(3);
  const Tensor again = plain.stft(sound.rows(0, 64 + 16 * 9));
  set_threads(0);
  CHECK(same_bits(again, spectrum));
  CHECK_THROWS_AS(Spectrogram({.size = 1}), NumericError);
  CHECK_THROWS_AS(Spectrogram({.size = 64, .hop = 65}), NumericError);
  CHECK(has(data_error([&] { plain.stft(sound.rows(0, 63)); }), "at least 64 samples, got 63"));
  CHECK_THROWS_AS(plain.stft(Tensor::zeros({64, 2})), ShapeError);
  CHECK_THROWS_AS(plain.istft(Tensor::zeros({3, 32, 2})), ShapeError);
  CHECK(has(data_error([&] { plain.istft(spectrum, 4000); }), "10 frames are less than 4000 samples"));
}

TEST_CASE("mel filters and log-mel spectrograms are librosa's") {
  const Archive stored = reference();
  const SpectrogramOptions frames{.size = 256, .hop = 64};
  MelOptions options{.rate = 8000, .mels = 20, .low_hz = 50, .high_hz = 3800};
  CHECK(furthest(LogMel(frames, options).filters(), stored.at("mel/slaney")) < 1e-12);
  CHECK(furthest(LogMel(frames, options)(stored.at("sound")), stored.at("log_mel")) < 1e-4);
  options.scale = MelScale::htk;
  options.equal_area = false;
  CHECK(furthest(LogMel(frames, options).filters(), stored.at("mel/htk")) < 1e-12);
  for (const MelScale scale : {MelScale::htk, MelScale::slaney}) {
    for (const double hz : {0.0, 440.0, 1000.0, 7000.0}) CHECK(mel_to_hz(hz_to_mel(hz, scale), scale) == Approx(hz).margin(1e-9));
  }
  CHECK(hz_to_mel(1000, MelScale::htk) == Approx(999.9855));
  CHECK(hz_to_mel(1000, MelScale::slaney) == Approx(15.0));
  CHECK(hz_to_mel(6400, MelScale::slaney) == Approx(42.0));
  CHECK_THROWS_AS(LogMel(frames, {.rate = 8000, .high_hz = 5000}), NumericError);
  CHECK_THROWS_AS(LogMel({.size = 1 << 20}, {.mels = 4096}), NumericError);
}

TEST_CASE("a sound is found again from its magnitudes, and roughly from its log-mel spectrogram") {
  const Tensor sound = chord(8000);
  const Spectrogram spectrogram({.size = 512, .hop = 128});
  const Tensor wanted = spectrogram.magnitude(sound);
  const auto distance = [&](const Tensor& found) {  // spectral convergence: relative to the whole
    const Tensor made = spectrogram.magnitude(found);
    double error = 0.0, total = 0.0;
    for (std::int64_t i = 0; i < wanted.size(); ++i) {
      const double a = double{wanted.data<float>()[i]}, b = double{made.data<float>()[i]};
      error += (a - b) * (a - b);
      total += a * a;
    }
    return std::sqrt(error / total);
  };
  Rng rng{5}, same{5};
  const double none = distance(spectrogram.griffin_lim(wanted, rng, 0, 8000));
  const Tensor found = spectrogram.griffin_lim(wanted, rng, 60, 8000);
  CHECK(found.shape() == Shape{8000});
  CHECK(none > 0.3);
  CHECK(distance(found) < 0.15);
  spectrogram.griffin_lim(wanted, same, 0);
  CHECK(same_bits(spectrogram.griffin_lim(wanted, same, 60, 8000), found));

  const LogMel mel({.size = 512, .hop = 128}, {.rate = 8000, .mels = 60});
  CHECK(distance(mel.invert(mel(sound), rng, 60, 8000)) < 0.45);
}

TEST_CASE("spectrograms are saved and loaded; hostile archives are refused") {
  const LogMel mel({.size = 512, .hop = 128, .center = false}, {.rate = 22050, .mels = 60, .low_hz = 20, .scale = MelScale::htk, .equal_area = false});
  Archive archive;
  mel.save(archive, "mel");
  mel.spectrogram().save(archive, "stft");
  const Tensor sound = chord(3000);
  CHECK(same_bits(LogMel::load(archive, "mel")(sound), mel(sound)));
  CHECK(same_bits(Spectrogram::load(archive, "stft").stft(sound), mel.spectrogram().stft(sound)));
  for (const char* bad : {"{", "[]", R"({"size":512})", R"({"size":1e9,"hop":2,"center":true})",
                          R"({"size":99999999999,"hop":2,"center":true})", R"({"size":4,"hop":0,"center":true})"}) {
    archive.metadata["stft"] = bad;
    CHECK_THROWS_AS(Spectrogram::load(archive, "stft"), DataError);
    archive.metadata["mel"] = concat(R"({"spectrogram":)", bad, "}");
    CHECK_THROWS_AS(LogMel::load(archive, "mel"), DataError);
  }
}
