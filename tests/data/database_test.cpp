// tests/data/database_test.cpp: tables from and to databases. SQLite files always; PostgreSQL and MySQL where
// scripts/databases has started them.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/data/database.hpp>
#include <synthdata/data/read.hpp>
#include <synthdata/data/table_stream.hpp>

#include <cmath>
#include <limits>

namespace sd = synthdata;
using sd::ColumnType, sd::Database, sd::WriteMode;
using test::data_error, test::has, test::Scratch, test::slurp;

namespace {

static_assert(sd::TableReader<sd::QueryReader> && sd::TableWriter<sd::DatabaseWriter>);

/// The server's name for the test case: a fresh SQLite file, or what the environment says; empty if there is none.
std::string server(const std::string& kind, const Scratch& folder) {
  if (kind == "sqlite") return sd::detail::database_driver().connect ? folder / "test.sqlite" : std::string();
  const char* const name = std::getenv(kind == "mysql" ? "SYNTHDATA_MYSQL" : "SYNTHDATA_POSTGRESQL");
  return name && sd::detail::database_driver().connect ? name : "";
}

#define SYNTHDATA_EACH_SERVER(kind, folder, name)                                        \
  const std::string kind = GENERATE(as<std::string>(), "sqlite", "postgresql", "mysql"); \
  const Scratch folder;                                                                  \
  const std::string name = server(kind, folder);                                         \
  if (name.empty()) SYNTHDATA_SKIP("no " << kind << " (synthdata::sql, scripts/databases start)")

/// A table that goes with the test.
class Dropped {
 public:
  Dropped(const Database& database, std::string name) : database_(database), name_(std::move(name)) { drop(); }
  Dropped(const Dropped&) = delete;
  Dropped& operator=(const Dropped&) = delete;
  ~Dropped() { drop(); }

