// tests/metrics/table_report_test.cpp: the report on a synthetic table, as a page and as JSON.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/metrics/table_report.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

Table small(const char* name) { return read_csv(test::reference(concat("scores_", name, ".csv"))); }

TableReport report_of(const Table& training, const Table& holdout, const Table& synthetic,
                      TableReportOptions options = {}) {
  options.attack.attacks = 100;
  return table_report(training, holdout, synthetic, "colour", options);
}

/// Every element that is opened is closed, in order; enough of a parser for what we write.
bool balanced(std::string_view page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    if (end == std::string_view::npos) return false;
    const std::string_view tag = page.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find(' ')));
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (!tag.ends_with('/') && name != "meta" && name != "!DOCTYPE") {
      open.push_back(name);
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("a report has the numbers of its parts, and their ceiling", "[report]") {
  const Table training = small("real"), holdout = small("holdout"), synthetic = small("synthetic");
  const TableReport report = report_of(training, holdout, synthetic,
                                       {.facts = {{"model", "none"}}, .usefulness = {{"tree", "AUC", 0.9, 0.8}}});
  CHECK(report.quality.score == quality_report(training, synthetic).score);
  CHECK(report.quality_ceiling.score == quality_report(training, holdout).score);
  CHECK(report.diagnostic.score == diagnostic_report(training, synthetic).score);
  CHECK(report.not_run.empty());
  CHECK(report.attacks.size() == 4);
  CHECK(report.memberships.size() == 2);
  REQUIRE(report.overlays.size() == 10);
  for (const ColumnOverlay& overlay : report.overlays) {
    INFO(overlay.column);
    CHECK(overlay.training.empty() == (overlay.column == "key"));
    double sums[2] = {};
    for (std::size_t i = 0; i < overlay.training.size(); ++i) {
      sums[0] += overlay.training[i];
      sums[1] += overlay.synthetic[i];
    }
    if (!overlay.training.empty()) {
      CHECK(sums[0] == Approx(1.0));
      CHECK(sums[1] == Approx(1.0));
    }
  }
  // pairs: the correlation and Cramér's V of each table
  const std::size_t count = report.names.size();
  CHECK(count == 9);
  const auto at = [&](const std::string& a, const std::string& b) {
    const auto place = [&](const std::string& name) {
      return static_cast<std::size_t>(std::find(report.names.begin(), report.names.end(), name) - report.names.begin());
    };
    return place(a) * count + place(b);
  };
  const CorrelationScore pair = correlation_similarity(training, synthetic, "value", "twice");
  CHECK(report.association[at("twice", "value")] == pair.real);
  CHECK(report.synthetic_association[at("value", "twice")] == pair.synthetic);
  CHECK(report.association[at("colour", "size")] > 0.3);
  CHECK(std::isnan(report.association[at("single", "flag")]));
  // the nearest rows are the copies that were planted into the synthetic table, rows 100 to 129
  REQUIRE(report.nearest.size() == 10);
  for (const NearestPair& near : report.nearest) {
    CHECK(near.distance == 0.0);
    CHECK(near.synthetic_row >= 100);
    CHECK(near.synthetic_row < 130);
    CHECK(near.training_row == 7 * (near.synthetic_row - 100));
  }
  CHECK(report.closeness.at(0).synthetic == Approx(30.0 / 240.0));

  const std::string page = report.html();
  CHECK(balanced(page));
  for (const char* part : {"Privacy", "This table shows real rows", "ceiling", "How to repeat this", "Usefulness",
                           "0.9000", "Cramér", "seed of the attacks"}) {
    INFO(part);
    CHECK(test::has(page, part));
  }
  CHECK(!test::has(page, "<script"));
  CHECK(!test::has(page, "src="));
  CHECK(!test::has(page, "href="));
  const Json json = parse_json(report.json().dump());
  CHECK(json.find("quality")->find("score")->number() == Approx(report.quality.score));
  CHECK(json.find("attacks")->get_if<Json::Array>()->size() == 4);
  CHECK(json.find("usefulness")->get_if<Json::Array>()->at(0).find("synthetic")->number() == 0.8);
}

TEST_CASE("a report is the same for any number of threads, and is saved as page and JSON", "[report]") {
  const Table training = small("real"), holdout = small("holdout"), synthetic = small("synthetic");
  const auto run = [&](int count) {
    set_threads(count);
    const TableReport report = report_of(training, holdout, synthetic, {.nearest = 0});
    set_threads(0);
    return report;
  };
  const TableReport report = run(1);
  CHECK(report.json().dump() == run(3).json().dump());
  const test::Scratch folder;
  report.save(folder / "a.b/report.html");
  CHECK(test::slurp(folder / "a.b/report.html") == report.html());
  CHECK(test::slurp(folder / "a.b/report.json") == report.json().dump() + "\n");
  CHECK(!test::has(report.html(), "This table shows real rows"));
}

TEST_CASE("hostile names and values stay texts in a report", "[report]") {
  const std::string hostile = "<script>alert(\"1\")</script>", other = "</svg></td><b onload='x'>\xe2\x80\xae";
  std::vector<std::int64_t> numbers, codes;
  for (std::int64_t i = 0; i < 40; ++i) numbers.push_back(i * i % 17), codes.push_back(i % 2);
  const Table table({Column::integers(hostile, numbers), Column::categorical(other, codes, {hostile, other})});
  TableReportOptions options{.title = hostile, .facts = {{hostile, other}}, .usefulness = {{hostile, other, 0.5, 0.5}}};
  options.attack.attacks = 20;
  const std::string page = table_report(table, table, table, other, options).html();
  CHECK(!test::has(page, "<script"));
  CHECK(!test::has(page, "<b onload"));
  CHECK(!test::has(page, "\xe2\x80\xae"));
  CHECK(balanced(page));
}

TEST_CASE("reports on odd tables say what could not be run", "[report]") {
  const double infinite[] = {1.0, 2.0, std::numeric_limits<double>::infinity(), 4.0, 5.0};
  const Table odd(std::vector{Column::reals("x", infinite)});
  const TableReport report = table_report(odd, odd, odd);
  CHECK(report.not_run.size() >= 3);  // distances, linkability, inference, membership
  CHECK(balanced(report.html()));
  const std::int64_t same[] = {1, 1, 1, 1};
  const std::vector<std::string> names{"p1", "p2", "p3", "p4"};
  const Table constant(
      {Column::integers("c", same), Column::texts("t", names), Column::integers("m", same, {true, true, true, true})});
  const TableReport flat = table_report(constant, constant, constant, "c");
  CHECK(balanced(flat.html()));
  CHECK(parse_json(flat.json().dump()).find("columns")->get_if<Json::Array>()->size() == 3);
  CHECK_THROWS_AS(table_report(odd, odd, odd.rows(0, 3)), DataError);
  CHECK_THROWS_AS(table_report(odd, odd, constant), DataError);
  CHECK_THROWS_AS(table_report(odd, odd, odd, "y"), DataError);
}

TEST_CASE("copies and fresh rows of Adult are told apart by the report", "[report]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Table adult = read_csv(test::data_dir() + "/adult/adult.csv");
  const Table training = adult.rows(0, 3000), holdout = adult.rows(3000, 5000);
  const TableReport copies =
      table_report(training, holdout, adult.rows(6000, 7000).append(adult.rows(0, 1000)), "income");
  CHECK(copies.found() >= 5);
  CHECK(test::has(copies.html(), "RISK FOUND"));
  CHECK(copies.share.share() > 0.65);  // 0.5 + 0.5 / 2, with 2000 training rows of which two thirds of the copies are
  const TableReport fresh = table_report(training, holdout, adult.rows(6000, 8000), "income");
  CHECK(fresh.found() <= 1);
  CHECK(fresh.share.share() == Approx(0.5).margin(0.05));
}
