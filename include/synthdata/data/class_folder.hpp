// synthdata/data/class_folder.hpp: the files of a folder, in which each sub-folder is a class.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace synthdata::detail {

/// Files below folder/CLASS, at any depth up to 32, or the files of a folder that has no sub-folders with any. Classes
/// are numbered, and files within them ordered, by the bytes of their names. Symbolic links, hidden entries and other
/// files are passed over.
class ClassFolder {
 public:
  /// @param wanted  whether a file of that name counts; @param what  such files are called, for messages
  /// @throws DataError if the folder cannot be read, has no file, or has files both beside and within sub-folders.
  ClassFolder(const std::string& folder, bool (*wanted)(std::string_view name), const char* what);

  struct File {
    std::string path;
    std::int64_t label;  ///< -1 for none
  };
  std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
  /// @throws DataError if out of range.
  const File& file(std::int64_t index) const;
  /// Names of the classes, by label.
  const std::vector<std::string>& classes() const { return classes_; }

 private:
  void list(const std::string& folder, std::int64_t label, int depth);

  bool (*wanted_)(std::string_view name);
  std::vector<File> files_;
  std::vector<std::string> classes_;
};

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/class_folder_impl.hpp>
#endif
