// synthdata/data/soci_driver.cpp: brings databases to data/database.hpp, over SOCI. The CMake target synthdata::sql
// compiles it into the program that links it.
//
// SOCI opens sessions and ends transactions. Rows go through the client libraries' own calls, by the handles that SOCI
// gives: its rows cost several times as much, its MySQL backend writes values into the text of statements, and both it
// and the PostgreSQL one keep whole results in memory.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/cells.hpp>
#include <synthdata/data/database.hpp>

// Which of them there are; by CMake, or by the headers that are found.
#if !defined(SYNTHDATA_SQLITE) && __has_include(<sqlite3.h>)
#define SYNTHDATA_SQLITE 1
#endif
#if !defined(SYNTHDATA_POSTGRESQL) && __has_include(<libpq-fe.h>)
#define SYNTHDATA_POSTGRESQL 1
#endif
#if !defined(SYNTHDATA_MYSQL) && __has_include(<mysql.h>)
#define SYNTHDATA_MYSQL 1
#endif

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <type_traits>

#include <soci/error.h>
#include <soci/soci-backend.h>
#if SYNTHDATA_SQLITE
#include <soci/sqlite3/soci-sqlite3.h>
#endif
#if SYNTHDATA_POSTGRESQL
#include <soci/postgresql/soci-postgresql.h>
#endif
#if SYNTHDATA_MYSQL
#include <soci/mysql/soci-mysql.h>
#endif

namespace synthdata::detail {
namespace {

[[noreturn]] void fail(const DatabaseName& name, std::string_view text) {
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  throw DataError(concat(name.shown, ": ", text));
}
[[noreturn]] void fail_value(const DatabaseName& name, std::size_t i) {
  fail(name, concat("value ", i + 1, " of the statement: expects null, a boolean, a number or a text"));
}

/// name='value', as libpq and SOCI's MySQL backend read it.
void append_option(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += concat(out.empty() ? "" : " ", name, "='");
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  out += '\'';
}

bool same_name(std::string_view text, std::string_view part) {  // `part` in capitals somewhere in `text`
  for (std::size_t at = 0; at + part.size() <= text.size(); ++at) {
    std::size_t i = 0;
    while (i < part.size() &&
           (text[at + i] >= 'a' && text[at + i] <= 'z' ? text[at + i] - 32 : text[at + i]) == part[i]) {
      ++i;
    }
    if (i == part.size()) return true;
  }
  return false;
}

/// A decimal number as a server writes it: an integer where it is one and `whole` asks for it.
void give_decimal(CellColumn& to, std::string_view text, bool whole) {
  std::int64_t integer = 0;
  double real = 0;
  const char* const end = text.data() + text.size();
  if (whole && parse_integer(text, integer)) return to.integer(integer);
  if (std::from_chars(text.data(), end, real).ptr != end) to.refuse(concat("cannot read the number ", text));
  to.real(real);
}

/// A session of SOCI's backend for one kind of database. (soci::session around it would bring Boost.)
template <class Backend>
class SociConnection : public DatabaseConnection {
 public:
  explicit SociConnection(const DatabaseName& name) : name_(name) {}

  void commit() override {
    guarded([&] { session_->commit(); });
  }
  void rollback() noexcept override {
    try {
      session_->rollback();
    } catch (const std::exception&) {  // the connection is lost, and with it the transaction
    }
  }

 protected:
  void open(const soci::backend_factory& factory, const std::string& options) {
    guarded([&] { session_.reset(factory.make_session(soci::connection_parameters(factory, options))); });
  }
  template <class F>
  void guarded(F&& f) const {
    try {
      f();
    } catch (const soci::soci_error& error) {
      fail(name_, error.what());
    }
  }
  /// The client library's handle. SOCI's libraries keep the type information that a check of this cast would need.
  __attribute__((no_sanitize("vptr"))) decltype(Backend::conn_) db() const {
    return static_cast<const Backend*>(session_.get())->conn_;
  }

