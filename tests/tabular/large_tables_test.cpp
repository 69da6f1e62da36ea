// tests/tabular/large_tables_test.cpp: tables that come as streams, columns of very many values, rows made in pieces.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"
#include "made_up.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/read.hpp>
#include <synthdata/tabular/sample_reader.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace synthdata;
using models::ColumnCodes, models::ColumnCodesFit, models::NumberCounts, models::SampleReader, models::TabularAr,
    models::TextCounts;
using test::data_error, test::has, test::made_up, test::share;

namespace {

models::TabularTraining short_training(std::int64_t epochs = 2) {
  return {.epochs = epochs, .batch_size = 64, .learning_rate = 2e-3, .seed = 3};
}

/// A table as a stream of pieces.
class Pieces {
 public:
  Pieces(Table table, std::int64_t rows) : table_(std::move(table)), schema_(table_.schema()), rows_(rows) {}
  std::optional<Table> next() {
    if (at_ == table_.size()) return {};
    const std::int64_t begin = at_;
    at_ = std::min(table_.size(), at_ + rows_);
    return table_.rows(begin, at_);
  }
  const Schema& schema() const { return schema_; }

 private:
  Table table_;
  Schema schema_;
  std::int64_t rows_, at_ = 0;
};

TableSource in_pieces(const Table& table, std::int64_t rows) {
  return [=] { return Pieces(table, rows); };
}

template <class Reader>
Table whole(Reader reader) {
  return read_all(reader);
}

}  // namespace

TEST_CASE("numbers are counted exactly up to a bound and evenly sampled beyond it", "[tabular]") {
  Rng rng{1};
  std::map<double, std::int64_t> expected;
  NumberCounts exact(1000), sampled(1000);
  for (int i = 0; i < 200000; ++i) {
    const auto value = static_cast<double>(rng.below(1000));
    ++expected[value];
    exact.add(value);
    sampled.add(i % 2 == 0 ? 0.5 : rng.normal());  // half of the rows are one number
  }
  CHECK(exact.exact());
  REQUIRE(exact.counts().size() == expected.size());
  for (const models::NumberCount& count : exact.counts()) CHECK(expected[count.value] == count.rows);

  CHECK(!sampled.exact());
  CHECK(sampled.counts().size() <= 1000);
  CHECK(sampled.counts().size() > 400);
  CHECK(sampled.highest() > 4.0);
  CHECK(sampled.lowest() < -4.0);
  double rows = 0.0, own = 0.0, below = 0.0;
  for (const models::NumberCount& count : sampled.counts()) {
    rows += static_cast<double>(count.rows);
    own += count.value == 0.5 ? static_cast<double>(count.rows) : 0.0;
    below += count.value < -0.5 ? static_cast<double>(count.rows) : 0.0;
  }
  CHECK(own / rows == Approx(0.5).margin(0.05));
  CHECK(below / (rows - own) == Approx(0.3085).margin(0.06));  // of a standard normal
}

TEST_CASE("texts are counted exactly up to a bound, and too low beyond it", "[tabular]") {
  TextCounts counts(100);
  std::map<std::string, std::int64_t> expected;
  Rng rng{2};
  const auto add = [&](const std::string& text) {
    counts.add(text);
    ++expected[text];
  };
  constexpr int rows = 20000;
  for (int i = 0; i < rows; ++i) {
    add(i % 3 == 0 ? "often" : i % 7 == 0 ? "at times" : concat("once ", i));
  }
  CHECK(!counts.exact());
  CHECK(counts.dropped() > 10000);
  std::map<std::string, std::int64_t> found;
  for (const auto& [text, count] : counts.take()) found[text] = count;
  CHECK(found.size() <= 100);
  for (const auto& [text, count] : found) CHECK(count <= expected[text]);
  for (const char* text : {"often", "at times"}) CHECK(found[text] >= expected[text] - 2 * rows / 100);

  TextCounts few(100);
  for (int i = 0; i < 1000; ++i) few.add(concat("c", i % 100), 2);
  CHECK(few.exact());
  for (const auto& [text, count] : few.take()) CHECK(count == 20);

  TextCounts wide(100);  // the bytes are bounded too
  for (int i = 0; i < 50; ++i) wide.add(std::string(1000, static_cast<char>('a' + i % 26)) + concat(i));
  CHECK(!wide.exact());
  CHECK(wide.take().size() <= 6);
  wide.add(std::string(10000, 'x'));
  CHECK(wide.take().empty());
}

