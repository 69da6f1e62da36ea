// tests/data/table_batches_test.cpp: rows as samples; batches of a stream: each row once, resumed exactly, by rank.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/loader.hpp>
#include <synthdata/data/table_batches.hpp>

#include <algorithm>

using namespace synthdata;

namespace {

/// Rows 0 ... rows - 1 of columns "x" (the row), "y" (row / 2) and "class" (row mod 3), in pieces of uneven length.
class Counting {
 public:
  explicit Counting(std::int64_t rows, std::int64_t piece = 7, std::int64_t* reads = nullptr)
      : rows_(rows), piece_(piece), reads_(reads) {}
  static Table make(std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> x, of_class;
    std::vector<double> y;
    for (std::int64_t i = begin; i < end; ++i) {
      x.push_back(i);
      y.push_back(0.5 * static_cast<double>(i));
      of_class.push_back(i % 3);
    }
    return Table(
        {Column::integers("x", x), Column::reals("y", y), Column::categorical("class", of_class, {"a", "b", "c"})});
  }
  std::optional<Table> next() {
    if (reads_) ++*reads_;
    if (at_ == rows_) return {};
    const std::int64_t begin = at_;
    at_ = std::min(rows_, at_ + piece_ + at_ % 5);
    return make(begin, at_);
  }
  const Schema& schema() const {
    static const Schema schema = make(0, 0).schema();
    return schema;
  }

 private:
  std::int64_t rows_, piece_, at_ = 0;
  std::int64_t* reads_;
};

static_assert(BatchSource<TableBatches>);
static_assert(TableReader<Counting>);

TableBatches counting(std::int64_t rows, const TableBatchesOptions& options, std::int64_t piece = 7) {
  return TableBatches([=] { return Counting(rows, piece); }, {.label = "class"}, options);
}
std::vector<std::int64_t> rows_of(const Batch& batch) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < batch.data.shape(0); ++i) {
    const float* row = batch.data.data<float>() + 2 * i;
    rows.push_back(static_cast<std::int64_t>(row[0]));
    CHECK(row[1] == 0.5f * row[0]);
    CHECK(batch.labels.data<std::int64_t>()[i] == rows.back() % 3);
  }
  return rows;
}
template <class Source>
std::vector<std::int64_t> rows_of(Source& source, int batches) {
  std::vector<std::int64_t> rows;
  for (int i = 0; i < batches; ++i) {
    const auto some = rows_of(source.next());
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}
std::vector<std::int64_t> sorted(std::vector<std::int64_t> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}
std::vector<std::int64_t> up_to(std::int64_t count) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(i);
  return rows;
}

}  // namespace

TEST_CASE("encode_rows takes columns and labels, and names what it cannot") {
  const Table table = Counting::make(0, 4);
  const Batch all = encode_rows(table, {.label = "class"});
  CHECK(all.data.shape() == Shape{4, 2});
  const Batch chosen = encode_rows(table, {.columns = {"class", "y"}});
  CHECK(chosen.data.data<float>()[2 * 2] == 2.0f);
  CHECK(chosen.data.data<float>()[2 * 2 + 1] == 1.0f);
  CHECK_FALSE(chosen.labels.defined());
  const auto encode = [](const Table& t) { return Tensor::ones({t.size(), 3, 2}); };
  CHECK(encode_rows(table, {.label = "class", .encode = encode}).data.shape() == Shape{4, 3, 2});
  const auto wrong = [](const Table& t) { return Tensor::ones({t.size() + 1}); };
  CHECK_THROWS_WITH(encode_rows(table, {.encode = wrong}), ContainsSubstring("[4, ...]"));
  const auto f64 = [](const Table& t) { return Tensor::ones({t.size()}, DType::f64); };
  CHECK_THROWS_AS(encode_rows(table, {.encode = f64}), DTypeError);

  const std::vector<double> y = {1.0, 0.0, 2.0};
  const std::vector<std::int64_t> labels = {1, 0, -2};
  const std::vector<std::string> texts = {"p", "q", "r"};
  const Table dirty({Column::reals("y", y, {false, true, false}), Column::integers("l", labels),
                     Column::integers("m", labels, {false, false, true}), Column::texts("t", texts)});
  CHECK_THROWS_WITH(encode_rows(dirty, {.columns = {"y"}}),
                    ContainsSubstring("column \"y\": the value of row 1 is missing"));
  CHECK_THROWS_WITH(encode_rows(dirty, {.label = "l", .columns = {"m"}}), ContainsSubstring("that of row 2 is -2"));
  CHECK_THROWS_WITH(encode_rows(dirty, {.label = "m"}), ContainsSubstring("the label of row 2 is missing"));
  CHECK_THROWS_AS(encode_rows(dirty, {.label = "t"}), DTypeError);
  CHECK_THROWS_AS(encode_rows(dirty, {.columns = {"t"}}), DTypeError);
  CHECK_THROWS_WITH(encode_rows(dirty, {.label = "none"}), ContainsSubstring("no column is called"));
}

TEST_CASE("table_dataset serves the rows of a table") {
  DataLoader loader{table_dataset(Counting::make(0, 10), {.label = "class"}), {.batch_size = 10, .seed = 1}};
  CHECK(sorted(rows_of(loader, 1)) == up_to(10));
}

