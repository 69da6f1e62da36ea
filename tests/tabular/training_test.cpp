// tests/tabular/training_test.cpp: training of all models of tables: resuming, stop rules, quality, memory, threads.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"
#include "made_up.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>
#include <synthdata/tabular/training_loop.hpp>

#include <cmath>

using namespace synthdata;
using models::AnyTabularModel, models::fit_tabular_model, models::StopRule, models::TabularPlan,
    models::TabularProgress, models::TabularTraining;
using test::data_error, test::has, test::made_up;

namespace {

TabularTraining short_training(std::int64_t epochs) {
  return {.epochs = epochs, .batch_size = 100, .learning_rate = 1e-3, .seed = 3};
}
/// All numbers of a model.
std::string bytes_of(const AnyTabularModel& model) {
  const test::Scratch folder;
  model.save(folder / "model");
  return test::slurp(folder / "model");
}

}  // namespace

TEST_CASE("resumed training ends with the bits of one that was never interrupted", "[tabular]") {
  const test::Scratch folder;
  const Table table = made_up(700);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    for (const StopRule stop : {StopRule::model, StopRule::quality}) {
      INFO(name << (stop == StopRule::model ? ", model" : ", quality"));
      TabularTraining how = short_training(6);
      how.stop = stop;
      how.quality_every = 1;
      how.quality_rows = 300;
      std::vector<double> seen, again;
      const auto note = [](std::vector<double>& into) {
        return [&into](const TabularProgress& p) {
          into.insert(into.end(), {static_cast<double>(p.epoch), p.loss, p.quality});
          return true;
        };
      };
      const std::string whole = bytes_of(fit_tabular_model(name, table, how, note(seen)));

      how.state_file = folder / concat(name, static_cast<int>(stop));
      how.epochs = 3;
      fit_tabular_model(name, table, how, note(again));
      how.epochs = 6;
      how.resume = true;
      CHECK(bytes_of(fit_tabular_model(name, table, how, note(again))) == whole);
      CHECK(again == seen);
      CHECK(bytes_of(fit_tabular_model(name, table, how)) == whole);  // nothing is left to do
    }
  }
}

TEST_CASE("training is resumed in the middle of an epoch", "[tabular]") {
  const test::Scratch folder;
  const Table table = made_up(700);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    TabularTraining how = short_training(2);
    const std::string whole = bytes_of(fit_tabular_model(name, table, how));
    how.state_file = folder / name;
    how.minutes = 1e-9;  // over after one update
    int sittings = 0;
    std::string last;
    for (bool done = false; !done && sittings < 100; ++sittings) {
      last = bytes_of(fit_tabular_model(name, table, how, [&](const TabularProgress& p) {
        done = p.epoch == 2 && p.step == p.steps;
        return true;
      }));
      how.resume = true;
    }
    CHECK(sittings >= 12);  // 6 or 7 batches an epoch
    CHECK(sittings <= 14);
    CHECK(last == whole);
  }
}

TEST_CASE("a state of another training is refused", "[tabular]") {
  const test::Scratch folder;
  const Table table = made_up(300);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    TabularTraining how = short_training(1);
    how.state_file = folder / name;
    CHECK(has(data_error([&] {
                TabularTraining absent = how;
                absent.resume = true;
                fit_tabular_model(name, table, absent);
              }),
              how.state_file));
    fit_tabular_model(name, table, how);
    how.resume = true;
    const auto refusal = [&](const Table& of, const TabularTraining& with) {
      return data_error([&] { fit_tabular_model(name, of, with); });
    };
    CHECK(has(refusal(made_up(300, 2), how), "is the state of another training"));
    CHECK(has(refusal(made_up(301), how), "301 rows"));
    TabularTraining other = how;
    other.batch_size = 90;
    CHECK(has(refusal(table, other), "batch_size was 100, is now 90"));
    other = how;
    other.seed = 4;
    CHECK(has(refusal(table, other), "is the state of another training"));
    other = how;
    other.learning_rate = 2e-3;
    CHECK(has(refusal(table, other), "learning_rate was 0.001, is now 0.002"));

    const std::string bytes = test::slurp(how.state_file);
    Rng rng{6};
    for (int i = 0; i < 100; ++i) {  // a change of the header is noticed or harmless
      std::string bad = bytes;
      bad[static_cast<std::size_t>(rng.below(3000))] = static_cast<char>(rng.below(256));
      test::spit(how.state_file, bad);
      try {
        fit_tabular_model(name, table, how);
      } catch (const DataError&) {
      }
    }
    test::spit(how.state_file, bytes.substr(0, bytes.size() / 2));
    CHECK_THROWS_AS(fit_tabular_model(name, table, how), DataError);
    fit_tabular_model(name, table, {.epochs = 1, .seed = 3}).save(how.state_file);
    CHECK(has(refusal(table, how), "is not the state of a training"));
  }
  TabularTraining how = short_training(1);
  how.state_file = folder / "of ar";
  fit_tabular_model("ar", table, how);
  how.resume = true;
  CHECK(has(data_error([&] { fit_tabular_model("tvae", table, how); }), "model was \"ar\", is now \"tvae\""));
  CHECK(has(data_error([&] { models::load_tabular_model(how.state_file); }), "expects a model of tables"));
}

