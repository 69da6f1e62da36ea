// tests/data/privacy_mondrian_test.cpp: k-anonymity against a plain program in Python, and its measures.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/random.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/privacy/mondrian.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

using namespace synthdata;
using test::data_error, test::has;

namespace {

const Json& reference() {
  static const Json json = parse_json(read_file(test::reference("privacy.json")));
  return json;
}
const Json& at(const Json& json, const char* key) {
  const Json* found = json.find(key);
  if (!found) throw Error(concat("privacy.json has no ", key));
  return *found;
}
const Json::Array& list(const Json& json) { return *json.get_if<Json::Array>(); }

/// Categories in the order of their texts, as the reference has them.
Table with_sorted_categories(const std::string& csv) {
  Schema schema = parse_csv(csv).schema();
  for (ColumnSchema& column : schema.columns) std::sort(column.categories.begin(), column.categories.end());
  return parse_csv(csv, {.schema = schema});
}

std::int64_t whole(const Json& json) { return *json.get_if<std::int64_t>(); }

Hierarchy places() {
  Hierarchy tree{"city", {}};
  for (const Json& pair : list(at(at(reference(), "tables"), "tree"))) {
    tree.parents.emplace_back(*list(pair)[0].get_if<std::string>(), *list(pair)[1].get_if<std::string>());
  }
  return tree;
}

const std::vector<std::string> names = {"age", "city", "income", "sex"};

Table people() {
  return parse_csv(
      "age,city,illness\n21,Rome,flu\n22,Rome,flu\n35,Bonn,gout\n36,Bonn,flu\n35,Lyon,flu\n58,Lyon,gout\n59,Lyon,"
      "flu\n");
}

}  // namespace

TEST_CASE("Mondrian finds the classes, labels and losses of the reference") {
  const Json& tables = at(reference(), "tables");
  const Table table = with_sorted_categories(*at(tables, "csv").get_if<std::string>());
  REQUIRE(table["age"].missing_count() > 0);
  REQUIRE(table["city"].type() == ColumnType::categorical);
  for (const Json& expected : list(at(tables, "cases"))) {
    const Json& settings = at(expected, "settings");
    INFO(settings.dump());
    MondrianOptions options{.quasi_identifiers = names, .sensitive = {"illness", "days"}};
    options.k = *at(settings, "k").get_if<std::int64_t>();
    options.relaxed = settings.find("relaxed") != nullptr;
    if (settings.find("tree")) options.hierarchies = {places()};
    if (const Json* t = settings.find("t")) options.t = t->number();
    if (const Json* l = settings.find("l")) {
      options.l = l->number();
      options.sensitive = {"illness"};
    }
    if (settings.find("diversity")) options.diversity = Diversity::entropy;

    const Anonymized result = Mondrian(options).apply(table);
    std::map<std::int64_t, std::int64_t> pairs;  // their class to ours
    for (std::size_t row = 0; row < result.classes.size(); ++row) {
      const std::int64_t theirs = *list(at(expected, "class_of"))[row].get_if<std::int64_t>();
      const auto [pair, is_new] = pairs.emplace(theirs, result.classes[row]);
      REQUIRE(pair->second == result.classes[row]);
      const Json::Array& labels = list(list(at(expected, "labels"))[static_cast<std::size_t>(theirs)]);
      for (std::size_t d = 0; d < names.size(); ++d) {
        const Column& column = result.table[names[d]];
        const auto i = static_cast<std::int64_t>(row);
        REQUIRE((column.is_missing(i) ? "" : column.cell(i)) == *labels[d].get_if<std::string>());
      }
    }
    CHECK(pairs.size() == list(at(expected, "labels")).size());
    CHECK(result.after.classes == whole(at(expected, "classes")));
    CHECK(result.after.k == whole(at(expected, "smallest")));
    CHECK(result.after.k >= options.k);
    CHECK(result.after.discernibility == at(expected, "discernibility").number());
    CHECK(result.average_class == Approx(at(expected, "average_class").number()).epsilon(1e-12));
    CHECK(result.penalty == Approx(at(expected, "penalty").number()).epsilon(1e-12));
    for (std::size_t d = 0; d < names.size(); ++d) {
      CHECK(result.losses[d].penalty == Approx(list(at(expected, "penalties"))[d].number()).epsilon(1e-12));
    }
    const Anonymity after = anonymity(result.table, names, {"illness", "days"});
    CHECK(after.sensitive[0].distinct_l == whole(at(expected, "distinct_l")));
    CHECK(after.sensitive[0].entropy_l == Approx(at(expected, "entropy_l").number()).epsilon(1e-12));
    CHECK(after.sensitive[0].t == Approx(at(expected, "t_illness").number()).margin(1e-12));
    CHECK(after.sensitive[1].t == Approx(at(expected, "t_days").number()).margin(1e-12));
    CHECK(result.after.sensitive[0].t == after.sensitive[0].t);
  }
}

