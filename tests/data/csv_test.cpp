// tests/data/csv_test.cpp: CSV files into tables and back, and all that may be wrong with them.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/csv_scan.hpp>
#include <synthdata/io/gzip.hpp>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {

using Names = std::vector<std::string>;

Names cells(const Column& column) {
  Names out;
  for (std::int64_t i = 0; i < column.size(); ++i) out.push_back(column.cell(i));
  return out;
}
/// A column "x" read from a file with these cells.
Column column_of(const Names& list, const CsvOptions& options = {}) {
  std::string text = "x,y\n";
  for (const std::string& cell : list) text += cell + ",end\n";
  return parse_csv(text, options)[0];
}
/// Reads, and checks that what is written is the text again.
Table round_trip(const std::string& text, CsvOptions options = {}) {
  Table table = parse_csv(text, options);
  CHECK(format_csv(table, {.header = options.header.value_or(true)}) == text);
  return table;
}
Table all_pieces(CsvReader reader, std::int64_t rows) {
  Table all;
  bool last = false;
  while (auto piece = reader.next()) {
    CHECK_FALSE(last);
    CHECK(piece->size() <= rows);
    last = piece->size() < rows;
    all = all.columns().empty() ? std::move(*piece) : all.append(*piece);
  }
  return all;
}

/// Rows of every type, the same for the same seed; quoted newlines and missing values among them.
std::string made_up(std::int64_t rows, std::uint64_t seed = 1) {
  Rng rng{seed};
  std::string text = "id,count,value,price,kind,note,day,flag\n";
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::string cents = std::to_string(100 + rng.below(900));
    text += concat("r", i, ",", rng.below(10) ? std::to_string(rng.below(100000) - 50000) : "", ",", rng.normal(), ",",
                   cents.substr(0, 1), ".", cents.substr(1), ",kind ", rng.below(7), ",");
    text += rng.below(20) ? concat("plain ", rng.below(1000000)) : "\"two\nlines, and a \"\"quote\"\"\"";
    text += concat(",2020-0", 1 + rng.below(9), "-1", rng.below(10), ",", rng.below(2) ? "yes" : "no", "\n");
  }
  return text;
}

}  // namespace

TEST_CASE("each column gets the narrowest type that all its cells have") {
  const auto type = [](const Names& list) { return column_of(list).type(); };
  CHECK(type({"1", "-2", "0"}) == ColumnType::integer);
  CHECK(type({"1", "", "3"}) == ColumnType::integer);
  CHECK(type({"1", "2.5"}) == ColumnType::real);
  CHECK(type({"1", "1e3"}) == ColumnType::real);
  CHECK(type({"yes", "no", "yes"}) == ColumnType::boolean);
  CHECK(type({"True", "False"}) == ColumnType::boolean);
  CHECK(type({"yes", "No", "a", "b"}) == ColumnType::text);
  CHECK(type({"2020-01-02", "2021-12-31"}) == ColumnType::date_time);
  CHECK(type({"a", "b", "a", "b"}) == ColumnType::categorical);
  CHECK(type({"a", "b", "a"}) == ColumnType::text);  // two categories of three values
  CHECK(type({"007", "042"}) == ColumnType::identifier);
  CHECK(type({"007", "042", "007", "042"}) == ColumnType::categorical);
  CHECK(type({"u1", "u2", "u3"}) == ColumnType::identifier);
  CHECK(type({"u1 x", "u2 y", "u3"}) == ColumnType::text);
  CHECK(type({"12345678901234567890", "1"}) == ColumnType::identifier);  // beyond 64 bits: not a number
  CHECK(type({"", "NA"}) == ColumnType::text);
  CHECK(parse_csv("user_id,z\n3,a\n1,b\n2,c\n")[0].type() == ColumnType::identifier);
  CHECK(parse_csv("user_id,z\n3,a\n1,b\n3,c\n")[0].type() == ColumnType::integer);
  CHECK(parse_csv("paid,z\n3,a\n1,b\n2,c\n")[0].type() == ColumnType::integer);
  CHECK(column_of({"a", "b", "a", "c", "b", "c", "c"}, {.max_categories = 2}).type() == ColumnType::text);
}

