// tests/data/privacy_pseudonym_test.cpp: pseudonyms that agree over tables.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/data/privacy/patterns.hpp>
#include <synthdata/data/privacy/pseudonym.hpp>

#include <algorithm>
#include <cmath>
#include <set>

using namespace synthdata;
using test::data_error, test::has;

namespace {

const std::string key = "0123456789abcdef";

Table customers() {
  return parse_csv(
      "id,name,mail,phone\n7,Emma Keller,emma@b.de,+49 30 1234567\n8,Jan Novak,,(212) 555-0123\n,Ann "
      "Lee,ann@c.de,030/12\n");
}

}  // namespace

TEST_CASE("a token is the code of domain and cell, as HMAC-SHA-256 gives it") {
  const Pseudonyms pseudonyms(key, {});
  const PseudonymRule rule{.column = "a", .length = 64};
  // printf 'person\0emma' | openssl dgst -sha256 -hmac 0123456789abcdef
  PseudonymRule in_domain = rule;
  in_domain.domain = "person";
  CHECK(pseudonyms.of(in_domain, "Emma ", "Emma ") ==
        "784b529268726e0760f6a8a6c79263120789707c2eeafa4a4ee424dba87d84cb");
  CHECK(pseudonyms.of(rule, "emma", "emma") == hex(HmacSha256(key)(std::string("\0emma", 5))));
  PseudonymRule digits = rule;
  digits.format = PseudonymFormat::digits;
  digits.length = 12;
  digits.domain = "person";
  // the last digits of the code as a number, the last one first
  CHECK(pseudonyms.of(digits, "Emma", "Emma") == "910768278802");
}

TEST_CASE("one person has one pseudonym in all tables") {
  const Pseudonyms pseudonyms(key, {{.column = "id", .format = PseudonymFormat::digits, .length = 8},
                                    {.column = "name", .format = PseudonymFormat::name, .subject = "id"},
                                    {.column = "mail", .format = PseudonymFormat::mail, .subject = "id"},
                                    {.column = "phone", .format = PseudonymFormat::phone, .subject = "id"}});
  const Pseudonyms orders(key, {{.column = "id", .format = PseudonymFormat::digits, .length = 8},
                                {.column = "name", .format = PseudonymFormat::name, .subject = "id"}});
  CleaningReport report;
  const Table table = customers(), copy = table;
  const Table first = pseudonyms.apply(table, &report);
  const Table second = orders.apply(parse_csv("amount,id,name\n1.50,8,J. Novak\n2.50,7,Keller\n3.50,7,Emma\n"));
  CHECK(table == copy);
  CHECK(first["id"].cell(0) == second["id"].cell(1));
  CHECK(first["id"].cell(0) == second["id"].cell(2));
  CHECK(first["id"].cell(1) == second["id"].cell(0));
  CHECK(first["id"].cell(0) != first["id"].cell(1));
  CHECK(first["name"].cell(0) == second["name"].cell(1));
  CHECK(first["name"].cell(0) == second["name"].cell(2));
  CHECK(first["id"].cell(0).size() == 8);
  CHECK(first["id"].is_missing(2));
  CHECK(first["name"].is_missing(2));  // nobody knows who that is
  CHECK(first["mail"].is_missing(1));
  CHECK(has_form_of(PersonalKind::mail, first["mail"].cell(0)));
  CHECK(has_form_of(PersonalKind::name, first["name"].cell(0)));
  std::string name = first["name"].cell(0);  // "Emma Keller" and "emma.keller..."
  const std::string mail = first["mail"].cell(0);
  name[name.find(' ')] = '.';
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  CHECK(mail.substr(0, name.size()) == name);
  const std::string phone = first["phone"].cell(1);
  CHECK(has(phone, ") "));
  CHECK(phone.size() == 14);
  CHECK(phone != "(212) 555-0123");
  CHECK(report.count("id", "replaced") == 2);
  CHECK(report.count("name", "replaced") == 2);
  CHECK(report.count("mail", "replaced") == 1);
}

TEST_CASE("keys and domains tell pseudonyms apart, blanks and capitals only where asked") {
  const Pseudonyms one(key, {}), two("0123456789abcdeg", {});
  const PseudonymRule rule{.column = "a"};
  CHECK(one.of(rule, "x", "x") != two.of(rule, "x", "x"));
  CHECK(one.of(rule, "x", "x") == one.of(rule, " X", " X"));
  PseudonymRule exact = rule, other = rule;
  exact.exact = true;
  other.domain = "b";
  CHECK(one.of(exact, "x", "x") != one.of(exact, "X", "X"));
  CHECK(one.of(rule, "x", "x") != one.of(other, "x", "x"));
  other.domain = "";
  CHECK(one.of(rule, "x", "x") == one.of(other, "x", "x"));
  // "a" + "bc" and "ab" + "c" are not the same
  PseudonymRule ab = rule, a = rule;
  ab.domain = "ab";
  a.domain = "a";
  CHECK(one.of(ab, "c", "c") != one.of(a, "bc", "bc"));
  PseudonymRule phone = rule;
  phone.format = PseudonymFormat::phone;
  const std::string long_number(200, '1'), made = one.of(phone, long_number, "x");
  CHECK(made.size() == 200);
  CHECK(made.substr(0, 60) != made.substr(60, 60));
}

