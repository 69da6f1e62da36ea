// synthdata/io/wav_impl.hpp: bodies of io/wav.hpp. Source of the format: Microsoft and IBM, "Multimedia Programming
// Interface and Data Specifications 1.0", 1991; mmreg.h for WAVE_FORMAT_EXTENSIBLE.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/gzip.hpp>
#include <synthdata/io/wav.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace synthdata {

static_assert(std::endian::native == std::endian::little, "the file formats here are written in native byte order");

namespace detail {

inline constexpr std::uint32_t wav_pcm = 1, wav_float = 3, wav_extensible = 0xfffe;

class WavReader {
 public:
  WavReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  Audio read(bool as_integers) {
    if (!bytes_.starts_with("RIFF") || bytes_.substr(0, 12).substr(std::min<std::size_t>(8, bytes_.size())) != "WAVE") {
      fail(0, "expects RIFF and WAVE");
    }
    std::size_t at = 12;
    bool found = false;
    // the size in the first chunk says no more than the file's own, and is often wrong
    while (!found) {
      if (bytes_.size() - at < 8) fail(at, "the file ends before its data chunk");
      const std::string_view kind = bytes_.substr(at, 4);
      const std::uint32_t size = u32(at + 4);
      at += 8;
      const std::size_t left = bytes_.size() - at;
      if (size > left) {
        fail(at - 8, concat("chunk ", in_quotes(kind), " claims ", size, " bytes, ", left, " are left in the file"));
      }
      found = kind == "data";
      if (kind == "fmt ") read_format(at, size);
      if (found) {
        begin_ = at;
        size_ = size;
      }
      at += size + (size & 1u);
      if (!found && at > bytes_.size()) fail(bytes_.size(), "the file ends before its data chunk");
    }
    if (channels_ == 0) fail(begin_ - 8, "expects a fmt chunk before the data");
    if (size_ % frame_ != 0) {
      fail(begin_, concat("the data are ", size_, " bytes, which is no multiple of a frame's ", frame_));
    }
    Audio audio;
    audio.sample_rate = rate_;
    audio.bits = static_cast<int>(bits_);
    audio.floats = coding_ == wav_float;
    if (as_integers && audio.floats) fail(begin_, "expects integers, has floats");
    const Shape shape{static_cast<std::int64_t>(size_ / frame_), channels_};
    audio.samples = Tensor::empty(shape, as_integers ? DType::i32 : DType::f32, Device::cpu());
    if (as_integers) {
      each(audio.samples.data<std::int32_t>(),
           [](std::int64_t value, int) { return static_cast<std::int32_t>(value); });
    } else if (!audio.floats) {
      each(audio.samples.data<float>(), [](std::int64_t value, int bits) {
        return static_cast<float>(std::ldexp(static_cast<double>(value), 1 - bits));
      });
    } else if (bits_ == 32) {
      if (size_ > 0) std::memcpy(audio.samples.bytes(), bytes_.data() + begin_, size_);
    } else {
      auto* to = audio.samples.data<float>();
      for (std::size_t i = 0; i < size_; i += 8) {
        double value = 0.0;
        std::memcpy(&value, bytes_.data() + begin_ + i, 8);
        *to++ = static_cast<float>(value);
      }
    }
    return audio;
  }

 private:
  [[noreturn]] SYNTHDATA_COLD void fail(std::size_t at, const std::string& text) const {
    throw_data_at(name_, static_cast<std::int64_t>(at), "WAV: " + text);
  }
  static std::string in_quotes(std::string_view kind) {
    std::string text = "\"";
    for (const char c : kind) text += c >= ' ' && c < 0x7f ? c : '?';
    return text + '"';
  }
  std::uint32_t u16(std::size_t at) const {
    std::uint16_t value = 0;
    std::memcpy(&value, bytes_.data() + at, 2);
    return value;
  }
  std::uint32_t u32(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes_.data() + at, 4);
    return value;
  }

