// tests/data/clean_test.cpp: cleaning steps, against scikit-learn where it has them (tests/reference/cleaning.json).
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/cleaner.hpp>
#include <synthdata/data/clean/duplicates.hpp>
#include <synthdata/data/clean/fill.hpp>
#include <synthdata/data/clean/isolation_forest.hpp>
#include <synthdata/data/clean/knn_fill.hpp>
#include <synthdata/data/clean/labels.hpp>
#include <synthdata/data/clean/missing.hpp>
#include <synthdata/data/clean/near_duplicates.hpp>
#include <synthdata/data/clean/outliers.hpp>
#include <synthdata/data/clean/regression_fill.hpp>
#include <synthdata/data/csv.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace synthdata;
using test::data_error, test::has;

namespace {

using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Names = std::vector<std::string>;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

const Json& reference_results() {
  static const Json json = parse_json(read_file(test::reference("cleaning.json")));
  return json;
}
const Json& member(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  if (!found) throw Error("the reference has no " + std::string(key));
  return *found;
}
Reals numbers(const Json& list) {
  Reals out;
  for (const Json& value : *list.get_if<Json::Array>()) out.push_back(value.is_null() ? not_a_number : value.number());
  return out;
}
Tensor matrix(const Json& rows) {
  Reals all;
  const auto& list = *rows.get_if<Json::Array>();
  for (const Json& row : list) {
    const Reals values = numbers(row);
    all.insert(all.end(), values.begin(), values.end());
  }
  const auto count = static_cast<std::int64_t>(list.size());
  return Tensor::from(all, {count, static_cast<std::int64_t>(all.size()) / count});
}
Table numbers_table(const Json& rows) { return Table::from_tensor(matrix(rows), Names{"a", "b", "c", "d"}); }

/// Largest difference relative to the larger of 1 and the expected value.
double worst(const Table& table, const Json& expected) {
  const Tensor want = matrix(expected), got = table.to_tensor({}, DType::f64);
  REQUIRE(want.shape() == got.shape());
  double most = 0.0;
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const double a = want.data<double>()[i], b = got.data<double>()[i];
    most = std::max(most, std::abs(a - b) / std::max(1.0, std::abs(a)));
    if (std::isnan(b)) return b;
  }
  return most;
}

