// examples/synthesize_table.cpp: learns a table and writes one of rows that never were, with a report on how alike and
// how safe they are.
//
//   synthesize_table                                             made-up customers that come with the library
//   synthesize_table adult.csv --target income --model ctgan --rows 30000 --out synthetic.csv --report report.html
//   synthesize_table "crm.sqlite?table=people" --out "crm.sqlite?table=synthetic"
//   synthesize_table --load model.safetensors --rows 100 --where contract=monthly --where age=30..40
//   synthesize_table orders.csv --rules rules.json --column note=leave_out --balance country
//
//   synthesize_table adult.csv --minutes 30 --quality 0.97; interrupted, or not good enough yet: the same with --resume
//
// A fifth of the rows is held out: the model never sees them, and the report holds its numbers against theirs. Ctrl-C
// ends the training early, and all the rest follows; --resume goes on where it ended.
#include <synthdata/data/read.hpp>
#include <synthdata/data/split.hpp>
#include <synthdata/gan/interrupt.hpp>
#include <synthdata/metrics/table_report.hpp>
#include <synthdata/metrics/usefulness.hpp>
#include <synthdata/tabular.hpp>

#include <CLI/CLI.hpp>

#include <unistd.h>
#include <chrono>
#include <cstdio>

namespace sd = synthdata;

namespace {

struct Options {
  std::string in = SYNTHDATA_EXAMPLE_DATA "/people.csv", target, out = "runs/synthesize_table/synthetic.csv",
              report = "runs/synthesize_table/report.html", model = "ar",
              save = "runs/synthesize_table/model.safetensors", load, schema, rules, conditions, balance,
              state = "runs/synthesize_table/training.safetensors", device = "cpu";
  std::vector<std::string> where, columns;
  std::int64_t rows = 0, epochs = 0, megabytes = 0;
  double minutes = 0.0, quality = 0.0;
  bool resume = false;
  std::uint64_t seed = 1;
};

long long number(std::int64_t n) { return static_cast<long long>(n); }

/// "sex=Female", "age=30..40" or "colour=red|green".
std::pair<std::string, sd::models::Condition> parse_condition(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw sd::DataError("--where expects column=value, got " + text);
  const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
  const std::size_t dots = value.find("..");
  if (dots != std::string::npos) {
    try {
      return {name, sd::models::between(std::stod(value.substr(0, dots)), std::stod(value.substr(dots + 2)))};
    } catch (const std::logic_error&) {
      throw sd::DataError("--where expects a range such as 30..40, got " + value);
    }
  }
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find('|', begin), value.size());
    values.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return {name, sd::models::one_of(values)};
}

/// "note=leave_out"
std::pair<std::string, sd::models::ColumnUse> parse_use(const std::string& text) {
  using sd::models::ColumnUse;
  const std::size_t equals = std::min(text.rfind('='), text.size());
  for (const auto use : {ColumnUse::automatic, ColumnUse::learn, ColumnUse::regenerate, ColumnUse::leave_out}) {
    if (equals < text.size() && text.substr(equals + 1) == sd::models::name_of(use))
      return {text.substr(0, equals), use};
  }
  throw sd::DataError("--column expects column=learn, column=regenerate or column=leave_out, got " + text);
}

/// Rows by --rows, --conditions, --where and --balance.
sd::Table sample(const Options& o, const sd::models::AnyTabularModel& model, std::int64_t rows) {
  sd::models::Conditions conditions;
  if (!o.conditions.empty()) conditions = sd::models::load_conditions(o.conditions);
  for (const std::string& text : o.where) conditions.push_back(parse_condition(text));
  if (o.rows > 0) rows = o.rows;
  return o.balance.empty() ? model.sample(rows, conditions, {.seed = o.seed})
                           : model.sample_balanced(rows, o.balance, {}, conditions, {.seed = o.seed});
}

