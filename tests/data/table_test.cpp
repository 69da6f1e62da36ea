// tests/data/table_test.cpp: columns and tables as values.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/table.hpp>

#include <cmath>
#include <string>
#include <tuple>

using namespace synthdata;
using test::data_error, test::has;

namespace {

using Ints = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

Table people() {
  return Table({Column::integers("age", Ints{39, 50, 0, 28}, {false, false, true, false}),
                Column::reals("height", std::vector<double>{1.5, 1.75, 2.0, -1e-9}),
                Column::categorical("sex", Ints{0, 1, 0, 0}, {"male", "female"}, {false, false, false, true}),
                Column::texts("name", Names{"Ada", "Grüße", "", "x,\"y\""}),
                Column::booleans("member", {true, false, true, true}),
                Column::date_times("born", Ints{0, 86'400'000'000, -1'000'000, 5})});
}

}  // namespace

TEST_CASE("a table prints its head as an aligned text") {
  CHECK(people().head(3) ==
        "    age  height  sex          name   member   born\n"
        "integer    real  categorical  text   boolean  date-time\n"
        "     39     1.5  male         Ada    true     1970-01-01 00:00:00\n"
        "     50    1.75  female       Grüße  false    1970-01-02 00:00:00\n"
        "      -       2  male                true     1969-12-31 23:59:59\n"
        "... 4 rows in all\n");
  CHECK(Table().head() == "\n\n");
}

TEST_CASE("columns and rows are selected, replaced and removed without touching the table they come from") {
  const Table table = people();
  const Table two = table.select({"name", "age"});
  CHECK(two.columns().size() == 2);
  CHECK(two[0].name() == "name");
  CHECK(two == table.without({"height", "sex", "member", "born"}).select({"name", "age"}));
  CHECK(two["age"].parts().values.shares_elements(table["age"].parts().values));
  CHECK(table.with(Column::integers("age", Ints{1, 2, 3, 4}))["age"].integer(3) == 4);
  CHECK(table.with(table["age"].renamed("years")).columns().size() == 7);
  CHECK(table["age"].integer(3) == 28);

  const Table middle = table.rows(1, 3);
  CHECK(middle.size() == 2);
  CHECK(middle["name"].cell(0) == "Grüße");
  CHECK(middle["age"].is_missing(1));
  CHECK(middle["height"].parts().values.shares_elements(table["height"].parts().values));
  CHECK(table.take(Ints{1, 2}) == middle);
  CHECK(table.take(Ints{3, 3})["sex"].code(1) == -1);
  CHECK(table.rows(0, 0).append(table) == table);
  CHECK(table.rows(0, 1).append(table.rows(1, 4)) == table);

  CHECK_THROWS_AS(table.rows(2, 5), ShapeError);
  CHECK_THROWS_AS(table.take(Ints{4}), ShapeError);
  CHECK_THROWS_AS(table.take(Ints{-1}), ShapeError);
  CHECK(has(data_error([&] { table["Age"]; }), "no column is called \"Age\"; there are \"age\", \"height\""));
  CHECK(has(data_error([&] { table.append(two); }), "expects 6 columns, got 2"));
  CHECK(has(data_error([&] { table.with(Column::integers("n", Ints{1})); }), "has 1 rows"));
  CHECK(has(data_error([&] { Table({table[0], table[0]}); }), "two columns are called \"age\""));
}

TEST_CASE("appended columns join their categories, and keep spellings that differ") {
  const Column a = Column::categorical("c", Ints{0, 1}, {"x", "y"});
  const Column b = Column::categorical("c", Ints{0, 1, 0}, {"z", "x"}, {false, false, true});
  const Column joined = a.append(b);
  CHECK(joined.schema().categories == Names{"x", "y", "z"});
  Names cells;
  for (std::int64_t i = 0; i < joined.size(); ++i) cells.push_back(joined.cell(i));
  CHECK(cells == Names{"x", "y", "z", "x", ""});
  CHECK(joined.is_missing(4));

  const Column cents = Column::reals("p", std::vector<double>{1.5}).spelled({.type = ColumnType::real, .decimals = 2});
  const Column mixed = cents.append(Column::reals("p", std::vector<double>{1.5}));
  CHECK(mixed.schema().as_written);
  CHECK(mixed.cell(0) == "1.50");
  CHECK(mixed.cell(1) == "1.5");
  CHECK(mixed.real(0) == mixed.real(1));
  CHECK(has(data_error([&] { a.append(cents); }), "expects column \"c\" of type categorical, got \"p\" of type real"));
}

TEST_CASE("codes of categories take 8, 16 or 32 bits, as few as do") {
  const auto width = [](std::size_t categories) {
    Names names;
    for (std::size_t i = 0; i < categories; ++i) names.push_back("c" + std::to_string(i));
    const auto last = static_cast<std::int64_t>(categories) - 1;
    const Column column = Column::categorical("c", Ints{0, last}, names);
    CHECK(column.code(1) == last);
    CHECK(column.cell(1) == names.back());
    CHECK(column.take(Ints{1, 0}).code(0) == last);
    CHECK(column.rows(1, 2).code(0) == last);
    return column.parts().values.size_bytes() / 2;
  };
  CHECK(width(1) == 1);
  CHECK(width(256) == 1);
  CHECK(width(257) == 2);
  CHECK(width(65536) == 2);
  CHECK(width(65537) == 4);
  CHECK(has(data_error([] { Column::categorical("c", Ints{2}, {"x", "y"}); }), "code 2 of row 0 in a column of 2"));
}

TEST_CASE("numeric columns become a tensor and come back") {
  const Table table = people();
  const Names names = {"age", "height", "sex", "member"};
  const Tensor tensor = table.to_tensor(names);
  CHECK(tensor.shape() == Shape{4, 4});
  CHECK(tensor.dtype() == DType::f32);
  const float* x = tensor.data<float>();
  CHECK(x[4] == 50.0f);
  CHECK(x[5] == 1.75f);
  CHECK(x[6] == 1.0f);
  CHECK(x[7] == 0.0f);
  CHECK(std::isnan(x[8]));   // the missing age
  CHECK(std::isnan(x[14]));  // the missing sex

  const Table back = Table::from_tensor(table.to_tensor(names, DType::f64), names);
  CHECK(back["age"].type() == ColumnType::real);
  CHECK(back["age"].is_missing(2));
  CHECK(back["height"] == table["height"]);
  const Ints large = {std::int64_t{1} << 62, -3};
  const Table whole({Column::integers("n", large)});
  CHECK(Table::from_tensor(whole.to_tensor({}, DType::i64), Names{"n"}) == whole);
  CHECK(same_bits(whole["n"].to_tensor(DType::i64), Tensor::from(large)));

  CHECK_THROWS_AS(table.to_tensor(Names{"name"}), DTypeError);
  CHECK(has(data_error([&] { table.to_tensor(Names{"age"}, DType::i64); }), "has 1 missing values, and i64 has none"));
  CHECK_THROWS_AS(Table::from_tensor(tensor, Names{"a"}), ShapeError);
}

TEST_CASE("parts that make no column are refused") {
  CHECK(has(data_error([] { Column({.schema = {.type = ColumnType::integer}, .size = 2}); }), "expects 2 values"));
  CHECK_THROWS_AS(
      Column({.schema = {.type = ColumnType::integer}, .size = 2, .values = Tensor::zeros({2}, DType::f64)}),
      DTypeError);
  CHECK(has(data_error([] { Column({.size = 2}); }), "expects texts"));
  CHECK(has(data_error([] { Column::integers("a", Ints{1}, std::vector<bool>(20, true)); }), "marks of missing"));
  const Column real = Column::reals("r", std::vector<double>{1.0});
  CHECK_THROWS_AS(real.integer(0), DTypeError);
  CHECK_THROWS_AS(real.code(0), DTypeError);
  CHECK(has(data_error([&] { real.spelled({.type = ColumnType::text}); }), "expects a format for real, got text"));
}

TEST_CASE("categories that go on where others end keep their codes", "[table]") {
  const std::int64_t few[] = {1, 0, 0}, more[] = {2, 0, 1};
  const Column a = Column::categorical("c", few, {"x", "y"}, {false, false, true});
  const Column b = Column::categorical("c", more, {"x", "y", "z"}, {false, true, false});
  for (const auto& [first, second, cells] : {std::tuple{&a, &b, "y,x,,z,,y,"}, std::tuple{&b, &a, "z,,y,y,x,,"}}) {
    const Column joined = first->append(*second);
    CHECK(joined.schema().categories == std::vector<std::string>{"x", "y", "z"});
    std::string found;
    for (std::int64_t row = 0; row < joined.size(); ++row) found += joined.cell(row) + ',';
    CHECK(found == cells);
  }
  const Column other = Column::categorical("c", few, {"y", "w"});
  CHECK(a.append(other).schema().categories == std::vector<std::string>{"x", "y", "w"});
  CHECK(a.append(other).cell(3) == "w");
  CHECK(a.append(other).cell(4) == "y");
}
