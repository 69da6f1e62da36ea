// tests/data/round_trip_test.cpp: public data sets, written and read again in every format that can hold them.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/csv.hpp>
#include <synthdata/data/json_table.hpp>
#include <synthdata/data/read.hpp>
#include <synthdata/data/text_file.hpp>
#include <synthdata/data/xml_table.hpp>
#include <synthdata/io/idx.hpp>
#include <synthdata/io/npy.hpp>
#include <synthdata/io/npz.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;

namespace {

/// The table with missing values spelled as those of JSON, which has one way only.
Table as_json_has_it(const Table& table) {
  Table made = table;
  for (const Column& column : table.columns()) {
    ColumnSchema format = column.schema();
    format.missing.clear();
    made = made.with(column.spelled(format));
  }
  return made;
}

void check_tables(const Table& table) {
  const test::Scratch scratch;
  for (const char* name : {"a.csv", "a.tsv.gz", "a.json", "a.json.gz", "a.jsonl", "a.ndjson.gz", "a.xml", "a.xml.gz"}) {
    INFO(name);
    if (std::string_view(name).starts_with("a.xml") && !detail::xml_codec().parse) {
      WARN("skipped: built without pugixml");
      continue;
    }
    const std::string path = scratch / name;
    write(path, table);
    const bool json = std::string_view(name).find("json") != std::string_view::npos;
    CHECK(read(path) == (json ? as_json_has_it(table) : table));
    CHECK(read(path, table.schema()) == table);
    AnyTableReader reader = open_reader(path, table.schema(), 1000);
    AnyTableWriter writer = open_writer(path + ".csv");
    CHECK(copy_table(reader, writer) == table.size());
    CHECK(read_csv(path + ".csv", {.schema = table.schema()}) == table);
  }
}

}  // namespace

TEST_CASE("Adult comes back from every format for tables") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Table adult = read(data_dir() + "/adult/adult.csv");
  REQUIRE(adult.size() == 32561);
  CHECK(adult["workclass"].cell(0) == " State-gov");
  check_tables(adult);
}

TEST_CASE("Stock prices come back from every format for tables") {
  SYNTHDATA_NEED_DATA("stock/stock_data.csv");
  const Table stock = read(data_dir() + "/stock/stock_data.csv");
  REQUIRE(stock.size() == 3685);
  check_tables(stock);
}

TEST_CASE("the small sets come back from every format for tables") {
  SYNTHDATA_NEED_DATA("small/iris.csv");
  for (const char* name : {"iris", "wine_data", "breast_cancer"}) {
    INFO(name);
    // the first line holds sizes and the names of the classes
    const Table table = read_csv(concat(data_dir(), "/small/", name, ".csv"), {.header = false, .skip_lines = 1});
    REQUIRE(table.size() >= 150);
    check_tables(table);
  }
}

TEST_CASE("MNIST comes back from IDX, NPY and NPZ") {
  SYNTHDATA_NEED_DATA("mnist/t10k-images-idx3-ubyte.gz");
  const Tensor images = read_idx(data_dir() + "/mnist/t10k-images-idx3-ubyte.gz"),
               labels = read_idx(data_dir() + "/mnist/t10k-labels-idx1-ubyte.gz");
  REQUIRE(images.shape() == Shape{10000, 28, 28});
  const test::Scratch scratch;
  write_idx(scratch / "a.idx", images);
  CHECK(same_bits(read_idx(scratch / "a.idx"), images));
  write_npy(scratch / "a.npy", images);
  CHECK(same_bits(read_npy(scratch / "a.npy"), images));
  Archive both;
  both.add("images", images);
  both.add("labels", labels);
  for (const bool compressed : {false, true}) {
    write_npz(scratch / "a.npz", both, {.compressed = compressed});
    const Archive again = read_npz(scratch / "a.npz");
    CHECK(same_bits(again.at("images"), images));
    CHECK(same_bits(again.at("labels"), labels));
  }
}

TEST_CASE("Tiny Shakespeare comes back as a text and as a table of lines") {
  SYNTHDATA_NEED_DATA("text/tinyshakespeare.txt.gz");
  const std::string path = data_dir() + "/text/tinyshakespeare.txt.gz";
  const std::string text = read_text(path);
  CHECK(text.size() == 1115394);
  const Table lines = read(path);
  CHECK(lines.size() == 40000);
  const test::Scratch scratch;
  write(scratch / "a.txt", lines);
  CHECK(read_text(scratch / "a.txt") == text);
  // JSON keeps which lines are empty; CSV and XML have no texts but missing ones there
  write(scratch / "a.jsonl", lines);
  CHECK(read(scratch / "a.jsonl", lines.schema()) == lines);
  write(scratch / "a.json.gz", lines);
  CHECK(read(scratch / "a.json.gz", lines.schema()) == lines);
}
