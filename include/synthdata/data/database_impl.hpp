// synthdata/data/database_impl.hpp: bodies of data/database.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/database.hpp>
#include <synthdata/data/result_columns_impl.hpp>
#include <synthdata/data/table_stream.hpp>

#include <algorithm>
#include <random>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE DatabaseDriver& database_driver() {
  static DatabaseDriver driver;
  return driver;
}

inline const char* name_of(SqlServer server) {
  return server == SqlServer::sqlite ? "SQLite" : server == SqlServer::mysql ? "MySQL" : "PostgreSQL";
}

SYNTHDATA_INLINE std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1, low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
    // the rest of the name is not shown: it may be a password
    if (high < 0 || low < 0) throw DataError("database name: expects two hexadecimal digits after each % (% is %25)");
    out += static_cast<char>(16 * high + low);
    i += 2;
  }
  return out;
}

inline bool is_sqlite_file(std::string_view path) {
  return path.ends_with(".sqlite") || path.ends_with(".sqlite3") || path.ends_with(".db") || path.ends_with(".db3");
}

SYNTHDATA_INLINE DatabaseName parse_database_name(const std::string& name) {
  DatabaseName parsed;
  std::string_view rest = name;
  const auto take = [&](std::string_view scheme) {
    const bool is = rest.starts_with(scheme);
    if (is) rest.remove_prefix(scheme.size());
    return is;
  };
  const std::size_t mark = rest.find('?');
  const std::string_view options = mark == std::string_view::npos ? std::string_view() : rest.substr(mark + 1);
  const std::string_view place = rest.substr(0, mark);
  bool url = true;
  if (take("postgresql://") || take("postgres://")) {
    parsed.server = SqlServer::postgresql;
  } else if (take("mysql://") || take("mariadb://")) {
    parsed.server = SqlServer::mysql;
  } else if (take("sqlite://")) {
  } else if (take("sqlite:") || is_sqlite_file(place)) {
    url = false;
  } else {
    throw DataError(
        "database name: expects a file ending in .sqlite, .sqlite3 or .db, or sqlite:..., postgresql://..., "
        "mysql://...");
  }
  rest = rest.substr(0, rest.find('?'));
  if (parsed.server == SqlServer::sqlite) {
    parsed.path = url ? percent_decoded(rest) : std::string(rest);
    if (parsed.path.empty()) throw DataError("database name: expects a file after \"sqlite:\"");
    parsed.shown = parsed.path;
  } else {
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
      const std::string_view login = rest.substr(0, at);
      const std::size_t colon = login.find(':');
      parsed.user = percent_decoded(login.substr(0, colon));
      if (colon != std::string_view::npos) parsed.password = percent_decoded(login.substr(colon + 1));
      rest.remove_prefix(at + 1);
    }
    const std::size_t slash = rest.find('/');
    std::string_view host = rest.substr(0, slash);
    if (slash != std::string_view::npos) parsed.database = percent_decoded(rest.substr(slash + 1));
    const std::size_t bracket = host.rfind(']'), colon = host.rfind(':');  // [::1]:5432
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
      parsed.port = host.substr(colon + 1);
      host = host.substr(0, colon);
      std::int64_t port = 0;
      if (!parse_integer(parsed.port, port) || port < 1 || port > 65535) {
        throw DataError(
            "database name: expects a port of 1 to 65535 after the host (a password's @ is %40, its / %2F)");
      }
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    parsed.host = percent_decoded(host);
    parsed.shown = concat(parsed.server == SqlServer::mysql ? "mysql://" : "postgresql://", parsed.user,
                          parsed.user.empty() ? "" : "@", parsed.host, parsed.port.empty() ? "" : ":", parsed.port, "/",
                          parsed.database);
  }
  for (std::string_view left = options; !left.empty();) {
    const std::string_view option = left.substr(0, left.find('&'));
    left.remove_prefix(std::min(left.size(), option.size() + 1));
    const std::size_t equals = option.find('=');
    if (equals == std::string_view::npos) throw DataError(concat(parsed.shown, ": expects option=value after \"?\""));
    const std::string key = percent_decoded(option.substr(0, equals));
    std::string value = percent_decoded(option.substr(equals + 1));
    if (key == "table") {
      parsed.table = std::move(value);
    } else if (key == "query") {
      parsed.query = std::move(value);
    } else if (key == "mode") {
      const bool append = value == "append", replace = value == "replace";
      if (!append && !replace && value != "create") {
        throw DataError(concat(parsed.shown, ": expects mode=create, append or replace, got ", in_quotes(value)));
      }
      parsed.mode = append ? WriteMode::append : replace ? WriteMode::replace : WriteMode::create;
    } else if (key == "password") {
      parsed.password = std::move(value);
    } else {
      parsed.options.emplace_back(key, std::move(value));
    }
  }
  for (const std::string* part : {&parsed.path, &parsed.user, &parsed.password, &parsed.host, &parsed.database}) {
    if (part->find('\0') != std::string::npos) throw DataError("database name: has a zero byte");
  }
  if (!parsed.table.empty() && !parsed.query.empty()) {
    throw DataError(concat(parsed.shown, ": expects \"table=\" or \"query=\", got both"));
  }
  return parsed;
}

