// synthdata/data/index_permutation.hpp: a random order of 0 ... n - 1 that takes no memory.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>

#include <cmath>

namespace synthdata {

/// A random order of 0 ... n - 1, of which any place is computed when asked for. A Feistel network over pairs of digits
/// (l, r) with a * b >= n values, repeated while its result is beyond n. For shuffling, not for secrets. Source: Black
/// and Rogaway 2002, "Ciphers with arbitrary finite domains", CT-RSA, section 5.
class IndexPermutation {
 public:
  /// @param rng  gives the keys; different keys, different orders
  /// @throws NumericError unless 0 <= n <= 2^62
  IndexPermutation(std::int64_t n, Rng& rng) : size_(n) {
    if (n < 0 || n > std::int64_t{1} << 62) throw NumericError(concat("IndexPermutation: expects n >= 0, got ", n));
    a_ = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(n)));
    const auto size = static_cast<std::uint64_t>(n);
    while (a_ * a_ < size) ++a_;
    if (a_ == 0) a_ = 1;
    b_ = (size + a_ - 1) / a_;
    for (std::uint64_t& key : keys_) key = rng.next_u64();
  }

  std::int64_t size() const { return size_; }
  /// The number at place i of the order. @param i  0 ... size() - 1, not checked
  std::int64_t operator()(std::int64_t i) const {
    auto x = static_cast<std::uint64_t>(i);
    do {
      std::uint64_t l = x / b_, r = x % b_;
      for (int round = 0; round < rounds; round += 2) {
        l = sum(l, below(r ^ keys_[round], a_), a_);
        r = sum(r, below(l ^ keys_[round + 1], b_), b_);
      }
      x = l * b_ + r;
    } while (x >= static_cast<std::uint64_t>(size_));
    return static_cast<std::int64_t>(x);
  }

 private:
  static constexpr int rounds = 8;
  static std::uint64_t sum(std::uint64_t x, std::uint64_t y, std::uint64_t n) { return x + y < n ? x + y : x + y - n; }
  /// A number below n < 2^32 from the mixed bits of x. The mixer is the last step of splitmix64, Stafford's variant 13.
  static std::uint64_t below(std::uint64_t x, std::uint64_t n) {
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return (x >> 32) * n >> 32;
  }

  std::int64_t size_;
  std::uint64_t a_ = 1, b_ = 1;
  std::uint64_t keys_[rounds];
};

}  // namespace synthdata
