// synthdata/data/privacy/members.hpp: the members of a saved step, each of the type it must have.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/json.hpp>

#include <initializer_list>
#include <string>
#include <vector>

namespace synthdata::detail {

/// Reads an object's members; one that is absent keeps its default. Errors begin with `owner`.
class JsonMembers {
 public:
  /// @throws DataError unless `json` is an object with no other members than these.
  JsonMembers(const Json& json, std::string owner, std::initializer_list<std::string_view> known);

  /// @throws DataError if the member is of another type.
  void read(const char* key, bool& value) const;
  void read(const char* key, std::int64_t& value) const;
  void read(const char* key, double& value) const;
  void read(const char* key, std::string& value) const;
  void read(const char* key, std::vector<std::string>& value) const;
  /// The place of the member's text among `names`.
  void read_name(const char* key, std::initializer_list<const char*> names, std::size_t& value) const;
  /// The values of a list; none if it is absent.
  const Json::Array& list(const char* key) const;

 private:
  template <class T>
  void take(const char* key, T& value, const char* type) const;
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

  const Json& json_;
  std::string owner_;
};

Json json_texts(const std::vector<std::string>& texts);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/members_impl.hpp>
#endif