 private:
  void drop() {
    try {
      database_.execute("DROP TABLE IF EXISTS " +
                        sd::detail::quoted_name(sd::detail::parse_database_name(database_.str()).server, name_));
    } catch (const sd::Error&) {  // the connection of this test was cut
    }
  }
  Database database_;
  std::string name_;
};

/// As a database gives it back for its schema: numbers and times in one spelling.
sd::Table plain(const sd::Table& table) {
  std::vector<sd::Column> columns;
  for (const sd::Column& column : table.columns()) {
    sd::ColumnSchema format = column.schema();
    format.as_written = false;
    columns.push_back(column.spelled(format));
  }
  return sd::Table(std::move(columns));
}

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t second = 1'000'000, day = 86'400 * second;

/// Every type, each with a missing value in another row.
sd::Table all_types() {
  const std::vector<std::int64_t> integers = {0, least, most, -7};
  const std::vector<double> reals = {0.1, 1.0 / 3.0, 0.0, 1.7976931348623157e308};
  const std::vector<std::int64_t> codes = {1, 0, 1, 1};
  const std::vector<std::string> texts = {"plain", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "",
                                          "a\tb\nc\r\\N'\"`;-- %s"};
  const std::vector<std::int64_t> times = {0, -1, 951'782'400 * second + 123'456, 4 * second};
  const std::vector<std::int64_t> days = {0, 365 * day, 18262 * day, -25567 * day};
  const std::vector<std::int64_t> clocks = {0, 3600 * second, day - second, second};
  const std::vector<std::int64_t> zoned = {second, second * 1'600'000'000 + 1, 2 * second, 3 * second};
  return sd::Table(
      {sd::Column::integers("an integer", integers, {false, false, false, true}),
       sd::Column::reals("a real", reals, {false, false, true, false}),
       sd::Column::booleans("a boolean", {true, false, true, false}, {false, true, false, false}),
       sd::Column::categorical("a category", codes, {"x", "y"}, {true, false, false, false}),
       sd::Column::texts("a text", texts, {false, false, false, false}),
       sd::Column::date_times("a time", times, "%Y-%m-%d %H:%M:%S.%6f", "", {false, false, false, true}),
       sd::Column::date_times("a day", days, "%d.%m.%Y", "", {false, false, true, false}),
       sd::Column::date_times("a clock", clocks, "%H:%M:%S", "", {false, true, false, false}),
       sd::Column::date_times("a point", zoned, "%Y-%m-%dT%H:%M:%S.%6f", "+02:00", {true, false, false, false})});
}

}  // namespace

TEST_CASE("a database's name is taken apart, and its password is never shown") {
  const auto parsed = [](const char* name) { return sd::detail::parse_database_name(name); };
  const auto name = parsed("postgresql://me:p%40ss%2F:w@db.example:5433/my%20db?sslmode=require&table=a%26b");
  CHECK(name.server == sd::detail::SqlServer::postgresql);
  CHECK(name.user == "me");
  CHECK(name.password == "p@ss/:w");
  CHECK(name.host == "db.example");
  CHECK(name.port == "5433");
  CHECK(name.database == "my db");
  CHECK(name.table == "a&b");
  REQUIRE(name.options.size() == 1);
  CHECK(name.options[0].first == "sslmode");
  CHECK(name.shown == "postgresql://me@db.example:5433/my db");
  CHECK(parsed("mysql://[::1]:3307/d").host == "::1");
  CHECK(parsed("mysql://[::1]:3307/d").port == "3307");
  CHECK(parsed("mariadb://h/d").server == sd::detail::SqlServer::mysql);
  CHECK(parsed("sqlite:///a/b.db").path == "/a/b.db");
  CHECK(parsed("sqlite:a b%.x").path == "a b%.x");
  CHECK(parsed("a/b.sqlite?query=SELECT%201").query == "SELECT 1");
  CHECK(parsed("sqlite::memory:").path == ":memory:");
  CHECK(sd::names_database("a.db?table=b"));
  CHECK(!sd::names_database("a.csv"));

  for (const char* bad : {"", "a.csv", "sqlite:", "postgresql://u:secret@h:99999/d", "postgresql://u:secret@h:1x/d",
                          "mysql://u:secret%@h/d", "mysql://u:secret@h/d?table", "mysql://u:secret@h/d?table=a&query=b",
                          "mysql://u:secret%00@h/d", "oracle://u:secret@h/d", "mysql://u:secret@h/d?mode=delete"}) {
    const std::string error = data_error([&] { parsed(bad); });
    CHECK(!error.empty());
    CHECK(!has(error, "secret"));
  }
}

TEST_CASE("names are quoted as each server wants it") {
  using sd::detail::quoted_name, sd::detail::SqlServer;
  CHECK(quoted_name(SqlServer::sqlite, "a\"b") == "\"a\"\"b\"");
  CHECK(quoted_name(SqlServer::postgresql, "a`b") == "\"a`b\"");
  CHECK(quoted_name(SqlServer::mysql, "a`\"b") == "`a``\"b`");
  CHECK_THROWS_AS(quoted_name(SqlServer::sqlite, ""), sd::DataError);
  CHECK_THROWS_AS(quoted_name(SqlServer::sqlite, std::string_view("a\0b", 3)), sd::DataError);
  CHECK_THROWS_WITH(quoted_name(SqlServer::postgresql, std::string(64, 'x')), ContainsSubstring("64 bytes"));
}

TEST_CASE("what a program was built without is said") {
  if (sd::detail::database_driver().connect) {
    const sd::detail::DatabaseDriver kept = sd::detail::database_driver();
    sd::detail::database_driver() = {};
    CHECK_THROWS_WITH(Database("a.sqlite"), ContainsSubstring("link the CMake target synthdata::sql"));
    sd::detail::database_driver() = {kept.connect, [](sd::detail::SqlServer) { return false; }};
    CHECK_THROWS_WITH(Database("mysql://h/d"), ContainsSubstring("built without MySQL"));
    sd::detail::database_driver() = kept;
  } else {
    CHECK_THROWS_WITH(Database("a.sqlite"), ContainsSubstring("link the CMake target synthdata::sql"));
  }
}

TEST_CASE("ISO 8601 times as databases write them") {
  sd::detail::IsoTime value;
  const auto parse = [&](const char* text) { return sd::detail::parse_iso_time(text, value); };
  CHECK(parse("1970-01-02"));
  CHECK((value.microseconds == day && value.date && !value.time && !value.zone));
  CHECK(parse("1970-01-01 00:00:01.5"));
  CHECK((value.microseconds == 1'500'000 && value.time));
  CHECK(parse("1970-01-01T02:00:00+02"));
  CHECK((value.microseconds == 0 && value.zone));
  CHECK(parse("1969-12-31 21:30-0230"));
  CHECK(value.microseconds == 0);
  CHECK(parse("00:00:01.000001"));
  CHECK((value.microseconds == 1'000'001 && !value.date));
  for (const char* bad :
       {"", "1970", "1970-13-01", "1970-01-01x", "1970-01-01 ", "1970-01-01 00:00:00.", "24:00:00",
        "1970-01-01 00:00:00.1234567", "00:00:00Z", "0000-00-00", "infinity", "1970-01-01 00:00:00+2"}) {
    CHECK(!parse(bad));
  }
}

TEST_CASE("every type is written and read again") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "types");
  const sd::Table table = all_types();
  database.write("types", table);
  CHECK(database.read_table("types", {.schema = table.schema()}) == table);

