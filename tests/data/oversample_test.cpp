// tests/data/oversample_test.cpp: SMOTE, SMOTENC and ADASYN against imbalanced-learn; noise and mixup of tables.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/data/augment/oversample.hpp>
#include <synthdata/data/augment/table_noise.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/nearest.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

using namespace synthdata;
using test::data_error, test::has;

namespace {

const Json& reference() {
  static const Json json = parse_json(read_file(test::reference("oversample.json")));
  return json;
}
const Json::Array& list(const Json& json, const char* key) {
  const Json* found = json.find(key);
  if (!found) throw Error(concat("oversample.json has no ", key));
  return *found->get_if<Json::Array>();
}
const Json::Array& list(const Json& json) { return *json.get_if<Json::Array>(); }
std::int64_t whole(const Json& json) { return *json.get_if<std::int64_t>(); }

Table cases(bool categories) {
  std::vector<std::vector<double>> x(3);
  std::vector<std::vector<std::int64_t>> c(2);
  std::vector<std::int64_t> y;
  for (const Json& row : list(reference(), "x")) {
    for (std::size_t i = 0; i < 3; ++i) x[i].push_back(list(row)[i].number());
  }
  for (const Json& row : list(reference(), "categories")) {
    for (std::size_t i = 0; i < 2; ++i) c[i].push_back(whole(list(row)[i]));
  }
  for (const Json& label : list(reference(), "y")) y.push_back(whole(label));
  std::vector<Column> columns = {Column::reals("a", x[0]), Column::reals("b", x[1]), Column::reals("c", x[2])};
  if (categories) {
    columns.push_back(Column::categorical("p", c[0], {"p0", "p1", "p2", "p3"}));
    columns.push_back(Column::categorical("q", c[1], {"q0", "q1", "q2"}));
  }
  columns.push_back(Column::categorical("y", y, {"many", "few"}));
  return Table(std::move(columns));
}

/// The reference's random choices, with its neighbours as voters.
detail::RowPlan plan(const Json& from, const Json::Array& near) {
  detail::RowPlan plan;
  plan.neighbours = 5;
  std::map<std::int64_t, std::size_t> place;
  for (const Json& label : list(reference(), "y")) {
    if (whole(label) == 1) place.emplace(90 + static_cast<std::int64_t>(place.size()), place.size());
  }
  for (std::size_t i = 0; i < list(from, "base").size(); ++i) {
    const std::int64_t base = whole(list(from, "base")[i]);
    plan.rows.push_back({base, whole(list(from, "neighbour")[i]), list(from, "share")[i].number()});
    for (const Json& voter : list(near[place.at(base)])) plan.voters.push_back(whole(voter));
  }
  return plan;
}

std::map<std::string, std::int64_t> counts(const Column& column) {
  std::map<std::string, std::int64_t> out;
  for (std::int64_t row = 0; row < column.size(); ++row) ++out[column.cell(row)];
  return out;
}

/// Every new row lies between two of its class, the second among the first one's neighbours.
void check_segments(const Table& table, const Oversampled& result, const std::string& target) {
  REQUIRE(result.table.size() == table.size() + static_cast<std::int64_t>(result.made.size()));
  CHECK(result.table.rows(0, table.size()) == table);
  for (std::size_t i = 0; i < result.made.size(); ++i) {
    const SyntheticRow& made = result.made[i];
    const std::int64_t row = table.size() + static_cast<std::int64_t>(i);
    REQUIRE(made.share >= 0.0);
    REQUIRE(made.share < 1.0);
    REQUIRE(made.base != made.neighbour);
    REQUIRE(result.table[target].cell(row) == table[target].cell(made.base));
    REQUIRE(result.table[target].cell(row) == table[target].cell(made.neighbour));
    for (const Column& column : result.table.columns()) {
      if (column.type() != ColumnType::real || column.name() == target) continue;
      const double a = table[column.name()].real(made.base), b = table[column.name()].real(made.neighbour);
      REQUIRE(column.real(row) == Approx(a + made.share * (b - a)).margin(1e-14));
    }
  }
}

}  // namespace