/// A column of every type, each with missing values.
Table mixed() {
  return Table({Column::integers("age", Ints{30, 0, 41, 30}, {false, true, false, false}),
                Column::reals("pay", Reals{1.25, 2.5, 0.0, not_a_number}, {false, false, true, false})
                    .spelled({.type = ColumnType::real, .decimals = 2}),
                Column::booleans("member", {true, false, true, false}, {false, false, false, true}),
                Column::categorical("town", Ints{0, 1, 1, 0}, {"Ulm", "Jena"}, {false, false, false, true}),
                Column::date_times("born", Ints{0, 86'400'000'000, 0, 0}, "%Y-%m-%d", {}, {false, false, true, false}),
                Column::texts("note", Names{"x", "", "y", "x"}, {false, true, false, false})});
}
Names cells(const Column& column) {
  Names out;
  for (std::int64_t i = 0; i < column.size(); ++i) out.push_back(column.is_missing(i) ? "-" : column.cell(i));
  return out;
}

/// Saves and loads a step in an archive, and checks that both do the same.
template <CleaningStep S>
S reloaded(const S& step, const Table& table) {
  const test::Scratch scratch;
  Archive archive;
  step.save(archive, "s");
  save_safetensors(scratch / "s", archive);
  S again = S::load(load_safetensors(scratch / "s"), "s");
  CleaningReport a, b;
  CHECK(again.apply(table, &a) == step.apply(table, &b));
  CHECK(a.changes == b.changes);
  CHECK(again.str() == step.str());
  return again;
}

}  // namespace

TEST_CASE("missing values are filled with what each column type can hold") {
  const Table table = mixed(), before = table;
  CleaningReport report;
  const auto median = FillMissing::fit(table);
  const Table filled = reloaded(median, table).apply(table, &report);
  CHECK(table == before);
  CHECK(cells(filled["age"]) == Names{"30", "30", "41", "30"});
  CHECK(cells(filled["pay"]) == Names{"1.25", "2.50", "1.88", "1.88"});  // 1.875 in two decimals
  CHECK(filled["pay"].real(2) == 1.88);
  CHECK(cells(filled["member"]) == Names{"true", "false", "true", "true"});
  CHECK(cells(filled["town"]) == Names{"Ulm", "Jena", "Jena", "Jena"});
  CHECK(cells(filled["born"]) == Names{"1970-01-01", "1970-01-02", "1970-01-01", "1970-01-01"});
  CHECK(cells(filled["note"]) == Names{"x", "-", "y", "x"});  // texts only where named
  CHECK(report.count("age", "filled") == 1);
  CHECK(report.count("pay", "filled") == 2);
  CHECK(report.count("note", "filled") == 0);
  CHECK(filled.schema() == table.schema());

  const auto fill = [&](const FillMissingOptions& options) {
    return reloaded(FillMissing::fit(table, options), table).apply(table);
  };
  CHECK(cells(fill({.fill = Fill::mean, .columns = {"age"}})["age"])[1] == "34");  // 33.67 rounded
  CHECK(cells(fill({.fill = Fill::mode, .columns = {"note"}})["note"])[1] == "x");
  CHECK(cells(fill({.fill = Fill::constant, .columns = {"note"}, .value = "none"})["note"])[1] == "none");
  CHECK(cells(fill({.fill = Fill::constant, .columns = {"town"}, .value = "Bonn"})["town"])[3] == "Bonn");
  CHECK(cells(fill({.fill = Fill::constant, .columns = {"born"}, .value = "1999-12-31"})["born"])[2] == "1999-12-31");
  CHECK(cells(fill({.fill = Fill::constant, .columns = {"member"}, .value = "false"})["member"])[3] == "false");
  CHECK(cells(fill({.fill = Fill::forward})["age"]) == Names{"30", "30", "41", "30"});
  CHECK(cells(fill({.fill = Fill::forward, .columns = {"town", "note"}})["town"])[3] == "Jena");
  CHECK(cells(fill({.fill = Fill::linear})["age"])[1] == "36");  // 35.5, away from 0
  CHECK(cells(fill({.fill = Fill::linear})["pay"])[3] == "2.50");
}

TEST_CASE("forward filling leaves what has nothing above, linear filling holds the ends") {
  const Table table({Column::reals("x", Reals{not_a_number, 1.0, not_a_number, not_a_number, 4.0, not_a_number})});
  CleaningReport report;
  const auto step = FillMissing::fit(table, {.fill = Fill::forward});
  const Column forward = step.apply(table, &report)["x"];
  CHECK(std::isnan(forward.number(0)));
  CHECK(forward.number(3) == 1.0);
  CHECK(forward.number(5) == 4.0);
  CHECK(report.count("x", "left missing") == 1);
  CHECK(report.count("x", "filled") == 3);
  const Column line = FillMissing::fit(table, {.fill = Fill::linear}).apply(table)["x"];
  CHECK(line.number(0) == 1.0);
  CHECK(line.number(2) == 2.0);
  CHECK(line.number(3) == 3.0);
  CHECK(line.number(5) == 4.0);
}

TEST_CASE("columns kept as written keep the texts that are not filled") {
  const Table table = parse_csv("n,c\n+1,a\n,b\n 3,a\n2,\n1,a\n1,b\n");
  REQUIRE(table["n"].schema().as_written);
  const Table filled = FillMissing::fit(table, {.fill = Fill::median}).apply(table);
  CHECK(cells(filled["n"]) == Names{"+1", "1", " 3", "2", "1", "1"});
  CHECK(cells(filled["c"])[3] == "a");
}

TEST_CASE("fills by mean, median and mode are scikit-learn's") {
  const Json& fills = member(reference_results(), "fills");
  const Table train = numbers_table(member(fills, "train")), test = numbers_table(member(fills, "test"));
  for (const auto& [fill, name] :
       {std::pair(Fill::mean, "mean"), {Fill::median, "median"}, {Fill::mode, "most_frequent"}}) {
    const auto step = FillMissing::fit(train, {.fill = fill});
    CHECK(worst(step.apply(train), member(member(fills, name), "train")) < 1e-14);
    CHECK(worst(step.apply(test), member(member(fills, name), "test")) < 1e-14);
  }
}

TEST_CASE("fills from neighbours are scikit-learn's, for any number of threads") {
  const Json& fills = member(reference_results(), "fills");
  const Table train = numbers_table(member(fills, "train")), test = numbers_table(member(fills, "test"));
  for (const int n : {1, 3}) {
    set_threads(n);
    const auto uniform = KnnFill::fit(train, {.k = 3, .standardise = false});
    CHECK(worst(uniform.apply(train), member(member(fills, "knn"), "train")) < 1e-12);
    CHECK(worst(reloaded(uniform, test).apply(test), member(member(fills, "knn"), "test")) < 1e-12);
    const auto weighted = KnnFill::fit(train, {.by_distance = true, .standardise = false});
    CHECK(worst(weighted.apply(train), member(member(fills, "knn_distance"), "train")) < 1e-12);
    CHECK(worst(weighted.apply(test), member(member(fills, "knn_distance"), "test")) < 1e-12);
  }
  set_threads(0);
}

TEST_CASE("fills by regression are those of scikit-learn's IterativeImputer with Ridge") {
  const Json& fills = member(reference_results(), "fills");
  const Table train = numbers_table(member(fills, "train")), test = numbers_table(member(fills, "test"));
  const auto four = RegressionFill::fit(train, {.rounds = 4, .tolerance = 0.0});
  CHECK(four.rounds() == 4);
  CHECK(worst(four.apply(train), member(member(fills, "ridge"), "train")) < 1e-9);
  CHECK(worst(reloaded(four, test).apply(test), member(member(fills, "ridge"), "test")) < 1e-9);
  const auto tolerant = RegressionFill::fit(train, {.rounds = 60, .tolerance = 3e-2});
  CHECK(static_cast<double>(tolerant.rounds()) == member(member(fills, "ridge_tolerance"), "rounds").number());
  CHECK(worst(tolerant.apply(train), member(member(fills, "ridge_tolerance"), "train")) < 1e-9);
}

TEST_CASE("neighbours and regressions fill categories, booleans, integers and date-times") {
  Ints town, age, born;
  std::vector<bool> member, no_town, no_age, no_member, no_born;
  Rng rng(4);
  for (int i = 0; i < 200; ++i) {  // town decides all else
    const std::int64_t t = rng.below(3);
    town.push_back(t);
    age.push_back(20 * t + 20 + rng.below(3));
    member.push_back(t == 1);
    born.push_back((t * 1000 + rng.below(20)) * 86'400'000'000);
    no_town.push_back(i % 9 == 1);
    no_age.push_back(i % 9 == 3);
    no_member.push_back(i % 9 == 5);
    no_born.push_back(i % 9 == 7);
  }
  const Names towns = {"Ulm", "Jena", "Bonn"};
  const Table whole({Column::categorical("town", town, towns), Column::integers("age", age),
                     Column::booleans("member", member), Column::date_times("born", born, "%Y-%m-%d")});
  const Table holes({Column::categorical("town", town, towns, no_town), Column::integers("age", age, no_age),
                     Column::booleans("member", member, no_member),
                     Column::date_times("born", born, "%Y-%m-%d", {}, no_born)});
  const auto check = [&](const auto& step, std::int64_t years, std::int64_t days) {
    const Table filled = reloaded(step, holes).apply(holes);
    CHECK(filled.schema() == holes.schema());
    CHECK(cells(filled["town"]) == cells(whole["town"]));
    CHECK(cells(filled["member"]) == cells(whole["member"]));
    std::int64_t off_age = 0, off_born = 0;
    for (std::int64_t i = 0; i < 200; ++i) {
      off_age = std::max(off_age, std::abs(filled["age"].integer(i) - whole["age"].integer(i)));
      off_born = std::max(off_born, std::abs(filled["born"].integer(i) - whole["born"].integer(i)) / 86'400'000'000);
    }
    CHECK(off_age <= years);
    CHECK(off_born <= days);
    CHECK(filled["born"].missing_count() == 0);

    // categories in another order, and one never seen
    const Table other(
        {Column::categorical("town", Ints{2, 1, 0}, {"Ulm", "Jena", "Rom"}, {false, false, true}),
         Column::integers("age", Ints{0, 0, 61}, {true, true, false}), Column::booleans("member", {false, true, false}),
         Column::date_times("born", Ints{0, born[0], 2000 * 86'400'000'000}, "%Y-%m-%d", {}, {true, false, false})});
    const Table done = step.apply(other);
    CHECK(cells(done["town"]) == Names{"Rom", "Jena", "Bonn"});
    CHECK(std::abs(done["age"].integer(1) - 41) < 20);
  };
  check(KnnFill::fit(holes), 3, 21);
  check(RegressionFill::fit(holes), 3, 60);  // ridge draws the towns, 1000 days apart, a little together
}

TEST_CASE("an isolation forest scores as scikit-learn's does, given the same trees") {
  const Json& forest = member(reference_results(), "forest");
  const auto mean_path = [](double n) {  // Liu et al. 2008, eq. 1, in sums: H(n - 1) by its asymptote as scikit-learn
    return n < 2 ? 0.0 : n == 2 ? 1.0 : 2.0 * (std::log(n - 1) + 0.5772156649015329) - 2.0 * (n - 1) / n;
  };
  Ints roots;
  std::vector<std::int32_t> feature, next;
  Reals threshold, length;
  for (const Json& tree : *member(forest, "trees").get_if<Json::Array>()) {
    const Reals features = numbers(member(tree, "feature")), left = numbers(member(tree, "left"));
    const Reals right = numbers(member(tree, "right")), rows = numbers(member(tree, "rows"));
    const Reals thresholds = numbers(member(tree, "threshold"));
    roots.push_back(static_cast<std::int64_t>(feature.size()));
    std::vector<std::pair<std::size_t, double>> queue{{0, 0.0}};  // their node and its depth, in our order
    const auto first = static_cast<std::int32_t>(feature.size());
    for (std::size_t at = 0; at < queue.size(); ++at) {
      const auto [node, depth] = queue[at];
      const bool leaf = left[node] < 0;
      feature.push_back(leaf ? -1 : static_cast<std::int32_t>(features[node]));
      threshold.push_back(leaf ? 0.0 : thresholds[node]);
      length.push_back(leaf ? depth + mean_path(rows[node]) : 0.0);
      next.push_back(leaf ? 0 : first + static_cast<std::int32_t>(queue.size()));
      if (leaf) continue;
      queue.emplace_back(static_cast<std::size_t>(left[node]), depth + 1);
      queue.emplace_back(static_cast<std::size_t>(right[node]), depth + 1);
    }
  }
  Archive archive;
  archive.metadata["f"] = R"({"kind":"isolation trees","columns":3,"sample":32})";
  archive.add("f.roots", Tensor::from(roots));
  archive.add("f.feature", Tensor::from(feature));
  archive.add("f.next", Tensor::from(next));
  archive.add("f.threshold", Tensor::from(threshold));
  archive.add("f.length", Tensor::from(length));
  const Tensor scores = IsolationForest::load(archive, "f").scores(matrix(member(forest, "probes")));
  const Reals expected = numbers(member(forest, "scores"));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(scores.data<double>()[i] == Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("isolation forests grown here rank outliers as scikit-learn's do") {
  const Json& outliers = member(reference_results(), "outliers");
  const Tensor rows = matrix(member(outliers, "rows"));
  const Reals expected = numbers(member(outliers, "mean_scores")), areas = numbers(member(outliers, "auc"));
  Reals mean(expected.size());
  double area = 0.0;
  constexpr int seeds = 10;
  for (int seed = 0; seed < seeds; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    const Tensor scores = IsolationForest::fit(rows, rng).scores(rows);
    const double* s = scores.data<double>();
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += s[i] / seeds;
    for (int odd = 300; odd < 320; ++odd) {
      for (int normal = 0; normal < 300; ++normal) area += (s[odd] > s[normal]) / (20.0 * 300.0 * seeds);
    }
  }
  // Mean scores of ten seeds deviate by up to 0.02 / sqrt(10) on each side; both means of 320 rows agree within 5 of
  // those
  for (std::size_t i = 0; i < mean.size(); ++i) CHECK(std::abs(mean[i] - expected[i]) < 0.03);
  const double their_area = std::accumulate(areas.begin(), areas.end(), 0.0) / 10.0;
  CHECK(std::abs(area - their_area) < 0.01);  // theirs range over 0.017
}

TEST_CASE("an isolation forest is the same for any number of threads, and removes or marks rows") {
  Reals x(500), y(500);
  Rng rng(8);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = rng.normal();
    y[i] = rng.normal();
  }
  x[17] = 9.0;
  y[17] = -9.0;
  x[40] = not_a_number;
  const Table table({Column::reals("x", x), Column::reals("y", y), Column::texts("t", Names(500, "t"))});
  set_threads(1);
  const auto one = IsolationOutliers::fit(table, {.share = 0.01});
  set_threads(3);
  const auto three = IsolationOutliers::fit(table, {.share = 0.01});
  CHECK(same_bits(one.scores(table), three.scores(table)));
  set_threads(0);
  CleaningReport report;
  const Table left = reloaded(one, table).apply(table, &report);
  CHECK(report.count("", "removed") == 5);
  CHECK(left.size() == 495);
  for (std::int64_t i = 0; i < left.size(); ++i) CHECK_FALSE(left["x"].number(i) == 9.0);
  const Table marked = IsolationOutliers::fit(table, {.share = 0.01, .action = OutlierAction::mark}).apply(table);
  CHECK(marked["outlier"].boolean(17));
  CHECK(marked.size() == 500);
  CHECK_THROWS_AS(IsolationOutliers::fit(table, {.action = OutlierAction::clip}), NumericError);
  CHECK_THROWS_AS(IsolationOutliers::fit(table, {.share = 0.7}), NumericError);
  CHECK(has(data_error([&] { IsolationOutliers::fit(table.select({"t"})); }), "0 such columns"));
  CHECK(has(data_error([&] { IsolationOutliers::fit(table.rows(0, 0)); }), "got 0 rows"));
  // a single row cannot be unusual
  CHECK(IsolationOutliers::fit(table.rows(0, 1)).apply(table.rows(0, 1)).size() == 1);
}

TEST_CASE("outliers are beyond quartiles or standard deviations, and clipped, removed or marked") {
  Reals x;
  Ints n;
  for (int i = 1; i <= 9; ++i) {
    x.push_back(i);
    n.push_back(i);
  }
  x.push_back(100.0);
  n.push_back(-50);
  x.push_back(not_a_number);
  n.push_back(5);
  const Table table({Column::reals("x", x), Column::integers("n", n), Column::texts("t", Names(11, ""))});
  // of 1 ... 9, 100 the quartiles are 3.25 and 7.75
  const auto clip = Outliers::fit(table);
  CHECK(clip.limits("x").low == 3.25 - 1.5 * 4.5);
  CHECK(clip.limits("x").high == 7.75 + 1.5 * 4.5);
  CleaningReport report;
  const Table clipped = reloaded(clip, table).apply(table, &report);
  CHECK(clipped["x"].real(9) == 14.5);
  CHECK(std::isnan(clipped["x"].number(10)));
  // of -50, 1 ... 9 with two 5s: q1 = 2.5, q3 = 6.5; -3.5 is rounded into the limits
  CHECK(clipped["n"].integer(9) == -3);
  CHECK(report.count("x", "clipped") == 1);
  CHECK(report.count("n", "clipped") == 1);

  CleaningReport removed;
  const auto remove = Outliers::fit(table, {.action = OutlierAction::remove, .columns = {"x"}});
  CHECK(reloaded(remove, table).apply(table, &removed).size() == 10);
  CHECK(removed.count("", "removed") == 1);
  const auto mark = Outliers::fit(table, {.action = OutlierAction::mark, .mark = "odd"});
  const Table marked = reloaded(mark, table).apply(table);
  CHECK(cells(marked["odd"]) ==
        Names{"false", "false", "false", "false", "false", "false", "false", "false", "false", "true", "false"});
  CHECK(has(data_error([&] { mark.apply(marked); }), "there is a column \"odd\" already"));

  // 0, ..., 0, 1: mean 0.05, deviation sqrt(0.0475)
  Reals spike(20, 0.0);
  spike[3] = 1.0;
  const Table spiked({Column::reals("x", spike)});
  const auto sigma = Outliers::fit(spiked, {.rule = OutlierRule::sigma});
  CHECK(sigma.limits("x").high == Approx(0.05 + 3.0 * std::sqrt(0.0475)));
  CHECK(sigma.apply(spiked)["x"].real(3) == Approx(0.05 + 3.0 * std::sqrt(0.0475)));
  spike[4] = infinity;
  CHECK(std::isfinite(sigma.apply(Table({Column::reals("x", spike)}))["x"].real(4)));
  CHECK_THROWS_AS(Outliers::fit(spiked, {.factor = -1.0}), NumericError);
}

TEST_CASE("duplicates are found in all or some columns, and the first, the last or none is kept") {
  const Table table({Column::integers("a", Ints{1, 2, 1, 1, 2}, {false, false, false, true, false}),
                     Column::reals("x", Reals{0.0, not_a_number, -0.0, 0.0, not_a_number}),
                     Column::texts("t", Names{"p", "q", "p", "p", "r"})});
  const auto kept = [&](const DuplicatesOptions& options) {
    CleaningReport report;
    const Table left = reloaded(Duplicates::fit(table, options), table).apply(table, &report);
    CHECK(report.count("", "removed") == table.size() - left.size());
    return cells(left["a"]).size() == static_cast<std::size_t>(left.size()) ? cells(left["t"]) : Names{};
  };
  CHECK(kept({}) == Names{"p", "q", "p", "r"});
  CHECK(kept({.columns = {"a", "x"}}) == Names{"p", "q", "p"});
  CHECK(kept({.columns = {"a", "x"}, .keep = KeepRows::last}) == Names{"p", "p", "r"});
  CHECK(kept({.columns = {"a", "x"}, .keep = KeepRows::none}) == Names{"p"});
  CHECK(has(data_error([&] { Duplicates::fit(table, {.columns = {"b"}}); }), "no column is called \"b\""));
}

TEST_CASE("near duplicates are the rows within a bound of an earlier row that stays") {
  Rng rng(11);
  Reals x, y;
  Ints c;
  for (int i = 0; i < 600; ++i) {
    x.push_back(std::round(rng.normal() * 64.0) / 64.0);
    y.push_back(rng.normal());
    c.push_back(rng.below(2));
  }
  const Table table({Column::reals("x", x), Column::reals("y", y), Column::categorical("c", c, {"p", "q"})});
  const auto scaled = [](Reals v) {
    double mean = 0.0, squares = 0.0;
    for (const double a : v) mean += a / static_cast<double>(v.size());
    for (const double a : v) squares += (a - mean) * (a - mean) / static_cast<double>(v.size());
    for (double& a : v) a = (a - mean) / std::sqrt(squares);
    return v;
  };
  const Reals sx = scaled(x), sy = scaled(y);
  for (const double bound : {0.0, 0.1, 1.2}) {
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool alike = std::any_of(kept.begin(), kept.end(), [&](std::size_t j) {
        const double dx = sx[i] - sx[j], dy = sy[i] - sy[j];
        return std::sqrt(dx * dx + dy * dy + (c[i] != c[j])) <= bound;
      });
      if (!alike) kept.push_back(i);
    }
    const auto step = NearDuplicates::fit(table, {.distance = bound});
    const Table left = reloaded(step, table).apply(table);
    REQUIRE(left.size() == static_cast<std::int64_t>(kept.size()));
    bool same = true;
    for (std::size_t i = 0; i < kept.size(); ++i) same &= left["y"].real(static_cast<std::int64_t>(i)) == y[kept[i]];
    CHECK(same);
  }
  CHECK_THROWS_AS(NearDuplicates::fit(table, {.distance = -1.0}), NumericError);
}

TEST_CASE("near duplicate texts are found by shingles and by edits, as comparing all pairs finds them") {
  Rng rng(12);
  Names texts;
  for (int i = 0; i < 150; ++i) {
    std::string text;
    const bool copy = i > 0 && rng.below(2) == 0;
    if (copy) text = texts[static_cast<std::size_t>(rng.below(i))];
    for (int n = 0; !copy && n < 30; ++n)
      text += rng.below(20) == 0 ? std::string("ü") : std::string(1, static_cast<char>('a' + rng.below(6)));
    for (std::int64_t edits = rng.below(5); copy && edits > 0; --edits) {
      const auto at = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(text.size())));
      if ((text[at] & 0x80) != 0) continue;
      if (rng.below(3) == 0) {
        text.erase(at, 1);
      } else if (rng.below(2) == 0) {
        text.insert(at, "z");
      } else {
        text[at] = 'y';
      }
    }
    texts.push_back(text);
  }
  texts.push_back("");
  texts.push_back("a");
  texts.push_back("b");
  std::vector<bool> missing(texts.size());
  missing[20] = missing[21] = true;
  const Table table({Column::texts("t", texts, missing)});
  const auto characters = [](const std::string& text) {
    Names out;
    for (const char c : text) (c & 0xc0) == 0x80 ? out.back() += c : out.emplace_back(1, c);
    return out;
  };
  const auto edits_between = [&](const std::string& s, const std::string& t) {  // the whole table
    const Names a = characters(s), b = characters(t);
    std::vector<Ints> d(a.size() + 1, Ints(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
      for (std::size_t j = 0; j <= b.size(); ++j) {
        if (i == 0 || j == 0) {
          d[i][j] = static_cast<std::int64_t>(i + j);
        } else {
          d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
        }
      }
    }
    return d[a.size()][b.size()];
  };
  const auto likeness = [&](const std::string& s, const std::string& t) {
    const auto set_of = [&](const std::string& text) {
      const Names all = characters(text);
      Names set;
      for (std::size_t i = 0; i == 0 || i + 4 <= all.size(); ++i) {
        std::string shingle;
        for (std::size_t n = i; n < std::min(i + 4, all.size()); ++n) shingle += all[n];
        set.push_back(shingle);
      }
      std::sort(set.begin(), set.end());
      set.erase(std::unique(set.begin(), set.end()), set.end());
      return set;
    };
    const Names a = set_of(s), b = set_of(t);
    Names both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return static_cast<double>(both.size()) / static_cast<double>(a.size() + b.size() - both.size());
  };
  const auto expected = [&](auto&& alike) {
    Names kept;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (missing[i]) {
        kept.push_back("-");
      } else if (std::none_of(kept.begin(), kept.end(),
                              [&](const std::string& k) { return k != "-" && alike(texts[i], k); })) {
        kept.push_back(texts[i]);
      }
    }
    return kept;
  };
  for (const std::int64_t edits : {1, 2, 4}) {
    const auto step = NearDuplicateTexts::fit(table, {.column = "t", .max_edits = edits});
    CHECK(cells(reloaded(step, table).apply(table)["t"]) ==
          expected([&](const auto& a, const auto& b) { return edits_between(a, b) <= edits; }));
  }
  for (const double similarity : {0.7, 1.0}) {
    CleaningReport report;
    const auto step = NearDuplicateTexts::fit(table, {.column = "t", .similarity = similarity});
    const Table left = reloaded(step, table).apply(table, &report);
    CHECK(cells(left["t"]) == expected([&](const auto& a, const auto& b) { return likeness(a, b) >= similarity; }));
    CHECK(report.count("", "removed") == table.size() - left.size());
  }
  CHECK_THROWS_AS(NearDuplicateTexts::fit(table, {.column = "t", .similarity = 0.2}), NumericError);
  CHECK(has(data_error([&] { NearDuplicateTexts::fit(table, {.column = "u"}); }), "no column is called \"u\""));
}

TEST_CASE("labels are doubted as confident learning has it, by leave-one-out neighbours") {
  const Json& labels = member(reference_results(), "labels");
  const Tensor points = matrix(member(labels, "points"));
  const Reals given = numbers(member(labels, "given"));
  const Ints codes(given.begin(), given.end());
  const Table table =
      Table::from_tensor(points, Names{"x", "y"}).with(Column::categorical("kind", codes, {"a", "b", "c"}));
  const auto step = SuspiciousLabels::fit(table, {.label = "kind", .k = 7});
  Reals rows, likelier;
  for (const SuspiciousLabel& found : step.find(table)) {
    rows.push_back(static_cast<double>(found.row));
    likelier.push_back(found.likelier[0] - 'a');
    CHECK(found.label == table["kind"].cell(found.row));
  }
  CHECK(rows == numbers(member(labels, "doubted")));
  CHECK(likelier == numbers(member(labels, "likelier")));

  CleaningReport report;
  const Table marked = reloaded(step, table).apply(table, &report);
  CHECK(report.count("kind", "doubted") == static_cast<std::int64_t>(rows.size()));
  CHECK(marked["suspicious label"].boolean(static_cast<std::int64_t>(rows[0])));
  const auto remove = SuspiciousLabels::fit(table, {.label = "kind", .k = 7, .action = OutlierAction::remove});
  CHECK(remove.apply(table).size() == table.size() - static_cast<std::int64_t>(rows.size()));
  CHECK(remove.apply(table.rows(0, 0)).size() == 0);
  // a label never seen, and none, in another table
  const Table other({Column::reals("x", Reals{0.0, 0.0}), Column::reals("y", Reals{0.0, 0.0}),
                     Column::categorical("kind", Ints{0, 0}, {"d"}, {false, true})});
  REQUIRE(step.find(other).size() == 1);
  CHECK(step.find(other)[0].likelier == "a");
  CHECK(has(data_error([&] { SuspiciousLabels::fit(table, {.label = "no"}); }), "no column is called \"no\""));
  CHECK(has(data_error([&] { SuspiciousLabels::fit(table.rows(0, 1), {.label = "kind"}); }), "at least two rows"));
  CHECK(has(data_error([&] { SuspiciousLabels::fit(table, {.label = "kind", .columns = {"kind"}}); }),
            "is the label itself"));
  CHECK_THROWS_AS(SuspiciousLabels::fit(table, {.label = "kind", .k = 0}), NumericError);
}

TEST_CASE("rows with missing values and columns that say nothing are dropped") {
  const Table table({Column::integers("one", Ints{7, 7, 7, 7}),
                     Column::reals("none", Reals{not_a_number, not_a_number, not_a_number, not_a_number}),
                     Column::integers("half", Ints{1, 2, 3, 4}, {false, true, true, true}),
                     Column::texts("t", Names{"a", "a", "b", "a"}, {false, false, false, true})});
  const auto columns = DropColumns::fit(table, {.max_missing_share = 0.7});
  CHECK(columns.columns() == Names{"one", "none", "half"});
  CleaningReport report;
  CHECK(reloaded(columns, table).apply(table, &report).schema().columns.size() == 1);
  CHECK(has(report.str(), "column \"none\"  4 values dropped: all missing"));
  CHECK(DropColumns::fit(table, {.constant = false, .keep = {"none"}}).columns().empty());
  CHECK(DropColumns::fit(table.rows(0, 0)).columns().empty());
  CHECK(DropColumns::fit(table.rows(0, 1)).columns() == Names{"none"});
  CHECK_THROWS_AS(DropColumns::fit(table, {.max_missing_share = 2.0}), NumericError);

  CleaningReport rows;
  const auto step = DropMissingRows::fit(table, {.columns = {"half", "t"}});
  CHECK(reloaded(step, table).apply(table, &rows).size() == 1);
  CHECK(rows.count("half", "missing") == 3);
  CHECK(rows.count("", "removed") == 3);
  CHECK(DropMissingRows::fit(table).apply(table).size() == 0);
}

TEST_CASE("a cleaner chains fitted steps, is saved in one file and cleans streams piece by piece") {
  std::string text = "id,age,pay,town,same\n";
  Rng rng(2);
  for (int i = 0; i < 300; ++i) {
    text += concat("p", i, ",", i % 7 == 3 ? std::string("?") : concat(20 + rng.below(40)), ",", rng.below(1000), ".5,",
                   i % 3 ? "Ulm" : "Jena", ",1\n");
  }
  text += "p300,900,1.5,Ulm,1\np300,900,1.5,Ulm,1\n";
  const test::Scratch scratch;
  test::spit(scratch / "a.csv", text);
  const Table raw = read_csv(scratch / "a.csv"), before = raw;
  Cleaner cleaner;
  CleaningReport report;
  Table clean = cleaner.fit(raw, DuplicatesOptions{}, &report);
  clean = cleaner.fit(clean, DropColumnsOptions{}, &report);
  clean = cleaner.fit(clean, OutliersOptions{.columns = {"age"}}, &report);
  clean = cleaner.fit(clean, FillMissingOptions{.columns = {"pay"}}, &report);
  clean = cleaner.fit(clean, KnnFillOptions{.k = 3}, &report);
  clean = cleaner.fit(clean, RegressionFillOptions{}, &report);
  clean = cleaner.fit(clean, IsolationOutliersOptions{.action = OutlierAction::mark}, &report);
  clean = cleaner.fit(clean, DropMissingRowsOptions{}, &report);
  CHECK(raw == before);
  CHECK(clean.size() == 301);
  CHECK(clean.schema().find("same") == nullptr);
  CHECK(report.count("", "removed") == 1);
  CHECK(report.count("age", "filled") == 43);
  CHECK(has(report.str(), "outliers"));
  CHECK(report.json().find("changes") != nullptr);

  cleaner.save(scratch / "cleaner.safetensors");
  const Cleaner again = Cleaner::load(scratch / "cleaner.safetensors");
  CHECK(again.str() == cleaner.str());
  CHECK(again.json() == cleaner.json());
  CHECK(again.apply(raw) == clean);
  CHECK(again.apply(raw.schema()) == clean.schema());

  CleanedReader reader(CsvReader(scratch / "a.csv", {}, 50), again);
  CHECK(reader.schema() == clean.schema());
  const Table streamed = read_all(reader);
  CHECK(streamed.schema() == clean.schema());
  CHECK(streamed == clean);  // the two equal rows are in one piece
  CHECK(reader.report().count("age", "filled") == 43);
}

TEST_CASE("cleaning refuses what it cannot be fitted on or applied to, by name") {
  const Table table = mixed();
  CHECK(has(data_error([&] { FillMissing::fit(table, {.columns = {"Age"}}); }),
            "no column is called \"Age\"; there are \"age\""));
  CHECK(has(data_error([&] { FillMissing::fit(table, {.fill = Fill::mean, .columns = {"note"}}); }),
            "column \"note\" is text"));
  CHECK(has(data_error([&] { FillMissing::fit(table, {.columns = {"age", "age"}}); }), "named twice"));
  CHECK(has(data_error([&] { FillMissing::fit(table, {.fill = Fill::constant, .columns = {"age"}, .value = "x"}); }),
            "is integer, which \"x\" is not"));
  const Table nothing({Column::reals("x", Reals{not_a_number, not_a_number}), Column::integers("n", Ints{1, 2})});
  CHECK(has(data_error([&] { FillMissing::fit(nothing); }), "column \"x\" has no value to learn its median from"));
  CHECK(has(data_error([&] { KnnFill::fit(nothing); }), "column \"x\" has no value"));
  CHECK(has(data_error([&] { RegressionFill::fit(nothing); }), "column \"x\" has no value"));
  CHECK(has(data_error([&] { Outliers::fit(nothing); }), "column \"x\" has no value"));
  CHECK(has(data_error([&] { FillMissing::fit(table.rows(0, 0)); }), "no value to learn"));
  const Table infinite({Column::reals("x", Reals{infinity, 1.0, not_a_number})});
  CHECK(has(data_error([&] { FillMissing::fit(infinite, {.fill = Fill::mean}); }), "infinite"));
  CHECK(has(data_error([&] { KnnFill::fit(infinite); }), "is infinite in row 0"));
  CHECK(has(data_error([&] { RegressionFill::fit(infinite); }), "is infinite in row 0"));
  CHECK_THROWS_AS(KnnFill::fit(table, {.k = 0}), NumericError);
  CHECK_THROWS_AS(RegressionFill::fit(table, {.ridge = 0.0}), NumericError);

  const auto step = FillMissing::fit(table);
  CHECK(
      has(data_error([&] { step.apply(table.without({"age"})); }), "was fitted on column \"age\", which is not there"));
  CHECK(has(data_error([&] { step.apply(table.with(Column::texts("age", Names(4, "x")))); }),
            "was integer when fitted, is text"));
  CHECK(step.apply(table.rows(0, 0)).size() == 0);
  CHECK(KnnFill::fit(table).apply(table.rows(0, 0)).size() == 0);
  CHECK(RegressionFill::fit(table).apply(table.rows(0, 0)).size() == 0);
  // one row, and one column
  const Table one = Table({Column::reals("x", Reals{2.0})});
  const Table hole = Table({Column::reals("x", Reals{not_a_number})});
  CHECK(FillMissing::fit(one).apply(hole)["x"].number(0) == 2.0);
  CHECK(KnnFill::fit(one).apply(hole)["x"].number(0) == 2.0);
  CHECK(RegressionFill::fit(one).apply(hole)["x"].number(0) == 2.0);
  CHECK(Duplicates::fit(Table()).apply(Table()).size() == 0);
}

TEST_CASE("hostile archives of cleaners are refused, not believed") {
  const Table table = mixed();
  Cleaner cleaner;
  Table clean = cleaner.fit(table, FillMissingOptions{});
  cleaner.fit(table, KnnFillOptions{.columns = {"age", "town"}});
  cleaner.fit(table, RegressionFillOptions{.rounds = 2, .columns = {"age", "town"}});
  cleaner.fit(table, IsolationOutliersOptions{.columns = {"age"}, .forest = {.trees = 3}});
  cleaner.fit(table, OutliersOptions{.columns = {"age"}});
  cleaner.fit(table, DuplicatesOptions{});
  cleaner.fit(table, NearDuplicatesOptions{.columns = {"age", "town"}});
  cleaner.fit(table, NearDuplicateTextsOptions{.column = "note"});
  cleaner.fit(table, SuspiciousLabelsOptions{.label = "town", .columns = {"age"}});
  const test::Scratch scratch;
  cleaner.save(scratch / "good");
  const std::string bytes = test::slurp(scratch / "good");
  Rng rng(6);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    test::spit(scratch / "bad", test::mutate(bytes, rng));
    try {
      Cleaner::load(scratch / "bad").apply(table);
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
  Archive archive;
  archive.metadata["cleaner"] = R"({"kind":"cleaner","steps":["wash"]})";
  CHECK(has(data_error([&] { Cleaner::load(archive); }), "no step is called \"wash\""));
}
