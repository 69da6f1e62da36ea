// tests/data/privacy_mask_test.cpp: masks of cells.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/data/privacy/mask.hpp>

#include <limits>

using namespace synthdata;
using test::data_error, test::has;

namespace {

Table people() {
  return parse_csv(
      "name,mail,card,born,income,city,n\n"
      "Emma Keller,emma@example.org,4111 1111 1111 1111,1984-05-17,1234.50,Rome,17\n"
      "J\xc3\xbcrgen,none,3782-822463-10005,1969-12-31,-7.25,Bonn,-3\n"
      ",j@b.de,,,,,\n"
      "Ann Lee,\xc3\xbc@b.de,4111 1111 1111 1111,2001-01-01,99.00,Rome,20\n");
}

std::string cell(const Table& table, const char* column, std::int64_t row) {
  return table[column].is_missing(row) ? "missing" : table[column].cell(row);
}
Table masked(MaskRule rule) { return Masking({std::move(rule)}).apply(people()); }

}  // namespace

TEST_CASE("each mask leaves what it says") {
  CHECK(cell(masked({.column = "card", .mask = Mask::keep_last}), "card", 0) == "**** **** **** 1111");
  CHECK(cell(masked({.column = "card", .mask = Mask::keep_last}), "card", 1) == "****-******-*0005");
  CHECK(cell(masked({.column = "card", .mask = Mask::keep_last}), "card", 2) == "missing");
  CHECK(cell(masked({.column = "name", .mask = Mask::keep_first, .keep = 2}), "name", 1) == "J\xc3\xbc****");
  CHECK(cell(masked({.column = "name", .mask = Mask::keep_last, .keep = 100}), "name", 0) == "Emma Keller");
  CHECK(cell(masked({.column = "name", .mask = Mask::shape}), "name", 1) == "Aaaaaa");
  CHECK(cell(masked({.column = "card", .mask = Mask::shape}), "card", 1) == "9999-999999-99999");
  CHECK(cell(masked({.column = "name"}), "name", 3) == "redacted");
  CHECK(cell(masked({.column = "name", .text = "X"}), "name", 3) == "X");
  const Table mail = masked({.column = "mail", .mask = Mask::mail});
  CHECK(cell(mail, "mail", 0) == "e***@example.org");
  CHECK(cell(mail, "mail", 1) == "redacted");
  CHECK(cell(mail, "mail", 3) == "\xc3\xbc***@b.de");
  const Table year = masked({.column = "born", .mask = Mask::year});
  CHECK(year["born"].type() == ColumnType::date_time);
  CHECK(cell(year, "born", 0) == "1984");
  CHECK(cell(year, "born", 1) == "1969");
  CHECK(year["born"].integer(1) == -31'536'000'000'000);
  CHECK(cell(year, "born", 2) == "missing");
  CHECK(cell(masked({.column = "born", .mask = Mask::month}), "born", 1) == "1969-12");
  const Table tens = masked({.column = "n", .mask = Mask::round});
  CHECK(tens["n"].type() == ColumnType::integer);
  CHECK(cell(tens, "n", 0) == "10");
  CHECK(cell(tens, "n", 1) == "-10");
  CHECK(cell(tens, "n", 2) == "missing");
  CHECK(cell(tens, "n", 3) == "20");
  CHECK(cell(masked({.column = "income", .mask = Mask::round, .unit = 0.5}), "income", 1) == "-7.50");
  CHECK(masked({.column = "card", .mask = Mask::remove}).find("card") == -1);
}

TEST_CASE("masked categories stay categorical, in an order of their own") {
  const Table table({Column::categorical("city", std::vector<std::int64_t>{0, 1, 2, 0, 3},
                                         {"Rome", "Bonn", "Nice", "Oslo!"}, {false, false, false, false, true})});
  CleaningReport report;
  const Table shapes = Masking({{.column = "city", .mask = Mask::shape}}).apply(table, &report);
  CHECK(shapes["city"].schema().categories == std::vector<std::string>{"Aaaa", "Aaaa!"});
  CHECK(shapes["city"].cell(2) == "Aaaa");
  CHECK(shapes["city"].is_missing(4));
  CHECK(report.count("city", "masked") == 4);
}