  DatabaseName name_;
  std::unique_ptr<soci::details::session_backend> session_;
};

#if SYNTHDATA_SQLITE
namespace api = sqlite_api;

/// A prepared statement with its values.
class SqliteStatement {
 public:
  SqliteStatement(api::sqlite3* db, const DatabaseName& name, const std::string& text, const std::vector<Json>& values)
      : db_(db), name_(name) {
    const char* rest = nullptr;
    check(api::sqlite3_prepare_v2(db, text.data(), static_cast<int>(text.size()), &statement_, &rest));
    const std::string_view left(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    if (!statement_ || left.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      finish();
      fail(name, "expects one statement");
    }
    const auto expected = static_cast<std::size_t>(api::sqlite3_bind_parameter_count(statement_));
    if (expected != values.size()) {
      finish();
      fail(name, concat("the statement has ", expected, " place-holders, got ", values.size(), " values"));
    }
    for (std::size_t i = 0; i < values.size(); ++i) bind(static_cast<int>(i) + 1, values[i]);
  }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() { finish(); }

  api::sqlite3_stmt* get() const { return statement_; }
  void check(int result) const {
    if (result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE) fail(name_, api::sqlite3_errmsg(db_));
  }
  bool step() const {
    const int result = api::sqlite3_step(statement_);
    check(result);
    return result == SQLITE_ROW;
  }
  void bind_text(int at, std::string_view text) const {
    check(api::sqlite3_bind_text64(statement_, at, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                                   SQLITE_UTF8));
  }

 private:
  void finish() {
    api::sqlite3_finalize(statement_);
    statement_ = nullptr;
  }
  void bind(int at, const Json& value) {
    if (value.is_null()) {
      check(api::sqlite3_bind_null(statement_, at));
    } else if (const bool* boolean = value.get_if<bool>()) {
      check(api::sqlite3_bind_int(statement_, at, *boolean));
    } else if (const std::int64_t* integer = value.get_if<std::int64_t>()) {
      check(api::sqlite3_bind_int64(statement_, at, *integer));
    } else if (const double* real = value.get_if<double>()) {
      check(api::sqlite3_bind_double(statement_, at, *real));
    } else if (const std::string* text = value.get_if<std::string>()) {
      bind_text(at, *text);  // the caller keeps it
    } else {
      finish();
      fail_value(name_, static_cast<std::size_t>(at) - 1);
    }
  }

  api::sqlite3* db_;
  const DatabaseName& name_;
  api::sqlite3_stmt* statement_ = nullptr;
};

class SqliteCursor final : public DatabaseCursor {
 public:
  SqliteCursor(api::sqlite3* db, const DatabaseName& name, const std::string& query, const std::vector<Json>& values)
      : values_(values), statement_(db, name, query, values_) {
    api::sqlite3_stmt* const statement = statement_.get();
    const int count = api::sqlite3_column_count(statement);
    if (count == 0) fail(name, "the statement gives no rows; use execute()");
    if (!api::sqlite3_stmt_readonly(statement)) fail(name, "the query would change the database; use execute()");
    for (int c = 0; c < count; ++c) {
      const char* const declared = api::sqlite3_column_decltype(statement, c);
      columns_.push_back({api::sqlite3_column_name(statement, c), type_of(declared ? declared : "")});
    }
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }

  bool fetch(std::int64_t rows, std::int64_t bytes, std::vector<CellColumn>& to) override {
    api::sqlite3_stmt* const statement = statement_.get();
    const int count = static_cast<int>(to.size());
    while (rows > 0 && bytes > 0) {
      if (!statement_.step()) return false;
      --rows;
      bytes -= 8 * count;
      CellColumn* column = to.data();
      for (int c = 0; c < count; ++c, ++column) {
        // One lock of the connection for each cell instead of two or three: the other calls take none. They want that
        // nobody else uses the connection, which nobody does.
        api::sqlite3_value* const value = api::sqlite3_column_value(statement, c);
        switch (api::sqlite3_value_type(value)) {
          case SQLITE_INTEGER:
            column->integer(api::sqlite3_value_int64(value));
            break;
          case SQLITE_FLOAT:
            column->real(api::sqlite3_value_double(value));
            break;
          case SQLITE_NULL:
            column->missing();
            break;
          case SQLITE_TEXT: {
            const auto* text = reinterpret_cast<const char*>(api::sqlite3_value_text(value));
            if (!text) column->refuse("no memory for the text");
            const auto size = static_cast<std::size_t>(api::sqlite3_value_bytes(value));
            column->text({text, size});
            bytes -= static_cast<std::int64_t>(size);
            break;
          }
          default:
            column->refuse("is binary, which no column holds; cast it in the query");
        }
      }
    }
    return true;
  }

 private:
  /// As SQLite finds affinities, and then by the names that others use.
  static SqlType type_of(std::string_view declared) {
    if (same_name(declared, "INT")) return SqlType::integer;
    if (same_name(declared, "BOOL")) return SqlType::boolean;
    const bool date = same_name(declared, "DATE") || same_name(declared, "TIMESTAMP");
    const bool time = same_name(declared, "TIME");
    if (date && time) return same_name(declared, "ZONE") ? SqlType::zoned : SqlType::date_time;
    if (date || time) return date ? SqlType::date : SqlType::time;
    for (const std::string_view real : {"REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"}) {
      if (same_name(declared, real)) return SqlType::real;
    }
    return declared.empty() ? SqlType::unknown : SqlType::text;
  }

  std::vector<Json> values_;  // bound without a copy
  SqliteStatement statement_;
  std::vector<ResultColumn> columns_;
};

class SqliteInsert final : public DatabaseInsert {
 public:
  SqliteInsert(api::sqlite3* db, const DatabaseName& name, const std::string& text, const Schema& schema)
      : name_(name), statement_(db, name, text, std::vector<Json>(schema.columns.size())) {
    for (const ColumnSchema& column : schema.columns) types_.push_back(stored_type(column));
  }

  void rows(const Table& piece) override {
    std::string buffer;
    const auto count = types_.size();
    for (std::int64_t row = 0; row < piece.size(); ++row) {
      for (std::size_t c = 0; c < count; ++c) {
        const Column& column = piece.columns()[c];
        give_cell(column, types_[c], row, buffer, Sink{*this, column, row, static_cast<int>(c) + 1});
      }
      statement_.step();
      statement_.check(api::sqlite3_reset(statement_.get()));
    }
  }
  void finish() override {}

