// synthdata/core/random.hpp: counter-based random numbers (Philox 4x32-10).
//
// A draw is a pure function of (seed, stream, counter), so results depend neither on threads nor on the device, and
// an Rng is saved and restored as four numbers. Source: Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3", SC'11.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <vector>

namespace synthdata {

/// Everything an Rng is; two generators of equal state draw equal numbers.
struct RngState {
  std::uint64_t seed = 0;     ///< key of the cipher
  std::uint64_t stream = 0;   ///< upper half of its counter
  std::uint64_t counter = 0;  ///< lower half: the next block of four 32-bit words
  std::uint64_t used = 4;     ///< words already taken from block counter - 1

  friend bool operator==(const RngState&, const RngState&) = default;
};

namespace detail {
struct PhiloxBlock {
  std::uint32_t word[4];
};
PhiloxBlock philox(std::uint64_t key, std::uint64_t stream, std::uint64_t counter);

/// True while this thread records a step that will be replayed: single numbers would be the same in every replay.
inline bool& bulk_draws_only() {
  static thread_local bool only = false;
  return only;
}
[[noreturn]] void throw_single_draw();
}  // namespace detail

/// A stream of random numbers. Copying forks it: both copies draw the same numbers.
class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0) { state_.seed = seed; }
  explicit Rng(const RngState& state) : state_(state) { restore(state); }

  /// An independent stream named by `id`; the same id gives the same stream, whatever was drawn from this one.
  Rng split(std::uint64_t id) const;

  std::uint32_t next_u32() {
    if (state_.used == 4) refill();
    return buffer_.word[state_.used++];
  }
  std::uint64_t next_u64() {
    const std::uint64_t low = next_u32();
    return low | static_cast<std::uint64_t>(next_u32()) << 32;
  }
  /// Uniform in [0, 1), 24 bits.
  float uniform() { return static_cast<float>(next_u32() >> 8) * 0x1p-24f; }
  /// Uniform in [low, high]: rounding can give `high` itself.
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Standard normal.
  double normal();
  /// Uniform in 0 ... n-1, unbiased. @throws NumericError unless n > 0.
  std::int64_t below(std::int64_t n);
  /// A random order of 0 ... n-1. @throws NumericError if n < 0.
  std::vector<std::int64_t> permutation(std::int64_t n);

  /// Takes `blocks` counters for a bulk draw and returns the first.
  std::uint64_t reserve(std::uint64_t blocks) {
    const std::uint64_t first = state_.counter;
    state_.counter += blocks;
    state_.used = 4;
    return first;
  }

  const RngState& state() const { return state_; }
  void restore(const RngState& state);

 private:
  void refill() {
    if (detail::bulk_draws_only()) [[unlikely]]
      detail::throw_single_draw();
    buffer_ = detail::philox(state_.seed, state_.stream, state_.counter++);
    state_.used = 0;
  }

  RngState state_;
  detail::PhiloxBlock buffer_ = {};
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/random_impl.hpp>
#endif