TEST_CASE("masking counts what it changed and leaves its input alone") {
  const Table table = people(), copy = table;
  CleaningReport report;
  const Masking masking({{.column = "name"},
                         {.column = "card", .mask = Mask::keep_last},
                         {.column = "born", .mask = Mask::year},
                         {.column = "income", .mask = Mask::round, .unit = 1.0},
                         {.column = "city", .mask = Mask::remove}});
  const Table result = masking.apply(table, &report);
  CHECK(table == copy);
  CHECK(report.count("name", "redacted") == 3);
  CHECK(report.count("card", "masked") == 3);
  CHECK(report.count("born", "masked") == 3);
  CHECK(report.count("income", "masked") == 2);
  CHECK(report.count("city", "removed") == 4);
  CHECK(result["mail"] == table["mail"]);
  CHECK(Masking::from_json(parse_json(masking.json().dump())).json() == masking.json());
  CHECK(Masking::from_json(masking.json()).apply(table) == result);
}

TEST_CASE("a suggestion masks what was found") {
  const PersonalColumns found = detect_personal(people());
  const Masking masking = Masking::suggested(found);
  CHECK(masking.rules().size() == found.columns.size());
  const Table result = masking.apply(people());
  CHECK(cell(result, "name", 0) == "redacted");
  CHECK(cell(result, "mail", 0) == "e***@example.org");
  CHECK(cell(result, "card", 0) == "**** **** **** 1111");
  CHECK(cell(result, "born", 0) == "1984");
  CHECK(cell(result, "city", 0) == "Rome");
  CHECK(Masking::suggested({}).apply(people()) == people());
}

TEST_CASE("masks that do not fit are refused") {
  CHECK(has(data_error([] { masked({.column = "nam"}); }), "\"nam\""));
  CHECK(has(data_error([] { masked({.column = "name", .mask = Mask::year}); }), "expects date-times"));
  CHECK(has(data_error([] { masked({.column = "name", .mask = Mask::round}); }), "expects numbers"));
  CHECK(has(data_error([] { masked({.column = "n", .mask = Mask::round, .unit = 0.5}); }), "whole unit"));
  CHECK(has(data_error([] { Masking({{.column = "n"}, {.column = "n"}}); }), "two rules"));
  CHECK_THROWS_AS(Masking({{.column = "n", .keep = -1}}), NumericError);
  CHECK_THROWS_AS(Masking({{.column = "n", .unit = 0.0}}), NumericError);
  const auto read = [](const char* text) { return data_error([&] { Masking::from_json(parse_json(text)); }); };
  CHECK(has(read(R"({"rules": [{"column": "a", "mask": "blur"}]})"), "\"blur\""));
  CHECK(has(read(R"({"rules": [{"column": "a", "keep": -2}]})"), "keep of 0"));
  CHECK(has(read(R"({"kind": "mondrian"})"), "\"masking\""));
  const Table time({Column::date_times("t", std::vector<std::int64_t>{0}, "%H:%M")});
  CHECK(has(data_error([&] { Masking({{.column = "t", .mask = Mask::year}}).apply(time); }), "with a year"));
  const Table far(
      {Column::date_times("t", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()}, "%Y-%m-%d")});
  CHECK(has(data_error([&] { Masking({{.column = "t", .mask = Mask::year}}).apply(far); }), "four digits"));
  const Table low({Column::integers("n", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()})});
  CHECK(Masking({{.column = "n", .mask = Mask::round}}).apply(low)["n"].integer(0) % 10 == 0);
  CHECK(Masking({{.column = "name"}}).apply(people().rows(0, 0)).size() == 0);
}
