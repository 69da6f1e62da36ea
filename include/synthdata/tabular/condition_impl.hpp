// synthdata/tabular/condition_impl.hpp: bodies of condition.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/members.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/tabular/condition.hpp>

#include <cmath>
#include <limits>

namespace synthdata::models {

SYNTHDATA_INLINE Conditions conditions_from_json(const Json& json, const std::string& source) {
  const auto* object = json.get_if<Json::Object>();
  if (!object) throw DataError(source + ": expects an object of columns and their conditions");
  Conditions conditions;
  for (const auto& [name, value] : *object) {
    const std::string owner = concat(source, ": column ", in_quotes(name));
    if (const auto* text = value.get_if<std::string>()) {
      conditions.emplace_back(name, *text);
    } else if (value.is_number()) {
      conditions.emplace_back(name, value.number());
    } else if (const auto* list = value.get_if<Json::Array>()) {
      std::vector<std::string> texts;
      for (const Json& item : *list) {
        const auto* one = item.get_if<std::string>();
        if (!one) throw DataError(owner + ": expects a list of texts");
        texts.push_back(*one);
      }
      if (texts.empty()) throw DataError(owner + ": allows no value");
      conditions.emplace_back(name, one_of(std::move(texts)));
    } else if (value.get_if<Json::Object>()) {
      const synthdata::detail::JsonMembers members(value, owner, {"low", "high"});
      double low = -std::numeric_limits<double>::infinity(), high = -low;
      members.read("low", low);
      members.read("high", high);
      if (!(low <= high)) throw DataError(concat(owner, ": expects low <= high, got ", low, " and ", high));
      conditions.emplace_back(name, between(low, high));
    } else {
      throw DataError(owner + ": expects a text, a number, a list of texts or {\"low\": ..., \"high\": ...}");
    }
  }
  return conditions;
}

SYNTHDATA_INLINE Json json_of(const Conditions& conditions) {
  Json::Object object;
  for (const auto& [name, condition] : conditions) {
    if (!condition.is_range()) {
      object.push_back({name, synthdata::detail::json_texts(condition.texts())});
      continue;
    }
    Json::Object range;
    if (std::isfinite(condition.low())) range.push_back({"low", condition.low()});
    if (std::isfinite(condition.high())) range.push_back({"high", condition.high()});
    object.push_back({name, std::move(range)});
  }
  return object;
}

SYNTHDATA_INLINE Conditions load_conditions(const std::string& path) {
  return conditions_from_json(parse_json(read_file(path), {.source = path}), path);
}

}  // namespace synthdata::models
