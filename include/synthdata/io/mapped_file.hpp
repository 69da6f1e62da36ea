// synthdata/io/mapped_file.hpp: a whole file as bytes in memory that the system reads when they are touched.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/file.hpp>

namespace synthdata {

/// A regular file mapped for reading; nothing is copied. The file must not be cut short while it is mapped: reading
/// beyond its new end stops the program.
class MappedFile {
 public:
  /// @throws DataError if there is no such file, it cannot be mapped, or it is a folder or a device.
  explicit MappedFile(std::string path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {data_, static_cast<std::size_t>(file_.size())}; }
  const std::string& path() const { return file_.path(); }

 private:
  InputFile file_;
  const char* data_ = nullptr;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/mapped_file_impl.hpp>
#endif
