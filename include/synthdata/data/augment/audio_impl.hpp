// synthdata/data/augment/audio_impl.hpp: bodies of data/augment/audio.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/audio.hpp>
#include <synthdata/data/augment/series_impl.hpp>

namespace synthdata {

SYNTHDATA_INLINE Tensor audio::fit_length(const Tensor& sound, std::int64_t length) {
  detail::check_series("fit_length", sound);
  if (length == sound.shape(0)) return sound;
  Tensor out = Tensor::zeros(sound.shape().with(0, length), DType::f32, Device::cpu());
  const std::int64_t channels = detail::channels_of(sound);
  std::copy_n(sound.data<float>(), std::min(length, sound.shape(0)) * channels, out.data<float>());
  return out;
}

SYNTHDATA_INLINE Tensor audio::time_stretch(const Tensor& sound, double factor, std::int64_t rate) {
  detail::check_series("time_stretch", sound);
  if (!(factor >= 0.1 && factor <= 10.0) || rate < 100) {
    throw NumericError(
        concat("time_stretch: expects a factor in [0.1, 10] and a rate >= 100, got ", factor, ", ", rate));
  }
  const std::int64_t channels = detail::channels_of(sound), steps = sound.shape(0), hop = rate / 50;
  const std::int64_t piece = 2 * hop, reach = hop / 2;
  const std::int64_t length = std::max<std::int64_t>(1, std::llround(static_cast<double>(steps) / factor));
  Tensor out = Tensor::zeros(sound.shape().with(0, length), DType::f32, Device::cpu());
  const float* const from = sound.data<float>();
  float* const to = out.data<float>();
  const auto sample = [&](std::int64_t t, std::int64_t c) {
    return t >= 0 && t < steps ? from[t * channels + c] : 0.0f;
  };
  // likeness of the pieces at a and b: what follows the last piece, and a candidate for the next
  const auto likeness = [&](std::int64_t a, std::int64_t b) {
    double sum = 0.0, power = 1e-9;
    for (std::int64_t t = 0; t < hop; t += 2) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const double u = sample(a + t, c), v = sample(b + t, c);
        sum += u * v;
        power += v * v;
      }
    }
    return sum / std::sqrt(power);
  };
  std::int64_t place = 0;
  for (std::int64_t k = 0; k * hop < length + hop; ++k) {
    const auto wanted = static_cast<std::int64_t>(static_cast<double>(k * hop) * factor);
    if (k > 0) {
      const std::int64_t next = place + hop;
      double best = -1e300;
      std::int64_t chosen = wanted;
      for (std::int64_t candidate = wanted - reach; candidate <= wanted + reach; ++candidate) {
        const double value = likeness(next, candidate);
        if (value > best) {
          best = value;
          chosen = candidate;
        }
      }
      place = chosen;
    }
    for (std::int64_t t = 0; t < piece; ++t) {  // a raised cosine; two of them half a piece apart add up to 1
      const std::int64_t at = k * hop + t - hop;
      if (at < 0 || at >= length) continue;
      const double turn = 6.283185307179586 * (static_cast<double>(t) + 0.5) / static_cast<double>(piece);
      const auto weight = static_cast<float>(0.5 - 0.5 * std::cos(turn));
      for (std::int64_t c = 0; c < channels; ++c) to[at * channels + c] += weight * sample(place + t - hop, c);
    }
  }
  return out;
}

SYNTHDATA_INLINE Tensor audio::pitch_shift(const Tensor& sound, double semitones, std::int64_t rate) {
  const double ratio = std::exp2(semitones / 12.0);
  const Tensor longer = time_stretch(sound, 1.0 / ratio, rate);
  std::vector<double> times;
  for (std::int64_t t = 0; t < sound.shape(0); ++t) times.push_back(static_cast<double>(t) * ratio);
  return series::at_times(longer, times);
}

