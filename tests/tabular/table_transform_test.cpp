// tests/tabular/table_transform_test.cpp: what of a table is learnt, and rows made from it that keep rules and
// conditions.
//
// Most of it needs no net: the "model" here draws each column by itself from the rows it was given, so that only what
// the transform does can keep columns together.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"
#include "made_up.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <set>

using namespace synthdata;
using models::between, models::ColumnUse, models::Conditions, models::one_of, models::Rules, models::TableTransform;
namespace rule = synthdata::models::rule;
using test::data_error, test::has, test::share;

namespace {

/// Draws columns independently of each other.
struct Independent {
  models::FittedTransform fitted;
  mutable std::int64_t made = 0;  // rows so far

  Independent(const Table& table, const Rules& rules, const models::ColumnsOptions& columns = {})
      : fitted(TableTransform::fit(table, rules, columns, 5)) {}

  Table sample(std::int64_t rows, const Conditions& conditions = {}, std::uint64_t seed = 1) const {
    return sample_by(fitted.transform, {{rows, conditions}}, seed);
  }
  Table sample_by(const TableTransform& transform, const std::vector<models::SamplePart>& parts,
                  std::uint64_t seed = 1) const {
    return transform.sample(parts, {.seed = seed}, fitted.table.schema(),
                            [&](std::int64_t n, const Conditions& given, const models::SampleOptions& options) {
                              return draw(n, given, options);
                            });
  }
  Table draw(std::int64_t n, const Conditions& given, const models::SampleOptions& options) const {
    const Table& learnt = fitted.table;
    return models::detail::sample_until(n, given, learnt.schema(), options.rounds,
                                        [&](std::int64_t count, std::int64_t round) {
                                          Rng rng = Rng{options.seed}.split(static_cast<std::uint64_t>(round));
                                          std::vector<Column> columns;
                                          for (const Column& column : learnt.columns()) {
                                            std::vector<std::int64_t> rows;
                                            for (std::int64_t i = 0; i < count; ++i)
                                              rows.push_back(rng.below(learnt.size()));
                                            columns.push_back(column.take(rows));
                                          }
                                          made += count;
                                          return Table(std::move(columns));
                                        });
  }
};

/// start <= middle < end; price <= list; a + b = total; city in country; many missing values.
Table orders(std::int64_t rows, bool with_missing = true) {
  Rng rng{3};
  std::string text = "id,start,end,price,list,a,b,total,city,country,zip,note\n";
  const char* places[][3] = {{"Rome", "Italy", "00100"},
                             {"Milan", "Italy", "20100"},
                             {"Paris", "France", "75000"},
                             {"Nice", "France", "06000"},
                             {"Nowhere", "", "99999"}};
  const auto blank = [&] { return with_missing && rng.uniform() < 0.15f; };
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto day = static_cast<int>(rng.below(250)), length = static_cast<int>(rng.below(30));
    const auto date = [](int d) {
      char out[32];
      std::snprintf(out, sizeof out, "2024-%02d-%02d", 1 + d / 28, 1 + d % 28);
      return std::string(out);
    };
    const double list = 1.0 + static_cast<double>(rng.below(10000)) / 100.0;
    const double price = std::floor(list * 100.0 * (rng.uniform() < 0.3f ? 1.0 : 0.5 + 0.4 * rng.uniform())) / 100.0;
    const auto a = rng.below(50), b = rng.below(20);
    const auto& place = places[rng.below(with_missing ? 5 : 4)];
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "%.2f,%.2f", price, list);
    const auto words = [&](int letters) {
      std::string word;
      while (letters-- > 0) word += static_cast<char>('a' + rng.below(26));
      return word;
    };
    const bool lacks_a = blank(), lacks_total = blank();
    text += concat("C-", 10000 + row, ",", blank() ? "" : date(day), ",", blank() ? "" : date(day + length), ",",
                   numbers, ",", lacks_a ? "" : concat(a), ",", b, ",", lacks_total ? "" : concat(a + b), ",", place[0],
                   ",", place[1], ",", place[2], ",", rng.below(2) == 0 ? "call" : "mail", " ", words(5), "\n");
  }
  return parse_csv(text);
}

