// tests/tabular/gaussian_copula_test.cpp: the Gaussian copula against distributions whose correlations are known.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"
#include "made_up.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/statistics.hpp>
#include <synthdata/metrics/column_scores.hpp>
#include <synthdata/tabular/gaussian_copula.hpp>

#include <cmath>
#include <limits>

using namespace synthdata;
using models::between, models::GaussianCopula, models::one_of;
using test::data_error, test::has, test::made_up, test::share;

namespace {

/// Two normals of correlation r, as they are or cut at thresholds into category 0, 1, ...
Table pairs(std::int64_t rows, double r, std::uint64_t seed = 1) {
  Rng rng{seed};
  std::vector<double> x, y;
  std::vector<std::int64_t> low, three;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double a = rng.normal(), b = r * a + std::sqrt(1.0 - r * r) * rng.normal();
    x.push_back(std::exp(a));  // any rising function of a normal has the same copula
    y.push_back(b);
    low.push_back(a < 0.5 ? 0 : 1);                  // 0.69 and 0.31
    three.push_back(b < 0.2 ? 0 : b < 1.0 ? 1 : 2);  // 0.58, 0.26, 0.16
  }
  return Table(std::vector{Column::reals("x", x), Column::reals("y", y),
                           Column::categorical("low", low, {"many", "few"}),
                           Column::categorical("three", three, {"most", "some", "least"})});
}
std::vector<double> numbers(const Column& column) {
  std::vector<double> values;
  for (std::int64_t row = 0; row < column.size(); ++row) values.push_back(column.number(row));
  return values;
}
double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}
double deviation(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += (value - mean(values)) * (value - mean(values));
  return std::sqrt(sum / static_cast<double>(values.size()));
}
double at(const Tensor& matrix, std::int64_t i, std::int64_t j) {
  return matrix.data<double>()[i * matrix.shape(1) + j];
}

}  // namespace

TEST_CASE("the correlation of normals is found, cut into categories or not", "[tabular][copula]") {
  const double r = GENERATE(0.0, 0.5, -0.5, 0.8);
  const GaussianCopula model = GaussianCopula::fit(pairs(20000, r));
  REQUIRE(model.correlation().shape() == Shape{4, 4});
  for (const auto& [i, j] : {std::pair{0, 1}, std::pair{0, 3}, std::pair{1, 2}, std::pair{2, 3}}) {
    INFO(i << ", " << j);
    CHECK(at(model.correlation(), i, j) == Approx(r).margin(0.03));
  }
  CHECK(at(model.correlation(), 0, 2) > 0.97);  // `low` is x cut in two
  CHECK(at(model.correlation(), 1, 1) == 1.0);
}

TEST_CASE("rows of the copula have the columns' distributions and their dependence", "[tabular][copula]") {
  const Table real = pairs(20000, 0.7), rows = GaussianCopula::fit(real).sample(20000, {}, {.seed = 4});
  CHECK(rows.schema() == real.schema());
  for (const char* name : {"x", "y"}) CHECK(ks_complement(real[name], rows[name]) > 0.985);
  for (const char* name : {"low", "three"}) CHECK(tv_complement(real[name], rows[name]) > 0.985);
  const auto both = [](const Table& table) {
    return share(table,
                 [&](auto row) { return table["low"].cell(row) == "few" && table["three"].cell(row) == "least"; });
  };
  CHECK(both(rows) == Approx(both(real)).margin(0.01));
  std::vector<double> logs;
  for (const double x : numbers(rows["x"])) logs.push_back(std::log(x));
  CHECK(synthdata::detail::pearson(logs, numbers(rows["y"])) == Approx(0.7).margin(0.03));
  const auto [low, high] = std::minmax_element(real["x"].parts().values.span<double>().begin(),
                                               real["x"].parts().values.span<double>().end());
  for (const double x : numbers(rows["x"])) REQUIRE((x >= *low && x <= *high));
}

