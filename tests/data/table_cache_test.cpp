// tests/data/table_cache_test.cpp: a cache gives back every cell, in any order, and refuses every damaged byte.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/loader.hpp>
#include <synthdata/data/table_cache.hpp>

#include <thread>

using namespace synthdata;
using test::data_error;
using test::has;

namespace {

static_assert(TableReader<TableCacheReader>);
static_assert(TableWriter<TableCacheWriter>);
static_assert(GathersBatches<TableCacheDataset>);

/// All types of columns, missing values among them.
std::string people(int rows) {
  std::string text = "id,age,height,member,city,joined,note\n";
  Rng rng(1);
  for (int i = 0; i < rows; ++i) {
    const char* const cities[] = {"Oslo", "Rome", "Lima", "\xc3\x85rhus"};
    text += concat("p", i, ',', rng.below(90), ',');
    text += i % 7 == 3 ? std::string() : concat(rng.below(100) + 100, '.', 10 + rng.below(90));
    text += concat(',', rng.below(2) ? "yes" : "no", ',', i % 11 == 5 ? "" : cities[rng.below(4)]);
    text += concat(",20", 10 + rng.below(10), "-0", 1 + rng.below(9), "-1", rng.below(10), ",\"a ", rng.below(1000),
                   i % 5 ? " b\"" : ", \"\"quoted\"\"\"", '\n');
  }
  return text;
}

void write_cache(const std::string& path, const Table& table, std::int64_t group_rows, std::int64_t piece) {
  TableCacheWriter writer(path, "a key", group_rows);
  for (std::int64_t at = 0; at < table.size(); at += piece) {
    writer.write(table.rows(at, std::min(at + piece, table.size())));
  }
  writer.commit();
}

}  // namespace

TEST_CASE("a table cache gives the table back, whatever its groups and pieces") {
  const test::Scratch scratch;
  const Table table = parse_csv(people(300));
  for (const ColumnType type : {ColumnType::identifier, ColumnType::integer, ColumnType::real, ColumnType::boolean,
                                ColumnType::categorical, ColumnType::date_time, ColumnType::text}) {
    bool there = false;
    for (const Column& column : table.columns()) there |= column.type() == type;
    REQUIRE(there);
  }
  for (const std::int64_t group_rows : {1, 64, 100, 300, 1000}) {
    for (const std::int64_t piece : {37, 300}) {
      const std::string path = scratch / "people.cache";
      write_cache(path, table, group_rows, piece);
      const TableCache cache(path);
      CHECK(cache.size() == 300);
      CHECK(cache.key() == "a key");
      CHECK(cache.schema() == table.schema());
      CHECK(cache.groups() == (300 + group_rows - 1) / group_rows);
      CHECK(cache.rows(0, 300) == table);
      CHECK(cache.rows(63, 205) == table.rows(63, 205));
      CHECK(cache.rows(5, 5).size() == 0);
      TableCacheReader reader(cache);
      CHECK(read_all(reader) == table);
      const std::vector<std::int64_t> some = {299, 0, 64, 63, 64, 128, 7};
      CHECK(cache.take(some) == table.take(some));
      const std::vector<std::string> columns = {"city", "age"};
      CHECK(cache.take(some, columns) == table.take(some).select(columns));
    }
  }
}

TEST_CASE("a table cache keeps cells as they were written, and tables without rows or columns") {
  const test::Scratch scratch;
  const Table odd = parse_csv("a,b\n+1, 2\n01x,3\n1.50,NA\n", {.header = true});
  write_cache(scratch / "odd.cache", odd, 2, 3);
  CHECK(format_csv(TableCache(scratch / "odd.cache").rows(0, 3)) == format_csv(odd));
  write_cache(scratch / "none.cache", Table(), 2, 3);
  CHECK(TableCache(scratch / "none.cache").size() == 0);
  test::spit(scratch / "empty.csv", "a,b\n");
  const TableCache empty = cached_csv(scratch / "empty.csv", {.header = true});
  CHECK(empty.size() == 0);
  CHECK(empty.schema().columns.size() == 2);
}