TEST_CASE("with imbalanced-learn's choices SMOTE, ADASYN and SMOTENC make its very rows") {
  for (const char* method : {"smote", "adasyn", "smotenc"}) {
    INFO(method);
    const bool categories = std::string(method) == "smotenc";
    const Json& expected = *reference().find(method);
    const Table table = cases(categories);
    const auto& near = list(*reference().find(categories ? "smotenc" : "smote"), "near");
    const detail::RowPlan choices = plan(expected, near);
    const Table made = detail::rows_of(table, "y", choices);
    REQUIRE(made.size() == static_cast<std::int64_t>(list(expected, "made").size()));
    REQUIRE(made.size() > 50);
    int votes_tied = 0;
    for (std::int64_t row = 0; row < made.size(); ++row) {
      const Json::Array& theirs = list(list(expected, "made")[static_cast<std::size_t>(row)]);
      // fused multiply-adds, where there are, round once less
      for (std::size_t c = 0; c < 3; ++c) REQUIRE(made[c].real(row) == Approx(theirs[c].number()).margin(1e-14));
      CHECK(made["y"].cell(row) == "few");
      for (std::size_t c = 3; categories && c < 5; ++c) {
        std::map<std::int64_t, int> votes;
        for (std::size_t n = 0; n < 5; ++n)
          ++votes[table[c].code(choices.voters[static_cast<std::size_t>(row) * 5 + n])];
        const auto ours = made[c].code(row), other = static_cast<std::int64_t>(theirs[c].number());
        REQUIRE(votes[ours] == votes[other]);  // as frequent; where it is the only one, the same
        votes_tied += ours != other;
      }
    }
    CHECK(votes_tied < made.size() / 2);  // of two columns
  }
}

TEST_CASE("SMOTE finds imbalanced-learn's neighbours and fills the class up") {
  const Table table = cases(false);
  const OversampleOptions options{.target = "y", .standardise = false, .seed = 3};
  const Oversampled result = smote(table, options);
  check_segments(table, result, "y");
  CHECK(counts(result.table["y"]) == std::map<std::string, std::int64_t>{{"few", 90}, {"many", 90}});
  const auto& near = list(*reference().find("smote"), "near");
  std::map<std::int64_t, std::int64_t> bases;
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (const SyntheticRow& made : result.made) {
    const Json::Array& known = list(near[static_cast<std::size_t>(made.base - 90)]);
    REQUIRE(std::count(known.begin(), known.end(), Json(made.neighbour)) == 1);
    ++bases[made.base];
    pairs.emplace(made.base, made.neighbour);
  }
  for (const auto& [base, count] : bases) CHECK((count == 2 || count == 3));  // 64 new rows of 26
  CHECK(bases.size() == 26);
  CHECK(pairs.size() > 40);
}

TEST_CASE("SMOTENC finds imbalanced-learn's neighbours") {
  const Table table = cases(true);
  const Oversampled result = smotenc(table, {.target = "y", .standardise = false});
  check_segments(table, result, "y");
  CHECK(counts(result.table["y"])["few"] == 90);
  const auto& near = list(*reference().find("smotenc"), "near");
  for (const SyntheticRow& made : result.made) {
    const Json::Array& known = list(near[static_cast<std::size_t>(made.base - 90)]);
    REQUIRE(std::count(known.begin(), known.end(), Json(made.neighbour)) == 1);
  }
}

TEST_CASE("ADASYN makes as many rows of each as imbalanced-learn") {
  const Table table = cases(false);
  const Oversampled result = adasyn(table, {.target = "y", .standardise = false});
  check_segments(table, result, "y");
  std::map<std::int64_t, std::int64_t> bases;
  for (const SyntheticRow& made : result.made) ++bases[made.base];
  const Json::Array& expected = list(*reference().find("adasyn"), "counts");
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(bases[90 + static_cast<std::int64_t>(i)] == whole(expected[i]));
}