TEST_CASE("Mondrian loses as much of Adult as the reference") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Json& expected = at(reference(), "adult");
  Schema schema = infer_csv(data_dir() + "/adult/adult.csv");
  for (ColumnSchema& column : schema.columns) std::sort(column.categories.begin(), column.categories.end());
  const Table adult = read_csv(data_dir() + "/adult/adult.csv", {.schema = schema});
  std::vector<std::string> quasi;
  for (const Json& name : list(at(expected, "quasi_identifiers"))) quasi.push_back(*name.get_if<std::string>());
  for (const Json& loss : list(at(expected, "cases"))) {
    const auto k = *at(loss, "k").get_if<std::int64_t>();
    const Anonymized result = Mondrian({.quasi_identifiers = quasi, .k = k, .sensitive = {"income"}}).apply(adult);
    CHECK(result.after.k == whole(at(loss, "smallest")));
    CHECK(result.after.k >= k);
    CHECK(result.after.classes == whole(at(loss, "classes")));
    CHECK(result.after.discernibility == at(loss, "discernibility").number());
    CHECK(result.penalty == Approx(at(loss, "penalty").number()).epsilon(1e-12));
    CHECK(result.table.without({"age", "workclass", "education-num", "marital-status", "race", "sex", "hours-per-week",
                                "native-country"}) ==
          adult.without({"age", "workclass", "education-num", "marital-status", "race", "sex", "hours-per-week",
                         "native-country"}));
  }
}

TEST_CASE("anonymity measures small classes by hand") {
  const Anonymity one = anonymity(people(), {}, {"illness"});
  CHECK(one.classes == 1);
  CHECK(one.k == 7);
  CHECK(one.discernibility == 49.0);
  CHECK(one.sensitive[0].distinct_l == 2);
  CHECK(one.sensitive[0].t == Approx(0.0).margin(1e-15));

  const Anonymity cities = anonymity(people(), {"city"}, {"illness", "age"});
  CHECK(cities.classes == 3);
  CHECK(cities.k == 2);
  CHECK(cities.unique == 0);
  CHECK(cities.discernibility == 4.0 + 4.0 + 9.0);
  CHECK(cities.sensitive[0].distinct_l == 1);  // in Rome all have the flu
  CHECK(cities.sensitive[0].entropy_l == Approx(1.0));
  CHECK(cities.sensitive[0].t == Approx(2.0 / 7.0));  // Rome: no gout, of all 2 in 7
  // Rome has the two lowest of six different ages: cumulated differences 1/2-1/7, 1-2/7, 1-4/7, 1-5/7, 1-6/7 over 5
  CHECK(cities.sensitive[1].t == Approx((5.0 / 14 + 5.0 / 7 + 3.0 / 7 + 2.0 / 7 + 1.0 / 7) / 5.0));
  CHECK(anonymity(people(), {"age", "city"}).unique == 7);
  CHECK(has(cities.str(), "7 rows in 3 classes, the smallest of 2"));
  CHECK(anonymity(Table(), {}).classes == 0);
  CHECK_THROWS_AS(anonymity(people(), {"town"}), DataError);
}

TEST_CASE("missing values are a value of their own") {
  const Table table = parse_csv("age,city\n20,Rome\n21,Rome\n,Rome\n,Rome\n60,Bonn\n61,Bonn\n,Bonn\n62,Bonn\n");
  const Anonymity before = anonymity(table, {"age", "city"});
  CHECK(before.classes == 7);
  const Anonymized two = Mondrian({.quasi_identifiers = {"age", "city"}, .k = 2}).apply(table);
  CHECK(two.after.k >= 2);
  const Anonymized one = Mondrian({.quasi_identifiers = {"age", "city"}, .k = 1}).apply(table);
  CHECK(one.after.classes == 7);
  CHECK(one.penalty == 0.0);
  for (std::int64_t row = 0; row < table.size(); ++row) {
    CHECK(one.table["age"].is_missing(row) == table["age"].is_missing(row));
    CHECK(one.losses[0].changed == 0);
  }
  const Anonymized all = Mondrian({.quasi_identifiers = {"age"}, .k = 8}).apply(table);
  CHECK(all.table["age"].cell(0) == "*");
  CHECK(all.table["age"].missing_count() == 0);
  CHECK(all.penalty == 1.0);
  const Anonymized typical =
      Mondrian({.quasi_identifiers = {"age"}, .k = 8, .recoding = Recoding::typical}).apply(table);
  CHECK(typical.table["age"].missing_count() == 8);
  CHECK(typical.table["age"].type() == ColumnType::integer);
}

