// tests/io/files.hpp: a scratch folder, raw file access and mutated bytes for the tests of io.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace test {

/// A folder that is removed at the end of the test; in memory where the system offers that, since thousands of small
/// files take seconds on a busy disk.
class Scratch {
 public:
  Scratch() {
    static int counter = 0;
    const std::filesystem::path memory = "/dev/shm";
    path_ = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    path_ /= "synthdata-io-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    std::filesystem::create_directories(path_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  std::string str() const { return path_.string(); }
  /// Number of entries, temporary files included.
  std::int64_t count() const {
    return std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator());
  }

 private:
  std::filesystem::path path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void spit(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// While this lives, no file grows beyond `bytes`: a full disk for tests.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::int64_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const ::rlimit limit{static_cast<::rlim_t>(bytes), before_.rlim_max};
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  ::rlimit before_ = {};
  void (*handler_)(int) = nullptr;
};

/// Text of the DataError that f throws; "" if it throws none. Any other exception passes and fails the test.
template <class F>
std::string data_error(F&& f) {
  try {
    f();
  } catch (const synthdata::DataError& e) {
    return e.what();
  }
  return {};
}
inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// `bytes` with one to four random changes: a byte, a bit, a cut, a piece removed, doubled or overwritten by 0xff.
inline std::string mutate(std::string bytes, synthdata::Rng& rng) {
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(n > 0 ? n : 1)));
  };
  for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = below(bytes.size()), length = below(12);
    switch (below(6)) {
      case 0:
        bytes[at] = static_cast<char>(static_cast<unsigned char>(below(256)));
        break;
      case 1:
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1u << below(8)));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(at, bytes.substr(below(bytes.size()), length));
        break;
      default:
        bytes.replace(at, length, std::string(length, '\xff'));
    }
  }
  return bytes;
}

}  // namespace test
