// synthdata/io/wav.hpp: sound in RIFF WAVE files, as tensors [T, C] of frames and channels.
//
// Read are PCM of 8, 16, 24 and 32 bits and floats of 32 and 64, also as WAVE_FORMAT_EXTENSIBLE, of any rate and number
// of channels, plain or .gz. Other chunks (names, loops, cues) are passed over.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>
#include <synthdata/io/file.hpp>

#include <string>
#include <string_view>

namespace synthdata {

/// Sound as a file holds it.
struct Audio {
  Tensor samples;                ///< [T, C]
  std::int64_t sample_rate = 0;  ///< frames a second
  int bits = 16;                 ///< of a sample in the file
  bool floats = false;           ///< the file has floats, not integers
};

struct WavReadOptions {
  /// Integers as the file has them, i32, those of 8 bits less 128; else f32: integers divided by 2^(bits - 1), so
  /// in [-1, 1), exact up to 24 bits; floats as they are.
  bool as_integers = false;
  std::int64_t max_bytes = default_max_bytes;  ///< of the file, unpacked
};

/// @param name  stands for the file in messages
/// @throws DataError naming file and byte if the bytes are no such file, cut short or contradict themselves, for other
///         codings, and for integers wanted of a file of floats
Audio decode_wav(std::string_view bytes, const WavReadOptions& options = {}, const std::string& name = "WAV");
/// The same from a file. @throws DataError, also if it cannot be read
Audio read_wav(const std::string& path, const WavReadOptions& options = {});

enum class WavFormat : std::uint8_t {
  pcm16,  ///< f32 in [-1, 1] times 32768, rounded to the nearest and clamped (NaN is 0); i32 as they are
  f32,    ///< f32 as they are
};

/// The bytes of a WAV file. @param samples  f32, or i32 for pcm16, [T, C] or [T]; C in 1 ... 65535
/// @throws ShapeError, DTypeError; DataError for integers beyond 16 bits, a rate that is not in 1 ... 2^32 - 1, or 4 GB
///         and more
std::string encode_wav(const Tensor& samples, std::int64_t sample_rate, WavFormat format = WavFormat::pcm16);
/// Writes it atomically, compressed if the name ends in .gz. @throws DataError also if it cannot be written
void write_wav(const std::string& path, const Tensor& samples, std::int64_t sample_rate,
               WavFormat format = WavFormat::pcm16);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/wav_impl.hpp>
#endif