TEST_CASE("typical values keep the schema and the anonymity") {
  const Table table = with_sorted_categories(*at(at(reference(), "tables"), "csv").get_if<std::string>());
  for (const bool relaxed : {false, true}) {
    const Anonymized result = Mondrian({.quasi_identifiers = names,
                                        .k = 4,
                                        .relaxed = relaxed,
                                        .hierarchies = {places()},
                                        .recoding = Recoding::typical})
                                  .apply(table);
    CHECK(result.table.schema() == table.schema());
    CHECK(result.after.k >= 4);
  }
  const std::int64_t large[] = {4'611'686'018'427'387'903, 4'611'686'018'427'387'905};
  const Table far({Column::integers("n", large), Column::date_times("day", large, "%Y-%m-%d")});
  const Anonymized mean =
      Mondrian({.quasi_identifiers = {"n", "day"}, .k = 2, .recoding = Recoding::typical}).apply(far);
  CHECK(mean.table["n"].integer(0) == 4'611'686'018'427'387'904);
}

TEST_CASE("typical values leave nothing of a person behind missing ones") {
  const std::vector<bool> gap = {false, true, false, true};
  const Table table({Column::texts("t", std::vector<std::string>{"Emma", "", "Jan", ""}, gap),
                     Column::categorical("c", std::vector<std::int64_t>{1, 0, 1, 0}, {"x", "y"}, gap),
                     Column::booleans("b", {true, false, true, false}, gap)});
  const Anonymized result =
      Mondrian({.quasi_identifiers = {"t", "c", "b"}, .k = 4, .recoding = Recoding::typical}).apply(table);
  for (const Column& column : result.table.columns()) CHECK(column.missing_count() == 4);
  CHECK(result.table["t"].parts().texts.bytes.size() == 0);
  for (std::int64_t row = 0; row < 4; ++row) {
    CHECK_FALSE(result.table["b"].boolean(row));
    CHECK(result.table["c"].parts().values.data<std::uint8_t>()[row] == 0);
  }
}

TEST_CASE("Mondrian refuses what it cannot do, saying why") {
  const auto run = [](MondrianOptions options) {
    return data_error([&] { Mondrian(std::move(options)).apply(people()); });
  };
  CHECK(has(run({.quasi_identifiers = {"age"}, .k = 8}), "k = 8 needs as many rows, the table has 7"));
  CHECK(has(run({.quasi_identifiers = {"age"}, .k = 2, .sensitive = {"illness"}, .l = 3.0}),
            "no class can have l = 3, the whole table has 2"));
  CHECK(has(run({.quasi_identifiers = {"agee"}}), "\"agee\""));
  CHECK(has(run({}), "at least one quasi-identifier"));
  CHECK(has(run({.quasi_identifiers = {"age", "age"}}), "comes twice"));
  CHECK(has(run({.quasi_identifiers = {"age"}, .sensitive = {"age"}}), "both sensitive"));
  CHECK(has(run({.quasi_identifiers = {"age"}, .l = 2.0}), "need a sensitive column"));
  CHECK(has(
      run({.quasi_identifiers = {"city"}, .k = 2, .hierarchies = {{"city", {{"Rome", "Italy"}, {"Bonn", "Italy"}}}}}),
      "no leaf \"Lyon\""));
  CHECK(has(run({.quasi_identifiers = {"city"}, .hierarchies = {{"city", {{"a", "b"}, {"b", "a"}}}}}),
            "without a parent"));
  CHECK(has(run({.quasi_identifiers = {"city"}, .hierarchies = {{"city", {{"x", "r"}, {"a", "b"}, {"b", "a"}}}}}),
            "their own ancestors"));
  CHECK(has(run({.quasi_identifiers = {"city"}, .hierarchies = {{"city", {{"a", "b"}, {"a", "c"}}}}}), "two parents"));
  CHECK_THROWS_AS(Mondrian({.quasi_identifiers = {"age"}, .k = 0}), NumericError);
  CHECK_THROWS_AS(Mondrian({.quasi_identifiers = {"age"}, .t = 1.5}), NumericError);
  CHECK(has(data_error([] { Mondrian({.quasi_identifiers = {"a"}, .k = 1}).apply(Table({Column::reals("a", {})})); }),
            "the table has 0"));
  const double infinite[] = {1.0, std::numeric_limits<double>::infinity()};
  CHECK(has(
      data_error([&] { Mondrian({.quasi_identifiers = {"a"}, .k = 1}).apply(Table({Column::reals("a", infinite)})); }),
      "row 1: expects a finite number"));
}