Rules all_rules() {
  return {rule::less_equal("start", "end"), rule::less_equal("price", "list"), rule::sum("total", {"a", "b"}),
          rule::fixed_combinations({"city", "country", "zip"}), rule::range("a", 0, 49)};
}

}  // namespace

TEST_CASE("rules are kept by construction, whatever the model does", "[rules]") {
  const Table table = orders(2000);
  REQUIRE(table["id"].type() == ColumnType::identifier);
  const Independent model(table, all_rules());
  CHECK(model.fitted.table.find("end") < 0);
  CHECK(model.fitted.table.find("end - start") >= 0);
  CHECK(model.fitted.table.find("list - price") >= 0);
  CHECK(model.fitted.table.find("rest of total") >= 0);  // rows lack a part or the total on its own
  CHECK(model.fitted.table.find("city & country & zip") >= 0);
  CHECK(model.fitted.table.find("zip") < 0);
  CHECK(has(model.fitted.transform.str(), "rule \"start\" <= \"end\": kept by construction"));
  const Table made = model.sample(3000);
  REQUIRE(made.size() == 3000);
  CHECK(all_rules().check(made).broken() == 0);
  CHECK(model.made < 3 * made.size());  // ends beyond the last of the table are drawn again
  // columns, their order, types and spelling are those of the table
  REQUIRE(made.columns().size() == table.columns().size());
  for (std::size_t c = 0; c < made.columns().size(); ++c) {
    INFO(table[c].name());
    CHECK(made[c].name() == table[c].name());
    CHECK(made[c].type() == table[c].type());
    CHECK(made[c].schema().pattern == table[c].schema().pattern);
    CHECK(made[c].schema().decimals == table[c].schema().decimals);
    const double missing = static_cast<double>(table[c].missing_count()) / static_cast<double>(table.size());
    CHECK(static_cast<double>(made[c].missing_count()) / 3000.0 == Approx(missing).margin(0.03));
  }
  CHECK(model.fitted.transform.schema(model.fitted.table.schema()) == made.schema());
  // rows that lack the start have an end, and rows that lack a part a total, as often as before
  const auto only = [](const Table& t, const char* absent, const char* present) {
    return share(t, [&](auto row) { return t[absent].is_missing(row) && !t[present].is_missing(row); });
  };
  CHECK(only(made, "start", "end") == Approx(only(table, "start", "end")).margin(0.03));
  CHECK(only(made, "a", "total") == Approx(only(table, "a", "total")).margin(0.03));
  CHECK(model.sample(3000) == made);
  CHECK(model.sample(0).size() == 0);
  CHECK(model.sample(0).columns().size() == made.columns().size());
}

TEST_CASE("a total of rows that are never incomplete is just left out", "[rules]") {
  const Independent model(orders(300, false), {rule::sum("total", {"a", "b"})});
  CHECK(model.fitted.table.find("rest of total") < 0);
  CHECK(model.fitted.table.find("total") < 0);
  const Table made = model.sample(200);
  CHECK(share(made, [&](auto row) {
          return made["total"].integer(row) == made["a"].integer(row) + made["b"].integer(row);
        }) == 1.0);
}

