// synthdata/metrics/table_report_impl.hpp: bodies of table_report.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/html.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/metrics/quality_report_impl.hpp>
#include <synthdata/metrics/record_attacks_impl.hpp>
#include <synthdata/metrics/singling_out_impl.hpp>
#include <synthdata/metrics/table_report.hpp>
#include <synthdata/version.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace synthdata {

namespace detail {

inline double missing_share(const Column& column) {
  return column.size() == 0 ? 0.0 : static_cast<double>(column.missing_count()) / static_cast<double>(column.size());
}

/// A value of a continuous column, short.
inline std::string tick(const Column& column, double value) {
  if (column.type() == ColumnType::integer) return decimals(value, 0);
  if (column.type() == ColumnType::date_time) {
    std::string text;
    append_date_time_cell(text, whole_microseconds(value), column.schema().pattern, column.schema().zone);
    return text;
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

inline void overlay_numbers(ColumnOverlay& overlay, const Column& training, const Column& synthetic) {
  std::vector<double> a = present_numbers(training), b = present_numbers(synthetic);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::vector<double>* values : {&a, &b}) {
    std::erase_if(*values, [](double value) { return std::isinf(value); });
    for (const double value : *values) low = std::min(low, value), high = std::max(high, value);
  }
  if (low > high) return;
  std::size_t bins = 40;
  double begin = low, end = high;
  if (training.type() == ColumnType::integer) {  // bins of equally many integers
    const double width = std::ceil((high - low + 1.0) / 60.0);
    bins = static_cast<std::size_t>(std::ceil((high - low + 1.0) / width));
    begin = low - 0.5;
    end = begin + width * static_cast<double>(bins);
  }
  const auto shares = [&](const std::vector<double>& values) {
    std::vector<double> counts(bins, 0.0);
    for (const double value : values) {
      // halves, so that the width of a range of all doubles is finite
      const double place = end > begin ? (value / 2 - begin / 2) / (end / 2 - begin / 2) : 0.5;
      counts[std::min(bins - 1, static_cast<std::size_t>(place * static_cast<double>(bins)))] +=
          1.0 / static_cast<double>(values.size());
    }
    return counts;
  };
  overlay.training = shares(a);
  overlay.synthetic = shares(b);
  overlay.labels = {tick(training, low), tick(training, low / 2 + high / 2), tick(training, high)};
}

inline void overlay_categories(ColumnOverlay& overlay, const Column& training, const Column& synthetic) {
  constexpr std::size_t shown = 10;
  const JointCodes codes = joint_codes(training, synthetic);
  std::vector<double> a = count_codes(codes.real, codes.count), b = count_codes(codes.synthetic, codes.count);
  for (std::vector<double>* counts : {&a, &b}) {
    double sum = 0.0;
    for (const double count : *counts) sum += count;
    for (double& count : *counts) count /= std::max(sum, 1.0);
  }
  std::vector<std::size_t> order(a.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i] + b[i] > a[j] + b[j]; });
  std::vector<std::string> texts(a.size());
  const auto name = [&](const Column& column, const std::vector<std::int32_t>& numbers) {
    for (std::size_t row = 0; row < numbers.size(); ++row) {
      if (numbers[row] < 0) continue;
      std::string& text = texts[static_cast<std::size_t>(numbers[row])];
      if (text.empty()) text = column.cell(static_cast<std::int64_t>(row));
    }
  };
  name(training, codes.real);
  name(synthetic, codes.synthetic);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i < shown || order.size() == shown + 1) {
      overlay.labels.push_back(texts[order[i]]);
      overlay.training.push_back(a[order[i]]);
      overlay.synthetic.push_back(b[order[i]]);
    } else {
      if (i == shown) {
        overlay.labels.push_back(concat(order.size() - shown, " others"));
        overlay.training.push_back(0.0);
        overlay.synthetic.push_back(0.0);
      }
      overlay.training.back() += a[order[i]];
      overlay.synthetic.back() += b[order[i]];
    }
  }
}

