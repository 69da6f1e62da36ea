// synthdata/backend/cuda/alignment.hpp: what addresses are multiples of.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>

namespace synthdata::cuda {

/// The largest power of two up to `most` (one itself) that divides all addresses.
inline std::int64_t common_alignment(std::initializer_list<const void*> addresses, std::uintptr_t most = 16) {
  std::uintptr_t bits = most;
  for (const void* address : addresses) bits |= reinterpret_cast<std::uintptr_t>(address);
  return static_cast<std::int64_t>(bits & (~bits + 1));
}

}  // namespace synthdata::cuda
