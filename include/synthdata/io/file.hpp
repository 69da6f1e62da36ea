// synthdata/io/file.hpp: files that are either whole or absent, and reads whose every error names path and byte.
//
// Results are written under a temporary name in the same folder, flushed to the disk and renamed, so that no reader
// ever sees half a file. Logs grow by whole records instead. Names are bytes, as POSIX has them.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace synthdata {

namespace detail {

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

/// Throws DataError "<path>: cannot <action>: <text of the errno value>".
[[noreturn]] void throw_file_error(const std::string& path, const char* action, int error_number);
/// Throws DataError "<path>, byte <byte>: <text>".
[[noreturn]] void throw_data_at(const std::string& path, std::int64_t byte, const std::string& text);

}  // namespace detail

/// Creates a folder and those above it; one that exists is fine. @throws DataError if it cannot be, naming it.
void make_folders(const std::string& folder);
/// True for a regular file or a folder, or a link to one; what cannot be seen counts as absent.
bool is_file(const std::string& path);
bool is_folder(const std::string& path);
/// The folder part of a path: "a/b.png" -> "a", "b.png" -> ".".
std::string folder_of(const std::string& path);

/// A file being written that appears under its name only by commit(); until then, or if that is never called, nothing
/// under that name changes. Missing folders are created. A symbolic link is written through, anything else that
/// is not a regular file (a folder, a device) is refused.
class AtomicFile {
 public:
  /// @throws DataError if the folder cannot be written, as do write() and commit() for a full disk and the like.
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Not buffered: hand over large pieces.
  void write(const void* data, std::int64_t bytes);
  void write(std::string_view bytes) { write(bytes.data(), static_cast<std::int64_t>(bytes.size())); }

  /// Flushes to the disk and renames. The file is then complete, even if the machine stops.
  void commit();

  const std::string& path() const { return path_; }

 private:
  std::string path_, temporary_;  // temporary_ is empty once renamed
  detail::Descriptor file_;
};

/// Writes `bytes` as a whole file. @throws DataError like AtomicFile.
void write_file(const std::string& path, std::string_view bytes);

/// A log that grows by whole records: one system call each, so that a reader and a second writer see no half record,
/// and one that fails is taken back. Missing folders are created. Can be moved.
class AppendFile {
 public:
  /// @throws DataError if the file cannot be opened for appending.
  explicit AppendFile(std::string path);

  /// @throws DataError if the record could not be written in full, such as on a full disk.
  void append(std::string_view record);

  /// Drops what follows the last `end`: the half record of a program that was killed while writing.
  void drop_after_last(char end);

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  detail::Descriptor file_;
};

/// A regular file opened for reading at any offset.
class InputFile {
 public:
  /// @throws DataError if there is no such file, it may not be read, or it is a folder or a device.
  explicit InputFile(std::string path);

  /// Fills `into` from `offset`. @throws DataError if the file ends before.
  void read_at(std::int64_t offset, void* into, std::int64_t bytes) const;

  std::int64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  /// The number by which the system knows the open file; it stays ours.
  int descriptor() const { return file_.number(); }

 private:
  std::string path_;
  detail::Descriptor file_;
  std::int64_t size_ = 0;
};

/// Readers refuse to unpack or load more than this unless told otherwise.
inline constexpr std::int64_t default_max_bytes = std::int64_t{4} << 30;

/// All bytes of a regular file. @throws DataError if it cannot be read or is longer than `max_bytes`.
std::string read_file(const std::string& path, std::int64_t max_bytes = default_max_bytes);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/file_impl.hpp>
#endif
