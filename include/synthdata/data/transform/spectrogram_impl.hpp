// synthdata/data/transform/spectrogram_impl.hpp: bodies of data/transform/spectrogram.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/transform/spectrogram.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/io/safetensors.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE SpectrogramOptions checked(const SpectrogramOptions& options) {
  if (options.size < 2 || options.size > 1 << 20 || options.hop < 1 || options.hop > options.size) {
    throw NumericError(concat("Spectrogram: expects a size of 2 ... 2^20 and a hop of 1 ... size, got ", options.size,
                              ", ", options.hop));
  }
  return options;
}
/// A tensor [N, ...] of f32 on the CPU, or a ShapeError.
SYNTHDATA_INLINE Tensor audio_input(const char* op, const Tensor& x, const Shape& tail) {
  Shape wanted = {0};
  for (int i = 0; i < tail.rank(); ++i) wanted.push_back(tail.at(i));
  if (!x.defined() || x.dtype() != DType::f32 || x.rank() != wanted.rank() || x.shape() != wanted.with(0, x.shape(0))) {
    throw_shape(op, concat("expects f32 [N", tail.rank() ? concat(", ", tail.at(0)) : "", tail.rank() > 1 ? ", 2" : "", "]"),
                {{"input", x}});
  }
  return x.to(Device::cpu());
}
/// Place in 0 ... n - 1 of an index of the mirrored sequence; n > 1.
inline std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  if (i < 0) i = -i;
  return i < n ? i : 2 * (n - 1) - i;
}

SYNTHDATA_INLINE Json spectrogram_json(const SpectrogramOptions& options) {
  return Json::Object{{"size", options.size}, {"hop", options.hop}, {"center", options.center}};
}
SYNTHDATA_INLINE double json_number(const Json& json, const std::string& where, const char* key) {
  const Json* const member = json.find(key);
  if (!member || !member->is_number()) throw DataError(concat(where, ": expects a number ", in_quotes(key)));
  return member->number();
}
SYNTHDATA_INLINE std::int64_t json_integer(const Json& json, const std::string& where, const char* key) {
  const Json* const member = json.find(key);
  const auto* const value = member ? member->get_if<std::int64_t>() : nullptr;
  if (!value) throw DataError(concat(where, ": expects a whole number ", in_quotes(key)));
  return *value;
}
SYNTHDATA_INLINE bool json_boolean(const Json& json, const std::string& where, const char* key) {
  const Json* const member = json.find(key);
  const bool* const value = member ? member->get_if<bool>() : nullptr;
  if (!value) throw DataError(concat(where, ": expects true or false for ", in_quotes(key)));
  return *value;
}
SYNTHDATA_INLINE SpectrogramOptions read_spectrogram(const Json& json, const std::string& where) {
  return {.size = json_integer(json, where, "size"),
          .hop = json_integer(json, where, "hop"),
          .center = json_boolean(json, where, "center")};
}

}  // namespace detail

SYNTHDATA_INLINE Spectrogram::Spectrogram(const SpectrogramOptions& options)
    : options_(detail::checked(options)), fft_(options.size) {
  for (std::int64_t t = 0; t < options_.size; ++t) {
    window_.push_back(0.5 - 0.5 * std::cos(6.283185307179586 * static_cast<double>(t) / static_cast<double>(options_.size)));
  }
}