TEST_CASE("the codes of a column do not depend on the pieces that it comes in", "[tabular]") {
  const Table table = made_up(30000);
  const models::ColumnCodesOptions options{.bins = 32, .max_numbers = 512, .max_texts = 256};
  for (const Column& column : table.columns()) {
    INFO(column.name());
    Archive once, often;
    ColumnCodes::fit(column, options).save(once, "c");
    ColumnCodesFit fit(column.schema(), options);
    for (std::int64_t at = 0; at < column.size(); at += 777)
      fit.add(column.rows(at, std::min(at + 777, column.size())));
    fit.finish().save(often, "c");
    CHECK(once.metadata == often.metadata);
    REQUIRE(once.tensors.size() == often.tensors.size());
    for (const NamedTensor& tensor : once.tensors) {
      const auto bytes = [](const Tensor& t) {
        return std::string_view(static_cast<const char*>(t.bytes()), static_cast<std::size_t>(t.size_bytes()));
      };
      CHECK(bytes(tensor.tensor) == bytes(often.at(tensor.name)));
    }
  }
  ColumnCodesFit fit(table["score"].schema());
  CHECK(has(data_error([&] { fit.add(table["group"]); }), "expects real"));
  CHECK(has(data_error([&] { fit.finish(); }), "no rows"));
}

TEST_CASE("numbers beyond the bound have ranges of even shares, and their true ends", "[tabular]") {
  Rng rng{3};
  std::vector<double> values(200000);
  for (double& value : values) value = rng.normal();
  const Column column = Column::reals("x", values);
  const ColumnCodes codes = ColumnCodes::fit(column, {.bins = 32, .max_numbers = 20000});
  std::vector<std::int64_t> rows(static_cast<std::size_t>(codes.total()), 0);
  for (const std::int64_t code : codes.encode(column)) ++rows[static_cast<std::size_t>(code)];
  CHECK(codes.total() >= 31);  // the last one takes what is left over
  // An eighth of the codes is kept for cuts at gaps, which the tails have.
  const auto uneven = std::count_if(rows.begin(), rows.end() - 1, [](std::int64_t count) {
    return static_cast<double>(count) != Approx(200000.0 / 28).epsilon(0.25);
  });
  CHECK(uneven <= 2 * 32 / 8);
  const double low = *std::min_element(values.begin(), values.end());
  CHECK(codes.share_between(0, low, low + 1e-9) > 0.0);
  CHECK(codes.share_between(0, -1e9, low - 1e-9) == 0.0);

  std::vector<std::int64_t> steps;  // the step between values is that of all, though some are not counted
  for (int i = 0; i < 100000; ++i) steps.push_back(7 + 12 * rng.below(90000));
  const Column whole = Column::integers("n", steps);
  const ColumnCodes grid = ColumnCodes::fit(whole, {.bins = 16, .max_numbers = 1000});
  const Column made = grid.decode(grid.encode(whole), Rng{4});
  for (std::int64_t row = 0; row < made.size(); row += 97) CHECK((made.integer(row) - 7) % 12 == 0);
}

