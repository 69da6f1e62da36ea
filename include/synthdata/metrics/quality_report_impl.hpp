// synthdata/metrics/quality_report_impl.hpp: bodies of quality_report.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/pair_scores_impl.hpp>
#include <synthdata/metrics/quality_report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace synthdata {

namespace detail {

/// NaN values are passed over; NaN if there are no others.
template <class Range, class F>
double mean_score(const Range& range, F&& score) {
  double sum = 0.0, count = 0.0;
  for (const auto& item : range) {
    const double value = score(item);
    if (!std::isnan(value)) sum += value, ++count;
  }
  return count == 0.0 ? no_score : sum / count;
}

/// A column of both tables, ready for all the pairs it is in.
struct PreparedColumn {
  std::string name{};
  bool continuous = false;
  std::vector<double> real{}, synthetic{};  // continuous only
  JointCodes codes{};
  bool coded = true;  // false: infinite values, which have no bins
};

inline PreparedColumn prepare_column(const Column& real, const Column& synthetic) {
  PreparedColumn column{.name = real.name(), .continuous = is_continuous(real)};
  if (column.continuous) {
    column.real = all_numbers(real);
    column.synthetic = all_numbers(synthetic);
    const auto infinite = [](double value) { return std::isinf(value); };
    column.coded = std::none_of(column.real.begin(), column.real.end(), infinite) &&
                   std::none_of(column.synthetic.begin(), column.synthetic.end(), infinite);
  }
  if (column.coded) column.codes = discrete_codes(real, synthetic, {.edges = BinEdges::of_each});
  return column;
}

inline PairScore score_pair(const PreparedColumn& first, const PreparedColumn& second, const QualityOptions& options) {
  PairScore pair{.first = first.name,
                 .second = second.name,
                 .metric = {},
                 .score = no_score,
                 .real_correlation = no_score,
                 .synthetic_correlation = no_score,
                 .real_association = no_score};
  if (first.continuous && second.continuous) {
    pair.metric = "correlation_similarity";
    const CorrelationScore found =
        compare_correlations(first.real, second.real, first.synthetic, second.synthetic, Correlation::pearson);
    pair.score = found.score;
    pair.real_correlation = found.real;
    pair.synthetic_correlation = found.synthetic;
    pair.counts = options.correlation_above <= 0.0 || std::abs(found.real) > options.correlation_above;
  } else {
    pair.metric = "contingency_similarity";
    if (!first.coded || !second.coded) return pair;
    const ContingencyScore found = compare_contingencies(first.codes, second.codes);
    pair.score = found.score;
    pair.real_association = found.real_association;
    pair.counts = options.association_above <= 0.0 || found.real_association > options.association_above;
  }
  pair.counts = pair.counts && !std::isnan(pair.score);
  return pair;
}

inline std::string score_text(double score) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%6.4f", score);
  return std::isnan(score) ? "     -" : std::string(text.data());
}

/// "0.9123  age  ks_complement", the worst first.
inline std::string column_lines(std::vector<ColumnScore> columns) {
  std::stable_sort(columns.begin(), columns.end(), [](const ColumnScore& a, const ColumnScore& b) {
    return a.score < b.score || (std::isnan(b.score) && !std::isnan(a.score));
  });
  std::size_t width = 0;
  for (const ColumnScore& column : columns) width = std::max(width, column.column.size());
  std::string out;
  for (const ColumnScore& column : columns) {
    out += concat("  ", score_text(column.score), "  ", column.column,
                  std::string(width - column.column.size() + 2, ' '), column.metric, '\n');
  }
  return out;
}

inline Json column_json(const std::vector<ColumnScore>& columns) {
  Json::Array array;
  for (const ColumnScore& column : columns) {
    array.push_back(Json::Object{{"column", column.column}, {"metric", column.metric}, {"score", column.score}});
  }
  return array;
}

}  // namespace detail

