// synthdata/backend/cpu/philox.hpp: bulk Philox, sixteen counters at a time in vector lanes.
//
// A group is 64 words: word w of counter first + lane is element 16 w + lane, so a vector register holds the same word
// of sixteen counters. Element i of a tensor is thus a function of the generator's state and i alone.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/elementwise.hpp>

namespace synthdata::backend::cpu {

inline constexpr int philox_lanes = 16;
inline constexpr std::int64_t philox_group = 64;  // words

/// The 64 words of counters [first, first + 16).
SYNTHDATA_HD void philox_words(std::uint64_t key, std::uint64_t stream, std::uint64_t first, std::uint32_t* words) {
  alignas(64) std::uint32_t c0[philox_lanes], c1[philox_lanes], c2[philox_lanes], c3[philox_lanes];
  for (int j = 0; j < philox_lanes; ++j) {
    const std::uint64_t counter = first + static_cast<std::uint64_t>(j);
    c0[j] = static_cast<std::uint32_t>(counter);
    c1[j] = static_cast<std::uint32_t>(counter >> 32);
    c2[j] = static_cast<std::uint32_t>(stream);
    c3[j] = static_cast<std::uint32_t>(stream >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    SYNTHDATA_IVDEP
    for (int j = 0; j < philox_lanes; ++j) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[j], p1 = std::uint64_t{0xCD9E8D57u} * c2[j];
      c0[j] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[j] ^ k0;
      c2[j] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[j] ^ k1;
      c1[j] = static_cast<std::uint32_t>(p1);
      c3[j] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int j = 0; j < philox_lanes; ++j) {
    words[j] = c0[j];
    words[j + 16] = c1[j];
    words[j + 32] = c2[j];
    words[j + 48] = c3[j];
  }
}

}  // namespace synthdata::backend::cpu