TEST_CASE("new rows are spread over the lines as evenly as imbalanced-learn's") {
  // Both draw the share evenly in [0, 1): the mean of n draws is 1/2, give or take 0.29 / sqrt(n).
  const Oversampled result = smote(cases(false), {.target = "y", .counts = {{"few", 4026}}, .standardise = false});
  REQUIRE(result.made.size() == 4000);
  double mean = 0.0, square = 0.0;
  for (const SyntheticRow& made : result.made) {
    mean += made.share / 4000.0;
    square += made.share * made.share / 4000.0;
  }
  CHECK(mean == Approx(0.5).margin(0.02));
  CHECK(square == Approx(1.0 / 3.0).margin(0.02));
  for (std::size_t c = 0; c < 3; ++c) {  // mean of the new rows: their 64 and our 4000 within 4 standard errors
    double ours = 0.0, theirs = 0.0, deviation = 0.0;
    const auto& made = list(*reference().find("smote"), "made");
    for (std::int64_t row = 116; row < 4116; ++row) ours += result.table[c].real(row) / 4000.0;
    for (const Json& row : made) theirs += list(row)[c].number() / static_cast<double>(made.size());
    for (const Json& row : made) deviation += std::pow(list(row)[c].number() - theirs, 2.0);
    CHECK(std::fabs(ours - theirs) < 4.0 * std::sqrt(deviation) / static_cast<double>(made.size()));
  }
}

TEST_CASE("oversampling does not depend on threads and leaves its input alone") {
  const Table table = cases(true), copy = table;
  Table first;
  for (const int n : {1, 2, 5}) {
    set_threads(n);
    const Oversampled result = smotenc(table, {.target = "y", .seed = 9});
    if (n == 1) first = result.table;
    CHECK(result.table == first);
    CHECK(mixup_rows(table, {.seed = 2}) == mixup_rows(copy, {.seed = 2}));
  }
  set_threads(0);
  CHECK(table == copy);
  CHECK_FALSE(smotenc(table, {.target = "y", .seed = 10}).table == first);
}

TEST_CASE("integers, dates, decimals and booleans stay what they are") {
  std::string csv = "n,when,price,member,kind,class\n";
  Rng rng(11);
  for (int i = 0; i < 60; ++i) {
    csv += concat(rng.below(50), ",2020-0", 1 + rng.below(9), "-1", rng.below(9), ",", rng.below(100), ".",
                  10 + rng.below(89), ",", rng.below(2) ? "yes" : "no", ",", "abc"[rng.below(3)], "x,",
                  i % 4 == 0   ? "rare"
                  : i % 4 == 1 ? "some"
                               : "common",
                  "\n");
  }
  const Table table = parse_csv(csv);
  REQUIRE(table["price"].schema().decimals == 2);
  REQUIRE(table["when"].type() == ColumnType::date_time);
  for (const Table& result : {smotenc(table, {.target = "class"}).table, add_noise(table, {.swap = 0.3}),
                              table.append(mixup_rows(table)), table.append(mixup_rows(table, {.within = "class"}))}) {
    CHECK(result.schema() == table.schema());
    // what was written is read again as the same values
    CHECK(parse_csv(format_csv(result), {.schema = table.schema()}) == result);
  }
  const Table grown = smotenc(table, {.target = "class"}).table;
  CHECK(counts(grown["class"]) == std::map<std::string, std::int64_t>{{"common", 30}, {"rare", 30}, {"some", 30}});
  const Table some = smotenc(table, {.target = "class", .ratio = 0.7}).table;
  CHECK(counts(some["class"]) == std::map<std::string, std::int64_t>{{"common", 30}, {"rare", 21}, {"some", 21}});
  const Table given = smotenc(table, {.target = "class", .counts = {{"rare", 40}}}).table;
  CHECK(counts(given["class"]) == std::map<std::string, std::int64_t>{{"common", 30}, {"rare", 40}, {"some", 15}});
  CHECK(smotenc(table, {.target = "class", .ratio = 0.5}).table == table);
}

