// tests/metrics/attacks_test.cpp: privacy attacks against those of Anonymeter, by hand, and on tables that leak
// nothing.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/data/csv.hpp>
#include <synthdata/metrics/record_attacks.hpp>
#include <synthdata/metrics/singling_out.hpp>

#include <synthdata/core/parallel.hpp>

#include <cmath>

using namespace synthdata;

namespace {

using Names = std::vector<std::string>;
const Names first_side{"age", "education-num", "fnlwgt", "occupation"};
const Names second_side{"hours-per-week", "capital-gain",   "marital-status",
                        "relationship",   "native-country", "workclass"};

struct Adult {
  Table training, holdout, copies, fresh;
};
/// The tables of tests/reference/make_attacks.py.
Adult adult_tables() {
  const Table adult = read_csv(test::data_dir() + "/adult/adult.csv");
  return {adult.rows(0, 8000), adult.rows(8000, 16000), adult.rows(16000, 20000).append(adult.rows(0, 4000)),
          adult.rows(16000, 24000)};
}

AttackResult run(const std::string& name, const Adult& adult, const Table& synthetic, std::uint64_t seed) {
  const Table &training = adult.training, &holdout = adult.holdout;
  const AttackOptions attack{.attacks = 1000, .seed = seed};
  if (name == "singling_out_1") return singling_out(training, synthetic, holdout, {.attack = attack, .columns = 1});
  if (name == "singling_out_3") return singling_out(training, synthetic, holdout, {.attack = attack});
  if (name == "linkability_1")
    return linkability(training, synthetic, holdout, first_side, second_side, {.attack = attack});
  if (name == "linkability_10") {
    return linkability(training, synthetic, holdout, first_side, second_side, {.attack = attack, .neighbours = 10});
  }
  if (name == "inference_income")
    return attribute_inference(training, synthetic, holdout, "income", {}, {.attack = attack});
  if (name == "inference_fnlwgt")
    return attribute_inference(training, synthetic, holdout, "fnlwgt", {}, {.attack = attack});
  REQUIRE(name == "inference_occupation");
  const Names known{"sex", "education", "marital-status", "age", "hours-per-week"};
  return attribute_inference(training, synthetic, holdout, "occupation", known, {.attack = attack});
}

/// Five columns of one source: numbers that depend on each other, a rounded one, two of categories; some are missing.
Table draw_people(std::int64_t rows, Rng rng) {
  std::vector<double> height, weight;
  std::vector<std::int64_t> age, town, sex;
  std::vector<bool> missing;
  for (std::int64_t i = 0; i < rows; ++i) {
    sex.push_back(rng.below(2));
    height.push_back(165.0 + 12.0 * static_cast<double>(sex.back()) + 7.0 * rng.normal());
    weight.push_back(0.9 * (height.back() - 100.0) + 9.0 * rng.normal());
    age.push_back(18 + rng.below(60));
    town.push_back(rng.below(3) * rng.below(3));
    missing.push_back(rng.below(20) == 0);
  }
  return Table({Column::reals("height", height), Column::reals("weight", weight, missing), Column::integers("age", age),
                Column::categorical("town", town, {"a", "b", "c", "d", "e"}),
                Column::categorical("sex", sex, {"f", "m"})});
}

/// All attacks, membership last, twice.
std::vector<AttackResult> all_attacks(const Table& training, const Table& synthetic, const Table& holdout,
                                      std::uint64_t seed, std::vector<MembershipResult>& memberships) {
  const AttackOptions attack{.attacks = 200, .seed = seed};
  const Names one{"height", "town"}, other{"weight", "age", "sex"};
  std::vector<AttackResult> all{
      singling_out(training, synthetic, holdout, {.attack = attack, .columns = 1}),
      singling_out(training, synthetic, holdout, {.attack = attack, .tries = 4000}),
      linkability(training, synthetic, holdout, one, other, {.attack = attack, .neighbours = 5}),
      attribute_inference(training, synthetic, holdout, "sex", {}, {.attack = attack}),
      attribute_inference(training, synthetic, holdout, "weight", {}, {.attack = attack})};
  for (const MembershipScore score : {MembershipScore::distance, MembershipScore::density_ratio}) {
    memberships.push_back(membership(training, synthetic, holdout, {.score = score, .seed = seed}));
    all.push_back(memberships.back().attack);
  }
  return all;
}

}  // namespace