TEST_CASE("a table that is taken from a cache outlives it, and many threads may read") {
  const test::Scratch scratch;
  const Table table = parse_csv(people(500));
  write_cache(scratch / "a.cache", table, 50, 500);
  Table kept;
  {
    const TableCache cache(scratch / "a.cache");
    kept = cache.group(3);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        Rng rng(static_cast<std::uint64_t>(t));
        for (int i = 0; i < 50; ++i) {
          const std::vector<std::int64_t> rows = {rng.below(500), rng.below(500)};
          if (!(cache.take(rows) == table.take(rows))) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    cache.forget(3);  // the pages come back by themselves
  }
  std::filesystem::remove(scratch / "a.cache");
  CHECK(kept == table.rows(150, 200));
}

TEST_CASE("TableCacheDataset feeds a loader in any order") {
  const test::Scratch scratch;
  const Table table = parse_csv(people(200));
  write_cache(scratch / "a.cache", table, 64, 200);
  const TableSamples samples{.label = "member", .columns = {"age"}};
  const TableCacheDataset dataset(TableCache(scratch / "a.cache"), samples);
  const Batch all = encode_rows(table, samples);
  Rng rng;
  const Sample tenth = dataset.get(10, rng);
  CHECK(tenth.data.data<float>()[0] == all.data.data<float>()[10]);
  CHECK(tenth.label == all.labels.data<std::int64_t>()[10]);
  DataLoader from_cache{dataset, {.batch_size = 32, .seed = 3, .workers = 2}};
  DataLoader from_memory{table_dataset(table, samples), {.batch_size = 32, .seed = 3}};
  for (int i = 0; i < 15; ++i) {
    const Batch a = from_cache.next(), b = from_memory.next();
    CHECK(same_bits(a.data, b.data));
    CHECK(same_bits(a.labels, b.labels));
  }
}

TEST_CASE("a table cache takes pieces of one schema only, and appears when it is committed") {
  const test::Scratch scratch;
  const std::vector<std::int64_t> codes = {0, 1};
  const Table table({Column::categorical("c", codes, {"a", "b"})}),
      other({Column::categorical("c", codes, {"b", "a"})});
  {
    TableCacheWriter writer(scratch / "a.cache");
    writer.write(table);
    CHECK(has(data_error([&] { writer.write(other); }), "expects pieces of one schema"));
  }
  CHECK(scratch.count() == 0);
  CHECK_THROWS_AS(TableCacheWriter(scratch / "a.cache", "", 0), DataError);
  TableCache cache = cached_table(scratch / "b.cache", "k", [&] {
    write_cache(scratch / "source", table, 10, 10);
    return TableCacheReader(TableCache(scratch / "source"));
  });
  CHECK_THROWS_AS(cache.take(std::vector<std::int64_t>{2}), ShapeError);
  CHECK_THROWS_AS(cache.rows(1, 3), ShapeError);
  CHECK_THROWS_AS(cache.group(1), ShapeError);
  const std::vector<std::string> none = {"x"};
  CHECK_THROWS_AS(cache.take(codes, none), DataError);
}

TEST_CASE("cached_csv reads the file once and notices that it or the options changed") {
  const test::Scratch scratch;
  const std::string path = scratch / "a.csv";
  test::spit(path, people(50));
  const auto inode = [&] { return std::filesystem::last_write_time(path + ".cache").time_since_epoch().count(); };
  CHECK(cached_csv(path).rows(0, 50) == read_csv(path));
  const auto written = inode();
  CHECK(cached_csv(path).size() == 50);
  CHECK(inode() == written);
  CHECK(cached_csv(path, {.max_categories = 2}).schema()["city"].type == ColumnType::text);
  CHECK(cached_csv(path).schema()["city"].type == ColumnType::categorical);
  test::spit(path, people(51));
  CHECK(cached_csv(path).rows(0, 51) == read_csv(path));
  // the same size, another time
  std::string text = test::slurp(path);
  text[text.find("p0")] = 'q';
  test::spit(path, text);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(2));
  CHECK(cached_csv(path).rows(0, 1)["id"].cell(0) == "q0");
  // a damaged cache is written again, a file that is none is left alone
  std::string bytes = test::slurp(path + ".cache");
  test::spit(path + ".cache", bytes.substr(0, bytes.size() / 2));
  CHECK(cached_csv(path).size() == 51);
  test::spit(scratch / "mine", "my notes");
  CHECK(has(data_error([&] { cached_csv(path, {}, scratch / "mine"); }), "would be overwritten"));
  CHECK(test::slurp(scratch / "mine") == "my notes");
  CHECK_FALSE(data_error([&] { cached_csv(scratch / "absent.csv"); }).empty());
}

TEST_CASE("every damaged byte of a table cache is noticed or does no harm") {
  const test::Scratch scratch;
  const Table table = parse_csv(people(20));
  write_cache(scratch / "a.cache", table, 8, 20);
  const std::string bytes = test::slurp(scratch / "a.cache");
  const std::string path = scratch / "bad.cache";
  int noticed = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x11);
    test::spit(path, bad);
    bool same = false;
    const std::string error = data_error([&] { same = TableCache(path).rows(0, 20) == table; });
    CHECK((same || !error.empty()));  // the same: a byte that only fills up
    noticed += !error.empty();
  }
  CHECK(noticed > 300);
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    test::spit(path, bytes.substr(0, length));
    REQUIRE_FALSE(data_error([&] { TableCache cache(path); }).empty());
  }
  Rng rng(5);
  for (int i = 0; i < 500; ++i) {
    test::spit(path, test::mutate(bytes, rng));
    data_error([&] { TableCache(path).rows(0, 20).head(20); });
  }
  CHECK(has(data_error([&] { TableCache cache(scratch / "none"); }), "none"));
  test::spit(path, "a,b\n1,2\n");
  CHECK(has(data_error([&] { TableCache cache(path); }), "is not a table cache"));
}
