// synthdata/data/image_folder_impl.hpp: bodies of data/image_folder.hpp, over POSIX calls.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <synthdata/data/image_folder.hpp>
#include <synthdata/io/file.hpp>

#include <algorithm>
#include <cerrno>

namespace synthdata {
namespace detail {

/// Names in a folder, sorted: folders in one list, regular files with an image's name in the other.
struct FolderNames {
  std::vector<std::string> folders, images;

  explicit FolderNames(const std::string& folder) {
    ::DIR* const stream = ::opendir(folder.c_str());
    if (!stream) throw_file_error(folder, "open folder", errno);
    while (const ::dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      struct ::stat info = {};
      if (name[0] == '.' || ::lstat((folder + "/" + name).c_str(), &info) != 0) continue;
      if (S_ISDIR(info.st_mode)) folders.push_back(name);
      if (S_ISREG(info.st_mode) && has_image_name(name)) images.push_back(name);
    }
    ::closedir(stream);
    std::sort(folders.begin(), folders.end());
    std::sort(images.begin(), images.end());
  }
};

}  // namespace detail

SYNTHDATA_INLINE ImageFolder::ImageFolder(const std::string& folder, const ImageReadOptions& options)
    : options_(options) {
  const detail::FolderNames names(folder);
  if (!names.images.empty()) {
    for (const std::string& name : names.images) files_.push_back({folder + "/" + name, -1});
  }
  for (const std::string& name : names.folders) {
    const std::size_t before = files_.size();
    list(folder + "/" + name, static_cast<std::int64_t>(classes_.size()), 1);
    if (files_.size() > before) classes_.push_back(name);
  }
  if (!names.images.empty() && !classes_.empty()) {
    throw DataError(concat(folder, ": expects images or one folder for each class, has ", names.images.size(),
                           " images beside folders with more"));
  }
  if (files_.empty()) throw DataError(concat(folder, ": expects .png, .jpg or .jpeg files, has none"));
}

SYNTHDATA_INLINE void ImageFolder::list(const std::string& folder, std::int64_t label, int depth) {
  constexpr int most = 32;
  if (depth > most) throw DataError(concat(folder, ": folders lie more than ", most, " deep in each other"));
  const detail::FolderNames names(folder);
  for (const std::string& name : names.images) files_.push_back({folder + "/" + name, label});
  for (const std::string& name : names.folders) list(folder + "/" + name, label, depth + 1);
}

SYNTHDATA_INLINE const ImageFolder::File& ImageFolder::file(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw DataError(concat("ImageFolder: sample ", index, " is out of range, there are ", size()));
  }
  return files_[static_cast<std::size_t>(index)];
}

SYNTHDATA_INLINE Sample ImageFolder::get(std::int64_t index, Rng&) const {
  const File& wanted = file(index);
  return {read_image(wanted.path, options_), wanted.label};
}

}  // namespace synthdata
