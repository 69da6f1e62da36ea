// synthdata/data/privacy/anonymity.hpp: how well a table hides its people: k-anonymity, l-diversity, t-closeness.
//
// A class is a set of rows that agree in all quasi-identifiers: the columns an attacker may know from elsewhere. A
// missing value is a value of its own.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

#include <string>
#include <vector>

namespace synthdata {

/// How much the classes say about one sensitive column.
struct SensitiveColumn {
  std::string column;
  /// Smallest number of different values in a class. Source: Machanavajjhala et al. 2006, "l-diversity".
  std::int64_t distinct_l = 0;
  /// Smallest exp(entropy) of the values of a class; the same source.
  double entropy_l = 0.0;
  /// Largest earth mover's distance between the values of a class and of all rows, 0 ... 1: by order for numbers and
  /// dates, all values equally far apart for the others. Source: Li, Li, Venkatasubramanian 2007, "t-closeness".
  double t = 0.0;
};

/// Of a table as it is. For a table without rows all numbers are 0.
struct Anonymity {
  std::int64_t rows = 0, classes = 0;
  std::int64_t k = 0;       ///< rows of the smallest class. Source: Samarati and Sweeney 1998
  std::int64_t unique = 0;  ///< rows that are alone in their class
  /// Sum over the rows of the size of their class. Source: Bayardo and Agrawal 2005, without suppressed rows.
  double discernibility = 0.0;
  std::vector<SensitiveColumn> sensitive;

  /// A few lines of text; numbers to four digits.
  std::string str() const;
  Json json() const;
};

/// Measures `table` as it is. Without quasi-identifiers all rows are one class.
/// @throws DataError if there is no such column.   Cost: O(N log N) a column.
Anonymity anonymity(const Table& table, const std::vector<std::string>& quasi_identifiers,
                    const std::vector<std::string>& sensitive = {});

namespace detail {

/// A column's values numbered by their order.
struct OrderedValues {
  std::vector<std::int64_t> rank;      ///< of each row; -1 where missing (or NaN)
  std::vector<std::int64_t> examples;  ///< a row that has value r
  bool ordered = false;                ///< numbers and dates; else categories by code, texts by their bytes
};
OrderedValues ordered_values(const Column& column);

/// The sensitive values of a table, and how well sets of rows hide them.
class SensitiveValues {
 public:
  explicit SensitiveValues(const Column& column);
  struct Measure {
    std::int64_t distinct = 0;
    double entropy_l = 0.0;  ///< exp of the entropy
    double t = 0.0;
  };
  /// Of a set of rows that is not empty.   Cost: O(rows log rows).
  Measure measure(const std::vector<std::size_t>& rows) const;

 private:
  std::vector<std::int64_t> rank_;
  std::vector<double> share_;      // of all rows, by rank
  std::vector<double> below_;      // of all rows with this rank or a smaller one
  std::vector<double> below_sum_;  // of below_[0 ... r - 1]
  bool ordered_;
};

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/anonymity_impl.hpp>
#endif
