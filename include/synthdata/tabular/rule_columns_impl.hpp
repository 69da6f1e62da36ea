// synthdata/tabular/rule_columns_impl.hpp: bodies of rule_columns.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/privacy/members.hpp>
#include <synthdata/tabular/cell_value.hpp>
#include <synthdata/tabular/rule_columns.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace synthdata::models::detail {

inline constexpr double exact_whole = 4503599627370496.0;  // 2^52: sums and differences of such numbers are exact

inline bool is_whole(ColumnType type) { return type == ColumnType::integer || type == ColumnType::date_time; }
inline double rounded_to(double value, int decimals) {
  if (decimals < 0 || decimals > 15) return value;
  const double scale = std::pow(10.0, decimals);
  return std::fabs(value * scale) < exact_whole ? std::round(value * scale) / scale : value;
}
/// The schema of a column that only the model sees.
inline ColumnSchema inner_schema(std::string name, ColumnType type, int decimals = -1) {
  ColumnSchema schema;
  schema.name = std::move(name);
  schema.type = type;
  schema.decimals = decimals;
  return schema;
}
/// What a column's schema is once its values are made anew.
inline ColumnSchema made_schema(const ColumnSchema& from) {
  ColumnSchema schema = from;
  schema.as_written = false;
  return schema;
}

SYNTHDATA_INLINE std::optional<GapColumn> GapColumn::fit(const Column& column, const Column& base, bool above,
                                                         std::string made, Column& gap) {
  const bool whole = is_whole(column.type()) && is_whole(base.type());
  GapColumn out{.column = made_schema(column.schema()), .base = base.name(), .made = std::move(made), .above = above};
  const auto size = static_cast<std::size_t>(column.size());
  std::vector<bool> missing(size);
  out.low = std::numeric_limits<double>::infinity(), out.high = -out.low;
  bool common = false;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (lacks(column, row)) continue;
    const double value = column.number(row);
    const bool based = !lacks(base, row);
    if (!std::isfinite(value) || (based && !std::isfinite(base.number(row)))) {
      throw DataError(
          concat("column ", in_quotes(std::isfinite(value) ? base.name() : column.name()), " has infinite values"));
    }
    if (whole && (std::fabs(value) > exact_whole || (based && std::fabs(base.number(row)) > exact_whole))) return {};
    out.low = std::min(out.low, value), out.high = std::max(out.high, value);
    common = common || based;
    if (!based && (!out.has_fill || (above ? value < out.fill : value > out.fill))) out.fill = value;
    out.has_fill = out.has_fill || !based;
  }
  if (!common) return {};
  std::vector<double> gaps(size, 0.0);
  std::int64_t divisor = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    missing[i] = lacks(column, row);
    if (missing[i]) continue;
    const double from = lacks(base, row) ? out.fill : base.number(row);
    gaps[i] = above ? column.number(row) - from : from - column.number(row);
    if (whole) divisor = std::gcd(divisor, static_cast<std::int64_t>(gaps[i]));
  }
  if (whole) {
    out.unit = static_cast<double>(std::max<std::int64_t>(divisor, 1));
    for (double& g : gaps) g /= out.unit;
    gap = column_of(inner_schema(out.made, ColumnType::integer), gaps, missing);
    return out;
  }
  const auto decimals = [](const Column& c) { return c.type() == ColumnType::real ? c.schema().decimals : 0; };
  const int digits = std::min(decimals(column), decimals(base)) < 0 ? -1 : std::max(decimals(column), decimals(base));
  for (double& g : gaps) g = rounded_to(g, digits);
  gap = column_of(inner_schema(out.made, ColumnType::real, digits), gaps, missing);
  return out;
}

