// tests/data/table_encoder_test.cpp: tables to tensors and back.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/transform/table_encoder.hpp>
#include <synthdata/io/safetensors.hpp>

#include <cmath>

using namespace synthdata;
using namespace synthdata::transform;
using test::data_error, test::has;

namespace {

using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Names = std::vector<std::string>;

Table one(Column column) { return Table(std::vector<Column>{std::move(column)}); }

TableEncoder fit_all(const Table& table, const ColumnTransform& transform, EncoderOptions options = {}) {
  for (const Column& column : table.columns()) options.columns[column.name()] = {transform};
  return TableEncoder::fit(table, options);
}

std::vector<float> row(const Tensor& x, std::int64_t i) {
  const std::int64_t width = x.shape(1);
  return {x.data<float>() + i * width, x.data<float>() + (i + 1) * width};
}

double furthest(const Column& a, const Column& b) {
  double most = 0.0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    REQUIRE(a.is_missing(i) == b.is_missing(i));
    if (!a.is_missing(i)) most = std::fmax(most, std::fabs(a.number(i) - b.number(i)));
  }
  return most;
}

}  // namespace

TEST_CASE("each scalar transform is its formula, and its inverse") {
  const Table table = one(Column::reals("x", Reals{1, 2, 3, 6}));
  const auto encoded = [&](const ColumnTransform& t) { return fit_all(table, t).encode(table); };
  const float std = std::sqrt(14.0f / 4);  // of 1, 2, 3, 6 about 3
  const Tensor standard = encoded(Standardize{});
  for (std::size_t i = 0; i < 4; ++i) CHECK(standard.data<float>()[i] == Approx((Reals{1, 2, 3, 6}[i] - 3) / std));
  CHECK(encoded(MinMax{}).data<float>()[1] == Approx(-0.6));
  CHECK(encoded(MinMax{0, 1}).data<float>()[3] == 1.0f);
  CHECK(encoded(SignedLog{}).data<float>()[3] == Approx(std::log(7.0)));
  CHECK(encoded(SignedLog{3}).data<float>()[0] == Approx(std::log(4.0 / 3)));
  CHECK(encoded(SignedLog{} | MinMax{}).data<float>()[0] == -1.0f);
  CHECK(encoded(ColumnTransform()).data<float>()[3] == 6.0f);

  const Table wide = one(Column::reals("x", Reals{-1e6, -3.25, 0, 1e-3, 2, 5e5, 1e7}));
  for (const ColumnTransform& t :
       {ColumnTransform(Standardize{}), ColumnTransform(MinMax{}), ColumnTransform(SignedLog{}),
        SignedLog{} | Standardize{}, SignedLog{} | MinMax{}, ColumnTransform()}) {
    const TableEncoder encoder = fit_all(wide, t);
    INFO(t.str());
    CHECK(furthest(encoder.decode(encoder.encode(wide))[0], wide[0]) < 1e7 * 2e-6);  // f32 and an exponential of 16
    const EncodedBlock block = encoder.blocks()[0];
    const Tensor x = encoder.encode(wide);
    const auto [low, high] = std::minmax_element(x.data<float>(), x.data<float>() + 7);
    CHECK(block.low == Approx(*low));
    CHECK(block.high == Approx(*high));
  }
}

TEST_CASE("quantiles agree with scikit-learn's") {
  const Archive reference = load_safetensors(test::reference("transforms.safetensors"));
  const auto reals = [&](const char* name) { return Column::reals("x", reference.at(name).span<double>()); };
  const Table table = one(reals("quantile/x")), apply = one(reals("quantile/apply"));
  for (const bool normal : {false, true}) {
    const TableEncoder encoder = fit_all(table, Quantile{normal, 100});
    const Tensor x = encoder.encode(apply);
    const std::string name = normal ? "quantile/normal" : "quantile/uniform";
    for (std::int64_t i = 0; i < x.size(); ++i) {
      CHECK(x.data<float>()[i] == Approx(reference.at(name).data<double>()[i]).margin(1e-6));
    }
    const Column back = encoder.decode(x)[0];
    for (std::int64_t i = 0; i < x.size(); ++i) {  // rounded to one decimal, as the training values are
      CHECK(back.real(i) == Approx(reference.at(name + "_back").data<double>()[i]).margin(0.0500001));
    }
    CHECK(furthest(encoder.decode(encoder.encode(table))[0], table[0]) == 0.0);
  }
  CHECK(detail::normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-14));
  CHECK(detail::normal_quantile(1e-7) == Approx(-5.199337582192817).epsilon(1e-14));
  CHECK(detail::normal_quantile(1e-300) == Approx(-37.0471).epsilon(1e-5));
}

