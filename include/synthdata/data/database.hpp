// synthdata/data/database.hpp: tables from and to SQLite, PostgreSQL and MySQL or MariaDB.
//
// Needs SOCI: link the CMake target synthdata::sql, or without CMake compile synthdata/data/soci_driver.cpp into the
// program. A database has a name:
//   adult.sqlite, adult.sqlite3, adult.db       SQLite files
//   sqlite:adult.db, sqlite:///folder/adult.db  the same, of any name; three slashes begin a full path
//   sqlite::memory:                             SQLite, gone with the Database
//   postgresql://user:password@host:5432/database?sslmode=require
//   mysql://user:password@host:3306/database?socket=/run/mysqld/mysqld.sock
// Parts of a name after "//" are percent-encoded as in any URL. What follows "?" are options of libpq (PostgreSQL), or
// socket, sslca, sslcert and connect_timeout (MySQL); "table=", "query=" and "mode=" are for reading and writing by
// name, see read_database() and create_in_database().
//
// Values are bound to statements and never become part of their text; names are quoted as the server wants it, so they
// mean exactly what they spell, upper and lower case included. Place-holders of values are those of the server: ? for
// SQLite and MySQL, $1 for PostgreSQL. Errors are DataErrors with the server's text; no message has the password.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/result_columns.hpp>
#include <synthdata/data/table.hpp>

#include <memory>
#include <string>
#include <vector>

namespace synthdata {

struct QueryOptions {
  /// Columns by name; found by looking at all cells where empty. A cell that does not fit is an error.
  Schema schema{};
  /// A column of texts is categorical if it has at most so many different ones, and at most half as many as values.
  std::int64_t max_categories = 1000;
};

enum class WriteMode : std::uint8_t {
  create,   ///< a new table; if there is one of that name, that is an error
  append,   ///< rows added to a table that is there
  replace,  ///< in place of the table of that name, with its indexes and rights, if there is one
};

namespace detail {
struct DatabaseLink;
}

/// A connection. Copies share it. One reader or writer uses it at a time, another use meanwhile is an Error; and one
/// thread.
class Database {
 public:
  /// Connects. A SQLite file that is not there is made by the first write or execute().
  /// @throws DataError for a name that is none, and if there is no connection; Error if the program was built without
  /// synthdata::sql or without that kind of database
  explicit Database(const std::string& name);

  /// All rows of a query, in a transaction that may only read. Types of columns are those of their values:
  ///   - integers; reals, and integers among reals; boolean for a boolean type whose values are all 0 or 1;
  ///   - date-times for a date or time type (in SQLite one of that name), all values of one ISO 8601 form;
  ///   - texts by the rule of read_csv: categorical, identifier or text; also numbers and texts in one SQLite column;
  ///   - of decimal types the nearest f64, written with as many decimals;
  ///   - other types as the server spells them; binary ones are an error (cast them in the query).
  /// A column without values has its declared type. NULL is a missing value.
  /// @param values  for the place-holders: null, boolean, number or text
  Table read(const std::string& query, const std::vector<Json>& values = {}, const QueryOptions& options = {}) const;
  Table read_table(const std::string& table, const QueryOptions& options = {}) const;

  /// A statement without rows; returns how many rows it changed. No BEGIN or COMMIT.
  std::int64_t execute(const std::string& statement, const std::vector<Json>& values = {}) const;

  /// A whole table in one transaction: it is there in full, or the database is as it was. See DatabaseWriter.
  void write(const std::string& table, const Table& rows, WriteMode mode = WriteMode::create) const;

  /// Names of the tables, in MySQL also of views, sorted.
  std::vector<std::string> tables() const;

  /// The name without the password.
  const std::string& str() const;

 private:
  friend class QueryReader;
  friend class DatabaseWriter;
  std::shared_ptr<detail::DatabaseLink> link_;
};

/// Reads the result of a query piece by piece, in memory of some pieces, from a server-side cursor (PostgreSQL), an
/// unbuffered result (MySQL) or SQLite's own. All pieces have one schema; it is found by running the query once before,
/// in the same transaction, unless one is given (with the categories of its categorical columns). Pieces one below the
/// other are the table of Database::read.
class QueryReader {
 public:
  /// @param rows  of a piece, at most; pieces of long texts have fewer, of about 64 MB
  QueryReader(const Database& database, const std::string& query, const std::vector<Json>& values = {},
              const QueryOptions& options = {}, std::int64_t rows = 65536);
  QueryReader(QueryReader&&) noexcept;
  QueryReader& operator=(QueryReader&&) noexcept;
  ~QueryReader();

  /// The next rows; none after the last. @throws DataError also for a connection that was lost
  std::optional<Table> next();
  const Schema& schema() const;