TEST_CASE("one row and equal rows are one class as they are") {
  const Table table = parse_csv("age,city\n20,Rome\n20,Rome\n20,Rome\n");
  for (const bool relaxed : {false, true}) {
    const Anonymized same = Mondrian({.quasi_identifiers = {"age", "city"}, .k = 1, .relaxed = relaxed}).apply(table);
    CHECK(same.after.classes == 1);
    CHECK(same.table["age"].cell(1) == "20");
    CHECK(same.penalty == 0.0);
    CHECK(same.losses[0].changed == 0);
    const Anonymized one =
        Mondrian({.quasi_identifiers = {"age", "city"}, .k = 1, .relaxed = relaxed}).apply(table.rows(0, 1));
    CHECK(one.after.k == 1);
    CHECK(one.table["city"].cell(0) == "Rome");
  }
}

TEST_CASE("random tables come out k-anonymous, diverse and close as asked") {
  Rng rng(7);
  for (int round = 0; round < 30; ++round) {
    const std::int64_t rows = 20 + rng.below(200), k = 1 + rng.below(8);
    std::vector<std::int64_t> a, c, s;
    std::vector<double> b;
    std::vector<bool> missing;
    for (std::int64_t i = 0; i < rows; ++i) {
      a.push_back(rng.below(1 + rng.below(50)));
      b.push_back(rng.normal());
      c.push_back(rng.below(6));
      s.push_back(rng.below(4));
      missing.push_back(rng.below(10) == 0);
    }
    const Table table({Column::integers("a", a, missing), Column::reals("b", b),
                       Column::categorical("c", c, {"0", "1", "2", "3", "4", "5"}, missing),
                       Column::categorical("s", s, {"w", "x", "y", "z"}, missing)});
    const Table copy = table;
    CleaningReport report;
    const Mondrian step({.quasi_identifiers = {"a", "b", "c"},
                         .k = k,
                         .relaxed = round % 2 == 1,
                         .sensitive = {"s"},
                         .l = round % 3 == 0 ? 2.0 : 1.0,
                         .t = round % 5 == 0 ? 0.4 : 1.0});
    const Anonymized result = step.apply(table, &report);
    CHECK(result.after.k >= k);
    CHECK(result.after.sensitive[0].distinct_l >= (round % 3 == 0 ? 2 : 1));
    CHECK(result.after.sensitive[0].t <= (round % 5 == 0 ? 0.4 : 1.0) + 1e-9);
    CHECK(table == copy);
    CHECK(result.table["s"] == table["s"]);
    CHECK(report.count("b", "generalised") == result.losses[1].changed);
    CHECK(Mondrian::from_json(parse_json(step.json().dump())).apply(table).table == result.table);
  }
}

TEST_CASE("Mondrian's saved settings are read strictly") {
  const Mondrian step({.quasi_identifiers = {"city"},
                       .k = 3,
                       .relaxed = true,
                       .sensitive = {"illness"},
                       .l = 1.5,
                       .diversity = Diversity::entropy,
                       .t = 0.5,
                       .hierarchies = {places()},
                       .recoding = Recoding::typical});
  CHECK(Mondrian::from_json(step.json()).json() == step.json());
  const auto read = [](const char* text) { return data_error([&] { Mondrian::from_json(parse_json(text)); }); };
  CHECK(has(read(R"([])"), "expects an object"));
  CHECK(has(read(R"({"quasi_identifiers": ["a"], "kk": 3})"), "\"kk\""));
  CHECK(has(read(R"({"quasi_identifiers": ["a"], "k": "3"})"), "an integer"));
  CHECK(has(read(R"({"quasi_identifiers": [1]})"), "list of texts"));
  CHECK(has(read(R"({"quasi_identifiers": ["a"], "recoding": "mean"})"), "one of \"range\", \"typical\""));
  CHECK(has(read(R"({"quasi_identifiers": ["a"], "hierarchies": [{"column": "a", "parents": [["x"]]}]})"), "pairs"));
}
