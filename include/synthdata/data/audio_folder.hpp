// synthdata/data/audio_folder.hpp: a folder of WAV files as a data set; the label from the sub-folder or the name.
//
// Files are read when a sample is taken, so a folder may be larger than the memory. Lengths differ as the files do;
// a length of one's own cuts or fills up. The spoken digits of "7_george_3.wav" and the like:
//   AudioFolder digits("recordings", {.label = [](std::string_view name) -> std::int64_t { return name[0] - '0'; }});
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/class_folder.hpp>
#include <synthdata/data/dataset.hpp>
#include <synthdata/io/wav.hpp>

namespace synthdata {

struct AudioFolderOptions {
  /// The label of a file by its name without folders; null for the sub-folder's number.
  std::int64_t (*label)(std::string_view name) = nullptr;
  std::int64_t length = 0;  ///< of all samples, in frames: longer ones are cut, shorter ones end in silence; 0: as is
  std::int64_t sample_rate = 0;  ///< which the files must have; 0: any
};

class AudioFolder {
 public:
  /// Lists the .wav files below folder/CLASS, at any depth, or those of a folder that has no sub-folders. Classes are
  /// numbered, and files within them ordered, by the bytes of their names. Symbolic links, hidden entries and other
  /// files are passed over.
  /// @throws DataError if the folder cannot be read, has no such file, or has some both beside and within sub-folders.
  explicit AudioFolder(const std::string& folder, const AudioFolderOptions& options = {});

  std::int64_t size() const { return files_.size(); }
  /// f32 [T, C] in [-1, 1]. @throws DataError if out of range, not readable, or of another rate than asked for.
  Sample get(std::int64_t index, Rng& rng) const;

  /// Names of the classes, by label; empty where sub-folders are not what labels come from.
  const std::vector<std::string>& classes() const { return options_.label ? no_classes_ : files_.classes(); }
  const std::string& path(std::int64_t index) const { return files_.file(index).path; }
  /// -1 for none.
  std::int64_t label(std::int64_t index) const;

 private:
  detail::ClassFolder files_;
  std::vector<std::string> no_classes_;
  AudioFolderOptions options_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/audio_folder_impl.hpp>
#endif
