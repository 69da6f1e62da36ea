// synthdata/data/read.hpp: tables from and to whatever a name stands for: a file, by its extension, or a database, by
// its scheme.
//
//   .csv  .tsv               data/csv.hpp
//   .json  .jsonl  .ndjson   data/json_table.hpp
//   .xml                     data/xml_table.hpp; the records are the children of the root
//   .txt                     data/text_file.hpp; one column, "text", a line a row
//   .sqlite  .sqlite3  .db   data/database.hpp; "?table=" or "?query=" behind it says what; postgresql://, mysql://
//   likewise
// Extensions count in any case; each may have .gz behind it, and is then written compressed. What is read says itself
// whether it is. A name with a scheme, such as sqlite://..., goes to what add_table_scheme was given for it. Use the
// headers above for what their options offer.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_stream.hpp>

#include <string>

namespace synthdata {

/// The whole table. @param place  a path or a name with a scheme; @param schema  of its columns, inferred where empty
/// @throws DataError for an extension or a scheme that nobody knows, and as the readers above
Table read(const std::string& place, const Schema& schema = {});
/// The same piece by piece. @param rows  of a piece, at most
AnyTableReader open_reader(const std::string& place, const Schema& schema = {}, std::int64_t rows = 65536);
/// The same as often as it is needed; a schema that is not given is found once.
TableSource table_source(const std::string& place, const Schema& schema = {}, std::int64_t rows = 65536);

/// Writes a whole table; nothing is there unless all of it is.
void write(const std::string& place, const Table& table);
/// The same piece by piece; nothing is there before commit().
AnyTableWriter open_writer(const std::string& place);

/// How tables behind one scheme or extension are read and written; null where they are not.
struct TableScheme {
  AnyTableReader (*open_reader)(const std::string& place, const Schema& schema, std::int64_t rows) = nullptr;
  AnyTableWriter (*open_writer)(const std::string& place) = nullptr;
  /// Where a whole table is read faster at once than in pieces.
  Table (*read)(const std::string& place, const Schema& schema) = nullptr;
};
/// Lets names that begin with `scheme` and "://" be read and written; a scheme given again is replaced. Threads may
/// call it, also while others read. @throws DataError unless the scheme is made of a-z 0-9 + - . and begins with a
/// letter.
void add_table_scheme(const std::string& scheme, TableScheme functions);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/read_impl.hpp>
#endif
