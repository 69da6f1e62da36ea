// tests/data/schema_test.cpp: schemas and the spelling of single cells.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/random.hpp>
#include <synthdata/data/cells.hpp>
#include <synthdata/data/quick_numbers.hpp>

#include <cmath>
#include <cstdio>

using namespace synthdata;
using test::data_error, test::has;

namespace {

std::string real_cell(double value, const ColumnSchema& format = {}) {
  std::string out;
  detail::append_real_cell(out, value, format);
  return out;
}

Schema example() {
  Schema schema;
  schema.columns.push_back({.name = "age", .type = ColumnType::integer, .missing = "?"});
  schema.columns.push_back({.name = "price", .type = ColumnType::real, .decimals = 2});
  schema.columns.push_back({.name = "ratio", .type = ColumnType::real, .whole_point = true, .exponents = false});
  schema.columns.push_back({.name = "member", .type = ColumnType::boolean, .true_text = "yes", .false_text = "no"});
  schema.columns.push_back({.name = "sex", .type = ColumnType::categorical, .categories = {" \"Male\"", "Fräulein"}});
  schema.columns.push_back({.name = "note", .type = ColumnType::text, .missing = "NA", .as_written = true});
  schema.columns.push_back({.name = "born", .type = ColumnType::date_time, .pattern = "%d.%m.%Y", .zone = "Z"});
  schema.columns.push_back({.name = "id", .type = ColumnType::identifier});
  return schema;
}

}  // namespace

TEST_CASE("a schema survives being saved and loaded") {
  const test::Scratch scratch;
  const Schema schema = example();
  schema.save(scratch / "schema.json");
  CHECK(Schema::load(scratch / "schema.json") == schema);
  CHECK(Schema::from_json(schema.json()) == schema);
  CHECK(has(schema.str(), "age     integer      missing is \"?\"\n"));
  CHECK(has(schema.str(), "price   real         2 decimals\n"));
  CHECK(has(schema.str(), "member  boolean      yes | no\n"));
  CHECK(has(schema.str(), "2 categories: \" \\\"Male\\\"\", \"Fräulein\""));
}

TEST_CASE("columns of a schema are found by name and can be edited") {
  Schema schema = example();
  schema["age"].type = ColumnType::real;
  CHECK(schema.find("age")->type == ColumnType::real);
  CHECK(schema.find("none") == nullptr);
  CHECK(has(data_error([&] { schema["none"]; }), "no column is called \"none\"; there are \"age\", \"price\""));
}

TEST_CASE("a broken schema file is an error that says what is wrong") {
  const auto error = [](const char* text) { return data_error([&] { Schema::from_json(parse_json(text)); }); };
  CHECK(has(error("{}"), "expects an object with a list \"columns\""));
  CHECK(has(error(R"({"columns":[{"name":"a"}]})"), "column 1: expects \"name\" and \"type\""));
  CHECK(has(error(R"({"columns":[{"name":"a","type":"number"}]})"), "no type is called \"number\""));
  CHECK(has(error(R"({"columns":[{"name":1,"type":"text"}]})"), "member \"name\" has the wrong type"));
  CHECK(has(error(R"({"columns":[{"name":"a","type":"real","decimals":1000}]})"), "expects -1 to 300 decimals"));
  CHECK(has(error(R"({"columns":[{"name":"a","type":"categorical","categories":[1]}]})"), "expects texts"));
  const test::Scratch scratch;
  test::spit(scratch / "s.json", "{");
  CHECK(has(data_error([&] { Schema::load(scratch / "s.json"); }), "s.json"));
}

TEST_CASE("integers are those that we would write the same") {
  std::int64_t value = 0;
  for (const char* text : {"0", "7", "-12", "9223372036854775807", "-9223372036854775808", "123456789012345678"}) {
    INFO(text);
    REQUIRE(detail::parse_integer(text, value));
    CHECK(std::to_string(value) == text);
    const std::string padded = std::string(16, 'x') + text;
    std::int64_t quick = 1;
    if (detail::quick_integer(padded.data() + 16, padded.data() + padded.size(), quick)) CHECK(quick == value);
  }
  for (const char* text :
       {"", "-", "+5", "007", "-0", " 1", "1 ", "1.0", "9223372036854775808", "1e3", "0x10", "12a"}) {
    INFO(text);
    CHECK_FALSE(detail::parse_integer(text, value));
    const std::string padded = std::string(16, '1') + text;
    CHECK_FALSE(detail::quick_integer(padded.data() + 16, padded.data() + padded.size(), value));
  }
}

