// benchmarks/large_table_bench.cpp: a table of millions of rows is learnt from its CSV file and as many rows are made.
//
// Run: large_table_bench [--rows 5000000] [--distinct 1000000] [--minutes 2] [--hidden 32] [--bins 64] [--limit 2000]
//                        [--threads N] [--work /tmp]
// Makes a CSV file of 30 columns in `work`: 12 real, 6 integer, 6 categorical, one boolean, 2 of date-times, a category
// of `distinct` values, an identifier and a text; removes it at the end. Then, each with its seconds and the peak of
// the program's memory until then, pages of mapped files included: its schema is found; TabularAr learns it for
// `minutes` at most; the model is saved and loaded; as many rows are made and written as CSV. Says how faithful a few
// numbers are, and fails if the peak is beyond the limit, in MB.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/index_permutation.hpp>
#include <synthdata/data/read.hpp>
#include <synthdata/tabular/sample_reader.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

using namespace synthdata;

namespace {

struct Setting {
  std::int64_t rows = 5'000'000, distinct = 1'000'000, hidden = 32, bins = 64;
  double minutes = 2.0, limit = 2000.0;
  std::string work = "/tmp";
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double peak_megabytes() {
  ::rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024.0 / 1e6;
}

/// Rows begin ... end - 1 of the table; the same whatever the pieces.
Table make_rows(std::int64_t begin, std::int64_t end, const Setting& s, const IndexPermutation& order,
                const std::vector<std::string>& names) {
  const auto count = static_cast<std::size_t>(end - begin);
  std::vector<std::vector<double>> reals(12, std::vector<double>(count));
  std::vector<std::vector<std::int64_t>> whole(6, std::vector<std::int64_t>(count)), groups = whole, days(2, whole[0]);
  std::vector<std::int64_t> who(count);
  std::vector<bool> flag(count), missing(count);
  std::vector<std::string> ids(count), codes(count);
  const std::int64_t sizes[] = {3, 5, 8, 12, 20, 50};
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t row = begin + static_cast<std::int64_t>(i);
    Rng rng = Rng{1}.split(static_cast<std::uint64_t>(row));
    const double level = rng.normal();  // runs through all columns
    for (std::size_t c = 0; c < reals.size(); ++c) {
      const double value =
          c % 2 == 0 ? level * static_cast<double>(c) + rng.normal() : std::exp(0.5 * level + rng.normal());
      reals[c][i] = std::round(value * 1e4) / 1e4;
    }
    for (std::size_t c = 0; c < whole.size(); ++c) {
      const auto base = static_cast<std::int64_t>(20.0 * static_cast<double>(c + 1) * std::abs(level + rng.normal()));
      whole[c][i] = c == 5 ? 1000 * base + rng.below(1000) : base;
      groups[c][i] =
          std::min<std::int64_t>(sizes[c] - 1, std::abs(static_cast<std::int64_t>(2.0 * level) + rng.below(sizes[c])));
    }
    for (auto& day : days) day[i] = (15'000 + rng.below(3000)) * 86'400'000'000;
    who[i] = order(row) % s.distinct;
    flag[i] = level + rng.normal() > 0.0;
    missing[i] = rng.below(20) == 0;
    char text[32];
    std::snprintf(text, sizeof text, "ID-%09lld", static_cast<long long>(row));
    ids[i] = text;
    std::snprintf(text, sizeof text, "%c%c %04d", static_cast<char>('A' + rng.below(26)),
                  static_cast<char>('a' + rng.below(26)), static_cast<int>(rng.below(10000)));
    codes[i] = text;
  }
  std::vector<Column> columns{Column::texts("id", ids)};
  for (std::size_t c = 0; c < reals.size(); ++c) {
    columns.push_back(Column::reals(concat("real ", c), reals[c], c < 3 ? missing : std::vector<bool>{}));
  }
  for (std::size_t c = 0; c < whole.size(); ++c) columns.push_back(Column::integers(concat("whole ", c), whole[c]));
  for (std::size_t c = 0; c < groups.size(); ++c) {
    std::vector<std::string> categories;
    for (std::int64_t g = 0; g < sizes[c]; ++g) categories.push_back(concat("group ", g));
    columns.push_back(Column::categorical(concat("kind ", c), groups[c], std::move(categories)));
  }
  columns.push_back(Column::booleans("flag", flag));
  for (std::size_t c = 0; c < 2; ++c) columns.push_back(Column::date_times(concat("day ", c), days[c], "%Y-%m-%d"));
  columns.push_back(Column::categorical("who", who, names));
  columns.push_back(Column::texts("code", codes));
  return Table(std::move(columns));
}

/// A few numbers of a table that comes in pieces.
struct Tally {
  std::vector<std::uint8_t> seen;
  double rows = 0.0, first_group = 0.0, flags = 0.0, x = 0.0, xx = 0.0, y = 0.0, yy = 0.0, xy = 0.0;
  std::int64_t unknown = 0;

