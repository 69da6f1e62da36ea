// tests/metrics/table_scores_test.cpp: scores of tables against those of SDMetrics, and by hand.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/metrics/closest_records.hpp>
#include <synthdata/metrics/quality_report.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();

/// What SDMetrics found (tests/reference/make_scores.py); null is NaN.
const Json& reference(const char* part) {
  static const Json all = parse_json(read_file(SYNTHDATA_TEST_DIR "/reference/scores.json"));
  return *all.find(part);
}
double number(const Json* value) {
  REQUIRE(value != nullptr);
  return value->is_null() ? nan : value->number();
}
bool near(double a, double b) { return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-9; }

Table small(const char* name) { return read_csv(concat(SYNTHDATA_TEST_DIR, "/reference/scores_", name, ".csv")); }
/// Adult in two parts; in the second, two columns are turned upside down.
std::pair<Table, Table> adult_halves() {
  const Table adult = read_csv(test::data_dir() + "/adult/adult.csv");
  Table second = adult.rows(16280, adult.size());
  std::vector<std::int64_t> turned;
  for (std::int64_t row = second.size(); row > 0; --row) turned.push_back(row - 1);
  for (const char* name : {"age", "occupation"}) second = second.with(second[name].take(turned));
  return {adult.rows(0, 16280), second};
}

double score(const std::string& metric, const Column& real, const Column& synthetic) {
  if (metric == "ks_complement") return ks_complement(real, synthetic);
  if (metric == "tv_complement") return tv_complement(real, synthetic);
  if (metric == "boundary_adherence") return boundary_adherence(real, synthetic);
  if (metric == "range_coverage") return range_coverage(real, synthetic);
  if (metric == "category_coverage") return category_coverage(real, synthetic);
  if (metric == "category_adherence") return category_adherence(real, synthetic);
  if (metric == "missing_value_similarity") return missing_value_similarity(real, synthetic);
  if (metric == "key_uniqueness") return key_uniqueness(synthetic);
  if (metric == "statistic_mean") return statistic_similarity(real, synthetic, Statistic::mean);
  if (metric == "statistic_median") return statistic_similarity(real, synthetic, Statistic::median);
  REQUIRE(metric == "statistic_std");
  return statistic_similarity(real, synthetic, Statistic::standard_deviation);
}

void check_all(const Json& expected, const Table& real, const Table& synthetic) {
  for (const auto& [column, metrics] : *expected.find("columns")->get_if<Json::Object>()) {
    for (const auto& [metric, value] : *metrics.get_if<Json::Object>()) {
      INFO(column << " " << metric);
      CHECK(near(score(metric, real[column], synthetic[column]), number(&value)));
    }
  }
  const QualityReport quality = quality_report(real, synthetic);
  INFO(quality.str());
  CHECK(near(quality.score, number(expected.find("quality"))));
  const Json::Array& properties = *expected.find("quality_properties")->get_if<Json::Array>();
  CHECK(near(quality.column_shapes, number(&properties.at(0))));
  CHECK(near(quality.pair_trends, number(&properties.at(1))));
  const Json::Array& pairs = *expected.find("pairs")->get_if<Json::Array>();
  REQUIRE(quality.pairs.size() == pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Json::Array& pair = *pairs[i].get_if<Json::Array>();
    const PairScore& ours = quality.pairs[i];
    INFO(ours.first << " and " << ours.second << ": " << ours.score << ", counts: " << ours.counts);
    CHECK(ours.first == *pair[0].get_if<std::string>());
    CHECK(ours.second == *pair[1].get_if<std::string>());
    CHECK(ours.counts == *pair[5].get_if<bool>());
    if (ours.counts) CHECK(near(ours.score, number(&pair[2])));
    if (!pair[3].is_null()) CHECK(near(ours.real_correlation, number(&pair[3])));
    if (!pair[4].is_null()) CHECK(near(ours.real_association, number(&pair[4])));
  }
  const DiagnosticReport diagnostic = diagnostic_report(real, synthetic);
  INFO(diagnostic.str());
  CHECK(near(diagnostic.score, number(expected.find("diagnostic"))));
}

}  // namespace

TEST_CASE("scores of a table with missing values, constants and dates are those of SDMetrics", "[scores]") {
  const Table real = small("real"), synthetic = small("synthetic");
  const Json& expected = reference("small");
  check_all(expected, real, synthetic);
  CHECK(near(correlation_similarity(real, synthetic, "count", "twice", Correlation::spearman).score,
             number(expected.find("spearman"))));
  CHECK(near(contingency_similarity(real, synthetic, "value", "colour").score, number(expected.find("contingency"))));
}

TEST_CASE("scores of Adult are those of SDMetrics", "[scores]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const auto [real, synthetic] = adult_halves();
  check_all(reference("adult"), real, synthetic);
}

TEST_CASE("distances to the closest record are those of SDMetrics", "[scores]") {
  const Table real = small("real"), synthetic = small("synthetic");
  const Json& expected = reference("small");
  const ClosestRecords closest = closest_records(synthetic, real);
  const Json::Array& distances = *expected.find("closest")->get_if<Json::Array>();
  REQUIRE(closest.distance.size() == static_cast<std::int64_t>(distances.size()));
  for (std::size_t i = 0; i < distances.size(); ++i) {
    CHECK(near(closest.distance.data<double>()[i], number(&distances[i])));
  }
  CHECK(near(new_row_synthesis(real, synthetic), number(expected.find("new_rows"))));
  const ClosestShare share = closest_share(synthetic, real.rows(0, 200), small("holdout"));
  CHECK(share.training + share.holdout + share.tied == Approx(1.0));
}