TEST_CASE("inequalities in a chain and from two sides", "[rules]") {
  Rng rng{8};
  std::vector<std::int64_t> a, b, c, d;
  for (int i = 0; i < 1000; ++i) {
    a.push_back(rng.below(100));
    b.push_back(a.back() + 1 + rng.below(10));
    c.push_back(b.back() + rng.below(10));
    d.push_back(b.back() - 1 - rng.below(5));
  }
  const Table table(
      {Column::integers("c", c), Column::integers("a", a), Column::integers("b", b), Column::integers("d", d)});
  const Rules rules{rule::less_equal("b", "c"), rule::less("a", "b"), rule::less("d", "b"), rule::less("a", "c")};
  const Independent model(table, rules);
  // c from b, b from a, d from b; c has been replaced and a cannot be: a < c follows by checking
  CHECK(has(model.fitted.transform.str(), "rule \"a\" < \"c\": kept by checking"));
  CHECK(has(model.fitted.transform.str(), "rule \"d\" < \"b\": kept by construction"));
  const Table made = model.sample(2000);
  CHECK(rules.check(made).broken() == 0);
  CHECK(model.made < 3 * made.size());
  CHECK(share(made, [&](auto row) { return made["b"].integer(row) - made["a"].integer(row) <= 10; }) == 1.0);
}

TEST_CASE("what cannot be constructed is checked, and rows are made again", "[rules]") {
  const Table table = orders(1000, false);
  const Rules rules{rule::predicate("not both",
                                    [](const Table& t, std::int64_t row) {
                                      return t["a"].integer(row) < 40 || t["b"].integer(row) < 25;
                                    }),
                    rule::unique({"a", "b"}), rule::less("b", "a")};
  CHECK(has(data_error([&] { TableTransform::fit(table, rules); }), "rows of the table break it, the first is row"));
  const Table few = table.take([&] {
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < table.size(); ++row) {
      const std::int64_t a = table["a"].integer(row), b = table["b"].integer(row);
      if (b < a && seen.insert({a, b}).second) rows.push_back(row);
    }
    return rows;
  }());
  const Independent model(few, rules);
  const Table made = model.sample(200);
  CHECK(rules.check(made).broken() == 0);
  // there are at most 20 x 50 pairs
  const std::string error = data_error([&] { model.sample(2000); });
  CHECK(has(error, "rows made only "));
  CHECK(has(error, " of the 2000 asked for keep all rules and conditions; rule unique \"a\", \"b\" stopped most, "));
}

TEST_CASE("fixed combinations leave out rare ones and take conditions to the model", "[rules]") {
  std::string text = "city,country,n\n";
  for (int i = 0; i < 40; ++i) text += "Rome,Italy,1\nParis,France,2\nParis,Texas,3\n";
  text += "Bonn,Germany,4\nBonn,Germany,4\n";  // two rows: nobody is to know
  const Table table = parse_csv(text);
  const Rules rules{rule::fixed_combinations({"city", "country"})};
  const Independent model(table, rules);
  CHECK(model.fitted.table.size() == 120);
  Archive archive;
  model.fitted.transform.save(archive);
  CHECK_FALSE(has(archive.metadata.at("transform"), "Germany"));
  std::map<std::string, int> seen;
  const Table made = model.sample(600);
  for (std::int64_t row = 0; row < made.size(); ++row) ++seen[made["city"].cell(row) + made["country"].cell(row)];
  CHECK(seen.size() == 3);
  CHECK(seen["ParisTexas"] > 120);
  const Table some = model.sample(300, {{"city", "Paris"}, {"n", one_of({"2"})}});
  CHECK(share(some, [&](auto row) { return some["city"].cell(row) == "Paris" && some["n"].integer(row) == 2; }) == 1.0);
  CHECK(share(some, [&](auto row) { return some["country"].cell(row) == "Texas"; }) == Approx(0.5).margin(0.12));
  CHECK(has(data_error([&] {
              model.sample(5, {{"city", "Rome"}, {"country", "Texas"}});
            }),
            "no combination of \"city\", \"country\" that was learnt meets the conditions"));
  const Independent all(table, rules, {.rare_below = 1});
  CHECK(all.fitted.table.size() == 122);
  auto listed = rule::fixed_combinations({"city", "country"});  // a public list
  listed.combinations = {{"Rome", "Italy"}, {"Paris", "France"}, {"Paris", "Texas"}, {"Bonn", "Germany"}};
  CHECK(Independent(table, {listed}).fitted.table.size() == 122);
  listed.combinations.pop_back();
  CHECK(has(data_error([&] { TableTransform::fit(table, {listed}); }), "2 of 122 rows of the table break it"));
  CHECK(
      has(data_error([&] { TableTransform::fit(table.rows(120, 122), rules); }), "no combination has 5 rows or more"));
}

