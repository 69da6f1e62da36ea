// tests/tabular/rules_test.cpp: rules between columns, what breaks them, and conditions from files.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/tabular/rules.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;
using models::RuleEnd, models::Rules;
namespace rule = synthdata::models::rule;
using test::data_error, test::has;

namespace {

Table orders() {
  return parse_csv(
      "start,end,a,b,total,city,country,size\n"
      "2024-01-01,2024-01-03,1,2,3,Rome,Italy,S\n"
      "2024-01-05,2024-01-05,1.5,2,3.5,Rome,Italy,M\n"
      "2024-01-09,2024-01-08,0.1,0.2,0.3,Paris,France,S\n"
      "2024-01-09,,2,2,5,Rome,France,L\n"
      ",2024-01-08,,2,7,Paris,,XL\n"
      "2024-01-01,2024-01-03,4,1,5,Paris,France,\n",
      {.schema = {{{.name = "start", .type = ColumnType::date_time, .pattern = "%Y-%m-%d"},
                   {.name = "end", .type = ColumnType::date_time, .pattern = "%Y-%m-%d"},
                   {.name = "a", .type = ColumnType::real},
                   {.name = "b", .type = ColumnType::real},
                   {.name = "total", .type = ColumnType::real},
                   {.name = "city", .type = ColumnType::categorical},
                   {.name = "country", .type = ColumnType::categorical},
                   {.name = "size", .type = ColumnType::text}}}});
}
/// How many rows break the rule, and the first.
std::pair<std::int64_t, std::int64_t> broken(const models::Rule& rule, const Table& table) {
  const auto report = Rules{rule}.check(table);
  return {report.rules.at(0).rows, report.rules.at(0).first_row};
}
using Broken = std::pair<std::int64_t, std::int64_t>;
Rules parsed(const std::string& text) { return Rules::from_json(parse_json(text), "rules.json"); }

}  // namespace

TEST_CASE("rules count the rows that break them", "[rules]") {
  const Table table = orders();
  CHECK(broken(rule::less_equal("start", "end"), table) == Broken{1, 2});  // missing values keep it
  CHECK(broken(rule::less("start", "end"), table) == Broken{2, 1});
  CHECK(broken(rule::less_equal("a", "b"), table) == Broken{1, 5});
  CHECK(broken(rule::less(0.1, "a"), table) == Broken{1, 2});
  CHECK(broken(rule::less_equal(0.1, "a"), table) == Broken{0, -1});
  CHECK(broken(rule::less("a", 2), table) == Broken{2, 3});
  CHECK(broken(rule::less_equal(RuleEnd::cell("2024-01-05"), "start"), table) == Broken{2, 0});
  CHECK(broken(rule::range("start", "2024-01-01", "2024-01-05"), table) == Broken{2, 2});
  CHECK(broken(rule::range("a", 1, {}), table) == Broken{1, 2});
  CHECK(broken(rule::sum("total", {"a", "b"}), table) == Broken{1, 3});  // 0.1 + 0.2 is 0.3 but for rounding
  CHECK(broken(rule::sum("total", {"a", "b"}, 1.0), table) == Broken{0, -1});
  CHECK(broken(rule::one_of("city", {"Rome"}), table) == Broken{3, 2});
  CHECK(broken(rule::one_of("size", {"S", "M", "L"}), table) == Broken{1, 4});
  CHECK(broken(rule::one_of("a", {"1.0", "1.50", "2", "4"}), table) == Broken{1, 2});  // by value
  CHECK(broken(rule::unique({"start"}), table) == Broken{2, 3});
  CHECK(broken(rule::unique({"start", "city"}), table) == Broken{0, -1});
  CHECK(
      broken(rule::predicate("short", [](const Table& t, std::int64_t row) { return t["size"].cell(row).size() < 2; }),
             table) == Broken{1, 4});
  CHECK(broken(rule::fixed_combinations({"city", "country"}), table) == Broken{0, -1});  // those of the table itself
  auto given = rule::fixed_combinations({"city", "country"});
  given.combinations = {{"Rome", "Italy"}, {"Paris", "France"}, {"Paris", std::nullopt}};
  CHECK(broken(given, table) == Broken{1, 3});
  const auto report = Rules{rule::less_equal("start", "end"), rule::unique({"start"})}.check(table);
  CHECK(report.broken() == 3);
  CHECK(report.str() ==
        "\"start\" <= \"end\": broken by 1 row, row 2: \"start\" is \"2024-01-09\", \"end\" is \"2024-01-08\"\n"
        "unique \"start\": broken by 2 rows, the first is row 3: \"start\" is \"2024-01-09\"\n");
}

