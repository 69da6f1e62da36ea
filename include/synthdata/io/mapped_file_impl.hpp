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

SYNTHDATA_INLINE MappedFile::MappedFile(std::string path) : file_(std::move(path)) {
  if (file_.size() == 0) return;  // nothing to map
  void* at = ::mmap(nullptr, static_cast<std::size_t>(file_.size()), PROT_READ, MAP_PRIVATE, file_.descriptor(), 0);
  if (at == MAP_FAILED) detail::throw_file_error(file_.path(), "map", errno);
  data_ = static_cast<const char*>(at);
}

SYNTHDATA_INLINE MappedFile::MappedFile(MappedFile&& other) noexcept
    : file_(std::move(other.file_)), data_(std::exchange(other.data_, nullptr)) {}

SYNTHDATA_INLINE MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(data_, other.data_);
  return *this;
}

SYNTHDATA_INLINE MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<char*>(data_), static_cast<std::size_t>(file_.size()));
}

}  // namespace synthdata
