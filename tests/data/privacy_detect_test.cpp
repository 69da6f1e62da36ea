// tests/data/privacy_detect_test.cpp: forms of personal data against python-stdnum, and personal columns.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/data/privacy/detect.hpp>
#include <synthdata/data/privacy/names.hpp>

#include <algorithm>
#include <map>
#include <set>

using namespace synthdata;
using test::data_error, test::has;

namespace {

bool is(PersonalKind kind, std::string_view text) { return has_form_of(kind, text); }

/// column -> kind
std::map<std::string, PersonalKind> kinds(const PersonalColumns& found) {
  std::map<std::string, PersonalKind> out;
  for (const PersonalColumn& column : found.columns) out.emplace(column.column, column.kind);
  return out;
}

}  // namespace

TEST_CASE("ids with check digits are told as python-stdnum tells them") {
  const Json reference = parse_json(read_file(test::reference("privacy.json")));
  const std::pair<const char*, PersonalKind> all[] = {{"card", PersonalKind::card},
                                                      {"iban", PersonalKind::iban},
                                                      {"us_ssn", PersonalKind::us_ssn},
                                                      {"german_tax_id", PersonalKind::german_tax_id},
                                                      {"spanish_id", PersonalKind::spanish_id},
                                                      {"french_nir", PersonalKind::french_nir},
                                                      {"italian_fiscal_code", PersonalKind::italian_fiscal_code},
                                                      {"brazilian_cpf", PersonalKind::brazilian_cpf},
                                                      {"indian_aadhaar", PersonalKind::indian_aadhaar}};
  for (const auto& [name, kind] : all) {
    const Json::Array& texts = *reference.find("ids")->find(name)->get_if<Json::Array>();
    REQUIRE(texts.size() == 60);
    int valid = 0;
    for (const Json& pair : texts) {
      const std::string& text = *(*pair.get_if<Json::Array>())[0].get_if<std::string>();
      const bool expected = *(*pair.get_if<Json::Array>())[1].get_if<bool>();
      INFO(name << " " << text);
      CHECK(is(kind, text) == expected);
      valid += expected;
    }
    CHECK(valid >= 25);
  }
}

TEST_CASE("published examples of ids have their form, spaced or not") {
  CHECK(is(PersonalKind::iban, "GB82 WEST 1234 5698 7654 32"));
  CHECK(is(PersonalKind::iban, "DE89370400440532013000"));
  CHECK_FALSE(is(PersonalKind::iban, "DE89370400440532013001"));
  CHECK_FALSE(is(PersonalKind::iban, "DE8937040044053201300"));
  CHECK_FALSE(is(PersonalKind::iban, "XX89370400440532013000"));
  CHECK(is(PersonalKind::card, "4111 1111 1111 1111"));
  CHECK(is(PersonalKind::card, "3782-822463-10005"));
  CHECK_FALSE(is(PersonalKind::card, "4111 1111 1111 1112"));
  CHECK_FALSE(is(PersonalKind::card, "0000000000000000"));
  CHECK(is(PersonalKind::german_tax_id, "36 574 261 809"));
  CHECK(is(PersonalKind::spanish_id, "54362315-K"));
  CHECK(is(PersonalKind::spanish_id, "X2482300W"));
  CHECK(is(PersonalKind::french_nir, "2 95 10 99 126 111 93"));
  CHECK(is(PersonalKind::french_nir, "253072B07300470"));
  CHECK(is(PersonalKind::italian_fiscal_code, "RCCMNL83S18D969H"));
  CHECK(is(PersonalKind::brazilian_cpf, "390.533.447-05"));
  CHECK_FALSE(is(PersonalKind::brazilian_cpf, "111.111.111-11"));
  CHECK(is(PersonalKind::uk_nino, "AB 12 34 56 C"));
  CHECK_FALSE(is(PersonalKind::uk_nino, "BG123456A"));
  CHECK_FALSE(is(PersonalKind::uk_nino, "DA123456A"));
  CHECK_FALSE(is(PersonalKind::uk_nino, "AB123456E"));
  CHECK(is(PersonalKind::us_ssn, "536-90-4399"));
  CHECK_FALSE(is(PersonalKind::us_ssn, "536904399"));
  CHECK(has_form_of(PersonalKind::us_ssn, "536904399", true));
  CHECK_FALSE(is(PersonalKind::us_ssn, "666-90-4399"));
  CHECK_FALSE(is(PersonalKind::us_ssn, "536-00-4399"));
  CHECK(detail::verhoeff_holds("2363"));  // 236 and its check digit 3, the usual example
  CHECK_FALSE(detail::verhoeff_holds("2364"));
  CHECK(detail::luhn_holds("79927398713"));
}

