// synthdata/data/clean/columns.hpp: what the cleaning steps share: columns as numbers, changed copies, saved state.
//
// A value is absent if it is marked missing or, in a real column, NaN.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/report.hpp>
#include <synthdata/data/table.hpp>
#include <synthdata/io/safetensors.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace synthdata::detail {

bool is_absent(const Column& column, std::int64_t row);
std::int64_t absent_count(const Column& column);
inline bool is_textual(ColumnType type) { return type == ColumnType::text || type == ColumnType::identifier; }
/// Integer or real.
inline bool is_numeric(ColumnType type) { return type == ColumnType::integer || type == ColumnType::real; }

/// Column::number() of all rows; NaN where absent.
std::vector<double> numbers_of(const Column& column);

/// The columns a step was fitted on: names, types and categories. Finds them again in other tables.
class FittedColumns {
 public:
  FittedColumns() = default;
  /// @param names  the columns; empty for all that `takes` likes
  /// @throws DataError for a name that is not there or whose type `takes` does not like: "<step>: ..."
  FittedColumns(const char* step, const Table& table, const std::vector<std::string>& names, bool (*takes)(ColumnType));
  FittedColumns(const char* step, Schema schema) : step_(step), schema_(std::move(schema)) {}

  std::size_t size() const { return schema_.columns.size(); }
  const ColumnSchema& operator[](std::size_t i) const { return schema_.columns[i]; }
  const Schema& schema() const { return schema_; }
  /// "age", "sex"
  std::string str() const { return list_names(schema_.columns); }

  /// The column of the same name. An integer column may stand for a real one and the other way round, text for
  /// identifier too. @throws DataError if it is not there or is of another type.
  const Column& in(const Table& table, std::size_t i) const;
  /// As numbers; categories have the codes of the fitted table, those it did not have are NaN.
  std::vector<double> numbers(const Column& column, std::size_t i) const;

 private:
  const char* step_ = "";
  Schema schema_;
};

/// A copy of a column in which single values are replaced.
class ColumnEditor {
 public:
  /// @param categories  of a categorical column, added behind its own unless it has them
  explicit ColumnEditor(const Column& column, const std::vector<std::string>& categories = {});

  /// Sets a value, as near to `number` as the column's type and spelling can say: integers are rounded, reals rounded
  /// to the column's decimals, booleans true from 0.5 on, date-times cut to what the pattern shows. NaN changes
  /// nothing. Not for categories and texts.
  void set(std::int64_t row, double number);
  void set_integer(std::int64_t row, std::int64_t value);
  void set_category(std::int64_t row, std::string_view category);  ///< one the column has, or was given
  void set_text(std::int64_t row, std::string_view text);
  std::int64_t changes() const { return changes_; }

  Column take();

 private:
  void changed(std::int64_t row);
  std::uint32_t code_of(std::string_view category);

  ColumnParts parts_;
  std::vector<std::pair<std::int64_t, std::string>> texts_;   // new ones
  std::vector<std::pair<std::string, std::uint32_t>> codes_;  // sorted; made when first needed
  std::int64_t changes_ = 0;
};

/// The named texts as a list of JSON, and back.
Json json_list(const std::vector<std::string>& texts);

/// What a step wrote as JSON under its prefix.
class SavedStep {
 public:
  /// @throws DataError unless the archive has JSON of this kind there
  SavedStep(const Archive& archive, const std::string& prefix, const char* kind);
  /// @throws DataError if the member is not there or of another type
  bool boolean(const char* key) const;
  std::int64_t integer(const char* key) const;
  double number(const char* key) const;
  std::string text(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  const Json& member(const char* key) const;
  /// The member that Schema::json() wrote.
  Schema schema() const;
  /// prefix.name. @throws DataError if it is not there or not of this dtype and rank; ranks are at most 3
  Tensor tensor(const char* name, DType dtype, int rank) const;
  [[noreturn]] void fail(const std::string& text) const;

 private:
  const Archive& archive_;
  std::string prefix_;
  Json json_;
};
/// The schema of fitted columns and more members as metadata[prefix].
void save_step(Archive& archive, const std::string& prefix, const char* kind, Json::Object members,
               const Schema* schema = nullptr);

/// Rows of a table that are not marked; the same table if none is.
Table without_rows(const Table& table, const std::vector<bool>& marked);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/columns_impl.hpp>
#endif