TEST_CASE("categories become one-hot, ordinal or stretches of frequency, and come back") {
  const Table table = one(Column::categorical("c", Ints{2, 0, 0, 2, 2, 1, 0, 2}, {"a", "b", "c", "never"},
                                              {false, false, false, false, false, false, true, false}));
  const TableEncoder one_hot = fit_all(table, OneHot{});
  CHECK(one_hot.width() == 5);
  CHECK(row(one_hot.encode(table), 0) == std::vector<float>{0, 0, 1, 0, 0});
  CHECK(row(one_hot.encode(table), 6) == std::vector<float>{0, 0, 0, 0, 1});
  CHECK(one_hot.blocks()[0] == EncodedBlock{"c", 0, 5, BlockKind::one_hot, 0.0, 1.0});
  const TableEncoder ordinal = fit_all(table, Ordinal{});
  CHECK(row(ordinal.encode(table), 5) == std::vector<float>{1});
  CHECK(ordinal.blocks()[0] == EncodedBlock{"c", 0, 1, BlockKind::code, 0.0, 4.0});
  const TableEncoder frequency = fit_all(table, Frequency{});
  // c 4, a 2, then b, missing 1 each, and 1 in place of 0 for "never": 9 in all
  CHECK(row(frequency.encode(table), 0)[0] == Approx(2.0 / 9));
  CHECK(row(frequency.encode(table), 1)[0] == Approx(5.0 / 9));
  for (const TableEncoder* encoder : {&one_hot, &ordinal, &frequency}) {
    CHECK(encoder->decode(encoder->encode(table)) == table);
  }

  // what a generator gives: the largest
  CHECK(one_hot.decode(Tensor::from(std::vector<float>{0.1f, 0.5f, 0.2f, 0, 0.2f}, {1, 5}))[0].cell(0) == "b");

  const TableEncoder merged = fit_all(table, OneHot{1});
  CHECK(merged.width() == 3);
  CHECK(row(merged.encode(table), 1) == std::vector<float>{0, 1, 0});
  CHECK(has(merged.str(), "3 rare values merged: 37.5 % of rows"));
  const Tensor others = Tensor::from(std::vector<float>{0, 1, 0}, {1, 3});
  CHECK(merged.decode(others)[0].cell(0) == "a");
  Rng rng{4};
  int b = 0;
  for (int i = 0; i < 300; ++i) b += merged.decode(others, rng)[0].cell(0) == "b";
  CHECK(b > 60);  // a third, 5 sigma
  CHECK(b < 141);
  CHECK(fit_all(table, Ordinal{0, 0.2}).transform("c").find<Ordinal>()->levels().rare_size() == 2);
}

