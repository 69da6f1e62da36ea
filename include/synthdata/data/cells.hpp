// synthdata/data/cells.hpp: the text of one cell into a value and back, for numbers and date-times.
//
// Parsing also says how the value was spelled, so that a column can tell whether one format gives back all its cells.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/number.hpp>
#include <synthdata/data/schema.hpp>

#include <limits>

namespace synthdata::detail {

/// True for an integer of 64 bits just as we would write it: "0", "-12"; not "+5", "007", "-0".
bool parse_integer(std::string_view text, std::int64_t& value);

/// True for a decimal number. Not one: "007" (a code), more than 18 digits without point or exponent, blanks, "nan".
bool parse_number(std::string_view text, Number& number);

void append_integer_cell(std::string& out, std::int64_t value);
/// As the column's decimals, whole_point and exponents say; "nan", "inf", "-inf".
void append_real_cell(std::string& out, double value, const ColumnSchema& format);

struct DateTimeFormat {
  std::string pattern, zone;
  friend bool operator==(const DateTimeFormat&, const DateTimeFormat&) = default;
};
/// The formats that give back `text` exactly, the likelier first: where day and month could be either, the month leads
/// unless `day_first`.
std::vector<DateTimeFormat> date_time_formats(std::string_view text, bool day_first);
/// True if `text` is just what append_date_time_cell would write.
bool parse_date_time(std::string_view text, std::string_view pattern, std::string_view zone,
                     std::int64_t& microseconds);
void append_date_time_cell(std::string& out, std::int64_t microseconds, std::string_view pattern,
                           std::string_view zone);
/// Means and quantiles of date-times as whole microseconds; beyond the range of int64, its nearest end.
inline std::int64_t whole_microseconds(double number) {
  constexpr double end = 0x1p63;
  if (number >= end) return std::numeric_limits<std::int64_t>::max();
  return number >= -end ? static_cast<std::int64_t>(number) : std::numeric_limits<std::int64_t>::min();
}

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/cells_impl.hpp>
#endif
