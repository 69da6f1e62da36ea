// synthdata/data/privacy/hash.hpp: SHA-256 and HMAC-SHA-256, for pseudonyms under a key.
//
// Not a cryptographic library: times are not constant and keys are not wiped from memory.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace synthdata {

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 of texts given piece by piece. Source: FIPS 180-4.
class Sha256 {
 public:
  Sha256& update(std::string_view bytes);
  /// The digest of all bytes so far. Further updates go on as if it had not been asked for.
  Digest digest() const;

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_ = {};
  std::uint64_t bytes_ = 0;
};
Digest sha256(std::string_view bytes);

/// HMAC-SHA-256 under one key, which is prepared once. Sources: RFC 2104, FIPS 198-1.
class HmacSha256 {
 public:
  /// A key of any length; one of less than 16 bytes can be guessed.
  explicit HmacSha256(std::string_view key);
  Digest operator()(std::string_view message) const;

 private:
  Sha256 inner_, outer_;
};

/// 64 hexadecimal digits.
std::string hex(const Digest& digest);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/hash_impl.hpp>
#endif
