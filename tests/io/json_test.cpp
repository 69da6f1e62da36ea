// SPDX-License-Identifier: MIT
#include <synthdata/io/json.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <limits>

using namespace synthdata;
using test::data_error, test::has;

TEST_CASE("JSON is written on one line, escaped, with numbers that read back") {
  const Json::Object object = {{"a", 1},       {"b", 0.5f}, {"c", "x\"\\\n\x01"}, {"d", true},
                               {"e", nullptr}, {"f", -0.0}, {"g", 3.0},           {"h", Json::Array{1, "two"}}};
  const std::string text = Json(object).dump();
  CHECK(text == R"({"a":1,"b":0.5,"c":"x\"\\\n\u0001","d":true,"e":null,"f":-0.0,"g":3.0,"h":[1,"two"]})");
  CHECK(parse_json(text) == Json(object));
  CHECK(Json(std::numeric_limits<double>::quiet_NaN()).dump() == "null");
  CHECK(Json(-std::numeric_limits<double>::infinity()).dump() == "null");
  CHECK(Json("a\xff\xc0z").dump() == "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");  // replaced, so the line stays valid
  const auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
  CHECK(parse_json(Json(most).dump()) == Json(most));
  CHECK(parse_json(Json(least).dump()) == Json(least));
  for (const double value : {0.1, 1e300, 5e-324, 1.0 / 3, 1e22}) CHECK(parse_json(Json(value).dump()) == Json(value));
}

TEST_CASE("JSON texts are understood") {
  CHECK(parse_json(" \t\r\n[ ] ") == Json(Json::Array{}));
  CHECK(parse_json(R"("\u00e4\u20ac\ud83d\ude00\/\b")") == Json("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/\b"));
  CHECK(parse_json("18446744073709551615") == Json(18446744073709551615.0));  // beyond 64 bits: a double
  CHECK(parse_json("-12.5e+1") == Json(-125.0));
  const Json object = parse_json(R"({"x": {"y": [1, 2.5]}})");
  REQUIRE(object.find("x"));
  CHECK(object.find("x")->find("y")->get_if<Json::Array>()->at(1).number() == 2.5);
  CHECK(object.find("z") == nullptr);
  CHECK(Json(3).find("z") == nullptr);
}

TEST_CASE("what is not JSON is refused with its byte") {
  const auto error_of = [](std::string_view text) {
    return data_error([&] { parse_json(text, {.source = "f.json", .first_byte = 100}); });
  };
  CHECK(error_of("[1, x]") == "f.json, byte 104: JSON: expected a value");
  CHECK(has(error_of(R"({"a": 1, "b": 2, "a": 3})"), "byte 100: JSON: this object holds the name \"a\" twice"));
  for (const char* bad : {"",
                          " ",
                          "nul",
                          "tru e",
                          "[1,]",
                          "[1 2]",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{a:1}",
                          "[",
                          "{",
                          "\"",
                          "\"\\x\"",
                          "\"\\u12g4\"",
                          "\"\\ud800\"",
                          "\"\\ud800\\u0041\"",
                          "\"\\udc00\"",
                          "\"\\",
                          "\"\\u12",
                          "01",
                          "-",
                          "1.",
                          ".5",
                          "1e",
                          "+1",
                          "1e999",
                          "NaN",
                          "Infinity",
                          "'a'",
                          "1 1",
                          "[1]]",
                          "\"\n\"",
                          "// c\n1",
                          "\"\xff\"",
                          "\"\xc0\x80\"",
                          "\"\xed\xa0\x80\"",
                          "\"\xf4\x90\x80\x80\"",
                          "\"\xe2\x82\"",
                          "\"\xe2\x82"}) {
    CAPTURE(bad);
    CHECK(has(error_of(bad), "JSON: "));
  }
  CHECK(has(error_of(std::string_view("1\0", 2)), "expected the end"));
}

TEST_CASE("JSON cannot exhaust the stack, the memory or the time") {
  CHECK(has(data_error([] { parse_json(std::string(1000000, '[')); }), "nested deeper than 64"));
  CHECK(has(data_error([] {
              std::string text;
              for (int i = 0; i < 1000000; ++i) text += "{\"a\":";
              parse_json(text);
            }),
            "nested deeper than 64"));
  std::string zeros = "[0";
  for (int i = 0; i < 2000; ++i) zeros += ",0";
  CHECK(has(data_error([&] { parse_json(zeros + "]", {.max_values = 1000}); }), "more than 1000 values"));
  std::string names = "{\"n\":0";  // must not take the square of their number
  for (int i = 0; i < 200000; ++i) names += concat(",\"", i, "\":0");
  CHECK(parse_json(names + "}").get_if<Json::Object>()->size() == 200001);
}

TEST_CASE("mutated JSON parses or throws DataError, and what parses survives a round trip") {
  const std::string good = R"({"w\u00e4": {"dtype": "F32", "shape": [2, 3], "x": [0, -1.5e-3, true, null]}, "b": {}})";
  Rng rng{11};
  int parsed = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string bytes = test::mutate(good, rng);
    Json json;
    if (!data_error([&] { json = parse_json(bytes); }).empty()) continue;
    ++parsed;
    if (!(parse_json(json.dump()) == json)) FAIL(bytes);
  }
  CHECK(parsed > 0);
}

TEST_CASE("in_quotes shows a hostile name in bounded length") {
  CHECK(in_quotes("a\nb") == R"("a\nb")");
  CHECK(in_quotes(std::string(1000, 'x')).size() < 100);
}