TEST_CASE("conditions on columns that rules replaced are met", "[rules]") {
  const Independent model(orders(2000), all_rules());
  const Table made = model.sample(
      100, {{"list", between(20, 40)}, {"total", between(10, 30)}, {"country", "Italy"}, {"a", between(5, 20)}});
  REQUIRE(made.size() == 100);
  CHECK(all_rules().check(made).broken() == 0);
  CHECK(share(made, [&](auto row) {
          const double list = made["list"].number(row), total = made["total"].number(row);
          return list >= 20 && list <= 40 && total >= 10 && total <= 30 && made["country"].cell(row) == "Italy" &&
                 made["a"].integer(row) >= 5 && made["a"].integer(row) <= 20;
        }) == 1.0);
  CHECK(share(made, [&](auto row) {
          return model.sample(1, {{"total", "7"}})["total"].integer(0) == 7 && row >= 0;
        }) == 1.0);
  const auto error = [&](const Conditions& conditions) { return data_error([&] { model.sample(5, conditions); }); };
  CHECK(has(error({{"colour", "red"}}), "colour"));
  CHECK(has(error({{"country", 3}}), "but it is categorical"));
  CHECK(has(error({{"total", "much"}}), "column \"total\": expects integer"));
  CHECK(has(error({{"id", "C-10001"}}), "which is made anew"));
  CHECK(has(error({{"note", "call abcde"}}), "of which only the shape is learnt"));
  CHECK(has(error({{"price", 50}, {"list", between(10, 20)}}),
            "is left no value by the condition on column \"price\" and \"price\" <= \"list\""));
  CHECK(
      has(error({{"a", between(60, 70)}}), "is left no value by the condition on column \"a\" and \"a\" from 0 to 49"));
  // possible as far as anyone can see, but never made
  const std::string never = error({{"total", between(500, 600)}});
  CHECK(has(never, "rows made only 0 of the 5 asked for"));
  CHECK(has(never, "the condition on column \"total\" stopped most"));
}

TEST_CASE("identifiers are new, different and of the same shape", "[rules]") {
  const Table table = orders(2000);
  const Independent model(table, {rule::unique({"id"})});
  CHECK(model.fitted.table.find("id") < 0);
  const Table made = model.sample(5000);
  std::set<std::string> known, seen;
  for (std::int64_t row = 0; row < table.size(); ++row) known.insert(table["id"].cell(row));
  for (std::int64_t row = 0; row < made.size(); ++row) {
    const std::string id = made["id"].cell(row);
    CHECK_FALSE(known.contains(id));
    CHECK(seen.insert(id).second);
    CHECK(id.size() == 7);
    CHECK(id.starts_with("C-"));  // all have it
  }
  CHECK(made["id"].type() == ColumnType::identifier);
  // no identifier is written down
  Archive archive;
  model.fitted.transform.save(archive);
  for (const auto& [name, text] : archive.metadata) CHECK_FALSE(has(text, "C-10"));
}

TEST_CASE("rows made piece by piece differ where they must", "[rules]") {
  const Rules rules{rule::unique({"id"}), rule::unique({"a", "b"}), rule::less_equal("start", "end")};
  const Table full = orders(3000);
  std::set<std::string> seen;
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < full.size(); ++row) {
    if (seen.insert(full["a"].cell(row) + "," + full["b"].cell(row)).second) rows.push_back(row);
  }
  const Independent model(full.take(rows), rules);
  const auto pieces =
      model.fitted.transform.pieces({{"b", between(0, 10)}}, {.seed = 1}, model.fitted.table.schema(),
                                    [&](std::int64_t n, const Conditions& given, const models::SampleOptions& options) {
                                      return model.draw(n, given, options);
                                    });
  Table all = pieces(100);
  CHECK(all == model.sample(100, {{"b", between(0, 10)}}));
  for (int i = 0; i < 3; ++i) all = all.append(pieces(60));
  CHECK(all.size() == 280);
  CHECK(rules.check(all).broken() == 0);
}

