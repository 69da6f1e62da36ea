// tests/consumers/main.cpp: prints a fingerprint of the bits that train() makes; see scripts/check-consumers.
//
// SPDX-License-Identifier: MIT
#include <synthdata/gan.hpp>

#include <bit>
#include <cstdio>

synthdata::Tensor train(std::uint64_t seed);

int main() {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a over the floats' bits
  for (const float x : train(1).span<float>()) hash = (hash ^ std::bit_cast<std::uint32_t>(x)) * 0x100000001b3u;
  std::printf("synthdata %d.%d: %016llx\n", SYNTHDATA_VERSION_MAJOR, SYNTHDATA_VERSION_MINOR,
              static_cast<unsigned long long>(hash));
}
