// synthdata/data/clean/outliers.hpp: values far from the others of their column.
//
// For rows that are unusual as a whole see isolation_forest.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata {

class Outliers;

/// How far is too far, learnt from the finite values of the training data.
enum class OutlierRule : std::uint8_t {
  sigma,          ///< beyond mean -+ factor s, s the standard deviation (divided by n)
  interquartile,  ///< below q1 - factor (q3 - q1) or above q3 + factor (q3 - q1); quartiles interpolated linearly.
                  ///< Source: Tukey 1977, "Exploratory data analysis"
};
const char* name_of(OutlierRule rule);
void append(std::string& out, OutlierRule rule);  // found by concat()

/// What happens to an outlier.
enum class OutlierAction : std::uint8_t {
  remove,  ///< its row is removed
  clip,    ///< the value becomes the limit
  mark,    ///< a boolean column says which rows have one
};
const char* name_of(OutlierAction action);
void append(std::string& out, OutlierAction action);  // found by concat()

struct OutliersOptions {
  using Step = Outliers;
  OutlierRule rule = OutlierRule::interquartile;
  OutlierAction action = OutlierAction::clip;
  double factor = 0.0;                 ///< 0: 3 for sigma, 1.5 for interquartile
  std::vector<std::string> columns{};  ///< integer, real and date-time ones; empty for all integer and real ones
  std::string mark = "outlier";        ///< name of the column that marks
};

/// Finds outliers column by column. Missing values are none; infinite ones are.
class Outliers {
 public:
  static constexpr const char* kind = "outliers";
  /// @throws DataError for a column that is not there, has another type or no finite value; NumericError for a factor
  /// that is not positive.
  static Outliers fit(const Table& training, const OutliersOptions& options = {});
  /// @throws DataError if the column that marks is there already
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static Outliers load(const Archive& archive, const std::string& prefix);

  struct Limits {
    double low = 0.0, high = 0.0;  ///< still within
  };
  /// Of the column of that name. @throws DataError if it is not looked at.
  Limits limits(std::string_view column) const;

 private:
  OutlierRule rule_ = OutlierRule::interquartile;
  OutlierAction action_ = OutlierAction::clip;
  std::string mark_;
  detail::FittedColumns columns_;
  std::vector<Limits> limits_;
};

namespace detail {
/// Quantile 0 ... 1 of sorted numbers, at least one, on the line between the two around it (type 7 of Hyndman and Fan
/// 1996, as NumPy).
double quantile_of_sorted(std::span<const double> sorted, double at);
OutlierAction outlier_action(const SavedStep& saved);
/// With a boolean column at the end. @throws DataError if the name is taken.
Table with_mark(const char* step, const Table& table, const std::string& name, const std::vector<bool>& marked);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/outliers_impl.hpp>
#endif
