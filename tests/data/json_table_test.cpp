// tests/data/json_table_test.cpp: tables from and to JSON and JSON Lines.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/json_table.hpp>
#include <synthdata/data/read.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;

namespace {
std::vector<ColumnType> types(const Table& table) {
  std::vector<ColumnType> found;
  for (const Column& column : table.columns()) found.push_back(column.type());
  return found;
}
std::string error_of(const std::string& text, const RecordOptions& options = {}) {
  try {
    parse_jsonl(text, options);
  } catch (const DataError& error) {
    return error.what();
  }
  return "none";
}
constexpr auto integer = ColumnType::integer, real = ColumnType::real, boolean = ColumnType::boolean,
               categorical = ColumnType::categorical, text_type = ColumnType::text, date_time = ColumnType::date_time,
               identifier = ColumnType::identifier;
}  // namespace

TEST_CASE("JSON Lines give columns of the types that their values have") {
  const Table table = parse_jsonl(
      "{\"n\": 1, \"x\": 1.50, \"b\": true, \"s\": \"a\", \"d\": \"2020-01-02\", \"key\": \"k1\", \"code\": \"7\"}\n"
      "\n"
      "{\"n\": -2, \"x\": 2.25, \"b\": false, \"s\": \"a\", \"d\": \"2020-01-03\", \"key\": \"k2\", \"code\": "
      "\"8\"}\r\n"
      "  {\"x\": null, \"n\": 3, \"b\": true, \"s\": \"b\", \"code\": \"7\", \"key\": \"k3\"}\n"
      "{\"n\": 4, \"x\": 4.00, \"b\": null, \"s\": \"b\", \"d\": \"2020-01-05\", \"key\": \"k4\", \"code\": \"8\"}");
  CHECK(types(table) == std::vector{integer, real, boolean, categorical, date_time, identifier, categorical});
  CHECK(table.size() == 4);
  CHECK(table["n"].integer(1) == -2);
  CHECK(table["n"].integer(2) == 3);
  CHECK(table["x"].real(0) == 1.5);
  CHECK(table["x"].cell(3) == "4.00");
  CHECK(table["x"].is_missing(2));
  CHECK(table["b"].is_missing(3));
  CHECK(table["d"].is_missing(2));
  CHECK(table["d"].missing_count() == 1);
  CHECK(table["d"].integer(0) == 1577923200000000);
  CHECK(table["code"].schema().categories == std::vector<std::string>{"7", "8"});
  CHECK(parse_jsonl(format_jsonl(table)) == table);
  CHECK(parse_json_table(format_json(table)) == table);
  const std::string first =
      "{\"n\":1,\"x\":1.50,\"b\":true,\"s\":\"a\",\"d\":\"2020-01-02\",\"key\":\"k1\",\"code\":\"7\"}\n";
  CHECK(format_jsonl(table.rows(0, 1)) == first);
}

TEST_CASE("JSON texts, numbers and booleans in one column make it one of texts") {
  const Table table =
      parse_jsonl("{\"a\":1,\"b\":1,\"c\":true,\"d\":null}\n{\"a\":\"1\",\"b\":1.5,\"c\":7,\"d\":null}\n");
  CHECK(types(table) == std::vector{categorical, real, text_type, text_type});
  CHECK(table["a"].cell(1) == "1");
  CHECK(table["c"].cell(0) == "true");
  CHECK(table["d"].missing_count() == 2);
  // also where it shows late, behind the pieces that a guess is made from
  std::string many;
  for (int i = 0; i < 50000; ++i) many += "{\"a\":" + std::to_string(i % 5) + ",\"id\":" + std::to_string(i) + "}\n";
  CHECK(types(parse_jsonl(many)) == std::vector{integer, identifier});
  CHECK(types(parse_jsonl(many + "{\"a\":\"2\",\"id\":1}\n")) == std::vector{categorical, integer});
  const Table late = parse_jsonl(many + "{\"z\":true,\"a\":7}");
  CHECK(types(late) == std::vector{integer, integer, boolean});
  CHECK(late["z"].missing_count() == 50000);
  CHECK(late["z"].boolean(50000));
  CHECK(late["id"].is_missing(50000));
  std::string nothing;
  for (int i = 0; i < 100000; ++i) nothing += "{}\n";
  CHECK(parse_jsonl(nothing + "{\"a\":1}")["a"].missing_count() == 100000);
}

