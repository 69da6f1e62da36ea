// benchmarks/csv_bench.cpp: MB/s of reading and writing CSV and JSON Lines files, types found on the way.
//
// Run: csv_bench FILE... [--threads N] [--seconds S]. A name that ends in .jsonl is JSON Lines. Prints a JSON object:
// for each file the median of at least three reads, their fastest and slowest, and that of one write; the file is in
// the system's cache. What was read is checked once: written again, it is the file, or for JSON Lines, which may have
// more blanks than we write, read again it is the same.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/json_table.hpp>
#include <synthdata/io/mapped_file.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>

using namespace synthdata;

namespace {

/// Seconds that the processors worked for this program.
double worked() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Json measure(const std::string& path, double seconds) {
  const MappedFile file(path);
  const double megabytes = static_cast<double>(file.bytes().size()) / 1e6;
  const bool json = path.ends_with(".jsonl");
  const auto read = [&] { return json ? read_jsonl(path) : read_csv(path); };
  const auto format = [&](const Table& table) { return json ? format_jsonl(table) : format_csv(table); };
  double start = now();
  Table table = read();
  const std::string text = format(table);
  if (json ? !(parse_jsonl(text) == table) : text != file.bytes()) {
    throw DataError(path + ": what was written is not what was read");
  }
  std::vector<double> rates, per_work;
  for (start = now(); rates.size() < 3 || now() - start < seconds;) {
    table = {};  // the memory of one table, as a program has it that reads one
    const double begin = now(), before = worked();
    table = read();
    rates.push_back(megabytes / (now() - begin));
    per_work.push_back(megabytes / (worked() - before));
  }
  std::sort(rates.begin(), rates.end());
  std::sort(per_work.begin(), per_work.end());
  start = now();
  const std::size_t written = format(table).size();
  const double write = static_cast<double>(written) / 1e6 / (now() - start);
  return Json::Object{{"file", path},
                      {"megabytes", megabytes},
                      {"rows", table.size()},
                      {"columns", static_cast<std::int64_t>(table.columns().size())},
                      {"table_megabytes", static_cast<double>(table.size_bytes()) / 1e6},
                      {"read", rates[rates.size() / 2]},
                      {"slowest", rates.front()},
                      {"fastest", rates.back()},
                      {"read_cpu", per_work[per_work.size() / 2]},
                      {"write", write}};
}

}  // namespace

int main(int count, char** arguments) try {
  double seconds = 2.0;
  Json::Array results;
  std::vector<std::string> files;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--threads" && i + 1 < count) {
      set_threads(std::atoi(arguments[++i]));
    } else if (argument == "--seconds" && i + 1 < count) {
      seconds = std::atof(arguments[++i]);
    } else {
      files.push_back(argument);
    }
  }
  for (const std::string& file : files) results.push_back(measure(file, seconds));
  std::cout << Json(Json::Object{{"threads", threads()}, {"results", std::move(results)}}).dump() << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
