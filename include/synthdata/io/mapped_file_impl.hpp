// synthdata/io/mapped_file_impl.hpp: bodies of io/mapped_file.hpp, over mmap.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <synthdata/io/mapped_file.hpp>

#include <cerrno>

namespace synthdata {

SYNTHDATA_INLINE MappedFile::MappedFile(std::string path, bool writable) : file_(std::move(path)) {
  if (file_.size() == 0) return;  // nothing to map
  // MAP_NORESERVE: a writable map of a file larger than memory is not refused for what might be written
  void* at = ::mmap(nullptr, static_cast<std::size_t>(file_.size()), writable ? PROT_READ | PROT_WRITE : PROT_READ,
                    writable ? MAP_PRIVATE | MAP_NORESERVE : MAP_PRIVATE, file_.descriptor(), 0);
  if (at == MAP_FAILED) detail::throw_file_error(file_.path(), "map", errno);
  data_ = static_cast<char*>(at);
}

SYNTHDATA_INLINE MappedFile::MappedFile(MappedFile&& other) noexcept
    : file_(std::move(other.file_)), data_(std::exchange(other.data_, nullptr)) {}

SYNTHDATA_INLINE MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(data_, other.data_);
  return *this;
}

SYNTHDATA_INLINE MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, static_cast<std::size_t>(file_.size()));
}

SYNTHDATA_INLINE void MappedFile::forget(std::int64_t begin, std::int64_t end) const {
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  const std::int64_t first = (begin + page - 1) / page * page, last = end / page * page;  // whole pages within
  if (first < last) ::madvise(data_ + first, static_cast<std::size_t>(last - first), MADV_DONTNEED);
}

}  // namespace synthdata
