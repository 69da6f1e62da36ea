// synthdata/metrics/record_attacks_impl.hpp: bodies of record_attacks.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/metrics/attack_result_impl.hpp>
#include <synthdata/metrics/closest_records_impl.hpp>
#include <synthdata/metrics/record_attacks.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace synthdata {

namespace detail {

/// The three tables of an attack.
struct AttackTables {
  const Table &training, &synthetic, &holdout;

  AttackTables(const char* attack, const Table& trained, const Table& made, const Table& held, std::int64_t least)
      : training(trained), synthetic(made), holdout(held) {
    if (training.size() < least || synthetic.size() < 1 || holdout.size() < least) {
      throw DataError(concat(attack, ": expects at least ", least,
                             " rows of training and held-out, and a synthetic one, got ", training.size(), ", ",
                             holdout.size(), " and ", synthetic.size()));
    }
  }
};

/// Rows drawn without repeats.
inline std::vector<std::int64_t> draw_rows(std::int64_t all, std::int64_t count, Rng rng) {
  std::vector<std::int64_t> rows = rng.permutation(all);
  rows.resize(static_cast<std::size_t>(std::min(all, count)));
  return rows;
}

/// The `k` nearest synthetic rows, [targets, k], seen by these columns alone. Ties are broken at random.
inline std::vector<std::int64_t> nearest_synthetic(const char* attack, const AttackTables& tables, const Table& targets,
                                                   std::span<const std::string> names, std::int64_t k, const Rng& rng) {
  const Table rows = targets.select(names);
  // the kinds of columns are those of the training table
  const Table training = tables.training.select(names), synthetic = tables.synthetic.select(names),
              holdout = tables.holdout.select(names);
  matching_columns(attack, training, synthetic);
  matching_columns(attack, training, holdout);
  const ComparedColumns columns = compared_columns(attack, rows, synthetic);
  const std::uint64_t key = Rng(rng).next_u64();
  const auto drawn = [key](std::int64_t row, std::int64_t index) {
    std::uint64_t x = key ^ (static_cast<std::uint64_t>(row) << 32 ^ static_cast<std::uint64_t>(index));
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;  // the finaliser of SplitMix64
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  };
  const std::vector<ValueBounds> bounds = value_bounds(columns.reference, {&training, &synthetic, &holdout});
  std::vector<std::int64_t> nearest;
  for (const NearRow& near : nearest_rows(columns, bounds, k, false, drawn)) nearest.push_back(near.index);
  return nearest;
}

inline std::string list_columns(std::span<const std::string> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += concat(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  }
  return out;
}

/// Runs attack(rows of a table, table, stream) against training and held-out rows.
template <class Attack>
void run_attacks(AttackResult& result, const AttackTables& tables, const AttackOptions& options, const Rng& rng,
                 const Attack& attack) {
  const auto rate = [&](const Table& from, std::uint64_t id) {
    const Table targets = from.take(draw_rows(from.size(), options.attacks, rng.split(id)));
    return attack_rate(static_cast<double>(attack(targets, rng.split(id + 1))), targets.size(), options.confidence);
  };
  result.confidence = options.confidence;
  result.main = rate(tables.training, 0);
  result.control = rate(tables.holdout, 2);
}

/// A score of each row, of which some are of the training table.
struct Scored {
  std::vector<double> members, others;
};

/// The threshold of the greatest share of members minus share of others at or above it; infinite if none is above 0.
inline double best_threshold(const Scored& rows) {
  std::vector<double> members = rows.members, others = rows.others, all = members;
  all.insert(all.end(), others.begin(), others.end());
  for (std::vector<double>* side : {&members, &others, &all}) std::sort(side->begin(), side->end(), std::greater<>());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  double best = 0.0, at = std::numeric_limits<double>::infinity();
  std::size_t i = 0, j = 0;
  for (const double threshold : all) {
    while (i < members.size() && members[i] >= threshold) ++i;
    while (j < others.size() && others[j] >= threshold) ++j;
    const double excess = static_cast<double>(i) / static_cast<double>(members.size()) -
                          static_cast<double>(j) / static_cast<double>(others.size());
    if (excess > best) best = excess, at = threshold;
  }
  return at;
}

/// For each of `rows`, the share of `others` below, ties by half.
inline std::vector<double> placements(const std::vector<double>& rows, std::vector<double> others) {
  std::sort(others.begin(), others.end());
  std::vector<double> shares;
  for (const double score : rows) {
    const auto [low, high] = std::equal_range(others.begin(), others.end(), score);
    shares.push_back(static_cast<double>((low - others.begin()) + (high - others.begin())) / 2.0 /
                     static_cast<double>(others.size()));
  }
  return shares;
}

/// Mean, and the variance of the mean.
inline std::pair<double, double> mean_and_variance(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0.0, squares = 0.0;
  for (const double value : values) mean += value / count;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, squares / (count - 1.0) / count};
}

