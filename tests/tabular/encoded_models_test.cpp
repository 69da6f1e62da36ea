// tests/tabular/encoded_models_test.cpp: the models that make encoded rows, Tvae and Ctgan, and what they share with
// others: any model by its name and file.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"
#include "made_up.hpp"

#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>

using namespace synthdata;
using models::between, models::Ctgan, models::fit_tabular_model, models::one_of, models::Tvae;
using test::data_error, test::has, test::made_up, test::share;

namespace {

models::TabularTraining short_training(std::int64_t epochs) {
  return {.epochs = epochs, .batch_size = 100, .learning_rate = 1e-3, .seed = 3};
}
const models::AnyTabularModel& trained(const std::string& name) {
  static const models::AnyTabularModel tvae = fit_tabular_model("tvae", made_up(3000), short_training(40));
  static const models::AnyTabularModel ctgan = fit_tabular_model("ctgan", made_up(3000), short_training(40));
  static const models::AnyTabularModel copula = fit_tabular_model("copula", made_up(3000));
  static const models::AnyTabularModel ar = fit_tabular_model("ar", made_up(3000), short_training(10));
  static const models::AnyTabularModel smote = fit_tabular_model("smote", made_up(1000));
  return name == "tvae" ? tvae : name == "ctgan" ? ctgan : name == "copula" ? copula : name == "ar" ? ar : smote;
}

}  // namespace

TEST_CASE("encoded models learn how columns depend on each other", "[tabular]") {
  const std::string name = GENERATE("tvae", "ctgan");
  INFO(name);
  const Table rows = trained(name).sample(2000, {}, {.seed = 5}), real = made_up(2000, 9);
  CHECK(rows["id"].cell(0).starts_with("K"));  // identifiers are made anew, texts learnt by their shape
  CHECK(rows["code"].cell(0).starts_with("X"));
  CHECK(rows.size() == 2000);
  const Column &group = rows["group"], &flag = rows["flag"], &score = rows["score"];
  CHECK(share(rows, [&](auto row) { return (group.cell(row) == "red") == flag.boolean(row); }) > 0.75);
  CHECK(share(rows, [&](auto row) {
          const double middle = group.cell(row) == "red" ? 0.0 : group.cell(row) == "green" ? 10.0 : 20.0;
          return std::abs(score.real(row) - middle) < 5.0;
        }) > 0.7);
  for (const char* column : {"group", "flag"}) {
    INFO(column);
    CHECK(tv_complement(real[column], rows[column]) > 0.8);
  }
  CHECK(ks_complement(real["score"], rows["score"]) > 0.75);
}

TEST_CASE("models of tables keep conditions", "[tabular]") {
  const std::string name = GENERATE("tvae", "ctgan", "copula", "smote");
  INFO(name);
  const Table rows = trained(name).sample(200, {{"group", "blue"}, {"score", between(15, 25)}}, {.seed = 5});
  REQUIRE(rows.size() == 200);
  CHECK(share(rows, [&](auto row) { return rows["group"].cell(row) == "blue"; }) == 1.0);
  CHECK(share(rows, [&](auto row) { return rows["score"].real(row) >= 15 && rows["score"].real(row) <= 25; }) == 1.0);
  CHECK(has(data_error([&] {
              trained(name).sample(5, {{"group", "violet"}}, {.rounds = 3});
            }),
            name == "copula" ? "no such value: \"violet\"" : "the one on column \"group\" stopped most"));
  CHECK(has(data_error([&] { trained(name).sample(5, {{"colour", "red"}}); }), "colour"));
  CHECK(has(data_error([&] { trained(name).sample(5, {{"group", 3}}); }), "it is categorical"));
  CHECK(trained(name).sample(0).size() == 0);
}