TEST_CASE("numbers are written in the fewest digits, laid out like Python") {
  // as Python 3.11 prints them
  CHECK(real_cell(0.1, {.whole_point = true}) == "0.1");
  CHECK(real_cell(1e-4, {.whole_point = true}) == "0.0001");
  CHECK(real_cell(1e-5, {.whole_point = true}) == "1e-05");
  CHECK(real_cell(1.5e-7, {.whole_point = true}) == "1.5e-07");
  CHECK(real_cell(1e15, {.whole_point = true}) == "1000000000000000.0");
  CHECK(real_cell(1e16, {.whole_point = true}) == "1e+16");
  CHECK(real_cell(123456789012345678.0) == "1.2345678901234568e+17");
  CHECK(real_cell(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(real_cell(5e-324) == "5e-324");
  CHECK(real_cell(-0.0, {.whole_point = true}) == "-0.0");
  CHECK(real_cell(-1234.5) == "-1234.5");
  CHECK(real_cell(3) == "3");
  CHECK(real_cell(1e-7, {.exponents = false}) == "0.0000001");
  CHECK(real_cell(1e20, {.exponents = false}) == "100000000000000000000");
  CHECK(real_cell(1.5, {.decimals = 3}) == "1.500");
  CHECK(real_cell(-INFINITY) == "-inf");
}

TEST_CASE("a number says how it was spelled") {
  using namespace detail;
  const auto spelling = [](const char* text) {
    Number number;
    REQUIRE(parse_number(text, number));
    return static_cast<int>(number.spelling);
  };
  CHECK(spelling("12") == spelled_whole);
  CHECK(spelling("12.0") == spelled_point_zero);
  CHECK(spelling("12.5") == 0);
  CHECK(spelling("1.50") == spelled_not_shortest);  // a fixed number of decimals gives it back
  CHECK(spelling("1e-05") == (spelled_exponent | spelled_not_fixed));
  CHECK(spelling("1e-5") == (spelled_not_shortest | spelled_not_fixed));
  CHECK(spelling("0.00001") == spelled_digits);
  CHECK(spelling("+5") == (spelled_not_shortest | spelled_not_fixed));
  CHECK(spelling(".5") == (spelled_not_shortest | spelled_not_fixed));
  CHECK((spelling("0.1000000000000000055") & spelled_not_shortest) != 0);
  Number number;
  for (const char* text : {"", "-", ".", "e5", "1e", "007", "00.5", "1.2.3", "1,5", " 1", "nan", "0x1", "1e999",
                           "12345678901234567890", "Infinity", "1_000"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text, number));
  }
}

TEST_CASE("the quick path for numbers agrees with std::from_chars and with what we write") {
  Rng rng{5};
  int quick = 0, shortest = 0;
  for (int i = 0; i < 100000; ++i) {
    char text[64];
    const double value = rng.normal() * std::pow(10.0, static_cast<double>(rng.below(9)) - 4.0);
    const int digits = static_cast<int>(rng.below(18)) + 1;
    const char* const formats[] = {"%.*f", "%.*g"};
    std::snprintf(text, sizeof text, formats[rng.below(2)], digits, value);
    const std::string padded = std::string("12345.7890123456") + (i % 3 ? text : real_cell(value));
    const char *begin = padded.data() + 16, *end = padded.data() + padded.size();
    detail::Number slow, fast;
    INFO(begin);
    REQUIRE(detail::parse_number(begin, slow));
    REQUIRE(slow.value == std::strtod(begin, nullptr));
    if (!detail::quick_number(begin, end, fast)) continue;
    ++quick;
    REQUIRE(fast.value == slow.value);
    REQUIRE(fast.decimals == slow.decimals);
    REQUIRE((fast.spelling | detail::spelled_not_fixed) == (slow.spelling | detail::spelled_not_fixed));
    REQUIRE((fast.spelling & detail::spelled_not_fixed) >= (slow.spelling & detail::spelled_not_fixed));
    shortest += (fast.spelling & detail::spelled_not_shortest) == 0;
  }
  CHECK(quick > 60000);
  CHECK(shortest > 30000);
}

TEST_CASE("date-times survive, with their format and zone, before 1970 and over leap years") {
  using namespace detail;
  const auto first = [](const char* text, bool day_first = false) {
    const auto formats = date_time_formats(text, day_first);
    REQUIRE_FALSE(formats.empty());
    std::int64_t at = 0;
    REQUIRE(parse_date_time(text, formats[0].pattern, formats[0].zone, at));
    std::string out;
    append_date_time_cell(out, at, formats[0].pattern, formats[0].zone);
    CHECK(out == text);
    return formats[0].pattern + "|" + formats[0].zone;
  };
  CHECK(first("2020-02-29") == "%Y-%m-%d|");
  CHECK(first("1901-01-01 00:00:01") == "%Y-%m-%d %H:%M:%S|");
  CHECK(first("2020-01-02T03:04:05.123456Z") == "%Y-%m-%dT%H:%M:%S.%6f|Z");
  CHECK(first("1969-12-31 23:59:59.5+02:00") == "%Y-%m-%d %H:%M:%S.%1f|+02:00");
  CHECK(first("2020-01-02T03:04-0530") == "%Y-%m-%dT%H:%M|-0530");
  CHECK(first("01/02/2020") == "%m/%d/%Y|");
  CHECK(first("01/02/2020", true) == "%d/%m/%Y|");
  CHECK(first("13/02/2020") == "%d/%m/%Y|");
  CHECK(first("1/2/2020 9:05") == "%-m/%-d/%Y %-H:%M|");
  CHECK(first("31.12.1999") == "%d.%m.%Y|");
  CHECK(first("23:59:59") == "%H:%M:%S|");
  for (const char* text :
       {"2021-02-29", "2020-13-01", "2020-00-10", "2020-1", "12.5", "1.2.3", "24:00", "12:60", "12"}) {
    INFO(text);
    CHECK(date_time_formats(text, false).empty());
  }
  std::int64_t at = 0;
  REQUIRE(parse_date_time("1970-01-01 02:00:00", "%Y-%m-%d %H:%M:%S", "", at));
  CHECK(at == 7'200'000'000);
  REQUIRE(parse_date_time("1970-01-01 02:00:00+02:00", "%Y-%m-%d %H:%M:%S", "+02:00", at));
  CHECK(at == 0);  // UTC
  Rng rng{3};
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t moment = rng.below(std::int64_t{9000} * 365 * 86400) * 1'000'000 - 50'000'000'000'000'000;
    std::string out;
    append_date_time_cell(out, moment, "%d/%m/%Y %H:%M:%S", "-0330");
    REQUIRE(parse_date_time(out, "%d/%m/%Y %H:%M:%S", "-0330", at));
    CHECK(at == moment);
  }
}