TEST_CASE("rows between large integers are exact and stay between them") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  CHECK(detail::moved(least, 1.9e19, least, most) == most);
  CHECK(detail::moved(most, -1.9e19, least, most) == least);
  CHECK(detail::moved(5, 2.5, 0, 10) == 8);
  CHECK(detail::moved(5, -2.4, 0, 10) == 3);
  CHECK(detail::moved(most - 1, 0.2, least, most) == most - 1);
  const std::int64_t values[] = {least, most, (std::int64_t{1} << 53) + 1, (std::int64_t{1} << 53) + 3};
  const Column column = Column::integers("n", values);
  const SyntheticRow rows[] = {{0, 1, 0.0}, {0, 1, 0.5}, {2, 3, 0.5}, {3, 2, 0.25}, {1, 1, 0.7}};
  const Column made = detail::between(column, rows);
  CHECK(made.integer(0) == least);
  CHECK(made.integer(1) == 0);
  CHECK(made.integer(2) == values[2] + 1);
  CHECK(made.integer(3) == values[3] - 1);
  CHECK(made.integer(4) == most);
}

TEST_CASE("oversampling says what it cannot use") {
  const Table table = cases(true);
  const auto refused = [&](OversampleOptions options) { return data_error([&] { smotenc(table, options); }); };
  CHECK(has(refused({.target = "z"}), "\"z\""));
  CHECK(has(refused({.target = "a"}), "expects classes"));
  CHECK(has(refused({.target = "y", .neighbours = 26}), "class \"few\" has 26 rows; 26 neighbours need at least 27"));
  CHECK(has(refused({.target = "y", .counts = {{"none", 3}}}), "no class \"none\""));
  CHECK(has(refused({.target = "y", .counts = {{"many", 3}}}), "has 90 rows already"));
  CHECK(has(data_error([&] { smote(table, {.target = "y"}); }), "smotenc takes categories"));
  CHECK(has(data_error([&] { adasyn(table, {.target = "y"}); }), "column \"p\""));
  CHECK_THROWS_AS(smote(cases(false), {.target = "y", .neighbours = 0}), NumericError);
  CHECK_THROWS_AS(smote(cases(false), {.target = "y", .ratio = 1.5}), NumericError);
  CHECK(has(data_error([] { smote(parse_csv("a,y\n1,p\n,p\n3,q\n"), {.target = "y"}); }), "1 values are missing"));
  CHECK(has(data_error([] { smote(parse_csv("y\np\np\nq\n"), {.target = "y"}); }), "besides the target"));
  const double infinite[] = {1.0, std::numeric_limits<double>::infinity()};
  const Table bad({Column::reals("a", infinite), Column::booleans("y", {true, false})});
  CHECK(has(data_error([&] { smote(bad, {.target = "y"}); }), "row 1 is inf"));
  // two classes far apart: nobody is near the other class
  std::string csv = "a,y\n";
  for (int i = 0; i < 30; ++i) csv += concat(i < 20 ? i : 1000 + i, ",", i < 20 ? "p" : "q", "\n");
  CHECK(has(data_error([&] { adasyn(parse_csv(csv), {.target = "y"}); }), "use smote"));
  CHECK(smote(Table({Column::reals("a", {}), Column::integers("y", {})}), {.target = "y"}).table.size() == 0);
  // equal rows have themselves as neighbours
  const Table equal = parse_csv("a,y\n1,p\n1,p\n1,p\n2,q\n2,q\n2,q\n2,q\n2,q\n");
  CHECK(smote(equal, {.target = "y", .neighbours = 2}).table.size() == 10);
}

