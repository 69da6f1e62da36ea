// synthdata/data/transform/date_parts_impl.hpp: bodies of data/transform/date_parts.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/cells_impl.hpp>
#include <synthdata/data/transform/date_parts.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

/// The letters of "ymdwHMS" that a pattern determines.
SYNTHDATA_INLINE std::string parts_of_pattern(std::string_view pattern) {
  std::string parts;
  const auto has = [&](char letter) {
    for (std::size_t p = pattern.find('%'); p != std::string_view::npos && p + 1 < pattern.size();
         p = pattern.find('%', p + 1)) {
      if (pattern[p + 1] == letter || (pattern[p + 1] == '-' && p + 2 < pattern.size() && pattern[p + 2] == letter)) {
        return true;
      }
    }
    return false;
  };
  for (const auto& [letter, code] : {std::pair{'y', 'Y'}, {'m', 'm'}, {'d', 'd'}, {'H', 'H'}, {'M', 'M'}, {'S', 'S'}}) {
    if (has(code)) parts += letter;
  }
  return parts;
}

SYNTHDATA_INLINE std::int64_t date_time_unit(std::string_view pattern) {
  for (std::size_t p = pattern.find('%'); p != std::string_view::npos && p + 2 < pattern.size();
       p = pattern.find('%', p + 1)) {
    const char digit = pattern[p + 1];
    if (digit >= '1' && digit <= '6' && pattern[p + 2] == 'f') {
      return static_cast<std::int64_t>(powers_of_ten[6 - (digit - '0')]);
    }
  }
  const std::string parts = parts_of_pattern(pattern);
  if (parts.ends_with('S')) return microseconds_a_second;
  if (parts.ends_with('M')) return 60 * microseconds_a_second;
  return (parts.ends_with('H') ? 3600 : seconds_a_day) * microseconds_a_second;
}

SYNTHDATA_INLINE double round_date_time(double microseconds, std::int64_t unit, std::string_view zone) {
  int minutes = 0;
  parse_zone(zone, minutes);
  const double offset = static_cast<double>(minutes) * 60e6, step = static_cast<double>(unit);
  return std::round((microseconds + offset) / step) * step - offset;
}

/// Length of a part's cycle, and what its largest whole value is mapped to 1 by.
struct DatePart {
  double cycle, last;
};
SYNTHDATA_INLINE DatePart date_part(char letter) {
  switch (letter) {
    case 'm':
      return {12, 11};
    case 'd':
      return {31, 30};
    case 'w':
      return {7, 6};
    case 'H':
      return {24, 23};
    case 'M':
      return {60, 59};
    default:
      return {60, 60};
  }
}

}  // namespace detail