TEST_CASE("a stream gives the model that its table gives, whatever the pieces and threads", "[tabular]") {
  const Table table = made_up(1500);
  const test::Scratch folder;
  models::TabularArOptions options;
  options.folder = folder.str();
  set_threads(1);
  const TabularAr from_table = TabularAr::fit(table, options, short_training());
  const Table expected = from_table.sample(300, {}, {.seed = 7});
  for (const std::int64_t rows : {std::int64_t{100}, std::int64_t{1499}, std::int64_t{5000}}) {
    set_threads(rows == 100 ? 3 : 1);
    const TabularAr from_stream = TabularAr::fit(in_pieces(table, rows), options, short_training());
    CHECK(from_stream.schema() == from_table.schema());
    CHECK(from_stream.sample(300, {}, {.seed = 7}) == expected);
  }
  set_threads(0);
  CHECK(folder.count() == 0);  // the codes are gone

  const std::string path = folder / "table.csv";
  write(path, table);
  const TabularAr from_file = TabularAr::fit(table_source(path, {}, 256), options, short_training());
  CHECK(from_file.sample(300, {}, {.seed = 7}) == expected);
}

TEST_CASE("streams that cannot be learnt are refused", "[tabular]") {
  const test::Scratch folder;
  models::TabularArOptions options;
  options.folder = folder.str();
  const Table table = made_up(200);
  CHECK(has(data_error([&] { TabularAr::fit(in_pieces(table.rows(0, 0), 10), options); }), "rows"));
  int opened = 0;
  const Table other = table.with(Column::categorical("group", std::vector<std::int64_t>(200, 0), {"violet"}));
  const TableSource turncoat = [&] { return Pieces(opened++ == 0 ? table : other, 50); };
  CHECK(has(data_error([&] { TabularAr::fit(turncoat, options, short_training()); }), "the same rows each time"));
  CHECK(folder.count() == 0);
  options.folder = folder / "file";
  test::spit(options.folder, "in the way");
  CHECK_THROWS_AS(TabularAr::fit(in_pieces(table, 50), options, short_training()), DataError);
  CHECK_THROWS_AS(ColumnCodesFit(table["score"].schema(), {.max_numbers = 3}), DataError);
}

TEST_CASE("rows made piece by piece are those made at once", "[tabular]") {
  const TabularAr model = TabularAr::fit(made_up(600), {.hidden = 8}, short_training(1));
  constexpr std::int64_t rows = 70000;  // more than a piece
  const Table at_once = model.sample(rows, {}, {.seed = 5});
  CHECK(whole(SampleReader(model, rows, {}, {.seed = 5})) == at_once);
  CHECK(whole(SampleReader(models::AnyTabularModel(model), rows, {}, {.seed = 5})) == at_once);
  std::set<std::string> ids;
  for (std::int64_t row = 0; row < rows; ++row) ids.insert(at_once["id"].cell(row));
  CHECK(ids.size() == rows);  // identifiers are different in all pieces

  const models::Conditions conditions{{"group", models::one_of({"red", "blue"})}, {"score", models::between(-2, 25)}};
  set_threads(3);
  const Table some = whole(SampleReader(model, 66000, conditions, {.seed = 6}));
  set_threads(1);
  CHECK(some == model.sample(66000, conditions, {.seed = 6}));
  set_threads(0);
  CHECK(share(some, [&](auto row) { return some["group"].cell(row) != "green"; }) == 1.0);

  CHECK(whole(SampleReader(model, 0)).size() == 0);
  CHECK_THROWS_AS(SampleReader(model, -1), DataError);
  const test::Scratch folder;
  AnyTableWriter file = open_writer(folder / "made.csv");
  SampleReader reader(model, 1000, {}, {.seed = 5});
  CHECK(copy_table(reader, file) == 1000);
  CHECK(read(folder / "made.csv").size() == 1000);
}