TEST_CASE("attacks on Adult succeed as often as those of Anonymeter", "[attacks]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Adult adult = adult_tables();
  const Json expected = parse_json(read_file(test::reference("attacks.json")));
  for (const auto& [which, cases] : *expected.get_if<Json::Object>()) {
    for (const auto& [name, seeds] : *cases.get_if<Json::Object>()) {
      double theirs[3] = {}, ours[3] = {};
      for (const Json& counts : *seeds.get_if<Json::Array>()) {
        for (std::size_t i = 0; i < 3; ++i) theirs[i] += counts.get_if<Json::Array>()->at(i).number();
      }
      const std::size_t runs = seeds.get_if<Json::Array>()->size();
      for (std::uint64_t seed = 0; seed < runs; ++seed) {
        const AttackResult result = run(name, adult, which == "fresh" ? adult.fresh : adult.copies, seed);
        REQUIRE(result.main.attempts == 1000);
        ours[0] += result.main.successes;
        ours[1] += result.baseline.successes;
        ours[2] += result.control.successes;
      }
      const double attempts = 1000.0 * static_cast<double>(runs);
      for (std::size_t i = 0; i < 3; ++i) {
        if (i == 1 && name.starts_with("inference")) continue;  // see make_attacks.py
        const double p = (ours[i] + theirs[i] + 2.0) / (2.0 * attempts + 4.0);
        // four standard deviations of the difference of two counts, of 42
        INFO(which << ' ' << name << ' ' << i << ": " << ours[i] << " and " << theirs[i] << " of " << attempts);
        CHECK(std::abs(ours[i] - theirs[i]) <= 4.0 * std::sqrt(2.0 * attempts * p * (1.0 - p)));
      }
    }
  }
}

TEST_CASE("equally near rows are guessed from at random", "[attacks]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Adult adult = adult_tables();
  const Names known{"sex", "education", "marital-status", "age", "hours-per-week"};
  double hits = 0.0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    hits += attribute_inference(adult.training, adult.copies, adult.holdout, "occupation", known,
                                {.attack = {.attacks = 8000, .seed = seed}})
                .main.successes;
  }
  // numpy, over all 8000 training rows: the mean share of right ones among the equally near rows is 0.43658 to 0.43686
  CHECK(hits / 32000.0 == Approx(0.4367).margin(4.0 * 0.5 / std::sqrt(32000.0)));
}

TEST_CASE("attacks find planted copies of half the training rows", "[attacks]") {
  SYNTHDATA_NEED_DATA("adult/adult.csv");
  const Adult adult = adult_tables();
  for (const char* name : {"singling_out_1", "singling_out_3", "linkability_1", "linkability_10", "inference_income",
                           "inference_fnlwgt", "inference_occupation"}) {
    const AttackResult result = run(name, adult, adult.copies, 1);
    INFO(result.str());
    CHECK(result.found());
    CHECK(!result.weak());
    CHECK(test::has(result.sentence(), "gives away"));
  }
  for (const MembershipScore score : {MembershipScore::distance, MembershipScore::density_ratio}) {
    const MembershipResult result = membership(adult.training, adult.copies, adult.holdout, {.score = score});
    INFO(result.str());
    CHECK(result.found());
    CHECK(result.auc == Approx(0.75).margin(0.02));  // half are certain, half are not told apart
    CHECK(result.advantage() == Approx(0.5).margin(0.02));
    CHECK(result.attack.main.attempts == 8000);
  }
}