SYNTHDATA_INLINE Tensor Spectrogram::stft(const Tensor& given) const {
  const Tensor sound = detail::audio_input("stft", given, {});
  const std::int64_t length = sound.size(), size = options_.size, hop = options_.hop, pad = options_.center ? size / 2 : 0;
  if (length < (options_.center ? size / 2 + 1 : size)) {
    throw DataError(concat("stft: expects at least ", options_.center ? size / 2 + 1 : size, " samples, got ", length));
  }
  const std::int64_t frames = 1 + (length + 2 * pad - size) / hop;
  Tensor out = Tensor::empty({frames, bins(), 2}, DType::f32, Device::cpu());
  parallel_for(frames, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> frame(window_.size());
    std::vector<Complex> spectrum(static_cast<std::size_t>(bins()));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * hop - pad;
      for (std::int64_t t = 0; t < size; ++t) {
        const auto at = static_cast<std::size_t>(t);
        frame[at] = window_[at] * double{sound.data<float>()[detail::mirrored(first + t, length)]};
      }
      fft_.forward(frame.data(), spectrum.data());
      float* const to = out.data<float>() + i * bins() * 2;
      for (std::size_t k = 0; k < spectrum.size(); ++k) {
        to[2 * k] = static_cast<float>(spectrum[k].re);
        to[2 * k + 1] = static_cast<float>(spectrum[k].im);
      }
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor Spectrogram::istft(const Tensor& given, std::int64_t length) const {
  const Tensor spectrum = detail::audio_input("istft", given, {bins(), 2});
  const std::int64_t frames = spectrum.shape(0), size = options_.size, hop = options_.hop;
  const std::int64_t pad = options_.center ? size / 2 : 0;
  if (frames < 1) throw DataError("istft: expects at least one frame");
  const std::int64_t whole = (frames - 1) * hop + size;
  if (length < 0) length = options_.center ? (frames - 1) * hop : whole;
  if (length > whole - pad) throw DataError(concat("istft: ", frames, " frames are less than ", length, " samples"));
  std::vector<float> pieces(static_cast<std::size_t>(frames * size));
  parallel_for(frames, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> frame(window_.size());
    std::vector<Complex> bins_of(static_cast<std::size_t>(bins()));
    for (std::int64_t i = begin; i < end; ++i) {
      const float* const from = spectrum.data<float>() + i * bins() * 2;
      for (std::size_t k = 0; k < bins_of.size(); ++k) bins_of[k] = {double{from[2 * k]}, double{from[2 * k + 1]}};
      fft_.inverse(bins_of.data(), frame.data());
      for (std::size_t t = 0; t < frame.size(); ++t) {
        pieces[static_cast<std::size_t>(i * size) + t] = static_cast<float>(frame[t] * window_[t]);
      }
    }
  });
  Tensor out = Tensor::empty({length}, DType::f32, Device::cpu());
  parallel_for(length, 8192, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const std::int64_t place = at + pad;  // of frames first ... last
      const std::int64_t first = place < size ? 0 : (place - size) / hop + 1, last = std::min(place / hop, frames - 1);
      double sum = 0.0, weight = 0.0;
      for (std::int64_t i = first; i <= last; ++i) {
        const std::int64_t t = place - i * hop;
        const double w = window_[static_cast<std::size_t>(t)];
        sum += double{pieces[static_cast<std::size_t>(i * size + t)]};
        weight += w * w;
      }
      out.data<float>()[at] = weight > 1e-11 ? static_cast<float>(sum / weight) : 0.0f;
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor Spectrogram::magnitude(const Tensor& sound) const {
  const Tensor spectrum = stft(sound);
  Tensor out = Tensor::empty({spectrum.shape(0), bins()}, DType::f32, Device::cpu());
  const float* const from = spectrum.data<float>();
  for (std::int64_t i = 0; i < out.size(); ++i) out.data<float>()[i] = std::hypot(from[2 * i], from[2 * i + 1]);
  return out;
}

SYNTHDATA_INLINE Tensor Spectrogram::griffin_lim(const Tensor& given, Rng& rng, std::int64_t iterations,
                                                 std::int64_t length) const {
  const Tensor magnitude = detail::audio_input("griffin_lim", given, {bins()});
  if (iterations < 0) throw NumericError(concat("griffin_lim: expects iterations >= 0, got ", iterations));
  const std::int64_t frames = magnitude.shape(0), cells = magnitude.size();
  if (frames < 1) throw DataError("griffin_lim: expects at least one frame");
  const float* const wanted = magnitude.data<float>();
  Tensor spectrum = Tensor::empty({frames, bins(), 2}, DType::f32, Device::cpu());
  float* const at = spectrum.data<float>();
  for (std::int64_t i = 0; i < cells; ++i) {
    const double angle = 6.283185307179586 * double{rng.uniform()};
    at[2 * i] = wanted[i] * static_cast<float>(std::cos(angle));
    at[2 * i + 1] = wanted[i] * static_cast<float>(std::sin(angle));
  }
  // as long as the frames reach, so that the frames of the sound are as many
  const std::int64_t whole = (frames - 1) * options_.hop + (options_.center ? options_.size % 2 : options_.size);
  const bool short_sound = options_.center && whole < options_.size / 2 + 1;
  std::vector<float> before(static_cast<std::size_t>(2 * cells), 0.0f);
  for (std::int64_t round = 0; round < iterations && !short_sound; ++round) {
    const Tensor next = stft(istft(spectrum, whole));
    const float* const consistent = next.data<float>();
    parallel_for(cells, 8192, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        float part[2];
        for (std::int64_t j = 0; j < 2; ++j) {
          const float value = consistent[2 * i + j];
          part[j] = value + 0.99f / 1.99f * (value - before[static_cast<std::size_t>(2 * i + j)]);
          before[static_cast<std::size_t>(2 * i + j)] = value;
        }
        const float size = std::hypot(part[0], part[1]);
        at[2 * i] = size > 1e-20f ? wanted[i] * part[0] / size : wanted[i];
        at[2 * i + 1] = size > 1e-20f ? wanted[i] * part[1] / size : 0.0f;
      }
    });
  }
  return istft(spectrum, length);
}

SYNTHDATA_INLINE void Spectrogram::save(Archive& archive, const std::string& prefix) const {
  archive.metadata[prefix] = detail::spectrogram_json(options_).dump();
}
SYNTHDATA_INLINE Spectrogram Spectrogram::load(const Archive& archive, const std::string& prefix) {
  const Json json = parse_json(archive.text(prefix), {.source = prefix});
  try {
    return Spectrogram(detail::read_spectrogram(json, prefix));
  } catch (const NumericError& error) {
    throw DataError(concat(prefix, ": ", error.what()));
  }
}

SYNTHDATA_INLINE double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < 1000.0 ? hz * 3.0 / 200.0 : 15.0 + 27.0 * std::log(hz / 1000.0) / std::log(6.4);
}
SYNTHDATA_INLINE double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < 15.0 ? mel * 200.0 / 3.0 : 1000.0 * std::exp((mel - 15.0) * std::log(6.4) / 27.0);
}