TEST_CASE("a cell far behind the first rows still decides the type") {
  for (const auto& [usual, late, expected] : {std::tuple{"12", "1.5", ColumnType::real},
                                              {"12", "x1", ColumnType::categorical},
                                              {"1.25", "x1", ColumnType::categorical},
                                              {"yes", "maybe", ColumnType::categorical},
                                              {"2020-01-02", "soon", ColumnType::categorical},
                                              {"01/02/2020", "13/02/2020", ColumnType::date_time},
                                              {"", "7", ColumnType::integer},
                                              {"NA", "true", ColumnType::boolean}}) {
    INFO(usual << " then " << late);
    Names list(100000, usual);  // several pieces
    list[70000] = late;
    const Column column = column_of(list);
    CHECK(column.type() == expected);
    CHECK(cells(column) == list);
  }
  const Column dates = column_of({"01/02/2020", "13/02/2020"});
  CHECK(dates.schema().pattern == "%d/%m/%Y");
  CHECK(dates.integer(0) == column_of({"2020-02-01"}).integer(0));
}

TEST_CASE("every spelling survives: by a format where one gives back all cells, else as written") {
  const auto format = [](const Names& list) {
    const Column column = column_of(list);
    CHECK(cells(column) == list);
    return column.schema();
  };
  CHECK(format({"1.50", "2.00", "-0.25"}).decimals == 2);
  CHECK(format({"1.5", "2.25"}) == ColumnSchema{.name = "x", .type = ColumnType::real});
  CHECK(format({"1.0", "2.25"}).whole_point);
  CHECK(format({"1e-05", "0.5"}).exponents);
  CHECK_FALSE(format({"0.00001", "0.5"}).exponents);
  CHECK(format({"0.1257302210933933", "0.27094661928287284", "-2.1024553052484594"}).decimals == -1);
  CHECK(format({"true", "false"}).true_text == "true");
  CHECK(format({"T", "F"}).false_text == "F");
  CHECK(format({"2020-01-02 03:04:05.000", "2020-01-02 03:04:05.120"}).pattern == "%Y-%m-%d %H:%M:%S.%3f");
  CHECK(format({"3", "?", "5"}).missing == "?");

  for (const Names& list : {Names{"1.50", "2.5"}, Names{"1", "2.0"}, Names{"+5", "3"}, Names{"1e-5", "2.5"},
                            Names{"0.00001", "1e-06"}, Names{"0.1000000000000000055", "1"}, Names{" 4", "5 "},
                            Names{"1", "NA", ""}, Names{".5", "5."}, Names{"1E5", "2e5"}}) {
    INFO(list[0] << " and " << list[1]);
    const ColumnSchema schema = format(list);
    CHECK(schema.as_written);
    CHECK((schema.type == ColumnType::real || schema.type == ColumnType::integer));
  }
  CHECK(column_of({"+5", "3"}).integer(0) == 5);
  CHECK(column_of({".5", "5."}).real(1) == 5.0);
  // texts keep every character
  CHECK(cells(column_of({"007", " x ", "1/2", "2020-1-1 "})) == Names{"007", " x ", "1/2", "2020-1-1 "});
  CHECK(format({"2020-01-02", "2020-1-3"}).type == ColumnType::identifier);  // two formats: texts
}

TEST_CASE("missing values are marked, spelled as they were, and what means missing can be chosen") {
  const Column age = column_of({"1", "?", "3", " ?"});
  CHECK(age.missing_count() == 2);
  CHECK(age.is_missing(1));
  CHECK(age.schema().as_written);  // two spellings
  const Column kind = column_of({"a", " NA ", "b", "a", "b", " NA "});
  CHECK(kind.type() == ColumnType::categorical);
  CHECK(kind.schema().categories == Names{"a", "b"});
  CHECK(kind.code(1) == -1);
  CHECK(kind.schema().missing == " NA ");
  CsvOptions options;
  options.missing = {"-999"};
  const Column number = column_of({"1", "-999", "3"}, options);
  CHECK(number.is_missing(1));
  CHECK(number.cell(1) == "-999");
  CHECK_FALSE(column_of({"a", "NA", "b", "a"}, options).is_missing(1));
}

TEST_CASE("quotes may hold delimiters, newlines and doubled quotes") {
  const Table table = round_trip(
      "name,\"a \"\"b\"\", c\"\n"
      "\"x,y\",1\n"
      "\"two\nlines\",2\n"
      "\"\"\"\",3\n");
  CHECK(table[1].name() == "a \"b\", c");
  CHECK(cells(table[0]) == Names{"x,y", "two\nlines", "\""});
  CHECK(table[1].type() == ColumnType::integer);
  CHECK(parse_csv("a,b\n\"1\",\"2.5\"\n\"2\",3\n")["b"].real(0) == 2.5);  // numbers in quotes are numbers
  CHECK(cells(parse_csv("a,b\n5\" disk,1\n", {.quote = 0})[0]) == Names{"5\" disk"});
}