TEST_CASE("conditions of the copula are exact", "[tabular][copula]") {
  const GaussianCopula model = GaussianCopula::fit(pairs(40000, 0.8));
  // Given x = e^1, y is normal about 0.8 with deviation 0.6.
  const Table given = model.sample(4000, {{"x", std::exp(1.0)}}, {.seed = 2});
  CHECK(share(given, [&](auto row) { return given["x"].real(row) == std::exp(1.0); }) == 1.0);
  CHECK(mean(numbers(given["y"])) == Approx(0.8).margin(0.05));
  CHECK(deviation(numbers(given["y"])) == Approx(0.6).margin(0.04));
  // Given y < 0 ("most" lies below 0.2): the mean of a normal below t is -density(t) / P(below t).
  const Table below = model.sample(4000, {{"y", between(-10, 0)}}, {.seed = 3});
  for (const double y : numbers(below["y"])) REQUIRE(y <= 0.0);
  std::vector<double> logs;
  for (const double x : numbers(below["x"])) logs.push_back(std::log(x));
  CHECK(mean(logs) == Approx(-0.8 * 0.7978845608).margin(0.05));
  // Two conditions at once: rows are kept in proportion to what they allow. P(a >= 0.5 | b < 0.2), by counting.
  const Table fresh = pairs(200000, 0.8, 9);
  double most = 0.0, few = 0.0, positive = 0.0;
  for (std::int64_t row = 0; row < fresh.size(); ++row) {
    if (fresh["three"].code(row) != 0 || fresh["low"].code(row) != 1) continue;
    few += 1.0;
    positive += fresh["y"].real(row) > 0.0;
    most += fresh["x"].real(row);
  }
  const Table two = model.sample(4000, {{"low", "few"}, {"three", "most"}}, {.seed = 5});
  CHECK(share(two, [&](auto row) { return two["low"].cell(row) == "few" && two["three"].cell(row) == "most"; }) == 1.0);
  CHECK(mean(numbers(two["x"])) == Approx(most / few).margin(0.12));
  CHECK(share(two, [&](auto row) { return two["y"].real(row) > 0.0; }) == Approx(positive / few).margin(0.06));
  const Table some = model.sample(2000, {{"three", one_of({"some", "least"})}});
  CHECK(share(some, [&](auto row) { return some["three"].cell(row) == "least"; }) == Approx(0.377).margin(0.05));

  CHECK(has(data_error([&] { model.sample(1, {{"colour", "red"}}); }), "colour"));
  CHECK(has(data_error([&] { model.sample(1, {{"low", "none"}}); }), "no such value: \"none\""));
  CHECK(has(data_error([&] { model.sample(1, {{"low", 3}}); }), "it is categorical"));
  CHECK(has(data_error([&] { model.sample(1, {{"x", -5.0}}); }), "no such value"));
  CHECK(has(data_error([&] { model.sample(1, {{"x", 1.0}, {"x", 2.0}}); }), "two conditions"));
  CHECK(has(data_error([&] {
              model.sample(20, {{"y", between(-5, -3)}, {"low", "few"}}, {.rounds = 5});
            }),
            "rows meet all conditions"));
  CHECK_THROWS_AS(model.sample(-1), DataError);
}

TEST_CASE("numbers, dates, formats and gaps come out of the copula as they went in", "[tabular][copula]") {
  const Table table = made_up(3000);
  const GaussianCopula model = GaussianCopula::fit(table);
  const Table rows = model.sample(3000, {}, {.seed = 6});
  REQUIRE(rows.schema().columns.size() == 7);
  CHECK(rows["since"].cell(5).size() == 10);  // 2020-04-17
  CHECK(rows["since"].cell(5).substr(0, 5) == "2020-");
  const std::string score = rows["score"].cell(7);
  CHECK(score.size() - score.find('.') == 3);  // two decimals
  CHECK(rows["id"].cell(3).size() == 6);       // K00017 is a letter and five digits
  CHECK(share(rows, [&](auto row) { return rows["level"].is_missing(row); }) == Approx(0.2).margin(0.03));
  CHECK(share(rows, [&](auto row) {
          const std::string cell = rows["level"].cell(row);
          return cell.empty() || cell == "3" || cell == "5";
        }) == 1.0);
  // Whether `level` is there depends on nothing, and what it is on `flag`: gaps do not blur that.
  const Table present = model.sample(2000, {{"level", 3}}, {.seed = 7});
  CHECK(share(present, [&](auto row) { return present["level"].cell(row) == "3"; }) == 1.0);
  CHECK(share(present, [&](auto row) { return present["flag"].boolean(row); }) > 0.85);
  const Table whole = model.sample(500, {{"level", between(4, 9)}, {"group", "red"}, {"score", between(-1, 1)}});
  CHECK(share(whole, [&](auto row) {
          return whole["level"].cell(row) == "5" && whole["group"].cell(row) == "red" &&
                 std::abs(whole["score"].real(row)) <= 1.0;
        }) == 1.0);
}

TEST_CASE("log_prob of the copula is the density where it has one", "[tabular][copula]") {
  const double r = 0.6;
  const Table real = pairs(50000, r);
  const GaussianCopula model = GaussianCopula::fit(real.select({"x", "y"}));
  const Table some = pairs(2000, r, 8).select({"x", "y"});
  const Tensor found = model.log_prob(some);
  double sum = 0.0, truth = 0.0, count = 0.0;
  for (std::int64_t row = 0; row < some.size(); ++row) {
    const double a = std::log(some["x"].real(row)), b = some["y"].real(row);
    if (std::abs(a) > 2.5 || std::abs(b) > 2.5) continue;  // the tails of a histogram are coarse
    const double q = (a * a - 2.0 * r * a * b + b * b) / (1.0 - r * r);
    truth += -0.5 * q - std::log(2.0 * 3.141592653589793 * std::sqrt(1.0 - r * r)) - a;  // d log x / dx = 1 / x
    sum += found.data<double>()[row];
    count += 1.0;
  }
  CHECK(sum / count == Approx(truth / count).margin(0.03));
  const Table outside = Table(std::vector{Column::reals("x", std::vector{-3.0}), Column::reals("y", std::vector{0.0})});
  CHECK(std::isinf(model.log_prob(outside).data<double>()[0]));

  // One category beside them is a probability: those of its values add up to the density without it.
  const GaussianCopula with = GaussianCopula::fit(real.select({"x", "y", "three"}));
  std::vector<double> density(100, 0.0);
  for (const std::int64_t code : {0, 1, 2}) {
    const std::vector<std::int64_t> codes(100, code);
    const Table rows = some.rows(0, 100).with(Column::categorical("three", codes, {"most", "some", "least"}));
    const Tensor log_p = with.log_prob(rows);
    for (std::size_t i = 0; i < 100; ++i) density[i] += std::exp(log_p.data<double>()[i]);
  }
  const Tensor alone = model.log_prob(some.rows(0, 100));
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(std::log(density[i]) == Approx(alone.data<double>()[i]).margin(0.02));
  }
  CHECK(has(data_error([&] { GaussianCopula::fit(real).log_prob(real.rows(0, 5)); }), "\"low\" and \"three\""));
}

