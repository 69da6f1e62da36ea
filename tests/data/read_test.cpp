// tests/data/read_test.cpp: tables by the name of their place.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/csv.hpp>
#include <synthdata/data/read.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;

namespace {
Table small_table() { return parse_csv("age,sex\n39,male\n?,female\n28,male\n51,female\n"); }

AnyTableReader open_nothing(const std::string& place, const Schema&, std::int64_t rows) {
  if (place != "nothing://here" || rows < 1) throw DataError("another place");
  struct Reader {
    std::optional<Table> next() { return {}; }
    const Schema& schema() const { return held; }
    Schema held{{{.name = "age", .type = ColumnType::integer}}};
  };
  return AnyTableReader(Reader{});
}
}  // namespace

TEST_CASE("A table is read and written by the extension of its name") {
  const test::Scratch scratch;
  const Table table = small_table();
  for (const char* name : {"a.csv", "a.tsv", "a.csv.gz", "A.B.TSV.GZ"}) {
    INFO(name);
    const std::string path = scratch / name;
    write(path, table);
    CHECK(read(path) == table);
    CHECK(read(path, table.schema()) == table);
    AnyTableReader reader = open_reader(path, {}, 3);
    CHECK(reader.next()->size() == 3);
    AnyTableWriter writer = open_writer(path + ".csv");
    copy_table(reader, writer);
    CHECK(read(path + ".csv") == parse_csv("age,sex\n51,female\n"));
  }
  CHECK_THROWS_WITH(read(scratch / "a.parquet"),
                    ContainsSubstring("a.parquet: expects a name that ends in one of .csv"));
  CHECK_THROWS_WITH(read("a.csv/b"), ContainsSubstring("expects a name"));
  CHECK_THROWS_AS(read(scratch / "absent.csv"), DataError);
}

TEST_CASE("Names with a scheme go to the functions registered for it") {
  CHECK_THROWS_WITH(read("nowhere://user:secret@host/base"),
                    ContainsSubstring("nowhere://...: expects a scheme") && !ContainsSubstring("secret"));
  add_table_scheme("nothing", {.open_reader = open_nothing});
  CHECK(read("nothing://here").schema().columns[0].name == "age");
  CHECK_THROWS_WITH(open_writer("nothing://here"), ContainsSubstring("can only be read"));
  CHECK_THROWS_WITH(read("nowhere://x"), ContainsSubstring("which has nothing"));
  for (const char* bad : {"", "A", "1a", "a b", "a://b"}) CHECK_THROWS_AS(add_table_scheme(bad, {}), DataError);
}