TEST_CASE("identifiers that leave no gap get longer", "[rules]") {
  std::string text = "id,x\n";
  for (int i = 1; i <= 999; ++i) text += concat(i, ",", i % 7, "\n");
  const Table table = parse_csv(text);
  REQUIRE(table["id"].type() == ColumnType::identifier);
  const Independent model(table, {});
  const Table made = model.sample(1000);
  std::set<std::int64_t> seen;
  for (std::int64_t row = 0; row < made.size(); ++row) seen.insert(std::stoll(made["id"].cell(row)));
  CHECK(seen.size() == 1000);
  CHECK(*seen.begin() > 999);
  CHECK(share(made, [&](auto row) { return made["id"].cell(row)[0] != '0'; }) == 1.0);
  const Table few = parse_csv("id,x\nA1,1\nB2,2\nC3,3\n");  // no shape that enough rows have
  const Table three = Independent(few, {}).sample(30);
  CHECK(three.size() == 30);
  CHECK(test::share(three, [&](auto row) { return !three["id"].is_missing(row); }) == 1.0);
}

TEST_CASE("the bits that keep known texts out say little about who was there", "[rules]") {
  std::vector<std::string> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back(concat("P", 100000 + 7 * i));
  std::vector<std::int64_t> codes;
  const auto texts = models::MadeTexts::fit(Column::texts("id", ids), {.unique = true}, Rng{2}, codes);
  int known = 0, others = 0;
  for (const std::string& id : ids) known += texts.may_have(id);
  for (int i = 0; i < 5000; ++i) others += texts.may_have(concat("P", 100001 + 7 * i));
  CHECK(known == 5000);
  CHECK(others / 5000.0 == Approx(1.0 - std::exp(-2.0)).margin(0.02));  // one in seven certainly was not
}

TEST_CASE("personal columns are replaced and agree with each other", "[rules]") {
  const Table table = read_csv(test::test_dir() + "/../examples/data/people.csv");
  const Independent model(table, {});
  CHECK(model.fitted.table.find("name") < 0);
  CHECK(model.fitted.table.find("email") < 0);
  CHECK(has(model.fitted.transform.str(), "\"name\" is made anew as name"));
  CHECK(has(model.fitted.transform.str(), "\"email\" is made anew as mail"));
  const Table made = model.sample(500);
  std::set<std::string> mails;
  for (std::int64_t row = 0; row < table.size(); ++row) mails.insert(table["email"].cell(row));
  for (std::int64_t row = 0; row < made.size(); ++row) {
    const std::string name = made["name"].cell(row), mail = made["email"].cell(row);
    CHECK_FALSE(mails.contains(mail));
    const auto small = [](std::string text) {
      for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == ' ' ? '.' : c;
      return text;
    };
    CHECK(mail.starts_with(small(name) + "."));
  }
  CHECK(share(made, [&](auto row) { return made["postcode"].cell(row).size() == 5; }) == 1.0);
  const auto columns = made.schema();
  CHECK(columns.columns.size() == table.columns().size());
  // the options say otherwise
  const Independent other(
      table, {},
      {.uses = {{"email", ColumnUse::leave_out}, {"name", ColumnUse::learn}, {"education", ColumnUse::regenerate}}});
  const Table rows = other.sample(50);
  CHECK(rows.find("email") < 0);
  CHECK(has(other.fitted.transform.str(), "\"name\" is learnt by its"));
  CHECK(has(other.fitted.transform.str(), "\"education\" is made anew"));
  CHECK(rows["education"].type() == ColumnType::categorical);
  CHECK(Independent(table, {}, {.personal = false}).fitted.table.find("shape of name") >= 0);
  CHECK(has(data_error([&] {
              TableTransform::fit(table, {}, {.uses = {{"income", ColumnUse::regenerate}}});
            }),
            "expects texts, categories or integers"));
  CHECK(has(data_error([&] { TableTransform::fit(table, {}, {.uses = {{"mail", ColumnUse::learn}}}); }), "mail"));
}

