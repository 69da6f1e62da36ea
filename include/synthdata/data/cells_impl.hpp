// synthdata/data/cells_impl.hpp: bodies of data/cells.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/quick_numbers.hpp>

#include <charconv>
#include <cmath>
#include <limits>

namespace synthdata::detail {

SYNTHDATA_INLINE bool parse_integer(std::string_view text, std::int64_t& value) {
  const bool negative = text.starts_with('-');
  if (text.size() > 20 || text.size() <= static_cast<std::size_t>(negative)) return false;
  if (text[negative] == '0' && text.size() > 1) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

SYNTHDATA_INLINE bool parse_number(std::string_view text, Number& number) {
  number = {};
  if (text == "inf" || text == "-inf") {
    number.value = text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  if (text.empty() || text.size() > 400) return false;
  std::size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  const auto digits = [&] {
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - start;
  };
  const std::size_t whole_at = at, whole_digits = digits();
  const bool point = at < text.size() && text[at] == '.';
  at += point;
  const std::size_t decimals = point ? digits() : 0;
  if (whole_digits + decimals == 0) return false;
  const bool exponent = at < text.size() && (text[at] == 'e' || text[at] == 'E');
  if (exponent) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  if (at != text.size()) return false;
  if (whole_digits > 1 && text[whole_at] == '0') return false;
  std::int64_t integer = 0;
  if (!point && !exponent && whole_digits > 18 && !parse_integer(text, integer)) return false;

  const char* const begin = text.data() + (text[0] == '+');
  if (std::from_chars(begin, text.data() + text.size(), number.value).ec != std::errc()) return false;
  number.decimals = static_cast<int>(decimals);

  const auto shortest = [&](bool whole_point, bool exponents) {
    ColumnSchema format;
    format.whole_point = whole_point;
    format.exponents = exponents;
    std::string out;
    append_real_cell(out, number.value, format);
    return out;
  };
  if (exponent) {
    number.spelling = text == shortest(false, true) ? spelled_exponent : spelled_not_shortest;
  } else if (text == shortest(false, false)) {
    number.spelling = point ? 0 : spelled_whole;
  } else if (text == shortest(true, false)) {
    number.spelling = spelled_point_zero;
  } else {
    number.spelling = spelled_not_shortest;
  }
  if (!exponent && shortest(false, true).find('e') != std::string::npos) number.spelling |= spelled_digits;
  if (decimals > 0 && !exponent && decimals <= 300) {
    ColumnSchema format;
    format.decimals = number.decimals;
    std::string fixed;
    append_real_cell(fixed, number.value, format);
    if (text != fixed) number.spelling |= spelled_not_fixed;
  } else {
    number.spelling |= spelled_not_fixed;
  }
  if (number.spelling == (spelled_whole | spelled_not_fixed))
    number.spelling = spelled_whole;  // decimals 0 says as much
  return true;
}

SYNTHDATA_INLINE void append_integer_cell(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof buffer, value).ptr - buffer));
}

SYNTHDATA_INLINE void append_real_cell(std::string& out, double value, const ColumnSchema& format) {
  char buffer[700];  // the longest: 309 digits before and 300 after the point
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    return;
  }
  if (format.decimals >= 0) {
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, format.decimals);
    out.append(buffer, static_cast<std::size_t>(end.ptr - buffer));
    return;
  }
  if (std::signbit(value)) out += '-';
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));  // "d.ddde-05"
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* const sign = text.data() + e + 1;
  std::from_chars(sign + (*sign == '+'), end.ptr, exponent);
  if (format.exponents && (exponent < -4 || exponent >= 16)) {
    out += text;
    return;
  }
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const auto count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += digits;
  } else if (exponent + 1 >= count) {
    out += digits;
    out.append(static_cast<std::size_t>(exponent + 1 - count), '0');
    if (format.whole_point) out += ".0";
  } else {
    const auto point = static_cast<std::size_t>(exponent + 1);
    out.append(digits, 0, point).append(1, '.').append(digits, point);
  }
}

