// synthdata/data/class_folder_impl.hpp: bodies of data/class_folder.hpp, over POSIX calls.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <synthdata/data/class_folder.hpp>
#include <synthdata/io/file.hpp>

#include <algorithm>
#include <cerrno>

namespace synthdata::detail {

/// Names in a folder, sorted: folders in one list, regular files that are wanted in the other.
struct FolderNames {
  std::vector<std::string> folders, files;

  FolderNames(const std::string& folder, bool (*wanted)(std::string_view name)) {
    ::DIR* const stream = ::opendir(folder.c_str());
    if (!stream) throw_file_error(folder, "open folder", errno);
    while (const ::dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      struct ::stat info = {};
      if (name[0] == '.' || ::lstat((folder + "/" + name).c_str(), &info) != 0) continue;
      if (S_ISDIR(info.st_mode)) folders.push_back(name);
      if (S_ISREG(info.st_mode) && wanted(name)) files.push_back(name);
    }
    ::closedir(stream);
    std::sort(folders.begin(), folders.end());
    std::sort(files.begin(), files.end());
  }
};

SYNTHDATA_INLINE ClassFolder::ClassFolder(const std::string& folder, bool (*wanted)(std::string_view name),
                                          const char* what)
    : wanted_(wanted) {
  const FolderNames names(folder, wanted);
  for (const std::string& name : names.files) files_.push_back({folder + "/" + name, -1});
  for (const std::string& name : names.folders) {
    const std::size_t before = files_.size();
    list(folder + "/" + name, static_cast<std::int64_t>(classes_.size()), 1);
    if (files_.size() > before) classes_.push_back(name);
  }
  if (!names.files.empty() && !classes_.empty()) {
    throw DataError(concat(folder, ": expects ", what, " files or one folder for each class, has ", names.files.size(),
                           " files beside folders with more"));
  }
  if (files_.empty()) throw DataError(concat(folder, ": expects ", what, " files, has none"));
}

SYNTHDATA_INLINE void ClassFolder::list(const std::string& folder, std::int64_t label, int depth) {
  constexpr int most = 32;
  if (depth > most) throw DataError(concat(folder, ": folders lie more than ", most, " deep in each other"));
  const FolderNames names(folder, wanted_);
  for (const std::string& name : names.files) files_.push_back({folder + "/" + name, label});
  for (const std::string& name : names.folders) list(folder + "/" + name, label, depth + 1);
}

SYNTHDATA_INLINE const ClassFolder::File& ClassFolder::file(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw DataError(concat("sample ", index, " is out of range, there are ", size(), " files"));
  }
  return files_[static_cast<std::size_t>(index)];
}

}  // namespace synthdata::detail
