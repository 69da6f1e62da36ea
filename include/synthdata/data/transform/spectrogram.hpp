// synthdata/data/transform/spectrogram.hpp: sound as a picture of its frequencies over time, and back.
//
// Sound is [T], f32. A frame is `size` samples under a Hann window; frames begin `hop` apart. Spectrograms are
// [frames, bins] with bins = size / 2 + 1, bin k at k * rate / size Hz.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>
#include <synthdata/data/transform/fft.hpp>

#include <string>

namespace synthdata {

struct Archive;

struct SpectrogramOptions {
  std::int64_t size = 1024;  ///< samples of a frame, 2 ... 2^20
  std::int64_t hop = 256;    ///< samples from frame to frame, 1 ... size
  /// Frame i is about sample i * hop, the sound mirrored beyond its ends (1 + T / hop frames); else it begins there.
  bool center = true;
};

/// The short-time Fourier transform and its inverse.
class Spectrogram {
 public:
  /// @throws NumericError for options out of range
  explicit Spectrogram(const SpectrogramOptions& options = {});

  const SpectrogramOptions& options() const { return options_; }
  std::int64_t bins() const { return fft_.bins(); }

  /// Real and imaginary parts, f32 [frames, bins, 2].
  /// @throws ShapeError unless [T]; DataError if the sound is too short: T > size / 2, or T >= size without center
  Tensor stft(const Tensor& sound) const;
  /// The sound again, by overlapping the frames, each under the window again, divided by the sum of squared windows.
  /// Exact (to 1e-6 of its largest sample) for what stft() made, where any window is above 0: everywhere if `center`
  /// and hop <= size / 2.
  /// @param length  samples wanted; -1 for hop * (frames - 1), plus size without center
  Tensor istft(const Tensor& spectrum, std::int64_t length = -1) const;
  /// |stft|, f32 [frames, bins].
  Tensor magnitude(const Tensor& sound) const;
  /// A sound whose magnitude is near to this one. Phases begin at random and are made consistent, with momentum.
  /// Source: Griffin and Lim 1984; Perraudin, Balazs and Sondergaard 2013 (momentum 0.99).
  Tensor griffin_lim(const Tensor& magnitude, Rng& rng, std::int64_t iterations = 32, std::int64_t length = -1) const;

  /// As `metadata[prefix]`. load() @throws DataError
  void save(Archive& archive, const std::string& prefix) const;
  static Spectrogram load(const Archive& archive, const std::string& prefix);

 private:
  SpectrogramOptions options_;
  RealFft fft_;
  std::vector<double> window_;
};

enum class MelScale : std::uint8_t {
  slaney,  ///< linear to 1000 Hz, 3 mel a 200 Hz, then logarithmic, 27 mel a factor of 6.4 (Auditory Toolbox, 1998)
  htk,     ///< 2595 log10(1 + f / 700)
};
double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

struct MelOptions {
  double rate = 16000;    ///< samples a second
  std::int64_t mels = 80;  ///< bands, 1 ... 4096
  double low_hz = 0.0;
  double high_hz = 0.0;  ///< 0 for rate / 2
  MelScale scale = MelScale::slaney;
  bool equal_area = true;  ///< each triangle has area 1 over Hz (Slaney); else height 1 (HTK)
  double floor = 1e-10;    ///< power below is taken as this
};

/// Natural logarithm of the power in bands of equal width on the mel scale.
class LogMel {
 public:
  /// @throws NumericError for options out of range
  explicit LogMel(const SpectrogramOptions& spectrogram = {}, const MelOptions& mel = {});

  /// f32 [frames, mels]
  Tensor operator()(const Tensor& sound) const;
  /// A sound near to one of this spectrogram: power by non-negative least squares (Lee and Seung 2001,
  /// multiplicative), then Spectrogram::griffin_lim. Not exact: the bands have lost detail.
  Tensor invert(const Tensor& log_mel, Rng& rng, std::int64_t iterations = 32, std::int64_t length = -1) const;

  const Spectrogram& spectrogram() const { return spectrogram_; }
  const MelOptions& options() const { return options_; }
  /// The triangles, f64 [mels, bins].
  const Tensor& filters() const { return filters_; }

  /// As `metadata[prefix]`. load() @throws DataError
  void save(Archive& archive, const std::string& prefix) const;
  static LogMel load(const Archive& archive, const std::string& prefix);

 private:
  Spectrogram spectrogram_;
  MelOptions options_;
  Tensor filters_;
  std::vector<std::int64_t> begins_, ends_;  // bins where a triangle is above 0
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/spectrogram_impl.hpp>
#endif
