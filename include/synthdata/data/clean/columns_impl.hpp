// synthdata/data/clean/columns_impl.hpp: bodies of columns.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/clean/columns.hpp>
#include <synthdata/data/table_impl.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace synthdata::detail {

SYNTHDATA_INLINE bool is_absent(const Column& column, std::int64_t row) {
  return column.is_missing(row) || (column.type() == ColumnType::real && std::isnan(column.real(row)));
}
SYNTHDATA_INLINE std::int64_t absent_count(const Column& column) {
  if (column.type() != ColumnType::real) return column.missing_count();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < column.size(); ++i) count += is_absent(column, i);
  return count;
}

SYNTHDATA_INLINE std::vector<double> numbers_of(const Column& column) {
  std::vector<double> numbers(static_cast<std::size_t>(column.size()));
  for (std::int64_t i = 0; i < column.size(); ++i) numbers[static_cast<std::size_t>(i)] = column.number(i);
  return numbers;
}

SYNTHDATA_INLINE FittedColumns::FittedColumns(const char* step, const Table& table,
                                              const std::vector<std::string>& names, bool (*takes)(ColumnType))
    : step_(step) {
  const auto keep = [&](const Column& column) {
    // spelling and missing values are those of the table at hand
    ColumnSchema kept{.name = column.name(), .type = column.type()};
    kept.categories = column.schema().categories;
    schema_.columns.push_back(std::move(kept));
  };
  for (const std::string& name : names) {
    if (table.find(name) < 0) {
      throw DataError(
          concat(step, ": no column is called ", in_quotes(name), "; there are ", list_names(table.schema().columns)));
    }
    const Column& column = table[name];
    if (!takes(column.type())) {
      throw DataError(concat(step, ": column ", in_quotes(name), " is ", column.type(), ", which it does not take"));
    }
    if (schema_.find(name)) throw DataError(concat(step, ": column ", in_quotes(name), " is named twice"));
    keep(column);
  }
  if (!names.empty()) return;
  for (const Column& column : table.columns()) {
    if (takes(column.type())) keep(column);
  }
}

SYNTHDATA_INLINE const Column& FittedColumns::in(const Table& table, std::size_t i) const {
  const ColumnSchema& fitted = schema_.columns[i];
  const std::int64_t at = table.find(fitted.name);
  if (at < 0) {
    throw DataError(concat(step_, ": was fitted on column ", in_quotes(fitted.name), ", which is not there; there are ",
                           list_names(table.schema().columns)));
  }
  const Column& column = table[static_cast<std::size_t>(at)];
  const bool fits = column.type() == fitted.type || (is_numeric(column.type()) && is_numeric(fitted.type)) ||
                    (is_textual(column.type()) && is_textual(fitted.type));
  if (!fits) {
    throw DataError(concat(step_, ": column ", in_quotes(fitted.name), " was ", fitted.type, " when fitted, is ",
                           column.type(), "; read the table with the schema of the training data"));
  }
  return column;
}

SYNTHDATA_INLINE std::vector<double> FittedColumns::numbers(const Column& column, std::size_t i) const {
  std::vector<double> numbers = numbers_of(column);
  if (column.type() != ColumnType::categorical || column.schema().categories == schema_.columns[i].categories) {
    return numbers;
  }
  std::unordered_map<std::string_view, double> codes;
  for (const std::string& category : schema_.columns[i].categories) {
    codes.emplace(category, static_cast<double>(codes.size()));
  }
  std::vector<double> recoded;
  for (const std::string& category : column.schema().categories) {
    const auto found = codes.find(category);
    recoded.push_back(found == codes.end() ? std::numeric_limits<double>::quiet_NaN() : found->second);
  }
  for (double& number : numbers) {
    if (!std::isnan(number)) number = recoded[static_cast<std::size_t>(number)];
  }
  return numbers;
}