SYNTHDATA_INLINE LogMel::LogMel(const SpectrogramOptions& spectrogram, const MelOptions& mel)
    : spectrogram_(spectrogram), options_(mel) {
  const double high = mel.high_hz > 0.0 ? mel.high_hz : mel.rate / 2;
  if (!(mel.rate > 0.0 && mel.rate < 1e9) || mel.mels < 1 || mel.mels > 4096 || !(mel.low_hz >= 0.0) ||
      !(mel.low_hz < high) || !(high <= mel.rate / 2) || !(mel.floor > 0.0) || !std::isfinite(mel.floor)) {
    throw NumericError(concat("LogMel: expects a rate, 1 ... 4096 bands, 0 <= low_hz < high_hz <= rate / 2 and a floor "
                              "above 0, got ",
                              mel.rate, ", ", mel.mels, ", ", mel.low_hz, ", ", mel.high_hz, ", ", mel.floor));
  }
  const std::int64_t bins = spectrogram_.bins();
  if (mel.mels * bins > std::int64_t{1} << 26) {
    throw NumericError(concat("LogMel: ", mel.mels, " bands of ", bins, " bins are too many"));
  }
  filters_ = Tensor::zeros({mel.mels, bins}, DType::f64, Device::cpu());
  const double low_mel = hz_to_mel(mel.low_hz, mel.scale), high_mel = hz_to_mel(high, mel.scale);
  const auto corner = [&](std::int64_t i) {
    return mel_to_hz(low_mel + (high_mel - low_mel) * static_cast<double>(i) / static_cast<double>(mel.mels + 1), mel.scale);
  };
  for (std::int64_t m = 0; m < mel.mels; ++m) {
    const double left = corner(m), top = corner(m + 1), right = corner(m + 2);
    std::int64_t begin = bins, end = 0;
    for (std::int64_t k = 0; k < bins; ++k) {
      const double hz = static_cast<double>(k) * mel.rate / static_cast<double>(spectrogram.size);
      const double height = std::fmax(0.0, std::fmin((hz - left) / (top - left), (right - hz) / (right - top)));
      if (height <= 0.0) continue;
      filters_.data<double>()[m * bins + k] = height * (mel.equal_area ? 2.0 / (right - left) : 1.0);
      begin = std::min(begin, k);
      end = k + 1;
    }
    begins_.push_back(begin);
    ends_.push_back(end);
  }
}