 private:
  struct Sink {
    SqliteInsert& to;
    const Column& column;
    std::int64_t row;
    int at;
    api::sqlite3_stmt* statement() const { return to.statement_.get(); }
    void missing() const { to.statement_.check(api::sqlite3_bind_null(statement(), at)); }
    void integer(std::int64_t value) const { to.statement_.check(api::sqlite3_bind_int64(statement(), at, value)); }
    void boolean(bool value) const { to.statement_.check(api::sqlite3_bind_int(statement(), at, value)); }
    void real(double value) const {
      if (std::isnan(value)) {  // it would become NULL
        fail(to.name_, concat("row ", row + 1, ", column ", in_quotes(column.name()), ": SQLite has no NaN"));
      }
      to.statement_.check(api::sqlite3_bind_double(statement(), at, value));
    }
    void text(std::string_view value) const {
      const auto* kept = value.data();
      // what is not in the column's own memory is in a buffer that the next cell uses
      const bool lives = stored_as_text(column) || column.type() == ColumnType::categorical;
      to.statement_.check(api::sqlite3_bind_text64(statement(), at, kept ? kept : "", value.size(),
                                                   lives ? SQLITE_STATIC : copied(), SQLITE_UTF8));
    }
    static api::sqlite3_destructor_type copied() { return reinterpret_cast<api::sqlite3_destructor_type>(-1); }
  };

  const DatabaseName& name_;
  SqliteStatement statement_;
  std::vector<SqlType> types_;
};

class SqliteConnection final : public SociConnection<soci::sqlite3_session_backend> {
 public:
  explicit SqliteConnection(const DatabaseName& name) : SociConnection(name) {
    if (there()) start();
  }

  std::int64_t execute(const std::string& statement, const std::vector<Json>& values) override {
    start();
    const SqliteStatement prepared(db(), name_, statement, values);
    while (prepared.step()) continue;
    return api::sqlite3_column_count(prepared.get()) == 0 ? api::sqlite3_changes(db()) : 0;
  }
  DatabaseCursor* query(const std::string& query, const std::vector<Json>& values) override {
    return new SqliteCursor(db(), name_, query, values);
  }
  DatabaseInsert* insert(const std::string& table, const Schema& schema) override {
    std::string columns, holders;
    for (const ColumnSchema& column : schema.columns) {
      columns += concat(columns.empty() ? "" : ", ", quoted_name(SqlServer::sqlite, column.name));
      holders += holders.empty() ? "?" : ", ?";
    }
    return new SqliteInsert(db(), name_, concat("INSERT INTO ", table, " (", columns, ") VALUES (", holders, ")"),
                            schema);
  }
  void begin(bool read_only) override {
    if (read_only && !session_ && !there()) fail(name_, "there is no such file");
    start();
    guarded([&] { session_->begin(); });
  }