TEST_CASE("JSON escapes and characters of all lengths come through") {
  const Table table =
      parse_jsonl(R"({"a\u0041\n":"q\"\\\/\b\f\n\r\tz","b":"\u00e9\u20ac\ud83d\ude00","c":"Größe 語 😀 \r"})");
  CHECK(table.columns()[0].name() == "aA\n");
  CHECK(table[0].cell(0) == "q\"\\/\b\f\n\r\tz");
  CHECK(table["b"].cell(0) == "é€😀");
  CHECK(table["c"].cell(0) == "Größe 語 😀 \r");
  CHECK(parse_jsonl(format_jsonl(table)) == table);
  const Table empty_texts = parse_jsonl("{\"a\":\"\"}\n{\"a\":null}\n{\"a\":\"\"}");
  CHECK(!empty_texts["a"].is_missing(0));
  CHECK(empty_texts["a"].is_missing(1));
  const Table marked =
      parse_jsonl("{\"a\":\"\"}\n{\"a\":\"x\"}\n{\"a\":\"x\"}", {.missing = std::vector<std::string>{""}});
  CHECK(marked["a"].is_missing(0));
}

TEST_CASE("Numbers keep the spelling that JSON has for them") {
  const Table table = parse_jsonl(
      "{\"a\":1e-05,\"b\":1E5,\"c\":-0,\"d\":12345678901234567890,\"e\":-9223372036854775808}\n"
      "{\"a\":0.25,\"b\":2.0,\"c\":1,\"d\":1,\"e\":9223372036854775807}\n");
  CHECK(table["a"].real(0) == 1e-5);
  CHECK(table["b"].real(0) == 1e5);
  CHECK(table["e"].integer(0) == std::numeric_limits<std::int64_t>::min());
  CHECK(format_jsonl(table) ==
        "{\"a\":1e-05,\"b\":1E5,\"c\":-0,\"d\":\"12345678901234567890\",\"e\":-9223372036854775808}\n"
        "{\"a\":0.25,\"b\":2.0,\"c\":1,\"d\":\"1\",\"e\":9223372036854775807}\n");
  // what CSV has and JSON has not
  const Table other = parse_csv("a,b,c\n+1,.5,inf\n2,1,1.5\n");
  CHECK(format_jsonl(other) == "{\"a\":1,\"b\":0.5,\"c\":null}\n{\"a\":2,\"b\":1,\"c\":1.5}\n");
}

