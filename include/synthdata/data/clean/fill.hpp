// synthdata/data/clean/fill.hpp: missing values replaced by one value a column, or by those of the rows around.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata {

class FillMissing;

/// What takes the place of a missing value.
enum class Fill : std::uint8_t {
  constant,  ///< FillMissingOptions::value
  mean,      ///< of the training data; booleans and categories get their mode
  median,    ///< the same; of an even number of values the mean of the middle two
  mode,      ///< the most frequent value; of equally frequent ones the least, of categories the first
  forward,   ///< the last value above it; none for rows before the first value, which stay missing
  linear,    ///< on the line between the values above and below, by row; beyond the ends the nearest value.
             ///< Not for booleans and categories.
};
const char* name_of(Fill fill);
void append(std::string& out, Fill fill);  // found by concat()

struct FillMissingOptions {
  using Step = FillMissing;
  Fill fill = Fill::median;
  std::vector<std::string> columns{};  ///< empty: all that `fill` is for, without texts and identifiers
  std::string value{};                 ///< of Fill::constant, spelled as a cell of the column is
};

/// Fills missing values. Values come out as the column can say them: integers are rounded, reals rounded to the
/// column's decimals, date-times cut to what their pattern shows.
///
/// Forward and linear filling learn nothing, and look at one table at a time: pieces of a stream are filled each on its
/// own.
class FillMissing {
 public:
  static constexpr const char* kind = "fill missing";
  /// @throws DataError for a column that is not there, or of a type that `fill` is not for; for one without any value
  /// to learn from; for a mean of infinite values; for a constant that the column cannot hold.
  static FillMissing fit(const Table& training, const FillMissingOptions& options = {});
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static FillMissing load(const Archive& archive, const std::string& prefix);

 private:
  struct Value {
    double number = 0.0;
    std::int64_t integer = 0;
    bool exact = false;  // `integer` is the value, not `number`
    std::string text{};  // of categories and texts
  };
  Value learn(const Column& column, const std::string& constant) const;

  Fill fill_ = Fill::median;
  detail::FittedColumns columns_;
  std::vector<Value> values_;  // one a column; none for forward and linear
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/fill_impl.hpp>
#endif