SYNTHDATA_INLINE ColumnEditor::ColumnEditor(const Column& column, const std::vector<std::string>& categories)
    : parts_(column.parts()) {
  std::vector<std::string>& known = parts_.schema.categories;
  for (const std::string& category : categories) {
    if (std::find(known.begin(), known.end(), category) == known.end()) known.push_back(category);
  }
  if (column.type() == ColumnType::categorical && code_width(static_cast<std::int64_t>(known.size())) > parts_.width) {
    make_codes(parts_);
    for (std::int64_t i = 0; i < column.size(); ++i) store_code(parts_, i, load_code(column.parts(), i));
  } else {
    parts_.values = parts_.values.clone();
  }
  parts_.missing = parts_.missing.clone();
}

SYNTHDATA_INLINE void ColumnEditor::changed(std::int64_t row) {
  ++changes_;
  if (parts_.missing.defined()) {
    auto& byte = static_cast<std::uint8_t*>(parts_.missing.bytes())[row >> 3];
    byte = static_cast<std::uint8_t>(byte & ~(1u << (row & 7)));
  }
}

SYNTHDATA_INLINE void ColumnEditor::set(std::int64_t row, double number) {
  const ColumnSchema& schema = parts_.schema;
  if (std::isnan(number)) return;
  if (schema.type == ColumnType::boolean) {
    parts_.values.data<std::uint8_t>()[row] = number >= 0.5;
    if (schema.as_written) texts_.emplace_back(row, number >= 0.5 ? schema.true_text : schema.false_text);
    return changed(row);
  }
  if (schema.type != ColumnType::real) {
    constexpr double most = 9223372036854774784.0;  // the last double below 2^63
    return set_integer(row, static_cast<std::int64_t>(std::clamp(std::round(number), -most, most)));
  }
  std::string cell;
  append_real_cell(cell, number, schema);
  // what the column can say; a number too long for its decimals stays as it is
  if (Number said; schema.decimals >= 0 && parse_number(cell, said)) number = said.value;
  parts_.values.data<double>()[row] = number;
  if (schema.as_written) texts_.emplace_back(row, std::move(cell));
  changed(row);
}

SYNTHDATA_INLINE void ColumnEditor::set_integer(std::int64_t row, std::int64_t value) {
  const ColumnSchema& schema = parts_.schema;
  std::string cell;
  if (schema.type == ColumnType::date_time) {
    append_date_time_cell(cell, value, schema.pattern, schema.zone);
    std::int64_t said = 0;
    if (parse_date_time(cell, schema.pattern, schema.zone, said)) value = said;
  } else {
    append_integer_cell(cell, value);
  }
  parts_.values.data<std::int64_t>()[row] = value;
  if (schema.as_written) texts_.emplace_back(row, std::move(cell));
  changed(row);
}

SYNTHDATA_INLINE void ColumnEditor::set_category(std::int64_t row, std::string_view category) {
  store_code(parts_, row, code_of(category));
  if (parts_.schema.as_written) texts_.emplace_back(row, category);
  changed(row);
}

SYNTHDATA_INLINE std::uint32_t ColumnEditor::code_of(std::string_view category) {
  if (codes_.empty()) {
    for (const std::string& known : parts_.schema.categories) {
      codes_.emplace_back(known, static_cast<std::uint32_t>(codes_.size()));
    }
    std::sort(codes_.begin(), codes_.end());
  }
  const auto at = std::lower_bound(codes_.begin(), codes_.end(), category,
                                   [](const auto& code, std::string_view text) { return code.first < text; });
  return at->second;
}

SYNTHDATA_INLINE void ColumnEditor::set_text(std::int64_t row, std::string_view text) {
  texts_.emplace_back(row, text);
  changed(row);
}

