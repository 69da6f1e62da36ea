// synthdata/data/clean/regression_fill.hpp: missing values predicted from the other columns.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata {

class RegressionFill;

struct RegressionFillOptions {
  using Step = RegressionFill;
  std::int64_t rounds = 10;            ///< at most; to 10,000
  double ridge = 1.0;                  ///< penalty of squared weights, > 0
  double tolerance = 1e-3;             ///< ends when no fill changes by more than this times the largest value
  std::int64_t max_categories = 64;    ///< columns of more categories are left out unless named
  std::vector<std::string> columns{};  ///< predicted from each other; empty for all but texts and identifiers
};

/// Fills by chained ridge regressions: missing values start at the mean; then, column by column, from the fewest
/// missing to the most, those of one column are predicted linearly from all the others as they are now, for some
/// rounds. Numbers are standardised before; a category is a 0 or 1 for each of its values, and the largest prediction
/// wins. Source: van Buuren and Groothuis-Oudshoorn 2011, "mice", J. Stat. Softw. 45(3), without random draws; on
/// standardised numbers this is scikit-learn's IterativeImputer(Ridge(ridge)).
class RegressionFill {
 public:
  static constexpr const char* kind = "fill by regression";
  /// @throws DataError for a column that is not there, is text, has no value or an infinite one; NumericError for
  /// options out of range.
  /// Cost: a product of P x N and N x P for each column with missing values and round; P counts the 0 and 1 columns.
  static RegressionFill fit(const Table& training, const RegressionFillOptions& options = {});
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static RegressionFill load(const Archive& archive, const std::string& prefix);

  /// Rounds that fitting took.
  std::int64_t rounds() const { return rounds_; }

 private:
  struct Matrix;
  void place();
  Matrix encode(const Table& table) const;
  void predict(Matrix& matrix, std::size_t column, const double* weights) const;

  std::int64_t rounds_ = 0;
  detail::FittedColumns columns_;
  Tensor scale_;                      // [P, 2] f64: mean and standard deviation of each number column, of 0s and 1s 1
  std::vector<std::size_t> order_;    // columns in the order in which they are predicted
  std::vector<bool> every_round_;     // of order_: had missing values, so was fitted in every round, else once
  std::vector<Tensor> weights_;       // of order_: [rounds or 1, P + 1, width] f64, the last row is the constant
  std::vector<std::int64_t> places_;  // [columns + 1]: where each column's numbers start; made by place()
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/regression_fill_impl.hpp>
#endif