  const sd::Table found = database.read_table("types");  // by what the database says of its columns
  REQUIRE(found.columns().size() == table.columns().size());
  const ColumnType types[] = {ColumnType::integer,   ColumnType::real,      ColumnType::boolean,
                              ColumnType::text,      ColumnType::text,      ColumnType::date_time,
                              ColumnType::date_time, ColumnType::date_time, ColumnType::date_time};
  for (std::size_t c = 0; c < found.columns().size(); ++c) {
    INFO(kind << ", " << found[c].name());
    CHECK((found[c].type() == types[c] || (c == 3 && found[c].type() == ColumnType::categorical)));
    CHECK(found[c].missing_count() == table[c].missing_count());
    for (std::int64_t i = 0; i < found.size(); ++i) {
      CHECK(found[c].is_missing(i) == table[c].is_missing(i));
      if (found[c].is_missing(i)) continue;
      if (c == 3 || c == 4) {
        CHECK(found[c].cell(i) == table[c].cell(i));
      } else if (found[c].type() == ColumnType::date_time || c == 0) {
        CHECK(found[c].integer(i) == table[c].integer(i));
      } else {
        CHECK(found[c].number(i) == table[c].number(i));
      }
    }
  }
  CHECK(found["a point"].schema().zone == "Z");
  CHECK(found["a day"].schema().pattern == "%Y-%m-%d");
  CHECK(found["a time"].schema().pattern == "%Y-%m-%d %H:%M:%S.%6f");

  // no rows: the declared types
  const sd::Table none = database.read("SELECT * FROM types WHERE 1 = 0");
  CHECK(none.size() == 0);
  for (std::size_t c = 0; c < none.columns().size(); ++c) {
    CHECK((none[c].type() == types[c]));
  }
}

TEST_CASE("real data sets come back equal") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const std::string file = GENERATE(as<std::string>(), "adult/adult.csv", "stock/stock_data.csv", "small/iris.csv",
                                    "small/wine_data.csv", "small/breast_cancer.csv");
  SYNTHDATA_NEED_DATA(file);
  sd::CsvOptions options;
  if (file.starts_with("small")) {  // the first line says how many rows there are
    options.skip_lines = 1;
    options.header = false;
  }
  const sd::Table table = plain(sd::read_csv(data_dir() + "/" + file, options));
  const Database database(name);
  const Dropped dropped(database, "real data");
  database.write("real data", table);
  CHECK(database.read_table("real data", {.schema = table.schema()}) == table);
  const sd::Table found = database.read_table("real data");
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    INFO(kind << ", " << table[c].name());
    CHECK(found[c].type() == table[c].type());
    CHECK(found[c].missing_count() == table[c].missing_count());
    if (table[c].type() == ColumnType::categorical) {  // the same texts, in the order of their first rows
      CHECK(found[c].schema().categories == table[c].schema().categories);
    }
  }
  sd::QueryReader reader(
      database, "SELECT * FROM " + sd::detail::quoted_name(sd::detail::parse_database_name(name).server, "real data"),
      {}, {}, 1000);
  CHECK(reader.schema() == found.schema());
  CHECK(sd::read_all(reader) == found);
}

TEST_CASE("pieces of any size make up the table, and a reader has its connection for itself") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "pieces");
  const sd::Table table = all_types();
  {
    sd::DatabaseWriter writer(database, "pieces");
    for (int i = 0; i < 500; ++i) writer.write(table);
    writer.commit();
    CHECK_THROWS_AS(writer.write(table), sd::Error);
  }
  const sd::Table whole = database.read_table("pieces");
  CHECK(whole.size() == 2000);
  for (const std::int64_t rows : {1, 7, 2000, 5000}) {
    sd::AnyTableReader reader{sd::QueryReader(database, "SELECT * FROM pieces", {}, {}, rows)};
    CHECK_THROWS_WITH(database.read_table("pieces"), ContainsSubstring("in use by a QueryReader"));
    std::vector<sd::Table> pieces;
    while (auto piece = reader.next()) {
      CHECK(piece->size() <= rows);
      CHECK(piece->schema() == whole.schema());
      pieces.push_back(std::move(*piece));
    }
    CHECK(!reader.next());
    CHECK(sd::detail::join_pieces(std::move(pieces), reader.schema()) == whole);
    CHECK(database.read_table("pieces").size() == 2000);  // the reader has let go
  }
  {
    sd::QueryReader given_up(database, "SELECT * FROM pieces", {}, {}, 10);
    CHECK(given_up.next());
  }
  CHECK(database.read("SELECT * FROM pieces").size() == 2000);
}