SYNTHDATA_INLINE QualityReport quality_report(const Table& real, const Table& synthetic,
                                              const QualityOptions& options) {
  QualityReport report;
  std::vector<Column> reals, synthetics;
  for (const Column& column : real.columns()) {
    if (detail::is_continuous(column) || detail::is_discrete(column)) reals.push_back(column);
  }
  synthetics = detail::matching_columns("quality_report", Table(reals), synthetic);

  const auto count = static_cast<std::int64_t>(reals.size());
  std::vector<detail::PreparedColumn> prepared(reals.size());
  report.columns.resize(reals.size());
  parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      prepared[i] = detail::prepare_column(reals[i], synthetics[i]);
      const bool continuous = prepared[i].continuous;
      report.columns[i] = {
          reals[i].name(), continuous ? "ks_complement" : "tv_complement",
          continuous ? ks_complement(reals[i], synthetics[i]) : tv_complement(reals[i], synthetics[i])};
    }
  });
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < reals.size(); ++i) {
    for (std::size_t j = i + 1; j < reals.size(); ++j) pairs.emplace_back(i, j);
  }
  report.pairs.resize(pairs.size());
  parallel_for(static_cast<std::int64_t>(pairs.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto p = static_cast<std::size_t>(begin); p < static_cast<std::size_t>(end); ++p) {
      report.pairs[p] = detail::score_pair(prepared[pairs[p].first], prepared[pairs[p].second], options);
    }
  });

  report.column_shapes = detail::mean_score(report.columns, [](const ColumnScore& column) { return column.score; });
  report.pair_trends = detail::mean_score(
      report.pairs, [](const PairScore& pair) { return pair.counts ? pair.score : detail::no_score; });
  report.score =
      detail::mean_score(std::array{report.column_shapes, report.pair_trends}, [](double score) { return score; });
  return report;
}

SYNTHDATA_INLINE std::string QualityReport::str() const {
  std::vector<ColumnScore> counted;
  for (const PairScore& pair : pairs) {
    if (pair.counts) counted.push_back({concat(pair.first, " & ", pair.second), pair.metric, pair.score});
  }
  return concat("quality        ", detail::score_text(score), "\ncolumn shapes  ", detail::score_text(column_shapes),
                "\npair trends    ", detail::score_text(pair_trends), "  (", counted.size(), " of ", pairs.size(),
                " pairs count)\ncolumns\n", detail::column_lines(columns), counted.empty() ? "" : "pairs\n",
                detail::column_lines(counted));
}

SYNTHDATA_INLINE Json QualityReport::json() const {
  Json::Array all;
  for (const PairScore& pair : pairs) {
    all.push_back(Json::Object{{"first", pair.first},
                               {"second", pair.second},
                               {"metric", pair.metric},
                               {"score", pair.score},
                               {"real_correlation", pair.real_correlation},
                               {"synthetic_correlation", pair.synthetic_correlation},
                               {"real_association", pair.real_association},
                               {"counts", pair.counts}});
  }
  return Json::Object{{"score", score},
                      {"column_shapes", column_shapes},
                      {"pair_trends", pair_trends},
                      {"columns", detail::column_json(columns)},
                      {"pairs", std::move(all)}};
}

SYNTHDATA_INLINE DiagnosticReport diagnostic_report(const Table& real, const Table& synthetic) {
  DiagnosticReport report;
  double both = 0.0;
  for (const Column& column : real.columns()) {
    const std::int64_t at = synthetic.find(column.name());
    if (at < 0) continue;
    const Column& other = synthetic[static_cast<std::size_t>(at)];
    both += other.type() == column.type() || (detail::is_text(column) && detail::is_text(other));
    if (detail::is_continuous(column) && detail::is_continuous(other)) {
      report.columns.push_back({column.name(), "boundary_adherence", boundary_adherence(column, other)});
    } else if (detail::is_discrete(column)) {
      report.columns.push_back({column.name(), "category_adherence", category_adherence(column, other)});
    } else if (column.type() == ColumnType::identifier) {
      report.columns.push_back({column.name(), "key_uniqueness", key_uniqueness(other)});
    }
  }
  const double either = static_cast<double>(real.columns().size() + synthetic.columns().size()) - both;
  report.structure = either == 0.0 ? detail::no_score : both / either;
  report.validity = detail::mean_score(report.columns, [](const ColumnScore& column) { return column.score; });
  report.score = detail::mean_score(std::array{report.validity, report.structure}, [](double score) { return score; });
  return report;
}

SYNTHDATA_INLINE std::string DiagnosticReport::str() const {
  return concat("diagnostic  ", detail::score_text(score), "\nvalidity    ", detail::score_text(validity),
                "\nstructure   ", detail::score_text(structure), "\ncolumns\n", detail::column_lines(columns));
}

SYNTHDATA_INLINE Json DiagnosticReport::json() const {
  return Json::Object{
      {"score", score}, {"validity", validity}, {"structure", structure}, {"columns", detail::column_json(columns)}};
}

}  // namespace synthdata