inline ColumnOverlay overlay_of(const Column& training, const Column& holdout, const Column& synthetic) {
  ColumnOverlay overlay{.column = training.name(),
                        .type = training.type(),
                        .labels = {},
                        .training = {},
                        .synthetic = {},
                        .training_missing = missing_share(training),
                        .synthetic_missing = missing_share(synthetic),
                        .score = no_score,
                        .ceiling = no_score};
  if (is_continuous(training)) {
    overlay_numbers(overlay, training, synthetic);
    overlay.score = ks_complement(training, synthetic);
    overlay.ceiling = ks_complement(training, holdout);
  } else if (is_discrete(training)) {
    overlay_categories(overlay, training, synthetic);
    overlay.score = tv_complement(training, synthetic);
    overlay.ceiling = tv_complement(training, holdout);
  }
  return overlay;
}

/// How strongly each pair of columns goes together in the real table of a report; 1 of a column with itself.
inline std::vector<double> associations(const QualityReport& report, const std::vector<std::string>& names) {
  const std::size_t count = names.size();
  std::unordered_map<std::string, std::size_t> places;
  std::vector<double> matrix(count * count, no_score);
  for (std::size_t i = 0; i < count; ++i) {
    places.emplace(names[i], i);
    matrix[i * count + i] = 1.0;
  }
  for (const PairScore& pair : report.pairs) {
    const std::size_t i = places.at(pair.first), j = places.at(pair.second);
    const bool correlation = pair.metric == "correlation_similarity";
    matrix[i * count + j] = matrix[j * count + i] = correlation ? pair.real_correlation : pair.real_association;
  }
  return matrix;
}

/// The value below which a share of them lies.
inline double quantile(const Tensor& values, double share) {
  const auto all = values.span<double>();
  std::vector<double> sorted(all.begin(), all.end());
  if (sorted.empty()) return no_score;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return sorted[static_cast<std::size_t>(at)];
}

inline std::vector<ReportNumber> closeness_numbers(const Table& training, const Table& holdout, const Table& synthetic,
                                                   const ClosestRecords& near) {
  const ClosestRecords usual = closest_records(holdout, training);
  const auto share = [](std::int64_t count, const Table& of) {
    return static_cast<double>(count) / static_cast<double>(of.size());
  };
  const Tensor ratio = nearest_neighbour_ratio(near), usual_ratio = nearest_neighbour_ratio(usual);
  return {
      {"identical rows", "share of rows equal to a training row in all columns but texts and identifiers",
       share(identical_matches(synthetic, training), synthetic), share(identical_matches(holdout, training), holdout)},
      {"new rows", "share of rows that no training row matches within 1 % of each number",
       new_row_synthesis(training, synthetic), new_row_synthesis(training, holdout)},
      {"distance, median", "to the nearest training row; 0 is equal, 1 differs entirely", quantile(near.distance, 0.5),
       quantile(usual.distance, 0.5)},
      {"distance, nearest 5 %", "5 % of the rows are at least so near", quantile(near.distance, 0.05),
       quantile(usual.distance, 0.05)},
      {"ratio, median", "distance to the nearest over that to the second nearest training row", quantile(ratio, 0.5),
       quantile(usual_ratio, 0.5)},
      {"ratio, least 5 %", "small ratios point to rows that imitate a single person", quantile(ratio, 0.05),
       quantile(usual_ratio, 0.05)},
  };
}