TEST_CASE("hostile names and values are only names and values") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const std::string table = "x\"; DROP TABLE \"victim\"; -- `'", column = "a\"b`c'd;--:e ?$1";
  const Dropped victim(database, "victim"), dropped(database, table);
  database.write("victim", sd::Table({sd::Column::texts("a", std::vector<std::string>{"safe"})}));

  std::string all;
  for (int c = kind == "postgresql" ? 1 : 0; c < 128; ++c) all += static_cast<char>(c);
  const std::vector<std::string> values = {
      "'); DROP TABLE victim; --", "\\'; DROP TABLE victim; #", all, std::string(3'000'000, '\''), "\\.\n\\N", ""};
  const sd::Table hostile({sd::Column::texts(column, values)});
  database.write(table, hostile);
  const sd::Table found = database.read_table(table, {.schema = hostile.schema()});
  CHECK(found == hostile);
  database.write(table, hostile, WriteMode::append);
  database.write(table, hostile, WriteMode::replace);
  CHECK(database.read_table(table, {.schema = hostile.schema()}) == hostile);

  const std::string holder = kind == "postgresql" ? "$1" : "?";
  for (const std::string& value : values) {
    const sd::Table same = database.read("SELECT a FROM victim WHERE a = " + holder, {value});
    CHECK(same.size() == 0);
  }
  CHECK(database.read("SELECT a FROM victim WHERE a = " + holder, {"safe"}).size() == 1);
  CHECK(database.read_table("victim").size() == 1);
}

TEST_CASE("bound values have their types") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "values");
  database.write("values", all_types());
  const bool dollar = kind == "postgresql";
  const std::string quote = kind == "mysql" ? "`" : "\"";
  const auto count = [&](const std::string& column, const char* compared, const sd::Json& value) {
    return database
        .read(sd::concat("SELECT 1 AS one FROM ",
                         sd::detail::quoted_name(sd::detail::parse_database_name(name).server, "values"), " WHERE ",
                         quote, column, quote, " ", compared, dollar ? " $1" : " ?"),
              {value})
        .size();
  };
  CHECK(count("an integer", "=", most) == 1);
  CHECK(count("an integer", "<", 0) == 1);
  CHECK(count("a real", "=", 1.0 / 3.0) == 1);
  CHECK(count("a boolean", "=", true) == 2);
  CHECK(count("a text", "=", "") == 1);
  CHECK(count("an integer", "=", nullptr) == 0);
  CHECK_THROWS_AS(count("an integer", "=", sd::Json::Array{}), sd::DataError);
  CHECK_THROWS_AS(database.read("SELECT 1", {5}), sd::DataError);
  const std::string change =
      sd::concat("UPDATE ", sd::detail::quoted_name(sd::detail::parse_database_name(name).server, "values"), " SET ",
                 quote, "an integer", quote, dollar ? " = $1" : " = ?");
  CHECK(database.execute(change, {8}) == 4);
  CHECK(count("an integer", "=", 8) == 4);
}