TEST_CASE("What is wrong with a JSON record is said with its line and key") {
  CHECK(error_of("{\"a\":1}\n{\"a\":[1]}\n") ==
        "text:2:6: key \"a\": expects a flat value, got an array; nested_as_text keeps it as text");
  CHECK(error_of("{\"a\":1}\n{\"a\":1,\"a\":2}\n") == "text:2:1: key \"a\" comes twice in this record");
  CHECK(error_of("{\"a\":1}\n\n{\"a\":1,}\n") == "text:3:8: expected a key in quotes");
  CHECK(error_of("{\"a\":01}") == "text:1:6: key \"a\": a number that JSON does not have");
  CHECK(error_of("{\"a\":NaN}") == "text:1:6: key \"a\": expected a value");
  CHECK(error_of("{\"a\":1.}") == "text:1:6: key \"a\": a number that JSON does not have");
  CHECK(error_of("{\"a\":\"\n\"}").starts_with("text:1:7: a control character"));
  CHECK(error_of("{\"a\":\"x").starts_with("text:1:8: a text that is not closed"));
  CHECK(error_of("{\"a\":\"x\\\"}").starts_with("text:1:11: a text that is not closed"));
  CHECK(error_of("{\"a\":\"\\ud800\"}").find("surrogates") != std::string::npos);
  CHECK(error_of("{\"a\":\"\\u0000\"}").find("zero byte") != std::string::npos);
  CHECK(error_of("{\"a\":\"\\x\"}").find("does not escape") != std::string::npos);
  CHECK(error_of("{\"a\":\"\xff\"}") == "text:1:7: a byte that is not UTF-8");
  CHECK(error_of("{\"a\":1} {\"a\":2}") == "text:1:9: expects one record a line, more follows");
  CHECK(error_of("{\"a\":\n1}").find("expects one record a line") != std::string::npos);
  CHECK(error_of("[1]") == "text:1:1: expected a record, {...}");
  CHECK(error_of("{\"a\" 1}") == "text:1:6: expected : after key \"a\"");
  CHECK(error_of("{\"a\":1").find("expected , or }") != std::string::npos);
  CHECK(error_of("") == "text: expects at least one record with a field");
  CHECK(error_of("{}\n{}") == "text: expects at least one record with a field");
  CHECK(error_of("{\"a\":\"" + std::string(100, 'x') + "\"}", {.max_record_bytes = 50}).find("max_record_bytes") !=
        std::string::npos);
  CHECK(error_of("{\"a\":1,\"b\":1,\"c\":1}", {.max_columns = 2}).find("max_columns") != std::string::npos);
  const Schema schema{{{.name = "a", .type = integer}}};
  CHECK(error_of("{\"a\":1}\n{\"a\":\"x\"}", {.schema = schema}) == "text:2:1: key \"a\" expects integer, got \"x\"");
  CHECK(error_of("{\"b\":1}", {.schema = schema}) == "text:1:1: key \"b\" is not in the schema");
  CHECK(parse_jsonl("", {.schema = schema}).size() == 0);
  CHECK(parse_json_table(" [ ] ", {.schema = schema}).size() == 0);
  const auto json_error = [](const char* text) {
    try {
      parse_json_table(text);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  CHECK(json_error("{\"a\":1}") == "text:1:1: expected [, the start of an array of records");
  CHECK(json_error("[{\"a\":1},]") == "text:1:10: expected a record, {...}");
  CHECK(json_error("[{\"a\":1} {\"a\":1}]") == "text:1:10: expected , or ]");
  CHECK(json_error("[{\"a\":1}") == "text:1:9: expected , or ], the file ends");
  CHECK(json_error("[{\"a\":1}]]") == "text:1:10: expected the end of the file after the array");
  CHECK(json_error("[{\"a\":1]]").find("expected , or }") != std::string::npos);
  CHECK(json_error("[{\"a\":\"}]").find("not closed before the end") != std::string::npos);
}

TEST_CASE("Nested JSON can be kept as text, within bounds") {
  const RecordOptions keep{.nested_as_text = true};
  const Table table = parse_jsonl("{\"a\":{\"b\":[1, \"}\"]},\"c\":1}", keep);
  CHECK(table["a"].cell(0) == "{\"b\":[1, \"}\"]}");
  CHECK(error_of("{\"a\":" + std::string(100000, '[') + "}", keep).find("key \"a\"") != std::string::npos);
  CHECK(error_of("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}", keep).find("nested deeper") !=
        std::string::npos);
  CHECK(error_of("{\"a\":[1,]}", keep).find("key \"a\"") != std::string::npos);
}

TEST_CASE("Many keys in few records each are refused before the table is huge") {
  std::string text;
  for (int i = 0; i < 9000; ++i) text += "{\"k" + std::to_string(i) + "\":1}\n";
  CHECK(error_of(text).find("16 cells for each byte") != std::string::npos);
}

TEST_CASE("JSON files of any size come in pieces, plain and packed, as the whole") {
  const test::Scratch scratch;
  std::string text;
  for (int i = 0; i < 70000; ++i) {
    text += "{\"place\":" + std::to_string(i) + ",\"text\":\"a longer text, \\\"escaped\\\" \\u00e9 " +
            std::to_string(i % 1237) + "\",\"share\":" + std::to_string(i) + ".25" +
            (i % 3 == 0 ? ",\"kind\":\"third\"" : "") + "}\n";
  }
  const int before = threads();
  set_threads(1);
  const Table whole = parse_jsonl(text);
  set_threads(before);
  CHECK(parse_jsonl(text) == whole);
  CHECK(types(whole) == std::vector{integer, text_type, real, categorical});
  for (const char* name : {"a.jsonl", "a.ndjson.gz", "a.json", "a.json.gz"}) {
    INFO(name);
    const std::string path = scratch / name;
    write(path, whole);
    CHECK(read(path) == whole);
    AnyTableReader reader = open_reader(path, {}, 10007);
    CHECK(reader.schema() == whole.schema());
    std::int64_t rows = 0;
    while (const auto piece = reader.next()) {
      REQUIRE(piece->size() <= 10007);
      REQUIRE(*piece == whole.rows(rows, rows + piece->size()));
      rows += piece->size();
    }
    CHECK(rows == whole.size());
  }
  test::spit(scratch / "bom.jsonl", "\xef\xbb\xbf{\"a\":1}\n");
  CHECK(read(scratch / "bom.jsonl")["a"].integer(0) == 1);
  CHECK_THROWS_WITH(read_jsonl(scratch / "a.json"), ContainsSubstring("a.json:1:1: expected a record"));
  test::spit(scratch / "long.jsonl", "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}\n");
  CHECK_THROWS_WITH(JsonlReader(scratch / "long.jsonl", {.max_record_bytes = 1 << 16}),
                    ContainsSubstring("max_record_bytes"));
  JsonlWriter writer(scratch / "b.jsonl");
  writer.write(whole);
  CHECK_THROWS_AS(writer.write(whole.without({"kind"})), DataError);
  CHECK(!std::filesystem::exists(scratch / "b.jsonl"));
}
