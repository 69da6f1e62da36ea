// synthdata/data/audio_folder_impl.hpp: bodies of data/audio_folder.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/audio_folder.hpp>

#include <algorithm>
#include <cstring>

namespace synthdata {
namespace detail {

/// True for names that end in .wav, in any case.
SYNTHDATA_INLINE bool has_wav_name(std::string_view name) {
  constexpr std::string_view end = ".wav";
  if (name.size() < end.size()) return false;
  return std::equal(end.begin(), end.end(), name.end() - static_cast<std::ptrdiff_t>(end.size()),
                    [](char a, char b) { return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a'); });
}

}  // namespace detail

SYNTHDATA_INLINE AudioFolder::AudioFolder(const std::string& folder, const AudioFolderOptions& options)
    : files_(folder, detail::has_wav_name, ".wav"), options_(options) {
  if (options.length < 0 || options.sample_rate < 0) {
    throw NumericError(
        concat("AudioFolder: expects a length and a rate >= 0, got ", options.length, " and ", options.sample_rate));
  }
}

SYNTHDATA_INLINE std::int64_t AudioFolder::label(std::int64_t index) const {
  const detail::ClassFolder::File& file = files_.file(index);
  return options_.label ? options_.label(std::string_view(file.path).substr(file.path.rfind('/') + 1)) : file.label;
}

SYNTHDATA_INLINE Sample AudioFolder::get(std::int64_t index, Rng&) const {
  const std::string& path = files_.file(index).path;
  const Audio audio = read_wav(path);
  if (options_.sample_rate != 0 && audio.sample_rate != options_.sample_rate) {
    throw DataError(concat(path, ": expects ", options_.sample_rate, " frames a second, has ", audio.sample_rate));
  }
  Tensor samples = audio.samples;
  if (options_.length > 0 && samples.shape(0) != options_.length) {
    const std::int64_t channels = samples.shape(1), kept = std::min(samples.shape(0), options_.length);
    Tensor cut = Tensor::zeros({options_.length, channels}, DType::f32, Device::cpu());
    if (kept > 0) std::memcpy(cut.bytes(), samples.bytes(), static_cast<std::size_t>(kept * channels) * sizeof(float));
    samples = cut;
  }
  return {samples, label(index)};
}

}  // namespace synthdata