SYNTHDATA_INLINE std::string quoted_name(SqlServer server, std::string_view name) {
  // PostgreSQL would cut it and go on. The others say so themselves.
  constexpr std::size_t longest = 63;
  if (name.empty() || name.find('\0') != std::string_view::npos) {
    throw DataError(
        concat("a table or column is called ", in_quotes(name), ", which ", name_of(server), " cannot name"));
  }
  if (server == SqlServer::postgresql && name.size() > longest) {
    throw DataError(concat("a table or column is called ", in_quotes(name), ", ", name.size(),
                           " bytes, and PostgreSQL keeps ", longest));
  }
  const char quote = server == SqlServer::mysql ? '`' : '"';
  std::string out(1, quote);
  for (const char c : name) {
    if (c == quote) out += c;
    out += c;
  }
  return out += quote;
}

SYNTHDATA_INLINE SqlType stored_type(const ColumnSchema& column) {
  switch (column.type) {
    case ColumnType::integer:
      return SqlType::integer;
    case ColumnType::real:
      return SqlType::real;
    case ColumnType::boolean:
      return SqlType::boolean;
    case ColumnType::date_time: {
      const bool date = column.pattern.find('Y') != std::string::npos;
      const bool time = column.pattern.find('H') != std::string::npos;
      if (date && !column.zone.empty()) return SqlType::zoned;
      if (column.zone.empty() && date != time) return date ? SqlType::date : SqlType::time;
      return date ? SqlType::date_time : SqlType::text;
    }
    default:
      return SqlType::text;
  }
}