SYNTHDATA_INLINE Tensor LogMel::operator()(const Tensor& sound) const {
  const Tensor spectrum = spectrogram_.stft(sound);
  const std::int64_t frames = spectrum.shape(0), bins = spectrogram_.bins(), mels = options_.mels;
  Tensor out = Tensor::empty({frames, mels}, DType::f32, Device::cpu());
  parallel_for(frames, 32, [&](std::int64_t first, std::int64_t last) {
    std::vector<double> power(static_cast<std::size_t>(bins));
    for (std::int64_t i = first; i < last; ++i) {
      const float* const from = spectrum.data<float>() + i * bins * 2;
      for (std::size_t k = 0; k < power.size(); ++k) {
        power[k] = double{from[2 * k]} * double{from[2 * k]} + double{from[2 * k + 1]} * double{from[2 * k + 1]};
      }
      for (std::int64_t m = 0; m < mels; ++m) {
        double sum = 0.0;
        for (std::int64_t k = begins_[static_cast<std::size_t>(m)]; k < ends_[static_cast<std::size_t>(m)]; ++k) {
          sum += filters_.data<double>()[m * bins + k] * power[static_cast<std::size_t>(k)];
        }
        out.data<float>()[i * mels + m] = static_cast<float>(std::log(std::fmax(sum, options_.floor)));
      }
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor LogMel::invert(const Tensor& given, Rng& rng, std::int64_t iterations,
                                       std::int64_t length) const {
  const Tensor log_mel = detail::audio_input("LogMel::invert", given, {options_.mels});
  const std::int64_t frames = log_mel.shape(0), bins = spectrogram_.bins(), mels = options_.mels;
  Tensor magnitude = Tensor::empty({frames, bins}, DType::f32, Device::cpu());
  const double* const filters = filters_.data<double>();
  parallel_for(frames, 4, [&](std::int64_t first, std::int64_t last) {
    std::vector<double> wanted(static_cast<std::size_t>(mels)), made(wanted.size());
    std::vector<double> power(static_cast<std::size_t>(bins)), up(power.size()), down(power.size());
    for (std::int64_t i = first; i < last; ++i) {
      for (std::size_t m = 0; m < wanted.size(); ++m) {
        wanted[m] = std::exp(std::fmin(double{log_mel.data<float>()[i * mels + static_cast<std::int64_t>(m)]}, 80.0));
      }
      const auto spread = [&](const std::vector<double>& bands, std::vector<double>& to) {
        std::fill(to.begin(), to.end(), 0.0);
        for (std::int64_t m = 0; m < mels; ++m) {
          for (std::int64_t k = begins_[static_cast<std::size_t>(m)]; k < ends_[static_cast<std::size_t>(m)]; ++k) {
            to[static_cast<std::size_t>(k)] += filters[m * bins + k] * bands[static_cast<std::size_t>(m)];
          }
        }
      };
      spread(wanted, up);
      power = up;
      for (int round = 0; round < 60; ++round) {
        for (std::int64_t m = 0; m < mels; ++m) {
          double sum = 0.0;
          for (std::int64_t k = begins_[static_cast<std::size_t>(m)]; k < ends_[static_cast<std::size_t>(m)]; ++k) {
            sum += filters[m * bins + k] * power[static_cast<std::size_t>(k)];
          }
          made[static_cast<std::size_t>(m)] = sum;
        }
        spread(made, down);
        for (std::size_t k = 0; k < power.size(); ++k) power[k] = down[k] > 0.0 ? power[k] * up[k] / down[k] : 0.0;
      }
      for (std::size_t k = 0; k < power.size(); ++k) {
        magnitude.data<float>()[i * bins + static_cast<std::int64_t>(k)] = static_cast<float>(std::sqrt(power[k]));
      }
    }
  });
  return spectrogram_.griffin_lim(magnitude, rng, iterations, length);
}

SYNTHDATA_INLINE void LogMel::save(Archive& archive, const std::string& prefix) const {
  archive.metadata[prefix] = Json(Json::Object{{"spectrogram", detail::spectrogram_json(spectrogram_.options())},
                                               {"rate", options_.rate},
                                               {"mels", options_.mels},
                                               {"low_hz", options_.low_hz},
                                               {"high_hz", options_.high_hz},
                                               {"htk", options_.scale == MelScale::htk},
                                               {"equal_area", options_.equal_area},
                                               {"floor", options_.floor}})
                                 .dump();
}
SYNTHDATA_INLINE LogMel LogMel::load(const Archive& archive, const std::string& prefix) {
  const Json json = parse_json(archive.text(prefix), {.source = prefix});
  const Json* const spectrogram = json.find("spectrogram");
  if (!spectrogram) throw DataError(prefix + ": expects \"spectrogram\"");
  try {
    return LogMel(detail::read_spectrogram(*spectrogram, prefix),
                  {.rate = detail::json_number(json, prefix, "rate"),
                   .mels = detail::json_integer(json, prefix, "mels"),
                   .low_hz = detail::json_number(json, prefix, "low_hz"),
                   .high_hz = detail::json_number(json, prefix, "high_hz"),
                   .scale = detail::json_boolean(json, prefix, "htk") ? MelScale::htk : MelScale::slaney,
                   .equal_area = detail::json_boolean(json, prefix, "equal_area"),
                   .floor = detail::json_number(json, prefix, "floor")});
  } catch (const NumericError& error) {
    throw DataError(concat(prefix, ": ", error.what()));
  }
}

}  // namespace synthdata