TEST_CASE("texts are learnt by shape, long ones by their first words", "[rules]") {
  Rng rng{2};
  std::string text = "code,note,x\n";
  for (int i = 0; i < 600; ++i) {
    text += concat(i % 3 == 0 ? "AB-" : "X", 100 + rng.below(900), ",");
    if (i % 4 != 0) {
      for (std::int64_t word = 0, words = 5 + rng.below(20); word < words; ++word) {
        text += std::string(static_cast<std::size_t>(1 + rng.below(9)), static_cast<char>('a' + rng.below(26))) + " ";
      }
    }
    text += concat(",", i % 5, "\n");
  }
  const Table table =
      parse_csv(text, {.schema = {{{.name = "code"}, {.name = "note"}, {.name = "x", .type = ColumnType::integer}}}});
  const Independent model(table, {});
  CHECK(has(model.fitted.transform.str(), "\"code\" is learnt by its 2 shapes"));
  const Table made = model.sample(600);
  const auto like = [&](const char* start, std::size_t size) {
    return share(made, [&](auto row) {
      const std::string cell = made["code"].cell(row);
      return cell.starts_with(start) && cell.size() == size;
    });
  };
  CHECK(like("AB-", 6) == Approx(1.0 / 3.0).margin(0.06));
  CHECK(like("X", 4) == Approx(2.0 / 3.0).margin(0.06));
  CHECK(static_cast<double>(made["note"].missing_count()) / 600.0 == Approx(0.25).margin(0.06));
  CHECK(share(made, [&](auto row) { return made["note"].is_missing(row) || !made["note"].cell(row).empty(); }) == 1.0);
}

TEST_CASE("a transform is saved with its model, and damaged ones are refused", "[rules]") {
  const Table table = orders(800);
  Rules rules = all_rules();
  const Independent model(table, rules);
  Archive archive;
  model.fitted.transform.save(archive);
  const TableTransform again = TableTransform::load(archive);
  CHECK(again.str() == model.fitted.transform.str());
  CHECK(model.sample_by(again, {{300, {{"country", "Italy"}}}}) == model.sample(300, {{"country", "Italy"}}));
  CHECK_FALSE(TableTransform::load(Archive()).changes());
  Rng rng{7};
  for (int i = 0; i < 300; ++i) {
    Archive bad = archive;
    auto entry = std::next(bad.metadata.begin(), rng.below(static_cast<std::int64_t>(bad.metadata.size())));
    if (rng.below(2) == 0) entry = bad.metadata.find("transform");
    entry->second = test::mutate(entry->second, rng);
    try {
      static_cast<void>(model.sample_by(TableTransform::load(bad), {{20, {}}}));
    } catch (const Error&) {
    }
  }
}