TEST_CASE("fresh rows of the source raise no more alarms than the confidence allows", "[attacks]") {
  constexpr int runs = 40;
  int covered = 0, alarms = 0, intervals = 0, auc_covered = 0;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    const Rng rng = Rng(11).split(seed);
    std::vector<MembershipResult> memberships;
    for (const AttackResult& result : all_attacks(draw_people(300, rng.split(0)), draw_people(400, rng.split(1)),
                                                  draw_people(300, rng.split(2)), seed, memberships)) {
      ++intervals;
      covered += result.low() <= 0.0 && result.high() >= 0.0;
      alarms += result.found();
    }
    for (const MembershipResult& result : memberships) auc_covered += std::abs(result.auc - 0.5) <= result.auc_error;
  }
  INFO(covered << " of " << intervals << " intervals cover 0, " << alarms << " alarms, " << auc_covered << " of "
               << 2 * runs << " intervals of the AUC cover 0.5");
  CHECK(intervals == 7 * runs);
  // 95 % is expected, and 3 % of alarms; intervals of one run share their tables, so they are not 280 independent draws
  CHECK(covered >= 0.91 * intervals);
  CHECK(alarms <= 0.07 * intervals);
  CHECK(auc_covered >= 0.89 * 2 * runs);
  CHECK(auc_covered < 2 * runs);  // the intervals are not just wide
}

TEST_CASE("held-out tables of another size do not look safer or more exposed", "[attacks]") {
  double larger = 0.0, equal = 0.0, smaller = 0.0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Rng rng = Rng(12).split(seed);
    const Table training = draw_people(600, rng.split(0)), synthetic = draw_people(600, rng.split(1));
    const auto risk = [&](std::int64_t rows, std::uint64_t id) {
      return singling_out(training, synthetic, draw_people(rows, rng.split(id)),
                          {.attack = {.attacks = 300, .seed = seed}, .tries = 4000})
                 .risk() /
             12.0;
    };
    larger += risk(1200, 2);
    equal += risk(600, 3);
    smaller += risk(200, 4);
  }
  INFO(larger << ' ' << equal << ' ' << smaller);
  CHECK(std::abs(equal) < 0.03);
  CHECK(std::abs(larger) < 0.05);
  CHECK(std::abs(smaller) < 0.05);
}

TEST_CASE("attacks give the same results for any number of threads", "[attacks]") {
  const Rng rng(5);
  const Table training = draw_people(300, rng.split(0)), synthetic = draw_people(300, rng.split(1)),
              holdout = draw_people(300, rng.split(2));
  const auto text = [&](int count, std::uint64_t seed) {
    set_threads(count);
    std::vector<MembershipResult> memberships;
    std::string out;
    for (const AttackResult& result : all_attacks(training, synthetic, holdout, seed, memberships))
      out += result.json().dump();
    for (const MembershipResult& result : memberships) out += result.json().dump() + result.str();
    set_threads(0);
    return out;
  };
  const std::string one = text(1, 3);
  CHECK(one == text(3, 3));
  CHECK(one != text(1, 4));
}

TEST_CASE("rates are Wilson's and risks propagate their errors", "[attacks]") {
  // Anonymeter 1.1.0: EvaluationResults(n_attacks=100, n_success=40, n_baseline=3, n_control=20)
  AttackResult result{.attack = "a",
                      .scenario = "s",
                      .main = attack_rate(40, 100),
                      .baseline = attack_rate(3, 100),
                      .control = attack_rate(20, 100)};
  CHECK(result.main.value == Approx(0.4036993).margin(1e-6));
  CHECK(result.main.error == Approx(0.0942981).margin(1e-6));
  CHECK(result.control.value == Approx(0.2110980).margin(1e-6));
  CHECK(result.risk() == Approx(0.2441385).margin(1e-6));
  CHECK(result.error() == Approx(0.1408340).margin(1e-6));
  CHECK(attack_rate(0, 10, 0.99).value == Approx(0.1994270).margin(1e-6));
  CHECK_THROWS_AS(attack_rate(3, 2), NumericError);
  CHECK_THROWS_AS(attack_rate(0, 0), NumericError);
  CHECK_THROWS_AS(attack_rate(1, 2, 1.0), NumericError);
}

