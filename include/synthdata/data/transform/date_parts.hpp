// synthdata/data/transform/date_parts.hpp: a date-time as year, month, day, weekday, hour, minute, second.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/transform.hpp>

namespace synthdata::transform {

/// Each part is one number in [-1, 1], or, `cyclic`, the sine and cosine of its place in the cycle, so that December
/// is near January; years always are one number, over the training years. Parts are those of the local clock of the
/// column's zone.
///
/// Decoding reads year, month and day, and the time of day as far as the column's pattern has it; the weekday is
/// ignored, and a day that the month lacks becomes its last. It is exact for the column's unit.
class DateParts {
 public:
  static constexpr const char* name = "date_parts";
  static constexpr bool takes_missing = false;
  bool cyclic = false;
  /// Of "ymdwHMS": year, month, day, weekday, hour, minute, second with its fraction; empty for those of the column's
  /// pattern.
  std::string parts{};

  DateParts() = default;
  /// @throws DataError for another letter, or one twice
  explicit DateParts(bool as_cycles, std::string which = {});

  /// @throws DataError unless the column is of date-times
  void fit(const Training& training);
  std::vector<EncodedBlock> blocks() const;
  void encode(std::span<const double> values, float* out, std::int64_t stride, Rng* rng) const;
  /// @throws DataError if the parts do not determine the date-time, see invertible()
  void decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const;
  /// True if `parts` has all that the column's pattern has.
  bool invertible() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("cyclic", self.cyclic);
    v("parts", self.parts);
    v("needed", self.needed_);
    v("offset_minutes", self.offset_minutes_);
    v("first_year", self.first_year_);
    v("last_year", self.last_year_);
  }
  void prepare();  ///< checks what was loaded

 private:
  std::string needed_{};             // parts of the column's pattern
  std::int64_t offset_minutes_ = 0;  // of the zone, east of UTC
  std::int64_t first_year_ = 1970, last_year_ = 1970;
};

}  // namespace synthdata::transform

namespace synthdata::detail {
/// The smallest step of date-times in a pattern, in microseconds: a day for "%Y-%m-%d".
std::int64_t date_time_unit(std::string_view pattern);
/// The nearest multiple of the unit on the local clock of the zone.
double round_date_time(double microseconds, std::int64_t unit, std::string_view zone);
}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/date_parts_impl.hpp>
#endif