TEST_CASE("rules compare whole numbers exactly, and take NaN as missing", "[rules]") {
  const std::int64_t big = 9007199254740993;  // 2^53 + 1: as a double it is 2^53
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const Table table({Column::integers("a", std::vector<std::int64_t>{big, big - 1}),
                     Column::integers("b", std::vector<std::int64_t>{big - 1, big}),
                     Column::reals("x", std::vector<double>{nan, inf}), Column::reals("y", std::vector<double>{1, 2})});
  CHECK(broken(rule::less_equal("a", "b"), table) == Broken{1, 0});
  CHECK(broken(rule::less("x", "y"), table) == Broken{1, 1});
  CHECK(broken(rule::range("x", {}, 5), table) == Broken{1, 1});
  CHECK(broken(rule::sum("x", {"y"}), table) == Broken{1, 1});
  CHECK(broken(rule::unique({"x"}), table.append(table)) == Broken{1, 3});
  const Table none = parse_csv("a,b\n");
  CHECK(Rules{rule::unique({"a"}), rule::fixed_combinations({"a", "b"})}.check(none).broken() == 0);
}

TEST_CASE("rules say which column does not fit", "[rules]") {
  const Table table = orders();
  const auto error = [&](const models::Rule& rule) { return data_error([&] { Rules{rule}.check(table); }); };
  CHECK(has(error(rule::less("start", "stop")), "rule \"start\" < \"stop\": there is no column \"stop\"; there are"));
  CHECK(has(error(rule::less("city", "a")), "column \"city\" is categorical, expects numbers or dates"));
  CHECK(has(error(rule::less("start", "a")), "compares date-times with numbers"));
  CHECK(has(error(rule::less(5, "start")), "compares date-times with numbers"));
  CHECK(has(error(rule::sum("total", {"start"})), "column \"start\" is date-time, expects numbers"));
  CHECK(has(error(rule::range("start", "soon", {})), "expects date-time such as %Y-%m-%d, got \"soon\""));
  CHECK(has(error(rule::one_of("a", {"one"})), "column \"a\": expects real"));
  CHECK(has(error(rule::predicate("p", {})), "give it again (set_predicate)"));
}

TEST_CASE("rules that make no sense or contradict each other are refused", "[rules]") {
  const double nan = std::nan("");
  const auto error = [](std::vector<models::Rule> rules) { return data_error([&] { Rules{std::move(rules)}; }); };
  CHECK(has(error({rule::less(1, 2)}), "one of them a column"));
  CHECK(has(error({rule::less("a", "a")}), "names column \"a\" twice"));
  CHECK(has(error({rule::less("a", nan)}), "finite"));
  CHECK(has(error({rule::range("a", {}, {})}), "has no end"));
  CHECK(has(error({rule::range("a", 3, 2)}), "column \"a\" is left no value by \"a\" from 3 to 2"));
  CHECK(has(error({rule::one_of("a", {})}), "allows no value"));
  CHECK(has(error({rule::sum("a", {"b", "a"})}), "names column \"a\" twice"));
  CHECK(has(error({rule::sum("a", {})}), "expects parts"));
  CHECK(has(error({rule::sum("a", {"b"}, -1)}), "tolerance >= 0"));
  CHECK(has(error({rule::unique({})}), "expects columns"));
  CHECK(has(error({rule::unique({""})}), "an empty one"));
  CHECK(has(error({rule::fixed_combinations({"a"})}), "two columns or more"));
  CHECK(has(error({rule::less("a", "b"), rule::less("b", "a")}),
            "they go round in a circle: \"a\" < \"b\", \"b\" < \"a\""));
  CHECK(has(error({rule::less_equal("a", "b"), rule::less_equal("b", "c"), rule::less("c", "a")}), "circle"));
  CHECK(error({rule::less_equal("a", "b"), rule::less_equal("b", "a")}).empty());  // both are equal
  CHECK(has(error({rule::less("a", 5), rule::range("b", 7, 9), rule::less_equal("b", "a")}),
            "column \"a\" is left no value by \"b\" from 7 to 9 and \"b\" <= \"a\" and \"a\" < 5"));
  CHECK(has(error({rule::range("a", 1, 5), rule::range("b", {}, 1), rule::less("a", "b")}), "is left no value"));
  CHECK(error({rule::range("a", 1, 5), rule::range("b", {}, 1), rule::less_equal("a", "b")}).empty());
  CHECK(has(error({rule::one_of("a", {"x", "y"}), rule::one_of("a", {"z"})}), "column \"a\" is left no value by"));
  CHECK(has(error(std::vector<models::Rule>(1001, rule::unique({"a"}))), "at most 1000 rules"));
}

