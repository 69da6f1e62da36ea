// synthdata/data/schema.hpp: the names, types and spellings of a table's columns.
//
// A schema says all that is needed to write a table's values with the very characters they were read from. The rule:
// either one format of the column gives back every cell exactly, or the column keeps the text of each cell beside its
// values (`as_written`). Nothing is ever rounded, trimmed or padded in between.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>

#include <string>
#include <vector>

namespace synthdata {

/// What the values of a column are.
enum class ColumnType : std::uint8_t {
  integer,      ///< 64 bits
  real,         ///< f64
  boolean,      ///< one byte
  categorical,  ///< a number 0 ... categories - 1 in 8, 16 or 32 bits, as few as do
  text,         ///< UTF-8, its bytes and an offset of 64 bits
  date_time,    ///< microseconds in 64 bits, since 1970 in UTC where the zone is known, else since 1970 by local clocks
  identifier,   ///< as text: names a record and says nothing about it, so it is not for training
};
const char* name_of(ColumnType type);
void append(std::string& out, ColumnType type);  // found by concat()

struct ColumnSchema;
namespace detail {
/// "age", "sex", "income": at most the first 20.
std::string list_names(const std::vector<ColumnSchema>& columns);
}  // namespace detail

/// One column's name, type and how its values are spelled.
struct ColumnSchema {
  std::string name{};
  ColumnType type = ColumnType::text;

  /// Real: digits after the point, the same in every cell ("1.50" has 2); -1 for the fewest digits that give the number
  /// back, laid out like Python: 0.1, 1e-05 (below 1e-4 and from 1e16 on).
  int decimals = -1;
  bool whole_point = false;  ///< real, decimals -1: whole numbers end in ".0"
  bool exponents = true;     ///< real, decimals -1: false for digits only, however small or large the number

  std::string true_text = "true", false_text = "false";  ///< boolean

  /// Date-time: %Y %m %d %H %M %S have leading zeros, %-m %-d %-H do not, %6f are the digits of a fraction of a second
  /// (1 to 6); all else stands for itself. A pattern without %Y is a time of day.
  std::string pattern{};
  std::string zone{};  ///< date-time: what follows the pattern: "" (not known), "Z", "+02:00" or "+0200"

  std::vector<std::string> categories{};  ///< categorical: the texts of the codes

  std::string missing{};    ///< spelling of a missing value
  bool as_written = false;  ///< the text of each cell is kept: no format above gives back all of them

  friend bool operator==(const ColumnSchema&, const ColumnSchema&) = default;
};

/// The columns of a table, in order. Edit it freely and give it to read_csv.
struct Schema {
  std::vector<ColumnSchema> columns;

  /// The column of that name, or null.
  const ColumnSchema* find(std::string_view name) const;
  ColumnSchema* find(std::string_view name);
  /// The same, but a name that is not there is a DataError that lists those that are.
  const ColumnSchema& operator[](std::string_view name) const;
  ColumnSchema& operator[](std::string_view name);

  /// An aligned line for each column: name, type, spelling.
  std::string str() const;

  Json json() const;
  /// @throws DataError naming what is missing or unknown.
  static Schema from_json(const Json& json);
  /// As a JSON file, atomically. @throws DataError
  void save(const std::string& path) const;
  static Schema load(const std::string& path);

  friend bool operator==(const Schema&, const Schema&) = default;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/schema_impl.hpp>
#endif
