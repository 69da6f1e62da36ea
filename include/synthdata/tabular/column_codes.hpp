// synthdata/tabular/column_codes.hpp: the columns of a table as small whole numbers, and back.
//
// A column becomes one code a row (two where it has many categories). Codes stand for: a missing value; one value, if
// enough rows have it; a range of values; a category; all rare categories together. What few rows have is never written
// down: a value or category with fewer than `rare_below` rows has no code of its own.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/table.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/tabular/value_counts.hpp>

#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

namespace synthdata::models {

struct ColumnCodesOptions {
  /// Codes of a numeric column, at most. Values that many rows share get their own, the others equal parts of the rows.
  std::int64_t bins = 256;
  /// Values and categories with fewer rows have no code of their own; 1: all have.
  std::int64_t rare_below = 5;
  /// A column of more categories than this is given as two codes.
  std::int64_t max_codes = 1024;
  /// Columns of at most so many different numbers, or texts, are counted exactly; beyond that as NumberCounts and
  /// TextCounts say. Memory while a column is looked at: about 32 bytes a number, 150 a text.
  std::int64_t max_numbers = std::int64_t{1} << 17;
  std::int64_t max_texts = std::int64_t{1} << 20;
};

class ColumnCodes;

/// Finds the codes of a column that comes piece by piece. The pieces do not matter, only their rows and order.
class ColumnCodesFit {
 public:
  /// @throws DataError for options out of range.
  explicit ColumnCodesFit(const ColumnSchema& schema, const ColumnCodesOptions& options = {});
  /// Takes the next rows. @throws DataError for another type, and for infinite values
  void add(const Column& piece);
  std::int64_t rows() const { return rows_; }
  /// The codes; gives the counts away, so it is called once. @throws DataError if there were no rows
  ColumnCodes finish();

 private:
  ColumnSchema schema_;
  ColumnCodesOptions options_;
  std::int64_t rows_ = 0;
  bool missing_ = false;
  NumberCounts numbers_;
  bool any_ = false;
  double first_ = 0.0;        // of the numbers
  std::int64_t divisor_ = 0;  // of their distances, where they are whole
  TextCounts texts_;
};

/// One column as codes.
class ColumnCodes {
 public:
  ColumnCodes() = default;
  /// ColumnCodesFit of a whole column.
  static ColumnCodes fit(const Column& column, const ColumnCodesOptions& options = {});

  const ColumnSchema& schema() const { return schema_; }
  /// How many codes stand beside each other, and how many values each of them has: {cardinality} or {high, low}.
  const std::vector<std::int64_t>& cardinalities() const { return cardinalities_; }
  /// Codes as one number: high * cardinalities()[1] + low.
  std::int64_t total() const { return total_; }

  /// The code of each row, total() where there is none for its value (a category never seen). Categories are compared
  /// by the text of cells, so the column may be one of texts. @throws DataError for texts in place of numbers.
  std::vector<std::int64_t> encode(const Column& column) const;
  /// Where the decoding of a column that is made piece by piece stands.
  struct Place {
    std::int64_t row = 0;             ///< rows before
    std::vector<std::int64_t> given;  ///< identifiers given out so far, for each code; empty: none
  };
  /// The values that the codes stand for; within a range, and in texts, drawn from rng.split(row). Of ranges only what
  /// lies in [low, high] is drawn. Identifiers never come twice. Where no category or shape has enough rows, categories
  /// are missing, texts empty, and identifiers the numbers of rows from 1.
  /// @throws DataError if a shape of identifiers has fewer different ones than are asked for
  Column decode(const std::vector<std::int64_t>& codes, const Rng& rng,
                double low = -std::numeric_limits<double>::infinity(),
                double high = std::numeric_limits<double>::infinity()) const {
    Place place;
    return decode(codes, rng, place, low, high);
  }
  /// The same for the next rows; moves the place on. Pieces make the rows that the whole would.
  Column decode(const std::vector<std::int64_t>& codes, const Rng& rng, Place& place,
                double low = -std::numeric_limits<double>::infinity(),
                double high = std::numeric_limits<double>::infinity()) const;

  /// False for codes that are never to be sampled: rare categories together, and filling up of the high code.
  bool sampled(std::int64_t code) const;
  /// log of the probability, or density for real numbers, of a value given its code.
  double log_within(std::int64_t code) const;

  /// Share of the code's values in [low, high], from 0 to 1: how a condition weighs it.
  double share_between(std::int64_t code, double low, double high) const;
  /// A column of numbers with this column's type and spelling.
  Column column_of(const std::vector<double>& values, const std::vector<bool>& missing) const;
  /// True for integer, real, boolean and date-time columns.
  bool is_number() const { return kind_ == Kind::numbers; }
  /// True if the code is of numbers, and not of one alone.
  bool is_range(std::int64_t code) const {
    const std::int64_t i = code - missing_;
    return kind_ == Kind::numbers && i >= 0 && low_[static_cast<std::size_t>(i)] < high_[static_cast<std::size_t>(i)];
  }
  /// True if code 0 is a missing value.
  bool has_missing() const { return missing_; }
  /// The number that a cell of this text means. @throws DataError if it is none.
  double value_of(std::string_view text) const;
  /// Codes and cells of all values, if each sampled code but that of a missing one is a single value; else empty.
  std::vector<std::pair<std::int64_t, std::string>> class_texts() const;
  /// The code of a cell of that text; -1 if there is none.
  std::int64_t code_of(std::string_view text) const;
  /// Where the values of a code of numbers that lie in [low, high] begin and end, as shares of all its values, which
  /// are in order and equally likely. Of share_between() > 0 only.
  std::pair<double, double> part_between(std::int64_t code, double low, double high) const;
  /// The value a share, 0 to below 1, of the way through those of a code of numbers that lie in [low, high].
  double value_at(std::int64_t code, double low, double high, double share) const;

  void save(Archive& archive, const std::string& prefix) const;
  /// @throws DataError if the archive does not hold such a column.
  static ColumnCodes load(const Archive& archive, const std::string& prefix);

 private:
  enum class Kind : std::uint8_t {
    numbers,     ///< integer, real, boolean, date-time: one value or a range of them
    categories,  ///< categorical
    shapes,      ///< text, identifier: what their characters look like
  };
  friend class ColumnCodesFit;
  void fit_numbers(NumberCounts counts, std::int64_t divisor, const ColumnCodesOptions& options);
  void fit_texts(TextCounts counts, const ColumnCodesOptions& options);
  std::int64_t number_code(double value) const;
  std::int64_t text_code(std::string_view text) const;
  /// Of a code that stands for numbers: how many values of the grid, or the length, lie in [low, high].
  double measure(double low, double high) const;

  ColumnSchema schema_;  // its categories are those with codes
  Kind kind_ = Kind::categories;
  bool missing_ = false;            // code 0 is a missing value
  std::vector<double> low_, high_;  // numbers: of the codes after that, rising; low == high: one value
  double unit_ = 0.0;               // numbers: values are multiples of it from low on; 0: any
  std::vector<std::string> texts_;  // categories, or shapes: of the codes after that
  bool rare_ = false;               // categories, shapes: the last code is all that have none of their own,
  std::int64_t rare_count_ = 0;     // so many
  std::vector<std::int64_t> cardinalities_;
  std::int64_t total_ = 0;
  std::unordered_map<std::string, std::int64_t, detail::TextHash, std::equal_to<>> text_codes_;  // not saved
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/column_codes_impl.hpp>
#endif
