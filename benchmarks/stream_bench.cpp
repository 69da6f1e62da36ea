// benchmarks/stream_bench.cpp: a CSV file larger than memory goes through cleaning and batching; MB/s and peak memory.
//
// Run: stream_bench [--megabytes 4000] [--limit 300] [--work /tmp] [--cache]. Makes a file of six real, two integer and
// two categorical columns with missing values in `work`, and removes it at the end. Then, each with the rate in MB of
// the CSV file and the peak of memory until then: its schema is found; one epoch is read, cleaned (missing values
// filled, outliers clipped, rows without a class dropped), shuffled and batched. With --cache: a cache is written, and
// an epoch is read from it, in windows and in fully random order. Rows are counted on every way. Fails if the memory of
// the program, without pages of mapped files, which the system takes back at will, goes beyond the limit, in MB, before
// the random order.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/loader.hpp>
#include <synthdata/data/table_batches.hpp>
#include <synthdata/data/table_cache.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

using namespace synthdata;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// MB of a line of /proc/self/status.
double memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ':')) return std::atof(line.c_str() + name.size() + 1) * 1024.0 / 1e6;
  }
  throw DataError("no " + name + " in /proc/self/status");
}

/// Watches the program's own memory (RssAnon has no peak of its own).
class Watch {
 public:
  Watch()
      : thread_([this] {
          while (!stop_) {
            peak_ = std::max(peak_.load(), memory("RssAnon"));
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
        }) {}
  ~Watch() {
    stop_ = true;
    thread_.join();
  }
  double peak() const { return std::max(peak_.load(), memory("RssAnon")); }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<double> peak_{0.0};
  std::thread thread_;
};

Table make_rows(std::int64_t rows, Rng& rng) {
  const auto missing = [&](int one_in) {
    std::vector<bool> marks(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < marks.size(); ++i) marks[i] = rng.below(one_in) == 0;
    return marks;
  };
  std::vector<Column> columns;
  for (int c = 0; c < 6; ++c) {
    std::vector<double> values(static_cast<std::size_t>(rows));
    for (double& value : values) value = rng.normal() + c;
    columns.push_back(Column::reals(concat("f", c), values, missing(50)));
  }
  for (int c = 0; c < 2; ++c) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(rows));
    for (std::int64_t& value : values) value = rng.below(100000) - 50000;
    columns.push_back(Column::integers(concat("i", c), values));
  }
  for (int c = 0; c < 2; ++c) {
    std::vector<std::int64_t> codes(static_cast<std::size_t>(rows));
    for (std::int64_t& code : codes) code = rng.below(5);
    columns.push_back(Column::categorical(c ? "class" : "group", codes,
                                          {"alpha", "beta", "gamma", "delta", "epsilon value"}, missing(100)));
  }
  return Table(std::move(columns));
}

/// Fills and clips the reals; drops rows without class. What a fitted cleaner does, with numbers that are known here.
Table clean(const Table& table) {
  std::vector<Column> columns;
  for (const Column& column : table.columns()) {
    if (column.type() != ColumnType::real) {
      columns.push_back(column);
      continue;
    }
    const double mean = column.name().back() - '0';
    std::vector<double> values(static_cast<std::size_t>(table.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      values[i] = column.is_missing(row) ? mean : std::clamp(column.real(row), mean - 3.0, mean + 3.0);
    }
    columns.push_back(Column::reals(column.name(), values));
  }
  std::vector<std::int64_t> kept;
  const Column& of_class = table["class"];
  for (std::int64_t row = 0; row < table.size(); ++row) {
    if (!of_class.is_missing(row)) kept.push_back(row);
  }
  return Table(std::move(columns)).take(kept);
}

}  // namespace

int main(int count, char** arguments) try {
  double megabytes = 4000.0, limit = 300.0;
  std::string work = "/tmp";
  bool with_cache = false;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--cache") with_cache = true;
    if (i + 1 == count) break;
    if (argument == "--megabytes") megabytes = std::atof(arguments[i + 1]);
    if (argument == "--limit") limit = std::atof(arguments[i + 1]);
    if (argument == "--work") work = arguments[i + 1];
  }
  const std::string path = work + "/stream_bench.csv", cache_path = path + ".cache";
  struct Remover {
    std::string a, b;
    ~Remover() { std::remove(a.c_str()), std::remove(b.c_str()); }
  } const remover{path, cache_path};

  const Watch watch;
  double start = now(), size = 0.0;
  std::int64_t rows = 0, with_class = 0;
  {
    Rng rng(1);
    std::ofstream file(path, std::ios::binary);
    for (bool header = true; size < megabytes * 1e6; header = false) {
      const Table table = make_rows(50000, rng);
      const std::string text = format_csv(table, {.header = header});
      file << text;
      size += static_cast<double>(text.size());
      rows += table.size();
      with_class += table.size() - table["class"].missing_count();
    }
    if (!file.flush()) throw DataError(path + ": cannot write");
  }
  const auto report = [&](const char* what) {
    const double seconds = now() - start;
    std::printf("%-34s %7.1f s %7.0f MB/s   own memory at most %.0f MB, with pages of files %.0f MB\n", what, seconds,
                size / 1e6 / seconds, watch.peak(), memory("VmHWM"));
    std::fflush(stdout);
    start = now();
  };
  const auto expect = [&](const char* what, std::int64_t got, std::int64_t expected) {
    if (got != expected) throw DataError(concat(what, ": expects ", expected, " rows, got ", got));
  };
  const auto epoch = [&](auto& batches) {  // counts rows until the next epoch begins
    std::int64_t seen = 0;
    for (;;) {
      const Batch batch = batches.next();
      if (batches.state().epoch > 0) return seen;
      seen += batch.data.shape(0);
    }
  };
  std::printf("%.0f MB, %lld rows, %d threads\n", size / 1e6, static_cast<long long>(rows), threads());
  report("made");
  const CsvOptions options{.schema = infer_csv(path)};
  report("schema found");
  const TableSamples samples{.label = "class", .columns = {"f0", "f1", "f2", "f3", "f4", "f5", "i0", "i1"}};
  const TableBatchesOptions batching{.batch_size = 128, .shuffle_rows = 65536, .drop_last = false};
  {
    TableBatches batches([&] { return map_tables(CsvReader(path, options), clean); }, samples, batching);
    expect("CSV", epoch(batches), with_class);
    report("CSV cleaned, shuffled, batched");
  }
  const auto check_limit = [&] {
    if (watch.peak() > limit) throw DataError(concat("the program's memory went beyond ", limit, " MB"));
  };
  check_limit();
  if (with_cache) {
    const TableCache cache =
        cached_table(cache_path, source_key(path), [&] { return map_tables(CsvReader(path, options), clean); });
    expect("cache", cache.size(), with_class);
    report("cache written");
    TableBatches batches([&] { return TableCacheReader(cache); }, samples, batching);
    expect("cache", epoch(batches), with_class);
    report("cache shuffled in windows, batched");
    check_limit();
    // from here on memory grows with the rows: the loader's order takes 8 bytes for each, 16 while it is made
    DataLoader loader{TableCacheDataset(cache, samples), {.batch_size = 128, .drop_last = false, .workers = 2}};
    std::int64_t seen = 0;
    for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) seen += loader.next().data.shape(0);
    expect("cache", seen, with_class);
    report("cache in fully random order");
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