TEST_CASE("a name that begins like a byte order mark is not taken for one") {
  const Table table({Column::integers("\xef\xbb\xbfn", std::vector<std::int64_t>{1})});
  CHECK(parse_csv(format_csv(table)) == table);
}

TEST_CASE("a table of one column keeps its empty cells") {
  const Column column = Column::texts("only", Names{"", "a b", ""}, {true, false, true});
  const std::string text = format_csv(Table({column}));
  CHECK(text == "only\n\"\"\na b\n\"\"\n");
  CHECK(parse_csv(text)[0].is_missing(2));
  CHECK(parse_csv("only\n\n\nb c\n\n").size() == 1);  // empty lines are not rows
}

TEST_CASE("rows may end with CR LF, the last without, and empty lines and comments are passed over") {
  CHECK(parse_csv("a,b\r\n1,x y\r\n2,\"z\r\n\"\r\n")["b"].cell(1) == "z\r\n");
  CHECK(parse_csv("a,b\r\n1,x y\r\n2,z")["a"].integer(1) == 2);
  CHECK(parse_csv("a,b\n1,2\n3,4").size() == 2);
  CHECK(parse_csv("a,b\n\n1,2\n\r\n\n3,4\n\n").size() == 2);
  const Table table = parse_csv("# made \"by hand\na,b\n1,2\n# 3,4\n5,\"#6\"\n#", {.comment = '#'});
  CHECK(table.size() == 2);
  CHECK(cells(table["b"]) == Names{"2", "#6"});
  CHECK(parse_csv("150,4\nunits\na;b\n1;2\n", {.skip_lines = 2})["b"].integer(0) == 2);
  CHECK(format_csv(parse_csv("a,b\n1,\"x,y\"\n"), {.delimiter = '\t', .crlf = true}) == "a\tb\r\n1\tx,y\r\n");
}

TEST_CASE("the dialect is guessed and printed") {
  const test::Scratch scratch;
  const auto guess = [&](const std::string& text) {
    spit(scratch / "g", text);
    return detect_csv(scratch / "g").str();
  };
  CHECK(guess("a,b\n1,2\n") == "delimiter \",\", header, 2 columns, rows end with \\n, utf-8");
  CHECK(guess("a;b;c\r\n1,5;2;3\r\n2,5;2;3\r\n") == "delimiter \";\", header, 3 columns, rows end with \\r\\n, utf-8");
  CHECK(has(guess("x y\tz, w\n1\t2\n"), "delimiter tab, header, 2 columns"));
  CHECK(has(guess("1|2\n3|4\n"), "delimiter \"|\", no header"));
  CHECK(has(guess("a,b\na,c\n"), "no header"));  // "a" comes again
  CHECK(has(guess("one\n2\n"), "header, 1 columns"));
  CHECK(has(guess("\xff\xfe" + std::string("a\0,\0b\0\n\0", 8)), "2 columns, rows end with \\n, utf-16le"));
  CHECK(parse_csv("1,2\n3,4\n")[1].name() == "column 2");
  CHECK(parse_csv(",b,b\n1,2,3\n", {.header = true}).schema().columns[2].name == "b.2");
}

TEST_CASE("byte order marks, UTF-16 and Latin-1 become UTF-8") {
  const test::Scratch scratch;
  const auto name = [&](const std::string& bytes, Encoding encoding = Encoding::detect) {
    spit(scratch / "e", bytes);
    const Table table = read_csv(scratch / "e", {.encoding = encoding});
    CHECK(parse_csv(bytes, {.encoding = encoding}) == table);
    CHECK(all_pieces(CsvReader(scratch / "e", {.encoding = encoding}, 10), 10) == table);
    return table[0].name() + table[1].cell(0);
  };
  CHECK(name("\xef\xbb\xbf\xc3\xbc,b\n1,x y\n") == "\xc3\xbcx y");
  CHECK(name("\xfc,b\n1,x y\n", Encoding::latin1) == "\xc3\xbcx y");
  const std::string little(
      "\xfc\0,\0b\0\n\0"
      "1\0,\0\x3d\xd8\x00\xde\n\0",
      18);
  std::string big = little;
  for (std::size_t i = 0; i + 1 < big.size(); i += 2) std::swap(big[i], big[i + 1]);
  CHECK(name("\xff\xfe" + little) == "\xc3\xbc\xf0\x9f\x98\x80");
  CHECK(name("\xfe\xff" + big) == "\xc3\xbc\xf0\x9f\x98\x80");
  CHECK(name(little, Encoding::utf16le) == "\xc3\xbc\xf0\x9f\x98\x80");
  spit(scratch / "half", std::string("\xff\xfe"
                                     "a\0,\0b\0\n\0\x3d\xd8x\0",
                                     14));
  CHECK(has(data_error([&] { read_csv(scratch / "half"); }), "half a character of UTF-16"));
}

