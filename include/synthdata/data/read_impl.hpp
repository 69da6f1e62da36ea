// synthdata/data/read_impl.hpp: bodies of data/read.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/csv.hpp>
#include <synthdata/data/database.hpp>
#include <synthdata/data/json_table.hpp>
#include <synthdata/data/read.hpp>
#include <synthdata/data/text_file.hpp>
#include <synthdata/data/xml_table.hpp>

#include <algorithm>
#include <map>
#include <mutex>

namespace synthdata {
namespace detail {

struct TableSchemes {
  std::mutex mutex;
  std::map<std::string, TableScheme, std::less<>> by_name;
};
SYNTHDATA_INLINE TableSchemes& table_schemes() {
  static TableSchemes schemes;
  return schemes;
}

/// "sqlite" of "sqlite://a.db"; empty for a path.
inline std::string_view scheme_of(std::string_view place) {
  const std::size_t end = place.find("://");
  if (end == std::string_view::npos || end == 0 || !(place[0] >= 'a' && place[0] <= 'z')) return {};
  const std::string_view scheme = place.substr(0, end);
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return std::all_of(scheme.begin(), scheme.end(), fits) ? scheme : std::string_view();
}

/// ".csv" of "a/B.CSV.gz".
inline std::string table_extension(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? std::string() : name.substr(dot);
}

inline CsvOptions csv_options(char delimiter, const Schema& schema) {
  CsvOptions options;
  options.delimiter = delimiter;
  options.schema = schema;
  return options;
}
template <char Delimiter>
AnyTableReader open_csv_reader(const std::string& path, const Schema& schema, std::int64_t rows) {
  return AnyTableReader(CsvReader(path, csv_options(Delimiter, schema), rows));
}
template <char Delimiter>
Table read_csv_as(const std::string& path, const Schema& schema) {
  return read_csv(path, csv_options(Delimiter, schema));
}
template <char Delimiter>
AnyTableWriter open_csv_writer(const std::string& path) {
  CsvWriteOptions options;
  options.delimiter = Delimiter;
  return AnyTableWriter(std::in_place_type<CsvWriter>, path, options);
}

inline RecordOptions record_options(const Schema& schema) {
  RecordOptions options;
  options.schema = schema;
  return options;
}
template <class Reader>
AnyTableReader open_record_reader(const std::string& path, const Schema& schema, std::int64_t rows) {
  return AnyTableReader(Reader(path, record_options(schema), rows));
}
template <Table (*Read)(const std::string&, const RecordOptions&)>
Table read_records_as(const std::string& path, const Schema& schema) {
  return Read(path, record_options(schema));
}
template <class Writer>
AnyTableWriter open_plain_writer(const std::string& path) {
  return AnyTableWriter(std::in_place_type<Writer>, path);
}

inline AnyTableReader open_xml_reader(const std::string& path, const Schema& schema, std::int64_t rows) {
  return AnyTableReader(XmlReader(path, {}, record_options(schema), rows));
}
inline Table read_xml_as(const std::string& path, const Schema& schema) {
  return read_xml(path, {}, record_options(schema));
}
inline TextOptions line_options(const std::string& path, const Schema& schema) {
  TextOptions options;
  if (schema.columns.empty()) return options;
  if (schema.columns.size() > 1 || schema.columns[0].type != ColumnType::text) {
    throw DataError(concat(path, ": lines are one column of type text, the schema has others"));
  }
  options.column = schema.columns[0].name;
  return options;
}
inline AnyTableReader open_line_reader(const std::string& path, const Schema& schema, std::int64_t rows) {
  return AnyTableReader(LineReader(path, line_options(path, schema), rows));
}
inline Table read_lines_as(const std::string& path, const Schema& schema) {
  return read_lines(path, line_options(path, schema));
}
inline QueryOptions query_options(const Schema& schema) {
  QueryOptions options;
  options.schema = schema;
  return options;
}
inline constexpr TableScheme databases = {
    [](const std::string& place, const Schema& schema, std::int64_t rows) {
      return AnyTableReader(open_database(place, query_options(schema), rows));
    },
    [](const std::string& place) {
      return AnyTableWriter(std::in_place_type<DatabaseWriter>, create_in_database(place));
    },
    [](const std::string& place, const Schema& schema) { return read_database(place, query_options(schema)); }};

struct TableExtension {
  const char* extension;
  TableScheme functions;
};
/// The functions for a place. @throws DataError if there are none.
SYNTHDATA_INLINE TableScheme table_scheme_of(const std::string& place) {
  static const TableExtension extensions[] = {
      {".csv", {open_csv_reader<0>, open_csv_writer<','>, read_csv_as<0>}},
      {".tsv", {open_csv_reader<'\t'>, open_csv_writer<'\t'>, read_csv_as<'\t'>}},
      {".json", {open_record_reader<JsonReader>, open_plain_writer<JsonWriter>, read_records_as<read_json>}},
      {".jsonl", {open_record_reader<JsonlReader>, open_plain_writer<JsonlWriter>, read_records_as<read_jsonl>}},
      {".txt", {open_line_reader, open_plain_writer<LineWriter>, read_lines_as}},
      {".xml", {open_xml_reader, open_plain_writer<XmlWriter>, read_xml_as}},
      {".ndjson", {open_record_reader<JsonlReader>, open_plain_writer<JsonlWriter>, read_records_as<read_jsonl>}},
  };
  if (const std::string_view scheme = scheme_of(place); !scheme.empty()) {
    TableSchemes& schemes = table_schemes();
    const std::lock_guard lock(schemes.mutex);
    const auto known = schemes.by_name.find(scheme);
    if (known != schemes.by_name.end()) return known->second;
    if (names_database(place)) return databases;
    std::string names;  // of the place itself only the scheme is shown: the rest may hold a password
    for (const auto& entry : schemes.by_name) names += " " + entry.first;
    throw DataError(concat(scheme, "://...: expects a scheme that this program was built with, which has",
                           names.empty() ? std::string(" none") : names));
  }
  if (names_database(place)) return databases;
  const std::string extension = table_extension(place);
  std::string names;
  for (const TableExtension& known : extensions) {
    if (extension == known.extension) return known.functions;
    names += concat(" ", known.extension);
  }
  throw DataError(concat(place, ": expects a name that ends in one of", names, ", each also with .gz"));
}

}  // namespace detail

SYNTHDATA_INLINE void add_table_scheme(const std::string& scheme, TableScheme functions) {
  if (detail::scheme_of(scheme + "://") != scheme || scheme.empty()) {
    throw DataError(concat("expects a scheme of a-z 0-9 + - . that begins with a letter, got ", in_quotes(scheme)));
  }
  detail::TableSchemes& schemes = detail::table_schemes();
  const std::lock_guard lock(schemes.mutex);
  schemes.by_name[scheme] = functions;
}

SYNTHDATA_INLINE AnyTableReader open_reader(const std::string& place, const Schema& schema, std::int64_t rows) {
  const TableScheme functions = detail::table_scheme_of(place);
  if (!functions.open_reader) throw DataError(concat(detail::scheme_of(place), "://...: can only be written"));
  return functions.open_reader(place, schema, rows);
}
SYNTHDATA_INLINE TableSource table_source(const std::string& place, const Schema& schema, std::int64_t rows) {
  return [place, schema = schema.columns.empty() ? open_reader(place, {}, rows).schema() : schema, rows] {
    return open_reader(place, schema, rows);
  };
}

SYNTHDATA_INLINE AnyTableWriter open_writer(const std::string& place) {
  const TableScheme functions = detail::table_scheme_of(place);
  if (!functions.open_writer) throw DataError(concat(detail::scheme_of(place), "://...: can only be read"));
  return functions.open_writer(place);
}

SYNTHDATA_INLINE Table read(const std::string& place, const Schema& schema) {
  const TableScheme functions = detail::table_scheme_of(place);
  if (functions.read) return functions.read(place, schema);
  AnyTableReader reader = open_reader(place, schema);
  return read_all(reader);
}

SYNTHDATA_INLINE void write(const std::string& place, const Table& table) {
  AnyTableWriter writer = open_writer(place);
  writer.write(table);
  writer.commit();
}

}  // namespace synthdata
