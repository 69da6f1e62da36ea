// tests/data/text_file_test.cpp: plain text, whole and by lines.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/read.hpp>
#include <synthdata/data/text_file.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;
using test::data_error, test::has, test::spit;

TEST_CASE("text is read whole and by lines") {
  const test::Scratch scratch;
  const std::string path = scratch / "a.txt";
  spit(path,
       "\xef\xbb\xbf"
       "first\r\n\nGröße\nlast");
  CHECK(read_text(path) == "first\r\n\nGröße\nlast");
  const Table lines = read_lines(path);
  REQUIRE(lines.size() == 4);
  CHECK(lines["text"].type() == ColumnType::text);
  CHECK(lines["text"].cell(0) == "first");
  CHECK(lines["text"].cell(1) == "");
  CHECK(!lines["text"].is_missing(1));
  CHECK(lines["text"].cell(2) == "Größe");
  CHECK(lines["text"].cell(3) == "last");
  CHECK(read(path) == lines);
  CHECK(read(path, {{{.name = "line", .type = ColumnType::text}}})[0].name() == "line");
  CHECK_THROWS_AS(read(path, {{{.name = "line", .type = ColumnType::integer}}}), DataError);
  write_lines(scratch / "b.txt.gz", lines);
  CHECK(read_text(scratch / "b.txt.gz") == "first\n\nGröße\nlast\n");
  CHECK(read(scratch / "b.txt.gz") == lines);
  spit(path, std::string("\xff\xfe"
                         "a\0\xe9\0\n\0"
                         "b\0",
                         10));
  CHECK(read_text(path) == "aé\nb");
  spit(path, "\xe9\n");
  CHECK(read_lines(path, {.encoding = Encoding::latin1})["text"].cell(0) == "é");
  spit(path, "");
  CHECK(read_lines(path).size() == 0);
  CHECK(read(path).columns().size() == 1);
  write_text(scratch / "c.txt.gz", "no\r\nend");
  CHECK(read_text(scratch / "c.txt.gz") == "no\r\nend");
}

TEST_CASE("lines of any number come in pieces") {
  const test::Scratch scratch;
  const std::string path = scratch / "a.txt.gz";
  std::string text;
  for (int i = 0; i < 300000; ++i)
    text += concat("line ", i, " of many, long enough that they are more than a window\n");
  write_text(path, text);
  const Table whole = read_lines(path);
  CHECK(whole.size() == 300000);
  LineReader reader(path, {}, 70001);
  LineWriter writer(scratch / "b.txt");
  std::int64_t rows = 0;
  while (const auto piece = reader.next()) {
    CHECK(*piece == whole.rows(rows, rows + piece->size()));
    rows += piece->size();
    writer.write(*piece);
  }
  CHECK(rows == 300000);
  CHECK(!is_file(scratch / "b.txt"));
  writer.commit();
  CHECK(read_text(scratch / "b.txt") == text);
}

TEST_CASE("what is no text, or no line, is refused with its place") {
  const test::Scratch scratch;
  const std::string path = scratch / "a.txt";
  spit(path, "a\nb\xff\n");
  CHECK(has(data_error([&] { read_text(path); }), "a.txt:2:2: a byte that is not UTF-8"));
  CHECK(has(data_error([&] { read_lines(path); }), "a.txt:2:2: a byte that is not UTF-8"));
  spit(path, std::string("a\nb\0", 4));
  CHECK(has(data_error([&] { read_text(path); }), "a.txt:2:2: a zero byte"));
  CHECK(has(data_error([&] { read_text(path, {.max_text_bytes = 3}); }), "max_text_bytes"));
  spit(path, "a\n" + std::string(1000, 'x'));
  CHECK(has(data_error([&] { read_lines(path, {.max_line_bytes = 999}); }), "a.txt:2:1: this line is longer"));
  spit(path, std::string(20 << 20, 'x'));
  CHECK(has(data_error([&] { LineReader(path, {.max_line_bytes = 1 << 20}).next(); }), "this line is longer"));
  const auto refused = [&](const char* cell, bool missing) {
    const std::vector<std::string> cells = {cell};
    return data_error([&] { write_lines(path, Table({Column::texts("a", cells, {missing})})); });
  };
  CHECK(has(refused("a\nb", false), "expects a line"));
  CHECK(has(refused("a\r", false), "expects a line"));
  CHECK(has(refused("\xff", false), "expects a line"));
  CHECK(has(refused("a", true), "is missing"));
  CHECK(refused("\xef\xbb\xbf"
                "a",
                false)
            .empty());
  CHECK(read_lines(path)["text"].cell(0) ==
        "\xef\xbb\xbf"
        "a");
  const std::vector<std::int64_t> number = {1};
  CHECK(has(data_error([&] {
              write_lines(path, Table({Column::integers("a", number), Column::integers("b", number)}));
            }),
            "one column"));
}