TEST_CASE("columns that say the same make no copula fail", "[tabular][copula]") {
  Table table = pairs(3000, 0.5);
  for (const char* name : {"x2", "x3"}) table = table.with(table["x"].renamed(name));
  const Table rows = GaussianCopula::fit(table).sample(1000);
  CHECK(synthdata::detail::pearson(numbers(rows["x2"]), numbers(rows["x3"])) > 0.99);
}

TEST_CASE("a saved copula makes the same rows, a damaged file is refused", "[tabular][copula]") {
  const test::Scratch folder;
  const std::string path = folder / "model.safetensors";
  const GaussianCopula model = GaussianCopula::fit(made_up(500));
  model.save(path);
  const GaussianCopula again = GaussianCopula::load(path);
  CHECK(again.sample(200, {{"group", "red"}}, {.seed = 3}) == model.sample(200, {{"group", "red"}}, {.seed = 3}));
  CHECK(again.schema() == model.schema());

  const Archive good = load_safetensors(path);
  const auto refused = [&](const std::function<void(Archive&)>& damage, const char* text) {
    Archive bad;
    bad.metadata = good.metadata;
    for (const NamedTensor& t : good.tensors) bad.add(t.name, t.tensor.clone());
    damage(bad);
    save_safetensors(path, bad);
    CHECK(has(data_error([&] { GaussianCopula::load(path); }), text));
  };
  const auto tensor = [](Archive& archive, const std::string& name) -> Tensor& {
    for (NamedTensor& t : archive.tensors) {
      if (t.name == name) return t.tensor;
    }
    throw Error("no tensor " + name);
  };
  refused([&](Archive& a) { a.metadata["format"] = "synthdata gaussian_copula 2"; }, "version 1");
  refused([&](Archive& a) { tensor(a, "correlation").data<double>()[1] = 0.5; }, "positive definite");
  refused([&](Archive& a) { tensor(a, "correlation").data<double>()[0] = 2.0; }, "positive definite");
  refused([&](Archive& a) { tensor(a, "correlation") = Tensor::zeros({2, 2}, DType::f64, Device::cpu()); }, "expected");
  refused([&](Archive& a) { tensor(a, "column.1.rows").data<double>()[0] = -1.0; }, "expects counts");
  refused([&](Archive& a) { tensor(a, "column.1.rows") = Tensor::zeros({1}, DType::f64, Device::cpu()); }, "expected");
  refused(
      [&](Archive& a) {
        for (double& n : tensor(a, "column.1.rows").span<double>()) n = 0.0;
      },
      "no rows");
  refused([&](Archive& a) { a.metadata["model"] = "{\"columns\": 90000}"; }, "column.7");
}

TEST_CASE("the copula learns odd tables or refuses them", "[tabular][copula]") {
  CHECK_THROWS_AS(GaussianCopula::fit(Table()), DataError);
  const double infinite[] = {1.0, std::numeric_limits<double>::infinity()};
  CHECK(has(data_error([&] { GaussianCopula::fit(Table(std::vector{Column::reals("x", infinite)})); }), "infinite"));
  const Table one = parse_csv("a,b,c\n1,x,2020-01-05\n");
  const Table same = GaussianCopula::fit(one).sample(3);
  CHECK(same["a"].cell(2) == "1");
  CHECK(same["c"].cell(2) == "2020-01-05");
  // A column without a value, beside others; all rows lack it.
  const std::vector<double> values{1.5, 2.5, 3.25, 1.5, 2.5, 3.25}, none(6, 0.0);
  const Table gaps(std::vector{Column::reals("x", values), Column::reals("y", none, std::vector<bool>(6, true))});
  const GaussianCopula model = GaussianCopula::fit(gaps);
  const Table rows = model.sample(5);
  CHECK(rows["y"].missing_count() == 5);
  CHECK(rows["x"].missing_count() == 0);
  CHECK(has(data_error([&] { model.sample(1, {{"y", 1.0}}); }), "no value of it"));
  // Categories that are all rare: none is written down.
  const std::vector<std::int64_t> codes{0, 1, 2};
  const Table rare(std::vector{Column::categorical("c", codes, {"a", "b", "c"})});
  CHECK(GaussianCopula::fit(rare).sample(4)["c"].missing_count() == 4);
}
