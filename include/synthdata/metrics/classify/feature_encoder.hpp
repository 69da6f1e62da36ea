// synthdata/metrics/classify/feature_encoder.hpp: rows of a table as numbers for classifiers and distances.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>

namespace synthdata {

/// How columns become numbers. Integer, real and date-time columns are numbers; boolean and categorical ones have
/// categories; texts and identifiers are left out.
enum class FeatureEncoding : std::uint8_t {
  /// Numbers with mean 0 and deviation 1; a column of 0 and 1 for each category.
  standardised,
  /// As SDGym's evaluators (Xu et al. 2019, arXiv:1907.00503): a number column whose least value is not below 0 and
  /// whose greatest is at least 1000 becomes log(max(x, 0.01)), any other is brought to 0 ... 5; a column of 0 and 1
  /// for each category, but a single one where there are two.
  sdgym,
  /// Numbers as they are and the number of the category, both NaN where missing: for GradientBoosting.
  native,
};

/// Learns from one table how to encode it and others.
/// Missing numbers are replaced by the mean, and a column that is 1 there is added, if the table fitted has any; a
/// missing category is a category of its own, if the table fitted has it. A category that was not seen has 0 in all
/// columns (0.5 in a single one, NaN in `native`). Of more than 255 categories, the rarest share one.
class FeatureEncoder {
 public:
  explicit FeatureEncoder(FeatureEncoding encoding) : encoding_(encoding) {}

  /// @throws DataError if no column can be encoded or a value is infinite.
  void fit(const Table& table);
  /// The rows of a table with the columns fitted, [N, width] f64.
  /// @throws DataError for a column that is missing or of another kind, and for infinite values.
  Tensor operator()(const Table& table) const;

  std::int64_t width() const { return static_cast<std::int64_t>(names_.size()); }
  /// What each number is: "age", "age is missing", "sex = Male".
  const std::vector<std::string>& names() const { return names_; }
  /// Those that are category numbers (`native` only).
  const std::vector<std::int64_t>& categorical() const { return categorical_; }

 private:
  struct Encoded {
    std::string name;
    bool discrete = false;
    // numbers: (x or its logarithm - shift) * scale; `fill` stands for a missing x
    double shift = 0.0, scale = 1.0, fill = 0.0;
    bool logarithm = false, marks_missing = false;
    // categories, sorted by text; the last ones may be "missing" and "other"
    std::vector<std::string> categories{};
    std::int64_t missing_at = -1, other_at = -1, columns = 1;
  };

  FeatureEncoding encoding_;
  std::vector<Encoded> columns_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> categorical_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/feature_encoder_impl.hpp>
#endif
