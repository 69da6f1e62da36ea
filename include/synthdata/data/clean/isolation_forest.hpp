// synthdata/data/clean/isolation_forest.hpp: rows that few random cuts tell apart from all others.
//
// Source: Liu, Ting, Zhou 2008, "Isolation forest", ICDM.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/clean/outliers.hpp>

namespace synthdata {

class IsolationOutliers;

struct IsolationForestOptions {
  std::int64_t trees = 100;
  std::int64_t sample = 256;  ///< rows a tree is grown from, drawn without replacement; at most all
};

/// Trees that cut a random column at a random value between its least and its largest, until rows are alone or
/// log2(sample) cuts deep.
class IsolationForest {
 public:
  /// @param rows  [N, D] f64, N >= 1, D >= 1, finite
  /// @throws ShapeError, DTypeError, NumericError. The same seed grows the same trees for any number of threads.
  static IsolationForest fit(const Tensor& rows, Rng& rng, const IsolationForestOptions& options = {});

  /// 2^(-mean path / c(sample)) of each row, [N] f64 in (0, 1]: near 1 for outliers, below 0.5 for others; c(n), the
  /// mean path in a tree of n rows, is 2 (ln(n - 1) + 0.5772...) - 2 (n - 1) / n.
  /// @param rows  [N, D] f64; NaN goes right of every cut
  Tensor scores(const Tensor& rows) const;

  std::int64_t trees() const { return roots_.size(); }
  std::int64_t columns() const { return columns_; }

  void save(Archive& archive, const std::string& prefix) const;
  static IsolationForest load(const Archive& archive, const std::string& prefix);

 private:
  std::int64_t columns_ = 0, sample_ = 0;
  Tensor roots_;               // [trees] i64: the nodes at which they start
  Tensor feature_, next_;      // [nodes] i32: column cut, -1 at a leaf; the left child, followed by the right one
  Tensor threshold_, length_;  // [nodes] f64: values up to it go left; at a leaf: its depth + c(rows in it)
};

struct IsolationOutliersOptions {
  using Step = IsolationOutliers;
  double share = 0.0;  ///< of training rows that are outliers, 0 ... 0.5; 0: those whose score is above 0.5
  OutlierAction action = OutlierAction::remove;
  std::vector<std::string> columns{};  ///< empty for all integer, real and date-time ones
  std::string mark = "outlier";        ///< name of the column that marks
  std::uint64_t seed = 0;
  IsolationForestOptions forest{};
};

/// Rows that an isolation forest finds unusual, removed or marked. Missing values count as the median of the training
/// data.
class IsolationOutliers {
 public:
  static constexpr const char* kind = "isolation forest";
  /// @throws DataError for a column that is not there, has another type, no or an infinite value, and for a table
  /// without rows or number columns; NumericError for options out of range and OutlierAction::clip.
  static IsolationOutliers fit(const Table& training, const IsolationOutliersOptions& options = {});
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static IsolationOutliers load(const Archive& archive, const std::string& prefix);

  /// [N] f64, see IsolationForest::scores.
  Tensor scores(const Table& table) const;

 private:
  Tensor matrix(const Table& table) const;

  OutlierAction action_ = OutlierAction::remove;
  std::string mark_;
  double threshold_ = 0.5;
  detail::FittedColumns columns_;
  Tensor medians_;  // [D] f64
  IsolationForest forest_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/isolation_forest_impl.hpp>
#endif
