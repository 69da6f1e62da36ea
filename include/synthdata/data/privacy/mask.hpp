// synthdata/data/privacy/mask.hpp: cells of which only a part can still be read.
//
// A mask hides, it does not anonymise: what is left (the last digits of a card, the length of a name) can single
// people out together with other columns.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/report.hpp>
#include <synthdata/data/privacy/detect.hpp>
#include <synthdata/data/table.hpp>

#include <string>
#include <vector>

namespace synthdata {

enum class Mask : std::uint8_t {
  redact,      ///< every value becomes the same text, MaskRule::text
  remove,      ///< the column is dropped
  keep_first,  ///< letters and digits after the first `keep` of them become "*"; all other characters stay
  keep_last,   ///< those before the last `keep`: "**** **** **** 1234"
  shape,       ///< letters become a or A, digits 9: "Aaa 99"
  mail,        ///< first character of the name and the domain: "j***@example.com"; no mail address: redacted
  year,        ///< date-times to their year, "%Y"
  month,       ///< date-times to their month, "%Y-%m"
  round,       ///< numbers to the multiple of `unit` below: 1987 with unit 10 becomes 1980
};
const char* name_of(Mask mask);

namespace detail {
/// Letters become a or A, digits 9, all else stays: "AB-12x" -> "AA-99a".
std::string shape_of(std::string_view text);
}  // namespace detail

/// What becomes of one column.
struct MaskRule {
  std::string column;
  Mask mask = Mask::redact;
  int keep = 4;                   ///< keep_first, keep_last: letters and digits that stay
  double unit = 10.0;             ///< round
  std::string text = "redacted";  ///< redact, and cells that have not the form the mask needs
};

/// Masks columns. Missing values stay missing; categories are masked once each, all else cell by cell.
class Masking {
 public:
  /// @throws DataError if a column comes twice; NumericError unless keep >= 0 and unit > 0.
  explicit Masking(std::vector<MaskRule> rules);
  /// One rule for each found column: names and addresses are redacted, mail and IP addresses, phone numbers and birth
  /// dates masked, national ids and IBANs redacted, cards show their last 4 digits.
  static Masking suggested(const PersonalColumns& found);

  /// Characters are those of UTF-8; a byte that is none counts as one.
  /// @throws DataError if a column is not there or its type does not fit: year and month need date-times, round an
  /// integer or real column.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;

  const std::vector<MaskRule>& rules() const { return rules_; }
  Json json() const;
  /// @throws DataError if it is not what json() gives.
  static Masking from_json(const Json& json);

 private:
  std::vector<MaskRule> rules_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/mask_impl.hpp>
#endif
