// synthdata/data/number.hpp: a number, and what its cell says of how the column spells numbers.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace synthdata::detail {

/// What was seen of the spelling of numbers; joined over a column by |.
enum Spelling : std::uint8_t {
  spelled_whole = 1,          ///< "12"
  spelled_point_zero = 2,     ///< "12.0"
  spelled_exponent = 4,       ///< "1e-05", just as Python writes that number
  spelled_digits = 8,         ///< digits only where Python writes an exponent
  spelled_not_shortest = 16,  ///< the fewest digits that give back the number look different
  spelled_not_fixed = 32,     ///< a fixed number of decimals may not give it back
};

/// A number as a cell spelled it.
struct Number {
  double value = 0.0;
  int decimals = 0;
  std::uint8_t spelling = 0;
};

}  // namespace synthdata::detail
