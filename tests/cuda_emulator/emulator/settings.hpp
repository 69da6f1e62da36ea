// cuda_emulator/emulator/settings.hpp: what a test may choose, and how misuse ends.
//
// Each setting starts from an environment variable, so a whole test program can be run under another one.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <numeric>
#include <random>
#include <vector>

#include "types.hpp"

namespace cuda_emulator {

/// The order in which lanes, warps and blocks run where no barrier orders them.
enum class ThreadOrder { forward, backward, shuffled };

namespace detail {

inline long environment(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtol(text, nullptr, 10);
}

inline ThreadOrder order_from_environment() {
  const char* text = std::getenv("CUDA_EMULATOR_ORDER");
  if (text == nullptr || std::strcmp(text, "forward") == 0) return ThreadOrder::forward;
  if (std::strcmp(text, "backward") == 0) return ThreadOrder::backward;
  if (std::strcmp(text, "shuffled") == 0) return ThreadOrder::shuffled;
  std::fprintf(stderr, "CUDA_EMULATOR_ORDER is %s, expected forward, backward or shuffled\n", text);
  std::abort();
}

}  // namespace detail

inline ThreadOrder thread_order = detail::order_from_environment();  // CUDA_EMULATOR_ORDER
inline std::uint64_t shuffle_seed = static_cast<std::uint64_t>(detail::environment("CUDA_EMULATOR_SEED", 1));
inline int device_count = static_cast<int>(detail::environment("CUDA_EMULATOR_DEVICES", 1));

/// Lazy streams do their work only when somebody waits for it, which shows where a wait is missing.
inline bool lazy = detail::environment("CUDA_EMULATOR_LAZY", 0) != 0;

/// Whether host code that touches device memory crashes; costs some microseconds a launch.
inline bool guard = detail::environment("CUDA_EMULATOR_GUARD", 1) != 0;

/// 0, 1, ... n-1 in the order that is chosen.
inline void arrange(std::vector<unsigned>& places, std::size_t n) {
  places.resize(n);
  std::iota(places.begin(), places.end(), 0u);
  if (thread_order == ThreadOrder::backward) {
    for (std::size_t i = 0; i < n; ++i) places[i] = static_cast<unsigned>(n - 1 - i);
  } else if (thread_order == ThreadOrder::shuffled) {
    static std::mt19937_64 generator;
    static std::uint64_t seeded_with = generator.default_seed;
    if (seeded_with != shuffle_seed) generator.seed(seeded_with = shuffle_seed);
    for (std::size_t i = n; i > 1; --i) std::swap(places[i - 1], places[generator() % i]);
  }
}

/// One lock for the whole machine. Recursive: work that a call runs may call back.
inline std::recursive_mutex machine_lock;

namespace detail {
inline void (*say_where)() = nullptr;  // prints kernel, block and thread while a kernel runs
}

/// Ends the program: the emulated program did what CUDA leaves undefined, or refuses in a way nobody should ignore.
[[noreturn, gnu::format(printf, 1, 2)]] inline void fail(const char* format, ...) {
  std::fputs("cuda_emulator: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  if (detail::say_where != nullptr) detail::say_where();
  std::fflush(stderr);
  std::abort();
}

}  // namespace cuda_emulator
