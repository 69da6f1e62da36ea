// synthdata/data/clean/labels.hpp: labels that their neighbours contradict.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/features.hpp>
#include <synthdata/data/clean/outliers.hpp>

namespace synthdata {

class SuspiciousLabels;

struct SuspiciousLabelsOptions {
  using Step = SuspiciousLabels;
  std::string label{};                         ///< the column of labels, of any type; at most 1000 different ones
  std::vector<std::string> columns{};          ///< that tell the label; empty for all but texts and identifiers
  std::int64_t k = 15;                         ///< neighbours that vote
  OutlierAction action = OutlierAction::mark;  ///< or remove
  std::string mark = "suspicious label";       ///< name of the column that marks
};

/// A row whose label is doubted.
struct SuspiciousLabel {
  std::int64_t row = 0;
  std::string label, likelier;
  double confidence = 0.0;  ///< share of the neighbours that have the likelier label
};

/// Finds labels that are probably wrong by confident learning. Source: Northcutt, Jiang, Chuang 2021, "Confident
/// learning", arXiv:1911.00068, section 3.1. The probability p(j) of label j for a row is its share among the k nearest
/// training rows, the row itself left out (leave-one-out cross-validation). The threshold t(j) is the mean of p(j) over
/// the training rows labelled j. A label is doubted if the likeliest label j with p(j) >= t(j) is another one.
///
/// Distances are in columns standardised by the training data; booleans and categories that differ count 1. In tables
/// other than the training data all of its rows vote, but one that equals the row in all values, if there is one.
class SuspiciousLabels {
 public:
  static constexpr const char* kind = "suspicious labels";
  /// Keeps a copy of the columns as f32.
  /// @throws DataError for columns that are not there, are text or infinite, too many different labels, or too few
  /// rows; NumericError for k < 1 and OutlierAction::clip.
  static SuspiciousLabels fit(const Table& training, const SuspiciousLabelsOptions& options);
  /// Rows without a label are never doubted. Cost: see nearest().
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static SuspiciousLabels load(const Archive& archive, const std::string& prefix);

  /// The doubted labels by row.
  std::vector<SuspiciousLabel> find(const Table& table) const;

 private:
  std::vector<std::int64_t> codes(const Table& table) const;
  Tensor probabilities(const Table& table, const std::vector<std::int64_t>& codes) const;

  OutlierAction action_ = OutlierAction::mark;
  std::string label_, mark_;
  std::int64_t k_ = 15;
  detail::Features features_;
  std::vector<std::string> classes_;  // sorted
  std::vector<double> thresholds_;
  Tensor points_;  // [N, D] f32
  Tensor labels_;  // [N] i64, places in classes_
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/labels_impl.hpp>
#endif