inline constexpr std::int64_t microseconds_a_second = 1'000'000, seconds_a_day = 86'400;

/// Days from 1970-01-01 in the Gregorian calendar, and back. Source: H. Hinnant, "chrono-compatible low-level date
/// algorithms".
SYNTHDATA_INLINE std::int64_t days_of(std::int64_t year, int month, int day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400, year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}
SYNTHDATA_INLINE void date_of(std::int64_t days, std::int64_t& year, int& month, int& day) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097, day_of_era = days - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  year = year_of_era + era * 400 + (month <= 2);
}

/// Minutes east of UTC of "+02:00", "-0530" or "Z"; 0 for "".
SYNTHDATA_INLINE bool parse_zone(std::string_view zone, int& minutes) {
  minutes = 0;
  if (zone.empty() || zone == "Z") return true;
  const bool colon = zone.size() == 6 && zone[3] == ':';
  if ((zone.size() != 5 && !colon) || (zone[0] != '+' && zone[0] != '-')) return false;
  const char digits[] = {zone[1], zone[2], zone[zone.size() - 2], zone[zone.size() - 1]};
  for (const char digit : digits) {
    if (!is_digit(digit)) return false;
  }
  const int hours = 10 * (digits[0] - '0') + digits[1] - '0', rest = 10 * (digits[2] - '0') + digits[3] - '0';
  if (hours > 15 || rest > 59) return false;
  minutes = (zone[0] == '-' ? -1 : 1) * (60 * hours + rest);
  return true;
}

SYNTHDATA_INLINE bool parse_date_time(std::string_view text, std::string_view pattern, std::string_view zone,
                                      std::int64_t& microseconds) {
  int offset = 0;
  if (!text.ends_with(zone) || !parse_zone(zone, offset)) return false;
  text.remove_suffix(zone.size());
  std::int64_t year = 1970, part = 0, fraction = 0;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::size_t at = 0;
  const auto number = [&](std::size_t width, bool padded) {
    std::size_t count = 0;
    for (part = 0; count < width && at < text.size() && is_digit(text[at]); ++at, ++count) {
      part = part * 10 + (text[at] - '0');
    }
    if (padded) return count == width;
    return count == 1 || (count == 2 && text[at - 2] != '0');
  };
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] != '%' || p + 1 == pattern.size()) {
      if (at == text.size() || text[at++] != pattern[p]) return false;
      continue;
    }
    char code = pattern[++p];
    const bool padded = code != '-';
    if (!padded && ++p < pattern.size()) code = pattern[p];
    if (is_digit(code)) {  // %6f
      const auto width = static_cast<std::size_t>(code - '0');
      if (++p == pattern.size() || width < 1 || width > 6 || !number(width, true)) return false;
      fraction = part * static_cast<std::int64_t>(powers_of_ten[6 - width]);
      continue;
    }
    if (!number(code == 'Y' ? 4 : 2, padded)) return false;
    if (code == 'Y') year = part;
    if (code == 'm') month = static_cast<int>(part);
    if (code == 'd') day = static_cast<int>(part);
    if (code == 'H') hour = static_cast<int>(part);
    if (code == 'M') minute = static_cast<int>(part);
    if (code == 'S') second = static_cast<int>(part);
  }
  constexpr int days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (at != text.size() || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day < 1 || day > days_in[month - 1] + (month == 2 && leap)) return false;
  const std::int64_t seconds =
      days_of(year, month, day) * seconds_a_day + hour * 3600 + (minute - offset) * 60 + second;
  microseconds = seconds * microseconds_a_second + fraction;
  return true;
}