TEST_CASE("models of every kind keep rules, make columns anew and are saved with their transform", "[rules]") {
  const std::string name = GENERATE("ar", "tvae", "ctgan");
  INFO(name);
  const Table table = orders(1200);
  Rules rules = all_rules();
  std::vector<models::Rule> list = rules.list();
  list.push_back(
      rule::predicate("b below 20", [](const Table& t, std::int64_t row) { return t["b"].integer(row) < 20; }));
  rules = Rules(list);
  const models::TabularOptions options{.training = {.epochs = 3, .batch_size = 100, .learning_rate = 1e-3, .seed = 3},
                                       .rules = rules};
  const models::AnyTabularModel model = models::fit_tabular_model(name, table, options);
  const Table made = model.sample(400, {}, {.seed = 5});
  REQUIRE(made.size() == 400);
  CHECK(rules.check(made).broken() == 0);
  REQUIRE(made.columns().size() == table.columns().size());
  for (std::size_t c = 0; c < made.columns().size(); ++c) {
    CHECK(made[c].name() == table[c].name());
    CHECK(made[c].type() == table[c].type());
    CHECK(made[c].type() == model.schema().columns[c].type);
  }
  const Table some = model.sample(20, {{"country", "France"}, {"list", between(10, 100)}});
  CHECK(rules.check(some).broken() == 0);
  CHECK(share(some, [&](auto row) { return some["country"].cell(row) == "France"; }) == 1.0);

  const test::Scratch folder;
  const std::string path = folder / "model.safetensors";
  model.save(path);
  CHECK(folder.count() == 1);
  models::AnyTabularModel again = models::load_tabular_model(path);
  CHECK(has(data_error([&] { again.sample(5); }), "rule predicate \"b below 20\": its function is not in the file"));
  again.set_predicate("b below 20", list.back().predicate);
  CHECK(again.sample(400, {}, {.seed = 5}) == made);
  const auto alone = [&] {
    if (name == "ar") models::TabularAr::load(path);
    if (name == "tvae") models::Tvae::load(path);
    if (name == "ctgan") models::Ctgan::load(path);
  };
  CHECK(has(data_error(alone), "load it by load_tabular_model"));
  set_threads(3);
  CHECK(model.sample(400, {}, {.seed = 5}) == made);
  set_threads(0);
}

TEST_CASE("balanced rows have the shares asked for", "[rules]") {
  const Table table = test::made_up(1500);
  const models::AnyTabularModel model = models::fit_tabular_model("ar", table, models::TabularTraining{.epochs = 3});
  const auto count = [](const Table& t, const char* column, const std::string& value) {
    std::int64_t rows = 0;
    for (std::int64_t row = 0; row < t.size(); ++row) rows += t[column].cell(row) == value;
    return rows;
  };
  const Table equal = model.sample_balanced(100, "group");
  REQUIRE(equal.size() == 100);
  CHECK(count(equal, "group", "red") + count(equal, "group", "green") + count(equal, "group", "blue") == 100);
  for (const char* group : {"red", "green", "blue"}) CHECK(std::abs(count(equal, "group", group) - 33) <= 1);
  CHECK(model.sample_balanced(100, "group") == equal);
  std::set<std::string> ids, first;
  for (std::int64_t row = 0; row < 100; ++row) ids.insert(equal["id"].cell(row));
  for (std::int64_t row = 0; row < 15; ++row) first.insert(equal["group"].cell(row));
  CHECK(ids.size() == 100);  // different over all groups
  CHECK(first.size() == 3);  // in random order
  const Table given = model.sample_balanced(40, "group", {{"red", 3.0}, {"blue", 1.0}}, {{"score", between(-30, 30)}});
  CHECK(count(given, "group", "red") == 30);
  CHECK(count(given, "group", "blue") == 10);
  CHECK(count(model.sample_balanced(10, "flag"), "flag", "yes") == 5);
  CHECK(model.sample_balanced(0, "group").size() == 0);
  const auto pieces = model.pieces({}, {.seed = 4});
  const Table all = pieces(60).append(pieces(60));
  std::set<std::string> different;
  for (std::int64_t row = 0; row < all.size(); ++row) different.insert(all["id"].cell(row));
  CHECK(different.size() == 120);
  const auto error = [&](const char* column, const std::vector<std::pair<std::string, double>>& shares) {
    return data_error([&] { model.sample_balanced(10, column, shares); });
  };
  CHECK(has(error("colour", {}), "colour"));
  CHECK(has(error("score", {}), "expects shares of values, since it is real"));
  CHECK(has(error("group", {{"red", -1.0}}), "expects shares >= 0, got -1"));
  CHECK(has(error("group", {{"red", 0.0}}), "expects a share above 0"));
  CHECK(has(error("group", {{"red", 1.0}, {"red", 2.0}}), "value \"red\" comes twice"));
  CHECK(has(error("group", {{"violet", 1.0}}), "violet"));
}

