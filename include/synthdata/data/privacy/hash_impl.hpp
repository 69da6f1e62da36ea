// synthdata/data/privacy/hash_impl.hpp: bodies of data/privacy/hash.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/hash.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace synthdata {

namespace detail {
/// The first 32 bits of the fractions of the cube roots of the first 64 primes: FIPS 180-4, section 4.2.2.
inline constexpr std::uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
}  // namespace detail

SYNTHDATA_INLINE void Sha256::compress(const std::uint8_t* block) {
  std::uint32_t w[64];
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
           std::uint32_t{block[4 * i + 2]} << 8 | block[4 * i + 3];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                                detail::sha256_constants[i] + w[i];
    const std::uint32_t second =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const std::uint32_t sums[] = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += sums[i];
}

SYNTHDATA_INLINE Sha256& Sha256::update(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t used = bytes_ % 64, count = std::min(bytes.size(), 64 - used);
    std::memcpy(block_.data() + used, bytes.data(), count);
    bytes_ += count;
    bytes.remove_prefix(count);
    if (used + count == 64) compress(block_.data());
  }
  return *this;
}

SYNTHDATA_INLINE Digest Sha256::digest() const {
  Sha256 end = *this;
  char padding[72] = {static_cast<char>(0x80)};
  const std::size_t zeros = (119 - bytes_ % 64) % 64;  // so that the length ends a block
  for (std::size_t i = 0; i < 8; ++i) padding[1 + zeros + i] = static_cast<char>(bytes_ * 8 >> (56 - 8 * i));
  end.update({padding, 9 + zeros});
  Digest digest;
  for (std::size_t i = 0; i < 32; ++i) digest[i] = static_cast<std::uint8_t>(end.state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

SYNTHDATA_INLINE Digest sha256(std::string_view bytes) { return Sha256().update(bytes).digest(); }

SYNTHDATA_INLINE HmacSha256::HmacSha256(std::string_view key) {
  char inner[64] = {}, outer[64];
  if (key.size() > 64) {
    const Digest digest = sha256(key);
    std::memcpy(inner, digest.data(), digest.size());
  } else if (!key.empty()) {
    std::memcpy(inner, key.data(), key.size());
  }
  for (std::size_t i = 0; i < 64; ++i) {
    outer[i] = static_cast<char>(inner[i] ^ 0x5c);
    inner[i] = static_cast<char>(inner[i] ^ 0x36);
  }
  inner_.update({inner, 64});
  outer_.update({outer, 64});
}

SYNTHDATA_INLINE Digest HmacSha256::operator()(std::string_view message) const {
  const Digest digest = Sha256(inner_).update(message).digest();
  return Sha256(outer_).update({reinterpret_cast<const char*>(digest.data()), digest.size()}).digest();
}

SYNTHDATA_INLINE std::string hex(const Digest& digest) {
  std::string out;
  for (const std::uint8_t byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

}  // namespace synthdata
