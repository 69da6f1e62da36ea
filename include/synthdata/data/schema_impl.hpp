// synthdata/data/schema_impl.hpp: bodies of data/schema.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/schema.hpp>
#include <synthdata/io/file.hpp>

#include <algorithm>

namespace synthdata {

namespace detail {
inline constexpr ColumnType column_types[] = {ColumnType::integer,     ColumnType::real, ColumnType::boolean,
                                              ColumnType::categorical, ColumnType::text, ColumnType::date_time,
                                              ColumnType::identifier};

SYNTHDATA_INLINE std::string list_names(const std::vector<ColumnSchema>& columns) {
  std::string names;
  for (std::size_t i = 0; i < columns.size() && i < 20; ++i) names += (i ? ", " : "") + in_quotes(columns[i].name);
  return columns.size() > 20 ? names + ", ..." : names;
}

/// How the values of a column are spelled, for people.
SYNTHDATA_INLINE std::string describe(const ColumnSchema& column) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (column.type == ColumnType::real && !column.as_written) {
    add(column.decimals >= 0 ? concat(column.decimals, " decimals") : "shortest");
  }
  if (column.type == ColumnType::boolean) add(concat(column.true_text, " | ", column.false_text));
  if (column.type == ColumnType::date_time) add(column.pattern + column.zone);
  if (column.type == ColumnType::categorical) {
    std::string first;
    for (std::size_t i = 0; i < column.categories.size() && i < 3; ++i) {
      first += concat(i ? ", " : ": ", in_quotes(column.categories[i]));
    }
    add(concat(column.categories.size(), " categories", first, column.categories.size() > 3 ? ", ..." : ""));
  }
  if (column.as_written) add("as written");
  if (!column.missing.empty()) add("missing is " + in_quotes(column.missing));
  return out;
}
}  // namespace detail

SYNTHDATA_INLINE const char* name_of(ColumnType type) {
  constexpr const char* names[] = {"integer", "real", "boolean", "categorical", "text", "date-time", "identifier"};
  return names[static_cast<std::size_t>(type)];
}
SYNTHDATA_INLINE void append(std::string& out, ColumnType type) { out += name_of(type); }

SYNTHDATA_INLINE const ColumnSchema* Schema::find(std::string_view name) const {
  const auto at = std::find_if(columns.begin(), columns.end(), [&](const ColumnSchema& c) { return c.name == name; });
  return at == columns.end() ? nullptr : &*at;
}
SYNTHDATA_INLINE ColumnSchema* Schema::find(std::string_view name) {
  return const_cast<ColumnSchema*>(static_cast<const Schema&>(*this).find(name));
}
SYNTHDATA_INLINE const ColumnSchema& Schema::operator[](std::string_view name) const {
  if (const ColumnSchema* column = find(name)) return *column;
  throw DataError(concat("Schema: no column is called ", in_quotes(name), "; there are ", detail::list_names(columns)));
}
SYNTHDATA_INLINE ColumnSchema& Schema::operator[](std::string_view name) {
  return const_cast<ColumnSchema&>(static_cast<const Schema&>(*this)[name]);
}

SYNTHDATA_INLINE std::string Schema::str() const {
  std::size_t widest = 0;
  for (const ColumnSchema& column : columns) widest = std::max(widest, std::min<std::size_t>(column.name.size(), 40));
  std::string out;
  for (const ColumnSchema& column : columns) {
    std::string line = column.name;
    line.resize(std::max(widest, line.size()) + 2, ' ');
    const std::size_t type_at = line.size();
    line += name_of(column.type);
    if (const std::string spelling = detail::describe(column); !spelling.empty()) {
      line.resize(std::max(type_at + 13, line.size() + 2), ' ');
      line += spelling;
    }
    out += line + '\n';
  }
  return out;
}

SYNTHDATA_INLINE Json Schema::json() const {
  Json::Array list;
  for (const ColumnSchema& column : columns) {
    Json::Object object{{"name", column.name}, {"type", name_of(column.type)}};
    if (column.type == ColumnType::real) {
      object.push_back({"decimals", column.decimals});
      object.push_back({"whole_point", column.whole_point});
      object.push_back({"exponents", column.exponents});
    } else if (column.type == ColumnType::boolean) {
      object.push_back({"true", column.true_text});
      object.push_back({"false", column.false_text});
    } else if (column.type == ColumnType::date_time) {
      object.push_back({"pattern", column.pattern});
      object.push_back({"zone", column.zone});
    } else if (column.type == ColumnType::categorical) {
      object.push_back({"categories", Json::Array(column.categories.begin(), column.categories.end())});
    }
    object.push_back({"missing", column.missing});
    object.push_back({"as_written", column.as_written});
    list.push_back(std::move(object));
  }
  return Json::Object{{"columns", std::move(list)}};
}

SYNTHDATA_INLINE Schema Schema::from_json(const Json& json) {
  const auto fail = [](const std::string& text) -> const Json& { throw DataError("schema: " + text); };
  const Json* columns = json.find("columns");
  const Json::Array* list = columns ? columns->get_if<Json::Array>() : nullptr;
  if (!list) fail("expects an object with a list \"columns\"");
  Schema schema;
  for (const Json& object : *list) {
    const std::string where = concat("column ", schema.columns.size() + 1, ": ");
    ColumnSchema column;
    // a member that is absent keeps its default
    const auto take = [&]<class T>(const char* key, T& into) {
      const Json* member = object.find(key);
      if (!member) return false;
      const T* value = member->get_if<T>();
      if (!value) fail(concat(where, "member ", in_quotes(key), " has the wrong type"));
      into = *value;
      return true;
    };
    std::string type;
    if (!take("name", column.name) || !take("type", type)) fail(where + "expects \"name\" and \"type\"");
    const auto* known = std::find_if(std::begin(detail::column_types), std::end(detail::column_types),
                                     [&](ColumnType t) { return type == name_of(t); });
    if (known == std::end(detail::column_types)) fail(concat(where, "no type is called ", in_quotes(type)));
    column.type = *known;
    std::int64_t decimals = column.decimals;
    take("decimals", decimals);
    if (decimals < -1 || decimals > 300) fail(concat(where, "expects -1 to 300 decimals, got ", decimals));
    column.decimals = static_cast<int>(decimals);
    take("whole_point", column.whole_point);
    take("exponents", column.exponents);
    take("true", column.true_text);
    take("false", column.false_text);
    take("pattern", column.pattern);
    take("zone", column.zone);
    take("missing", column.missing);
    take("as_written", column.as_written);
    Json::Array categories;
    take("categories", categories);
    for (const Json& category : categories) {
      const std::string* text = category.get_if<std::string>();
      if (!text) fail(where + "expects texts as categories");
      column.categories.push_back(*text);
    }
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

SYNTHDATA_INLINE void Schema::save(const std::string& path) const { write_file(path, json().dump() + '\n'); }

SYNTHDATA_INLINE Schema Schema::load(const std::string& path) {
  constexpr std::int64_t max_bytes = std::int64_t{256} << 20;
  const std::string text = read_file(path, max_bytes);
  try {
    return from_json(parse_json(text, {.source = path}));
  } catch (DataError& error) {
    error.add_context(path);
    throw;
  }
}

}  // namespace synthdata