TEST_CASE("tables of the same values have the same fingerprint, others another", "[tabular]") {
  using models::detail::fingerprint;
  const Table table = made_up(100);
  CHECK(fingerprint(table) == fingerprint(made_up(100)));
  std::vector<std::int64_t> order;
  for (std::int64_t row = 0; row < 100; ++row) order.push_back(row);
  CHECK(fingerprint(table.take(order)) == fingerprint(table));
  CHECK(fingerprint(table.rows(13, 40)) == fingerprint(table.take({order.data() + 13, 27})));
  std::swap(order[3], order[4]);
  for (const Column& column : table.columns()) {
    INFO(column.name());
    const bool same = column.cell(3) == column.cell(4);
    CHECK((fingerprint(table.with(column.take(order))) == fingerprint(table)) == same);
  }
  CHECK(fingerprint(table.without({"id"})) != fingerprint(table));
}

TEST_CASE("training stops by the quality, and keeps the state of the best", "[tabular]") {
  const Table table = made_up(600);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    const std::vector<double> script = {0.2, 0.5, 0.3, 0.4, 0.45, 0.9};
    std::size_t measured = 0;
    TabularTraining how = short_training(6);
    how.stop = StopRule::quality;
    how.patience = 2;
    how.quality_every = 1;
    how.quality_rows = 50;
    how.quality = [&](const Table& held_out, const Table& sampled) {
      CHECK(held_out.size() == 60);
      CHECK(sampled.size() == 50);
      return script.at(measured++);
    };
    std::int64_t epochs = 0;
    const AnyTabularModel model = fit_tabular_model(name, table, how, [&](const TabularProgress& p) {
      epochs = p.epoch;
      CHECK(p.quality == script.at(measured - 1));
      return true;
    });
    CHECK(epochs == 4);
    how.stop = StopRule::never;
    how.epochs = 2;
    measured = 0;
    CHECK(bytes_of(fit_tabular_model(name, table, how)) == bytes_of(model));

    how.epochs = 6;
    how.enough_quality = 0.5;
    measured = 0;
    CHECK(bytes_of(fit_tabular_model(name, table, how)) == bytes_of(model));
    CHECK(measured == 2);
  }
}

TEST_CASE("training stops by the held-out loss", "[tabular]") {
  const Table table = made_up(300);
  TabularTraining how = short_training(200);
  how.learning_rate = 5e-3;
  how.batch_size = 20;
  how.stop = StopRule::loss;
  double lowest = 1e9;
  std::int64_t epochs = 0, best = 0;
  const AnyTabularModel model = fit_tabular_model("tvae", table, how, [&](const TabularProgress& p) {
    epochs = p.epoch;
    if (p.held_out < lowest) lowest = p.held_out, best = p.epoch;
    return true;
  });
  CHECK(epochs < 200);
  CHECK(epochs == best + how.patience);
  how.epochs = best;
  how.patience = 1000;
  CHECK(bytes_of(fit_tabular_model("tvae", table, how)) == bytes_of(model));
  CHECK(has(data_error([&] { fit_tabular_model("ctgan", table, how); }), "GAN"));
}

TEST_CASE("quality is that of the report, and is measured without being asked to decide", "[tabular]") {
  const Table table = made_up(1000);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    TabularTraining how = short_training(2);
    double quality = -1.0;
    how.quality_share = 0.5;
    const AnyTabularModel model = fit_tabular_model(name, table, how, [&](const TabularProgress& p) {
      quality = p.quality;  // after the first epoch at least
      CHECK(p.seconds_left >= 0.0);
      return true;
    });
    CHECK(quality > 0.4);
    CHECK(quality < 1.0);
    how.quality_share = 0.0;
    how.quality_every = 2;
    double asked = -1.0;
    how.quality = [&](const Table& held_out, const Table& sampled) {
      return asked = quality_report(held_out, sampled).score;
    };
    CHECK(bytes_of(fit_tabular_model(name, table, how)) == bytes_of(model));  // measuring changes nothing
    how.quality = {};
    fit_tabular_model(name, table, how, [&](const TabularProgress& p) {
      quality = p.quality;
      CHECK(std::isnan(p.quality) == (p.epoch == 1));
      return true;
    });
    CHECK(quality == asked);
  }
}

