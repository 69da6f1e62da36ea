// synthdata/data/augment/oversample_impl.hpp: bodies of data/augment/oversample.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/augment/oversample.hpp>
#include <synthdata/data/augment/row_points_impl.hpp>
#include <synthdata/data/clean/columns.hpp>
#include <synthdata/data/nearest.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace synthdata {

namespace detail {

/// Uniform in [0, 1), 53 bits.
inline double even_share(Rng& rng) { return static_cast<double>(rng.next_u64() >> 11) * 0x1p-53; }

/// What SMOTE, SMOTENC and ADASYN share.
class Oversampler {
 public:
  using Rows = std::vector<std::int64_t>;

  Oversampler(const char* name, const Table& table, const OversampleOptions& options, bool categories)
      : name_(name), table_(table), options_(options) {
    if (options.neighbours < 1 || !(options.ratio > 0.0 && options.ratio <= 1.0)) {
      throw NumericError(concat(name, ": expects neighbours >= 1 and 0 < ratio <= 1, got ", options.neighbours, " and ",
                                options.ratio));
    }
    const Column& target = table[options.target];
    if (target.type() == ColumnType::real) fail(target, "expects classes, got real numbers");
    for (const Column& column : table.columns()) {
      if (const std::int64_t absent = absent_count(column); absent > 0) {
        fail(column, concat(absent, " values are missing; fill them or drop their rows first"));
      }
      if (&column == &target) continue;
      if (is_between_type(column.type())) {
        numeric_.push_back(&column);
      } else if (categories && (column.type() == ColumnType::categorical || column.type() == ColumnType::boolean)) {
        categorical_.push_back(&column);
      } else {
        fail(column, concat("is ", column.type(), "; expects numbers and dates",
                            categories ? ", categories and booleans" : " (smotenc takes categories too)"));
      }
    }
    if (numeric_.empty() && categorical_.empty())
      throw DataError(concat(name, ": expects a column besides the target"));
    std::unordered_map<std::string, std::size_t> known;
    for (std::int64_t row = 0; row < table.size(); ++row) {
      const auto [at, is_new] = known.emplace(target.cell(row), classes_.size());
      if (is_new) {
        classes_.emplace_back();
        names_.push_back(at->first);
      }
      classes_[at->second].push_back(row);
      class_of_.push_back(at->second);
    }
    std::size_t largest = 0;
    for (const Rows& rows : classes_) largest = std::max(largest, rows.size());
    wanted_.assign(classes_.size(), 0);
    if (options.counts.empty()) {
      const auto up_to = static_cast<std::int64_t>(options.ratio * static_cast<double>(largest));
      for (std::size_t c = 0; c < classes_.size(); ++c) {
        wanted_[c] = std::max<std::int64_t>(0, up_to - static_cast<std::int64_t>(classes_[c].size()));
      }
    }
    for (const auto& [text, count] : options.counts) {
      const auto at = known.find(text);
      if (at == known.end()) fail(target, concat("there is no class ", in_quotes(text)));
      const auto size = static_cast<std::int64_t>(classes_[at->second].size());
      if (count < size)
        fail(target, concat("class ", in_quotes(text), " has ", size, " rows already, wanted are ", count));
      wanted_[at->second] = count - size;
    }
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      const auto size = static_cast<std::int64_t>(classes_[c].size());
      if (wanted_[c] > 0 && size <= options.neighbours) {
        fail(target, concat("class ", in_quotes(names_[c]), " has ", size, " rows; ", options.neighbours,
                            " neighbours need at least ", options.neighbours + 1));
      }
    }
    points_ = RowPoints(name, numeric_, categorical_, options.standardise);
  }

  std::size_t classes() const { return classes_.size(); }
  std::int64_t wanted(std::size_t c) const { return wanted_[c]; }
  const Rows& rows(std::size_t c) const { return classes_[c]; }

  /// Share of each row's nearest neighbours in the table that are of another class.
  std::vector<double> foreign_shares(std::size_t c) const {
    const std::int64_t k = options_.neighbours;
    const Rows all = every_row(table_.size());
    const Nearest found =
        nearest(points_.of(classes_[c], 1.0), points_.of(all, 1.0), k + 1);  // one may be the row itself
    std::vector<double> shares;
    for (std::size_t i = 0; i < classes_[c].size(); ++i) {
      std::int64_t seen = 0, foreign = 0;
      for (std::int64_t n = 0; n <= k && seen < k; ++n) {
        const std::int64_t row = found.index.data<std::int64_t>()[static_cast<std::int64_t>(i) * (k + 1) + n];
        if (row == classes_[c][i]) continue;
        ++seen;
        foreign += class_of_[static_cast<std::size_t>(row)] != c;
      }
      shares.push_back(static_cast<double>(foreign) / static_cast<double>(k));
    }
    return shares;
  }