TEST_CASE("mail addresses, IP addresses, phone numbers and streets") {
  for (const char* text : {"a@b.de", "first.last+tag@sub.example.co.uk", "o'neil@example.com",
                           "j\xc3\xbcrgen@b\xc3\xbc"
                           "cher.example",
                           "x@y.xn--p1ai", "  padded@example.org "}) {
    INFO(text);
    CHECK(is(PersonalKind::mail, text));
  }
  for (const char* text : {"@example.com", "a@b", "a..b@example.com", ".a@example.com", "a@-b.com", "a@b-.com",
                           "a b@c.de", "a@b@c.de", "a@1.2.3.4", "a@b..de", "@", "a@", "example.com"}) {
    INFO(text);
    CHECK_FALSE(is(PersonalKind::mail, text));
  }
  for (const char* text : {"192.168.0.1", "255.255.255.255", "::1", "::", "2001:db8::8a2e:370:7334", "fe80::1",
                           "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1"}) {
    INFO(text);
    CHECK(is(PersonalKind::ip, text));
  }
  for (const char* text : {"256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1:2:3:4:5:6:7", "1::2::3", ":1",
                           "12345::", "1:2:3:4:5:6:7:8:9", "12:30", "a.b.c.d"}) {
    INFO(text);
    CHECK_FALSE(is(PersonalKind::ip, text));
  }
  for (const char* text : {"+49 30 1234567", "030/1234567", "(212) 555-0123", "212-555-0123", "1-800-555-0199",
                           "+33 1 23 45 67 89", "+1 (212) 555-0123 x12", "0301234567"}) {
    INFO(text);
    CHECK(is(PersonalKind::phone, text));
  }
  for (const char* text :
       {"12345678", "1600000000", "2020-01-02", "12:30:00", "1.234.567", "+12", "555-01234567890123456", "0x1234567",
        "1e10", "((212) 555-0123", "212--555-0123-", "00501"}) {
    INFO(text);
    CHECK_FALSE(is(PersonalKind::phone, text));
  }
  CHECK(has_form_of(PersonalKind::phone, "2125550123", true));
  for (const char* text : {"221B Baker Street", "Hauptstr. 12",
                           "Lindenstra\xc3\x9f"
                           "e 4a",
                           "12 rue de la Paix", "Calle Mayor 5", "Via Roma, 10", "Kerkstraat 7"}) {
    INFO(text);
    CHECK(is(PersonalKind::address, text));
  }
  for (const char* text : {"Baker Street", "12 apples", "room 12", "strategy 2020"}) {
    INFO(text);
    CHECK_FALSE(is(PersonalKind::address, text));
  }
}

TEST_CASE("names are known with accents, in words of letters") {
  CHECK(is(PersonalKind::name, "Maria"));
  CHECK(is(PersonalKind::name, "M\xc3\xbcller, J\xc3\xbcrgen"));
  CHECK(is(PersonalKind::name,
           "Jos\xc3\xa9 Garc\xc3\xad"
           "a"));
  CHECK(is(PersonalKind::name, "SMITH"));
  CHECK(is(PersonalKind::name, "Anne-Marie O'Unlisted"));
  CHECK_FALSE(is(PersonalKind::name, "Qwertz Asdf"));
  CHECK_FALSE(is(PersonalKind::name, "Smith & Sons 3"));
  CHECK_FALSE(is(PersonalKind::name, "frank"));
  CHECK(has_form_of(PersonalKind::name, "frank", true));
  CHECK_FALSE(is(PersonalKind::name, "White"));
  CHECK(detail::folded("\xc5\x81\xc3\xb3"
                       "d\xc5\xba \xc3\x97 \xe2\x82\xac") == "lodz \xc3\x97 \xe2\x82\xac");
  const auto sorted = [](const auto& names) {
    std::vector<std::string> folded;
    for (const std::string_view name : names) folded.push_back(detail::folded(name));
    return std::is_sorted(folded.begin(), folded.end()) &&
           std::set<std::string>(folded.begin(), folded.end()).size() == folded.size();
  };
  CHECK(sorted(detail::first_names));
  CHECK(sorted(detail::surnames));
}

