// benchmarks/sql_bench.cpp: rows a second into columns from SQLite, beside a plain loop over its C interface.
//
// Run: sql_bench FILE [--rows N] [--seconds S]. Makes FILE with table t (six columns of real numbers, two of integers,
// two of few texts) if it is not there. Prints a JSON object, in rows a second: the loop, which reads every cell and
// keeps one row; ours into a table, in pieces, and of the six columns of numbers; writing the table again. Loop and
// reads take turns, the medians are shown, and `ratio` is the median of the ratios of neighbours; `ratio_cpu` is that
// by processor time, which other programs on the machine disturb least.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/random.hpp>
#include <synthdata/data/database.hpp>
#include <synthdata/io/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>

#include <sqlite3.h>

using namespace synthdata;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
/// Seconds that the processors worked for this program.
double worked() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Table make_table(std::int64_t rows) {
  Rng rng(1);
  std::vector<Column> columns;
  for (int c = 0; c < 6; ++c) {
    std::vector<double> values(static_cast<std::size_t>(rows));
    for (double& value : values) value = rng.normal();
    columns.push_back(Column::reals(concat("f", c), values));
  }
  for (int c = 0; c < 4; ++c) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(rows));
    for (std::int64_t& value : values) value = rng.below(c < 2 ? 1000 : 5);
    columns.push_back(
        c < 2 ? Column::integers(concat("i", c), values)
              : Column::categorical(concat("s", c - 2), values, {"alpha", "beta", "gamma", "delta", "epsilon"}));
  }
  return Table(std::move(columns));
}

/// Every cell by its C function, into one row.
double loop(const std::string& path, std::int64_t expected) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
    throw DataError("cannot open " + path);
  const double begin = now();
  sqlite3_prepare_v2(db, "SELECT * FROM t", -1, &statement, nullptr);
  float row[10] = {};
  double sum = 0;
  std::int64_t rows = 0, bytes = 0;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    for (int c = 0; c < 6; ++c) row[c] = static_cast<float>(sqlite3_column_double(statement, c));
    for (int c = 6; c < 8; ++c) row[c] = static_cast<float>(sqlite3_column_int64(statement, c));
    for (int c = 8; c < 10; ++c) {
      bytes += sqlite3_column_bytes(statement, c);
      row[c] = static_cast<float>(sqlite3_column_text(statement, c)[0]);
    }
    sum += static_cast<double>(row[0] + row[9]);
    ++rows;
  }
  const double seconds = now() - begin;
  sqlite3_finalize(statement);
  sqlite3_close(db);
  if (rows != expected || bytes < 8 * rows || sum == 0) throw DataError("the loop read something else");
  return static_cast<double>(rows) / seconds;
}

}  // namespace

int main(int count, char** arguments) try {
  std::string path;
  std::int64_t rows = 1'000'000;
  double seconds = 10;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--rows" && i + 1 < count) {
      rows = std::atoll(arguments[++i]);
    } else if (argument == "--seconds" && i + 1 < count) {
      seconds = std::atof(arguments[++i]);
    } else {
      path = argument;
    }
  }
  if (path.empty()) throw Error("usage: sql_bench FILE [--rows N] [--seconds S]");
  const bool made = !std::filesystem::exists(path);
  const Database database("sqlite:" + path);
  if (made) database.write("t", make_table(rows));
  const Table table = database.read_table("t");
  rows = table.size();

  std::vector<double> plain, ours, ratios, work, pieces, numbers;
  const auto rate = [&](auto&& read) {
    const double begin = now();
    if (read() != rows) throw DataError("other rows were read than written");
    return static_cast<double>(rows) / (now() - begin);
  };
  for (const double begin = now(); ratios.size() < 5 || now() - begin < seconds;) {
    const double before = worked();
    plain.push_back(loop(path, rows));
    const double between = worked();
    ours.push_back(rate([&] { return database.read_table("t").size(); }));
    work.push_back((between - before) / (worked() - between));
    ratios.push_back(ours.back() / plain.back());
    const QueryOptions options{.schema = table.schema()};
    pieces.push_back(rate([&] {
      QueryReader reader(database, "SELECT * FROM t", {}, options);
      std::int64_t read = 0;
      while (const auto piece = reader.next()) read += piece->size();
      return read;
    }));
    numbers.push_back(rate([&] { return database.read("SELECT f0, f1, f2, f3, f4, f5 FROM t").size(); }));
  }
  const std::string copy = path + ".copy";
  std::filesystem::remove(copy);
  const double write = rate([&] {
    Database("sqlite:" + copy).write("t", table);
    return table.size();
  });
  if (Database("sqlite:" + copy).read_table("t") != table) throw DataError("what was written is not what was read");
  std::filesystem::remove(copy);
  std::cout << Json(Json::Object{{"file", path},
                                 {"rows", rows},
                                 {"loop", median(plain)},
                                 {"read", median(ours)},
                                 {"ratio", median(ratios)},
                                 {"ratio_cpu", median(work)},
                                 {"pieces", median(pieces)},
                                 {"numbers", median(numbers)},
                                 {"write", write}})
                   .dump()
            << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
