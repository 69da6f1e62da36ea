// synthdata/data/augment/audio.hpp: sound shifted, stretched, pitched, made louder or noisy, with parts muted.
//
// Sound is [T] or [T, C], f32, T samples of C channels; a spectrogram is [T, F]. All keep the length, so that batches
// fit.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {

namespace audio {

/// `factor` times as fast at the same pitch: pieces of 40 ms, put down at half that distance where they fit best to
/// what is there. Source: Verhelst and Roelands 1993, "An overlap-add technique based on waveform similarity (WSOLA)",
/// ICASSP.
/// @param rate  samples a second. @return [round(T / factor), ...]. @throws NumericError unless factor in [0.1, 10]
Tensor time_stretch(const Tensor& sound, double factor, std::int64_t rate);
/// Higher by so many semitones at the same length: stretched, then played faster.
Tensor pitch_shift(const Tensor& sound, double semitones, std::int64_t rate);
/// The first `length` samples, with silence behind if there are fewer.
Tensor fit_length(const Tensor& sound, std::int64_t length);

}  // namespace audio

namespace random {

/// Later or earlier by a share of the length; silence comes in, or with `wrap` what went out.
struct TimeShift {
  ValueRange share = {-0.1f, 0.1f};
  bool wrap = false;

  static constexpr const char* name = "time_shift";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, -1.0, 1.0);
    v("wrap", self.wrap);
  }
  Tensor operator()(const Tensor& sound, Rng& rng) const;
};

struct TimeStretch {
  ValueRange factor = {0.8f, 1.25f};  ///< above 1 faster
  std::int64_t rate = 16000;          ///< samples a second

  static constexpr const char* name = "time_stretch";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("factor", self.factor, 0.1, 10.0);
    v("rate", self.rate, 100.0, 1e7);
  }
  Tensor operator()(const Tensor& sound, Rng& rng) const;
};

struct PitchShift {
  ValueRange semitones = {-2, 2};
  std::int64_t rate = 16000;  ///< samples a second

  static constexpr const char* name = "pitch_shift";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("semitones", self.semitones, -36.0, 36.0);
    v("rate", self.rate, 100.0, 1e7);
  }
  Tensor operator()(const Tensor& sound, Rng& rng) const;
};

struct Gain {
  ValueRange decibel = {-6, 6};

  static constexpr const char* name = "gain";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("decibel", self.decibel, -200.0, 200.0);
  }
  Tensor operator()(const Tensor& sound, Rng& rng) const;
};

/// White noise at a distance below the mean power of the sound.
struct AudioNoise {
  ValueRange decibel = {10, 40};  ///< signal to noise

  static constexpr const char* name = "audio_noise";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("decibel", self.decibel, -200.0, 200.0);
  }
  Tensor operator()(const Tensor& sound, Rng& rng) const;
};

/// Stretches of time of sound or of a spectrogram set to `value`. Source: Park et al. 2019, SpecAugment,
/// arXiv:1904.08779.
struct TimeMask {
  ValueRange share = {0.0f, 0.1f};  ///< of the length
  std::int64_t count = 1;
  float value = 0.0f;

  static constexpr const char* name = "time_mask";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, 0.0, 1.0);
    v("count", self.count, 0.0, 1000.0);
    v("value", self.value);
  }
  Tensor operator()(const Tensor& sound, Rng& rng) const;
};

/// Bands of a spectrogram [T, F] set to `value`. Source: as TimeMask.
struct FrequencyMask {
  ValueRange share = {0.0f, 0.2f};  ///< of the frequencies
  std::int64_t count = 1;
  float value = 0.0f;

  static constexpr const char* name = "frequency_mask";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, 0.0, 1.0);
    v("count", self.count, 0.0, 1000.0);
    v("value", self.value);
  }
  /// @throws ShapeError unless [T, F].
  Tensor operator()(const Tensor& spectrogram, Rng& rng) const;
};

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/audio_impl.hpp>
#endif
