// synthdata/data/augment/augmentation_impl.hpp: bodies of data/augment/augmentation.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE Json Augmentation::to_json() const {
  Json::Object members = {{"name", name()}};
  if (held_) held_->list(members);
  return members;
}

namespace detail {

/// The shortest text that reads back as the same float.
SYNTHDATA_INLINE std::string shortest(double value) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value));
  return {buffer, result.ptr};
}

/// name(key=value, ...) for an object with a name, else much like JSON.
SYNTHDATA_INLINE void describe(std::string& out, const Json& json) {
  if (const auto* object = json.get_if<Json::Object>()) {
    const Json* name = json.find("name");
    out += name && name->get_if<std::string>() ? *name->get_if<std::string>() : "";
    out += '(';
    const char* separator = "";
    for (const Json::Member& member : *object) {
      if (member.key == "name") continue;
      out += concat(separator, member.key, "=");
      describe(out, member.value);
      separator = ", ";
    }
    out += ')';
  } else if (const auto* array = json.get_if<Json::Array>()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ", ";
      describe(out, (*array)[i]);
    }
    out += ']';
  } else if (const auto* text = json.get_if<std::string>()) {
    out += *text;
  } else {
    out += json.get_if<double>() ? shortest(json.number()) : json.dump();
  }
}

[[noreturn]] SYNTHDATA_COLD SYNTHDATA_INLINE void throw_parameter(const std::string& where, const char* expected,
                                                                  const Json& got) {
  throw DataError(concat(where, ": expects ", expected, ", got ", got.dump().substr(0, 80)));
}

/// Through its shortest text, so that a file says 0.1 and not 0.10000000149011612.
SYNTHDATA_INLINE Json parameter_json(float value) { return std::strtod(shortest(value).c_str(), nullptr); }
SYNTHDATA_INLINE Json parameter_json(std::int64_t value) { return value; }
SYNTHDATA_INLINE Json parameter_json(bool value) { return value; }
SYNTHDATA_INLINE Json parameter_json(Border value) {
  return value == Border::edge ? "edge" : value == Border::reflect ? "reflect" : "constant";
}
SYNTHDATA_INLINE Json parameter_json(Interpolation value) {
  return value == Interpolation::nearest ? "nearest" : "bilinear";
}
SYNTHDATA_INLINE Json parameter_json(const ValueRange& value) {
  return Json::Array{parameter_json(value.low), parameter_json(value.high)};
}
SYNTHDATA_INLINE Json parameter_json(const std::vector<std::vector<std::string>>& value) {
  Json::Array lists;
  for (const auto& list : value) lists.push_back(Json::Array(list.begin(), list.end()));
  return lists;
}
SYNTHDATA_INLINE Json parameter_json(const std::vector<AugmentationStep>& value) {
  Json::Array steps;
  for (const AugmentationStep& step : value) {
    Json::Object members = *step.augmentation.to_json().get_if<Json::Object>();
    if (step.probability != 1.0f) {
      members.insert(members.begin() + 1, {"probability", parameter_json(step.probability)});
    }
    steps.push_back(std::move(members));
  }
  return steps;
}

SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     float& value) {
  if (!json.is_number()) throw_parameter(where, "a number", json);
  value = static_cast<float>(json.number());
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     std::int64_t& value) {
  if (!json.get_if<std::int64_t>()) throw_parameter(where, "a whole number", json);
  value = *json.get_if<std::int64_t>();
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     bool& value) {
  if (!json.get_if<bool>()) throw_parameter(where, "true or false", json);
  value = *json.get_if<bool>();
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     std::string& value) {
  if (!json.get_if<std::string>()) throw_parameter(where, "a text", json);
  value = *json.get_if<std::string>();
}
/// One of the values whose names parameter_json() gives.
template <class E>
void read_choice(const Json& json, const std::string& where, const char* expected, std::initializer_list<E> all,
                 E& value) {
  for (const E each : all) {
    if (json == parameter_json(each)) {
      value = each;
      return;
    }
  }
  throw_parameter(where, expected, json);
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     Border& value) {
  read_choice(json, where, "constant, edge or reflect", {Border::constant, Border::edge, Border::reflect}, value);
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     Interpolation& value) {
  read_choice(json, where, "nearest or bilinear", {Interpolation::nearest, Interpolation::bilinear}, value);
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds&,
                                     ValueRange& value) {
  const auto* ends = json.get_if<Json::Array>();
  if (!ends || ends->size() != 2 || !(*ends)[0].is_number() || !(*ends)[1].is_number()) {
    throw_parameter(where, "a range [low, high]", json);
  }
  value = {static_cast<float>((*ends)[0].number()), static_cast<float>((*ends)[1].number())};
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds,
                                     std::vector<std::vector<std::string>>& value) {
  const auto* lists = json.get_if<Json::Array>();
  if (!lists) throw_parameter(where, "an array of arrays of texts", json);
  value.clear();
  for (const Json& list : *lists) {
    if (!list.get_if<Json::Array>()) throw_parameter(where, "an array of arrays of texts", list);
    auto& texts = value.emplace_back();
    for (const Json& text : *list.get_if<Json::Array>()) read_parameter(text, where, kinds, texts.emplace_back());
  }
}
SYNTHDATA_INLINE void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds,
                                     std::vector<AugmentationStep>& value) {
  const auto* steps = json.get_if<Json::Array>();
  if (!steps) throw_parameter(where, "an array of augmentations", json);
  value.clear();
  for (const Json& step : *steps) {
    value.emplace_back(kinds.read(step));
    if (const Json* probability = step.find("probability")) {
      read_parameter(*probability, where + ": probability", kinds, value.back().probability);
    }
  }
}

SYNTHDATA_INLINE void check_parameter(const char* owner, const char* key, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    throw NumericError(concat(owner, ": expects ", key, " in [", low, ", ", high, "], got ", value));
  }
}
SYNTHDATA_INLINE void check_parameter(const char* owner, const char* key, const ValueRange& value, double low,
                                      double high) {
  if (!(value.low >= low && value.low <= value.high && value.high <= high)) {
    throw NumericError(concat(owner, ": expects ", key, " = {low, high} with low <= high, both in [", low, ", ", high,
                              "], got {", value.low, ", ", value.high, "}"));
  }
}
SYNTHDATA_INLINE void check_parameter(const char* owner, const char* key, float value) {
  check_parameter(owner, key, static_cast<double>(value), -1e30, 1e30);
}
SYNTHDATA_INLINE void check_parameter(const char* owner, const char* key, const ValueRange& value) {
  check_parameter(owner, key, value, -1e30, 1e30);
}
SYNTHDATA_INLINE void check_parameter(const char* owner, const char* key, const std::vector<AugmentationStep>& value) {
  for (const AugmentationStep& step : value) {
    check_parameter(owner, concat(key, ": probability of ", step.augmentation.name()).c_str(),
                    static_cast<double>(step.probability), 0.0, 1.0);
  }
}

SYNTHDATA_INLINE void check_members(const Json& json, const char* owner, const std::vector<std::string>& known) {
  for (const Json::Member& member : *json.get_if<Json::Object>()) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    throw DataError(concat(owner, ": has no parameter ", in_quotes(member.key)));
  }
}

}  // namespace detail

SYNTHDATA_INLINE std::string Augmentation::str() const {
  std::string out;
  detail::describe(out, to_json());
  return out;
}

SYNTHDATA_INLINE Augmentation AugmentationKinds::read(const Json& json) const {
  const Json* name = json.find("name");
  if (!name || !name->get_if<std::string>()) {
    throw DataError(concat("an augmentation: expects an object with a \"name\", got ", json.dump().substr(0, 80)));
  }
  if (*name->get_if<std::string>() == "nothing") return {};
  for (auto kind = kinds_.rbegin(); kind != kinds_.rend(); ++kind) {  // the latest of equal names counts
    if (kind->name == *name->get_if<std::string>()) return kind->read(json, *this);
  }
  throw DataError(concat("no augmentation is called ", in_quotes(*name->get_if<std::string>())));
}

}  // namespace synthdata