TEST_CASE("encoded rows are decoded where they are made, for any number of threads") {
  Ints codes;
  std::vector<double> numbers;
  for (int i = 0; i < 1300; ++i) {
    codes.push_back(i * i % 7 % 3);
    numbers.push_back(0.5 * (i % 11));
  }
  const Table table{{Column::categorical("c", codes, {"a", "b", "c"}), Column::reals("x", numbers)}};
  const TableEncoder encoder = TableEncoder::fit(table, {.categories = OneHot{1}});
  const Tensor rows = encoder.encode(table);
  Rng whole{4};
  const Table expected = encoder.decode(rows, whole);
  for (const int count : {1, 2, 4}) {
    set_threads(count);
    Rng rng{4};
    const Table made = encoder.decode(
        rows.shape(0), [&](std::int64_t begin, std::int64_t end) { return rows.rows(begin, end); }, rng);
    CHECK(made == expected);
  }
  set_threads(0);
  Rng rng{4};
  CHECK(encoder
            .decode(
                0, [&](std::int64_t, std::int64_t) { return Tensor(); }, rng)
            .size() == 0);
  CHECK_THROWS_AS(encoder.decode(
                      600, [&](std::int64_t begin, std::int64_t) { return rows.rows(begin, begin + 7); }, rng),
                  ShapeError);
  CHECK_THROWS_AS(encoder.decode(
                      600, [&](std::int64_t, std::int64_t) { return Tensor(); }, rng),
                  ShapeError);
  // The row that is named is that of the table.
  const auto broken = [&](std::int64_t begin, std::int64_t end) {
    Tensor piece = rows.rows(begin, end).clone();
    if (begin == 512) piece.data<float>()[5 * rows.shape(1)] = std::nanf("");
    return piece;
  };
  try {
    encoder.decode(1300, broken, rng);
    FAIL("expected an error");
  } catch (const NumericError& e) {
    CHECK(has(e.what(), "column \"c\", row 517: a number is not finite"));
  }
}

TEST_CASE("another table's categories are found by their text; unknown ones are refused or taken as missing") {
  const Table table = one(Column::categorical("c", Ints{0, 1, 0}, {"x", "y"}, {false, false, true}));
  const Table other = one(Column::categorical("c", Ints{0, 1, 2}, {"z", "y", "x"}));
  const TableEncoder strict = TableEncoder::fit(table);
  CHECK(strict.encode(other.rows(1, 3)).shape() == Shape{2, 3});
  CHECK(strict.decode(strict.encode(other.rows(1, 3)))[0].cell(0) == "y");
  CHECK(has(data_error([&] { strict.encode(other); }), "column \"c\": row 0: the category \"z\" is not among"));
  EncoderOptions lenient;
  lenient.unknown = UnknownRule::missing;
  const TableEncoder encoder = TableEncoder::fit(table, lenient);
  CHECK(encoder.decode(encoder.encode(other))[0].is_missing(0));
  const TableEncoder none = TableEncoder::fit(table.rows(0, 2), lenient);
  CHECK(has(data_error([&] { none.encode(other); }), "a missing value, but training has none"));
  CHECK(
      has(data_error([&] { strict.encode(one(Column::integers("c", Ints{1}))); }), "expects categorical, got integer"));
  CHECK(has(data_error([&] { strict.encode(one(Column::integers("d", Ints{1}))); }), "has none of this name"));
  const TableEncoder whole = fit_all(one(Column::integers("n", Ints{7, 9})), OneHot{});
  CHECK(has(data_error([&] { whole.encode(one(Column::integers("n", Ints{7, 8}))); }), "row 1: the value \"8\""));
}

TEST_CASE("missing numbers have a flag, or are filled, or refused") {
  const Table table = one(Column::integers("n", Ints{10, 20, 0, 70, 30}, {false, false, true, false, false}));
  EncoderOptions options;
  options.columns["n"] = {MinMax{}};
  const TableEncoder marks = TableEncoder::fit(table, options);
  CHECK(marks.width() == 2);
  CHECK(marks.blocks()[1] == EncodedBlock{"n", 1, 1, BlockKind::flag, 0.0, 1.0});
  CHECK(row(marks.encode(table), 2)[1] == 1.0f);
  CHECK(marks.decode(marks.encode(table)) == table);
  options.columns["n"].missing = MissingRule::fill;
  const TableEncoder fills = TableEncoder::fit(table, options);
  CHECK(fills.width() == 1);
  CHECK(fills.decode(fills.encode(table))[0].integer(2) == 20);  // the lower median of 10, 20, 30, 70
  options.columns["n"].missing = MissingRule::refuse;
  CHECK(has(data_error([&] { TableEncoder::fit(table, options); }), "column \"n\": 1 missing values"));
  const TableEncoder clean = TableEncoder::fit(table.rows(0, 2), options);
  CHECK(has(data_error([&] { clean.encode(table); }), "row 2: a missing value"));
  const Table nothing = one(Column::reals("n", Reals{0, 0}, {true, true}));
  const TableEncoder empty = TableEncoder::fit(nothing);
  CHECK(empty.decode(empty.encode(nothing)) == nothing);
}