TEST_CASE("a failed write leaves the table as it was") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "kept"), other(database, "new");
  database.execute("CREATE TABLE kept (a INTEGER PRIMARY KEY, b INTEGER NOT NULL)");
  const auto rows = [](std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
    return sd::Table({sd::Column::integers("a", a), sd::Column::integers("b", b)});
  };
  std::vector<std::int64_t> many;
  for (std::int64_t i = 10; i < 5010; ++i) many.push_back(i);
  database.write("kept", rows({1, 2}, {5, 6}), WriteMode::append);
  const sd::Table before = database.read_table("kept");
  const std::vector<std::string> tables = database.tables();
  const auto unchanged = [&](const Database& by) {
    CHECK(by.read_table("kept") == before);
    CHECK(by.tables() == tables);
  };

  SECTION("a value that breaks a constraint") {
    sd::DatabaseWriter writer(database, "kept", WriteMode::append);
    const std::string error = data_error([&] {
      writer.write(rows(many, many));
      writer.write(rows({3, 2}, {7, 8}));
      writer.commit();
    });
    CHECK(!error.empty());
    CHECK_THROWS_AS(writer.commit(), sd::Error);
    unchanged(database);
  }
  SECTION("NULL in a column that has none") {
    const std::vector<std::int64_t> a = {3, 4};
    const sd::Table table({sd::Column::integers("a", a), sd::Column::integers("b", a, {false, true})});
    CHECK_THROWS_AS(database.write("kept", table, WriteMode::append), sd::DataError);
    unchanged(database);
  }
  SECTION("an exception half way") {
    for (const WriteMode mode : {WriteMode::append, WriteMode::replace}) {
      try {
        sd::DatabaseWriter writer(database, "kept", mode);
        writer.write(rows(many, many));
        throw 1;
      } catch (int) {
      }
      unchanged(database);
    }
    {
      sd::DatabaseWriter writer(database, "new");
      writer.write(rows(many, many));
    }
    unchanged(database);
  }
  SECTION("pieces that do not fit each other") {
    for (const WriteMode mode : {WriteMode::append, WriteMode::replace}) {
      sd::DatabaseWriter writer(database, "kept", mode);
      writer.write(rows({3}, {3}));
      CHECK_THROWS_WITH(writer.write(before.select({"a"})), ContainsSubstring("columns of the first piece"));
      unchanged(database);
    }
  }
  SECTION("a table of that name, and none") {
    CHECK_THROWS_WITH(database.write("kept", before), ContainsSubstring("exists"));
    CHECK_THROWS_AS(database.write("new", before, WriteMode::append), sd::DataError);
    CHECK_THROWS_AS(database.write("new", sd::Table(), WriteMode::create), sd::DataError);
    CHECK_THROWS_AS(sd::DatabaseWriter(database, "new").commit(), sd::DataError);
    unchanged(database);
  }
  SECTION("a connection that is lost") {
    if (kind == "sqlite") return;
    for (const WriteMode mode : {WriteMode::append, WriteMode::replace}) {
      const Database cut(name);
      const std::string id =
          cut.read(kind == "mysql" ? "SELECT CONNECTION_ID() AS id" : "SELECT pg_backend_pid() AS id")["id"].cell(0);
      sd::DatabaseWriter writer(cut, "kept", mode);
      writer.write(rows(many, many));
      if (kind == "mysql") {
        database.execute("KILL " + id);
      } else {
        database.read("SELECT pg_terminate_backend(" + id + ")");
      }
      const std::string error = data_error([&] {
        for (int i = 0; i < 1000; ++i) writer.write(rows(many, many));
        writer.commit();
      });
      CHECK(!error.empty());
      CHECK(!has(error, "p@s"));
      CHECK(database.read_table("kept") == before);
      CHECK_THROWS_AS(cut.read_table("kept"), sd::DataError);
    }
    for (const std::string& table : database.tables()) {  // MySQL cannot undo the making of a table
      if (table.starts_with("synthdata_")) database.execute("DROP TABLE " + table);
    }
  }
  SECTION("a full disk") {
    if (kind != "sqlite") return;
    std::string error;
    {
      const test::FileSizeLimit limit(64 << 10);
      const sd::Table text({sd::Column::texts("a", std::vector<std::string>(200, std::string(10000, 'x')))});
      error = data_error([&] { database.write("new", text); });
    }
    CHECK(!error.empty());
    unchanged(database);
  }
  SECTION("replacing") {
    const sd::Table table({sd::Column::texts("c", std::vector<std::string>{"x y", "z"})});
    database.write("kept", table, WriteMode::replace);
    CHECK(database.read_table("kept") == table);
    CHECK(database.tables() == tables);
    database.write("new", table, WriteMode::replace);
    CHECK(database.read_table("new") == table);
  }
}

TEST_CASE("a connection that is lost while rows are read is an error") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  if (kind == "sqlite") return;
  const Database database(name), cut(name);
  const Dropped dropped(database, "many");
  database.write("many", sd::Table({sd::Column::texts("a", std::vector<std::string>(100'000, std::string(200, 'z')))}));
  const std::string id =
      cut.read(kind == "mysql" ? "SELECT CONNECTION_ID() AS id" : "SELECT pg_backend_pid() AS id")["id"].cell(0);
  sd::QueryReader reader(cut, "SELECT * FROM many", {}, {.schema = {{{.name = "a", .type = ColumnType::text}}}}, 100);
  CHECK(reader.next());
  if (kind == "mysql") {
    database.execute("KILL " + id);
  } else {
    database.read("SELECT pg_terminate_backend(" + id + ")");
  }
  const std::string error = data_error([&] {
    while (reader.next()) continue;
  });
  CHECK(has(error, cut.str()));
  CHECK(!has(error, "p@s"));
}

TEST_CASE("what a database cannot hold is an error") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "odd");
  const auto write = [&](sd::Column column) {
    return data_error([&] { database.write("odd", sd::Table({std::move(column)}), WriteMode::replace); });
  };
  const std::string zero_byte = write(sd::Column::texts("a", std::vector<std::string>{std::string("a\0b", 3)}));
  const std::string nan = write(sd::Column::reals("a", std::vector<double>{1, std::nan("")}));
  if (kind == "postgresql") {
    CHECK(has(zero_byte, "row 1, column \"a\""));
    CHECK(nan.empty());
    CHECK(std::isnan(database.read_table("odd")["a"].real(1)));
  } else {
    CHECK(zero_byte.empty());
    CHECK(has(nan, "row 2, column \"a\""));
  }
  const std::string far = write(sd::Column::reals("a", std::vector<double>{infinity, -infinity}));
  if (kind == "mysql") {
    CHECK(has(far, "row 1"));
  } else {
    CHECK(database.read_table("odd")["a"].real(1) == -infinity);
  }
  const std::vector<std::int64_t> noon = {12 * 3600 * second};
  CHECK(has(write(sd::Column::date_times("a", noon, "%Y-%m-%d")), "is not a date"));
  CHECK(has(write(sd::Column::date_times("a", std::vector<std::int64_t>{-1}, "%H:%M")), "is not a time of day"));
  CHECK(has(write(sd::Column::date_times("a", std::vector<std::int64_t>{most})), "years 1 to 9999"));
}

TEST_CASE("errors say what the server says and where") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "t");
  database.write("t", sd::Table({sd::Column::integers("a", std::vector<std::int64_t>{1})}));
  for (const std::string& error :
       {data_error([&] { database.read_table("no such table"); }), data_error([&] { database.read("SELEC 1"); }),
        data_error([&] { database.execute("DELETE FROM nowhere"); }),
        data_error([&] { sd::QueryReader(database, "SELECT nothing FROM t"); })}) {
    CHECK(has(error, database.str()));
    CHECK(!has(error, "p@s"));
  }
  for (const char* changing : {"DELETE FROM t", "DROP TABLE t", "SELECT 1; DROP TABLE t", ""}) {
    CHECK_THROWS_AS(database.read(changing), sd::DataError);
  }
  CHECK_THROWS_AS(database.read("SELECT a AS x, a AS x FROM t"), sd::DataError);  // a table's names are distinct
  CHECK(database.read_table("t").size() == 1);
  // a schema that does not fit
  sd::Schema schema = database.read_table("t").schema();
  schema["a"].type = ColumnType::date_time;
  CHECK_THROWS_WITH(database.read_table("t", {.schema = schema}),
                    ContainsSubstring("row 1, column \"a\": expects date-time, got \"1\""));
  schema["a"].name = "b";
  CHECK_THROWS_WITH(database.read_table("t", {.schema = schema}), ContainsSubstring("columns of the schema"));
}