SYNTHDATA_INLINE const char* declaration(SqlServer server, SqlType type) {
  const auto either = [&](const char* sqlite, const char* postgresql, const char* mysql) {
    return server == SqlServer::sqlite ? sqlite : server == SqlServer::mysql ? mysql : postgresql;
  };
  switch (type) {
    case SqlType::integer:
      return either("INTEGER", "bigint", "BIGINT");
    case SqlType::real:
      return either("REAL", "double precision", "DOUBLE");
    case SqlType::boolean:
      return either("BOOLEAN", "boolean", "TINYINT(1)");
    case SqlType::date:
      return either("DATE", "date", "DATE");
    case SqlType::time:
      return either("TIME", "time", "TIME(6)");
    case SqlType::date_time:
      return either("TIMESTAMP", "timestamp", "DATETIME(6)");
    case SqlType::zoned:
      return either("TIMESTAMP WITH TIME ZONE", "timestamp with time zone", "TIMESTAMP(6) NULL DEFAULT NULL");
    default:
      return either("TEXT", "text", "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
  }
}

SYNTHDATA_INLINE void append_iso_time(std::string& out, const Column& column, SqlType type, std::int64_t row) {
  constexpr std::int64_t a_day = seconds_a_day * microseconds_a_second;
  constexpr std::int64_t year_1 = -719162 * a_day, year_10000 = 2932897 * a_day;
  const std::int64_t value = column.integer(row);
  const std::int64_t time = (value % a_day + a_day) % a_day;
  const bool only_time = type == SqlType::time;
  if (only_time ? time != value : value < year_1 || value >= year_10000 || (type == SqlType::date && time != 0)) {
    throw DataError(concat("row ", row + 1, ", column ", in_quotes(column.name()), ": ", in_quotes(column.cell(row)),
                           " (", value, " microseconds since 1970) is not a ",
                           only_time               ? "time of day"
                           : type == SqlType::date ? "date"
                                                   : "point in time of the years 1 to 9999"));
  }
  std::string pattern = only_time ? "%H:%M:%S" : type == SqlType::date ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S";
  if (time % microseconds_a_second != 0) pattern += ".%6f";
  append_date_time_cell(out, value, pattern, type == SqlType::zoned ? "Z" : "");
}

/// A connection and who uses it.
struct DatabaseLink {
  DatabaseName name;
  Owned<DatabaseConnection> connection;
  const char* user = nullptr;

  DatabaseConnection* operator->() const { return &*connection; }
};

/// While it lives, nobody else uses the connection; at its end, what was not committed is undone.
class DatabaseUse {
 public:
  DatabaseUse(std::shared_ptr<DatabaseLink> link, const char* user) : link_(std::move(link)) {
    if (link_->user) {
      throw Error(concat("Database: the connection is in use by ", link_->user, "; open another Database for this"));
    }
    link_->user = user;
  }
  DatabaseUse(DatabaseUse&& other) noexcept : link_(std::move(other.link_)), open_(std::exchange(other.open_, false)) {}
  DatabaseUse& operator=(DatabaseUse&&) = delete;
  ~DatabaseUse() { end(); }

  void begin(bool read_only) {
    (*link_)->begin(read_only);
    open_ = true;
  }
  void commit() {
    (*link_)->commit();
    open_ = false;
  }
  void end() noexcept {
    if (!link_) return;
    if (open_) (*link_)->rollback();
    open_ = false;
    link_->user = nullptr;
    link_ = nullptr;
  }
  const std::shared_ptr<DatabaseLink>& link() const { return link_; }
  DatabaseConnection* operator->() const { return &*link_->connection; }
  explicit operator bool() const { return link_ != nullptr; }

 private:
  std::shared_ptr<DatabaseLink> link_;
  bool open_ = false;
};

/// The columns of a result, with what a given schema says of them.
SYNTHDATA_INLINE std::vector<CellColumn> make_cell_columns(const std::vector<ResultColumn>& result,
                                                           const QueryOptions& options, const std::string& where) {
  const std::vector<ColumnSchema>& given = options.schema.columns;
  const auto names = [&] {
    std::string out;
    for (const ResultColumn& column : result) out += concat(out.empty() ? "" : ", ", in_quotes(column.name));
    return out;
  };
  bool same = given.empty() || given.size() == result.size();
  for (std::size_t i = 0; i < given.size() && same; ++i) same = given[i].name == result[i].name;
  if (!same) {
    throw DataError(concat(where, ": expects the columns of the schema, ", list_names(given), ", got ", names()));
  }
  std::vector<CellColumn> columns;
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::int64_t categories = options.max_categories;
    if (!given.empty() && holds_texts(given[i])) categories = 0;
    if (!given.empty() && !given[i].categories.empty()) {
      categories = std::max(categories, static_cast<std::int64_t>(given[i].categories.size()));
    }
    columns.emplace_back(result[i], where, categories);
  }
  return columns;
}
SYNTHDATA_INLINE Schema settle_columns(std::vector<CellColumn>& columns, const Schema& given) {
  Schema schema;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    schema.columns.push_back(given.columns.empty() ? columns[i].settle() : columns[i].complete(given.columns[i]));
    schema.columns.back().as_written = false;
  }
  return schema;
}
SYNTHDATA_INLINE Table make_table(const std::vector<CellColumn>& columns, const Schema& schema) {
  std::vector<Column> made;
  for (std::size_t i = 0; i < columns.size(); ++i) made.push_back(columns[i].column(schema.columns[i]));
  return Table(std::move(made));
}

inline constexpr std::int64_t all_rows = std::int64_t{1} << 62;
inline constexpr std::int64_t piece_bytes = std::int64_t{64} << 20;

}  // namespace detail

SYNTHDATA_INLINE Database::Database(const std::string& name) : link_(std::make_shared<detail::DatabaseLink>()) {
  link_->name = detail::parse_database_name(name);
  const detail::DatabaseDriver& driver = detail::database_driver();
  if (!driver.connect) {
    throw Error(concat(link_->name.shown,
                       ": this program was built without databases; link the CMake target synthdata::sql, or compile "
                       "synthdata/data/soci_driver.cpp into it"));
  }
  if (!driver.serves(link_->name.server)) {
    throw Error(concat(link_->name.shown, ": synthdata::sql was built without ", detail::name_of(link_->name.server),
                       "; install its SOCI backend and client library, and configure again"));
  }
  link_->connection = detail::Owned<detail::DatabaseConnection>(driver.connect(link_->name));
}