TEST_CASE("integers come back exactly, in range; decimals and units of time as the schema has them") {
  Ints whole;
  for (std::int64_t i = 0; i < 3000; ++i) whole.push_back((i * 7919) % 5000 - 2500);
  whole.push_back(8'000'000);  // the range is below 2^24
  const Table integers = one(Column::integers("n", whole));
  const TableEncoder encoder = fit_all(integers, MinMax{});
  CHECK(encoder.decode(encoder.encode(integers)) == integers);
  const Tensor beyond = Tensor::from(std::vector<float>{-1.5f, 1.5f}, {2, 1});
  CHECK(encoder.decode(beyond)[0].integer(0) == -2500);
  CHECK(encoder.decode(beyond)[0].integer(1) == 8'000'000);

  const Table money = parse_csv("price,day\n1.50,31.12.1999\n2.25,01.03.2000\n1000.00,29.02.2024\n");
  CHECK(money["day"].type() == ColumnType::date_time);
  const TableEncoder both = fit_all(money, MinMax{});
  CHECK(format_csv(both.decode(both.encode(money))) ==
        "price,day\n1.50,31.12.1999\n2.25,01.03.2000\n1000.00,29.02.2024\n");
  const Table between = both.decode(Tensor::from(std::vector<float>{0.12345f, 0.4567f}, {1, 2}));
  CHECK(between["price"].cell(0).size() == 6);  // "562.39"
  CHECK(between["day"].integer(0) % 86'400'000'000 == 0);
}

TEST_CASE("date-times as parts come back, cyclic or not, in their zone") {
  const std::string text =
      "at\n1999-12-31T23:59:59.250+05:30\n2000-02-29T00:00:00.000+05:30\n2024-07-15T12:34:56.789+05:30\n"
      "1969-01-01T05:06:07.001+05:30\n";
  const Table table = parse_csv(text);
  REQUIRE(table["at"].type() == ColumnType::date_time);
  for (const bool cyclic : {false, true}) {
    const TableEncoder encoder = fit_all(table, DateParts{cyclic});
    CHECK(encoder.width() == (cyclic ? 11 : 6));
    CHECK(format_csv(encoder.decode(encoder.encode(table))) == text);
    for (const float x : encoder.encode(table).span<float>()) CHECK(std::fabs(x) <= 1.0f);
  }
  const TableEncoder weekday = fit_all(table, DateParts{false, "yw"});
  CHECK(row(weekday.encode(table), 0)[1] == Approx(4.0 / 6 * 2 - 1));  // the last day of 1999 was a Friday
  CHECK(has(data_error([&] { weekday.decode(weekday.encode(table)); }), "do not determine"));
  CHECK_THROWS_AS(DateParts(false, "yx"), DataError);
  // the 31st of February
  const Table days = parse_csv("d\n2023-01-31\n2023-02-28\n");
  const TableEncoder parts = fit_all(days, DateParts{});
  Tensor x = parts.encode(days);
  x.data<float>()[1] = x.data<float>()[4];
  CHECK(parts.decode(x)[0].cell(0) == "2023-02-28");
  CHECK(has(data_error([&] { fit_all(one(Column::integers("n", Ints{1})), DateParts{}); }),
            "expects date-times, got integer"));
}

TEST_CASE("modes find the humps of a column; drawn modes follow their responsibilities for any number of threads") {
  Rng rng{9};
  Reals values;
  for (int i = 0; i < 10000; ++i) values.push_back(i % 4 == 0 ? 100 + rng.normal() : 3 * rng.normal());
  const Table table = one(Column::reals("x", values));
  const TableEncoder encoder = TableEncoder::fit(table);
  const auto* modes = encoder.transform("x").find<Modes>();
  REQUIRE(modes != nullptr);
  CHECK(modes->count() >= 2);
  CHECK(modes->count() <= 10);
  CHECK(encoder.width() == 1 + modes->count());
  const Tensor likeliest = encoder.encode(table);
  double worst = 0.0;
  const Column back = encoder.decode(likeliest)[0];
  for (std::int64_t i = 0; i < back.size(); ++i) {
    CHECK(std::fabs(row(likeliest, i)[0]) <= 0.99f);
    if (std::fabs(row(likeliest, i)[0]) < 0.99f) {
      worst = std::fmax(worst, std::fabs(back.real(i) - values[static_cast<std::size_t>(i)]));
    }
  }
  CHECK(worst < 1e-5);  // 4 std of some 3 in f32

  std::vector<Tensor> drawn;
  for (const int count : {1, 2, 5}) {
    set_threads(count);
    Rng same{3};
    drawn.push_back(encoder.encode(table, same));
    CHECK(same_bits(TableEncoder::fit(table).encode(table), likeliest));
  }
  set_threads(0);
  CHECK(same_bits(drawn[0], drawn[1]));
  CHECK(same_bits(drawn[0], drawn[2]));
  CHECK_FALSE(same_bits(drawn[0], likeliest));
  CHECK_FALSE(same_bits(drawn[0], encoder.encode(table, rng)));

  // one wide and one narrow hump at the same place: a value in the middle is drawn from both, at the ratio of densities
  Reals nested;
  for (int i = 0; i < 20000; ++i) nested.push_back((i % 2 ? 10.0 : 1.0) * rng.normal());
  const Table zeros = one(Column::reals("x", Reals(4000, 0.0)));
  EncoderOptions options;
  options.columns["x"] = {Modes{2}};
  const TableEncoder two = TableEncoder::fit(one(Column::reals("x", nested)), options);
  const auto* pair = two.transform("x").find<Modes>();
  REQUIRE(pair->count() == 2);
  const std::int64_t narrow = pair->stds().data<double>()[1] < pair->stds().data<double>()[0];
  const Tensor x = two.encode(zeros, rng);
  double share = 0.0;
  for (std::int64_t i = 0; i < 4000; ++i) share += double{row(x, i)[static_cast<std::size_t>(1 + narrow)]} / 4000;
  const double density = pair->stds().data<double>()[narrow] / pair->stds().data<double>()[1 - narrow];
  CHECK(share == Approx(1 / (1 + density)).margin(0.05));
}

TEST_CASE("constants, single rows and empty tables in an encoder") {
  const Table row_of_all({Column::integers("i", Ints{5}), Column::reals("r", Reals{1.5}),
                          Column::categorical("c", Ints{0}, {"x"}), Column::booleans("b", {true}),
                          Column::date_times("d", Ints{86'400'000'000}), Column::texts("t", Names{"a b"})});
  for (const ColumnTransform& t : {ColumnTransform(Modes{}), ColumnTransform(MinMax{}), ColumnTransform(Standardize{}),
                                   ColumnTransform(Quantile{}), SignedLog{} | Standardize{}}) {
    EncoderOptions options;
    options.numbers = options.date_times = t;
    options.few = 0;
    const TableEncoder encoder = TableEncoder::fit(row_of_all, options);
    CHECK(encoder.decode(encoder.encode(row_of_all)) == row_of_all.without({"t"}));
    CHECK(encoder.left_out() == Names{"t"});
    CHECK(has(encoder.str(), "not encoded"));
    CHECK(encoder.decode(encoder.encode(row_of_all.rows(0, 0))).size() == 0);
    CHECK(encoder.encode(row_of_all.take(Ints(9000, 0))).shape(0) == 9000);
  }
  CHECK(has(data_error([&] { TableEncoder::fit(row_of_all.rows(0, 0)); }), "at least one training row"));
  EncoderOptions options;
  options.columns["t"] = {OneHot{}};
  CHECK(has(data_error([&] { TableEncoder::fit(row_of_all, options); }), "text can only be left out, got one_hot"));
  options.columns = {{"nowhere", {OneHot{}}}};
  CHECK(has(data_error([&] { TableEncoder::fit(row_of_all, options); }), "column \"nowhere\""));
  CHECK(has(data_error([&] {
              TableEncoder::fit(one(Column::reals("r", Reals{1, INFINITY})));
            }),
            "column \"r\": expects finite numbers, row 1 is"));
  const TableEncoder good = TableEncoder::fit(one(Column::reals("r", Reals{1, 2})));
  CHECK(has(data_error([&] {
              good.encode(one(Column::reals("r", Reals{1, NAN})));
            }),
            "row 1: expects a finite number"));
  CHECK_THROWS_AS(good.decode(Tensor::zeros({1, 99})), ShapeError);
  CHECK_THROWS_AS(good.decode(Tensor::full({1, good.width()}, NAN)), NumericError);
  CHECK_THROWS_AS(OneHot{} | MinMax{}, DataError);
  CHECK_THROWS_AS(MinMax(2, 1), NumericError);
}

namespace {

/// A file of the data folder as a table, the first line of the small ones left out.
Table read_set(const std::string& file) {
  std::string text = test::slurp(data_dir() + "/" + file);
  if (file.starts_with("small/")) {
    text = text.substr(text.find('\n') + 1);
    return parse_csv(text, {.header = false});
  }
  return parse_csv(text);
}

}  // namespace

TEST_CASE("public tables come back: categories and integers exactly, reals within a stated share of their range") {
  for (const char* file : {"adult/adult.csv", "stock/stock_data.csv", "small/iris.csv", "small/wine_data.csv",
                           "small/breast_cancer.csv"}) {
    SYNTHDATA_NEED_DATA(file);
    const Table table = read_set(file);
    INFO(file);
    for (const ColumnTransform& numbers : {ColumnTransform(MinMax{}), ColumnTransform(Quantile{}),
                                           SignedLog{} | Standardize{}, ColumnTransform(Modes{})}) {
      INFO(numbers.str());
      EncoderOptions options;
      options.numbers = numbers;
      const TableEncoder encoder = TableEncoder::fit(table, options);
      const Tensor x = encoder.encode(table);
      const Table back = encoder.decode(x);
      REQUIRE(back.columns().size() == table.columns().size());
      for (const Column& column : table.columns()) {
        INFO(column.name());
        const Column& same = back[column.name()];
        CHECK(same.schema() == encoder.schema()[column.name()]);
        const auto* modes = encoder.transform(column.name()).find<Modes>();
        double range = 0.0, low = 1e300, high = -1e300;
        for (std::int64_t i = 0; i < column.size(); ++i) {
          if (column.is_missing(i)) continue;
          low = std::fmin(low, column.number(i));
          high = std::fmax(high, column.number(i));
        }
        range = high - low;
        std::int64_t cut = 0;
        double worst = 0.0;
        const EncodedBlock block = encoder.blocks(column.name())[0];
        for (std::int64_t i = 0; i < column.size(); ++i) {
          REQUIRE(column.is_missing(i) == same.is_missing(i));
          if (column.is_missing(i)) continue;
          if (modes && std::fabs(x.data<float>()[i * encoder.width() + block.begin]) >= 0.99f) {
            ++cut;
          } else {
            worst = std::fmax(worst, std::fabs(column.number(i) - same.number(i)));
          }
        }
        const bool number = encoder.transform(column.name()).str() == numbers.str();
        const bool exact = column.type() != ColumnType::real && range < 1 << 24 &&
                           (!number || numbers.str() == "min_max" || (modes && range < 1 << 20));
        // f32 carries a share of 6e-8; between two of 1000 quantiles it may span 1000 times that, an exponential less
        CHECK(worst <= (exact ? 0.0 : range * 6e-5));
        CHECK(cut <= column.size() / 50);
      }
    }
  }
}

TEST_CASE("an encoder is saved and loaded; hostile archives are refused") {
  const Table table(
      {Column::integers("i", Ints{5, 7, 0, 900, 12, 13, 14, 15, 16, 17, 18, 19},
                        {false, false, true, false, false, false, false, false, false, false, false, false}),
       Column::reals("r", Reals{1.5, 2, 2.5, 3, 1, 2, 3, 4, 5, 6, 7, 8}),
       Column::reals("q", Reals{1.5, 2, 2.5, 3, 1, 2, 3, 4, 5, 6, 7, 8}),
       Column::reals("l", Reals{1.5, 2, 2.5, 3, 1, 2, 3, 4, 5, 6, 7, 8}),
       Column::categorical("c", Ints{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, {"x", "y", "z"}),
       Column::categorical("f", Ints{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, {"x", "y", "z"}),
       Column::categorical("o", Ints{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, {"x", "y", "z"}),
       Column::date_times("d", Ints(12, 86'400'000'000)), Column::texts("t", Names(12, "a b"))});
  EncoderOptions options;
  options.columns["r"] = {MinMax{}};
  options.columns["q"] = {Quantile{true}};
  options.columns["l"] = {SignedLog{} | Standardize{}};
  options.columns["f"] = {Frequency{2}};
  options.columns["o"] = {Ordinal{}};
  options.columns["d"] = {DateParts{true}};
  const TableEncoder encoder = TableEncoder::fit(table, options);
  Archive archive;
  encoder.save(archive, "table");
  const test::Scratch scratch;
  save_safetensors(scratch / "encoder.safetensors", archive);
  const TableEncoder loaded = TableEncoder::load(load_safetensors(scratch / "encoder.safetensors"), "table");
  CHECK(loaded.str() == encoder.str());
  CHECK(loaded.blocks() == encoder.blocks());
  CHECK(loaded.schema() == encoder.schema());
  Rng a{1}, b{1};
  const Tensor x = encoder.encode(table, a);
  CHECK(same_bits(loaded.encode(table, b), x));
  CHECK(loaded.decode(x, a) == encoder.decode(x, b));

  CHECK(has(data_error([&] { TableEncoder::load(archive, "other"); }), "other"));
  const auto survives = [&](const Archive& hostile) {  // an error of ours, or an encoder that works
    try {
      const TableEncoder read = TableEncoder::load(hostile, "table");
      const Table back = read.decode(Tensor::full({3, read.width()}, 0.25));
      read.str();
      return back.size() == 3;
    } catch (const Error&) {
      return true;
    }
  };
  for (std::size_t i = 0; i < archive.tensors.size(); ++i) {
    const Tensor kept = archive.tensors[i].tensor;
    for (const Tensor& bad : {Tensor::zeros({0}, DType::f64), Tensor::zeros(kept.shape(), DType::u8),
                              Tensor::full(kept.shape(), -7, kept.dtype()),
                              Tensor::full(kept.shape(), 1e308, kept.dtype()), Tensor::zeros({2, 2}, kept.dtype())}) {
      Archive hostile = archive;
      hostile.tensors[i].tensor = bad;
      CHECK(survives(hostile));
    }
    Archive without = archive;
    without.tensors.erase(without.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_THROWS_AS(TableEncoder::load(without, "table"), DataError);
  }
  const std::string text = archive.metadata["table"];
  Rng rng{2};
  for (int i = 0; i < 3000; ++i) {
    Archive hostile = archive;
    std::string& changed = hostile.metadata["table"];
    const auto at = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(text.size())));
    if (i % 3 == 0) changed.erase(at, static_cast<std::size_t>(rng.below(12)) + 1);
    if (i % 3 == 1) changed[at] = static_cast<char>('0' + rng.below(10));
    if (i % 3 == 2) changed.insert(at, "9999");
    CHECK(survives(hostile));
  }
}
