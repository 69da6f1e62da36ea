// synthdata/io/file_impl.hpp: bodies of io/file.hpp, over POSIX calls.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <synthdata/io/file.hpp>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_file_error(const std::string& path, const char* action, int error_number) {
  throw DataError(concat(path, ": cannot ", action, ": ", std::generic_category().message(error_number)));
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_data_at(const std::string& path, std::int64_t byte,
                                                   const std::string& text) {
  throw DataError(concat(path, ", byte ", byte, ": ", text));
}

/// Writes all bytes or returns the errno value; `written` says how many made it.
SYNTHDATA_INLINE int write_all(int file, const char* data, std::int64_t bytes, std::int64_t& written) {
  for (written = 0; written < bytes;) {
    const std::int64_t piece = bytes - written < (1 << 30) ? bytes - written : (1 << 30);  // Linux takes 2 GiB at most
    const ::ssize_t count = ::write(file, data + written, static_cast<std::size_t>(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return ENOSPC;
    written += count;
  }
  return 0;
}

}  // namespace detail

SYNTHDATA_INLINE bool is_file(const std::string& path) {
  struct ::stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}
SYNTHDATA_INLINE bool is_folder(const std::string& path) {
  struct ::stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

SYNTHDATA_INLINE std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

SYNTHDATA_INLINE void make_folders(const std::string& folder) {
  if (folder.empty() || is_folder(folder)) return;
  for (std::size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    const std::string part = folder.substr(0, end);
    if (::mkdir(part.c_str(), 0777) != 0) {
      const int error_number = errno;
      // an existing folder answers EEXIST, but EROFS or EACCES where it could not have been made
      struct ::stat info = {};
      if (::stat(part.c_str(), &info) != 0) detail::throw_file_error(part, "create folder", error_number);
      if (!S_ISDIR(info.st_mode)) detail::throw_file_error(part, "create folder", ENOTDIR);
    }
    if (end == std::string::npos) return;
  }
}

SYNTHDATA_INLINE AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  make_folders(folder_of(path_));
  struct ::stat info = {};
  if (::stat(path_.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) throw DataError(concat(path_, ": cannot write: this is not a regular file"));
    if (::lstat(path_.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
      if (char* target = ::realpath(path_.c_str(), nullptr)) {
        path_ = target;
        std::free(target);
      }
    }
  }
  static std::atomic<unsigned> counter{0};
  for (;;) {  // a name left behind by a killed program of the same number is passed over
    temporary_ = concat(path_, ".tmp-", ::getpid(), "-", counter.fetch_add(1));
    file_ = detail::Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file_.number() >= 0) return;
    if (errno != EEXIST) detail::throw_file_error(path_, "create", errno);
  }
}

SYNTHDATA_INLINE AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

SYNTHDATA_INLINE void AtomicFile::write(const void* data, std::int64_t bytes) {
  std::int64_t written = 0;
  const int error_number = detail::write_all(file_.number(), static_cast<const char*>(data), bytes, written);
  if (error_number != 0) detail::throw_file_error(path_, "write", error_number);
}

SYNTHDATA_INLINE void AtomicFile::commit() {
  // EINVAL: a file system that cannot flush single files. A full disk may show itself only here or in close().
  if (::fsync(file_.number()) != 0 && errno != EINVAL) detail::throw_file_error(path_, "write", errno);
  if (::close(file_.release()) != 0) detail::throw_file_error(path_, "write", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) detail::throw_file_error(path_, "rename to", errno);
  temporary_.clear();
  // Makes the new name last; the data are safe already, so a folder that cannot be flushed is no error.
  const detail::Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() >= 0) ::fsync(folder.number());
}

SYNTHDATA_INLINE void write_file(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

SYNTHDATA_INLINE AppendFile::AppendFile(std::string path) : path_(std::move(path)) {
  make_folders(folder_of(path_));
  file_ = detail::Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file_.number() < 0) detail::throw_file_error(path_, "open for appending", errno);
}

SYNTHDATA_INLINE void AppendFile::append(std::string_view record) {
  std::int64_t written = 0;
  const auto bytes = static_cast<std::int64_t>(record.size());
  const int error_number = detail::write_all(file_.number(), record.data(), bytes, written);
  if (error_number == 0) return;
  // after an appending write the position is the end of what was written
  if (const ::off_t end = written > 0 ? ::lseek(file_.number(), 0, SEEK_CUR) : -1; end >= written) {
    if (::ftruncate(file_.number(), end - written) != 0) detail::throw_file_error(path_, "take back a record", errno);
  }
  detail::throw_file_error(path_, "write", error_number);
}

SYNTHDATA_INLINE void AppendFile::drop_after_last(char end) {
  struct ::stat info = {};
  if (::fstat(file_.number(), &info) != 0 || !S_ISREG(info.st_mode)) return;  // a pipe or a device has no last byte
  char buffer[4096];
  for (::off_t stop = info.st_size; stop > 0;) {
    const ::off_t start = stop > 4096 ? stop - 4096 : 0;
    const ::ssize_t count = ::pread(file_.number(), buffer, static_cast<std::size_t>(stop - start), start);
    if (count != stop - start) detail::throw_file_error(path_, "read", count < 0 ? errno : EIO);
    const std::size_t found = std::string_view(buffer, static_cast<std::size_t>(count)).rfind(end);
    if (found == std::string_view::npos && start > 0) {
      stop = start;
      continue;
    }
    const ::off_t keep = found == std::string_view::npos ? 0 : start + static_cast<::off_t>(found) + 1;
    if (keep < info.st_size && ::ftruncate(file_.number(), keep) != 0) detail::throw_file_error(path_, "cut", errno);
    return;
  }
}

SYNTHDATA_INLINE InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a pipe must not wait for its writer
  file_ = detail::Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct ::stat info = {};
  if (file_.number() < 0 || ::fstat(file_.number(), &info) != 0) detail::throw_file_error(path_, "open", errno);
  if (S_ISDIR(info.st_mode)) detail::throw_file_error(path_, "read", EISDIR);
  if (!S_ISREG(info.st_mode)) throw DataError(concat(path_, ": cannot read: this is not a regular file"));
  size_ = info.st_size;
}

SYNTHDATA_INLINE void InputFile::read_at(std::int64_t offset, void* into, std::int64_t bytes) const {
  for (std::int64_t done = 0; done < bytes;) {
    const std::int64_t piece = bytes - done < (1 << 30) ? bytes - done : (1 << 30);
    const ::ssize_t count =
        ::pread(file_.number(), static_cast<char*>(into) + done, static_cast<std::size_t>(piece), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) detail::throw_file_error(path_, "read", errno);
    if (count == 0) {
      detail::throw_data_at(path_, offset + done,
                            concat("the file ends here, ", bytes - done, " more bytes were expected"));
    }
    done += count;
  }
}

SYNTHDATA_INLINE std::string read_file(const std::string& path, std::int64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) {
    throw DataError(concat(path, ": has ", file.size(), " bytes, at most ", max_bytes, " are accepted"));
  }
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  file.read_at(0, bytes.data(), file.size());
  return bytes;
}

}  // namespace synthdata