SYNTHDATA_INLINE Column ColumnEditor::take() {
  if (!texts_.empty()) {
    std::stable_sort(texts_.begin(), texts_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const Texts old = parts_.texts;
    std::size_t next = 0;
    parts_.texts = join_texts(parts_.size, [&](std::int64_t i) -> std::string_view {
      if (i == 0) next = 0;
      if (next == texts_.size() || texts_[next].first != i) return old[i];
      while (next + 1 < texts_.size() && texts_[next + 1].first == i) ++next;  // the last one given
      return texts_[next++].second;
    });
    texts_.clear();
  }
  if (parts_.missing.defined()) {
    const auto* bytes = static_cast<const std::uint8_t*>(parts_.missing.bytes());
    if (std::all_of(bytes, bytes + parts_.missing.size(), [](std::uint8_t byte) { return byte == 0; })) {
      parts_.missing = {};
    }
  }
  return Column(std::move(parts_));
}

SYNTHDATA_INLINE Json json_list(const std::vector<std::string>& texts) {
  return Json::Array(texts.begin(), texts.end());
}

SYNTHDATA_INLINE SavedStep::SavedStep(const Archive& archive, const std::string& prefix, const char* kind)
    : archive_(archive), prefix_(prefix), json_(parse_json(archive.text(prefix), {.source = prefix})) {
  if (text("kind") != kind) fail(concat("expects ", in_quotes(kind), ", got ", in_quotes(text("kind"))));
}
SYNTHDATA_INLINE void SavedStep::fail(const std::string& text) const {
  throw DataError(concat("saved step ", in_quotes(prefix_), ": ", text));
}
SYNTHDATA_INLINE const Json& SavedStep::member(const char* key) const {
  if (const Json* found = json_.find(key)) return *found;
  fail(concat("has no member ", in_quotes(key)));
}
SYNTHDATA_INLINE bool SavedStep::boolean(const char* key) const {
  if (const bool* value = member(key).get_if<bool>()) return *value;
  fail(concat("member ", in_quotes(key), " is not true or false"));
}
SYNTHDATA_INLINE std::int64_t SavedStep::integer(const char* key) const {
  if (const std::int64_t* value = member(key).get_if<std::int64_t>()) return *value;
  fail(concat("member ", in_quotes(key), " is not an integer"));
}
SYNTHDATA_INLINE double SavedStep::number(const char* key) const {
  const Json& value = member(key);
  if (value.is_number()) return value.number();
  fail(concat("member ", in_quotes(key), " is not a number"));
}
SYNTHDATA_INLINE std::string SavedStep::text(const char* key) const {
  if (const std::string* value = member(key).get_if<std::string>()) return *value;
  fail(concat("member ", in_quotes(key), " is not a text"));
}
SYNTHDATA_INLINE std::vector<std::string> SavedStep::texts(const char* key) const {
  const Json::Array* list = member(key).get_if<Json::Array>();
  std::vector<std::string> texts;
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    const std::string* text = (*list)[i].get_if<std::string>();
    if (!text) fail(concat("member ", in_quotes(key), " is not a list of texts"));
    texts.push_back(*text);
  }
  if (!list) fail(concat("member ", in_quotes(key), " is not a list of texts"));
  return texts;
}
SYNTHDATA_INLINE Schema SavedStep::schema() const { return Schema::from_json(json_); }
SYNTHDATA_INLINE Tensor SavedStep::tensor(const char* name, DType dtype, int rank) const {
  const Tensor& tensor = archive_.at(concat(prefix_, ".", name));
  if (tensor.dtype() != dtype || tensor.rank() != rank) {
    fail(concat(name, " is ", tensor.str(), ", not ", dtype, " with ", rank, " axes"));
  }
  return tensor;
}

SYNTHDATA_INLINE void save_step(Archive& archive, const std::string& prefix, const char* kind, Json::Object members,
                                const Schema* schema) {
  Json::Object object{{"kind", kind}};
  if (schema) object.push_back({"columns", *schema->json().find("columns")});
  for (Json::Member& member : members) object.push_back(std::move(member));
  archive.metadata[prefix] = Json(std::move(object)).dump();
}

SYNTHDATA_INLINE Table without_rows(const Table& table, const std::vector<bool>& marked) {
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    if (!marked[i]) kept.push_back(static_cast<std::int64_t>(i));
  }
  return kept.size() == marked.size() ? table : table.take(kept);
}

}  // namespace synthdata::detail