TEST_CASE("no connection is an error without the password") {
  if (!sd::detail::database_driver().connect) SYNTHDATA_SKIP("no synthdata::sql");
  for (const char* variable : {"SYNTHDATA_POSTGRESQL", "SYNTHDATA_MYSQL"}) {
    const char* const name = std::getenv(variable);
    if (!name) {
      WARN("skipped: no " << variable << " (scripts/databases start)");
      continue;
    }
    const std::string good = name;
    const std::size_t colon = good.find(':', 13), at = good.find('@');
    const std::string wrong = good.substr(0, colon + 1) + "wr%27ong%20sec%5Cret" + good.substr(at);
    const std::string error = data_error([&] { Database{wrong}; });
    CHECK(has(error, "synthdata"));
    CHECK(!has(error, "ong sec"));
    const std::size_t port = good.find(':', at);
    const std::string nobody = good.substr(0, port) + ":1/x";
    CHECK(!data_error([&] { Database{nobody}; }).empty());
    CHECK(!has(data_error([&] { Database{nobody}; }), "p@s"));
    CHECK(!data_error([&] { Database(good + "?nonsense=1"); }).empty());
  }
}

TEST_CASE("SQLite's loose columns have the type of their values") {
  if (!sd::detail::database_driver().connect) SYNTHDATA_SKIP("no synthdata::sql");
  const Database database("sqlite::memory:");
  database.execute(
      "CREATE TABLE t (i, r, mixed, flag BOOLEAN, no_flag BOOLEAN, at DATETIME, not_at DATETIME, big, kind TEXT, "
      "name VARCHAR(10), none REAL, id INTEGER)");
  for (const char* row : {"1, 1, 1, 1, 1, '2020-01-01 10:00', '2020-01-01', 9007199254740993, 'a', 'n1', NULL, 1",
                          "2, 2.5, 'x', 0, 2, '2020-01-02 10:00:00.25', 'soon', 0.5, 'b', 'n2', NULL, 2",
                          "NULL, 3, 2.5, 1, 0, NULL, NULL, 1, 'a', 'n3', NULL, 3",
                          "3, 1e300, NULL, 1, 0, '2020-01-03T10:00:00', '1', 2, 'a', 'n4', NULL, 4"}) {
    CHECK(database.execute(sd::concat("INSERT INTO t VALUES (", row, ")")) == 1);
  }
  const sd::Table table = database.read_table("t");
  CHECK(table["i"].type() == ColumnType::integer);
  CHECK(table["i"].is_missing(2));
  CHECK(table["r"].type() == ColumnType::real);
  CHECK(table["r"].real(0) == 1.0);
  CHECK(table["mixed"].type() == ColumnType::text);
  CHECK(table["mixed"].cell(0) == "1");
  CHECK(table["mixed"].cell(2) == "2.5");
  CHECK(table["flag"].type() == ColumnType::boolean);
  CHECK(table["no_flag"].type() == ColumnType::integer);
  CHECK(table["at"].type() == ColumnType::date_time);
  CHECK(table["at"].schema().pattern == "%Y-%m-%d %H:%M:%S.%2f");
  CHECK(table["not_at"].type() == ColumnType::text);
  CHECK(table["big"].type() == ColumnType::text);  // no f64 has that integer
  CHECK(table["big"].cell(0) == "9007199254740993");
  CHECK(table["kind"].type() == ColumnType::categorical);
  CHECK(table["name"].type() == ColumnType::identifier);
  CHECK(table["none"].type() == ColumnType::real);
  CHECK(table["none"].missing_count() == 4);
  CHECK(table["id"].type() == ColumnType::integer);
  for (const std::int64_t rows : {1, 2, 3}) {
    sd::QueryReader reader(database, "SELECT * FROM t", {}, {}, rows);
    CHECK(sd::read_all(reader) == table);
  }
  CHECK(database.read("SELECT kind FROM t", {}, {.max_categories = 1})["kind"].type() == ColumnType::text);

  CHECK_THROWS_WITH(database.read("SELECT x'00ff' AS b"), ContainsSubstring("row 1, column \"b\": is binary"));
  CHECK_THROWS_WITH(database.read("SELECT 1 AS a UNION ALL SELECT CAST(x'ff' AS TEXT)"),
                    ContainsSubstring("row 2, column \"a\": expects UTF-8"));
  sd::Schema schema = database.read("SELECT kind FROM t").schema();
  schema["kind"].categories = {"a"};
  CHECK_THROWS_WITH(database.read("SELECT kind FROM t", {}, {.schema = schema}),
                    ContainsSubstring("row 2, column \"kind\": expects one of its categories, got \"b\""));
}

