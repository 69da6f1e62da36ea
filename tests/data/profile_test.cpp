// tests/data/profile_test.cpp: what a profile says of tables and streams, and that its page is safe.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/profile.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace synthdata;
using test::data_error, test::has;

namespace {

using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Names = std::vector<std::string>;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool warns(const TableProfile& profile, const std::string& column, const std::string& text) {
  return std::any_of(profile.warnings.begin(), profile.warnings.end(), [&](const ProfileWarning& warning) {
    return warning.column == column && has(warning.text, text);
  });
}

/// Tags and quotes of a page are ours: every "<" begins one of these.
bool only_our_tags(const std::string& page) {
  const Names known = {"!DOCTYPE", "html", "head", "meta", "title", "style", "body",  "h1", "h2", "h3",     "p",
                       "ul",       "li",   "bdi",  "div",  "table", "thead", "tbody", "tr", "th", "td",     "caption",
                       "a",        "span", "svg",  "rect", "line",  "dl",    "dt",    "dd", "i",  "section"};
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    std::size_t begin = at + 1;
    if (page[begin] == '/') ++begin;
    const std::string name = page.substr(begin, page.find_first_of(" >", begin) - begin);
    if (std::find(known.begin(), known.end(), name) == known.end()) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a profile has the statistics of each column") {
  const Table table(
      {Column::integers("n", Ints{1, 2, 3, 4, 100, 0}, {false, false, false, false, false, true}),
       Column::reals("x", Reals{0.5, -0.0, 0.0, std::numeric_limits<double>::infinity(), not_a_number, 0.5}),
       Column::booleans("b", {true, true, false, true, true, true}),
       Column::categorical("c", Ints{1, 1, 0, 1, 0, 2}, {"red", "blue", "green"}),
       Column::date_times("d", Ints{0, 86'400'000'000, 0, 0, 0, 0}, "%Y-%m-%d"),
       Column::texts("t", Names{"", "aä", "aä", "b", "c", "long text"})});
  const TableProfile p = profile(table);
  CHECK(p.rows == 6);
  CHECK(p.duplicates == 0);
  const ColumnProfile& n = p["n"];
  CHECK(n.missing == 1);
  CHECK(n.distinct == 5);
  CHECK(n.mean == Approx(22.0));
  CHECK(n.deviation == Approx(43.617656));  // numpy.std([1, 2, 3, 4, 100], ddof=1)
  CHECK(n.quantiles[3] == 3.0);
  CHECK(n.quantiles[6] == Approx(96.16));  // numpy.quantile(..., 0.99)
  CHECK(n.largest == 100.0);
  CHECK(std::accumulate(n.histogram.begin(), n.histogram.end(), std::int64_t{0}) == 5);
  CHECK(n.histogram.front() == 4);
  CHECK(n.histogram.back() == 1);
  const ColumnProfile& x = p["x"];
  CHECK(x.missing == 1);
  CHECK(x.infinite == 1);
  CHECK(x.distinct == 3);  // 0, 0.5 and infinity
  CHECK(x.mean == Approx(0.25));
  CHECK(p["b"].top == std::vector<ValueCount>{{"true", 5}, {"false", 1}});
  CHECK(p["c"].top == std::vector<ValueCount>{{"blue", 3}, {"red", 2}, {"green", 1}});
  CHECK(p["d"].show(p["d"].largest) == "1970-01-02");
  CHECK(p["d"].top[0] == ValueCount{"1970-01-01", 5});
  CHECK(p["t"].shortest == 0);
  CHECK(p["t"].longest == 9);
  CHECK(p["t"].mean_length == Approx(15.0 / 6.0));
  CHECK(p["t"].top[0] == ValueCount{"aä", 2});
  CHECK(warns(p, "n", "misses 16.7 %"));
  CHECK(warns(p, "x", "1 infinite"));
  CHECK(has(p.str(), "6 rows, 6 columns, 0 duplicate rows\n"));
  CHECK(p.json().find("columns")->get_if<Json::Array>()->size() == 6);
  CHECK(has(data_error([&] { p["no"]; }), "no column is called \"no\""));
}

TEST_CASE("correlations are Pearson's, Cramer's V and the correlation ratio") {
  // scipy.stats.contingency.association([[1, 2], [4, 1]], correction=False) and numpy.corrcoef, by hand:
  const Table table({Column::reals("x", Reals{1, 2, 3, 4, 5, 6, 7, 8}),
                     Column::reals("y", Reals{2, 1, 4, 3, 6, 5, 8, 7}),
                     Column::reals("z", Reals{8, 7, 6, 5, 4, 3, 2, 1}),
                     Column::categorical("a", Ints{0, 0, 0, 1, 1, 1, 1, 1}, {"p", "q"}),
                     Column::booleans("b", {false, true, true, false, false, false, false, true}),
                     Column::reals("flat", Reals(8, 1.0)), Column::texts("t", Names(8, "x"))});
  const TableProfile p = profile(table);
  CHECK(p.correlation("x", "y") == Approx(38.0 / 42.0));
  CHECK(p.correlation("x", "z") == Approx(-1.0));
  // table [[1, 2], [4, 1]]: phi = |1*1 - 2*4| / sqrt(3 * 5 * 5 * 3)
  CHECK(p.correlation("a", "b") == Approx(7.0 / 15.0));
  // class means 2 and 6 around 4.5: between 3 * 6.25 + 5 * 2.25 = 30 of 42
  CHECK(p.correlation("a", "x") == Approx(std::sqrt(30.0 / 42.0)));
  CHECK(p.correlation("x", "a") == p.correlation("a", "x"));
  CHECK(std::isnan(p.correlation("x", "flat")));
  CHECK(std::isnan(p.correlation("x", "t")));
  const Table one_class = table.with(Column::booleans("b", std::vector<bool>(8, true)));
  CHECK(std::isnan(profile(one_class).correlation("x", "b")));
  CHECK(std::isnan(profile(one_class).correlation("a", "b")));
  CHECK(warns(p, "x", "goes with \"z\": -1.000"));
  CHECK(warns(p, "flat", "is constant"));
  CHECK(profile(table, {.max_correlated = 2}).correlated.size() == 2);
}

TEST_CASE("a profile warns of identifiers, many categories, imbalance and duplicates") {
  Ints id, code, rare;
  Names categories;
  for (int i = 0; i < 120; ++i) {
    id.push_back(1000 + i);
    code.push_back(i % 60);
    rare.push_back(i == 7);
    if (i < 60) categories.push_back("c" + std::to_string(i));
  }
  const Table table(
      {Column::integers("id", id), Column::categorical("code", code, categories), Column::integers("rare", rare)});
  const TableProfile p = profile(table);
  CHECK(warns(p, "id", "looks like an identifier"));
  CHECK(warns(p, "code", "has many categories: 60"));
  CHECK(warns(p, "rare", "is imbalanced: 99.2 % are \"0\""));
  CHECK(p["rare"].histogram == Ints{119, 1});
  CHECK(profile(table.append(table.rows(0, 7))).duplicates == 7);
  CHECK(warns(profile(table.append(table.rows(0, 7))), "", "has 7 duplicate rows"));
}

TEST_CASE("tables without rows, columns or values have a profile and a page") {
  const auto check = [](const Table& table) {
    const TableProfile p = profile(table);
    CHECK(p.rows == table.size());
    CHECK(only_our_tags(p.html()));
    CHECK_FALSE(p.str().empty());
    return p;
  };
  CHECK(warns(check(Table()), "", "has no rows"));
  const Table one({Column::integers("n", Ints{5}), Column::texts("t", Names{"x"}),
                   Column::reals("x", Reals{std::numeric_limits<double>::max()})});
  check(one.rows(0, 0));
  check(one);
  CHECK(warns(check(Table({Column::reals("x", Reals{not_a_number, not_a_number})})), "x", "has no values"));
  check(Table({Column::reals("x", Reals{-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()})}));
  check(Table({Column::reals("x", Reals{std::numeric_limits<double>::infinity()})}));
  check(Table({Column::date_times(
      "d", Ints{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})}));
}

TEST_CASE("a stream has the profile of its table where that is counted, and nearly where it is sampled") {
  const test::Scratch scratch;
  std::string text = "n,x,c\n";
  Rng rng(9);
  Reals sorted;
  for (int i = 0; i < 40'000; ++i) {
    const std::int64_t n = rng.uniform() < 0.2f ? 7 : rng.below(1'000'000);
    const double x = std::floor(rng.normal() * 1000.0) / 8.0;
    sorted.push_back(x);
    text += concat(n, ",", x, ",", rng.below(3) ? "a" : "b", "\n");
  }
  std::sort(sorted.begin(), sorted.end());
  test::spit(scratch / "s.csv", text);
  const TableProfile whole = profile(read_csv(scratch / "s.csv"));
  CsvReader reader(scratch / "s.csv", {}, 1000);
  const TableProfile p = profile(reader, {.sample = 5000, .max_distinct = 1000});
  CHECK(p.rows == whole.rows);
  CHECK(p.duplicates == -1);
  CHECK(p.sampled == 5000);
  for (const char* name : {"n", "x", "c"}) {
    CHECK(p[name].missing == whole[name].missing);
    CHECK(p[name].least == whole[name].least);
    CHECK(p[name].largest == whole[name].largest);
    CHECK(p[name].mean == Approx(whole[name].mean).epsilon(1e-12));
    CHECK(p[name].deviation == Approx(whole[name].deviation).epsilon(1e-10));
  }
  CHECK(p["c"].top == whole["c"].top);
  CHECK(p["c"].counted);
  CHECK(whole["n"].counted);
  CHECK_FALSE(p["n"].counted);
  // HyperLogLog: five standard errors of 0.8 %
  CHECK(std::abs(static_cast<double>(p["n"].distinct) / static_cast<double>(whole["n"].distinct) - 1.0) < 0.04);
  CHECK(p["n"].top[0].value == "7");
  CHECK(p["n"].top[0].count <= whole["n"].top[0].count);
  CHECK(p["n"].top[0].count >= whole["n"].top[0].count - 40'000 * 2 / 1000);
  // Dvoretzky, Kiefer, Wolfowitz for 5000 of them: places off by less than 0.023, once in a hundred seeds more
  for (std::size_t q = 0; q < std::size(profile_quantiles); ++q) {
    const double value = p["x"].quantiles[q];
    const auto below = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    const auto up_to = std::upper_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    CHECK(static_cast<double>(below) / 40'000.0 - 0.023 <= profile_quantiles[q]);
    CHECK(static_cast<double>(up_to) / 40'000.0 + 0.023 >= profile_quantiles[q]);
  }
  const auto& histogram = p["x"].histogram;
  CHECK(std::abs(std::accumulate(histogram.begin(), histogram.end(), std::int64_t{0}) - 40'000) < 30);

  CsvReader again(scratch / "s.csv", {}, 777);  // the pieces do not matter
  set_threads(3);
  const TableProfile q = profile(again, {.sample = 5000, .max_distinct = 1000});
  set_threads(0);
  CHECK(q["x"].quantiles == p["x"].quantiles);
  CHECK(q.correlations == p.correlations);
}

TEST_CASE("the page shows hostile names and values as text") {
  const std::string hostile = "<script>alert(1)</script>\"'&";
  const std::string broken = "\xff\xfe</td>\x01\xe2\x80\xae";
  const Table table({Column::texts(hostile, Names{hostile, hostile, broken}),
                     Column::categorical("</title><img src=x>", Ints{0, 0, 1}, {"<b onload=\"x\">", "y' onclick='z"}),
                     Column::integers(std::string(5000, 'n'), Ints{1, 2, 2})});
  const TableProfile p = profile(table);
  const std::string page = p.html("<h1>&");
  CHECK(only_our_tags(page));
  CHECK_FALSE(only_our_tags(page + "<script>"));
  CHECK(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
  CHECK_FALSE(has(page, std::string(100, 'n')));
  CHECK(page.find('\xff') == std::string::npos);
  CHECK(detail::find_not_utf8(page) == std::string::npos);
  CHECK(has(page, "default-src 'none'"));
  for (const char* outside : {"http:", "https:", "//", "url(", "@import"}) CHECK_FALSE(has(page, outside));
  const test::Scratch scratch;
  p.save_html(scratch / "p.html");
  CHECK(test::slurp(scratch / "p.html") == p.html());
}

TEST_CASE("the profile of Adult has the counts its source states") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const TableProfile p = profile(read_csv(data_dir() + "/adult/adult.csv"));
  CHECK(p.rows == 32561);
  CHECK(p.duplicates == 24);
  CHECK(p["income"].top[0] == ValueCount{" <=50K", 24720});
  CHECK(p["workclass"].missing == 1836);
  CHECK(p["age"].mean == Approx(38.58165));
  CHECK(p["age"].deviation == Approx(13.64043));
  CHECK(p.correlation("education", "education-num") == Approx(1.0));
}

TEST_CASE("a profile refuses options out of range and pieces that do not fit") {
  CHECK_THROWS_AS(TableProfiler({.bins = 0}), NumericError);
  CHECK_THROWS_AS(TableProfiler({.top = -1}), NumericError);
  CHECK_THROWS_AS(TableProfiler({.max_distinct = 3}), NumericError);
  TableProfiler profiler;
  profiler.add(Table({Column::integers("n", Ints{1})}));
  CHECK(has(data_error([&] { profiler.add(Table()); }), "expects 1 columns, got 0"));
  CHECK(has(data_error([&] { profiler.add(Table({Column::reals("n", Reals{1})})); }), "is \"n\" of type real"));
  CHECK(profiler.result().rows == 1);
}

TEST_CASE("date-times beyond the range of their type show its nearest end") {
  ColumnProfile column;
  column.schema.type = ColumnType::date_time;
  column.schema.pattern = "%Y-%m-%d";
  const double end = 0x1p63;  // microseconds from 1970, one more than there are
  CHECK(column.show(end) == column.show(std::nextafter(end, 0.0)));
  CHECK(column.show(-2.0 * end) == column.show(-end));
  CHECK(column.show(end) != column.show(-end));
}