TEST_CASE("a bound of memory makes batches smaller or is refused", "[tabular]") {
  const Table table = made_up(2000);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    TabularTraining how{.epochs = 1, .batch_size = 1000, .seed = 3};
    TabularPlan plan;
    int plans = 0;
    how.plan = [&](const TabularPlan& p) { plan = p, ++plans; };
    how.minutes = 1e-9;
    fit_tabular_model(name, table, how);
    CHECK(plans == 1);
    CHECK(plan.batch_size == 1000);
    CHECK(plan.parameters > 1000);
    CHECK(plan.rows + plan.held_out == 2000);
    CHECK(plan.steps == plan.rows / 1000);
    CHECK(has(plan.str(), "batches of 1000"));
    how.max_bytes = plan.memory.total() - plan.memory.batch / 4;
    fit_tabular_model(name, table, how);
    CHECK(plan.memory.total() <= how.max_bytes);
    CHECK(plan.batch_size >= 240);
    CHECK(plan.batch_size <= 500);
    CHECK(plan.batch_size % 10 == 0);
    how.max_bytes = plan.memory.rows;
    CHECK(has(data_error([&] { fit_tabular_model(name, table, how); }), "what would help"));
  }
}

TEST_CASE("memory needed on Adult is what was predicted, within a quarter", "[tabular]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Table adult = read_csv(test::data_dir() + "/adult/adult.csv").rows(0, 23000);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    for (const std::int64_t batch : {0, 2000}) {
      TabularTraining how{.epochs = 1, .batch_size = batch, .seed = 3};
      TabularPlan plan;
      how.plan = [&](const TabularPlan& p) { plan = p; };
      how.minutes = batch == 0 ? 1.0 : 0.02;
      empty_memory_cache();
      const std::int64_t before = memory_stats().live_bytes;
      fit_tabular_model(name, adult, how);
      const MemoryStats after = memory_stats();  // what was freed is kept for reuse: all that was taken, in use or not
      auto taken = static_cast<double>(after.live_bytes + after.cached_bytes - before);
      if (name == std::string("ar")) taken += static_cast<double>(plan.memory.rows);  // codes are no tensor
      INFO(name << ", batches of " << plan.batch_size << ": " << plan.str() << "; taken " << taken);
      CHECK(static_cast<double>(plan.memory.total()) == Approx(taken).epsilon(0.25));
    }
  }
  empty_memory_cache();
}

TEST_CASE("training and sampling are the same for any number of threads", "[tabular]") {
  const Table table = made_up(800);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    TabularTraining how = short_training(3);
    how.stop = StopRule::quality;
    how.quality_every = 1;
    how.quality_rows = 600;
    std::string bytes[2];
    Table rows[2];
    for (int i = 0; i < 2; ++i) {
      set_threads(i + 1);
      const AnyTabularModel model = fit_tabular_model(name, table, how);
      bytes[i] = bytes_of(model);
      rows[i] = model.sample(1500, {{"group", "red"}}, {.seed = 4});
    }
    set_threads(0);
    CHECK(bytes[0] == bytes[1]);
    CHECK(rows[0] == rows[1]);
  }
}

TEST_CASE("a loss that is not finite ends training, and leaves the state file as it was", "[tabular]") {
  const test::Scratch folder;
  const Table table = made_up(300);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    TabularTraining how = short_training(20);
    how.learning_rate = 1e30;
    how.state_file = folder / name;
    CHECK_THROWS_AS(fit_tabular_model(name, table, how), NumericError);
    CHECK_THROWS_AS(load_safetensors(how.state_file), DataError);  // never written
  }
}

TEST_CASE("options of training out of range are refused", "[tabular]") {
  const Table table = made_up(50);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    const auto refusal = [&](const TabularTraining& how) {
      return data_error([&] { fit_tabular_model(name, table, how); });
    };
    CHECK(has(refusal({.epochs = -1}), "epochs"));
    CHECK(has(refusal({.minutes = 0.0}), "minutes"));
    CHECK(has(refusal({.minutes = std::nan("")}), "minutes"));
    CHECK(has(refusal({.validation = 1.0}), "validation"));
    CHECK(has(refusal({.stop = StopRule::quality}), "never measured"));
    CHECK(has(refusal({.enough_quality = 0.9}), "never measured"));
    CHECK(has(refusal({.resume = true}), "state_file"));
    CHECK(has(refusal({.validation = 0.0, .quality_every = 1}), "no rows are held out"));
  }
}