SYNTHDATA_INLINE void append_date_time_cell(std::string& out, std::int64_t microseconds, std::string_view pattern,
                                            std::string_view zone) {
  int offset = 0;
  parse_zone(zone, offset);
  // The quotients round down, also before 1970.
  constexpr std::int64_t a_day = seconds_a_day * microseconds_a_second;
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min() / 2;  // no overflow below
  std::int64_t local = microseconds < least ? least : microseconds > -least ? -least : microseconds;
  local += offset * 60 * microseconds_a_second;
  const std::int64_t days = (local >= 0 ? local : local - a_day + 1) / a_day, time = local - days * a_day;
  const std::int64_t second = time / microseconds_a_second, fraction = time % microseconds_a_second;
  std::int64_t year = 0;
  int month = 0, day = 0;
  date_of(days, year, month, day);
  const auto number = [&](std::int64_t value, std::size_t width) {
    const std::size_t start = out.size();
    append_integer_cell(out, value);
    if (out.size() - start < width) out.insert(start, width - (out.size() - start), '0');
  };
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] != '%' || p + 1 == pattern.size()) {
      out += pattern[p];
      continue;
    }
    char code = pattern[++p];
    const std::size_t width = code == '-' ? 1 : 2;
    if (code == '-' && ++p < pattern.size()) code = pattern[p];
    if (is_digit(code)) {
      const auto digits = static_cast<std::size_t>(code - '0');
      ++p;
      number(fraction / static_cast<std::int64_t>(powers_of_ten[digits < 6 ? 6 - digits : 0]), digits);
    }
    if (code == 'Y') number(year, 4);
    if (code == 'm') number(month, width);
    if (code == 'd') number(day, width);
    if (code == 'H') number(second / 3600, width);
    if (code == 'M') number(second / 60 % 60, width);
    if (code == 'S') number(second % 60, width);
  }
  out += zone;
}

SYNTHDATA_INLINE std::vector<DateTimeFormat> date_time_formats(std::string_view text, bool day_first) {
  std::vector<DateTimeFormat> formats;
  if (text.size() < 4 || text.size() > 40 || !is_digit(text[0])) return formats;
  std::string_view zone, rest = text;
  if (text.ends_with('Z')) zone = "Z";
  if (const std::size_t sign = text.find_last_of("+-"); sign != std::string_view::npos && sign > 12) {
    zone = text.substr(sign);
  }
  rest.remove_suffix(zone.size());
  std::string fraction;
  if (const std::size_t point = rest.rfind('.'); point != std::string_view::npos && rest.find(':') < point) {
    fraction = concat(".%", rest.size() - point - 1, "f");
  }
  const std::string_view dates[] = {
      "%Y-%m-%d",   "%Y/%m/%d",   "%Y.%m.%d",   "%m/%d/%Y",   "%d/%m/%Y",   "%m-%d-%Y",   "%d-%m-%Y",   "%d.%m.%Y",
      "%-m/%-d/%Y", "%-d/%-m/%Y", "%-m-%-d-%Y", "%-d-%-m-%Y", "%-d.%-m.%Y", "%Y/%-m/%-d", "%Y-%-m-%-d", ""};
  const std::string_view times[] = {"", "%H:%M:%S", "%H:%M", "%-H:%M:%S", "%-H:%M"};
  std::int64_t ignored = 0;
  const auto collect = [&](bool with_ambiguous_day) {
    for (const std::string_view date : dates) {
      const bool day_leads = date.find('d') < date.find('m');
      const bool ambiguous = date.ends_with("Y") && date.find('.') == std::string_view::npos;
      if ((ambiguous && day_leads != day_first) != with_ambiguous_day) continue;
      for (const std::string_view time : times) {
        for (const std::string_view between : {" ", "T"}) {
          if ((date.empty() || time.empty()) && between == "T") continue;
          const bool both = !date.empty() && !time.empty();
          std::string pattern = concat(date, both ? between : "", time, time.ends_with("S") ? fraction : "");
          if (!pattern.empty() && parse_date_time(text, pattern, zone, ignored)) {
            formats.push_back({std::move(pattern), std::string(zone)});
          }
        }
      }
    }
  };
  collect(false);
  collect(true);
  return formats;
}

}  // namespace synthdata::detail
