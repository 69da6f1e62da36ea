// synthdata/core/random_impl.hpp: bodies of core/random.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>

#include <cmath>
#include <utility>

namespace synthdata {

SYNTHDATA_COLD SYNTHDATA_INLINE void detail::throw_single_draw() {
  throw Error(
      "Rng: a step that is captured as a graph cannot draw single random numbers, every replay would have the same; "
      "set graph = false");
}
namespace detail {

// Ten rounds, multipliers and Weyl increments of Salmon et al. 2011, table 2.
SYNTHDATA_INLINE PhiloxBlock philox(std::uint64_t key, std::uint64_t stream, std::uint64_t counter) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  std::uint32_t c[4] = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                        static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0], p1 = std::uint64_t{0xCD9E8D57u} * c[2];
    const std::uint32_t c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0;
    const std::uint32_t c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1;
    c[1] = static_cast<std::uint32_t>(p1);
    c[3] = static_cast<std::uint32_t>(p0);
    c[0] = c0;
    c[2] = c2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c[0], c[1], c[2], c[3]}};
}

}  // namespace detail

SYNTHDATA_INLINE Rng Rng::split(std::uint64_t id) const {
  // A cipher block under another key is a well-mixed name for the child; the constant keeps it off the parent's draws.
  const detail::PhiloxBlock name = detail::philox(state_.seed ^ 0x5851F42D4C957F2Du, state_.stream, id);
  const detail::PhiloxBlock key = detail::philox(state_.seed ^ 0x14057B7EF767814Fu, state_.stream, id);
  RngState child;
  child.stream = name.word[0] | static_cast<std::uint64_t>(name.word[1]) << 32;
  child.seed = key.word[2] | static_cast<std::uint64_t>(key.word[3]) << 32;
  return Rng(child);
}

SYNTHDATA_INLINE double Rng::normal() {
  const double u = (static_cast<double>(next_u64() >> 11) + 1.0) * 0x1p-53;  // in (0, 1]: the log is finite
  const double v = static_cast<double>(next_u64() >> 11) * 0x1p-53;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
}

SYNTHDATA_INLINE std::int64_t Rng::below(std::int64_t n) {
  if (n <= 0) throw NumericError(concat("Rng::below: expects n > 0, got ", n));
  // Draws that fall into the incomplete last run of n are rejected, so no value is favoured.
  const auto bound = static_cast<std::uint64_t>(n);
  const std::uint64_t rejected = (0 - bound) % bound;  // 2^64 mod n
  std::uint64_t draw = next_u64();
  while (draw < rejected) draw = next_u64();
  return static_cast<std::int64_t>(draw % bound);
}

SYNTHDATA_INLINE std::vector<std::int64_t> Rng::permutation(std::int64_t n) {
  if (n < 0) throw NumericError(concat("Rng::permutation: expects n >= 0, got ", n));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  }
  return order;
}

SYNTHDATA_INLINE void Rng::restore(const RngState& state) {
  if (state.used > 4) throw DataError(concat("Rng::restore: expects 0 to 4 used words, got ", state.used));
  state_ = state;
  if (state_.used < 4) buffer_ = detail::philox(state_.seed, state_.stream, state_.counter - 1);
}

}  // namespace synthdata
