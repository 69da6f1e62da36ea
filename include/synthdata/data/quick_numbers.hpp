// synthdata/data/quick_numbers.hpp: the numbers that nearly all cells hold, fast.
//
// Integers and decimals of up to 19 digits are read eight digits at a time and rounded by one 128-bit product (Lemire
// 2021, arXiv:2101.11408); what the rounding left over says whether fewer digits would have done. All else is left to
// cells.hpp, which takes std::from_chars and compares with what we would write. Included by bodies and tests only.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/number.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace synthdata::detail {

__extension__ using Unsigned128 = unsigned __int128;

inline constexpr std::uint64_t powers_of_ten[20] = {1u,
                                                    10u,
                                                    100u,
                                                    1000u,
                                                    10000u,
                                                    100000u,
                                                    1000000u,
                                                    10000000u,
                                                    100000000u,
                                                    1000000000u,
                                                    10000000000u,
                                                    100000000000u,
                                                    1000000000000u,
                                                    10000000000000u,
                                                    100000000000000u,
                                                    1000000000000000u,
                                                    10000000000000000u,
                                                    100000000000000000u,
                                                    1000000000000000000u,
                                                    10000000000000000000u};

inline constexpr double exact_powers_of_ten[20] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

struct Reciprocal {
  std::uint64_t high = 0, low = 0;
};
/// 5^-n as 128 bits with the first one set, rounded up.
inline constexpr std::array<Reciprocal, 20> reciprocals_of_five = [] {
  std::array<Reciprocal, 20> table{};
  table[0] = {std::uint64_t{1} << 63, 0};
  std::uint64_t power = 1;
  for (std::size_t n = 1; n < table.size(); ++n) {
    power *= 5;
    const int bits = 64 - std::countl_zero(power) + 127;
    std::uint64_t rest = 0;
    Unsigned128 quotient = 0;
    for (int bit = bits; bit >= 0; --bit) {  // 2^bits divided by the power
      rest = 2 * rest + (bit == bits);
      quotient <<= 1;
      if (rest >= power) {
        rest -= power;
        quotient |= 1;
      }
    }
    ++quotient;
    table[n] = {static_cast<std::uint64_t>(quotient >> 64), static_cast<std::uint64_t>(quotient)};
  }
  return table;
}();

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// Eight characters, the first in the lowest byte.
[[gnu::always_inline]] inline std::uint64_t load8(const char* at) {
  std::uint64_t x;
  std::memcpy(&x, at, 8);
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  return x;
}
/// 0 if all eight are digits.
[[gnu::always_inline]] inline std::uint64_t not_digits(std::uint64_t x) {
  return ((x & 0xf0f0f0f0f0f0f0f0u) | ((x + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4) ^ 0x3333333333333333u;
}
[[gnu::always_inline]] inline std::uint64_t number_of_digits(std::uint64_t x) {
  x -= 0x3030303030303030u;
  x = x * 10 + (x >> 8);
  return ((x & 0x000000ff000000ffu) * 0x000f424000000064u + (x >> 16 & 0x000000ff000000ffu) * 0x0000271000000001u) >>
         32;
}
/// The `count` digits (1 to 8) before `end`, with zeros in front; reads 8 bytes.
[[gnu::always_inline]] inline std::uint64_t load_tail(const char* end, std::ptrdiff_t count) {
  const std::uint64_t keep = ~std::uint64_t{0} << (64 - 8 * count);
  return (load8(end - 8) & keep) | (0x3030303030303030u & ~keep);
}
/// `count` digits (1 to 18) before `end` as a number; false if one is no digit. Reads at most 10 bytes before them.
[[gnu::always_inline]] inline bool digits_before(const char* end, std::ptrdiff_t count, std::uint64_t& value) {
  if (count <= 8) {
    const std::uint64_t x = load_tail(end, count);
    value = number_of_digits(x);
    return not_digits(x) == 0;
  }
  // one path for 9 to 18, since how many digits a printed f64 has is hard to predict
  const std::uint64_t last = load8(end - 8), middle = load_tail(end - 8, count < 16 ? count - 8 : 8);
  const auto digit = [&](std::ptrdiff_t n) {  // 0 if there is none; a mask, lest it become a jump
    const auto there = static_cast<unsigned>((n - 1 - count) >> 63);
    return (static_cast<unsigned>(static_cast<unsigned char>(end[-n])) - '0') & there;
  };
  const unsigned near = digit(17), far = digit(18);
  value = (far * 10 + near) * powers_of_ten[16] + number_of_digits(middle) * powers_of_ten[8] + number_of_digits(last);
  return ((not_digits(last) | not_digits(middle)) == 0) & (near < 10) & (far < 10);
}

/// parse_integer for cells with 16 readable bytes in front of them. False also leaves rare spellings to the other.
[[gnu::always_inline]] inline bool quick_integer(const char* begin, const char* end, std::int64_t& value) {
  const bool negative = begin != end && *begin == '-';
  begin += negative;
  const std::ptrdiff_t count = end - begin;
  if (count < 1 || count > 18) return false;
  std::uint64_t number = 0;
  if (!digits_before(end, count, number) || (*begin == '0' && (count > 1 || negative))) return false;
  value = negative ? -static_cast<std::int64_t>(number) : static_cast<std::int64_t>(number);
  return true;
}

enum class Shortest : std::uint8_t { no, yes, unsure };

/// digits / 10^decimals rounded to f64, for digits in [10^15, 10^19), decimals in 1 ... 19; and whether no decimal of
/// fewer digits, and none nearer of as many, has the same f64.
[[gnu::always_inline]] inline double round_decimal(std::uint64_t digits, int decimals, Shortest& shortest) {
  const int zeros = std::countl_zero(digits);
  const Reciprocal& reciprocal = reciprocals_of_five[static_cast<std::size_t>(decimals)];
  const Unsigned128 coarse = static_cast<Unsigned128>(digits << zeros) * reciprocal.high;
  const Unsigned128 product = coarse + (static_cast<Unsigned128>(digits << zeros) * reciprocal.low >> 64);
  const auto high = static_cast<std::uint64_t>(product >> 64), low = static_cast<std::uint64_t>(product);
  const int upper = static_cast<int>(high >> 63);
  std::uint64_t mantissa = high >> (upper + 9);
  if (low <= 1 && decimals <= 4 && (mantissa & 3) == 1 && mantissa << (upper + 9) == high) {
    mantissa &= ~std::uint64_t{1};  // half way: to the even neighbour
  }
  mantissa += mantissa & 1;
  mantissa >>= 1;
  // ((152170 + 65536) q >> 16) is floor(q log2 10)
  int exponent = (((152170 + 65536) * -decimals) >> 16) + 63 + upper - zeros + 1023;
  const bool power_of_two = mantissa <= std::uint64_t{1} << 52 || mantissa >= std::uint64_t{2} << 52;
  if (power_of_two) {
    shortest = Shortest::unsure;  // neighbours at two distances
    if (mantissa >= std::uint64_t{2} << 52) {
      mantissa >>= 1;
      ++exponent;
    }
  } else if (digits >= powers_of_ten[17]) {
    shortest = Shortest::no;  // 17 always do
  } else {
    // how far the decimal lies above the f64, and the distance of f64s, in units of the decimal's last digit
    const auto ulp = std::bit_cast<double>(static_cast<std::uint64_t>(exponent - 52) << 52);
    const double unit = ulp * exact_powers_of_ten[decimals], half = 0.5 * unit;
    const double off = static_cast<double>(static_cast<std::int64_t>(high - (mantissa << (upper + 10)))) +
                       static_cast<double>(static_cast<std::int64_t>(low >> 1)) * 0x1p-63;
    constexpr double scales[] = {0x1p-10, 0x1p-11};
    const double above = off * unit * scales[upper];
    const double below_it = std::fabs(static_cast<double>(static_cast<std::int64_t>(digits % 10)) - above);
    const double to_shorter = 5.0 - std::fabs(below_it - 5.0);  // the nearer multiple of ten, without a branch
    constexpr double margin = 1e-6;                             // far above the error of these few operations
    if (to_shorter > half + margin && std::fabs(above) < 0.5 - margin) {
      shortest = Shortest::yes;
    } else if (to_shorter < half - margin || std::fabs(above) > 0.5 + margin) {
      shortest = Shortest::no;
    } else {
      shortest = Shortest::unsure;
    }
  }
  return std::bit_cast<double>((mantissa & ~(std::uint64_t{1} << 52)) | static_cast<std::uint64_t>(exponent) << 52);
}

/// parse_number for cells with 16 readable bytes in front of them. False also leaves rare spellings to the other.
[[gnu::always_inline]] inline bool quick_number(const char* begin, const char* end, Number& number) {
  const bool negative = begin != end && *begin == '-';
  begin += negative;
  std::uint64_t whole = 0;
  const char* at = begin;
  for (; at != end && is_digit(*at); ++at) whole = whole * 10 + static_cast<std::uint64_t>(*at - '0');
  const std::ptrdiff_t whole_digits = at - begin;
  if (whole_digits < 1 || whole_digits > 15 || (*begin == '0' && whole_digits > 1)) return false;
  if (at == end) {
    const auto value = static_cast<double>(static_cast<std::int64_t>(whole));
    number = {negative ? -value : value, 0, spelled_whole};
    return true;
  }
  const std::ptrdiff_t decimals = end - at - 1;
  if (*at != '.' || decimals < 1 || whole_digits + decimals > 19) return false;
  std::uint64_t fraction = 0;
  if (!digits_before(end, decimals, fraction)) return false;
  const std::uint64_t digits = whole * powers_of_ten[decimals] + fraction;

  std::uint8_t spelling = 0;
  double value = 0.0;
  if (digits <
      powers_of_ten[15]) {  // both are exact, so the quotient is rounded once; and 15 digits are never too many
    value = static_cast<double>(static_cast<std::int64_t>(digits)) / exact_powers_of_ten[decimals];
    if (end[-1] == '0') spelling = decimals == 1 ? spelled_point_zero : spelled_not_shortest;
    if (whole == 0 && digits != 0 && value < 1e-4) spelling |= spelled_digits;
  } else {
    if (end[-1] == '0') return false;
    Shortest shortest{};
    value = round_decimal(digits, static_cast<int>(decimals), shortest);
    if (shortest == Shortest::unsure) return false;
    spelling = shortest == Shortest::yes ? spelled_not_fixed : spelled_not_fixed | spelled_not_shortest;
    if (whole == 0 && value < 1e-4) spelling |= spelled_digits;
  }
  // signs are hard to predict
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) | static_cast<std::uint64_t>(negative) << 63);
  number = {value, static_cast<int>(decimals), spelling};
  return true;
}

}  // namespace synthdata::detail
