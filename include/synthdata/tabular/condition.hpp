// synthdata/tabular/condition.hpp: what columns of sampled rows must hold.
//
//   model.sample(100, {{"sex", "Female"}, {"age", between(30, 40)}, {"country", one_of({"Cuba", "Mexico"})}})
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>

#include <concepts>
#include <string>
#include <utility>
#include <vector>

namespace synthdata::models {

/// One value, one of several, or a range of numbers.
class Condition {
 public:
  Condition(std::string text) : texts_{std::move(text)} {}  // NOLINT: a value is a condition
  Condition(const char* text) : texts_{text} {}             // NOLINT
  template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>)
  Condition(Number value) : low_(static_cast<double>(value)), high_(low_), is_range_(true) {}  // NOLINT

  friend Condition between(double low, double high);
  friend Condition one_of(std::vector<std::string> values);

  /// True for numbers: low ... high; false for texts, of which one must come.
  bool is_range() const { return is_range_; }
  double low() const { return low_; }
  double high() const { return high_; }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  Condition() = default;
  std::vector<std::string> texts_;
  double low_ = 0.0, high_ = 0.0;
  bool is_range_ = false;
};

/// Numbers from low to high, ends included.
inline Condition between(double low, double high) {
  Condition condition;
  condition.low_ = low, condition.high_ = high, condition.is_range_ = true;
  return condition;
}
/// One of the values, by the text of their cells.
inline Condition one_of(std::vector<std::string> values) {
  Condition condition;
  condition.texts_ = std::move(values);
  return condition;
}

/// Column names and their conditions.
using Conditions = std::vector<std::pair<std::string, Condition>>;

/// Conditions from {"sex": "Female", "country": ["Cuba", "Mexico"], "age": {"low": 30, "high": 40}, "children": 2}; of
/// a range one end may be absent.
/// @throws DataError naming `source` and the column for anything else
Conditions conditions_from_json(const Json& json, const std::string& source = "conditions");
Json json_of(const Conditions& conditions);
/// The same from a JSON file.
Conditions load_conditions(const std::string& path);

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/condition_impl.hpp>
#endif