  explicit Tally(std::int64_t distinct) : seen(static_cast<std::size_t>(distinct), 0) {}
  void add(const Table& piece) {
    const Column &group = piece["kind 0"], &flag = piece["flag"], &a = piece["real 4"], &b = piece["real 6"],
                 &who = piece["who"];
    for (std::int64_t row = 0; row < piece.size(); ++row) {
      rows += 1.0;
      first_group += group.cell(row) == "group 0";
      flags += flag.boolean(row);
      const double p = a.number(row), q = b.number(row);
      x += p, y += q, xx += p * p, yy += q * q, xy += p * q;
      const std::int64_t number = std::atoll(who.cell(row).c_str() + 3);
      if (number < 0 || number >= static_cast<std::int64_t>(seen.size())) {
        ++unknown;
      } else {
        seen[static_cast<std::size_t>(number)] = 1;
      }
    }
  }
  void print(const char* what) const {
    std::int64_t different = 0;
    for (const std::uint8_t s : seen) different += s;
    const double cov = xy / rows - x / rows * y / rows;
    const double r = cov / std::sqrt((xx / rows - x * x / rows / rows) * (yy / rows - y * y / rows / rows));
    std::printf(
        "  %-5s %.0f rows: kind 0 %.4f, flag %.4f, mean of real 4 %.3f, its correlation with real 6 %.3f; %lld "
        "values of who, %lld rows with none of the table\n",
        what, rows, first_group / rows, flags / rows, x / rows, r, static_cast<long long>(different),
        static_cast<long long>(unknown));
  }
};

/// A reader that counts what passes through it.
template <class Reader>
struct Counted {
  Reader reader;
  Tally* tally;
  std::optional<Table> next() {
    auto piece = reader.next();
    if (piece) tally->add(*piece);
    return piece;
  }
  const Schema& schema() const { return reader.schema(); }
};

void run(const Setting& s) {
  const std::string path = s.work + "/large_table_bench.csv", made_path = s.work + "/large_table_bench_made.csv",
                    model_path = s.work + "/large_table_bench.safetensors";
  struct Remover {
    std::vector<std::string> paths;
    ~Remover() {
      for (const std::string& p : paths) std::remove(p.c_str());
    }
  } const remover{{path, made_path, model_path}};
  double start = now();
  const auto report = [&](const char* what) {
    std::printf("%-28s %7.1f s   peak %6.0f MB\n", what, now() - start, peak_megabytes());
    std::fflush(stdout);
    start = now();
  };
  Tally real(s.distinct), made(s.distinct);
  {
    Rng rng{2};
    const IndexPermutation order(s.rows, rng);
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < s.distinct; ++i) names.push_back(concat("no ", i));
    CsvWriter writer(path);
    constexpr std::int64_t piece = 50'000, at_once = 8;
    for (std::int64_t at = 0; at < s.rows; at += piece * at_once) {
      std::vector<Table> tables(at_once);
      parallel_for(at_once, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t from = std::min(s.rows, at + i * piece);
          tables[static_cast<std::size_t>(i)] = make_rows(from, std::min(s.rows, from + piece), s, order, names);
        }
      });
      for (const Table& table : tables) {
        if (table.size() > 0) real.add(table), writer.write(table);
      }
    }
    writer.commit();
  }
  report("table made");
  Schema schema = infer_csv(path);
  schema["id"].type = ColumnType::identifier;
  schema["who"].type = ColumnType::categorical;
  schema["who"].categories.clear();
  report("schema found");
  models::TabularArOptions options;
  options.hidden = s.hidden;
  options.codes.bins = s.bins;
  options.folder = s.work;
  double last = now();
  const auto model = models::TabularAr::fit(
      table_source(path, schema), options, {.minutes = s.minutes, .seed = 1}, [&](const models::TabularProgress& p) {
        std::printf("  epoch %lld: loss %.3f, held out %.3f, %.1f s\n", static_cast<long long>(p.epoch), p.loss,
                    p.held_out, now() - last);
        last = now();
        return true;
      });
  std::int64_t codes = 0;
  for (const std::int64_t n : model.net().cardinalities()) codes += n;
  std::printf("  %zu code columns, %lld codes\n", model.net().cardinalities().size(), static_cast<long long>(codes));
  report("learnt");
  model.save(model_path);
  const models::AnyTabularModel loaded = models::load_tabular_model(model_path);
  report("saved, loaded");
  Counted<models::SampleReader<models::AnyTabularModel>> rows{{loaded, s.rows, {}, {.seed = 3}}, &made};
  CsvWriter writer(made_path);
  copy_table(rows, writer);
  report("rows made and written");
  real.print("real");
  made.print("made");
  if (peak_megabytes() > s.limit) throw Error(concat("the program's memory went beyond ", s.limit, " MB"));
}

}  // namespace

int main(int argc, char** argv) try {
  Setting s;
  const std::map<std::string, std::int64_t*> counts{
      {"--rows", &s.rows}, {"--distinct", &s.distinct}, {"--hidden", &s.hidden}, {"--bins", &s.bins}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (counts.count(key) > 0)
      *counts.at(key) = std::atoll(value.c_str());
    else if (key == "--minutes")
      s.minutes = std::atof(value.c_str());
    else if (key == "--limit")
      s.limit = std::atof(value.c_str());
    else if (key == "--work")
      s.work = value;
    else if (key == "--threads")
      set_threads(std::atoi(value.c_str()));
    else
      throw Error("large_table_bench: unknown option " + key);
  }
  std::printf("%lld rows, %lld different values of one column, %d threads\n", static_cast<long long>(s.rows),
              static_cast<long long>(s.distinct), threads());
  run(s);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
