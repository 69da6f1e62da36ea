// tests/fuzz/memory_file.hpp: made-up bytes as a file, for readers that take a path.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

/// The path of a file in memory that holds these bytes until the next call.
inline std::string memory_file(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("fuzz", 0);
  if (file < 0 || ::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<::ssize_t>(size))
    std::abort();
  return "/proc/self/fd/" + std::to_string(file);
}
