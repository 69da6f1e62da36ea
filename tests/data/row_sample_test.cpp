// tests/data/row_sample_test.cpp: even samples of streams.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/data/row_sample.hpp>

using namespace synthdata;

namespace {

Table numbered(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> values;
  std::vector<std::string> texts;
  for (std::int64_t i = begin; i < end; ++i) values.push_back(i), texts.push_back(concat("t", i));
  return Table({Column::integers("n", values), Column::texts("t", texts)});
}

}  // namespace

TEST_CASE("each row is equally likely to be in a sample", "[table]") {
  constexpr std::int64_t rows = 300, count = 30, times = 2000;
  std::vector<int> chosen(rows, 0);
  for (std::uint64_t seed = 0; seed < times; ++seed) {
    RowSample sample(count, seed);
    for (std::int64_t at = 0; at < rows; at += 50) sample.add(numbered(at, at + 50));
    const Table table = sample.table();
    REQUIRE(table.size() == count);
    for (std::int64_t row = 0; row < count; ++row) {
      const std::int64_t n = table["n"].integer(row);
      ++chosen[static_cast<std::size_t>(n)];
      REQUIRE(table["t"].cell(row) == concat("t", n));  // rows stay together
      if (row > 0) REQUIRE(n > table["n"].integer(row - 1));
    }
  }
  double chi2 = 0.0;
  for (const int n : chosen) chi2 += (n - 200.0) * (n - 200.0) / (200.0 * 0.9);
  CHECK(chi2 < 400.0);  // 299 degrees of freedom: beyond by chance once in 10,000 times
  CHECK(chi2 > 210.0);
}

TEST_CASE("a sample does not depend on the pieces, and has all rows of a short stream", "[table]") {
  const Table all = numbered(0, 5000);
  RowSample once(100, 7), often(100, 7);
  once.add(all);
  for (std::int64_t at = 0; at < 5000; at += 10) often.add(all.rows(at, at + 10));
  CHECK(once.table() == often.table());

  const test::Scratch folder;
  const std::string path = folder / "a.csv";
  write_csv(path, all);
  CsvReader reader(path, {}, 512);
  CHECK(sample_rows(reader, 100, 7)["n"] == once.table()["n"]);
  CsvReader again(path, {}, 512);
  CHECK(sample_rows(again, 6000).size() == 5000);
  test::spit(path, "n,t\n");
  CsvReader none(path);
  CHECK(sample_rows(none, 5).columns().size() == 2);
  CHECK_THROWS_AS(RowSample(0), DataError);
  RowSample empty(3);
  CHECK_THROWS_AS(empty.table(), DataError);
}