SYNTHDATA_INLINE const std::string& Database::str() const { return link_->name.shown; }

SYNTHDATA_INLINE Table Database::read(const std::string& query, const std::vector<Json>& values,
                                      const QueryOptions& options) const {
  detail::DatabaseUse use(link_, "another read");
  use.begin(true);
  const detail::Owned<detail::DatabaseCursor> cursor(use->query(query, values));
  std::vector<detail::CellColumn> columns = detail::make_cell_columns(cursor->columns(), options, str());
  while (cursor->fetch(detail::all_rows, detail::all_rows, columns)) continue;
  const Schema schema = detail::settle_columns(columns, options.schema);
  return detail::make_table(columns, schema);
}

SYNTHDATA_INLINE Table Database::read_table(const std::string& table, const QueryOptions& options) const {
  return read("SELECT * FROM " + detail::quoted_name(link_->name.server, table), {}, options);
}

SYNTHDATA_INLINE std::int64_t Database::execute(const std::string& statement, const std::vector<Json>& values) const {
  const detail::DatabaseUse use(link_, "another statement");
  return use->execute(statement, values);
}

SYNTHDATA_INLINE void Database::write(const std::string& table, const Table& rows, WriteMode mode) const {
  DatabaseWriter writer(*this, table, mode);
  writer.write(rows);
  writer.commit();
}

SYNTHDATA_INLINE std::vector<std::string> Database::tables() const {
  const char* const queries[] = {
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
      "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = ANY (current_schemas(false))",
      "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = DATABASE()"};
  const Table found = read(queries[static_cast<int>(link_->name.server)]);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < found.size(); ++i) names.push_back(found[std::size_t{0}].cell(i));
  std::sort(names.begin(), names.end());
  return names;
}

struct QueryReader::Impl {
  Impl(std::shared_ptr<detail::DatabaseLink> link, const std::string& query, const std::vector<Json>& values,
       const QueryOptions& options, std::int64_t piece)
      : where(link->name.shown), rows(piece), use(std::move(link), "a QueryReader") {
    if (rows < 1) throw NumericError(concat("QueryReader: expects rows >= 1, got ", rows));
    use.begin(true);
    const auto open = [&] {
      cursor = detail::Owned<detail::DatabaseCursor>();  // before there is another
      cursor = detail::Owned<detail::DatabaseCursor>(use->query(query, values));
      columns = detail::make_cell_columns(cursor->columns(), options, where);
    };
    open();
    bool known = !options.schema.columns.empty();
    for (const ColumnSchema& column : options.schema.columns) {
      known &= column.type != ColumnType::categorical || !column.categories.empty();
    }
    for (bool more = !known; more;) {
      more = cursor->fetch(rows, detail::piece_bytes, columns);
      for (detail::CellColumn& column : columns) column.clear();
    }
    schema = known ? options.schema : detail::settle_columns(columns, options.schema);
    for (ColumnSchema& column : schema.columns) column.as_written = false;
    if (known) return;
    QueryOptions found = options;
    found.schema = schema;
    cursor = detail::Owned<detail::DatabaseCursor>();
    cursor = detail::Owned<detail::DatabaseCursor>(use->query(query, values));
    columns = detail::make_cell_columns(cursor->columns(), found, where);
  }
  Impl* clone() const;  // never

  std::string where;
  std::int64_t rows;
  detail::DatabaseUse use;
  detail::Owned<detail::DatabaseCursor> cursor;
  std::vector<detail::CellColumn> columns;
  Schema schema;
};

SYNTHDATA_INLINE QueryReader::QueryReader(const Database& database, const std::string& query,
                                          const std::vector<Json>& values, const QueryOptions& options,
                                          std::int64_t rows)
    : impl_(new Impl(database.link_, query, values, options, rows)) {}
SYNTHDATA_INLINE QueryReader::QueryReader(QueryReader&&) noexcept = default;
SYNTHDATA_INLINE QueryReader& QueryReader::operator=(QueryReader&&) noexcept = default;
SYNTHDATA_INLINE QueryReader::~QueryReader() = default;
SYNTHDATA_INLINE const Schema& QueryReader::schema() const { return impl_->schema; }