inline std::vector<double> distances_to(const Table& rows, const Table& reference,
                                        const std::vector<const Table*>& ranges) {
  const Tensor distance = find_closest(rows, reference, ranges, false).distance;
  const auto values = distance.span<double>();
  return {values.begin(), values.end()};
}

}  // namespace detail

SYNTHDATA_INLINE AttackResult linkability(const Table& training, const Table& synthetic, const Table& holdout,
                                          std::span<const std::string> first, std::span<const std::string> second,
                                          const LinkabilityOptions& options) {
  detail::check_attacks(options.attack.attacks);
  const detail::AttackTables tables("linkability", training, synthetic, holdout, 1);
  const std::int64_t k = options.neighbours;
  if (k < 1 || k > synthetic.size()) {
    throw NumericError(concat("linkability: expects 1 to ", synthetic.size(), " neighbours, got ", k));
  }
  const Rng rng(options.attack.seed);
  const auto count_links = [k](std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
    std::int64_t links = 0;
    for (auto row = a.begin(), other = b.begin(); row != a.end(); row += k, other += k) {
      links += std::find_first_of(row, row + k, other, other + k) != row + k;
    }
    return links;
  };
  AttackResult result;
  result.attack = "linkability";
  result.scenario = concat("Linking: an attacker who has the synthetic table and two more tables, one with ",
                           detail::list_columns(first), " of some people, one with ", detail::list_columns(second),
                           " of the same people, links two rows where both have ",
                           k == 1 ? std::string("the same nearest synthetic row")
                                  : concat("a synthetic row in common among their ", k, " nearest ones"),
                           ".");
  detail::run_attacks(result, tables, options.attack, rng, [&](const Table& targets, const Rng& stream) {
    return count_links(detail::nearest_synthetic("linkability", tables, targets, first, k, stream.split(0)),
                       detail::nearest_synthetic("linkability", tables, targets, second, k, stream.split(1)));
  });
  const Rng guesses = rng.split(4);
  std::int64_t links = 0;
  for (std::int64_t i = 0; i < result.main.attempts; ++i) {
    Rng draw = guesses.split(static_cast<std::uint64_t>(i));
    // k of the synthetic rows against k: the first set may be rows 0 ... k - 1, as all are alike
    std::int64_t missed = 0;
    for (; missed < k && draw.below(synthetic.size() - missed) >= k; ++missed) {
    }
    links += missed < k;
  }
  result.baseline = attack_rate(static_cast<double>(links), result.main.attempts, options.attack.confidence);
  return result;
}

SYNTHDATA_INLINE AttackResult attribute_inference(const Table& training, const Table& synthetic, const Table& holdout,
                                                  const std::string& secret, std::span<const std::string> known,
                                                  const InferenceOptions& options) {
  detail::check_attacks(options.attack.attacks);
  if (!(options.tolerance >= 0.0)) {
    throw NumericError(concat("attribute_inference: expects a tolerance of at least 0, got ", options.tolerance));
  }
  const detail::AttackTables tables("attribute_inference", training, synthetic, holdout, 1);
  std::vector<std::string> names(known.begin(), known.end());
  for (const Column& column : training.columns()) {
    if (known.empty() && column.name() != secret) names.push_back(column.name());
  }
  if (std::find(names.begin(), names.end(), secret) != names.end()) {
    throw DataError(concat("attribute_inference: the secret ", in_quotes(secret), " is among the known columns"));
  }
  const Column& guesses = synthetic[secret];
  const bool ordered = detail::is_continuous(training[secret]);
  detail::check_comparable("attribute_inference", training[secret], guesses);
  const auto count_hits = [&](const Column& truth, const std::vector<std::int64_t>& guessed) {
    const Column guess = guesses.take(guessed);
    std::int64_t hits = 0;
    for (std::int64_t i = 0; i < truth.size(); ++i) {
      if (truth.is_missing(i) || guess.is_missing(i)) {
        hits += truth.is_missing(i) && guess.is_missing(i);
      } else if (ordered) {
        hits += std::abs(guess.number(i) - truth.number(i)) <= options.tolerance * std::abs(guess.number(i));
      } else {
        hits += guess.cell(i) == truth.cell(i);
      }
    }
    return hits;
  };
  const Rng rng(options.attack.seed);
  AttackResult result;
  result.attack = concat("inference of ", secret);
  result.scenario =
      concat("Inference: an attacker who has the synthetic table and knows ", detail::list_columns(names),
             " of a person guesses that the person's ", secret, " is that of the most similar synthetic row.");
  detail::run_attacks(result, tables, options.attack, rng, [&](const Table& targets, const Rng& stream) {
    return count_hits(targets[secret],
                      detail::nearest_synthetic("attribute_inference", tables, targets, names, 1, stream));
  });
  Rng draw = rng.split(4);
  std::vector<std::int64_t> random;
  for (std::int64_t i = 0; i < result.main.attempts; ++i) random.push_back(draw.below(synthetic.size()));
  const Column truth = training[secret].take(detail::draw_rows(training.size(), options.attack.attacks, rng.split(5)));
  result.baseline =
      attack_rate(static_cast<double>(count_hits(truth, random)), result.main.attempts, options.attack.confidence);
  return result;
}