SYNTHDATA_INLINE Column GapColumn::restore(const Table& table, std::vector<std::uint8_t>& ok) const {
  const Column &gaps = table[made], &from = table[base];
  if (is_text_type(gaps.type()) || is_text_type(from.type())) {
    throw DataError(
        concat("model file: column ", in_quotes(column.name), " is made from columns that hold no numbers"));
  }
  std::vector<double> values(ok.size(), 0.0);
  std::vector<bool> missing(ok.size());
  for (std::size_t i = 0; i < ok.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const bool based = !lacks(from, row);
    missing[i] = lacks(gaps, row) || (!based && !has_fill);
    if (missing[i]) continue;
    const double start = based ? from.number(row) : fill, gap = gaps.number(row) * unit;
    double value = above ? start + gap : start - gap;
    if (column.type == ColumnType::real) value = rounded_to(value, column.decimals);
    if (is_whole(column.type)) value = std::round(value);
    if (!(value >= low && value <= high)) {
      ok[i] = 0;
      value = low;
    }
    values[i] = value;
  }
  return column_of(column, values, missing);
}

/// One column's schema among the members of an object.
inline Json json_of(const ColumnSchema& schema) { return Schema{{schema}}.json(); }
inline ColumnSchema schema_of_json(const Json& json, const char* key) {
  const Json* member = json.find(key);
  Schema schema;
  if (member) schema = Schema::from_json(*member);
  if (schema.columns.size() != 1) throw DataError(concat("model file: expects the schema of one column as ", key));
  return schema.columns[0];
}

SYNTHDATA_INLINE Json GapColumn::json() const {
  return Json::Object{{"kind", "gap"}, {"column", json_of(column)}, {"base", base}, {"made", made}, {"above", above},
                      {"unit", unit},  {"has_fill", has_fill},      {"fill", fill}, {"low", low},   {"high", high}};
}
SYNTHDATA_INLINE GapColumn GapColumn::from_json(const Json& json) {
  const synthdata::detail::JsonMembers members(
      json, "model file: gap", {"kind", "column", "base", "made", "above", "unit", "has_fill", "fill", "low", "high"});
  GapColumn gap{.column = schema_of_json(json, "column")};
  members.read("base", gap.base);
  members.read("made", gap.made);
  members.read("above", gap.above);
  members.read("unit", gap.unit);
  members.read("has_fill", gap.has_fill);
  members.read("fill", gap.fill);
  members.read("low", gap.low);
  members.read("high", gap.high);
  const bool whole = is_whole(gap.column.type);
  const double most = whole ? exact_whole : std::numeric_limits<double>::max();
  if ((!whole && gap.column.type != ColumnType::real) || !(gap.low <= gap.high) || !(std::fabs(gap.low) <= most) ||
      !(std::fabs(gap.high) <= most) || !std::isfinite(gap.unit) || !std::isfinite(gap.fill)) {
    throw DataError("model file: gap: its numbers do not fit each other");
  }
  return gap;
}

SYNTHDATA_INLINE SumColumn SumColumn::fit(const Rule& rule, const Table& table, std::string made, Column& rest) {
  const Column& total = table[rule.columns[0]];
  SumColumn out{.total = made_schema(total.schema()), .parts = {rule.columns.begin() + 1, rule.columns.end()}};
  std::vector<const Column*> parts;
  for (const std::string& name : out.parts) parts.push_back(&table[name]);
  const auto size = static_cast<std::size_t>(table.size());
  std::vector<double> left(size, 0.0);
  std::vector<bool> missing(size);
  for (std::size_t i = 0; i < size; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    missing[i] = lacks(total, row);
    bool whole = true;
    double sum = 0.0;
    for (const Column* part : parts) {
      whole = whole && !lacks(*part, row);
      if (!lacks(*part, row)) sum += part->number(row);
    }
    if (!std::isfinite(sum) || (!missing[i] && !std::isfinite(total.number(row)))) {
      throw DataError(concat("column ", in_quotes(total.name()), " or one of its parts has infinite values"));
    }
    if (missing[i] == whole) out.made = made;
    if (!missing[i] && !whole) left[i] = rounded_to(total.number(row) - sum, total.schema().decimals);
  }
  if (out.made.empty()) return out;
  bool whole = total.type() == ColumnType::integer;
  for (const Column* part : parts) whole = whole && part->type() == ColumnType::integer;
  rest = column_of(whole ? inner_schema(out.made, ColumnType::integer)
                         : inner_schema(out.made, ColumnType::real, total.schema().decimals),
                   left, missing);
  return out;
}