TEST_CASE("rules are written and read as JSON", "[rules]") {
  auto given = rule::fixed_combinations({"city", "country"});
  given.combinations = {{"Rome", "Italy"}, {"Paris", std::nullopt}};
  const Rules rules{rule::less("start", "end"),
                    rule::less_equal(0.5, "a"),
                    rule::range("start", "2024-01-01", {}),
                    given,
                    rule::one_of("size", {"S", "M"}),
                    rule::sum("total", {"a", "b"}, 0.01),
                    rule::unique({"id", "day"}),
                    rule::predicate("odd", [](const Table&, auto) { return true; })};
  const test::Scratch folder;
  rules.save(folder / "rules.json");
  const Rules again = Rules::load(folder / "rules.json");
  CHECK(again.str() == rules.str());
  CHECK(again.json() == rules.json());
  CHECK(again.str() ==
        "\"start\" < \"end\"\n0.5 <= \"a\"\n\"start\" from 2024-01-01\nfixed combinations of \"city\", \"country\"\n"
        "\"size\" one of \"S\", \"M\"\n\"total\" = \"a\" + \"b\" within 0.01\nunique \"id\", \"day\"\npredicate "
        "\"odd\"\n");
  CHECK(again.list().at(3).combinations == given.combinations);
  CHECK_FALSE(again.list().at(7).predicate);  // functions are not saved
  Rules whole = again;
  whole.set_predicate("odd", [](const Table&, auto) { return false; });
  CHECK(whole.list().at(7).predicate);
  CHECK(has(data_error([&] { whole.set_predicate("even", {}); }), "there is no rule predicate \"even\""));
}

TEST_CASE("bad files of rules say where and what", "[rules]") {
  const auto error = [](const std::string& text) { return data_error([&] { parsed(text); }); };
  CHECK(has(error("[]"), "rules.json: expects an object"));
  CHECK(has(error(R"({"rule": []})"), "rules.json: has no member \"rule\""));
  CHECK(has(error(R"({"rules": 3})"), "rules.json: expects"));
  CHECK(has(error(R"({"rules": [3]})"), "rules.json: rule 1: expects an object"));
  CHECK(has(error(R"({"rules": [{"rule": "unique", "columns": ["a"]}, {"rule": "equal"}]})"), "rules.json: rule 2"));
  CHECK(has(error(R"({"rules": [{"columns": ["a"]}]})"), "expects the kind of a rule as member \"rule\""));
  CHECK(has(error(R"({"rules": [{"rule": "sum", "total": "a", "column": "b"}]})"),
            "rules.json: rule 1 (sum): has no member \"column\""));
  CHECK(has(error(R"({"rules": [{"rule": "sum", "total": "a", "parts": "b"}]})"), "rule 1 (sum): expects"));
  CHECK(has(error(R"({"rules": [{"rule": "inequality", "low": true, "high": "b"}]})"), "as member \"low\""));
  CHECK(has(error(R"({"rules": [{"rule": "inequality", "high": "b"}]})"), "expects two ends"));
  CHECK(has(error(R"({"rules": [{"rule": "range", "low": 1}]})"), "rules.json: rule"));
  CHECK(has(error(R"({"rules": [{"rule": "fixed_combinations", "columns": ["a", "b"], "combinations": [["x"]]}]})"),
            "expects combinations of 2 cells, got 1"));
  CHECK(has(error(R"({"rules": [{"rule": "range", "column": "a", "low": 5, "high": 1}]})"), "is left no value"));
  const std::string good =
      Rules{rule::less("start", "end"), rule::sum("total", {"a", "b"}), rule::range("x", 1, 2)}.json().dump();
  Rng rng{4};
  for (int i = 0; i < 2000; ++i) {  // whatever comes, an error or rules
    try {
      static_cast<void>(parsed(test::mutate(good, rng)).str());
    } catch (const DataError&) {
    }
  }
}

TEST_CASE("conditions are read from JSON", "[rules]") {
  const auto parse = [](const std::string& text) {
    return models::conditions_from_json(parse_json(text), "conditions.json");
  };
  const auto conditions = parse(
      R"({"sex": "Female", "country": ["Cuba", "Mexico"], "age": {"low": 30, "high": 40}, "n": 2, "m": {"low": 1}})");
  REQUIRE(conditions.size() == 5);
  CHECK(conditions[0].first == "sex");
  CHECK(conditions[0].second.texts() == std::vector<std::string>{"Female"});
  CHECK(conditions[1].second.texts().size() == 2);
  CHECK(conditions[2].second.low() == 30.0);
  CHECK(conditions[2].second.high() == 40.0);
  CHECK(conditions[3].second.is_range());
  CHECK(conditions[4].second.high() == std::numeric_limits<double>::infinity());
  CHECK(models::json_of(models::conditions_from_json(models::json_of(conditions))) == models::json_of(conditions));
  const auto error = [&](const std::string& text) { return data_error([&] { parse(text); }); };
  CHECK(has(error("[1]"), "conditions.json: expects an object"));
  CHECK(has(error(R"({"a": null})"), "conditions.json: column \"a\": expects a text"));
  CHECK(has(error(R"({"a": []})"), "column \"a\": allows no value"));
  CHECK(has(error(R"({"a": [1]})"), "column \"a\": expects a list of texts"));
  CHECK(has(error(R"({"a": {"low": 2, "high": 1}})"), "expects low <= high"));
  CHECK(has(error(R"({"a": {"from": 2}})"), "has no member \"from\""));
}
