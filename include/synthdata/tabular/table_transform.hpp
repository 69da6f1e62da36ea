// synthdata/tabular/table_transform.hpp: what of a table a model learns, and how rows of the table are made from that.
//
// A fitted transform with its inverse, kept in the model's file. Identifiers and personal columns are not learnt but
// made anew; texts are learnt by their shape; columns that rules tie to others are replaced by ones that cannot break
// the rule. All rules are checked on every row made, and rows that break one are made again.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/privacy/pseudonym.hpp>
#include <synthdata/tabular/made_texts.hpp>
#include <synthdata/tabular/rule_columns.hpp>
#include <synthdata/tabular/training.hpp>

#include <functional>
#include <map>
#include <variant>

namespace synthdata::models {

/// What becomes of a column.
enum class ColumnUse : std::uint8_t {
  automatic,   ///< identifiers and personal columns (detect_personal) are made anew, all others learnt
  learn,       ///< texts by their shape
  regenerate,  ///< not learnt; names, mail addresses or texts of the shapes that occur. Missing values are learnt
  leave_out,   ///< not in the rows made
};
const char* name_of(ColumnUse use);

struct ColumnsOptions {
  std::map<std::string, ColumnUse> uses{};  ///< by name; automatic for all others
  bool personal = true;                     ///< automatic columns are looked at by detect_personal
  /// Shapes of texts and fixed combinations of fewer rows are neither written down nor made; 1: all are.
  std::int64_t rare_below = 5;
};

/// So many rows under conditions.
struct SamplePart {
  std::int64_t rows = 0;
  Conditions conditions{};
};

struct FittedTransform;

class TableTransform {
 public:
  /// Makes rows of the columns that the model has learnt.
  using Maker = std::function<Table(std::int64_t rows, const Conditions& conditions, const SampleOptions& options)>;

  /// Changes nothing.
  TableTransform() = default;

  /// @throws DataError if a rule or option names a column that is not there; if the table breaks a rule, saying by how
  /// many rows and showing one; if rules contradict each other or name columns that are made anew; if nothing is left
  /// to learn.
  static FittedTransform fit(const Table& table, const Rules& rules = {}, const ColumnsOptions& options = {},
                             std::uint64_t seed = 0);

  /// Rows of the table's columns in their order, that keep all rules and meet the conditions; those of the first part
  /// come first. Conditions on fixed combinations are handed to the model, those on other replaced columns are met by
  /// rejection.
  /// @param learnt  schema of the rows that `make` makes
  /// @throws DataError for conditions on columns that are not there, made anew or left out; if conditions and rules
  /// leave no value; and if of 32,768 rows made in a row fewer than one in 10,000 fits, saying how many were found and
  /// which rule or condition stopped most.
  Table sample(const std::vector<SamplePart>& parts, const SampleOptions& options, const Schema& learnt,
               const Maker& make) const;

  /// Makes the next rows each time it is called. Identifiers and what rules call unique differ over all of them, for
  /// which their texts are kept. The transform must outlive it.
  std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions, const SampleOptions& options,
                                                 const Schema& learnt, Maker make) const;

  /// Of the rows of sample(). Categorical columns that are made anew have no list of categories.
  Schema schema(const Schema& learnt) const;
  /// True unless it changes nothing.
  bool changes() const { return changes_; }
  const Rules& rules() const { return rules_; }
  void set_predicate(const std::string& name, RowPredicate f) { rules_.set_predicate(name, std::move(f)); }
  /// A line for each column that is not learnt as it is and for each rule.
  std::string str() const;

  /// As `metadata["transform"]` and entries that begin with "transform.".
  void save(Archive& archive) const;
  /// @throws DataError if what the archive has is damaged; an archive without one gives one that changes nothing.
  static TableTransform load(const Archive& archive);

 private:
  using RuleColumn = std::variant<detail::GapColumn, detail::SumColumn, detail::JointColumn>;
  /// A column of texts: learnt by shape, or made anew.
  struct TextColumn {
    ColumnSchema schema{};
    bool learnt = false;
    std::string made{};  // learnt: the shape, "0", "1", ...; else whether it is missing; empty: nothing is learnt
    bool all_missing = false;
    std::string format{};  // made anew: "" by shape, else a PseudonymFormat
    MadeTexts texts{};
  };
  class Sampling;

  bool is_replaced(std::string_view name) const;
  const TextColumn* find_text(std::string_view name) const;
  void check_order() const;

  bool changes_ = false;
  Rules rules_;                            // fixed combinations with theirs
  std::vector<std::uint8_t> constructed_;  // of each rule, whether columns that cannot break it are learnt
  std::vector<std::string> order_;         // names of the columns of sample()
  std::vector<std::string> left_out_;
  std::vector<RuleColumn> rule_columns_;  // in an order in which they can be restored
  std::vector<TextColumn> text_columns_;
};

/// A transform of a table, and what a model is to learn.
struct FittedTransform {
  TableTransform transform;
  Table table;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/table_transform_impl.hpp>
#endif