SYNTHDATA_INLINE std::optional<Table> QueryReader::next() {
  Impl& self = *impl_;
  if (!self.cursor) return std::nullopt;
  const bool more = self.cursor->fetch(self.rows, detail::piece_bytes, self.columns);
  std::optional<Table> piece;
  if (!self.columns.empty() && self.columns[0].size() > 0) piece = detail::make_table(self.columns, self.schema);
  for (detail::CellColumn& column : self.columns) column.clear();
  if (!more) {
    self.cursor = detail::Owned<detail::DatabaseCursor>();
    self.use.end();  // others may use the connection
  }
  return piece;
}

struct DatabaseWriter::Impl {
  Impl(std::shared_ptr<detail::DatabaseLink> link, std::string name, WriteMode how)
      : where(link->name.shown),
        table(std::move(name)),
        mode(how),
        server(link->name.server),
        quoted(detail::quoted_name(server, table)),
        use(std::move(link), "a DatabaseWriter") {
    // In SQLite and PostgreSQL nobody sees a new table before the end, whatever its name. Dropping one at the start
    // would keep PostgreSQL's other users from reading it meanwhile.
    const bool mysql = server == detail::SqlServer::mysql, sqlite = server == detail::SqlServer::sqlite;
    target = quoted;
    if ((mode == WriteMode::create && mysql) || (mode == WriteMode::replace && !sqlite)) {
      std::random_device random;
      std::string number;
      for (int i = 0; i < 16; ++i) number += "0123456789abcdef"[random() % 16];
      target = detail::quoted_name(server, "synthdata_" + number);
    }
  }
  Impl* clone() const;  // never
  ~Impl() { abandon(); }

  bool shadow() const { return target != quoted; }
  /// MySQL ends a transaction when a table is made or renamed.
  bool undone_by_hand() const { return server == detail::SqlServer::mysql && shadow(); }

  void start(const Table& piece) {
    for (const Column& column : piece.columns()) schema.columns.push_back(column.schema());
    if (schema.columns.empty()) throw DataError(concat(where, ": a table without columns cannot be written"));
    std::string columns;
    for (const ColumnSchema& column : schema.columns) {
      columns += concat(columns.empty() ? "" : ", ", detail::quoted_name(server, column.name), " ",
                        detail::declaration(server, detail::stored_type(column)));
    }
    if (mode == WriteMode::create && undone_by_hand() && exists()) {
      throw DataError(concat(where, ": table ", quoted, " already exists"));
    }
    if (!undone_by_hand()) use.begin(false);
    if (mode == WriteMode::replace && !shadow()) use->execute(concat("DROP TABLE IF EXISTS ", quoted), {});
    if (mode != WriteMode::append) {
      use->execute(concat("CREATE TABLE ", target, " (", columns, ")"), {});
      made = true;
    }
    if (undone_by_hand()) use.begin(false);
    insert = detail::Owned<detail::DatabaseInsert>(use->insert(target, schema));
  }

  void finish() {
    insert->finish();
    insert = detail::Owned<detail::DatabaseInsert>();
    if (undone_by_hand()) use.commit();
    if (shadow() && server == detail::SqlServer::mysql) {
      const std::string old = target.substr(0, target.size() - 1) + "_old`";
      const bool replaced = mode == WriteMode::replace && exists();
      use->execute(
          concat("RENAME TABLE ", replaced ? concat(quoted, " TO ", old, ", ") : std::string(), target, " TO ", quoted),
          {});
      made = false;
      if (replaced) use->execute(concat("DROP TABLE ", old), {});
    } else {
      if (shadow()) {
        if (mode == WriteMode::replace) use->execute(concat("DROP TABLE IF EXISTS ", quoted), {});
        use->execute(concat("ALTER TABLE ", target, " RENAME TO ", quoted), {});
      }
      use.commit();
    }
    use.end();
  }
  bool exists() {
    const detail::Owned<detail::DatabaseCursor> cursor(use->query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
        {table}));
    std::vector<detail::CellColumn> columns = detail::make_cell_columns(cursor->columns(), {}, where);
    while (cursor->fetch(detail::all_rows, detail::all_rows, columns)) continue;
    return columns[0].size() > 0;
  }

  /// Undoes all.
  void abandon() noexcept {
    if (!use) return;
    insert = detail::Owned<detail::DatabaseInsert>();
    const std::shared_ptr<detail::DatabaseLink> link = use.link();
    use.end();
    if (made && undone_by_hand()) {
      try {
        (*link)->execute(concat("DROP TABLE ", target), {});
      } catch (const Error&) {  // the connection is lost; the header says what remains
      }
    }
    made = false;
  }

  std::string where, table;
  WriteMode mode;
  detail::SqlServer server;
  std::string quoted, target;  // names as the server wants them
  detail::DatabaseUse use;
  Schema schema;
  detail::Owned<detail::DatabaseInsert> insert;
  bool made = false;
};