TEST_CASE("odd tables with rules are learnt or refused clearly", "[rules]") {
  const Table table = orders(50);
  const auto error = [](const Table& t, const Rules& rules, const models::ColumnsOptions& columns = {}) {
    return data_error([&] { TableTransform::fit(t, rules, columns); });
  };
  CHECK(has(error(table, {rule::less("start", "stop")}), "rule \"start\" < \"stop\": there is no column \"stop\""));
  CHECK(has(error(table, {rule::less("list", "price")}), "rows of the table break it, the first is row "));
  CHECK(has(error(table, {rule::range("start", "2024-02-01", "2024-01-01")}), "column \"start\" is left no value"));
  CHECK(has(error(table, {rule::less_equal(0, "a")}, {.uses = {{"a", ColumnUse::leave_out}}}),
            "column \"a\" is left out"));
  CHECK(has(error(table, {rule::one_of("note", {"call"})}), "rule \"note\" one of \"call\""));
  CHECK(has(error(table.select({"id"}), {}), "no column is left to learn"));
  CHECK(has(error(table.select({"id", "a"}), {rule::fixed_combinations({"id", "a"})}), "is made anew"));
  CHECK_THROWS_AS(models::fit_tabular_model("ar", parse_csv("a,b\n"), {.rules = {rule::less("a", "b")}}), DataError);
  CHECK_THROWS_AS(models::fit_tabular_model("ar", Table()), DataError);
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const Table infinite(
      {Column::reals("a", std::vector<double>{1, 2}), Column::reals("b", std::vector<double>{3, inf})});
  CHECK(has(error(infinite, {rule::less("a", "b")}), "column \"b\" has infinite values"));
  CHECK(has(error(infinite, {rule::sum("b", {"a"}, 1e9)}), "break it"));

  const Table one({Column::reals("a", std::vector<double>{1}), Column::reals("b", std::vector<double>{2.5})});
  const Table same = Independent(one, {rule::less("a", "b")}).sample(3);
  CHECK(same["b"].real(2) == 2.5);
  const Table constant = parse_csv("a,b,c\n1,2,\n1,2,\n1,2,\n1,2,\n1,2,\n1,2,\n");
  const Table rows = Independent(constant, {rule::less("a", "b"), rule::unique({"c"})}).sample(9);
  CHECK(rows["b"].cell(8) == "2");
  CHECK(rows["c"].missing_count() == 9);
  const Table holes({Column::reals("a", std::vector<double>{nan, 2, 3, nan}),
                     Column::reals("b", std::vector<double>{4, nan, 5, nan})});
  const Table filled = Independent(holes, {rule::less("a", "b")}).sample(200);
  CHECK(Rules{rule::less("a", "b")}.check(filled).broken() == 0);
  CHECK(filled["b"].missing_count() > 40);
  const Table nothing = parse_csv("a,b,x\n,,1\n,,2\n,,3\n");  // the ends are texts without a value
  CHECK(has(error(nothing, {rule::less("a", "b")}), "expects numbers or dates"));
}

TEST_CASE("Adult needs no transform, and its education is one combination", "[rules]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Table adult = read_csv(data_dir() + "/adult/adult.csv");
  CHECK_FALSE(TableTransform::fit(adult).transform.changes());
  const Rules rules{rule::fixed_combinations({"education", "education-num"}), rule::range("age", 17, 90)};
  const Independent model(adult, rules);
  const Table made = model.sample(5000);
  CHECK(rules.check(made).broken() == 0);
  std::map<std::string, std::set<std::string>> number_of;
  for (std::int64_t row = 0; row < made.size(); ++row) {
    number_of[made["education"].cell(row)].insert(made["education-num"].cell(row));
  }
  CHECK(number_of.size() == 16);
  for (const auto& [education, numbers] : number_of) CHECK(numbers.size() == 1);
}