TEST_CASE("what is wrong with a file is said with line and column") {
  const auto error = [](const std::string& text, const CsvOptions& options = {}) {
    const std::string found = data_error([&] { parse_csv(text, options); });
    INFO(text);
    CHECK(has(found, "text"));
    return found;
  };
  CHECK(has(error("a,b\n1,2\n3\n"), "text:3:1: expects 2 fields, got 1"));
  CHECK(has(error("a,b\n\"1\n\",2\n3,4,5\n"), "text:4:1: expects 2 fields, got 3"));
  CHECK(has(error("a,b\n1,2\n3,\"x\n4,5\n"), "text:3:3: this quote is not closed before the end"));
  CHECK(has(error("a,b\n1,2\n3,x\"y\n"), "text:3:4: a quote inside a field"));
  CHECK(has(error("a,b\n\"1\"2,2\n"), "text:2:4: expects a delimiter or the end of the row"));
  CHECK(has(error(std::string("a,b\n1,\0\n", 8)), "text:2:3: a zero byte"));
  CHECK(has(error("a,b\n1,x\xff\n"), "text:2:4: byte 0xff is not UTF-8"));
  CHECK(has(error(""), "expects at least one row"));
  CHECK(has(error("\n\r\n"), "expects at least one row"));
  CHECK(has(error("a,b\n1,2\n", {.max_columns = 1}), "text:1:1: expects at most 1 columns"));
  CHECK(has(error("a,b\n1,2\n\"" + std::string(2000, 'x'), {.max_row_bytes = 1000}),
            "text:3:1: this quote is not closed within 1000 bytes"));
  CHECK(has(error("a,b\n1,2\n" + std::string(2000, 'x') + ",2\n", {.max_row_bytes = 1000}),
            "text:3:1: this row is longer than 1000"));
  CHECK(has(data_error([] { parse_csv("a,b\n1,2\n", {.delimiter = '\n'}); }), "0x0a cannot be a delimiter"));
  CHECK(has(data_error([] { read_csv("/nowhere/at.csv"); }), "/nowhere/at.csv"));
}

TEST_CASE("ragged rows are listed where they are allowed") {
  std::vector<RaggedRow> ragged;
  const std::string text = "a,b\n1,2\n3\n4,\"5\n\"\n6,7,8\n9,10\n";
  const Table table = parse_csv(text, {.ragged = &ragged});
  CHECK(cells(table["a"]) == Names{"1", "4", "9"});
  REQUIRE(ragged.size() == 2);
  CHECK(ragged[0].line == 3);
  CHECK(ragged[0].fields == 1);
  CHECK(ragged[1].line == 6);
  CHECK(ragged[1].fields == 3);
  const test::Scratch scratch;
  spit(scratch / "r.csv", text);
  ragged.clear();
  CHECK(all_pieces(CsvReader(scratch / "r.csv", {.ragged = &ragged}, 2), 2) == table);
  CHECK(ragged.size() == 2);
}

TEST_CASE("cells are held against a given schema") {
  const std::string text = "n,k,d\n1,a,2020-01-02\n2,b,2020-01-03\n";
  Schema schema = parse_csv(text).schema();
  schema["k"] = {.name = "k", .type = ColumnType::categorical, .categories = {"b", "a"}};
  schema["n"].type = ColumnType::real;
  const Table table = parse_csv(text, {.schema = schema});
  CHECK(table["n"].real(1) == 2.0);
  CHECK(table["k"].code(0) == 1);
  CHECK(table.schema() == schema);
  const auto error = [&](const std::string& rows) {
    return data_error([&] { parse_csv("n,k,d\n" + rows, {.schema = schema}); });
  };
  CHECK(
      has(error("1,a,2020-01-02\n2,c,2020-01-02\n"), "text:3:3: column \"k\" expects one of 2 categories, got \"c\""));
  CHECK(has(error("1,a,2020-01-02\nx,a,2020-01-02\n"), "text:3:1: column \"n\" expects real, got \"x\""));
  CHECK(has(error("1,a,02.01.2020\n"), "text:2:5: column \"d\" expects date-time (%Y-%m-%d), got \"02.01.2020\""));
  CHECK(has(data_error([&] { parse_csv("n,d,k\n", {.schema = schema}); }), "column 2 is \"k\" in the schema"));
  CHECK(has(data_error([&] { parse_csv("n,k\n", {.schema = schema}); }), "the schema has 3 columns, the file 2"));
  schema["k"].categories.clear();  // any
  CHECK(parse_csv("n,k,d\n1,z,2020-01-02\n", {.schema = schema})["k"].schema().categories == Names{"z"});
}

