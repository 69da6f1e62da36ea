// synthdata/data/profile.hpp: what is in a table: types, missing values, ranges, frequent values, correlations.
//
// A table is looked at as a whole. A stream is looked at piece by piece in bounded memory: counts, missing values,
// ranges, means and deviations are exact; what is not says so (ProfileOptions).
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/table_stream.hpp>

namespace synthdata {

struct ProfileOptions {
  std::int64_t top = 8;    ///< frequent values listed for a column
  std::int64_t bins = 24;  ///< of a histogram, at most 200
  /// Rows from which quantiles, histograms and correlations are taken, drawn at random; 0: all of a table, 50,000 of a
  /// stream. Of n rows, a quantile's place is off by less than sqrt(ln(200) / (2 n)), 0.73 % for 50,000, with a
  /// probability of 99 % (Dvoretzky, Kiefer, Wolfowitz; Massart 1990).
  std::int64_t sample = 0;
  /// Different values of a column that are counted one by one; 0: a million for a table, 16,384 for a stream. Of
  /// columns with more, the number of different values is estimated (HyperLogLog, standard error 0.8 %), and counts of
  /// frequent values may be too small by at most 2 / max_distinct of the rows (Misra and Gries 1982).
  std::int64_t max_distinct = 0;
  std::int64_t max_correlated = 40;  ///< correlations are taken of the first so many columns that have any
  std::uint64_t seed = 0;            ///< of the sample
};

/// A value as its cell is spelled, and in how many rows it is.
struct ValueCount {
  std::string value;
  std::int64_t count = 0;

  friend bool operator==(const ValueCount&, const ValueCount&) = default;
};

/// Of one column. Statistics are those of the finite values; NaN counts as missing.
struct ColumnProfile {
  ColumnSchema schema{};  ///< without categories
  std::int64_t rows = 0, missing = 0, infinite = 0;
  std::int64_t distinct = 0;      ///< different values
  bool counted = true;            ///< false: `distinct` is an estimate, counts of `top` are lower bounds
  std::vector<ValueCount> top{};  ///< the most frequent values that come more than once; equally frequent ones by text

  // of integers, reals and date-times (microseconds)
  double least = 0.0, largest = 0.0, mean = 0.0;
  double deviation = 0.0;                 ///< standard deviation, divided by n - 1; 0 for one value
  std::vector<double> quantiles{};        ///< at profile_quantiles; interpolated linearly, empty without values
  std::vector<std::int64_t> histogram{};  ///< values in equal bins from least to largest; scaled up from a sample

  // of texts and identifiers
  std::int64_t shortest = 0, longest = 0;  ///< in characters
  double mean_length = 0.0;

  /// A number of this column for people: 6 digits, or a date-time as the column spells it.
  std::string show(double number) const;
};
inline constexpr double profile_quantiles[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

/// Something worth a look.
struct ProfileWarning {
  std::string column;  ///< empty for the table
  std::string text;

  friend bool operator==(const ProfileWarning&, const ProfileWarning&) = default;
};

struct TableProfile {
  std::int64_t rows = 0;
  std::int64_t sampled = 0;     ///< rows that quantiles, histograms and correlations come from
  std::int64_t duplicates = 0;  ///< rows that are there already further up; -1 where not counted, which is in streams
  std::int64_t size_bytes = 0;  ///< of the values in memory; of a stream, of all its pieces
  std::vector<ColumnProfile> columns{};

  /// Pairs of columns, [n, n] row by row: Pearson's correlation (-1 ... 1) of two number columns, Cramer's V (0 ... 1)
  /// of two of categories or booleans, the correlation ratio eta (0 ... 1) between. Rows in which one is missing are
  /// left out. NaN where a column is constant. Columns of texts, and of more than 200 categories, are left out.
  std::vector<std::int64_t> correlated{};  ///< n places in `columns`
  std::vector<double> correlations{};

  std::vector<ProfileWarning> warnings{};

  const ColumnProfile& operator[](std::string_view name) const;  ///< @throws DataError if there is no such column
  /// Of two columns by name; NaN where not known. @throws DataError if there is no such column
  double correlation(std::string_view a, std::string_view b) const;

  /// For a terminal.
  std::string str() const;
  Json json() const;
  /// One page that needs nothing else: pictures are SVG, there are no scripts. All texts are escaped.
  std::string html(std::string_view title = "Profile") const;
  /// As a file, atomically. @throws DataError
  void save_html(const std::string& path, std::string_view title = "Profile") const;
};

/// Looks at tables piece by piece.
class TableProfiler {
 public:
  /// @throws NumericError for options out of range
  explicit TableProfiler(const ProfileOptions& options = {});
  TableProfiler(TableProfiler&&) noexcept;
  TableProfiler& operator=(TableProfiler&&) noexcept;
  ~TableProfiler();

  /// @throws DataError unless names, types and categories are those of the first piece
  void add(const Table& piece);
  TableProfile result() const;

 private:
  struct Impl;
  detail::Owned<Impl> impl_;
};

/// Of a whole table, exactly unless options bound it. The same for any number of threads.
TableProfile profile(const Table& table, const ProfileOptions& options = {});

/// Of what is left of a stream, in memory that does not grow with it: about 8 bytes a column and row of the sample, and
/// 2 MB a column with many different values.
template <TableReader R>
TableProfile profile(R& reader, const ProfileOptions& options = {}) {
  TableProfiler profiler(options);
  profiler.add(empty_table(reader.schema()));
  while (const auto piece = reader.next()) profiler.add(*piece);
  return profiler.result();
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/profile_impl.hpp>
#endif