SYNTHDATA_INLINE DatabaseWriter::DatabaseWriter(const Database& database, std::string table, WriteMode mode)
    : impl_(new Impl(database.link_, std::move(table), mode)) {}
SYNTHDATA_INLINE DatabaseWriter::DatabaseWriter(DatabaseWriter&&) noexcept = default;
SYNTHDATA_INLINE DatabaseWriter& DatabaseWriter::operator=(DatabaseWriter&&) noexcept = default;
SYNTHDATA_INLINE DatabaseWriter::~DatabaseWriter() = default;

SYNTHDATA_INLINE void DatabaseWriter::write(const Table& piece) {
  Impl& self = *impl_;
  if (!self.use) throw Error(concat(self.where, ": the write has ended already, by commit() or an error"));
  try {
    if (!self.insert) {
      self.start(piece);
    } else {
      bool same = piece.columns().size() == self.schema.columns.size();
      for (std::size_t i = 0; same && i < self.schema.columns.size(); ++i) {
        same = piece[i].name() == self.schema.columns[i].name &&
               detail::stored_type(piece[i].schema()) == detail::stored_type(self.schema.columns[i]);
      }
      if (!same) {
        throw DataError(concat(self.where, ": expects the columns of the first piece, ",
                               detail::list_names(self.schema.columns), ", each of its type, got ",
                               detail::list_names(piece.schema().columns)));
      }
    }
    self.insert->rows(piece);
  } catch (...) {
    self.abandon();
    throw;
  }
}

SYNTHDATA_INLINE void DatabaseWriter::commit() {
  Impl& self = *impl_;
  if (!self.use) throw Error(concat(self.where, ": the write has ended already, by commit() or an error"));
  try {
    if (self.insert) return self.finish();
    if (self.mode != WriteMode::append) {
      throw DataError(concat(self.where, ": nothing was written, so the columns of ", in_quotes(self.table),
                             " are not known; write an empty table"));
    }
    self.use.end();
  } catch (...) {
    self.abandon();
    throw;
  }
}

namespace detail {

/// What `name` says to read.
SYNTHDATA_INLINE std::string query_of(const Database& database, const DatabaseName& name) {
  if (!name.query.empty()) return name.query;
  std::string table = name.table;
  if (table.empty()) {
    const std::vector<std::string> tables = database.tables();
    if (tables.size() != 1) {
      std::string names;
      for (std::size_t i = 0; i < tables.size() && i < 20; ++i) names += (i ? ", " : "; there are ") + tables[i];
      throw DataError(concat(name.shown, ": expects \"?table=\" or \"?query=\" behind the name of a database of ",
                             tables.size(), " tables", names));
    }
    table = tables[0];
  }
  return "SELECT * FROM " + quoted_name(name.server, table);
}

}  // namespace detail

SYNTHDATA_INLINE bool names_database(std::string_view name) {
  for (const std::string_view scheme : {"sqlite:", "postgresql://", "postgres://", "mysql://", "mariadb://"}) {
    if (name.starts_with(scheme)) return true;
  }
  return detail::is_sqlite_file(name.substr(0, name.find('?')));
}
SYNTHDATA_INLINE Table read_database(const std::string& name, const QueryOptions& options) {
  const Database database(name);
  return database.read(detail::query_of(database, detail::parse_database_name(name)), {}, options);
}
SYNTHDATA_INLINE QueryReader open_database(const std::string& name, const QueryOptions& options, std::int64_t rows) {
  const Database database(name);
  return QueryReader(database, detail::query_of(database, detail::parse_database_name(name)), {}, options, rows);
}
SYNTHDATA_INLINE DatabaseWriter create_in_database(const std::string& name) {
  const detail::DatabaseName parsed = detail::parse_database_name(name);
  if (parsed.table.empty()) throw DataError(concat(parsed.shown, ": expects \"?table=\" behind the name"));
  return DatabaseWriter(Database(name), parsed.table, parsed.mode);
}

}  // namespace synthdata