TEST_CASE("TableBatches gives each row once an epoch, in a new order, whatever the pieces") {
  for (const std::int64_t shuffle_rows : {0, 1, 10, 64, 1000}) {
    const TableBatchesOptions options{.batch_size = 10, .shuffle_rows = shuffle_rows, .seed = 2, .drop_last = false};
    TableBatches batches = counting(103, options);
    const auto first = rows_of(batches, 11), second = rows_of(batches, 11);
    CHECK(sorted(first) == up_to(103));
    CHECK(sorted(second) == up_to(103));
    CHECK((first == second) == (shuffle_rows < 2));
    if (shuffle_rows == 0) CHECK(first == up_to(103));
    for (const std::int64_t piece : {1, 50, 200}) {
      TableBatches other = counting(103, options, piece);
      CHECK(rows_of(other, 11) == first);
    }
    for (std::size_t i = 0; i < first.size() && shuffle_rows > 0; ++i) {  // no row leaves its window
      CHECK(first[i] / shuffle_rows == static_cast<std::int64_t>(i) / shuffle_rows);
    }
  }
}

TEST_CASE("TableBatches leaves the last, smaller batch out or not") {
  TableBatches drop = counting(25, {.batch_size = 10, .shuffle_rows = 0});
  CHECK(rows_of(drop, 2) == up_to(20));
  CHECK(drop.state() == SourceState{0, 0, 20});
  CHECK(rows_of(drop.next())[0] == 0);
  CHECK(drop.state() == SourceState{0, 1, 10});
  TableBatches keep = counting(25, {.batch_size = 10, .shuffle_rows = 0, .drop_last = false});
  rows_of(keep, 2);
  CHECK(keep.next().data.shape() == Shape{5, 2});
  TableBatches small = counting(5, {.batch_size = 10});
  CHECK_THROWS_WITH(small.next(), ContainsSubstring("5 rows, one batch needs 10 (drop_last is set)"));
  TableBatches none = counting(0, {.batch_size = 1, .drop_last = false});
  CHECK_THROWS_WITH(none.next(), ContainsSubstring("0 rows"));
}

TEST_CASE("TableBatches resumes bit for bit from any place") {
  const TableBatchesOptions options{.batch_size = 8, .shuffle_rows = 30, .seed = 4, .drop_last = false};
  for (int stop = 0; stop < 30; ++stop) {
    TableBatches straight = counting(100, options);
    rows_of(straight, stop);
    const SourceState state = straight.state();
    const auto expected = rows_of(straight, 20);
    TableBatches resumed = counting(100, {.batch_size = 8, .shuffle_rows = 30, .seed = 77, .drop_last = false}, 13);
    rows_of(resumed, 3);
    resumed.restore(state);
    CHECK(resumed.state() == state);
    REQUIRE(rows_of(resumed, 20) == expected);
  }
  TableBatches beyond = counting(100, options);
  beyond.restore({.position = 130});
  CHECK_THROWS_WITH(beyond.next(), ContainsSubstring("position 130 does not exist, the stream ends after 100 rows"));
  beyond.restore({.position = 110});
  CHECK_THROWS_WITH(beyond.next(), ContainsSubstring("ends after 100 rows"));
  CHECK_THROWS_AS(beyond.restore({.epoch = -1}), DataError);
}

TEST_CASE("TableBatches of all ranks together give each row once") {
  for (const std::int64_t ranks : {2, 3, 7}) {
    std::vector<std::int64_t> all;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      TableBatches part =
          counting(100, {.batch_size = 4, .shuffle_rows = 16, .drop_last = false, .rank = rank, .ranks = ranks});
      const std::int64_t own = 100 / ranks;
      const auto rows = rows_of(part, static_cast<int>((own + 3) / 4));
      CHECK(static_cast<std::int64_t>(rows.size()) == own);
      for (const std::int64_t row : rows) CHECK(row % ranks == rank);
      CHECK(part.state() == SourceState{0, 0, own});
      all.insert(all.end(), rows.begin(), rows.end());
    }
    CHECK(sorted(all) == up_to(100 / ranks * ranks));
  }
  CHECK_THROWS_AS(counting(10, {.rank = 2, .ranks = 2}), DataError);
  CHECK_THROWS_AS(counting(10, {.batch_size = 0}), DataError);
  CHECK_THROWS_AS(counting(10, {.shuffle_rows = -1}), DataError);
}

TEST_CASE("map_tables changes and drops rows on the way") {
  const auto even = [](const Table& t) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < t.size(); ++i) {
      if (t["x"].integer(i) % 2 == 0) rows.push_back(i);
    }
    return t.without({"y"}).take(rows);
  };
  auto reader = map_tables(Counting(50), even);
  CHECK(reader.schema().find("y") == nullptr);
  const Table all = read_all(reader);
  REQUIRE(all.size() == 25);
  CHECK(all["x"].integer(24) == 48);
  TableBatches batches([=] { return map_tables(Counting(50), even); }, {.columns = {"x"}},
                       {.batch_size = 25, .shuffle_rows = 0});
  const Batch batch = batches.next();
  for (int i = 0; i < 25; ++i) CHECK(batch.data.data<float>()[i] == static_cast<float>(2 * i));
}

TEST_CASE("an error of the reader or the encoder comes out of next(), which can be called again") {
  bool broken = true;
  TableBatches batches(
      [&] {
        return map_tables(Counting(60), [&](Table t) {
          if (broken && t.size() > 0 && t["x"].integer(0) > 30) throw DataError("line 31 is broken");
          return t;
        });
      },
      {.label = "class"}, {.batch_size = 10, .shuffle_rows = 10});
  CHECK(sorted(rows_of(batches, 3)) == up_to(30));
  CHECK_THROWS_WITH(batches.next(), ContainsSubstring("line 31 is broken"));
  CHECK_THROWS_WITH(batches.next(), ContainsSubstring("line 31 is broken"));
  broken = false;
  CHECK(sorted(rows_of(batches.next()))[0] == 30);
}
