// synthdata/data/privacy/mondrian.hpp: generalisation to k-anonymity by cutting the rows in halves, again and again.
//
// Source: LeFevre, DeWitt, Ramakrishnan 2006, "Mondrian multidimensional k-anonymity". The rows are cut along the
// quasi-identifier of the largest penalty as long as both parts are allowed; each part that cannot be cut is a class,
// whose rows all get the same values.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/report.hpp>
#include <synthdata/data/privacy/anonymity.hpp>

#include <string>
#include <utility>
#include <vector>

namespace synthdata {

/// A tree over the values of a column: {"Paris", "France"}, {"Lyon", "France"}, {"France", "Europe"}, ...
struct Hierarchy {
  std::string column;
  std::vector<std::pair<std::string, std::string>> parents;  ///< a name and what it belongs to; one name has no parent
};

/// What the rows of a class get in place of their values.
enum class Recoding : std::uint8_t {
  range,    ///< texts: "17..25", "Paris | Lyon" or the hierarchy's "France"; "*" if any value is possible
  typical,  ///< the mean (of integers, rounded) or the commonest value: the schema stays that of the table
};

enum class Diversity : std::uint8_t {
  distinct,  ///< at least l different values in a class
  entropy,   ///< exp(entropy) of a class's values at least l
};

struct MondrianOptions {
  std::vector<std::string> quasi_identifiers{};  ///< at least one
  std::int64_t k = 5;                            ///< rows of a class, at least
  bool relaxed = false;                          ///< equal values may go to both parts: classes overlap, cuts are even
  std::vector<std::string> sensitive{};          ///< columns that l, t and the report are about; not changed
  double l = 1.0;                                ///< at least this l-diversity of each class; 1 for none
  Diversity diversity = Diversity::distinct;
  double t = 1.0;  ///< at most this t-closeness of each class; 1 for none
  std::vector<Hierarchy> hierarchies{};
  Recoding recoding = Recoding::range;
};

/// What generalisation cost one column.
struct ColumnLoss {
  std::string column;
  std::int64_t changed = 0;  ///< cells with another text than before
  /// Mean over the rows of the class's extent in the column: its range as a share of the whole table's; for
  /// categories the share of all that are in the class, or of the hierarchy's leaves below its name; 0 for a single
  /// value, 1 for "*". Source: Xu et al. 2006, "Utility-based anonymization", normalised certainty penalty.
  double penalty = 0.0;
};

/// A table without its quasi-identifiers' exact values, and what that cost.
struct Anonymized {
  Table table;
  std::vector<std::int64_t> classes;  ///< of each row, 0, 1, ...
  Anonymity before, after;            ///< measured on the table before and on the one that came out
  std::vector<ColumnLoss> losses;     ///< by quasi-identifier
  double penalty = 0.0;               ///< mean of the losses' penalties: 0 for nothing lost, 1 for all
  /// Rows per class over k, 1 at best. Source: LeFevre et al., as above, C_avg.
  double average_class = 0.0;

  std::string str() const;
  Json json() const;
};

/// Generalises tables; nothing is learned from one table for another, so there is nothing to fit.
///
/// Penalties of the rows at hand decide along which quasi-identifier they are cut first (the earlier one if equal);
/// others follow if no cut of it is allowed. Numbers, dates and categories (in the order of their codes) are cut at
/// the median, before or after those equal to it, whichever is more even; a hierarchy between the names below the
/// lowest that holds all rows. A missing value is a value of its own below all others: if both parts are allowed, the
/// rows with and without it are parted first. A class that has both becomes "*" (missing, for Recoding::typical).
class Mondrian {
 public:
  /// @throws NumericError unless k >= 1, l >= 1 and 0 <= t <= 1; DataError without quasi-identifiers, for one that
  /// comes twice or is sensitive, and for a hierarchy that is no tree.
  explicit Mondrian(MondrianOptions options);

  /// @throws DataError if a column is not there, a value is infinite or not in its hierarchy, or the table as one
  /// class does not do: fewer than k rows, less than l-diverse.
  /// Cost: O(N log(N / k)) times the quasi-identifiers; sorting each column once.
  Anonymized apply(const Table& table, CleaningReport* report = nullptr) const;

  const MondrianOptions& options() const { return options_; }
  Json json() const;
  /// @throws DataError if it is not what json() gives.
  static Mondrian from_json(const Json& json);

 private:
  MondrianOptions options_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/mondrian_impl.hpp>
#endif