 private:
  bool there() const {
    std::error_code ignored;
    return name_.path == ":memory:" || std::filesystem::exists(name_.path, ignored);
  }
  void start() {
    if (session_) return;
    // SOCI takes a text without "=" as the file's name, and else name="value", without a way to write a quote.
    const bool plain = name_.path.find('=') == std::string::npos;
    if (!plain && name_.path.find('"') != std::string::npos)
      fail(name_, "SOCI cannot open a file whose name has = and \"");
    open(*soci::factory_sqlite3(), plain ? name_.path : concat("dbname=\"", name_.path, "\""));
    constexpr int wait_ms = 10'000;  // for another program's transaction
    api::sqlite3_busy_timeout(db(), wait_ms);
    // A file from elsewhere may hold views and triggers that were made to do harm.
    api::sqlite3_db_config(db(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    api::sqlite3_db_config(db(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  }
};
#endif

#if SYNTHDATA_POSTGRESQL
/// A PGresult that is cleared.
class PgResult {
 public:
  explicit PgResult(PGresult* result) : result_(result) {}
  PgResult(const PgResult&) = delete;
  PgResult& operator=(const PgResult&) = delete;
  ~PgResult() { PQclear(result_); }
  PGresult* get() const { return result_; }

 private:
  PGresult* result_;
};

class PgCursor final : public DatabaseCursor {
 public:
  /// @param run  runs a statement and gives its result
  template <class Run>
  PgCursor(PGconn* connection, const DatabaseName& name, const Run& run, const std::string& query,
           const std::vector<Json>& values)
      : connection_(connection), name_(name) {
    PQclear(run("SET LOCAL cursor_tuple_fraction = 1", {}));  // all rows will be asked for
    PQclear(run("DECLARE synthdata_rows NO SCROLL CURSOR FOR " + query, values));
    more();
    try {
      for (int c = 0; c < PQnfields(batch_); ++c) {
        const Oid type = PQftype(batch_, c);
        const int precision = PQfmod(batch_, c);  // of numeric: digits << 16 | decimals, + 4
        const std::string column = PQfname(batch_, c);
        if (type == 17)
          fail(name,
               concat("column ", in_quotes(column), " is binary (bytea), which no column holds; cast it in the query"));
        types_.push_back(type);
        scales_.push_back(precision >= 4 ? (precision - 4) & 0xffff : -1);
        columns_.push_back({column, type_of(type), type == 1700 ? scales_.back() : -1});
      }
      if (columns_.empty()) fail(name, "the query has no columns");
    } catch (...) {
      PQclear(batch_);
      throw;
    }
  }
  PgCursor(const PgCursor&) = delete;
  PgCursor& operator=(const PgCursor&) = delete;
  ~PgCursor() override {
    PQclear(batch_);
    PQclear(PQexec(connection_, "CLOSE synthdata_rows"));
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }

  bool fetch(std::int64_t rows, std::int64_t bytes, std::vector<CellColumn>& to) override {
    while (rows > 0 && bytes > 0) {
      if (at_ == PQntuples(batch_)) {
        if (at_ == 0) return false;
        more();
        if (PQntuples(batch_) == 0) return false;
      }
      const int end = static_cast<int>(std::min<std::int64_t>(PQntuples(batch_), at_ + rows));
      const int begin = at_;
      for (; at_ < end && bytes > 0; ++at_) {
        for (std::size_t c = 0; c < to.size(); ++c) bytes -= 8 + give(to[c], c);
      }
      rows -= at_ - begin;
    }
    return true;
  }

 private:
  static SqlType type_of(Oid type) {  // numbers of pg_type.dat, which never change
    switch (type) {
      case 16:
        return SqlType::boolean;
      case 20:
      case 21:
      case 23:
      case 26:
        return SqlType::integer;
      case 700:
      case 701:
      case 1700:
        return SqlType::real;
      case 1082:
        return SqlType::date;
      case 1083:
        return SqlType::time;
      case 1114:
        return SqlType::date_time;
      case 1184:
        return SqlType::zoned;
      default:
        return SqlType::text;
    }
  }

  /// The next rows, as many as are about 4 MB.
  void more() {
    if (batch_) {
      const auto bytes = static_cast<std::int64_t>(PQresultMemorySize(batch_));
      if (bytes < batch_bytes / 2) rows_ = std::min<std::int64_t>(2 * rows_, 16384);
      if (bytes > 2 * batch_bytes) rows_ = std::max<std::int64_t>(1, rows_ * batch_bytes / bytes);
      PQclear(batch_);
    }
    at_ = 0;
    batch_ = PQexec(connection_, concat("FETCH FORWARD ", rows_, " FROM synthdata_rows").c_str());
    if (PQresultStatus(batch_) == PGRES_TUPLES_OK) return;
    PQclear(batch_);
    batch_ = nullptr;
    fail(name_, PQerrorMessage(connection_));
  }

  std::int64_t give(CellColumn& to, std::size_t c) {
    const int column = static_cast<int>(c);
    if (PQgetisnull(batch_, at_, column)) {
      to.missing();
      return 0;
    }
    const std::string_view text(PQgetvalue(batch_, at_, column),
                                static_cast<std::size_t>(PQgetlength(batch_, at_, column)));
    switch (columns_[c].declared) {
      case SqlType::boolean:
        to.integer(text == "t");
        break;
      case SqlType::integer:
        give_decimal(to, text, true);
        break;
      case SqlType::real:
        give_decimal(to, text, types_[c] == 1700 && scales_[c] == 0);
        break;
      default:
        to.text(text);
    }
    return static_cast<std::int64_t>(text.size());
  }

  static constexpr std::int64_t batch_bytes = std::int64_t{4} << 20;
  PGconn* connection_;
  const DatabaseName& name_;
  std::vector<ResultColumn> columns_;
  std::vector<Oid> types_;
  std::vector<int> scales_;
  PGresult* batch_ = nullptr;
  std::int64_t rows_ = 16;
  int at_ = 0;
};

/// COPY ... FROM STDIN, in its text form.
class PgInsert final : public DatabaseInsert {
 public:
  PgInsert(PGconn* connection, const DatabaseName& name, const std::string& table, const Schema& schema)
      : connection_(connection), name_(name) {
    std::string columns;
    for (const ColumnSchema& column : schema.columns) {
      types_.push_back(stored_type(column));
      columns += concat(columns.empty() ? "" : ", ", quoted_name(SqlServer::postgresql, column.name));
    }
    const PgResult started(PQexec(connection, concat("COPY ", table, " (", columns, ") FROM STDIN").c_str()));
    if (PQresultStatus(started.get()) != PGRES_COPY_IN) fail(name, PQerrorMessage(connection));
    copying_ = true;
  }
  PgInsert(const PgInsert&) = delete;
  PgInsert& operator=(const PgInsert&) = delete;
  ~PgInsert() override {
    if (!copying_) return;
    PQputCopyEnd(connection_, "the write was given up");
    while (PGresult* result = PQgetResult(connection_)) PQclear(result);
  }

  void rows(const Table& piece) override {
    std::string buffer;
    for (std::int64_t row = 0; row < piece.size(); ++row) {
      for (std::size_t c = 0; c < types_.size(); ++c) {
        const Column& column = piece.columns()[c];
        if (c > 0) text_ += '\t';
        give_cell(column, types_[c], row, buffer, Sink{*this, column, row});
      }
      text_ += '\n';
      if (text_.size() > (std::size_t{1} << 18)) send();
    }
  }
  void finish() override {
    send();
    copying_ = false;
    std::string error;
    if (PQputCopyEnd(connection_, nullptr) != 1) error = PQerrorMessage(connection_);
    while (PGresult* result = PQgetResult(connection_)) {
      if (PQresultStatus(result) != PGRES_COMMAND_OK && error.empty()) error = PQresultErrorMessage(result);
      PQclear(result);
    }
    if (!error.empty()) fail(name_, error);
  }

 private:
  struct Sink {
    PgInsert& to;
    const Column& column;
    std::int64_t row;
    void missing() const { to.text_ += "\\N"; }
    void integer(std::int64_t value) const { append_integer_cell(to.text_, value); }
    void boolean(bool value) const { to.text_ += value ? 't' : 'f'; }
    void real(double value) const { append_real_cell(to.text_, value, {}); }
    void text(std::string_view value) const {
      if (value.find('\0') != std::string_view::npos) {
        fail(to.name_, concat("row ", row + 1, ", column ", in_quotes(column.name()),
                              ": PostgreSQL has no texts with a zero byte"));
      }
      for (const char c : value) {
        if (c == '\\' || c == '\t' || c == '\n' || c == '\r') {
          to.text_ += '\\';
          to.text_ += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        } else {
          to.text_ += c;
        }
      }
    }
  };
  void send() {
    constexpr std::size_t most = std::size_t{1} << 30;  // libpq counts in int
    for (std::string_view left = text_; !left.empty(); left.remove_prefix(std::min(left.size(), most))) {
      const int size = static_cast<int>(std::min(left.size(), most));
      if (PQputCopyData(connection_, left.data(), size) != 1) fail(name_, PQerrorMessage(connection_));
    }
    text_.clear();
  }

  PGconn* connection_;
  const DatabaseName& name_;
  std::vector<SqlType> types_;
  std::string text_;
  bool copying_ = false;
};

class PgConnection final : public SociConnection<soci::postgresql_session_backend> {
 public:
  explicit PgConnection(const DatabaseName& name) : SociConnection(name) {
    std::string options;
    append_option(options, "host", name.host);
    append_option(options, "port", name.port);
    append_option(options, "user", name.user);
    append_option(options, "password", name.password);
    append_option(options, "dbname", name.database);
    for (const auto& [key, value] : name.options) {
      for (const char c : key) {
        if ((c < 'a' || c > 'z') && c != '_') fail(name, concat(in_quotes(key), " is not an option of PostgreSQL"));
      }
      append_option(options, key, value);
    }
    open(*soci::factory_postgresql(), options);
    PQsetNoticeProcessor(
        db(), [](void*, const char*) {}, nullptr);
    for (const char* setting : {"SET client_encoding = 'UTF8'", "SET datestyle = 'ISO'", "SET timezone = 'UTC'"}) {
      execute(setting, {});
    }
  }

  std::int64_t execute(const std::string& statement, const std::vector<Json>& values) override {
    const PgResult result(run(statement, values));
    const std::string_view count = PQcmdTuples(result.get());
    std::int64_t rows = 0;
    parse_integer(count, rows);  // stays 0 for statements that change no rows
    return rows;
  }
  DatabaseCursor* query(const std::string& query, const std::vector<Json>& values) override {
    return new PgCursor(
        db(), name_, [this](const std::string& s, const std::vector<Json>& v) { return run(s, v); }, query, values);
  }
  DatabaseInsert* insert(const std::string& table, const Schema& schema) override {
    return new PgInsert(db(), name_, table, schema);
  }
  void begin(bool read_only) override {
    guarded([&] { session_->begin(); });
    if (read_only) execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", {});
  }

 private:
  PGresult* run(const std::string& statement, const std::vector<Json>& values) {
    if (statement.find('\0') != std::string::npos) fail(name_, "the statement has a zero byte");
    std::vector<std::string> texts(values.size());
    std::vector<const char*> pointers(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::string& text = texts[i];
      pointers[i] = nullptr;
      if (values[i].is_null()) continue;
      if (const bool* boolean = values[i].get_if<bool>()) {
        text = *boolean ? "t" : "f";
      } else if (const std::int64_t* integer = values[i].get_if<std::int64_t>()) {
        append_integer_cell(text, *integer);
      } else if (const double* real = values[i].get_if<double>()) {
        append_real_cell(text, *real, {});
      } else if (const std::string* given = values[i].get_if<std::string>()) {
        if (given->find('\0') != std::string::npos) {
          fail(name_, concat("value ", i + 1, " of the statement: PostgreSQL has no texts with a zero byte"));
        }
        text = *given;
      } else {
        fail_value(name_, i);
      }
      pointers[i] = text.c_str();
    }
    if (values.size() > 65535) fail(name_, "expects at most 65535 values");
    PGresult* const result = PQexecParams(db(), statement.c_str(), static_cast<int>(values.size()), nullptr,
                                          pointers.data(), nullptr, nullptr, 0);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
    PQclear(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) fail(name_, "COPY is not for execute()");
    fail(name_, PQerrorMessage(db()));
  }
};
#endif

#if SYNTHDATA_MYSQL
using MysqlFlag = std::remove_pointer_t<decltype(MYSQL_BIND::is_null)>;  // bool in MySQL, char in MariaDB

class MysqlStatement {
 public:
  MysqlStatement(MYSQL* connection, const DatabaseName& name, const std::string& text)
      : name_(name), statement_(mysql_stmt_init(connection)) {
    if (!statement_) fail(name, "no memory for a statement");
    if (mysql_stmt_prepare(statement_, text.data(), text.size()) == 0) return;
    const std::string error = mysql_stmt_error(statement_);
    mysql_stmt_close(statement_);
    fail(name, error);
  }
  MysqlStatement(const MysqlStatement&) = delete;
  MysqlStatement& operator=(const MysqlStatement&) = delete;
  ~MysqlStatement() { mysql_stmt_close(statement_); }

  MYSQL_STMT* get() const { return statement_; }
  void check(bool failed) const {
    if (failed) fail(name_, mysql_stmt_error(statement_));
  }
  void execute(MYSQL_BIND* values) const {
    check(values && mysql_stmt_bind_param(statement_, values) != 0);
    check(mysql_stmt_execute(statement_) != 0);
  }
  void execute(const std::vector<Json>& values) const {
    if (mysql_stmt_param_count(statement_) != values.size()) {
      fail(name_, concat("the statement has ", mysql_stmt_param_count(statement_), " place-holders, got ",
                         values.size(), " values"));
    }
    std::vector<MYSQL_BIND> binds(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      MYSQL_BIND& bind = binds[i];
      bind.buffer_type = MYSQL_TYPE_NULL;
      if (values[i].is_null()) continue;
      if (const bool* boolean = values[i].get_if<bool>()) {
        set(bind, MYSQL_TYPE_TINY, boolean);
      } else if (const std::int64_t* integer = values[i].get_if<std::int64_t>()) {
        set(bind, MYSQL_TYPE_LONGLONG, integer);
      } else if (const double* real = values[i].get_if<double>()) {
        set(bind, MYSQL_TYPE_DOUBLE, real);
      } else if (const std::string* text = values[i].get_if<std::string>()) {
        set(bind, MYSQL_TYPE_STRING, text->data(), text->size());
      } else {
        fail_value(name_, i);
      }
    }
    execute(binds.data());
  }
  static void set(MYSQL_BIND& bind, enum_field_types type, const void* at, std::size_t size = 0) {
    bind.buffer_type = type;
    bind.buffer = const_cast<void*>(at);  // it is only read
    bind.buffer_length = size;
  }

 private:
  const DatabaseName& name_;
  MYSQL_STMT* statement_;
};

class MysqlCursor final : public DatabaseCursor {
 public:
  MysqlCursor(MYSQL* connection, const DatabaseName& name, const std::string& query, const std::vector<Json>& values)
      : statement_(connection, name, query) {
    MYSQL_RES* const result = mysql_stmt_result_metadata(statement_.get());
    if (!result) fail(name, "the statement gives no rows; use execute()");
    std::string binary;
    const unsigned count = mysql_num_fields(result);
    cells_.resize(count);
    for (unsigned c = 0; c < count; ++c) {
      const MYSQL_FIELD& field = mysql_fetch_fields(result)[c];
      columns_.push_back({std::string(field.name, field.name_length), SqlType::text});
      if (!describe(field, columns_.back(), cells_[c])) binary = columns_.back().name;
    }
    mysql_free_result(result);
    if (!binary.empty()) {
      fail(name, concat("column ", in_quotes(binary), " is binary, which no column holds; cast it in the query"));
    }
    statement_.execute(values);
    bind();
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }

  bool fetch(std::int64_t rows, std::int64_t bytes, std::vector<CellColumn>& to) override {
    for (; rows > 0 && bytes > 0; --rows) {
      const int result = mysql_stmt_fetch(statement_.get());
      if (result == MYSQL_NO_DATA) return false;
      statement_.check(result == 1);
      bool grown = false;
      for (std::size_t c = 0; c < to.size(); ++c) {
        Cell& cell = cells_[c];
        if (cell.null) {
          to[c].missing();
        } else if (cell.type == MYSQL_TYPE_LONGLONG) {
          if (cell.is_unsigned && cell.integer < 0) to[c].refuse("expects an integer below 2^63; cast it in the query");
          to[c].integer(cell.integer);
        } else if (cell.type == MYSQL_TYPE_DOUBLE) {
          to[c].real(cell.real);
        } else {
          if (cell.length > cell.text.size()) {  // fetched again, into a buffer that is large enough
            cell.text.resize(cell.length + cell.length / 4);
            MYSQL_BIND again = {};
            again.buffer_type = MYSQL_TYPE_STRING;
            again.buffer = cell.text.data();
            again.buffer_length = cell.text.size();
            unsigned long length = 0;
            again.length = &length;
            statement_.check(mysql_stmt_fetch_column(statement_.get(), &again, static_cast<unsigned>(c), 0) != 0);
            grown = true;
          }
          const std::string_view text(cell.text.data(), cell.length);
          if (columns_[c].declared == SqlType::zoned) {
            to[c].text(concat(text, "Z"));  // of the session's zone, which is UTC
          } else if (cell.decimal) {
            give_decimal(to[c], text, columns_[c].decimals == 0);
          } else {
            to[c].text(text);
          }
          bytes -= static_cast<std::int64_t>(text.size());
        }
        bytes -= 8;
      }
      if (grown) bind();
    }
    return true;
  }

 private:
  struct Cell {
    enum_field_types type = MYSQL_TYPE_STRING;
    bool is_unsigned = false, decimal = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    unsigned long length = 0;
    MysqlFlag null = 0, error = 0;
  };

  /// False for a binary column.
  static bool describe(const MYSQL_FIELD& field, ResultColumn& column, Cell& cell) {
    constexpr unsigned binary = 63;  // the "character set" of bytes
    switch (field.type) {
      case MYSQL_TYPE_TINY:
      case MYSQL_TYPE_SHORT:
      case MYSQL_TYPE_INT24:
      case MYSQL_TYPE_LONG:
      case MYSQL_TYPE_LONGLONG:
      case MYSQL_TYPE_YEAR:
        cell.type = MYSQL_TYPE_LONGLONG;
        cell.is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
        column.declared = field.type == MYSQL_TYPE_TINY && field.length == 1 ? SqlType::boolean : SqlType::integer;
        return true;
      case MYSQL_TYPE_FLOAT:
      case MYSQL_TYPE_DOUBLE:
        cell.type = MYSQL_TYPE_DOUBLE;
        column.declared = SqlType::real;
        return true;
      case MYSQL_TYPE_DECIMAL:
      case MYSQL_TYPE_NEWDECIMAL:
        cell.decimal = true;
        column.declared = SqlType::real;
        column.decimals = static_cast<int>(field.decimals);
        return true;
      case MYSQL_TYPE_DATE:
      case MYSQL_TYPE_NEWDATE:
        column.declared = SqlType::date;
        return true;
      case MYSQL_TYPE_TIME:
        column.declared = SqlType::time;
        return true;
      case MYSQL_TYPE_DATETIME:
        column.declared = SqlType::date_time;
        return true;
      case MYSQL_TYPE_TIMESTAMP:
        column.declared = SqlType::zoned;
        return true;
      case MYSQL_TYPE_NULL:
        return true;
      case MYSQL_TYPE_BIT:
      case MYSQL_TYPE_GEOMETRY:
        return false;
#ifndef MARIADB_VERSION_ID
      case MYSQL_TYPE_JSON:
        return true;
#endif
      default:
        return field.charsetnr != binary;
    }
  }

  void bind() {
    std::vector<MYSQL_BIND> binds(cells_.size());
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      Cell& cell = cells_[c];
      MYSQL_BIND& bind = binds[c];
      if (cell.text.empty()) cell.text.resize(64);
      bind.buffer_type = cell.type;
      bind.buffer = cell.type == MYSQL_TYPE_LONGLONG ? static_cast<void*>(&cell.integer)
                    : cell.type == MYSQL_TYPE_DOUBLE ? static_cast<void*>(&cell.real)
                                                     : cell.text.data();
      bind.buffer_length = cell.type == MYSQL_TYPE_STRING ? cell.text.size() : 8;
      bind.is_unsigned = cell.is_unsigned;
      bind.length = &cell.length;
      bind.is_null = &cell.null;
      bind.error = &cell.error;
    }
    statement_.check(mysql_stmt_bind_result(statement_.get(), binds.data()) != 0);
  }

  MysqlStatement statement_;
  std::vector<ResultColumn> columns_;
  std::vector<Cell> cells_;
};

class MysqlInsert final : public DatabaseInsert {
 public:
  MysqlInsert(MYSQL* connection, const DatabaseName& name, const std::string& table, const Schema& schema)
      : name_(name), width_(schema.columns.size()) {
    std::string columns, row;
    for (const ColumnSchema& column : schema.columns) {
      types_.push_back(stored_type(column));
      columns += concat(columns.empty() ? "" : ", ", quoted_name(SqlServer::mysql, column.name));
      row += row.empty() ? "(?" : ", ?";
    }
    row += ")";
    const std::string start = concat("INSERT INTO ", table, " (", columns, ") VALUES ");
    one_ = Owned<MysqlStatement>(new MysqlStatement(connection, name, start + row));
    std::string many = start;
    batch_ = std::max<std::int64_t>(1, std::min<std::int64_t>(256, 65535 / static_cast<std::int64_t>(width_)));
    for (std::int64_t i = 0; i < batch_; ++i) many += concat(i ? ", " : "", row);
    many_ = Owned<MysqlStatement>(new MysqlStatement(connection, name, many));
    const std::size_t cells = width_ * static_cast<std::size_t>(batch_);
    binds_.resize(cells);
    numbers_.resize(cells);
    spelled_.resize(cells);
  }

  void rows(const Table& piece) override {
    constexpr std::size_t most_bytes = std::size_t{1} << 20;  // a server takes packets of a few MB
    std::int64_t row = 0;
    while (row < piece.size()) {
      bytes_ = 0;
      std::int64_t count = 0;
      for (; count < batch_ && row + count < piece.size() && bytes_ < most_bytes; ++count)
        fill(piece, row + count, count);
      if (count == batch_) {
        many_->execute(binds_.data());
      } else {
        for (std::int64_t i = 0; i < count; ++i) one_->execute(binds_.data() + static_cast<std::size_t>(i) * width_);
      }
      row += count;
    }
  }
  void finish() override {}

 private:
  void fill(const Table& piece, std::int64_t row, std::int64_t place) {
    for (std::size_t c = 0; c < width_; ++c) {
      const std::size_t at = static_cast<std::size_t>(place) * width_ + c;
      binds_[at] = {};
      give_cell(piece.columns()[c], types_[c], row, spelled_[at], Sink{*this, piece.columns()[c], types_[c], row, at});
    }
  }
  struct Sink {
    MysqlInsert& to;
    const Column& column;
    SqlType type;
    std::int64_t row;
    std::size_t at;
    void missing() const { to.binds_[at].buffer_type = MYSQL_TYPE_NULL; }
    void integer(std::int64_t value) const {
      to.numbers_[at] = value;
      MysqlStatement::set(to.binds_[at], MYSQL_TYPE_LONGLONG, &to.numbers_[at]);
    }
    void boolean(bool value) const { integer(value); }
    void real(double value) const {
      if (!std::isfinite(value)) {
        fail(to.name_,
             concat("row ", row + 1, ", column ", in_quotes(column.name()), ": MySQL has no NaN or infinity"));
      }
      to.numbers_[at] = std::bit_cast<std::int64_t>(value);
      MysqlStatement::set(to.binds_[at], MYSQL_TYPE_DOUBLE, &to.numbers_[at]);
    }
    void text(std::string_view value) const {
      if (type == SqlType::zoned) value.remove_suffix(1);  // of the session's zone, which is UTC, without "Z"
      to.bytes_ += value.size();
      MysqlStatement::set(to.binds_[at], MYSQL_TYPE_STRING, value.data() ? value.data() : "", value.size());
    }
  };

  const DatabaseName& name_;
  std::size_t width_;
  std::int64_t batch_ = 1;
  std::vector<SqlType> types_;
  Owned<MysqlStatement> one_, many_;
  std::vector<MYSQL_BIND> binds_;
  std::vector<std::int64_t> numbers_;  // or the bits of doubles
  std::vector<std::string> spelled_;
  std::size_t bytes_ = 0;
};

class MysqlConnection final : public SociConnection<soci::mysql_session_backend> {
 public:
  explicit MysqlConnection(const DatabaseName& name) : SociConnection(name) {
    std::string options;
    append_option(options, "host", name.host);
    append_option(options, "port", name.port);
    append_option(options, "user", name.user);
    append_option(options, "password", name.password);
    append_option(options, "dbname", name.database);
    append_option(options, "charset", "utf8mb4");
    for (const auto& [key, value] : name.options) {
      if (key != "socket" && key != "sslca" && key != "sslcert" && key != "connect_timeout") {
        fail(name, concat("expects the option socket, sslca, sslcert or connect_timeout, got ", in_quotes(key)));
      }
      append_option(options, key == "socket" ? "unix_socket" : key, value);
    }
    open(*soci::factory_mysql(), options);
    const unsigned off = 0;
    mysql_options(db(), MYSQL_OPT_LOCAL_INFILE, &off);  // a server may not ask for our files
    simple("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')");
    simple("SET SESSION net_write_timeout = 86400");  // a reader may take its time between two pieces
    simple("SET SESSION time_zone = '+00:00'");
    simple("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  }

  std::int64_t execute(const std::string& statement, const std::vector<Json>& values) override {
    if (values.empty()) {  // not all statements can be prepared
      simple(statement);
      const auto rows = static_cast<std::int64_t>(mysql_affected_rows(db()));
      if (MYSQL_RES* result = mysql_store_result(db())) mysql_free_result(result);
      return rows < 0 ? 0 : rows;
    }
    const MysqlStatement prepared(db(), name_, statement);
    prepared.execute(values);
    const auto rows = static_cast<std::int64_t>(mysql_stmt_affected_rows(prepared.get()));
    return rows < 0 ? 0 : rows;
  }
  DatabaseCursor* query(const std::string& query, const std::vector<Json>& values) override {
    return new MysqlCursor(db(), name_, query, values);
  }
  DatabaseInsert* insert(const std::string& table, const Schema& schema) override {
    return new MysqlInsert(db(), name_, table, schema);
  }
  void begin(bool read_only) override {
    if (read_only) return simple("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    guarded([&] { session_->begin(); });
  }

 private:
  void simple(const std::string& statement) {
    if (mysql_real_query(db(), statement.data(), statement.size()) != 0) fail(name_, mysql_error(db()));
  }
};
#endif

bool serves(SqlServer server) {
  switch (server) {
#if SYNTHDATA_SQLITE
    case SqlServer::sqlite:
      return true;
#endif
#if SYNTHDATA_POSTGRESQL
    case SqlServer::postgresql:
      return true;
#endif
#if SYNTHDATA_MYSQL
    case SqlServer::mysql:
      return true;
#endif
    default:
      return false;
  }
}

DatabaseConnection* connect(const DatabaseName& name) {
  switch (name.server) {
#if SYNTHDATA_SQLITE
    case SqlServer::sqlite:
      return new SqliteConnection(name);
#endif
#if SYNTHDATA_POSTGRESQL
    case SqlServer::postgresql:
      return new PgConnection(name);
#endif
#if SYNTHDATA_MYSQL
    case SqlServer::mysql:
      return new MysqlConnection(name);
#endif
    default:
      return nullptr;  // never asked for
  }
}

[[maybe_unused]] const bool registered = (database_driver() = {connect, serves}, true);

}  // namespace
}  // namespace synthdata::detail