TEST_CASE("a saved model of any kind makes the same rows", "[tabular]") {
  const test::Scratch folder;
  const std::string name = GENERATE("tvae", "ctgan", "copula", "smote");
  const std::string path = folder / "model.safetensors";
  trained(name).save(path);
  const models::AnyTabularModel again = models::load_tabular_model(path);
  CHECK(again.sample(100, {}, {.seed = 8}) == trained(name).sample(100, {}, {.seed = 8}));
  CHECK(again.schema() == trained(name).schema());
  const std::string bytes = test::slurp(path);
  Rng rng{6};
  for (int i = 0; i < 200; ++i) {  // any change of the header is noticed or harmless
    std::string bad = bytes;
    bad[static_cast<std::size_t>(rng.below(4000))] = static_cast<char>(rng.below(256));
    test::spit(path, bad);
    try {
      static_cast<void>(models::load_tabular_model(path).sample(2));
    } catch (const Error&) {
    }
  }
  Archive other;
  other.metadata["format"] = "something else";
  save_safetensors(path, other);
  CHECK(has(data_error([&] { models::load_tabular_model(path); }), "expects a model of tables"));
  CHECK(has(data_error([&] { fit_tabular_model("gpt", made_up(50)); }), "ar, ctgan, tvae, copula or smote"));
}

TEST_CASE("models of tables give the same rows for any number of threads", "[tabular]") {
  const std::string name = GENERATE("tvae", "ctgan", "copula", "smote");
  const Table table = made_up(600);
  set_threads(1);
  const models::AnyTabularModel one = fit_tabular_model(name, table, short_training(2));
  const Table a = one.sample(700, {}, {.seed = 7});
  set_threads(3);
  CHECK(fit_tabular_model(name, table, short_training(2)).sample(700, {}, {.seed = 7}) == a);
  set_threads(0);
}

TEST_CASE("nets sample with bf16 products too: other rows, as good, whatever the threads", "[tabular]") {
  const std::string name = GENERATE("ar", "tvae", "ctgan");
  INFO(name);
  const models::AnyTabularModel& model = trained(name);
  const models::SampleOptions exact{.seed = 5}, narrow{.seed = 5, .precision = Precision::bf16};
  const Table a = model.sample(2000, {}, exact), b = model.sample(2000, {}, narrow);
  CHECK((a == b) == !backend::cpu::has_bf16());
  set_threads(1);
  CHECK(model.sample(2000, {}, narrow) == b);
  set_threads(0);
  CHECK(model.sample(2000, {}, exact) == a);  // nothing of it stays
  for (const char* column : {"group", "flag"}) CHECK(tv_complement(a[column], b[column]) > 0.95);
  CHECK(ks_complement(a["score"], b["score"]) > 0.95);
}

TEST_CASE("Ctgan is the mean of its weights, or the last ones", "[tabular]") {
  const Table table = made_up(300);
  const auto rows = [&](double average) {
    return Ctgan::fit(table, {.average = average}, short_training(3)).sample(20, {}, {.seed = 1});
  };
  CHECK_FALSE(rows(0.999) == rows(0.0));
  CHECK(has(data_error([&] { rows(1.0); }), "average in [0, 1)"));
}

TEST_CASE("models of tables learn odd tables or refuse them", "[tabular]") {
  const std::string name = GENERATE("tvae", "ctgan", "copula", "smote");
  INFO(name);
  CHECK_THROWS_AS(fit_tabular_model(name, Table()), DataError);
  CHECK_THROWS_AS(fit_tabular_model(name, parse_csv("a,b\n")), DataError);
  const Table numbers = parse_csv("a,b\n1.5,20\n2.5,11\n1.25,17\n9.5,31\n");  // no category to ask for
  CHECK(fit_tabular_model(name, numbers, short_training(2)).sample(3).size() == 3);
  const Table constant = parse_csv("a,b,c\n1,x,\n1,x,\n1,x,\n1,x,\n1,x,\n1,x,\n");
  const Table rows = fit_tabular_model(name, constant, short_training(1)).sample(4);
  CHECK(rows["a"].cell(3) == "1");
  CHECK(rows["b"].cell(3) == "x");
}
