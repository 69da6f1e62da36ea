// synthdata/data/privacy/members_impl.hpp: bodies of data/privacy/members.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/members.hpp>

#include <algorithm>

namespace synthdata::detail {

SYNTHDATA_INLINE JsonMembers::JsonMembers(const Json& json, std::string owner,
                                          std::initializer_list<std::string_view> known)
    : json_(json), owner_(std::move(owner)) {
  const auto* object = json.get_if<Json::Object>();
  if (!object) throw DataError(owner_ + ": expects an object");
  for (const Json::Member& member : *object) {
    if (std::find(known.begin(), known.end(), member.key) == known.end()) {
      throw DataError(concat(owner_, ": has no member ", in_quotes(member.key)));
    }
  }
}

SYNTHDATA_INLINE void JsonMembers::fail(const char* key, const std::string& expected) const {
  throw DataError(concat(owner_, ": expects ", expected, " as member ", in_quotes(key)));
}

template <class T>
void JsonMembers::take(const char* key, T& value, const char* type) const {
  const Json* member = json_.find(key);
  if (!member) return;
  const T* found = member->get_if<T>();
  if (!found) fail(key, type);
  value = *found;
}

SYNTHDATA_INLINE void JsonMembers::read(const char* key, bool& value) const { take(key, value, "true or false"); }
SYNTHDATA_INLINE void JsonMembers::read(const char* key, std::int64_t& value) const { take(key, value, "an integer"); }
SYNTHDATA_INLINE void JsonMembers::read(const char* key, std::string& value) const { take(key, value, "a text"); }
SYNTHDATA_INLINE void JsonMembers::read(const char* key, double& value) const {
  const Json* member = json_.find(key);
  if (!member) return;
  if (!member->is_number()) fail(key, "a number");
  value = member->number();
}
SYNTHDATA_INLINE void JsonMembers::read(const char* key, std::vector<std::string>& value) const {
  if (!json_.find(key)) return;
  value.clear();
  for (const Json& item : list(key)) {
    const std::string* text = item.get_if<std::string>();
    if (!text) fail(key, "a list of texts");
    value.push_back(*text);
  }
}

SYNTHDATA_INLINE void JsonMembers::read_name(const char* key, std::initializer_list<const char*> names,
                                             std::size_t& value) const {
  if (!json_.find(key)) return;
  std::string text, expected = "one of ";
  read(key, text);
  std::size_t place = 0;
  for (const char* name : names) {
    if (text == name) {
      value = place;
      return;
    }
    expected += concat(place++ ? ", " : "", in_quotes(name));
  }
  fail(key, concat(expected, ", not ", in_quotes(text)));
}

SYNTHDATA_INLINE const Json::Array& JsonMembers::list(const char* key) const {
  static const Json::Array none;
  const Json* member = json_.find(key);
  if (!member) return none;
  const auto* array = member->get_if<Json::Array>();
  if (!array) fail(key, "a list");
  return *array;
}

SYNTHDATA_INLINE Json json_texts(const std::vector<std::string>& texts) {
  return Json::Array(texts.begin(), texts.end());
}

}  // namespace synthdata::detail
