// tests/data/table_stream_test.cpp: tables that come and go piece by piece.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/data/table_stream.hpp>

namespace sd = synthdata;
using test::Scratch, test::slurp, test::spit;

namespace {

static_assert(sd::TableReader<sd::CsvReader> && sd::TableReader<sd::AnyTableReader>);
static_assert(sd::TableWriter<sd::CsvWriter> && sd::TableWriter<sd::AnyTableWriter>);

const char* const text =
    "id,age,sex,income,since,note\nx1,39,male,1.50,2020-01-02,one two\nx2,?,female,2.25,2020-01-03,b\n"
    "x3,28,male,0.75,2020-01-04,c\nx4,51,female,3.00,2020-01-05,d\nx5,4,female,3.10,2020-01-06,e\n";

}  // namespace

TEST_CASE("pieces of any size make up the table") {
  const Scratch folder;
  const std::string path = folder / "pieces.csv";
  spit(path, text);
  const sd::Table whole = sd::read_csv(path);
  for (const std::int64_t rows : {1, 2, 3, 100}) {
    sd::AnyTableReader reader{sd::CsvReader(path, {}, rows)};
    CHECK(reader.schema() == whole.schema());
    CHECK(sd::read_all(reader) == whole);
    CHECK(!reader.next());
  }
}

TEST_CASE("what no piece is left of is an empty table of the schema") {
  const Scratch folder;
  const std::string path = folder / "empty.csv";
  spit(path, text);
  sd::CsvReader reader(path);
  while (reader.next()) {
  }
  const sd::Table none = sd::read_all(reader);
  CHECK(none.size() == 0);
  CHECK(none.schema() == sd::read_csv(path).schema());
  CHECK(none.append(sd::read_csv(path)) == sd::read_csv(path));
  CHECK(sd::format_csv(none) == "id,age,sex,income,since,note\n");
}

TEST_CASE("a stream is copied and counted, and is there only after the last piece") {
  const Scratch folder;
  const std::string from = folder / "from.csv", to = folder / "to.csv";
  spit(from, text);
  sd::CsvReader reader(from, {}, 2);
  sd::AnyTableWriter writer(std::in_place_type<sd::CsvWriter>, to);
  CHECK(sd::copy_table(reader, writer) == 5);
  CHECK(slurp(to) == slurp(from));
  {
    sd::AnyTableWriter never(std::in_place_type<sd::CsvWriter>, folder / "never.csv");
    never.write(sd::read_csv(from));
  }
  CHECK(!sd::is_file(folder / "never.csv"));
}