SYNTHDATA_INLINE Tensor random::TimeShift::operator()(const Tensor& sound, Rng& rng) const {
  detail::check_series("time_shift", sound);
  const std::int64_t channels = detail::channels_of(sound), steps = sound.shape(0);
  const auto shift = std::llround(double{draw(share, rng)} * static_cast<double>(steps));
  Tensor out = Tensor::zeros(sound.shape(), DType::f32, Device::cpu());
  for (std::int64_t t = 0; t < steps; ++t) {
    std::int64_t from = t - shift;
    if (wrap) from = (from % steps + steps) % steps;
    if (from < 0 || from >= steps) continue;
    std::copy_n(sound.data<float>() + from * channels, channels, out.data<float>() + t * channels);
  }
  return out;
}

SYNTHDATA_INLINE Tensor random::TimeStretch::operator()(const Tensor& sound, Rng& rng) const {
  const double speed = draw(factor, rng);
  return audio::fit_length(audio::time_stretch(sound, speed, rate), sound.shape(0));
}

SYNTHDATA_INLINE Tensor random::PitchShift::operator()(const Tensor& sound, Rng& rng) const {
  const double height = draw(semitones, rng);
  return audio::pitch_shift(sound, height, rate);
}

SYNTHDATA_INLINE Tensor random::Gain::operator()(const Tensor& sound, Rng& rng) const {
  detail::check_series("gain", sound);
  const auto factor = static_cast<float>(std::pow(10.0, double{draw(decibel, rng)} / 20.0));
  Tensor out = sound.clone();
  for (float& value : out.span<float>()) value *= factor;
  return out;
}

SYNTHDATA_INLINE Tensor random::AudioNoise::operator()(const Tensor& sound, Rng& rng) const {
  detail::check_series("audio_noise", sound);
  double power = 0.0;
  for (const float value : sound.span<float>()) power += double{value} * double{value};
  const double distance = draw(decibel, rng);
  const double std = std::sqrt(power / static_cast<double>(sound.size())) * std::pow(10.0, -distance / 20.0);
  Tensor out = sound.clone();
  for (float& value : out.span<float>()) value += static_cast<float>(std * rng.normal());
  return out;
}

namespace detail {
/// A stretch of a random share of `extent` at a random place: f(begin, end).
template <class F>
void random_stretch(const ValueRange& share, std::int64_t extent, Rng& rng, const F& f) {
  const std::int64_t length = std::llround(double{draw(share, rng)} * static_cast<double>(extent));
  const std::int64_t begin = rng.below(extent - length + 1);
  f(begin, begin + length);
}
}  // namespace detail

SYNTHDATA_INLINE Tensor random::TimeMask::operator()(const Tensor& sound, Rng& rng) const {
  detail::check_series("time_mask", sound);
  const std::int64_t channels = detail::channels_of(sound);
  Tensor out = sound.clone();
  for (std::int64_t i = 0; i < count; ++i) {
    detail::random_stretch(share, sound.shape(0), rng, [&](std::int64_t begin, std::int64_t end) {
      std::fill(out.data<float>() + begin * channels, out.data<float>() + end * channels, value);
    });
  }
  return out;
}

SYNTHDATA_INLINE Tensor random::FrequencyMask::operator()(const Tensor& spectrogram, Rng& rng) const {
  detail::check_series("frequency_mask", spectrogram);
  if (spectrogram.rank() != 2) throw_shape("frequency_mask", "expects [T, F]", {{"spectrogram", spectrogram}});
  const std::int64_t steps = spectrogram.shape(0), bands = spectrogram.shape(1);
  Tensor out = spectrogram.clone();
  for (std::int64_t i = 0; i < count; ++i) {
    detail::random_stretch(share, bands, rng, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = 0; t < steps; ++t) {
        std::fill(out.data<float>() + t * bands + begin, out.data<float>() + t * bands + end, value);
      }
    });
  }
  return out;
}

}  // namespace synthdata