/// One line that renews itself on a terminal, else one in ten seconds.
class Progress {
 public:
  void operator()(const sd::models::TabularProgress& p) {
    const bool terminal = ::isatty(2) != 0;
    if (!terminal && p.seconds < shown_ + 10.0 && shown_ > 0.0) return;
    shown_ = p.seconds;
    std::string more;
    if (p.step < p.steps) more += sd::concat(" (", 100 * p.step / p.steps, " %)");
    more += sd::concat("  loss ", rounded(p.loss));
    if (p.held_out == p.held_out) more += sd::concat("  held out ", rounded(p.held_out));
    if (p.quality == p.quality) more += sd::concat("  quality ", rounded(p.quality));
    std::fprintf(stderr, "%sepoch %lld of at most %lld%s  %.0f s, at most %.0f s left%s", terminal ? "\r\x1b[K" : "",
                 number(p.epoch), number(p.epochs), more.c_str(), p.seconds, p.seconds_left, terminal ? "" : "\n");
  }

 private:
  static std::string rounded(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
  }
  double shown_ = 0.0;
};

sd::models::AnyTabularModel fit(const Options& o, const sd::Table& training) {
  sd::models::TabularOptions options;
  if (!o.rules.empty()) options.rules = sd::models::Rules::load(o.rules);
  for (const std::string& text : o.columns) options.columns.uses.insert(parse_use(text));
  sd::models::TabularTraining& how = options.training;
  how = {.epochs = o.epochs, .seed = o.seed};
  if (training.size() >= 100) how.quality_share = 0.1;  // of fewer rows none can be spared to compare with
  if (o.minutes > 0.0) how.minutes = o.minutes;
  if (o.quality > 0.0) how.enough_quality = o.quality;
  how.max_bytes = o.megabytes * 1'000'000;
  how.state_file = o.state;
  how.resume = o.resume;
  how.plan = [](const sd::models::TabularPlan& plan) { std::printf("%s\n", plan.str().c_str()), std::fflush(stdout); };
  sd::Interrupt interrupt;
  Progress progress;
  const sd::OnDevice there(sd::device(o.device));
  auto model = sd::models::fit_tabular_model(o.model, training, options, [&](const sd::models::TabularProgress& p) {
    progress(p);
    return !interrupt.requested();
  });
  std::fprintf(stderr, "\n");
  if (interrupt.requested() && !o.state.empty()) {
    std::printf("interrupted; the same command with --resume goes on from %s\n", o.state.c_str());
  }
  return model;
}