TEST_CASE("personal columns are found by their cells and by their names") {
  std::string csv =
      "id,customerName,contact,Tel.,iban,konto,geburtsdatum,ordered,amount,city,ip_address,product_name\n";
  const char* const ibans[] = {"DE89370400440532013000", "GB82WEST12345698765432"};
  for (int i = 0; i < 40; ++i) {
    csv += concat(i, ",", i % 2 ? "Emma Unlisted" : "Jan Novak", ",user", i, "@example.com,0", 301234000 + i, ",",
                  ibans[i % 2], ",", ibans[1 - i % 2], ",19", 50 + i, "-03-04,2020-01-0", 1 + i % 9, ",", i * 3, ".50,",
                  i % 2 ? "Paris" : "Rome", ",10.0.0.", i, ",Emma Lamp ", i, "\n");
  }
  const Table table = parse_csv(csv);
  const PersonalColumns found = detect_personal(table);
  INFO(found.str());
  const std::map<std::string, PersonalKind> expected = {
      {"customerName", PersonalKind::name}, {"contact", PersonalKind::mail}, {"Tel.", PersonalKind::phone},
      {"iban", PersonalKind::iban},         {"konto", PersonalKind::iban},   {"geburtsdatum", PersonalKind::birth_date},
      {"ip_address", PersonalKind::ip}};
  CHECK(kinds(found) == expected);
  CHECK(found.columns[0].by_name);
  CHECK(found.columns[0].confidence == Approx(0.85));
  CHECK(found.columns[1].confidence == Approx(1.0));
  CHECK_FALSE(found.columns[1].by_name);
  CHECK(found.columns[1].reason == "100 % of 40 cells have its form");
  CHECK(has(found.str(), "customerName  name"));
  CHECK(found.json().find("columns")->get_if<Json::Array>()->size() == found.columns.size());

  CHECK(detect_personal(table, {.least = 0.95}).columns.size() < found.columns.size());
  CHECK(detect_personal(table, {.max_rows = 3}).columns.size() == found.columns.size());
  CHECK(detect_personal(Table()).columns.empty());
  CHECK(detect_personal(table.rows(0, 0)).columns.size() <= 5);  // only what the names say
  CHECK(has(PersonalColumns().str(), "no column"));
  CHECK_THROWS_AS(detect_personal(table, {.least = 2.0}), NumericError);
  CHECK_THROWS_AS(detect_personal(table, {.max_rows = 0}), NumericError);
}

TEST_CASE("column names are understood in several languages") {
  const std::pair<const char*, PersonalKind> all[] = {{"dateOfBirth", PersonalKind::birth_date},
                                                      {"E-Mail-Adresse", PersonalKind::mail},
                                                      {"IP-Adresse", PersonalKind::ip},
                                                      {"Stra\xc3\x9f"
                                                       "e",
                                                       PersonalKind::address},
                                                      {"Pr\xc3\xa9nom", PersonalKind::name},
                                                      {"n\xc3\xbamero de tel\xc3\xa9"
                                                       "fono",
                                                       PersonalKind::phone},
                                                      {"Codice_Fiscale", PersonalKind::italian_fiscal_code},
                                                      {"customer.last.name", PersonalKind::name},
                                                      {"data de nascimento", PersonalKind::birth_date},
                                                      {"SSN", PersonalKind::us_ssn}};
  const auto found = [](const char* name) {
    return detect_personal(Table({Column::texts(name, std::vector<std::string>{"?"})})).columns;
  };
  for (const auto& [name, kind] : all) {
    INFO(name);
    REQUIRE(found(name).size() == 1);
    CHECK(found(name)[0].kind == kind);
    CHECK(found(name)[0].by_name);
    CHECK(found(name)[0].confidence == 0.5);
  }
  for (const char* name :
       {"age", "rename", "mailbox_size", "cell_count", "ipsum", "pan", "", "file_name", "MAC address"}) {
    INFO(name);
    CHECK(found(name).empty());
  }
}

TEST_CASE("a share of ids that chance explains is no finding") {
  std::string csv = "code\n";
  Rng rng(3);
  for (int i = 0; i < 500; ++i) csv += concat("5", 100000000000000 + rng.below(100000000000000) * 8, "\n");
  const Table table = parse_csv(csv);
  CHECK(detect_personal(table).columns.empty());
}

TEST_CASE("nothing in Adult is personal by itself") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const PersonalColumns found = detect_personal(read_csv(data_dir() + "/adult/adult.csv"));
  INFO(found.str());
  CHECK(found.columns.empty());
}

TEST_CASE("hostile cells are looked at in bounded time") {
  Rng rng(5);
  const std::string_view alphabet = "0123456789 -.+()@:/xXaAzZ\xc3\xbc\xff\0'";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::int64_t length = rng.below(300);
    for (std::int64_t i = 0; i < length; ++i) {
      text += alphabet[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(alphabet.size())))];
    }
    for (int kind = 0; kind < personal_kinds; ++kind) {
      has_form_of(static_cast<PersonalKind>(kind), text, round % 2 == 0);  // no crash, under sanitizers
    }
  }
  for (int kind = 0; kind < personal_kinds; ++kind) {
    for (const std::string& text :
         {std::string(10'000'000, '1'), std::string(10'000'000, ' '), std::string(255, 'a')}) {
      CHECK_FALSE(has_form_of(static_cast<PersonalKind>(kind), text));
    }
    CHECK_FALSE(has_form_of(static_cast<PersonalKind>(kind), ""));
    CHECK(std::string(name_of(static_cast<PersonalKind>(kind))) != "");
  }
}