TEST_CASE("many different texts are found to be names or not, over all pieces") {
  if (!sd::detail::database_driver().connect) SYNTHDATA_SKIP("no synthdata::sql");
  const Database database("sqlite::memory:");
  const auto types = [&](const std::string& rule) {
    const std::string query = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999) SELECT " +
                              rule + " AS a FROM n";
    const sd::Table whole = database.read(query);
    sd::QueryReader reader(database, query, {}, {}, 700);
    CHECK(reader.schema() == whole.schema());
    CHECK(sd::read_all(reader) == whole);
    return whole["a"].type();
  };
  CHECK(types("'n' || i") == ColumnType::identifier);
  CHECK(types("'n ' || i") == ColumnType::text);
  CHECK(types("'n' || (i % 4999)") == ColumnType::text);  // the last is the first again
  CHECK(types("'n' || (i % 2501)") == ColumnType::text);
  CHECK(types("'n' || (i % 1000)") == ColumnType::categorical);
  CHECK(types("CASE i WHEN 4990 THEN NULL ELSE 'n' || i END") == ColumnType::text);
  CHECK(types("CASE i WHEN 4990 THEN 7 ELSE 'n' || i END") == ColumnType::text);
  CHECK(types("CASE i WHEN 3000 THEN 0.5 ELSE i END") == ColumnType::real);
  CHECK(types("CASE WHEN i < 3000 THEN NULL ELSE i END") == ColumnType::integer);
}

TEST_CASE("PostgreSQL's and MySQL's own types") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  if (kind == "sqlite") return;
  const Database database(name);
  if (kind == "postgresql") {
    const sd::Table table = database.read(
        "SELECT 1.50::numeric(10, 2) AS price, 12345678901234567890::numeric AS wide, 7::numeric(5, 0) AS whole, "
        "0.1::real AS f, '{\"a\": 1}'::json AS j, 'x'::char(3) AS c, '1 day'::interval AS v, "
        "'infinity'::timestamp AS never, timestamptz '2020-01-01 00:00:00+02' AS z, NULL AS nothing, ARRAY[1,2] AS l");
    CHECK(table["price"].type() == ColumnType::real);
    CHECK(table["price"].cell(0) == "1.50");
    CHECK(table["wide"].real(0) == 12345678901234567890.0);
    CHECK(table["whole"].integer(0) == 7);
    CHECK(table["j"].cell(0) == "{\"a\": 1}");
    CHECK(table["v"].cell(0) == "1 day");
    CHECK(table["never"].type() == ColumnType::text);
    CHECK(table["z"].integer(0) == 1'577'829'600 * second);
    CHECK(table["nothing"].missing_count() == 1);
    CHECK(table["l"].cell(0) == "{1,2}");
    CHECK_THROWS_WITH(database.read("SELECT '\\x00'::bytea AS b"), ContainsSubstring("\"b\" is binary"));
  } else {
    const sd::Table table = database.read(
        "SELECT CAST(1.5 AS DECIMAL(10, 2)) AS price, CAST(7 AS DECIMAL(5, 0)) AS whole, TRUE AS one, "
        "CAST('2020-01-01' AS DATE) AS d, CAST('-30:00:00' AS TIME) AS span, NULL AS nothing, "
        "CAST(9223372036854775807 AS UNSIGNED) AS u, JSON_OBJECT('a', 1) AS j");
    CHECK(table["price"].cell(0) == "1.50");
    CHECK(table["whole"].integer(0) == 7);
    CHECK(table["one"].integer(0) == 1);
    CHECK(table["d"].type() == ColumnType::date_time);
    CHECK(table["span"].cell(0) == "-30:00:00");
    CHECK(table["nothing"].missing_count() == 1);
    CHECK(table["u"].integer(0) == most);
    CHECK(table["j"].cell(0) == "{\"a\": 1}");
    CHECK_THROWS_WITH(database.read("SELECT CAST(18446744073709551615 AS UNSIGNED) AS u"),
                      ContainsSubstring("below 2^63"));
    CHECK_THROWS_WITH(database.read("SELECT x'00' AS b"), ContainsSubstring("\"b\" is binary"));
  }
}