TEST_CASE("a file read whole, in pieces, packed, and by one or two threads is the same table") {
  const test::Scratch scratch;
  const std::string text = made_up(30000), path = scratch / "m.csv";
  REQUIRE(text.size() > (1u << 20));
  spit(path, text);
  spit(path + ".gz", gzip(text));
  set_threads(1);
  const Table table = read_csv(path);
  set_threads(2);
  CHECK(read_csv(path) == table);
  CHECK(format_csv(table) == text);
  CHECK(table["id"].type() == ColumnType::identifier);
  CHECK(table["price"].schema().decimals == 2);
  CHECK(table["kind"].schema().categories.size() == 7);
  CHECK(table["note"].type() == ColumnType::text);
  CHECK(table["flag"].type() == ColumnType::boolean);
  CHECK(infer_csv(path) == table.schema());
  CHECK(read_csv(path + ".gz") == table);
  for (const std::int64_t rows : {1000, 29999, 30000, 100000}) {
    CHECK(all_pieces(CsvReader(path, {}, rows), rows) == table);
  }
  CHECK(all_pieces(CsvReader(path + ".gz", {}, 7000), 7000) == table);
  set_threads(0);
  CHECK_THROWS_AS(CsvReader(path, {}, 0), NumericError);
}

TEST_CASE("rows across the bounds of pieces are whole, wherever quotes and newlines fall") {
  for (const int shift : {0, 1, 2, 3, 5, 8, 13}) {
    std::string text = "a,b\n" + std::string(static_cast<std::size_t>(shift), 'x') + ",0\n";
    for (int i = 0; text.size() < 600000; ++i) {
      text += i % 3 ? concat("plain text ", i, ",", i, "\n") : concat("\"q\n\n", i, ",\"\"\n\"\"\",", i, "\r\n");
    }
    const Table table = parse_csv(text, {.header = true});
    std::int64_t expected = 0;
    for (std::int64_t row = 1; row < table.size(); ++row) expected += table["b"].integer(row) == row - 1;
    CHECK(expected == table.size() - 1);
    CHECK(format_csv(parse_csv(format_csv(table))) == format_csv(table));
  }
}

TEST_CASE("a scan finds the same fields with every instruction set's block size and offset") {
  Rng rng{9};
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (std::int64_t length = rng.below(300); length > 0; --length) text += "ab,,\n\"\"c\xc3"[rng.below(9)];
    std::vector<std::uint32_t> ends(text.size() + 1), expected;
    const auto index = detail::index_fields(text, {}, ends.data());
    bool inside = false, quotes = false;
    std::int64_t rows = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      quotes |= text[at] == '"';
      inside ^= text[at] == '"';
      if (!inside && (text[at] == ',' || text[at] == '\n')) expected.push_back(static_cast<std::uint32_t>(at));
      rows += !inside && text[at] == '\n';
    }
    ends.resize(static_cast<std::size_t>(index.fields));
    CHECK(ends == expected);
    CHECK(index.rows == rows);
    CHECK(index.quotes == quotes);
    CHECK(index.open == inside);
    CHECK(index.ascii == (text.find('\xc3') == std::string::npos));
    const auto count = detail::count_rows(text, '"');
    CHECK(count.newlines[0] == rows);
    CHECK(count.newlines[0] + count.newlines[1] == std::count(text.begin(), text.end(), '\n'));
    CHECK(count.odd == inside);
  }
}