TEST_CASE("identifiers of a shape run out with an error, and not before", "[tabular]") {
  std::vector<std::string> keys;
  for (int i = 0; i < 10; ++i) keys.push_back(concat("K", i));
  Column texts = Column::texts("key", keys);
  ColumnParts parts = texts.parts();
  parts.schema.type = ColumnType::identifier;
  const Column column(std::move(parts));
  const ColumnCodes codes = ColumnCodes::fit(column);
  REQUIRE(codes.total() == 1);
  const Column all = codes.decode(std::vector<std::int64_t>(260, 0), Rng{1});  // A9: 26 letters, 10 digits
  std::set<std::string> made;
  for (std::int64_t row = 0; row < all.size(); ++row) made.insert(all.cell(row));
  CHECK(made.size() == 260);
  CHECK(has(data_error([&] { codes.decode(std::vector<std::int64_t>(261, 0), Rng{1}); }), "260 for 261 rows"));

  // In pieces as at once.
  ColumnCodes::Place place;
  Column first = codes.decode(std::vector<std::int64_t>(100, 0), Rng{1}, place);
  CHECK(first.append(codes.decode(std::vector<std::int64_t>(160, 0), Rng{1}, place)) == all);
  // Very long shapes vary everywhere.
  const Column longer = Column::texts("key", std::vector<std::string>(8, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
  ColumnParts long_parts = longer.parts();
  long_parts.schema.type = ColumnType::identifier;
  const ColumnCodes long_codes = ColumnCodes::fit(Column(std::move(long_parts)));
  const Column many = long_codes.decode(std::vector<std::int64_t>(500, 0), Rng{2});
  std::set<char> firsts;
  made.clear();
  for (std::int64_t row = 0; row < many.size(); ++row) firsts.insert(many.cell(row)[0]), made.insert(many.cell(row));
  CHECK(made.size() == 500);
  CHECK(firsts.size() == 26);
}

TEST_CASE("a column of 50,000 categories is learnt", "[tabular]") {
  // The category says which of two values the other column has; each has six rows, and 10,000 more have one.
  Rng rng{8};
  std::vector<std::int64_t> codes, other;
  std::vector<std::string> names;
  for (int c = 0; c < 60000; ++c) {
    names.push_back(concat("name ", c));
    for (int i = 0; i < (c < 50000 ? 2 : 1); ++i) {
      codes.push_back(c);
      other.push_back(c % 2);
    }
  }
  const std::vector<std::int64_t> order = rng.permutation(static_cast<std::int64_t>(codes.size()));
  const Table table = Table({Column::categorical("name", codes, names), Column::integers("odd", other)}).take(order);
  models::TabularArOptions options{.codes = {.rare_below = 2}, .hidden = 8};
  const test::Scratch folder;
  options.folder = folder.str();
  const TabularAr model = TabularAr::fit(in_pieces(table, 20000), options, short_training(1));
  const auto& cardinalities = model.columns()[0].cardinalities();
  REQUIRE(cardinalities.size() == 2);  // high and low: the net has 448 codes for 50,001
  CHECK(cardinalities[0] * cardinalities[1] >= 50001);
  CHECK(cardinalities[0] + cardinalities[1] < 450);
  const std::string path = folder / "model.safetensors";
  model.save(path);
  const Table made = TabularAr::load(path).sample(3000, {}, {.seed = 1});
  CHECK(made == model.sample(3000, {}, {.seed = 1}));
  std::set<std::string> kept(names.begin(), names.begin() + 50000), seen;
  for (std::int64_t row = 0; row < made.size(); ++row) seen.insert(made["name"].cell(row));
  for (const std::string& name : seen) REQUIRE(kept.count(name) == 1);  // what one row has is never made
  CHECK(seen.size() > 2500);
  const Table one = model.sample(20, {{"name", "name 77"}}, {.seed = 2});
  for (std::int64_t row = 0; row < 20; ++row) CHECK(one["name"].cell(row) == "name 77");
  CHECK_THROWS_AS(model.sample(1, {{"name", "name 55555"}}), DataError);

  const ColumnCodes none = ColumnCodes::fit(table["name"].rows(0, 100));  // no name has five rows: none is made
  CHECK(none.decode(std::vector<std::int64_t>(3, none.total() - 1), Rng{1}).missing_count() == 3);

  // With room for fewer, counts are too low rather than too high: no more are kept than have the rows.
  const ColumnCodes fewer = ColumnCodes::fit(table["name"], {.rare_below = 2, .max_texts = 1000});
  CHECK(fewer.total() < 1000);
  for (const std::string& name : fewer.schema().categories) REQUIRE(kept.count(name) == 1);
}