TEST_CASE("noise has the size asked for and stays within the column") {
  Rng rng(2);
  std::vector<double> values;
  std::vector<std::int64_t> codes;
  std::vector<bool> missing;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(100.0 + 5.0 * rng.normal());
    codes.push_back(rng.below(10) < 7 ? 0 : 1);
    missing.push_back(i % 10 == 0);
  }
  const Table table({Column::reals("x", values, missing), Column::categorical("c", codes, {"a", "b"}, missing),
                     Column::texts("t", std::vector<std::string>(20000, "text"))});
  const Table noisy = add_noise(table, {.share = 0.2, .swap = 0.5, .within = false, .seed = 4});
  double square = 0.0, mean = 0.0;
  std::int64_t swaps = 0;
  for (std::int64_t row = 0; row < 20000; ++row) {
    REQUIRE(noisy["x"].is_missing(row) == table["x"].is_missing(row));
    REQUIRE(noisy["c"].is_missing(row) == table["c"].is_missing(row));
    if (noisy["x"].is_missing(row)) continue;
    const double by = noisy["x"].real(row) - table["x"].real(row);
    square += by * by / 18000.0;
    mean += by / 18000.0;
    swaps += noisy["c"].code(row) != table["c"].code(row);
  }
  CHECK(std::sqrt(square) == Approx(1.0).margin(0.03));  // 0.2 of 5; standard error 0.005
  CHECK(mean == Approx(0.0).margin(0.03));
  // half are drawn anew; of those 2 * 0.7 * 0.3 change
  CHECK(static_cast<double>(swaps) / 18000.0 == Approx(0.21).margin(0.015));
  CHECK(noisy["t"] == table["t"]);
  CHECK(add_noise(table, {.share = 0.0}) == table);
  CHECK(add_noise(table, {.columns = {"c"}, .seed = 1}) == table);
  const Table one = add_noise(table.select({"x"}), {.share = 0.2, .within = false, .seed = 4});
  CHECK(one["x"] == noisy["x"]);  // whatever other columns there are

  const Table wild = add_noise(parse_csv("age\n1\n2\n3\n40\n"), {.share = 100.0});
  for (std::int64_t row = 0; row < 4; ++row) CHECK((wild["age"].integer(row) >= 1 && wild["age"].integer(row) <= 40));
  CHECK(add_noise(parse_csv("a\n5\n5\n")) == parse_csv("a\n5\n5\n"));
  CHECK(add_noise(table.rows(0, 0)).size() == 0);
  CHECK_THROWS_AS(add_noise(table, {.share = -1.0}), NumericError);
  CHECK_THROWS_AS(add_noise(table, {.swap = 2.0}), NumericError);
  CHECK(has(data_error([&] { add_noise(table, {.columns = {"t"}}); }), "has no noise"));
  CHECK(has(data_error([&] { add_noise(table, {.columns = {"u"}}); }), "\"u\""));
}

TEST_CASE("mixed rows lie between two, of one class where asked") {
  std::string csv = "x,z,class\n";
  for (int i = 0; i < 200; ++i)
    csv += concat(i % 2 ? 1000 + i : i, ",", i % 3 ? concat(i, ".5") : "", ",", i % 2 ? "high" : "low", "\n");
  const Table table = parse_csv(csv);
  const Table pairs = mixup_rows(table, {.alpha = 1.0, .rows = 500, .within = "class", .seed = 6});
  REQUIRE(pairs.size() == 500);
  std::int64_t missing = 0, between = 0;
  for (std::int64_t row = 0; row < 500; ++row) {
    CHECK((pairs["x"].integer(row) >= 1000) == (pairs["class"].cell(row) == "high"));
    missing += pairs["z"].is_missing(row);
    between += pairs["x"].integer(row) % 2 != (pairs["class"].cell(row) == "high");  // no row has such a number
  }
  CHECK(missing == Approx(500 / 3).margin(60));
  CHECK(between > 150);
  const Table any = mixup_rows(table, {.alpha = 1.0, .rows = 500});
  std::int64_t inside = 0;
  for (std::int64_t row = 0; row < 500; ++row) inside += any["x"].integer(row) > 200 && any["x"].integer(row) < 1000;
  CHECK(inside > 150);  // about half of the pairs are of two classes, and four in five of those between
  CHECK(mixup_rows(table).size() == 200);
  CHECK(mixup_rows(table, {.rows = 0}).size() == 0);
  CHECK_THROWS_AS(mixup_rows(table, {.alpha = 0.0}), NumericError);
  CHECK_THROWS_AS(mixup_rows(table, {.rows = -2}), NumericError);
  CHECK(has(data_error([&] { mixup_rows(table.rows(0, 0)); }), "no rows"));
  CHECK(has(data_error([&] { mixup_rows(table, {.within = "k"}); }), "\"k\""));
}