SYNTHDATA_INLINE Column SumColumn::restore(const Table& table, std::vector<std::uint8_t>& ok) const {
  std::vector<const Column*> columns;
  for (const std::string& name : parts) columns.push_back(&table[name]);
  const Column* rest = made.empty() ? nullptr : &table[made];
  bool numbers = !rest || !is_text_type(rest->type());
  for (const Column* column : columns) numbers = numbers && !is_text_type(column->type());
  if (!numbers) {
    throw DataError(concat("model file: total ", in_quotes(total.name), " is made from columns that hold no numbers"));
  }
  std::vector<double> values(ok.size(), 0.0);
  std::vector<bool> missing(ok.size());
  for (std::size_t i = 0; i < ok.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    bool whole = true;
    double sum = 0.0;
    for (const Column* part : columns) {
      whole = whole && !lacks(*part, row);
      if (!lacks(*part, row)) sum += part->number(row);
    }
    missing[i] = rest ? lacks(*rest, row) : !whole;
    if (missing[i]) continue;
    double value = whole || !rest ? sum : sum + rest->number(row);
    value = total.type == ColumnType::real ? rounded_to(value, total.decimals) : std::round(value);
    if (!(std::fabs(value) <= (total.type == ColumnType::real ? std::numeric_limits<double>::max() : 9e18))) {
      ok[i] = 0;
      value = 0.0;
    }
    values[i] = value;
  }
  return column_of(total, values, missing);
}

SYNTHDATA_INLINE Json SumColumn::json() const {
  return Json::Object{
      {"kind", "sum"}, {"total", json_of(total)}, {"parts", synthdata::detail::json_texts(parts)}, {"made", made}};
}
SYNTHDATA_INLINE SumColumn SumColumn::from_json(const Json& json) {
  const synthdata::detail::JsonMembers members(json, "model file: sum", {"kind", "total", "parts", "made"});
  SumColumn sum{.total = schema_of_json(json, "total")};
  members.read("parts", sum.parts);
  members.read("made", sum.made);
  if (sum.total.type != ColumnType::integer && sum.total.type != ColumnType::real) {
    throw DataError("model file: sum: expects a total of numbers");
  }
  return sum;
}