TEST_CASE("categories are replaced once and lose their order") {
  std::vector<std::int64_t> codes;
  std::vector<std::string> categories;
  for (std::int64_t i = 0; i < 50; ++i) {
    codes.push_back(i);
    codes.push_back(49 - i);
    categories.push_back(concat(i < 10 ? "person 0" : "person ", i));
  }
  const Table table({Column::categorical("who", codes, categories)});
  const Table result = Pseudonyms(key, {{.column = "who"}}).apply(table);
  const std::vector<std::string>& made = result["who"].schema().categories;
  CHECK(made.size() == 50);
  CHECK(std::is_sorted(made.begin(), made.end()));
  CHECK(result["who"].cell(0) == result["who"].cell(99));
  CHECK(result["who"].cell(0) == Pseudonyms(key, {}).of({.column = "who"}, "person 00", "person 00"));
}

TEST_CASE("pseudonyms that are shared are counted, and as many as the odds say") {
  CHECK(pseudonym_count(PseudonymFormat::token, 16) == 0x1p64);
  CHECK(pseudonym_count(PseudonymFormat::digits, 4) == 1e4);
  CHECK(collision_probability(23, 365.0) == Approx(0.5).margin(0.01));  // the birthday paradox: 0.507
  CHECK(collision_probability(1, 10.0) == 0.0);
  CHECK(collision_probability(1'000'000, 0x1p64) == Approx(2.71e-8).epsilon(0.01));
  std::vector<std::string> people;
  for (int i = 0; i < 5000; ++i) people.push_back(concat("person ", i % 2500));
  const Table table({Column::texts("who", people)});
  CleaningReport tokens, digits, names;
  Pseudonyms(key, {{.column = "who"}}).apply(table, &tokens);
  CHECK(tokens.count("who", "replaced") == 5000);
  CHECK(tokens.count("who", "sharing a pseudonym") == 0);
  const Table short_ones =
      Pseudonyms(key, {{.column = "who", .format = PseudonymFormat::digits, .length = 4}}).apply(table, &digits);
  std::set<std::string> different;
  for (std::int64_t row = 0; row < 5000; ++row) different.insert(short_ones["who"].cell(row));
  CHECK(digits.count("who", "sharing a pseudonym") == 2500 - static_cast<std::int64_t>(different.size()));
  // 2500 balls in 10000 bins leave 10000 exp(-1/4) of them empty: 288 share, plus or minus about 15
  CHECK(digits.count("who", "sharing a pseudonym") == Approx(288).margin(60));
  Pseudonyms(key, {{.column = "who", .format = PseudonymFormat::name}}).apply(table, &names);
  const double bins = pseudonym_count(PseudonymFormat::name);
  CHECK(static_cast<double>(names.count("who", "sharing a pseudonym")) ==
        Approx(2500.0 - bins * (1.0 - std::exp(-2500.0 / bins))).margin(25));
}

TEST_CASE("pseudonyms are saved without their key, which must be given again") {
  const Pseudonyms made(key, {{.column = "id", .format = PseudonymFormat::digits, .length = 9, .domain = "customer"},
                              {.column = "mail", .format = PseudonymFormat::mail, .subject = "id", .exact = true}});
  const std::string saved = made.json().dump();
  CHECK_FALSE(has(saved, key));
  const Pseudonyms again = Pseudonyms::from_json(parse_json(saved), key);
  CHECK(again.json() == made.json());
  CHECK(again.apply(customers()) == made.apply(customers()));
  CHECK(has(data_error([&] { Pseudonyms::from_json(parse_json(saved), "another key, as long"); }), "not the one"));
  CHECK(has(data_error([&] { Pseudonyms::from_json(parse_json(R"({"rules": [{"format": "uuid"}]})"), key); }), "uuid"));
  CHECK_THROWS_AS(Pseudonyms::from_json(parse_json(R"({"rules": [{"column": "a", "length": 65}]})"), key),
                  NumericError);
}

TEST_CASE("pseudonyms refuse short keys and rules that do not fit") {
  CHECK(has(data_error([] { Pseudonyms("short", {}); }), "at least 16 bytes, got 5"));
  CHECK(has(data_error([] { Pseudonyms(key, {{.column = "a"}, {.column = "a"}}); }), "two rules"));
  CHECK(has(data_error([] { Pseudonyms(key, {{.column = "nobody"}}).apply(customers()); }), "nobody"));
  CHECK(has(data_error([] { Pseudonyms(key, {{.column = "name", .subject = "x"}}).apply(customers()); }), "\"x\""));
  CHECK(has(data_error([] { Pseudonyms(key, {{.column = "a", .domain = std::string(1, '\0')}}); }), "zero byte"));
  CHECK_THROWS_AS(Pseudonyms(key, {{.column = "a", .length = 0}}), NumericError);
  CHECK_THROWS_AS(Pseudonyms(key, {{.column = "a", .format = PseudonymFormat::digits, .length = 61}}), NumericError);
  CHECK(Pseudonyms(key, {{.column = "name"}}).apply(customers().rows(0, 0)).size() == 0);
}