TEST_CASE("hostile files end in an error, in little time and memory") {
  const test::Scratch scratch;
  const std::string path = scratch / "h.csv.gz";
  const auto error = [&](const std::string& text, const CsvOptions& options = {}) {
    spit(path, gzip(text, 1));
    const std::string whole = data_error([&] { read_csv(path, options); });
    CHECK(data_error([&] { CsvReader(path, options).next(); }) == whole);
    return whole;
  };
  CHECK(has(error("a,b\n\"" + std::string(80 << 20, 'x')), "h.csv.gz:2:1: this quote is not closed within 67108864"));
  CHECK(has(error(std::string(200000, ',') + "\n"), "h.csv.gz:1:1: expects at most 100000 columns"));
  CHECK(has(error("a,b\n1," + std::string(1 << 20, '\0')), "h.csv.gz:2:3: a zero byte"));
  spit(path, gzip(std::string(3 << 20, 'x'), 1).substr(0, 1000));
  CHECK(has(data_error([&] { read_csv(path); }), "the stream is cut off"));
  spit(path, gzip("a,b\n" + std::string(8 << 20, '1'), 1));
  CHECK(has(data_error([&] { read_csv(path, {.max_text_bytes = 1 << 20}); }), "more than 1048576 bytes"));
}

TEST_CASE("files changed at random are tables or errors, whole as in pieces") {
  const test::Scratch scratch;
  const std::string path = scratch / "x.csv", good = made_up(12);
  Rng rng{11};
  for (int i = 0; i < 3000; ++i) {
    const std::string text = test::mutate(good, rng);
    spit(path, text);
    Table whole, pieces;
    const std::string error = data_error([&] { whole = read_csv(path); });
    CHECK(data_error([&] { pieces = all_pieces(CsvReader(path, {}, 5), 5); }) == error);
    if (error.empty() && whole.size() > 0) CHECK(pieces == whole);
  }
}

TEST_CASE("a writer shows its file when all is written, and packs it by its name") {
  const test::Scratch scratch;
  const Table table = parse_csv(made_up(500));
  {
    CsvWriter writer(scratch / "given_up.csv");
    writer.write(table);
  }
  CHECK(scratch.count() == 0);
  for (const char* name : {"w.csv", "w.csv.gz"}) {
    CsvWriter writer(scratch / name);
    for (std::int64_t row = 0; row < 500; row += 100) writer.write(table.rows(row, row + 100));
    CHECK(has(data_error([&] { writer.write(table.select({"id"})); }), "expects the columns of the first table"));
    writer.commit();
    CHECK(read_gzip_or_plain(scratch / name) == format_csv(table));
    CHECK(read_csv(scratch / name) == table);
  }
  write_csv(scratch / "tab.tsv", table, {.delimiter = '\t'});
  CHECK(read_csv(scratch / "tab.tsv") == table);
  CHECK(std::filesystem::file_size(scratch / "w.csv.gz") < std::filesystem::file_size(scratch / "w.csv") / 2);
}

TEST_CASE("the public tables survive a round trip, byte by byte") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  struct Case {
    const char* name;
    std::int64_t rows;
    CsvOptions options;
  };
  for (const Case& c : {Case{"adult/adult.csv", 32561, {}}, Case{"stock/stock_data.csv", 3685, {}},
                        Case{"small/iris.csv", 150, {.header = false, .skip_lines = 1}},
                        Case{"small/wine_data.csv", 178, {.header = false, .skip_lines = 1}},
                        Case{"small/breast_cancer.csv", 569, {.header = false, .skip_lines = 1}}}) {
    INFO(c.name);
    const std::string path = data_dir() + "/" + c.name;
    const Table table = read_csv(path, c.options);
    CHECK(table.size() == c.rows);
    std::string text = slurp(path);
    if (c.options.skip_lines) text.erase(0, text.find('\n') + 1);
    CHECK(format_csv(table, {.header = !c.options.skip_lines}) == text);
    CHECK(all_pieces(CsvReader(path, c.options, 1000), 1000) == table);
  }
  const Table adult = read_csv(data_dir() + "/adult/adult.csv");
  std::int64_t with_missing = 0, poor = 0;
  for (std::int64_t row = 0; row < adult.size(); ++row) {
    bool any = false;
    for (const Column& column : adult.columns()) any |= column.is_missing(row);
    with_missing += any;
    poor += adult["income"].cell(row) == " <=50K";
  }
  CHECK(with_missing == 2399);  // as shared/data/README.md counts them
  CHECK(poor == 24720);
  CHECK(adult["age"].type() == ColumnType::integer);
  CHECK(adult["native-country"].schema().categories.size() == 41);
  CHECK(adult["workclass"].schema().missing == " ?");
}