TEST_CASE("a large result passes in pieces of bounded size") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "large");
  {
    sd::DatabaseWriter writer(database, "large");
    const sd::Table piece({sd::Column::texts("a", std::vector<std::string>(100, std::string(100'000, 'y')))});
    for (int i = 0; i < 8; ++i) writer.write(piece);  // 80 MB
    writer.commit();
  }
  const sd::Schema schema{{{.name = "a", .type = ColumnType::text}}};
  sd::QueryReader reader(database, "SELECT a FROM large", {}, {.schema = schema});
  std::int64_t rows = 0, largest = 0;
  while (auto piece = reader.next()) {
    rows += piece->size();
    largest = std::max(largest, piece->size_bytes());
  }
  CHECK(rows == 800);
  CHECK(largest < 70'000'000);
}

TEST_CASE("a file that is no database, and one that is not there") {
  if (!sd::detail::database_driver().connect) SYNTHDATA_SKIP("no synthdata::sql");
  const Scratch folder;
  const std::string path = folder / "it's a = 'file' %20.db";
  CHECK_THROWS_WITH(Database(path).read("SELECT 1"), ContainsSubstring("there is no such file"));
  CHECK(folder.count() == 0);  // looking makes none
  const sd::Table table({sd::Column::integers("a", std::vector<std::int64_t>{1, 2})});
  Database(path).write("t", table);
  CHECK(folder.count() == 1);
  CHECK(Database(path).read_table("t") == table);
  std::string bytes = slurp(path);
  test::spit(folder / "cut.db", bytes.substr(0, bytes.size() / 2));
  CHECK_THROWS_AS(Database(folder / "cut.db").read_table("t"), sd::DataError);
  test::spit(folder / "text.db", "this is no database, only a text of some length, and more");
  CHECK_THROWS_WITH(Database(folder / "text.db").read_table("t"), ContainsSubstring("not a database"));
  CHECK_THROWS_AS(Database(folder / "no folder/a.db").write("t", table), sd::DataError);
  sd::Rng rng(3);
  for (int i = 0; i < 300; ++i) {  // broken files are read or refused, never worse
    test::spit(folder / "broken.db", test::mutate(bytes, rng));
    try {
      Database(folder / "broken.db").read_table("t");
    } catch (const sd::Error&) {
    }
  }
}

TEST_CASE("databases are read and written by name") {
  SYNTHDATA_EACH_SERVER(kind, folder, name);
  const Database database(name);
  const Dropped dropped(database, "by name"), other(database, "another");
  const sd::Table table({sd::Column::integers("a", std::vector<std::int64_t>{1, 2}),
                         sd::Column::texts("b", std::vector<std::string>{"x y", "z"})});
  const std::string place = name + "?table=by%20name";
  sd::write(place, table);
  CHECK(sd::read(place) == table);
  CHECK_THROWS_AS(sd::write(place, table), sd::DataError);
  sd::write(place + "&mode=append", table);
  CHECK(sd::read(place).size() == 4);
  sd::write(place + "&mode=replace", table);
  sd::AnyTableReader reader = sd::open_reader(place, {}, 1);
  CHECK(sd::read_all(reader) == table);
  const std::string query = kind == "mysql" ? "?query=SELECT%20a%20FROM%20%60by%20name%60%20WHERE%20a%3D2"
                                            : "?query=SELECT%20a%20FROM%20%22by%20name%22%20WHERE%20a%3D2";
  CHECK(sd::read(name + query)["a"].integer(0) == 2);
  if (kind == "sqlite") {
    CHECK(sd::read(name) == table);  // the only table
    database.write("another", table);
    CHECK_THROWS_WITH(sd::read(name), ContainsSubstring("2 tables; there are another, by name"));
    CHECK_THROWS_WITH(sd::write(name, table), ContainsSubstring("?table="));
  }
  sd::write_csv(folder / "t.csv", table);
  sd::AnyTableReader from = sd::open_reader(folder / "t.csv");
  sd::AnyTableWriter to = sd::open_writer(name + "?table=another&mode=replace");
  CHECK(sd::copy_table(from, to) == 2);
  CHECK(database.read_table("another").size() == 2);
}