TEST_CASE("attacks by hand", "[attacks]") {
  // One column: 9 is the greatest and comes once; 1 and 9 are described by >=, <= and ==.
  const auto table = [](std::vector<std::int64_t> x, std::vector<std::int64_t> c) {
    return Table({Column::integers("x", x), Column::categorical("c", c, {"red", "blue", "green"})});
  };
  const Table synthetic = table({1, 2, 2, 9}, {0, 0, 1, 2}), training = table({1, 4, 9, 9}, {0, 0, 2, 1}),
              holdout = table({3, 4, 4, 5}, {0, 0, 1, 0});
  // Synthetic descriptions of one row: x <= 1, x == 1, x >= 9, x == 9, c == blue, c == green. Training: the two of 1
  // and both of c fit one row, those of 9 two. Held out: only blue fits one row.
  const AttackResult one = singling_out(training, synthetic, holdout, {.columns = 1});
  CHECK(one.main.attempts == 6);
  CHECK(one.main.successes == 4.0);
  CHECK(one.control.successes == 1.0);
  // Both columns of a copied row give its secret; others give that of the nearest x.
  const AttackResult secret = attribute_inference(training, synthetic, holdout, "c", Names{"x"});
  CHECK(secret.main.attempts == 4);
  CHECK(secret.main.successes >= 2.0);  // 1 is red, 9 is green once; 4 is nearest to a 2, red or blue
  CHECK(secret.main.successes <= 3.0);
  const AttackResult exact = attribute_inference(training, synthetic, holdout, "x", Names{"c"}, {.tolerance = 0.0});
  CHECK(exact.main.successes >= 1.0);  // green is 9; red is 1 or 2, for two rows; blue is 2, not 9
  CHECK(exact.main.successes <= 2.0);
  const AttackResult link = linkability(training, synthetic, holdout, Names{"x"}, Names{"c"}, {.neighbours = 4});
  CHECK(link.main.successes == 4.0);  // all are among the four nearest
  CHECK(link.baseline.successes == 4.0);
}

TEST_CASE("attacks refuse what they cannot do", "[attacks]") {
  const Rng rng(6);
  const Table people = draw_people(50, rng), none = people.rows(0, 0);
  const Names one{"height"}, other{"weight"}, absent{"shoe size"}, empty;
  CHECK_THROWS_AS(singling_out(people, none, people), DataError);
  CHECK_THROWS_AS(singling_out(people, people, people, {.columns = 6}), NumericError);
  CHECK_THROWS_AS(singling_out(people, people, people, {.attack = {.attacks = 0}}), NumericError);
  CHECK_THROWS_AS(singling_out(people, people.without({"age"}), people), DataError);
  const Table constant = parse_csv("x\n1\n1\n1\n");
  CHECK(singling_out(constant, constant, constant, {.columns = 1}).main.successes > 0.0);  // equal rows count as one
  CHECK_THROWS_AS(linkability(people, people, none, one, other), DataError);
  CHECK_THROWS_AS(linkability(people, people, people, one, other, {.neighbours = 51}), NumericError);
  CHECK(test::has(test::data_error([&] { linkability(people, people, people, one, absent); }), "shoe size"));
  CHECK_THROWS_AS(linkability(people, people, people, one, empty), DataError);
  CHECK_THROWS_AS(attribute_inference(people, people, people, "height", one), DataError);
  CHECK_THROWS_AS(attribute_inference(people, people, people, "shoe size"), DataError);
  CHECK_THROWS_AS(attribute_inference(people, people, people, "height", {}, {.tolerance = -1.0}), NumericError);
  CHECK_THROWS_AS(membership(people, people, people.rows(0, 3)), DataError);
  CHECK_THROWS_AS(membership(people, people, people, {.confidence = 0.0}), NumericError);
}
