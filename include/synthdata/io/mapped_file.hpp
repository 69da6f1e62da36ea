// synthdata/io/mapped_file.hpp: a whole file as bytes in memory that the system reads when they are touched.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/file.hpp>

namespace synthdata {

/// A regular file mapped for reading; nothing is copied. The file must not be cut short while it is mapped: reading
/// beyond its new end stops the program (SIGBUS). Replacing it by a new file of its name, as AtomicFile does, is fine:
/// the map keeps the old one.
class MappedFile {
 public:
  /// @param writable  lets the program write to its pages, which become its own; the file never changes
  /// @throws DataError if there is no such file, it cannot be mapped, or it is a folder or a device.
  explicit MappedFile(std::string path, bool writable = false);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {data_, static_cast<std::size_t>(file_.size())}; }
  /// The same; may be written to only where the map is `writable`.
  char* data() const { return data_; }
  const std::string& path() const { return file_.path(); }
  /// Lets the system take back the memory of bytes that were read and will hardly be again; they are still there.
  void forget(std::int64_t begin, std::int64_t end) const;

 private:
  InputFile file_;
  char* data_ = nullptr;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/mapped_file_impl.hpp>
#endif