SYNTHDATA_INLINE MembershipResult membership(const Table& training, const Table& synthetic, const Table& holdout,
                                             const MembershipOptions& options) {
  detail::check_attacks(options.targets);
  const detail::AttackTables tables("membership", training, synthetic, holdout, 4);
  detail::matching_columns("membership", training, synthetic);
  const bool ratio = options.score == MembershipScore::density_ratio;
  const std::vector<const Table*> ranges{&training, &synthetic, &holdout};
  const Rng rng(options.seed);

  // Two halves of both tables. Each half is scored, and judged by the threshold of the other one.
  std::array<Table, 2> members, others;
  std::array<detail::Scored, 2> scored;
  const std::vector<std::int64_t> drawn[] = {detail::draw_rows(training.size(), options.targets, rng.split(0)),
                                             detail::draw_rows(holdout.size(), options.targets, rng.split(1))};
  for (std::size_t half = 0; half < 2; ++half) {
    const auto part = [half](const Table& from, const std::vector<std::int64_t>& rows) {
      const std::span<const std::int64_t> all(rows);
      return from.take(half == 0 ? all.first(rows.size() / 2) : all.subspan(rows.size() / 2));
    };
    members[half] = part(training, drawn[0]);
    others[half] = part(holdout, drawn[1]);
  }
  for (std::size_t half = 0; half < 2; ++half) {
    const Table& reference = others[1 - half];
    const auto score = [&](const Table& rows) {
      std::vector<double> scores = detail::distances_to(rows, synthetic, ranges);
      if (ratio) {
        const std::vector<double> usual = detail::distances_to(rows, reference, ranges);
        constexpr double least = 1e-9;  // an equal row on both sides: neither near nor far
        for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = std::log((usual[i] + least) / (scores[i] + least));
      } else {
        for (double& value : scores) value = -value;
      }
      return scores;
    };
    scored[half] = {score(members[half]), score(others[half])};
  }

  double hits = 0.0, alarms = 0.0;
  detail::Scored all;
  for (std::size_t half = 0; half < 2; ++half) {
    const double threshold = detail::best_threshold(scored[1 - half]);
    const auto named = [threshold](double score) { return score >= threshold; };
    hits += static_cast<double>(std::count_if(scored[half].members.begin(), scored[half].members.end(), named));
    alarms += static_cast<double>(std::count_if(scored[half].others.begin(), scored[half].others.end(), named));
    all.members.insert(all.members.end(), scored[half].members.begin(), scored[half].members.end());
    all.others.insert(all.others.end(), scored[half].others.begin(), scored[half].others.end());
  }
  const auto member_count = static_cast<std::int64_t>(all.members.size());
  const auto other_count = static_cast<std::int64_t>(all.others.size());
  const auto share = (hits + alarms) / static_cast<double>(member_count + other_count);

  MembershipResult result;
  result.attack.attack = ratio ? "membership by density ratio" : "membership by distance";
  result.attack.scenario = concat(
      "Membership: an attacker who has the synthetic table and a person's row wants to know whether that person was "
      "in the training data, and says yes if a synthetic row is ",
      ratio ? "much nearer to it than rows of a public table of the same kind are." : "near enough to it.");
  result.attack.confidence = options.confidence;
  result.attack.main = attack_rate(hits, member_count, options.confidence);
  result.attack.control = attack_rate(alarms, other_count, options.confidence);
  result.attack.baseline = attack_rate(share * static_cast<double>(member_count), member_count, options.confidence);
  const auto [auc, above] = detail::mean_and_variance(detail::placements(all.members, all.others));
  const double below = detail::mean_and_variance(detail::placements(all.others, all.members)).second;
  result.auc = auc;
  result.auc_error = detail::normal_bound(options.confidence) * std::sqrt(above + below);
  return result;
}

SYNTHDATA_INLINE double MembershipResult::advantage_error() const {
  return std::hypot(attack.main.error, attack.control.error);
}

SYNTHDATA_INLINE std::string MembershipResult::str() const {
  return concat(attack.str(),
                "  Of a person of the training data and one who was not in it, the attacker tells which is "
                "which in ",
                detail::percent_text(auc), " ± ", detail::percent_text(auc_error),
                " of the cases; 50.0 % is chance. Advantage: ", detail::percent_text(advantage()), " ± ",
                detail::percent_text(advantage_error()), ".\n");
}

SYNTHDATA_INLINE Json MembershipResult::json() const {
  Json::Object object = *attack.json().get_if<Json::Object>();
  object.push_back({"auc", auc});
  object.push_back({"auc_error", auc_error});
  object.push_back({"advantage", advantage()});
  object.push_back({"advantage_error", advantage_error()});
  return object;
}

}  // namespace synthdata