namespace transform {

SYNTHDATA_INLINE DateParts::DateParts(bool as_cycles, std::string which) : cyclic(as_cycles), parts(std::move(which)) {
  for (const char letter : parts) {
    if (std::string_view("ymdwHMS").find(letter) == std::string_view::npos ||
        std::count(parts.begin(), parts.end(), letter) > 1) {
      throw DataError(concat("date_parts: expects letters of ymdwHMS, each once, got ", in_quotes(parts)));
    }
  }
}

SYNTHDATA_INLINE void DateParts::fit(const Training& training) {
  if (training.schema.type != ColumnType::date_time) {
    throw DataError(concat("date_parts: expects date-times, got ", training.schema.type));
  }
  needed_ = synthdata::detail::parts_of_pattern(training.schema.pattern);
  if (parts.empty()) parts = needed_;
  int minutes = 0;
  synthdata::detail::parse_zone(training.schema.zone, minutes);
  offset_minutes_ = minutes;
  first_year_ = std::numeric_limits<std::int64_t>::max();
  last_year_ = std::numeric_limits<std::int64_t>::min();
  for (const double value : training.values) {
    std::int64_t year = 0;
    int month = 0, day = 0;
    const double days = std::floor((value + static_cast<double>(minutes) * 60e6) / 86400e6);
    synthdata::detail::date_of(static_cast<std::int64_t>(days), year, month, day);
    first_year_ = std::min(first_year_, year);
    last_year_ = std::max(last_year_, year);
  }
}

SYNTHDATA_INLINE void DateParts::prepare() {
  const DateParts checked(cyclic, parts);
  synthdata::detail::check_loaded(first_year_ <= last_year_ && first_year_ > -1'000'000 && last_year_ < 1'000'000 &&
                                      offset_minutes_ > -1440 && offset_minutes_ < 1440 && needed_.size() <= 7,
                                  name, "years and zone");
}

SYNTHDATA_INLINE bool DateParts::invertible() const {
  return std::all_of(needed_.begin(), needed_.end(), [&](char c) { return parts.find(c) != std::string::npos; });
}

SYNTHDATA_INLINE std::vector<EncodedBlock> DateParts::blocks() const {
  std::vector<EncodedBlock> out;
  for (const char letter : parts) {
    for (int i = 0; i < (cyclic && letter != 'y' ? 2 : 1); ++i) {
      out.push_back({.begin = static_cast<std::int64_t>(out.size()), .low = -1.0, .high = 1.0});
    }
  }
  return out;
}

SYNTHDATA_INLINE void DateParts::encode(std::span<const double> values, float* out, std::int64_t stride, Rng*) const {
  using namespace synthdata::detail;
  for (const double value : values) {
    const double bounded = std::fmin(std::fmax(value, -4e18), 4e18);  // 126,000 years
    const auto local = static_cast<std::int64_t>(bounded) + offset_minutes_ * 60 * microseconds_a_second;
    constexpr std::int64_t a_day = seconds_a_day * microseconds_a_second;
    const std::int64_t days = (local >= 0 ? local : local - a_day + 1) / a_day, time = local - days * a_day;
    const std::int64_t second = time / microseconds_a_second;
    std::int64_t year = 0;
    int month = 0, day = 0;
    date_of(days, year, month, day);
    float* to = out;
    for (const char letter : parts) {
      double part = 0.0;
      switch (letter) {
        case 'y': {
          const auto span = static_cast<double>(last_year_ - first_year_);
          part = static_cast<double>(year - first_year_);
          *to++ = static_cast<float>(span > 0.0 ? part / span * 2.0 - 1.0 : part);
          continue;
        }
        case 'm':
          part = month - 1;
          break;
        case 'd':
          part = day - 1;
          break;
        case 'w':
          part = static_cast<double>(((days + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday; Monday is 0
          break;
        case 'H':
          part = static_cast<double>(second / 3600);
          break;
        case 'M':
          part = static_cast<double>(second / 60 % 60);
          break;
        default:
          part = static_cast<double>(second % 60) +
                 static_cast<double>(time % microseconds_a_second) / static_cast<double>(microseconds_a_second);
      }
      const DatePart of = date_part(letter);
      if (cyclic) {
        const double angle = 6.283185307179586 * part / of.cycle;
        *to++ = static_cast<float>(std::sin(angle));
        *to++ = static_cast<float>(std::cos(angle));
      } else {
        *to++ = static_cast<float>(part / of.last * 2.0 - 1.0);
      }
    }
    out += stride;
  }
}

SYNTHDATA_INLINE void DateParts::decode(const float* in, std::int64_t stride, std::span<double> values, Rng*) const {
  using namespace synthdata::detail;
  if (!invertible()) {
    throw DataError(
        concat("date_parts: the parts ", in_quotes(parts), " do not determine a date-time of ", in_quotes(needed_)));
  }
  for (double& value : values) {
    std::int64_t year = 1970;
    double month = 0, day = 0, hour = 0, minute = 0, second = 0;
    const float* from = in;
    for (const char letter : parts) {
      if (letter == 'y') {
        const auto span = static_cast<double>(last_year_ - first_year_);
        const double x = std::fmin(std::fmax(double{*from++}, -1e6), 1e6);
        year = first_year_ + std::llround(span > 0.0 ? (x + 1.0) / 2.0 * span : x);
        continue;
      }
      const DatePart of = date_part(letter);
      double part = 0.0;
      if (cyclic) {
        part = std::atan2(double{from[0]}, double{from[1]}) / 6.283185307179586 * of.cycle;
        if (letter != 'S') part = std::round(part);
        if (part < 0.0) part += of.cycle;
        from += 2;
      } else {
        part = (double{*from++} + 1.0) / 2.0 * of.last;
        if (letter != 'S') part = std::round(part);
      }
      part = std::fmin(std::fmax(part, 0.0), letter == 'S' ? 59.999999 : of.last);
      (letter == 'm'   ? month
       : letter == 'd' ? day
       : letter == 'H' ? hour
       : letter == 'M' ? minute
       : letter == 'S' ? second
                       : part) = part;
    }
    const int whole_month = static_cast<int>(month) + 1;
    const std::int64_t first = days_of(year, whole_month, 1);
    const std::int64_t length =
        days_of(whole_month == 12 ? year + 1 : year, whole_month == 12 ? 1 : whole_month + 1, 1) - first;
    const auto days = static_cast<double>(first) + std::fmin(day, static_cast<double>(length - 1));
    value = (days * 86400.0 + hour * 3600.0 + (minute - static_cast<double>(offset_minutes_)) * 60.0) * 1e6 +
            std::round(second * 1e6);
    in += stride;
  }
}

}  // namespace transform
}  // namespace synthdata
