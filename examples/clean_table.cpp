// examples/clean_table.cpp: from a dirty table to one that a model can learn from: looked at, cleaned, split, encoded.
//
//   clean_table                                          900 made-up customers with the faults of real files
//   clean_table adult.csv --target income                CSV, JSON Lines, XML, ... by the extension
//   clean_table "adult.sqlite?table=people" --target income      a database, also postgresql:// and mysql://
//
// What is learnt (limits, fill values, scales) is learnt from the training rows alone and saved, so that rows that come
// later are treated alike.
#include <synthdata/data.hpp>
#include <synthdata/io/npy.hpp>
#include <synthdata/io/safetensors.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>

namespace sd = synthdata;

namespace {

struct Options {
  std::string in = SYNTHDATA_EXAMPLE_DATA "/people.csv", target, out = "runs/clean_table",
              key = "only for this example";
  std::uint64_t seed = 1;
};

class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// What stands in for a personal column: a made-up name, mail or phone number where the column holds one, else a token.
sd::PseudonymFormat format_for(sd::PersonalKind kind) {
  switch (kind) {
    case sd::PersonalKind::name:
      return sd::PseudonymFormat::name;
    case sd::PersonalKind::mail:
      return sd::PseudonymFormat::mail;
    case sd::PersonalKind::phone:
      return sd::PseudonymFormat::phone;
    default:
      return sd::PseudonymFormat::token;
  }
}

/// Personal columns of texts replaced by pseudonyms.
sd::Table without_names(const sd::Table& table, const std::string& key) {
  const sd::PersonalColumns found = sd::detect_personal(table);
  std::vector<sd::PseudonymRule> rules;
  for (const sd::PersonalColumn& column : found.columns) {
    const sd::ColumnType type = table[column.column].type();
    const bool text = type == sd::ColumnType::text || type == sd::ColumnType::identifier;
    if (text && column.confidence >= 0.5) rules.push_back({.column = column.column, .format = format_for(column.kind)});
  }
  std::printf("\npersonal columns:\n%s", found.columns.empty() ? "none\n" : found.str().c_str());
  if (rules.empty()) return table;
  sd::CleaningReport report;
  const sd::Table replaced = sd::Pseudonyms(key, rules).apply(table, &report);
  std::printf("%s", report.str().c_str());
  return replaced;
}

int run(Options o) {
  const Clock clock;
  if (o.in.find("people.csv") != std::string::npos && o.target.empty()) o.target = "left";
  const sd::Table raw = sd::read(o.in);
  std::printf("%s: %lld rows, %zu columns in %.2f s\n%s", o.in.c_str(), static_cast<long long>(raw.size()),
              raw.columns().size(), clock.seconds(), raw.head(5).c_str());
  sd::make_folders(o.out);
  sd::profile(raw).save_html(o.out + "/before.html", "Before cleaning");

  const sd::Table named = without_names(raw, o.key);

  // The split comes first: nothing is learnt from validation and test rows.
  const double shares[] = {0.7, 0.15, 0.15};
  sd::CleaningReport doubles;
  const sd::Table rows = sd::Duplicates::fit(named).apply(named, &doubles);
  const auto parts = o.target.empty() ? sd::random_split(rows.size(), {shares[0], shares[1], shares[2]}, o.seed)
                                      : sd::stratified_split(rows[o.target], {shares[0], shares[1], shares[2]}, o.seed);
  const auto [train_raw, validation_raw, test_raw] = sd::pick(rows, parts);

  sd::Cleaner cleaner;
  sd::CleaningReport report;
  sd::Table train = cleaner.fit(train_raw, sd::DropColumnsOptions{.max_missing_share = 0.6}, &report);
  if (!o.target.empty()) train = cleaner.fit(train, sd::DropMissingRowsOptions{.columns = {o.target}}, &report);
  // Only what is far out, and by deviations: where most values are one and the same, quartiles would clip all others.
  train = cleaner.fit(train, sd::OutliersOptions{.rule = sd::OutlierRule::sigma, .factor = 6.0}, &report);
  train = cleaner.fit(train, sd::FillMissingOptions{.fill = sd::Fill::median}, &report);
  const sd::Table validation = cleaner.apply(validation_raw), test = cleaner.apply(test_raw);
  std::printf("\ncleaning\n%s%s", doubles.str().c_str(), report.str().c_str());
  if (!o.target.empty() &&
      (train[o.target].type() == sd::ColumnType::categorical || train[o.target].type() == sd::ColumnType::boolean)) {
    sd::CleaningReport doubted;
    sd::SuspiciousLabels::fit(train, {.label = o.target}).apply(train, &doubted);
    std::printf("%s", doubted.str().c_str());
  }

  const sd::TableEncoder encoder = sd::TableEncoder::fit(
      train, {.numbers = sd::transform::Standardize{}, .few = 2, .unknown = sd::UnknownRule::missing});
  std::printf("\nencoding\n%s", encoder.str().c_str());
  const std::pair<const char*, const sd::Table*> all[] = {
      {"train", &train}, {"validation", &validation}, {"test", &test}};
  for (const auto& [name, table] : all) {
    sd::write(sd::concat(o.out, "/", name, ".csv"), *table);
    sd::write_npy(sd::concat(o.out, "/", name, ".npy"), encoder.encode(*table));
  }
  sd::Archive archive;
  cleaner.save(archive);
  encoder.save(archive, "encoder");
  sd::save_safetensors(o.out + "/preparation.safetensors", archive);
  sd::profile(train).save_html(o.out + "/after.html", "Training rows after cleaning");

  std::printf(
      "\nin %s after %.2f s:\n"
      "  before.html, after.html          what is in the table, before and after; open them in a browser\n"
      "  train, validation, test .csv     %lld, %lld and %lld clean rows\n"
      "  train, validation, test .npy     the same encoded, %lld numbers a row\n"
      "  preparation.safetensors          all that was learnt, for rows that come later\n",
      o.out.c_str(), clock.seconds(), static_cast<long long>(train.size()), static_cast<long long>(validation.size()),
      static_cast<long long>(test.size()), static_cast<long long>(encoder.width()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Makes a clean, split and encoded data set from a table.");
  app.add_option("table", o.in, "file or name of a database; made-up customers without it");
  app.add_option("--target", o.target,
                 "column to predict: keeps its shares in all parts, and rows without it are dropped");
  app.add_option("--out", o.out, "folder for everything that is written")->capture_default_str();
  app.add_option("--key", o.key, "secret of at least 16 bytes that the pseudonyms follow from");
  app.add_option("--seed", o.seed, "of the split")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clean_table: %s\n", e.what());
    return 1;
  }
}