/// The synthetic rows that are nearest to a training row; of equally near ones those that are near to one only.
inline std::vector<NearestPair> nearest_pairs(const Table& training, const Table& synthetic, const ClosestRecords& near,
                                              std::int64_t count) {
  const Tensor ratios = nearest_neighbour_ratio(near);
  const double *distance = near.distance.data<double>(), *ratio = ratios.data<double>();
  std::vector<std::int64_t> order(static_cast<std::size_t>(synthetic.size()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  const std::int64_t shown = std::min(count, synthetic.size());
  std::partial_sort(order.begin(), order.begin() + shown, order.end(), [&](std::int64_t a, std::int64_t b) {
    if (distance[a] != distance[b]) return distance[a] < distance[b];
    if (near.second.data<double>()[a] != near.second.data<double>()[b]) {
      return near.second.data<double>()[a] > near.second.data<double>()[b];
    }
    return a < b;
  });
  std::vector<NearestPair> pairs;
  for (std::int64_t i = 0; i < shown; ++i) {
    const std::int64_t row = order[static_cast<std::size_t>(i)], other = near.index.data<std::int64_t>()[row];
    NearestPair pair{row, other, distance[row], ratio[row], {}, {}};
    for (const Column& column : training.columns()) {
      pair.synthetic.push_back(synthetic[column.name()].cell(row));
      pair.training.push_back(column.cell(other));
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

inline std::string report_number(double value) { return std::isnan(value) ? std::string("-") : decimals(value, 4); }

inline Json number_array(const std::vector<double>& values) {
  Json::Array array;
  for (const double value : values) array.push_back(value);
  return array;
}
inline Json text_array(const std::vector<std::string>& texts) {
  Json::Array array;
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

inline std::string paragraph(std::string_view text) { return concat("<p>", html_escape(text), "</p>\n"); }
inline std::string section(std::string_view title) { return concat("<h2>", html_escape(title), "</h2>\n"); }
inline std::string attack_box(const std::string& title, const std::string& text, bool found) {
  return concat("<div class=\"", found ? "alarm" : "calm", "\"><strong>", html_escape(title), ": ",
                found ? "RISK FOUND" : "no risk found", ".</strong> ", html_escape(text), "</div>\n");
}

inline std::string membership_text(const MembershipResult& result) {
  return concat(result.attack.sentence(),
                " Of a person of the training data and one who was not in it, the attacker tells "
                "which is which in ",
                percent_text(result.auc), " ± ", percent_text(result.auc_error), " of the cases; 50.0 % is chance.");
}

inline std::string version_text() {
  return concat(SYNTHDATA_VERSION_MAJOR, '.', SYNTHDATA_VERSION_MINOR, '.', SYNTHDATA_VERSION_PATCH);
}

inline std::string overlay_cards(const TableReport& report) {
  std::string out = "<div class=\"cards\">\n";
  for (const ColumnOverlay& overlay : report.overlays) {
    const std::string about = concat("Column ", overlay.column, ": training and synthetic shares");
    out += concat("<figure><figcaption><b>", html_escape(overlay.column), "</b> (", overlay.type,
                  overlay.column == report.target ? ", target" : "", ")</figcaption>\n");
    if (overlay.training.empty()) {
      out += "<p>No values to draw.</p>\n";
    } else if (overlay.type == ColumnType::boolean || overlay.type == ColumnType::categorical) {
      out += svg_bars(overlay.labels, overlay.training, overlay.synthetic, about);
    } else {
      out += svg_histograms(overlay.training, overlay.synthetic,
                            std::span<const std::string, 3>(overlay.labels.data(), 3), about);
    }
    std::string text = std::isnan(overlay.score) ? std::string("No score.")
                                                 : concat("Alike: ", report_number(overlay.score), ", ceiling ",
                                                          report_number(overlay.ceiling), '.');
    if (overlay.training_missing > 0.0 || overlay.synthetic_missing > 0.0) {
      text += concat(" Missing: ", percent_text(overlay.training_missing), " of the training rows, ",
                     percent_text(overlay.synthetic_missing), " of the synthetic ones.");
    }
    out += concat("<figcaption>", html_escape(text), "</figcaption></figure>\n");
  }
  return out + "</div>\n";
}

inline std::string pair_cards(const TableReport& report) {
  constexpr std::size_t most = 40;
  const std::size_t all = report.names.size(), count = std::min(all, most);
  const std::vector<std::string> names(report.names.begin(), report.names.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<double> real, synthetic, difference;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      real.push_back(report.association[i * all + j]);
      synthetic.push_back(report.synthetic_association[i * all + j]);
      difference.push_back(synthetic.back() - real.back());
    }
  }
  std::string out = paragraph(
      "How strongly two columns go together: the correlation of two columns of numbers, Cramér's V of all other pairs. "
      "The area of a square is the strength, a hollow square is negative, a dot means that there is none. In the third "
      "picture an empty field is best.");
  if (count < all) out += paragraph(concat("Shown are the first ", count, " of ", all, " columns."));
  out += "<div class=\"cards\">\n";
  const auto card = [&](const char* title, const std::vector<double>& values) {
    out += concat("<figure><figcaption><b>", title, "</b></figcaption>\n", svg_matrix(names, values, title),
                  "</figure>\n");
  };
  card("Training", real);
  card("Synthetic", synthetic);
  card("Synthetic minus training", difference);
  out += "</div>\n";
  std::vector<PairScore> pairs = report.quality.pairs;
  std::erase_if(pairs, [](const PairScore& pair) { return !pair.counts; });
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const PairScore& a, const PairScore& b) { return a.score < b.score; });
  if (pairs.empty()) return out;
  std::vector<std::vector<std::string>> rows;
  for (const PairScore& pair : pairs) {
    if (rows.size() == 10) break;
    const auto ceiling =
        std::find_if(report.quality_ceiling.pairs.begin(), report.quality_ceiling.pairs.end(),
                     [&](const PairScore& other) { return other.first == pair.first && other.second == pair.second; });
    rows.push_back({concat(pair.first, ", ", pair.second), report_number(pair.score), report_number(ceiling->score)});
  }
  const std::array<std::string, 3> head{"pair that matters, worst first", "alike", "ceiling"};
  return out + html_table(head, rows);
}

inline std::string nearest_table(const TableReport& report) {
  std::vector<std::string> head{"row", "distance", "ratio"};
  head.insert(head.end(), report.columns.begin(), report.columns.end());
  std::vector<std::vector<std::string>> rows;
  for (const NearestPair& pair : report.nearest) {
    std::vector<std::string> made{concat("synthetic ", pair.synthetic_row), report_number(pair.distance),
                                  report_number(pair.ratio)};
    std::vector<std::string> real{concat("training ", pair.training_row), "", ""};
    for (std::size_t i = 0; i < pair.synthetic.size(); ++i) {
      made.push_back(shorten(pair.synthetic[i], 60));
      real.push_back(pair.training[i] == pair.synthetic[i] ? std::string("=") : shorten(pair.training[i], 60));
    }
    rows.push_back(std::move(made));
    rows.push_back(std::move(real));
  }
  return html_table(head, rows);
}

inline std::string privacy_section(const TableReport& report) {
  std::string out = section("Privacy");
  out += paragraph(
      "Could the synthetic table harm the people whose rows the generator was trained on? To find out, attackers were "
      "played: each tries to learn something about a person from the synthetic table. The same attempts were made "
      "against "
      "held-out people, whose rows the generator never saw. What an attacker learns about those he learns about the "
      "population, as from any statistic. Only what works better against people of the training data than against "
      "others "
      "is a leak: that is the excess risk below, from 0 % (none) to 100 % (all are exposed).");
  const auto run = static_cast<std::int64_t>(report.attacks.size() + report.memberships.size());
  const std::string sure = percent_text(report.options.attack.confidence);
  std::string summary;
  if (run == 0) {
    summary = "No attack could be run, so nothing is known about the risk.";
  } else if (report.found() == 0) {
    summary = concat("None of the ", run,
                     " attacks did better against people of the training data than chance explains. "
                     "That is no proof: other attacks, or other choices of columns, may do better.");
  } else {
    summary = concat(report.found(), " of the ", run,
                     " attacks did better against people of the training data than chance "
                     "explains. One such finding may still be chance: each interval misses the truth in ",
                     percent_text(1.0 - report.options.attack.confidence), " of all cases.");
  }
  out += concat("<div class=\"", report.found() > 0 || run == 0 ? "alarm" : "calm", "\"><strong>", html_escape(summary),
                "</strong></div>\n");
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const AttackResult& attack) {
    const auto rate = [](const AttackRate& of) {
      return concat(percent_text(of.value), " ± ", percent_text(of.error));
    };
    rows.push_back({attack.attack, concat(percent_text(attack.risk()), " ± ", percent_text(attack.error())),
                    attack.found() ? "yes" : "no", rate(attack.main), rate(attack.control), rate(attack.baseline),
                    concat(attack.main.attempts)});
  };
  for (const AttackResult& attack : report.attacks) row(attack);
  for (const MembershipResult& attack : report.memberships) row(attack.attack);
  if (run > 0) {
    const std::array<std::string, 7> head{"attack",   "excess risk", "found",   "training",
                                          "held out", "guessing",    "attempts"};
    out += html_table(head, rows);
    out += paragraph(concat("Success rates with their intervals, at a confidence of ", sure, "."));
  }
  for (const AttackResult& attack : report.attacks) out += attack_box(attack.attack, attack.sentence(), attack.found());
  for (const MembershipResult& attack : report.memberships)
    out += attack_box(attack.attack.attack, membership_text(attack), attack.found());
  for (const std::string& reason : report.not_run)
    out += concat("<div class=\"note\">Not run: ", html_escape(reason), "</div>\n");

  if (!report.closeness.empty()) {
    out += "<h3>Copies and distances</h3>\n";
    rows.clear();
    for (const ReportNumber& number : report.closeness) {
      rows.push_back({number.name, report_number(number.synthetic), report_number(number.holdout), number.meaning});
    }
    const std::array<std::string, 4> head{"number", "synthetic", "held out", "meaning"};
    out += html_table(head, rows);
    out += paragraph(
        "A distance says nothing by itself: where people are alike, anybody's row is near to somebody's. Look for "
        "synthetic "
        "rows that are nearer than the held-out ones.");
    if (report.share_rows > 0) {
      const AttackRate share = attack_rate(report.share.share() * static_cast<double>(report.synthetic_rows),
                                           report.synthetic_rows, report.options.attack.confidence);
      out += paragraph(concat(percent_text(share.value), " ± ", percent_text(share.error),
                              " of the synthetic rows are nearer to one of ", report.share_rows,
                              " training rows than to any of as many held-out rows (ties count half). "
                              "50 % is expected of a generator that copies nobody, more of one that does."));
    }
  }
  if (!report.nearest.empty()) {
    out +=
        "<h3>Synthetic rows that are nearest to a real one</h3>\n"
        "<div class=\"alarm\"><strong>This table shows real rows.</strong> Whoever may not see the training data may "
        "not "
        "see this page; it can be written without them.</div>\n";
    out += paragraph("Rows are numbered from 0. \"=\" means that the training row has the same value.");
    out += nearest_table(report);
  }
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE TableReport table_report(const Table& training, const Table& holdout, const Table& synthetic,
                                          const std::string& target, const TableReportOptions& options) {
  for (const Table* table : {&training, &holdout, &synthetic}) {
    if (table->size() < 4) {
      throw DataError(concat("table_report: expects at least 4 rows in each table, got ", training.size(),
                             " of training, ", holdout.size(), " held-out and ", synthetic.size(), " synthetic ones"));
    }
  }
  detail::matching_columns("table_report", training, synthetic);
  detail::matching_columns("table_report", training, holdout);
  if (!target.empty()) training[target];  // throws where there is none
  TableReport report;
  report.options = options;
  report.target = target;
  report.training_rows = training.size();
  report.holdout_rows = holdout.size();
  report.synthetic_rows = synthetic.size();
  report.quality = quality_report(training, synthetic, options.quality);
  report.quality_ceiling = quality_report(training, holdout, options.quality);
  report.diagnostic = diagnostic_report(training, synthetic);
  report.diagnostic_ceiling = diagnostic_report(training, holdout);
  for (const Column& column : training.columns()) {
    report.overlays.push_back(detail::overlay_of(column, holdout[column.name()], synthetic[column.name()]));
    report.columns.push_back(column.name());
    if (!detail::is_text(column)) report.names.push_back(column.name());
  }
  // Cramér's V of the synthetic table is what it would be called if that were the real one.
  std::vector<Column> compared;
  for (const std::string& name : report.names) compared.push_back(synthetic[name]);
  const QualityReport turned = quality_report(Table(compared), training, options.quality);
  report.association = detail::associations(report.quality, report.names);
  report.synthetic_association = detail::associations(turned, report.names);

  const auto attempt = [&](const char* what, auto&& run) {
    try {
      run();
    } catch (const DataError& e) {
      report.not_run.push_back(concat(what, ": ", e.what()));
    }
  };
  const Rng rng(options.attack.seed);
  attempt("distances", [&] {
    const ClosestRecords near = closest_records(synthetic, training);
    report.closeness = detail::closeness_numbers(training, holdout, synthetic, near);
    report.nearest = detail::nearest_pairs(training, synthetic, near, options.nearest);
    const std::int64_t rows = std::min(training.size(), holdout.size());
    const auto part = [&](const Table& table, std::uint64_t id) {
      return table.size() == rows ? table : table.take(detail::draw_rows(table.size(), rows, rng.split(id)));
    };
    report.share = closest_share(synthetic, part(training, 0), part(holdout, 1));
    report.share_rows = rows;
  });
  const auto width = static_cast<std::int64_t>(training.columns().size());
  std::vector<std::int64_t> widths{1};
  if (width > 1) widths.push_back(std::min<std::int64_t>(3, width));
  for (const std::int64_t columns : widths) {
    attempt("singling out", [&] {
      report.attacks.push_back(
          singling_out(training, synthetic, holdout, {.attack = options.attack, .columns = columns}));
    });
  }
  attempt("linkability", [&] {
    std::vector<std::string> sides[2] = {options.first, options.second};
    if (sides[0].empty() && sides[1].empty()) {
      for (std::size_t i = 0; i < report.names.size(); ++i) sides[i % 2].push_back(report.names[i]);
    }
    if (sides[0].empty() || sides[1].empty()) throw DataError("needs columns with a distance on both sides");
    report.attacks.push_back(linkability(training, synthetic, holdout, sides[0], sides[1], {.attack = options.attack}));
  });
  std::vector<std::string> secrets = options.secrets;
  if (secrets.empty()) secrets.push_back(target.empty() ? report.columns.back() : target);
  for (const std::string& secret : secrets) {
    attempt("inference", [&] {
      report.attacks.push_back(
          attribute_inference(training, synthetic, holdout, secret, {}, {.attack = options.attack}));
    });
  }
  for (const MembershipScore score : {MembershipScore::distance, MembershipScore::density_ratio}) {
    attempt("membership", [&] {
      report.memberships.push_back(membership(training, synthetic, holdout,
                                              {.score = score,
                                               .targets = options.membership_targets,
                                               .confidence = options.attack.confidence,
                                               .seed = options.attack.seed}));
    });
  }
  return report;
}

SYNTHDATA_INLINE std::int64_t TableReport::found() const {
  return std::count_if(attacks.begin(), attacks.end(), [](const AttackResult& attack) { return attack.found(); }) +
         std::count_if(memberships.begin(), memberships.end(),
                       [](const MembershipResult& attack) { return attack.found(); });
}

SYNTHDATA_INLINE std::string TableReport::html() const {
  using detail::report_number;
  std::string out =
      detail::paragraph(concat(synthetic_rows, " synthetic rows, beside the ", training_rows,
                               " real rows that the generator was trained on and ", holdout_rows,
                               " real rows that it has not seen. \"Ceiling\" and \"held out\" are what those "
                               "get: no generator can be expected to do better."));
  std::vector<std::vector<std::string>> rows{
      {"quality", report_number(quality.score), report_number(quality_ceiling.score),
       "columns and pairs are distributed alike: mean of the next two"},
      {"column shapes", report_number(quality.column_shapes), report_number(quality_ceiling.column_shapes),
       "each column by itself"},
      {"pair trends", report_number(quality.pair_trends), report_number(quality_ceiling.pair_trends),
       "pairs of columns that depend on each other"},
      {"validity", report_number(diagnostic.validity), report_number(diagnostic_ceiling.validity),
       "values are within the real range or among the real categories"},
      {"structure", report_number(diagnostic.structure), report_number(diagnostic_ceiling.structure),
       "columns have the same names and types"}};
  const std::array<std::string, 4> head{"score (1 is best)", "synthetic", "ceiling", "meaning"};
  out += html_table(head, rows);
  const auto run = attacks.size() + memberships.size();
  out += detail::paragraph(concat("Privacy: ", found(), " of ", run, " attacks found a risk; see below."));

  out += detail::section("What went in, what came out");
  rows.clear();
  for (const ColumnOverlay& overlay : overlays) {
    const auto checked = std::find_if(diagnostic.columns.begin(), diagnostic.columns.end(),
                                      [&](const ColumnScore& score) { return score.column == overlay.column; });
    rows.push_back({overlay.column, name_of(overlay.type), detail::percent_text(overlay.training_missing),
                    detail::percent_text(overlay.synthetic_missing), report_number(overlay.score),
                    report_number(overlay.ceiling),
                    checked == diagnostic.columns.end() ? std::string("-") : report_number(checked->score)});
  }
  const std::array<std::string, 7> columns_head{"column",  "type", "missing, training", "missing, synthetic", "alike",
                                                "ceiling", "valid"};
  out += html_table(columns_head, rows);

  out += detail::section("Columns");
  out += detail::paragraph(
      "Training: solid lines, filled bars. Synthetic: dashed lines, hatched bars. Heights and lengths are shares of "
      "the "
      "values present.");
  out += detail::overlay_cards(*this);
  if (names.size() > 1) out += detail::section("Pairs of columns") + detail::pair_cards(*this);

  if (!options.usefulness.empty()) {
    out += detail::section("Usefulness");
    out += detail::paragraph("Models trained on synthetic and on real rows, both judged by held-out real rows.");
    rows.clear();
    for (const UsefulnessScore& score : options.usefulness) {
      rows.push_back({score.model, score.metric, report_number(score.synthetic), report_number(score.real)});
    }
    const std::array<std::string, 4> useful_head{"model", "metric", "trained on synthetic", "trained on real"};
    out += html_table(useful_head, rows);
  }
  out += detail::privacy_section(*this);

  out += detail::section("How to repeat this");
  rows.clear();
  for (const auto& [name, value] : options.facts) rows.push_back({name, value});
  rows.push_back({"synthdata", detail::version_text()});
  rows.push_back(
      {"rows", concat(training_rows, " training, ", holdout_rows, " held out, ", synthetic_rows, " synthetic")});
  if (!target.empty()) rows.push_back({"target", target});
  rows.push_back({"attacks", concat(options.attack.attacks, " of each kind, ", options.membership_targets,
                                    " rows of each table for membership, confidence ",
                                    detail::percent_text(options.attack.confidence))});
  rows.push_back({"seed of the attacks", concat(options.attack.seed)});
  rows.push_back({"pairs that count", concat("correlation above ", options.quality.correlation_above,
                                             ", association above ", options.quality.association_above)});
  const std::array<std::string, 2> facts_head{"fact", "value"};
  out += html_table(facts_head, rows);
  return html_page(options.title, out);
}

SYNTHDATA_INLINE Json TableReport::json() const {
  Json::Object facts;
  for (const auto& [name, value] : options.facts) facts.push_back({name, value});
  Json::Array drawn, numbers, attack_list, membership_list, pairs, useful;
  for (const ColumnOverlay& overlay : overlays) {
    drawn.push_back(Json::Object{{"column", overlay.column},
                                 {"type", name_of(overlay.type)},
                                 {"labels", detail::text_array(overlay.labels)},
                                 {"training", detail::number_array(overlay.training)},
                                 {"synthetic", detail::number_array(overlay.synthetic)},
                                 {"training_missing", overlay.training_missing},
                                 {"synthetic_missing", overlay.synthetic_missing},
                                 {"score", overlay.score},
                                 {"ceiling", overlay.ceiling}});
  }
  for (const ReportNumber& number : closeness) {
    numbers.push_back(Json::Object{{"name", number.name},
                                   {"meaning", number.meaning},
                                   {"synthetic", number.synthetic},
                                   {"holdout", number.holdout}});
  }
  for (const AttackResult& attack : attacks) attack_list.push_back(attack.json());
  for (const MembershipResult& attack : memberships) membership_list.push_back(attack.json());
  for (const NearestPair& pair : nearest) {
    pairs.push_back(Json::Object{{"synthetic_row", pair.synthetic_row},
                                 {"training_row", pair.training_row},
                                 {"distance", pair.distance},
                                 {"ratio", pair.ratio},
                                 {"synthetic", detail::text_array(pair.synthetic)},
                                 {"training", detail::text_array(pair.training)}});
  }
  for (const UsefulnessScore& score : options.usefulness) {
    useful.push_back(Json::Object{
        {"model", score.model}, {"metric", score.metric}, {"real", score.real}, {"synthetic", score.synthetic}});
  }
  return Json::Object{
      {"title", options.title},
      {"synthdata", detail::version_text()},
      {"facts", std::move(facts)},
      {"target", target},
      {"rows", Json::Object{{"training", training_rows}, {"holdout", holdout_rows}, {"synthetic", synthetic_rows}}},
      {"options", Json::Object{{"attacks", options.attack.attacks},
                               {"membership_targets", options.membership_targets},
                               {"confidence", options.attack.confidence},
                               {"seed", concat(options.attack.seed)},
                               {"correlation_above", options.quality.correlation_above},
                               {"association_above", options.quality.association_above}}},
      {"quality", quality.json()},
      {"quality_ceiling", quality_ceiling.json()},
      {"diagnostic", diagnostic.json()},
      {"diagnostic_ceiling", diagnostic_ceiling.json()},
      {"columns", std::move(drawn)},
      {"pair_columns", detail::text_array(names)},
      {"association", detail::number_array(association)},
      {"synthetic_association", detail::number_array(synthetic_association)},
      {"usefulness", std::move(useful)},
      {"closeness", std::move(numbers)},
      {"closest_share",
       Json::Object{
           {"rows", share_rows}, {"training", share.training}, {"holdout", share.holdout}, {"tied", share.tied}}},
      {"attacks", std::move(attack_list)},
      {"membership", std::move(membership_list)},
      {"not_run", detail::text_array(not_run)},
      {"nearest_columns", detail::text_array(columns)},
      {"nearest", std::move(pairs)}};
}

SYNTHDATA_INLINE void TableReport::save(const std::string& path) const {
  const std::size_t name = path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1;
  const std::size_t dot = path.rfind('.');
  const std::string stem = dot == std::string::npos || dot <= name ? path : path.substr(0, dot);
  write_file(concat(stem, ".json"), json().dump() + "\n");
  write_file(path, html());
}

}  // namespace synthdata