SYNTHDATA_INLINE JointColumn JointColumn::fit(const Rule& rule, const Table& table, std::int64_t rare_below,
                                              std::string made, Column& joint, std::vector<std::uint8_t>& known) {
  JointColumn out{.made = std::move(made)};
  const RowKeys keys(rule, table);
  struct Tuple {
    std::int64_t rows = 0, first = 0;
  };
  std::unordered_map<std::string, Tuple> found;
  std::vector<const std::string*> key_of_row(static_cast<std::size_t>(table.size()));
  for (std::int64_t row = 0; row < table.size(); ++row) {
    const auto at = found.emplace(keys(row), Tuple{0, row}).first;
    ++at->second.rows;
    key_of_row[static_cast<std::size_t>(row)] = &at->first;
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> kept;  // -rows, first row: the most frequent first
  for (const auto& [key, tuple] : found) {
    if (tuple.rows >= rare_below) kept.emplace_back(-tuple.rows, tuple.first);
  }
  std::sort(kept.begin(), kept.end());
  std::vector<std::int64_t> firsts;
  std::unordered_map<std::string, std::int64_t> code_of;
  std::vector<std::string> names;
  for (const auto& [rows, first] : kept) {
    firsts.push_back(first);
    code_of.emplace(*key_of_row[static_cast<std::size_t>(first)], static_cast<std::int64_t>(code_of.size()));
    names.push_back(concat(names.size()));
  }
  out.tuples.resize(firsts.size());
  for (const std::string& name : rule.columns) {
    const Column values = table[name].take(firsts);
    const Column column = is_text_type(values.type()) ? values : values.spelled(values.schema());
    ColumnSchema schema = made_schema(column.schema());
    schema.categories.clear();
    const std::vector<std::string>& categories = column.schema().categories;
    std::vector<bool> occurs(categories.size());
    for (std::int64_t i = 0; i < column.size() && !categories.empty(); ++i) {
      if (!column.is_missing(i)) occurs[static_cast<std::size_t>(column.code(i))] = true;
    }
    for (std::size_t i = 0; i < categories.size(); ++i) {
      if (occurs[i]) schema.categories.push_back(categories[i]);
    }
    for (std::int64_t i = 0; i < column.size(); ++i) {
      out.tuples[static_cast<std::size_t>(i)].push_back(lacks(column, i) ? std::nullopt
                                                                         : std::optional(column.cell(i)));
    }
    out.columns.push_back(std::move(schema));
  }
  std::vector<std::int64_t> codes(key_of_row.size(), 0);
  std::vector<bool> missing(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto at = code_of.find(*key_of_row[i]);
    missing[i] = at == code_of.end();
    if (missing[i]) {
      known[i] = 0;
    } else {
      codes[i] = at->second;
    }
  }
  joint = Column::categorical(out.made, codes, names, missing);
  return out;
}

SYNTHDATA_INLINE Column JointColumn::values(std::size_t c) const {
  std::vector<std::string> cells;
  std::vector<bool> missing;
  for (const auto& tuple : tuples) {
    missing.push_back(!tuple.at(c).has_value());
    cells.push_back(tuple[c].value_or(std::string()));
  }
  return column_of(columns[c], cells, missing);
}

SYNTHDATA_INLINE std::vector<Column> JointColumn::restore(const Table& table, std::vector<std::uint8_t>& ok) const {
  const Column& joint = table[made];
  const auto place = [&](const std::string& text) {
    std::int64_t number = -1;
    const bool fits = synthdata::detail::parse_integer(text, number) && number >= 0 &&
                      number < static_cast<std::int64_t>(tuples.size());
    return fits ? number : -1;
  };
  std::vector<std::int64_t> of_category, rows(ok.size(), 0);
  const bool coded = joint.type() == ColumnType::categorical;
  for (const std::string& category : joint.schema().categories) of_category.push_back(place(category));
  for (std::size_t i = 0; i < ok.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const std::int64_t tuple = joint.is_missing(row) ? -1
                               : coded               ? of_category[static_cast<std::size_t>(joint.code(row))]
                                                     : place(joint.cell(row));
    if (tuple < 0) ok[i] = 0;
    rows[i] = std::max<std::int64_t>(tuple, 0);
  }
  std::vector<Column> restored;
  for (std::size_t c = 0; c < columns.size(); ++c) restored.push_back(values(c).take(rows));
  return restored;
}

SYNTHDATA_INLINE Json JointColumn::json() const {
  Json::Array schemas, list;
  for (const ColumnSchema& schema : columns) schemas.push_back(json_of(schema));
  for (const auto& tuple : tuples) {
    Json::Array cells;
    for (const auto& cell : tuple) cells.push_back(cell ? Json(*cell) : Json());
    list.push_back(std::move(cells));
  }
  return Json::Object{{"kind", "joint"}, {"columns", std::move(schemas)}, {"tuples", std::move(list)}, {"made", made}};
}
SYNTHDATA_INLINE JointColumn JointColumn::from_json(const Json& json) {
  const synthdata::detail::JsonMembers members(json, "model file: joint", {"kind", "columns", "tuples", "made"});
  JointColumn joint;
  members.read("made", joint.made);
  for (const Json& schema : members.list("columns")) {
    const Schema one = Schema::from_json(schema);
    if (one.columns.size() != 1) throw DataError("model file: joint: expects schemas of one column each");
    joint.columns.push_back(one.columns[0]);
  }
  for (const Json& item : members.list("tuples")) {
    const auto* cells = item.get_if<Json::Array>();
    if (!cells || cells->size() != joint.columns.size()) throw DataError("model file: joint: tuples do not fit");
    joint.tuples.emplace_back();
    for (const Json& cell : *cells) {
      const auto* text = cell.get_if<std::string>();
      if (!text && !cell.is_null()) throw DataError("model file: joint: expects texts or null");
      joint.tuples.back().push_back(text ? std::optional(*text) : std::nullopt);
    }
  }
  if (joint.tuples.empty() || joint.columns.empty()) throw DataError("model file: joint: has no tuples");
  for (std::size_t c = 0; c < joint.columns.size(); ++c) static_cast<void>(joint.values(c));  // all cells fit
  return joint;
}

}  // namespace synthdata::models::detail
