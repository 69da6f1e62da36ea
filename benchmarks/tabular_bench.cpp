// benchmarks/tabular_bench.cpp: how faithful, useful and quick the models of tables are, on Adult as in the CTGAN
// paper.
//
// Run: tabular_bench adult.csv [--models ar,tvae,ctgan] [--target income] [--train 23000] [--rows 30000] [--epochs N]
//                    [--seed S] [--threads N] [--precision f32|bf16] [--out PREFIX]
// The precision is that of sampling. For each model: seconds of fitting and of sampling, microseconds of one row
// sampled alone, quality beside that of the held-out rows, F1 of the positive class over the paper's four classifiers,
// and the AUC of gradient-boosted trees, trained on the model's rows and on real ones, tested on rows that nothing has
// seen. With --out nothing is judged: the training rows go to PREFIXtrain.csv, a model's to PREFIXar.csv ..., and the
// seconds are printed as a JSON object a line.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/metrics/usefulness.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

using namespace synthdata;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Setting {
  std::string file, models = "ar,tvae,ctgan", target = "income", out;
  std::int64_t train = 23000, rows = 30000, epochs = 0;
  std::uint64_t seed = 1;
  Precision precision = Precision::f32;
};

/// Mean F1 over the four classifiers, and the AUC of the boosted trees, of rows against held-out ones.
void print_usefulness(const Table& train, const Table& rows, const Table& test, const Setting& s) {
  const UsefulnessReport report =
      usefulness_report(train, rows, test, s.target, {.seed = s.seed, .evaluators = [&] {
                                                        std::vector<Evaluator> all = ctgan_evaluators(s.seed);
                                                        all.push_back(standard_evaluators(s.seed).back());
                                                        return all;
                                                      }()});
  double synthetic = 0.0, real = 0.0;
  for (std::size_t i = 0; i + 1 < report.results.size(); ++i) {
    synthetic += report.results[i].synthetic.f1 / static_cast<double>(report.results.size() - 1);
    real += report.results[i].real.f1 / static_cast<double>(report.results.size() - 1);
  }
  const UsefulnessResult& boosted = report.results.back();
  std::printf("  F1 of the four, synthetic %.4f, real %.4f; AUC of %s %.4f, real %.4f\n", synthetic, real,
              boosted.classifier.c_str(), boosted.synthetic.roc_auc, boosted.real.roc_auc);
}

void run(const std::string& name, const Table& train, const Table& test, const Setting& s) {
  const double start = now();
  std::int64_t epochs = 0;
  const models::AnyTabularModel model = models::fit_tabular_model(name, train, {.epochs = s.epochs, .seed = s.seed},
                                                                  [&](const models::TabularProgress& p) {
                                                                    epochs = p.epoch;
                                                                    return true;
                                                                  });
  const double fitted = now();
  const Table rows = model.sample(s.rows, {}, {.seed = s.seed, .precision = s.precision});
  const double sampled = now();
  if (!s.out.empty()) {
    write_csv(s.out + name + ".csv", rows);
    std::printf(
        "%s\n",
        Json(Json::Object{{"model", name}, {"fit", fitted - start}, {"epochs", epochs}, {"sample", sampled - fitted}})
            .dump()
            .c_str());
    return;
  }
  constexpr int alone = 200;
  for (int i = 0; i < alone; ++i) static_cast<void>(model.sample(1, {}, {.seed = static_cast<std::uint64_t>(i)}));
  std::printf("%s, seed %llu: fit %.1f s (%lld epochs), %lld rows in %.3f s, one row %.0f us\n", name.c_str(),
              static_cast<unsigned long long>(s.seed), fitted - start, static_cast<long long>(epochs),
              static_cast<long long>(s.rows), sampled - fitted, (now() - sampled) / alone * 1e6);
  std::printf("  quality %.4f, held-out rows %.4f\n", quality_report(train, rows).score,
              quality_report(train, test).score);
  print_usefulness(train, rows, test, s);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  Setting s;
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--") && i + 1 < argc) {
      options[word.substr(2)] = argv[++i];
    } else {
      s.file = word;
    }
  }
  for (const auto& [key, value] : options) {
    if (key == "models")
      s.models = value;
    else if (key == "target")
      s.target = value;
    else if (key == "train")
      s.train = std::atoll(value.c_str());
    else if (key == "rows")
      s.rows = std::atoll(value.c_str());
    else if (key == "epochs")
      s.epochs = std::atoll(value.c_str());
    else if (key == "seed")
      s.seed = static_cast<std::uint64_t>(std::atoll(value.c_str()));
    else if (key == "precision" && (value == "f32" || value == "bf16"))
      s.precision = value == "bf16" ? Precision::bf16 : Precision::f32;
    else if (key == "out")
      s.out = value;
    else if (key == "threads")
      set_threads(std::atoi(value.c_str()));
    else
      throw Error("tabular_bench: unknown option --" + key + " " + value);
  }
  if (s.file.empty()) throw Error("tabular_bench: expects a CSV file");
  const Table table = read_csv(s.file);
  if (s.train >= table.size()) throw Error("tabular_bench: --train leaves no rows to test on");
  const std::vector<std::int64_t> order = Rng{s.seed}.permutation(table.size());
  const Table train = table.take({order.data(), static_cast<std::size_t>(s.train)});
  const Table test = table.take({order.data() + s.train, order.size() - static_cast<std::size_t>(s.train)});
  if (s.out.empty())
    std::printf("%s: %lld rows to learn, %lld held out, %d threads\n", s.file.c_str(), static_cast<long long>(s.train),
                static_cast<long long>(test.size()), threads());
  if (!s.out.empty()) write_csv(s.out + "train.csv", train);
  for (std::size_t begin = 0; begin < s.models.size();) {
    const std::size_t end = std::min(s.models.find(',', begin), s.models.size());
    run(s.models.substr(begin, end - begin), train, test, s);
    begin = end + 1;
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