  void read_format(std::size_t at, std::uint32_t size) {
    if (channels_ != 0) fail(at - 8, "two fmt chunks");
    if (size < 16) fail(at - 8, concat("expects a fmt chunk of 16 bytes or more, got ", size));
    coding_ = u16(at);
    const std::uint32_t channels = u16(at + 2);
    rate_ = u32(at + 4);
    frame_ = u16(at + 12);
    bits_ = u16(at + 14);
    if (coding_ == wav_extensible) {
      if (size < 40) fail(at - 8, concat("expects an extensible fmt chunk of 40 bytes or more, got ", size));
      constexpr std::string_view tail("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
      coding_ = bytes_.substr(at + 26, 14) == tail ? u16(at + 24) : 0;
    }
    const bool known = (coding_ == wav_pcm && (bits_ == 8 || bits_ == 16 || bits_ == 24 || bits_ == 32)) ||
                       (coding_ == wav_float && (bits_ == 32 || bits_ == 64));
    if (!known) {
      fail(at, concat("expects PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, got coding ", coding_, " of ", bits_,
                      " bits"));
    }
    if (channels == 0 || rate_ == 0 || frame_ != channels * bits_ / 8) {
      fail(at, concat("a fmt chunk that contradicts itself: ", channels, " channels, ", rate_, " Hz, ", bits_,
                      " bits, frames of ", frame_, " bytes"));
    }
    channels_ = channels;
  }

  /// Writes f(integer, bits) of each sample.
  template <class T, class F>
  void each(T* to, F&& f) const {
    const std::size_t unit = bits_ / 8;
    const auto* from = reinterpret_cast<const unsigned char*>(bytes_.data()) + begin_;
    const auto* const end = from + size_;
    const auto run = [&](auto load) {
      const int bits = static_cast<int>(bits_);
      for (; from != end; from += unit) *to++ = f(load(from), bits);
    };
    const auto signed_at = []<class Int>(const unsigned char* at, Int) {
      Int value = 0;
      std::memcpy(&value, at, sizeof value);
      return static_cast<std::int64_t>(value);
    };
    if (unit == 1) run([](const unsigned char* at) { return static_cast<std::int64_t>(*at) - 128; });
    if (unit == 2) run([&](const unsigned char* at) { return signed_at(at, std::int16_t{}); });
    if (unit == 3) {
      run([](const unsigned char* at) {
        const std::int64_t value = at[0] | at[1] << 8 | at[2] << 16;
        return value >= 1 << 23 ? value - (1 << 24) : value;
      });
    }
    if (unit == 4) run([&](const unsigned char* at) { return signed_at(at, std::int32_t{}); });
  }

  std::string_view bytes_;
  const std::string& name_;
  std::uint32_t coding_ = 0, bits_ = 0, frame_ = 0;
  std::int64_t rate_ = 0, channels_ = 0;
  std::size_t begin_ = 0, size_ = 0;
};

}  // namespace detail

SYNTHDATA_INLINE Audio decode_wav(std::string_view bytes, const WavReadOptions& options, const std::string& name) {
  return detail::WavReader(bytes, name).read(options.as_integers);
}
SYNTHDATA_INLINE Audio read_wav(const std::string& path, const WavReadOptions& options) {
  return decode_wav(read_gzip_or_plain(path, options.max_bytes), options, path);
}

SYNTHDATA_INLINE std::string encode_wav(const Tensor& samples, std::int64_t sample_rate, WavFormat format) {
  const bool pcm = format == WavFormat::pcm16;
  const Tensor data = samples.to(Device::cpu());
  if (data.dtype() != DType::f32 && !(pcm && data.dtype() == DType::i32)) {
    throw DTypeError(concat("encode_wav: expects f32", pcm ? " or i32" : "", ", got ", data.str()));
  }
  const std::int64_t channels = data.rank() == 2 ? data.shape(1) : 1;
  if (data.rank() < 1 || data.rank() > 2 || channels < 1 || channels > 65535) {
    throw ShapeError(concat("encode_wav: expects [T] or [T, C], C in 1 ... 65535, got ", data.str()));
  }
  const std::int64_t unit = pcm ? 2 : 4, frame = channels * unit, size = data.size() * unit;
  if (sample_rate < 1 || sample_rate > 0xffffffff) {
    throw DataError(concat("encode_wav: expects a rate in 1 ... 2^32 - 1, got ", sample_rate));
  }
  if (frame > 0xffff || size > 0xffffffff - 64) {
    throw DataError(concat("encode_wav: ", data.str(), " is more than a WAV file can hold"));
  }
  std::string out;
  const auto put = [&](std::int64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  };
  // floats have a longer fmt chunk and say how many frames there are
  out += "RIFF";
  put(size + (pcm ? 36 : 50), 4);
  out += "WAVEfmt ";
  put(pcm ? 16 : 18, 4);
  put(pcm ? detail::wav_pcm : detail::wav_float, 2);
  put(channels, 2);
  put(sample_rate, 4);
  put(std::min<std::int64_t>(sample_rate * frame, 0xffffffff), 4);
  put(frame, 2);
  put(8 * unit, 2);
  if (!pcm) {
    put(0, 2);
    out += "fact";
    put(4, 4);
    put(data.size() / channels, 4);
  }
  out += "data";
  put(size, 4);
  const std::size_t start = out.size();
  out.resize(start + static_cast<std::size_t>(size));
  char* to = out.data() + start;
  if (!pcm) {
    if (size > 0) std::memcpy(to, data.bytes(), static_cast<std::size_t>(size));
    return out;
  }
  const auto store = [&](std::int16_t value) {
    std::memcpy(to, &value, 2);
    to += 2;
  };
  if (data.dtype() == DType::f32) {
    for (const float value : data.span<float>()) {
      const float scaled = std::nearbyint(value * 32768.0f);
      store(scaled >= 32767.0f   ? 32767
            : scaled > -32768.0f ? static_cast<std::int16_t>(scaled)
            : scaled == scaled   ? -32768
                                 : 0);
    }
  } else {
    for (const std::int32_t value : data.span<std::int32_t>()) {
      if (value < -32768 || value > 32767) {
        throw DataError(concat("encode_wav: expects integers of 16 bits, got ", value));
      }
      store(static_cast<std::int16_t>(value));
    }
  }
  return out;
}

SYNTHDATA_INLINE void write_wav(const std::string& path, const Tensor& samples, std::int64_t sample_rate,
                                WavFormat format) {
  const std::string bytes = encode_wav(samples, sample_rate, format);
  write_file(path, path.ends_with(".gz") ? gzip(bytes) : bytes);
}

}  // namespace synthdata