int run(Options o) {
  if (o.load.empty() && o.in == SYNTHDATA_EXAMPLE_DATA "/people.csv") {
    if (o.target.empty()) o.target = "left";
    if (o.rules.empty()) o.rules = SYNTHDATA_EXAMPLE_DATA "/people_rules.json";
  }
  if (!o.load.empty()) {
    const sd::Table made = sample(o, sd::models::load_tabular_model(o.load), 100);
    sd::write(o.out, made);
    std::printf("%s%lld rows of %s in %s\n", made.head(5).c_str(), number(made.size()), o.load.c_str(), o.out.c_str());
    return 0;
  }

  const auto start = std::chrono::steady_clock::now();
  const sd::Table table = sd::read(o.in, o.schema.empty() ? sd::Schema{} : sd::Schema::load(o.schema));
  const auto parts = o.target.empty() ? sd::random_split(table.size(), {0.8, 0.2}, o.seed)
                                      : sd::stratified_split(table[o.target], {0.8, 0.2}, o.seed);
  const auto [training, holdout] = sd::pick(table, parts);
  std::printf("%s: %lld rows, %zu columns; %lld to learn from, %lld held out\n%s", o.in.c_str(), number(table.size()),
              table.columns().size(), number(training.size()), number(holdout.size()), table.schema().str().c_str());

  const sd::models::AnyTabularModel model = fit(o, training);
  if (!o.save.empty()) model.save(o.save);
  const sd::Table made = sample(o, model, training.size());
  sd::write(o.out, made);
  std::printf("\n%s%s\n", model.transform().str().c_str(), made.head(5).c_str());

  if (!o.report.empty()) {
    // Columns that are left out are no part of the comparison.
    std::vector<std::string> names;
    for (const sd::Column& column : made.columns()) names.push_back(column.name());
    const sd::Table known = training.select(names), fresh = holdout.select(names);
    sd::TableReportOptions options{
        .title = "Report on synthetic rows of " + o.in,
        .facts = {{"model", o.model},
                  {"seed", sd::concat(o.seed)},
                  {"source", o.in},
                  {"synthdata",
                   sd::concat(SYNTHDATA_VERSION_MAJOR, ".", SYNTHDATA_VERSION_MINOR, ".", SYNTHDATA_VERSION_PATCH)}}};
    if (!o.target.empty()) {
      const sd::UsefulnessReport useful = sd::usefulness_report(known, made, fresh, o.target);
      std::printf("%s\n", useful.str().c_str());
      for (const sd::UsefulnessResult& result : useful.results) {
        options.usefulness.push_back({result.classifier, "AUC", result.real.roc_auc, result.synthetic.roc_auc});
        options.usefulness.push_back({result.classifier, "F1", result.real.f1, result.synthetic.f1});
      }
    }
    const sd::TableReport report = sd::table_report(known, fresh, made, o.target, options);
    report.save(o.report);
    std::printf(
        "quality %.4f (held-out rows: %.4f), nearer to training than to held-out rows: %.3f (0.5 is best), "
        "attacks that found something: %lld of %zu\n",
        report.quality.score, report.quality_ceiling.score, report.share.share(), number(report.found()),
        report.attacks.size());
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf("\n%lld rows in %s%s%s%s%s after %.1f s\n", number(made.size()), o.out.c_str(),
              o.report.empty() ? "" : ", report in ", o.report.c_str(), o.save.empty() ? "" : ", model in ",
              o.save.c_str(), spent.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Learns a table and writes rows like it, with a report.");
  app.add_option("table", o.in, "file (.csv, .jsonl, .xml, ...) or name of a database; made-up customers without it");
  app.add_option("--target", o.target, "column that classifiers predict in the report");
  app.add_option("--model", o.model, "ar, ctgan, tvae, copula or smote")->capture_default_str();
  app.add_option("--rows", o.rows, "rows to make; as many as were learnt from without it");
  app.add_option("--where", o.where, "column=value, column=30..40 or column=red|green; may be given several times");
  app.add_option("--conditions", o.conditions,
                 "JSON file of conditions: {\"contract\": \"monthly\", \"age\": {\"low\": 30}}");
  app.add_option("--balance", o.balance, "make as many rows of each value of this column");
  app.add_option("--rules", o.rules,
                 "JSON file of rules between columns, which the table keeps and the rows are to keep");
  app.add_option("--column", o.columns, "column=learn, =regenerate or =leave_out; may be given several times");
  app.add_option("--schema", o.schema, "JSON file of the columns, as Schema::save writes it");
  app.add_option("--epochs", o.epochs, "passes over the rows at most");
  app.add_option("--minutes", o.minutes, "of training at most");
  app.add_option("--quality", o.quality,
                 "training ends when sampled rows reach this score, 0 to 1, against held-out ones");
  app.add_option("--megabytes", o.megabytes, "of memory for training at most; batches are made smaller for it");
  app.add_option("--state", o.state,
                 "file of the training's state, written every five minutes and at its end; empty for none")
      ->capture_default_str();
  app.add_flag("--resume", o.resume, "go on with the training in --state; table, model and seed as before");
  app.add_option("--device", o.device, "where the nets learn: cpu, cuda, cuda:1, ..., or auto")->capture_default_str();
  app.add_option("--out", o.out, "where the rows go: a file or a database")->capture_default_str();
  app.add_option("--report", o.report, "HTML file; empty for none")->capture_default_str();
  app.add_option("--save", o.save, "file of the model; empty for none")->capture_default_str();
  app.add_option("--load", o.load, "sample from this model instead of learning one");
  app.add_option("--seed", o.seed, "of split, training and rows")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "\nsynthesize_table: %s\n", e.what());
    return 1;
  }
}
