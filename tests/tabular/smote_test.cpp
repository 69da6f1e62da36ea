// tests/tabular/smote_test.cpp: rows between rows, as a model.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"
#include "made_up.hpp"

#include <synthdata/tabular/smote.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;
using models::between, models::Smote;
using test::data_error, test::has, test::made_up, test::share;

namespace {

/// Points on two lines far apart, each with a category of its own; y is 2 x, and missing on half of the second line.
Table two_lines() {
  Rng rng{5};
  std::vector<double> x, y;
  std::vector<std::int64_t> line;
  std::vector<bool> missing;
  for (int i = 0; i < 400; ++i) {
    const bool second = i % 2 == 1;
    x.push_back((second ? 100.0 : 0.0) + static_cast<double>(rng.uniform()));
    y.push_back(2.0 * x.back());
    line.push_back(second);
    missing.push_back(second && i % 4 == 1);
  }
  return Table(std::vector{Column::reals("x", x), Column::reals("y", y, missing),
                           Column::categorical("line", line, {"first", "second"})});
}

}  // namespace

TEST_CASE("smote makes rows between neighbours", "[tabular][smote]") {
  const Table table = two_lines();
  const Smote model = Smote::fit(table, {.neighbours = 4});
  REQUIRE(model.neighbours().shape() == Shape{400, 4});
  for (std::int64_t row = 0; row < 400; ++row) {  // neighbours are on the same line and lack the same
    for (std::int64_t n = 0; n < 4; ++n) {
      CHECK(model.neighbours().data<std::int64_t>()[row * 4 + n] % 2 == row % 2);
      CHECK(table["y"].is_missing(model.neighbours().data<std::int64_t>()[row * 4 + n]) == table["y"].is_missing(row));
    }
  }
  const Table rows = model.sample(1000, {}, {.seed = 2});
  CHECK(rows.schema() == table.schema());
  std::int64_t missing = 0;
  for (std::int64_t row = 0; row < rows.size(); ++row) {
    const bool second = rows["line"].cell(row) == "second";
    const double x = rows["x"].real(row);
    CHECK((second ? x >= 100.0 && x <= 101.0 : x >= 0.0 && x <= 1.0));
    missing += rows["y"].is_missing(row);
    if (!rows["y"].is_missing(row)) CHECK(rows["y"].real(row) == Approx(2.0 * x));
  }
  CHECK(static_cast<double>(missing) == Approx(250.0).margin(50.0));
}

TEST_CASE("a value is missing where the base lacks it, and the base's where the neighbour does", "[tabular][smote]") {
  // Three rows, and all are neighbours.
  const std::vector<double> x{1.0, 2.0, 3.0}, y{10.0, 20.0, 0.0};
  const std::vector<bool> bits{true, true, false};
  const Table table(std::vector{Column::reals("x", x), Column::reals("y", y, {false, false, true}),
                                Column::booleans("b", bits, {false, true, true})});
  const Table rows = Smote::fit(table).sample(300, {}, {.seed = 3});
  for (std::int64_t row = 0; row < rows.size(); ++row) {
    if (!rows["y"].is_missing(row)) CHECK((rows["y"].real(row) >= 10.0 && rows["y"].real(row) <= 20.0));
  }
  CHECK(share(rows, [&](auto row) { return rows["y"].is_missing(row); }) == Approx(1.0 / 3.0).margin(0.08));
  // Row 0 has two neighbours without `b`; rows 1 and 2 have one with and one without: the nearer decides.
  CHECK(share(rows, [&](auto row) { return rows["b"].is_missing(row); }) > 0.3);
}

TEST_CASE("smote keeps formats and leaves texts out", "[tabular][smote]") {
  const Table rows = Smote::fit(made_up(600)).sample(300, {{"group", "blue"}, {"score", between(15, 25)}}, {.seed = 4});
  CHECK(rows.find("id") < 0);
  CHECK(rows["since"].cell(5).substr(0, 5) == "2020-");
  const std::string score = rows["score"].cell(7);
  CHECK(score.size() - score.find('.') == 3);  // two decimals
  CHECK(share(rows, [&](auto row) { return rows["group"].cell(row) == "blue"; }) == 1.0);
}

TEST_CASE("a saved smote makes the same rows, a damaged file is refused", "[tabular][smote]") {
  const test::Scratch folder;
  const std::string path = folder / "model.safetensors";
  const Smote model = Smote::fit(made_up(200));
  model.save(path);
  CHECK(Smote::load(path).sample(100, {}, {.seed = 3}) == model.sample(100, {}, {.seed = 3}));
  CHECK(Smote::load(path).rows() == model.rows());

  const Archive good = load_safetensors(path);
  const auto refused = [&](const std::string& name, const Tensor& with, const char* text) {
    Archive bad;
    bad.metadata = good.metadata;
    for (const NamedTensor& t : good.tensors) bad.add(t.name, t.name == name ? with : t.tensor);
    save_safetensors(path, bad);
    CHECK(has(data_error([&] { Smote::load(path); }), text));
  };
  refused("neighbours", Tensor::full({200, 5}, 200, DType::i64, Device::cpu()), "neighbour 200 of 200 rows");
  refused("neighbours", Tensor::full({200, 5}, -1, DType::i64, Device::cpu()), "neighbour -1");
  refused("neighbours", Tensor::zeros({200}, DType::i64, Device::cpu()), "expected");
  refused("neighbours", Tensor::zeros({100, 5}, DType::i64, Device::cpu()), "no model of Smote");
  refused("column.0", Tensor::full({200}, 77, DType::u8, Device::cpu()), "categories");
  refused("column.3", Tensor::zeros({200}, DType::f32, Device::cpu()), "expects");
  refused("column.2.missing", Tensor::zeros({3}, DType::u8, Device::cpu()), "marks");
}

TEST_CASE("smote learns odd tables or refuses them", "[tabular][smote]") {
  CHECK(has(data_error([] { Smote::fit(Table()); }), "two rows"));
  CHECK(has(data_error([] { Smote::fit(parse_csv("a,b\n1,x\n")); }), "two rows"));
  const double infinite[] = {1.0, std::numeric_limits<double>::infinity(), 2.0};
  CHECK(has(data_error([&] { Smote::fit(Table(std::vector{Column::reals("x", infinite)})); }), "row 1 is inf"));
  const std::vector<std::string> texts{"some words", "other words", "more of them"};
  CHECK(has(data_error([&] { Smote::fit(Table(std::vector{Column::texts("t", texts)})); }), "texts"));
  CHECK_THROWS_AS(Smote::fit(made_up(50), {.neighbours = 0}), DataError);
  const std::vector<double> none(4, 0.0);
  const std::vector<std::int64_t> same(4, 7);
  const Table constant(std::vector{Column::reals("x", none, std::vector<bool>(4, true)), Column::integers("n", same)});
  const Table rows = Smote::fit(constant).sample(6);
  CHECK(rows["x"].missing_count() == 6);
  CHECK(rows["n"].cell(5) == "7");
}