TEST_CASE("closest records of Adult are those of SDMetrics", "[scores]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const auto [real, synthetic] = adult_halves();
  const Json::Array& distances = *reference("adult").find("closest")->get_if<Json::Array>();
  const ClosestRecords closest = closest_records(synthetic.rows(0, 50), real);
  for (std::size_t i = 0; i < distances.size(); ++i) {
    CHECK(near(closest.distance.data<double>()[i], number(&distances[i])));
  }
}

TEST_CASE("a copy scores 1 everywhere and is new nowhere", "[scores]") {
  const Table real = small("real");
  const QualityReport quality = quality_report(real, real, {.correlation_above = 0.0, .association_above = 0.0});
  for (const ColumnScore& column : quality.columns) CHECK(column.score == 1.0);
  for (const PairScore& pair : quality.pairs) CHECK((std::isnan(pair.score) || pair.score == Approx(1.0)));
  CHECK(quality.score == Approx(1.0));
  CHECK(diagnostic_report(real, real).score == 1.0);
  CHECK(new_row_synthesis(real, real) == 0.0);
  CHECK(identical_matches(real, real) == real.size());
  const ClosestRecords closest = closest_records(real, real);
  for (const double distance : closest.distance.span<double>()) CHECK(distance == 0.0);
  const ClosestRecords others = closest_records(real, real, true);
  for (std::int64_t i = 0; i < real.size(); ++i) CHECK(others.index.data<std::int64_t>()[i] != i);
}

TEST_CASE("a planted share of copies is found", "[scores]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Table adult = read_csv(test::data_dir() + "/adult/adult.csv");
  const Table training = adult.rows(0, 8000), holdout = adult.rows(8000, 16000);
  const auto mixture = [&](std::int64_t copies) {
    return adult.rows(16000, 18000 - copies).append(training.rows(0, copies));
  };
  const double fresh = closest_share(mixture(0), training, holdout).share();
  CHECK(fresh == Approx(0.5).margin(0.03));
  CHECK(closest_share(mixture(500), training, holdout).share() == Approx(0.5 + 0.25 / 2).margin(0.03));
  CHECK(identical_matches(mixture(500), training) - 500 <= identical_matches(mixture(0), training));
  CHECK(identical_matches(mixture(500), training) >= 500);
}

TEST_CASE("distances by hand", "[scores]") {
  const Table reference = parse_csv("a,b,c\n0,x,0.5\n10,y,\n4,x,1.5\n5,y,1.0\n");
  const Table rows = parse_csv("a,b,c\n5,x,1.0\n10,y,\n30,y,1.5\n1,x,0.5\n");
  const ClosestRecords closest = closest_records(rows, reference);
  const auto distance = closest.distance.span<double>(), second = closest.second.span<double>();
  CHECK(distance[0] == Approx((0.1 + 0.0 + 0.5) / 3));  // row 2
  CHECK(closest.index.data<std::int64_t>()[0] == 2);
  CHECK(distance[1] == 0.0);
  CHECK(second[1] == Approx((0.5 + 0.0 + 1.0) / 3));
  CHECK(distance[2] == Approx((1.0 + 0.0 + 0.5) / 3));  // 30 is no further away than the whole range
  CHECK(distance[3] == Approx(0.1 / 3));
  CHECK(nearest_neighbour_ratio(closest).data<double>()[3] == Approx(0.1 / (0.3 + 1.0)));
  CHECK(identical_matches(rows, reference) == 1);
}

TEST_CASE("wrong tables are refused and empty ones have no score", "[scores]") {
  const Table real = small("real");
  CHECK(test::has(test::data_error([&] { quality_report(real, real.without({"value"})); }), "no column \"value\""));
  const Table other = real.with(real["colour"].renamed("value"));
  CHECK(test::has(test::data_error([&] { quality_report(real, other); }), "cannot be compared"));
  CHECK_THROWS_AS(ks_complement(real["colour"], real["colour"]), DataError);
  CHECK_THROWS_AS(closest_records(real, real.rows(0, 0)), DataError);
  CHECK_THROWS_AS(closest_share(real, real, real.rows(0, 10)), DataError);
  const QualityReport none = quality_report(real, real.rows(0, 0));
  for (const ColumnScore& column : none.columns) CHECK(std::isnan(column.score));
  CHECK(std::isnan(none.score));
  CHECK(std::isnan(diagnostic_report(real.rows(0, 0), real.rows(0, 0)).validity));
  const double infinite[] = {1.0, std::numeric_limits<double>::infinity()}, finite[] = {1.0, 2.0};
  const Table bad(std::vector{Column::reals("x", infinite)}), good(std::vector{Column::reals("x", finite)});
  CHECK_THROWS_AS(closest_records(bad, good), DataError);
  CHECK(test::has(diagnostic_report(good, bad).str(), "boundary_adherence"));
}