 private:
  struct Impl;
  detail::Owned<Impl> impl_;
};

/// Writes tables one below the other into one of a database, in one transaction: others see all rows after commit(),
/// and without it none. New tables are written under a temporary name and renamed at the end; where the server cannot
/// undo that (MySQL), a broken connection may leave a table "synthdata_..." behind, never half of the one meant.
/// Columns: integer, real, boolean, text (also for categorical and identifier), date, time, timestamp without and with
/// time zone. What the database cannot hold is a DataError: in PostgreSQL a zero byte in a text, in SQLite NaN, in
/// MySQL NaN, infinity, and points in time with a zone outside 1970 ... 2037.
/// Not kept are how values are spelled, categories without a row and their order: read with `schema` to have them.
class DatabaseWriter {
 public:
  DatabaseWriter(const Database& database, std::string table, WriteMode mode = WriteMode::create);
  DatabaseWriter(DatabaseWriter&&) noexcept;
  DatabaseWriter& operator=(DatabaseWriter&&) noexcept;
  ~DatabaseWriter();

  /// @throws DataError unless names and types are those of the first piece; after an error nothing can be written.
  void write(const Table& piece);
  void commit();

 private:
  struct Impl;
  detail::Owned<Impl> impl_;
};

/// True for a name that says by its scheme or its ending that it is a database.
bool names_database(std::string_view name);
/// What a name with "?table=" or "?query=" says, or the only table of the database.
Table read_database(const std::string& name, const QueryOptions& options = {});
QueryReader open_database(const std::string& name, const QueryOptions& options = {}, std::int64_t rows = 65536);
/// To the table that the name says by "?table=", with "&mode=append" or "&mode=replace" unless it is to be a new one.
DatabaseWriter create_in_database(const std::string& name);

namespace detail {

enum class SqlServer : std::uint8_t { sqlite, postgresql, mysql };

struct DatabaseName {
  SqlServer server = SqlServer::sqlite;
  std::string path{};  ///< of a SQLite file
  std::string user{}, password{}, host{}, port{}, database{};
  std::vector<std::pair<std::string, std::string>> options{};
  std::string table{}, query{};
  WriteMode mode = WriteMode::create;
  std::string shown{};  ///< without the password
};
DatabaseName parse_database_name(const std::string& name);

/// "name" or `name`. @throws DataError for an empty name, one with a zero byte, and one that the server would cut
std::string quoted_name(SqlServer server, std::string_view name);

/// How a column of a table is stored in a database.
SqlType stored_type(const ColumnSchema& column);
const char* declaration(SqlServer server, SqlType type);
inline bool stored_as_text(const Column& column) {
  return column.type() == ColumnType::text || column.type() == ColumnType::identifier;
}
/// @throws DataError for a date-time that its type does not hold
void append_iso_time(std::string& out, const Column& column, SqlType type, std::int64_t row);
/// Gives the value to the sink: missing(), integer(i64), real(f64), boolean(bool) or text(string_view), in memory of
/// the column or of `buffer`.
template <class Sink>
void give_cell(const Column& column, SqlType type, std::int64_t row, std::string& buffer, Sink&& sink) {
  if (column.is_missing(row)) return sink.missing();
  if (type == SqlType::integer) return sink.integer(column.integer(row));
  if (type == SqlType::real) return sink.real(column.real(row));
  if (type == SqlType::boolean) return sink.boolean(column.boolean(row));
  if (stored_as_text(column)) return sink.text(column.parts().texts[row]);
  if (column.type() == ColumnType::categorical) {
    return sink.text(std::string_view(column.schema().categories[static_cast<std::size_t>(column.code(row))]));
  }
  buffer.clear();
  if (type == SqlType::text) {
    column.append_cell(buffer, row);
  } else {
    append_iso_time(buffer, column, type, row);
  }
  sink.text(std::string_view(buffer));
}

/// The rows of a query.
class DatabaseCursor {
 public:
  virtual ~DatabaseCursor() = default;
  virtual const std::vector<ResultColumn>& columns() const = 0;
  /// Appends rows until there are `rows` or about `bytes` of memory; false after the last.
  virtual bool fetch(std::int64_t rows, std::int64_t bytes, std::vector<CellColumn>& to) = 0;
  DatabaseCursor* clone() const;  // never
};

/// Puts rows into a table.
class DatabaseInsert {
 public:
  virtual ~DatabaseInsert() = default;
  virtual void rows(const Table& piece) = 0;
  virtual void finish() = 0;
  DatabaseInsert* clone() const;  // never
};

/// What a driver does with a connection. All throw DataError.
class DatabaseConnection {
 public:
  virtual ~DatabaseConnection() = default;
  virtual std::int64_t execute(const std::string& statement, const std::vector<Json>& values) = 0;
  virtual DatabaseCursor* query(const std::string& query, const std::vector<Json>& values) = 0;
  virtual DatabaseInsert* insert(const std::string& table, const Schema& schema) = 0;
  virtual void begin(bool read_only) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  DatabaseConnection* clone() const;  // never
};

/// What data/soci_driver.cpp brings into a program.
struct DatabaseDriver {
  DatabaseConnection* (*connect)(const DatabaseName& name) = nullptr;
  bool (*serves)(SqlServer server) = nullptr;
};
DatabaseDriver& database_driver();

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/database_impl.hpp>
#endif
