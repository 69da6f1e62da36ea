// tests/tabular/made_up.hpp: a table whose columns depend on each other in ways that are known.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/csv.hpp>

#include <cstdio>
#include <functional>
#include <string>

namespace test {

/// Two columns that decide each other but for noise, a number that follows from them, missing values, dates and keys.
inline synthdata::Table made_up(std::int64_t rows, std::uint64_t seed = 1) {
  synthdata::Rng rng{seed};
  std::string text = "id,group,flag,level,score,since,code\n";
  const char* groups[] = {"red", "green", "blue"};
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t g = rng.below(10) < 5 ? 0 : 1 + rng.below(2);
    const bool flag = rng.uniform() < (g == 0 ? 0.9f : 0.1f);
    const double score = 10.0 * static_cast<double>(g) + rng.normal();
    char line[160];
    std::snprintf(line, sizeof line, "K%05d,%s,%s,%s,%.2f,2020-%02d-%02d,X%04d\n", static_cast<int>(row), groups[g],
                  flag ? "yes" : "no",
                  rng.uniform() < 0.2f ? ""
                  : flag               ? "3"
                                       : "5",
                  score, 1 + static_cast<int>(rng.below(12)), 1 + static_cast<int>(rng.below(28)),
                  static_cast<int>(rng.below(10000)));
    text += line;
  }
  return synthdata::parse_csv(text);
}
/// Share of the rows for which it holds.
inline double share(const synthdata::Table& table, const std::function<bool(std::int64_t)>& holds) {
  double count = 0.0;
  for (std::int64_t row = 0; row < table.size(); ++row) count += holds(row);
  return count / static_cast<double>(table.size());
}

}  // namespace test
