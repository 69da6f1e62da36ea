// synthdata/tabular/rules.hpp: what holds between the columns of a table, and must hold in rows made from it.
//
//   const Rules rules{rule::less("start", "end"), rule::range("age", 18, 99), rule::fixed_combinations({"city",
//   "country"})}; std::cout << rules.check(table).str();
//
// Unless said otherwise a row with a missing value among the columns of a rule keeps it; NaN counts as missing.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>
#include <synthdata/tabular/condition.hpp>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace synthdata::models {

/// One end of an inequality or range: a column, a number, or a value as its cells are written, such as a date.
class RuleEnd {
 public:
  enum class Kind : std::uint8_t { none, column, number, cell };

  RuleEnd() = default;
  RuleEnd(std::string column) : kind_(Kind::column), text_(std::move(column)) {}  // NOLINT: a name is a column
  RuleEnd(const char* column) : kind_(Kind::column), text_(column) {}             // NOLINT
  template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>)
  RuleEnd(Number value) : kind_(Kind::number), number_(static_cast<double>(value)) {}  // NOLINT
  /// A value as cells of the column that it is held against are written: RuleEnd::cell("2020-01-31").
  static RuleEnd cell(std::string text) {
    RuleEnd end(std::move(text));
    end.kind_ = Kind::cell;
    return end;
  }

  Kind kind() const { return kind_; }
  bool is_column() const { return kind_ == Kind::column; }
  const std::string& text() const { return text_; }  ///< of a column its name, of a cell what it reads
  double number() const { return number_; }

 private:
  Kind kind_ = Kind::none;
  std::string text_;
  double number_ = 0.0;
};

enum class RuleKind : std::uint8_t { inequality, range, fixed_combinations, one_of, sum, unique, predicate };
const char* name_of(RuleKind kind);

/// True if that row of the table is as it should be.
using RowPredicate = std::function<bool(const Table& table, std::int64_t row)>;

/// One rule; made by the functions of namespace `rule`.
struct Rule {
  RuleKind kind{};
  std::vector<std::string> columns{};  ///< all that it names; of a sum the total first
  RuleEnd low{}, high{};               ///< inequality, range
  bool strict = false;                 ///< inequality: < in place of <=
  std::vector<std::string> values{};   ///< one_of
  /// fixed_combinations: cells of the columns, none for a missing value. If empty, those of the table learnt from.
  std::vector<std::vector<std::optional<std::string>>> combinations{};
  double tolerance = 0.0;  ///< sum
  std::string name{};      ///< predicate
  RowPredicate predicate{};

  /// "start" < "end"
  std::string str() const;
};

namespace rule {

/// low < high, between two columns or a column and a constant: numbers, or date-times.
Rule less(RuleEnd low, RuleEnd high);
/// low <= high
Rule less_equal(RuleEnd low, RuleEnd high);
/// low <= column <= high; an end is a number, the text of a cell ("2020-01-31"), or {} for none.
Rule range(std::string column, RuleEnd low, RuleEnd high);
/// Only tuples of values that occur in the table; a missing value is one of a tuple's values.
Rule fixed_combinations(std::vector<std::string> columns);
/// Only these values, by the text of cells; numbers by their value.
Rule one_of(std::string column, std::vector<std::string> values);
/// total = the sum of the parts, within `tolerance` and the rounding of doubles.
Rule sum(std::string total, std::vector<std::string> parts, double tolerance = 0.0);
/// No two rows have the same values in these columns.
Rule unique(std::vector<std::string> columns);
/// Rows for which f is true. The function is not saved with the rules or a model, only its name: after loading it must
/// be given again (Rules::set_predicate, AnyTabularModel::set_predicate). It is called from one thread at a time, and
/// does not see columns that are made anew or left out.
Rule predicate(std::string name, RowPredicate f);

}  // namespace rule

/// How often a table breaks each rule.
struct RuleReport {
  struct Entry {
    std::string rule;
    std::int64_t rows = 0;  ///< that break it; of a unique rule those that repeat an earlier row
    std::int64_t first_row = -1;
    std::string example{};  ///< the columns of that row: "start" = 5, "end" = 3
  };
  std::vector<Entry> rules;

  std::int64_t broken() const;  ///< sum of rows over the rules
  /// A line for each rule.
  std::string str() const;
};

/// A list of rules that do not contradict each other as far as that can be seen.
class Rules {
 public:
  static constexpr std::size_t most = 1000;  ///< rules of one list

  Rules() = default;
  Rules(std::initializer_list<Rule> rules) : Rules(std::vector<Rule>(rules)) {}
  /// @throws DataError for a rule that makes no sense by itself (an empty range, a total among its parts), for
  /// inequalities in a circle, and for bounds that leave a column no value, naming the rules.
  explicit Rules(std::vector<Rule> rules);

  const std::vector<Rule>& list() const { return rules_; }
  bool empty() const { return rules_.empty(); }

  /// Counts the rows that break each rule.
  /// @throws DataError naming rule and column for a column that is not there or of a type the rule has no use for, and
  /// for a predicate without its function.
  RuleReport check(const Table& table) const;

  /// Gives the predicate of that name its function. @throws DataError if there is none of that name
  void set_predicate(const std::string& name, RowPredicate f);

  /// A line for each rule.
  std::string str() const;
  Json json() const;
  /// @throws DataError naming `source` and the rule if it is not what json() gives.
  static Rules from_json(const Json& json, const std::string& source = "rules");
  /// As a JSON file, atomically. @throws DataError
  void save(const std::string& path) const;
  static Rules load(const std::string& path);

 private:
  std::vector<Rule> rules_;
};

namespace detail {

/// 1 for each row of the table that keeps the rule. Of a unique rule: for the first row of each tuple.
std::vector<std::uint8_t> rows_that_keep(const Rule& rule, const Table& table);
/// The column that a rule names. @throws DataError naming the rule if it is not there
const Column& column_of_rule(const Rule& rule, const Table& table, const std::string& name);

/// @param schema  of the columns, to read dates by; null if not known: such ends are then passed over
/// @throws DataError if rules and conditions leave no value
void check_consistent(const std::vector<Rule>& rules, const Schema* schema, const Conditions& conditions = {});

/// Values of some columns as one text: equal texts for equal values, whatever their spelling.
class RowKeys {
 public:
  RowKeys(const Rule& rule, const Table& table);
  std::string operator()(std::int64_t row) const;
  bool any_missing(std::int64_t row) const;

 private:
  std::vector<Column> columns_;
};
/// The same for cells, one for each column.
std::string key_of(const std::vector<std::optional<std::string>>& cells);

}  // namespace detail
}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/rules_impl.hpp>
#endif