  /// Adds the new rows of a class; row i of it is the base of counts[i].
  void make(std::size_t c, const std::vector<std::int64_t>& counts) {
    const Rows& rows = classes_[c];
    const double median = categorical_.empty() ? 1.0 : points_.median_deviation(rows);
    const std::int64_t k = options_.neighbours;
    const Nearest found = nearest_others(points_.of(rows, median), k);
    const std::int64_t* index = found.index.data<std::int64_t>();
    const Rng of_class = Rng(options_.seed).split(c);
    plan_.neighbours = k;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Rng rng = of_class.split(i);
      for (std::int64_t made = 0; made < counts[i]; ++made) {
        const std::int64_t* nearest = index + static_cast<std::int64_t>(i) * k;
        const auto chosen = static_cast<std::size_t>(nearest[rng.below(k)]);
        plan_.rows.push_back({rows[i], rows[chosen], even_share(rng)});
        for (std::int64_t n = 0; n < k; ++n) plan_.voters.push_back(rows[static_cast<std::size_t>(nearest[n])]);
      }
    }
  }
  Oversampled result() {
    if (plan_.rows.empty()) return {table_, {}};
    Table grown = table_.append(rows_of(table_, options_.target, plan_));
    return {std::move(grown), std::move(plan_.rows)};
  }

  [[noreturn]] void fail(const Column& column, const std::string& text) const {
    throw DataError(concat(name_, ": column ", in_quotes(column.name()), ": ", text));
  }
  const std::string& class_name(std::size_t c) const { return names_[c]; }

 private:
  const char* name_;
  const Table& table_;
  const OversampleOptions& options_;
  std::vector<const Column*> numeric_, categorical_;
  RowPoints points_;
  std::vector<Rows> classes_;          // in the order of their first rows
  std::vector<std::string> names_;     // by class
  std::vector<std::size_t> class_of_;  // by row
  std::vector<std::int64_t> wanted_;   // new rows, by class
  RowPlan plan_;
};

SYNTHDATA_INLINE Oversampled evenly_oversampled(const char* name, const Table& table, const OversampleOptions& options,
                                                bool categories) {
  Oversampler oversampler(name, table, options, categories);
  for (std::size_t c = 0; c < oversampler.classes(); ++c) {
    if (oversampler.wanted(c) == 0) continue;
    const auto size = static_cast<std::int64_t>(oversampler.rows(c).size());
    std::vector<std::int64_t> counts(oversampler.rows(c).size(), oversampler.wanted(c) / size);
    Rng rng = Rng(options.seed).split(c).split(static_cast<std::uint64_t>(size));  // no row has that number
    const std::vector<std::int64_t> order = rng.permutation(size);
    for (std::int64_t i = 0; i < oversampler.wanted(c) % size; ++i) {
      ++counts[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])];
    }
    oversampler.make(c, counts);
  }
  return oversampler.result();
}

}  // namespace detail

SYNTHDATA_INLINE Oversampled smote(const Table& table, const OversampleOptions& options) {
  return detail::evenly_oversampled("smote", table, options, false);
}
SYNTHDATA_INLINE Oversampled smotenc(const Table& table, const OversampleOptions& options) {
  return detail::evenly_oversampled("smotenc", table, options, true);
}

SYNTHDATA_INLINE Oversampled adasyn(const Table& table, const OversampleOptions& options) {
  detail::Oversampler oversampler("adasyn", table, options, false);
  for (std::size_t c = 0; c < oversampler.classes(); ++c) {
    if (oversampler.wanted(c) == 0) continue;
    const std::vector<double> shares = oversampler.foreign_shares(c);
    double sum = 0.0;
    for (const double share : shares) sum += share;
    if (sum <= 0.0) {
      oversampler.fail(table[options.target], concat("no row of class ", in_quotes(oversampler.class_name(c)),
                                                     " has a neighbour of another class; use smote"));
    }
    std::vector<std::int64_t> counts;
    for (const double share : shares) {
      counts.push_back(
          static_cast<std::int64_t>(std::nearbyint(share / sum * static_cast<double>(oversampler.wanted(c)))));
    }
    oversampler.make(c, counts);
  }
  return oversampler.result();
}

}  // namespace synthdata
