// synthdata/tabular/rules_impl.hpp: bodies of rules.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/members.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/tabular/cell_value.hpp>
#include <synthdata/tabular/rules.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_set>

namespace synthdata::models {
namespace detail {

inline constexpr std::initializer_list<const char*> rule_kinds = {
    "inequality", "range", "fixed_combinations", "one_of", "sum", "unique", "predicate"};

inline std::string joined(const std::vector<std::string>& texts, const char* between) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) out += concat(i > 0 ? between : "", in_quotes(texts[i]));
  return out;
}
/// The first few.
inline std::string listed(const std::vector<std::string>& texts) {
  constexpr std::size_t shown = 8;
  const auto end = texts.begin() + static_cast<std::ptrdiff_t>(std::min(texts.size(), shown));
  return joined({texts.begin(), end}, ", ") + (texts.size() > shown ? ", ..." : "");
}
inline std::string end_text(const RuleEnd& end) {
  if (end.is_column()) return in_quotes(end.text());
  return end.kind() == RuleEnd::Kind::cell ? end.text() : concat(end.number());
}
[[noreturn]] inline void fail_rule(const Rule& rule, const std::string& what) {
  throw DataError(concat("rule ", rule.str(), ": ", what));
}

SYNTHDATA_INLINE const Column& column_of_rule(const Rule& rule, const Table& table, const std::string& name) {
  const std::int64_t place = table.find(name);
  if (place < 0) {
    fail_rule(rule, concat("there is no column ", in_quotes(name), "; there are ",
                           synthdata::detail::list_names(table.schema().columns)));
  }
  return table[static_cast<std::size_t>(place)];
}

inline void check_names(const Rule& rule) {
  std::set<std::string_view> seen;
  for (const std::string& name : rule.columns) {
    if (name.empty()) fail_rule(rule, "expects names of columns, got an empty one");
    if (!seen.insert(name).second) fail_rule(rule, concat("names column ", in_quotes(name), " twice"));
  }
}

/// What is wrong with one rule by itself.
inline void check_rule(const Rule& rule) {
  using Kind = RuleEnd::Kind;
  check_names(rule);
  for (const RuleEnd* end : {&rule.low, &rule.high}) {
    if (end->kind() == Kind::number && !std::isfinite(end->number())) fail_rule(rule, "expects finite numbers");
  }
  switch (rule.kind) {
    case RuleKind::inequality:
      if (rule.low.kind() == Kind::none || rule.high.kind() == Kind::none || rule.columns.empty()) {
        fail_rule(rule, "expects two ends, one of them a column");
      }
      break;
    case RuleKind::range:
      if (rule.low.is_column() || rule.high.is_column()) fail_rule(rule, "expects constants as its ends");
      if (rule.low.kind() == Kind::none && rule.high.kind() == Kind::none) fail_rule(rule, "has no end");
      break;
    case RuleKind::fixed_combinations:
      if (rule.columns.size() < 2) fail_rule(rule, "expects two columns or more");
      for (const auto& combination : rule.combinations) {
        if (combination.size() != rule.columns.size()) {
          fail_rule(rule, concat("expects combinations of ", rule.columns.size(), " cells, got ", combination.size()));
        }
      }
      break;
    case RuleKind::one_of:
      if (rule.values.empty()) fail_rule(rule, "allows no value");
      break;
    case RuleKind::sum:
      if (rule.columns.size() < 2) fail_rule(rule, "expects parts");
      if (!(rule.tolerance >= 0.0) || !std::isfinite(rule.tolerance)) fail_rule(rule, "expects a tolerance >= 0");
      break;
    case RuleKind::unique:
      if (rule.columns.empty()) fail_rule(rule, "expects columns");
      break;
    case RuleKind::predicate:
      if (rule.name.empty()) fail_rule(rule, "expects a name");
      break;
  }
}

/// Numbers of a column or a constant, compared exactly where both are whole.
class Side {
 public:
  Side(const Rule& rule, const RuleEnd& end, const Table& table, const RuleEnd& other) {
    if (end.is_column()) {
      column_ = &column_of_rule(rule, table, end.text());
      if (is_text_type(column_->type())) {
        fail_rule(rule,
                  concat("column ", in_quotes(end.text()), " is ", column_->type(), ", expects numbers or dates"));
      }
    } else if (end.kind() == RuleEnd::Kind::cell) {
      constant_ = value_of_cell(column_of_rule(rule, table, other.text()).schema(), end.text());
    } else {
      constant_ = end.number();
    }
  }
  const Column* column() const { return column_; }
  bool missing(std::int64_t row) const { return column_ && lacks(*column_, row); }
  double number(std::int64_t row) const { return column_ ? column_->number(row) : constant_; }
  bool whole() const {
    return column_ && (column_->type() == ColumnType::integer || column_->type() == ColumnType::date_time);
  }
  std::int64_t integer(std::int64_t row) const { return column_->integer(row); }

 private:
  const Column* column_ = nullptr;
  double constant_ = 0.0;
};

inline void keep_ordered(const Rule& rule, const RuleEnd& low_end, const RuleEnd& high_end, bool strict,
                         const Table& table, std::vector<std::uint8_t>& kept) {
  const Side low(rule, low_end, table, high_end), high(rule, high_end, table, low_end);
  const auto dated = [](const Side& side) { return side.column() && side.column()->type() == ColumnType::date_time; };
  const auto literal = [](const RuleEnd& end) { return end.kind() == RuleEnd::Kind::cell; };
  if (dated(low) != dated(high) && !literal(low_end) && !literal(high_end)) {
    fail_rule(rule, "compares date-times with numbers");
  }
  const bool whole = low.whole() && high.whole();
  for (std::int64_t row = 0; row < table.size(); ++row) {
    if (low.missing(row) || high.missing(row)) continue;
    bool fits = false;
    if (whole) {
      fits = strict ? low.integer(row) < high.integer(row) : low.integer(row) <= high.integer(row);
    } else {
      fits = strict ? low.number(row) < high.number(row) : low.number(row) <= high.number(row);
    }
    if (!fits) kept[static_cast<std::size_t>(row)] = 0;
  }
}

inline void keep_sums(const Rule& rule, const Table& table, std::vector<std::uint8_t>& kept) {
  std::vector<const Column*> columns;
  for (const std::string& name : rule.columns) {
    columns.push_back(&column_of_rule(rule, table, name));
    const ColumnType type = columns.back()->type();
    if (type != ColumnType::integer && type != ColumnType::real) {
      fail_rule(rule, concat("column ", in_quotes(name), " is ", type, ", expects numbers"));
    }
  }
  for (std::int64_t row = 0; row < table.size(); ++row) {
    double sum = 0.0, size = 0.0;
    bool known = true;
    for (const Column* column : columns) {
      known = known && !lacks(*column, row);
      if (!known) break;
      const double value = column->number(row);
      if (column != columns[0]) sum += value;
      size += std::fabs(value);
    }
    if (!known) continue;
    const double apart = std::fabs(columns[0]->number(row) - sum);
    if (!(apart <= rule.tolerance + 1e-9 * size) || !std::isfinite(apart)) kept[static_cast<std::size_t>(row)] = 0;
  }
}

inline void keep_values(const Rule& rule, const Table& table, std::vector<std::uint8_t>& kept) {
  const Column& column = column_of_rule(rule, table, rule.columns[0]);
  if (!is_text_type(column.type())) {
    std::set<double> values;
    for (const std::string& text : rule.values) values.insert(value_of_cell(column.schema(), text));
    for (std::int64_t row = 0; row < table.size(); ++row) {
      if (!lacks(column, row) && !values.contains(column.number(row))) kept[static_cast<std::size_t>(row)] = 0;
    }
    return;
  }
  const std::unordered_set<std::string> values(rule.values.begin(), rule.values.end());
  std::vector<std::uint8_t> fits;  // of each category
  for (const std::string& category : column.schema().categories) fits.push_back(values.contains(category));
  for (std::int64_t row = 0; row < table.size(); ++row) {
    if (column.is_missing(row)) continue;
    const bool fit = column.type() == ColumnType::categorical ? fits[static_cast<std::size_t>(column.code(row))] != 0
                                                              : values.contains(column.cell(row));
    if (!fit) kept[static_cast<std::size_t>(row)] = 0;
  }
}

SYNTHDATA_INLINE RowKeys::RowKeys(const Rule& rule, const Table& table) {
  for (const std::string& name : rule.columns) {
    const Column& column = column_of_rule(rule, table, name);
    const bool other = column.schema().as_written && !is_text_type(column.type());
    columns_.push_back(other ? column.spelled(column.schema()) : column);  // one spelling for each value
  }
}
SYNTHDATA_INLINE bool RowKeys::any_missing(std::int64_t row) const {
  return std::any_of(columns_.begin(), columns_.end(), [&](const Column& column) { return lacks(column, row); });
}
inline void append_key(std::string& key, const std::optional<std::string>& cell) {
  key += cell ? concat(cell->size(), ":", *cell) : std::string("-");
}
SYNTHDATA_INLINE std::string RowKeys::operator()(std::int64_t row) const {
  std::string key;
  for (const Column& column : columns_) {
    append_key(key, lacks(column, row) ? std::nullopt : std::optional(column.cell(row)));
  }
  return key;
}
SYNTHDATA_INLINE std::string key_of(const std::vector<std::optional<std::string>>& cells) {
  std::string key;
  for (const auto& cell : cells) append_key(key, cell);
  return key;
}

SYNTHDATA_INLINE std::vector<std::uint8_t> rows_that_keep(const Rule& rule, const Table& table) {
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(table.size()), 1);
  switch (rule.kind) {
    case RuleKind::inequality:
      keep_ordered(rule, rule.low, rule.high, rule.strict, table, kept);
      break;
    case RuleKind::range:
      if (rule.low.kind() != RuleEnd::Kind::none) keep_ordered(rule, rule.low, rule.columns[0], false, table, kept);
      if (rule.high.kind() != RuleEnd::Kind::none) keep_ordered(rule, rule.columns[0], rule.high, false, table, kept);
      break;
    case RuleKind::sum:
      keep_sums(rule, table, kept);
      break;
    case RuleKind::one_of:
      keep_values(rule, table, kept);
      break;
    case RuleKind::fixed_combinations: {
      const RowKeys keys(rule, table);
      if (rule.combinations.empty()) break;
      std::unordered_set<std::string> known;
      for (const auto& combination : rule.combinations) known.insert(key_of(combination));
      for (std::int64_t row = 0; row < table.size(); ++row) {
        kept[static_cast<std::size_t>(row)] = known.contains(keys(row));
      }
      break;
    }
    case RuleKind::unique: {
      const RowKeys keys(rule, table);
      std::unordered_set<std::string> seen;
      for (std::int64_t row = 0; row < table.size(); ++row) {
        if (!keys.any_missing(row)) kept[static_cast<std::size_t>(row)] = seen.insert(keys(row)).second;
      }
      break;
    }
    case RuleKind::predicate:
      if (!rule.predicate) {
        fail_rule(rule, "its function is not in the file it came from; give it again (set_predicate)");
      }
      for (std::int64_t row = 0; row < table.size(); ++row) {
        kept[static_cast<std::size_t>(row)] = rule.predicate(table, row);
      }
      break;
  }
  return kept;
}

/// A value that a column must not fall below, or pass, and the rules that say so.
struct Bound {
  double value = 0.0;
  bool strict = false;
  std::string why;
};
struct Bounds {
  std::optional<Bound> low, high;
};
/// column `low` < column `high`, or <=
struct Edge {
  const std::string *low, *high;
  bool strict;
  std::string why;
};

/// True if `bound` says more than what is known.
inline bool tighten(std::optional<Bound>& known, const Bound& bound, bool below) {
  const bool more = !known || (below ? bound.value > known->value : bound.value < known->value) ||
                    (bound.value == known->value && bound.strict && !known->strict);
  if (more) known = bound;
  return more;
}

inline void check_circles(const std::vector<Edge>& edges) {
  std::map<std::string_view, std::vector<const Edge*>> above;
  for (const Edge& edge : edges) above[*edge.low].push_back(&edge);
  for (const Edge& first : edges) {
    if (!first.strict) continue;
    std::map<std::string_view, const Edge*> reached{{*first.high, &first}};
    std::vector<std::string_view> open{*first.high};
    while (!open.empty()) {
      const std::string_view at = open.back();
      open.pop_back();
      if (at == *first.low) {
        std::string circle;
        std::string_view back = at;
        do {
          const Edge* edge = reached.at(back);
          circle = concat(edge->why, circle.empty() ? "" : ", ", circle);
          back = *edge->low;
        } while (back != *first.low);
        throw DataError(concat("rules contradict each other, they go round in a circle: ", circle));
      }
      for (const Edge* edge : above[at]) {
        if (reached.emplace(*edge->high, edge).second) open.push_back(*edge->high);
      }
    }
  }
}

SYNTHDATA_INLINE void check_consistent(const std::vector<Rule>& rules, const Schema* schema,
                                       const Conditions& conditions) {
  std::vector<Edge> edges;
  std::map<std::string_view, Bounds> bounds;
  const auto column = [&](const std::string& name) { return schema ? schema->find(name) : nullptr; };
  /// The ends' value, if it is known.
  const auto value_of = [&](const RuleEnd& end, const std::string& against) -> std::optional<double> {
    if (end.kind() == RuleEnd::Kind::number) return end.number();
    const ColumnSchema* to = column(against);
    if (end.kind() == RuleEnd::Kind::cell && to && !is_text_type(to->type)) return value_of_cell(*to, end.text());
    return std::nullopt;
  };
  const auto at_least = [&](const std::string& name, const RuleEnd& end, bool strict, const std::string& why) {
    if (const auto value = value_of(end, name)) tighten(bounds[name].low, {*value, strict, why}, true);
  };
  const auto at_most = [&](const std::string& name, const RuleEnd& end, bool strict, const std::string& why) {
    if (const auto value = value_of(end, name)) tighten(bounds[name].high, {*value, strict, why}, false);
  };
  std::map<std::string_view, std::pair<std::set<std::string>, std::string>> choices;  // of texts
  const auto one_of_texts = [&](const std::string& name, const std::vector<std::string>& texts,
                                const std::string& why) {
    const ColumnSchema* to = column(name);
    if (to && !is_text_type(to->type)) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (const std::string& text : texts) {
        const double value = value_of_cell(*to, text);
        low = std::min(low, value), high = std::max(high, value);
      }
      at_least(name, low, false, why);
      at_most(name, high, false, why);
      return;
    }
    const std::set<std::string> some(texts.begin(), texts.end());
    const auto [known, fresh] = choices.emplace(name, std::pair{some, why});
    if (fresh) return;
    std::set<std::string>& left = known->second.first;
    std::erase_if(left, [&](const std::string& text) { return !some.contains(text); });
    if (left.empty()) {
      throw DataError(concat("column ", in_quotes(name), " is left no value by ", known->second.second, " and ", why));
    }
    known->second.second += " and " + why;
  };

  for (const Rule& rule : rules) {
    const std::string why = rule.str();
    if (rule.kind == RuleKind::inequality) {
      if (rule.low.is_column() && rule.high.is_column()) {
        edges.push_back({&rule.low.text(), &rule.high.text(), rule.strict, why});
      } else if (rule.high.is_column()) {
        at_least(rule.high.text(), rule.low, rule.strict, why);
      } else {
        at_most(rule.low.text(), rule.high, rule.strict, why);
      }
    } else if (rule.kind == RuleKind::range) {
      at_least(rule.columns[0], rule.low, false, why);
      at_most(rule.columns[0], rule.high, false, why);
    } else if (rule.kind == RuleKind::one_of) {
      one_of_texts(rule.columns[0], rule.values, why);
    }
  }
  for (const auto& [name, condition] : conditions) {
    const std::string why = concat("the condition on column ", in_quotes(name));
    if (condition.is_range()) {
      at_least(name, condition.low(), false, why);
      at_most(name, condition.high(), false, why);
    } else if (!condition.texts().empty()) {
      one_of_texts(name, condition.texts(), why);
    }
  }
  check_circles(edges);
  bool changed = true;
  for (std::size_t round = 0; changed && round <= edges.size(); ++round) {
    changed = false;
    for (const Edge& edge : edges) {
      const auto beside = [&](const Bound& bound) {
        Bound next{bound.value, bound.strict || edge.strict, bound.why};
        if (next.why.size() < 1000) next.why += " and " + edge.why;
        return next;
      };
      Bounds &low = bounds[*edge.low], &high = bounds[*edge.high];
      if (low.low && tighten(high.low, beside(*low.low), true)) changed = true;
      if (high.high && tighten(low.high, beside(*high.high), false)) changed = true;
    }
  }
  for (const auto& [name, bound] : bounds) {
    if (!bound.low || !bound.high) continue;
    const bool empty = bound.low->value > bound.high->value ||
                       (bound.low->value == bound.high->value && (bound.low->strict || bound.high->strict));
    if (!empty) continue;
    throw DataError(concat("column ", in_quotes(name), " is left no value by ", bound.low->why,
                           bound.low->why == bound.high->why ? "" : " and " + bound.high->why));
  }
}

inline Json json_of(const RuleEnd& end) {
  switch (end.kind()) {
    case RuleEnd::Kind::column:
      return end.text();
    case RuleEnd::Kind::number:
      return end.number();
    case RuleEnd::Kind::cell:
      return Json::Object{{"cell", end.text()}};
    case RuleEnd::Kind::none:
      break;
  }
  return nullptr;
}

inline RuleEnd end_of_json(const Json& json, const char* key, const std::string& owner) {
  const Json* member = json.find(key);
  if (!member || member->is_null()) return {};
  if (const auto* text = member->get_if<std::string>()) return *text;
  if (member->is_number()) return member->number();
  const auto* object = member->get_if<Json::Object>();
  const Json* cell = member->find("cell");
  if (!object || object->size() != 1 || !cell || !cell->get_if<std::string>()) {
    throw DataError(
        concat(owner, ": expects a column's name, a number or {\"cell\": text} as member ", in_quotes(key)));
  }
  return RuleEnd::cell(*cell->get_if<std::string>());
}

inline Rule rule_of_json(const Json& json, const std::string& owner) {
  const synthdata::detail::JsonMembers any(json, owner,
                                           {"rule", "column", "columns", "low", "high", "strict", "values",
                                            "combinations", "total", "parts", "tolerance", "name"});
  if (!json.find("rule")) throw DataError(owner + ": expects the kind of a rule as member \"rule\"");
  std::size_t kind = 0;
  any.read_name("rule", rule_kinds, kind);
  const auto members = [&](std::initializer_list<std::string_view> known) {
    return synthdata::detail::JsonMembers(json, concat(owner, " (", rule_kinds.begin()[kind], ")"), known);
  };
  std::string column;
  std::vector<std::string> columns;
  switch (static_cast<RuleKind>(kind)) {
    case RuleKind::inequality: {
      bool strict = false;
      members({"rule", "low", "high", "strict"}).read("strict", strict);
      const RuleEnd low = end_of_json(json, "low", owner), high = end_of_json(json, "high", owner);
      return strict ? rule::less(low, high) : rule::less_equal(low, high);
    }
    case RuleKind::range: {
      members({"rule", "column", "low", "high"}).read("column", column);
      return rule::range(column, end_of_json(json, "low", owner), end_of_json(json, "high", owner));
    }
    case RuleKind::fixed_combinations: {
      const auto from = members({"rule", "columns", "combinations"});
      from.read("columns", columns);
      Rule rule = rule::fixed_combinations(columns);
      for (const Json& item : from.list("combinations")) {
        const auto* cells = item.get_if<Json::Array>();
        if (!cells) throw DataError(owner + ": expects lists of cells as \"combinations\"");
        rule.combinations.emplace_back();
        for (const Json& cell : *cells) {
          const auto* text = cell.get_if<std::string>();
          if (!text && !cell.is_null()) throw DataError(owner + ": expects texts or null in \"combinations\"");
          rule.combinations.back().push_back(text ? std::optional(*text) : std::nullopt);
        }
      }
      return rule;
    }
    case RuleKind::one_of: {
      const auto from = members({"rule", "column", "values"});
      std::vector<std::string> values;
      from.read("column", column);
      from.read("values", values);
      return rule::one_of(column, values);
    }
    case RuleKind::sum: {
      const auto from = members({"rule", "total", "parts", "tolerance"});
      double tolerance = 0.0;
      from.read("total", column);
      from.read("parts", columns);
      from.read("tolerance", tolerance);
      return rule::sum(column, columns, tolerance);
    }
    case RuleKind::unique:
      members({"rule", "columns"}).read("columns", columns);
      return rule::unique(columns);
    case RuleKind::predicate:
      members({"rule", "name"}).read("name", column);
      return rule::predicate(column, {});
  }
  throw DataError(owner + ": expects the kind of a rule");
}

}  // namespace detail

SYNTHDATA_INLINE const char* name_of(RuleKind kind) {
  return detail::rule_kinds.begin()[static_cast<std::size_t>(kind)];
}

SYNTHDATA_INLINE std::string Rule::str() const {
  switch (kind) {
    case RuleKind::inequality:
      return concat(detail::end_text(low), strict ? " < " : " <= ", detail::end_text(high));
    case RuleKind::range: {
      const bool from = low.kind() != RuleEnd::Kind::none, to = high.kind() != RuleEnd::Kind::none;
      return concat(detail::joined(columns, ", "), from ? " from " + detail::end_text(low) : "",
                    to ? " to " + detail::end_text(high) : "");
    }
    case RuleKind::fixed_combinations:
      return concat("fixed combinations of ", detail::listed(columns));
    case RuleKind::one_of:
      return concat(detail::joined(columns, ", "), " one of ", detail::listed(values));
    case RuleKind::sum: {
      const std::vector<std::string> parts(columns.empty() ? columns.begin() : columns.begin() + 1, columns.end());
      return concat(columns.empty() ? std::string() : in_quotes(columns[0]), " = ", detail::joined(parts, " + "),
                    tolerance > 0.0 ? concat(" within ", tolerance) : std::string());
    }
    case RuleKind::unique:
      return concat("unique ", detail::listed(columns));
    case RuleKind::predicate:
      return concat("predicate ", in_quotes(name));
  }
  return {};
}

namespace rule {

SYNTHDATA_INLINE Rule less_equal(RuleEnd low, RuleEnd high) {
  Rule made{.kind = RuleKind::inequality};
  for (const RuleEnd* end : {&low, &high}) {
    if (end->is_column()) made.columns.push_back(end->text());
  }
  made.low = std::move(low), made.high = std::move(high);
  return made;
}
SYNTHDATA_INLINE Rule less(RuleEnd low, RuleEnd high) {
  Rule made = less_equal(std::move(low), std::move(high));
  made.strict = true;
  return made;
}
SYNTHDATA_INLINE Rule range(std::string column, RuleEnd low, RuleEnd high) {
  // A text is a cell here: ends are constants.
  const auto constant = [](RuleEnd end) { return end.is_column() ? RuleEnd::cell(end.text()) : end; };
  return {.kind = RuleKind::range,
          .columns = {std::move(column)},
          .low = constant(std::move(low)),
          .high = constant(std::move(high))};
}
SYNTHDATA_INLINE Rule fixed_combinations(std::vector<std::string> columns) {
  return {.kind = RuleKind::fixed_combinations, .columns = std::move(columns)};
}
SYNTHDATA_INLINE Rule one_of(std::string column, std::vector<std::string> values) {
  return {.kind = RuleKind::one_of, .columns = {std::move(column)}, .values = std::move(values)};
}
SYNTHDATA_INLINE Rule sum(std::string total, std::vector<std::string> parts, double tolerance) {
  parts.insert(parts.begin(), std::move(total));
  return {.kind = RuleKind::sum, .columns = std::move(parts), .tolerance = tolerance};
}
SYNTHDATA_INLINE Rule unique(std::vector<std::string> columns) {
  return {.kind = RuleKind::unique, .columns = std::move(columns)};
}
SYNTHDATA_INLINE Rule predicate(std::string name, RowPredicate f) {
  return {.kind = RuleKind::predicate, .name = std::move(name), .predicate = std::move(f)};
}

}  // namespace rule

SYNTHDATA_INLINE std::int64_t RuleReport::broken() const {
  std::int64_t sum = 0;
  for (const Entry& entry : rules) sum += entry.rows;
  return sum;
}

SYNTHDATA_INLINE std::string RuleReport::str() const {
  std::string out;
  for (const Entry& entry : rules) {
    out += entry.rule + ": ";
    if (entry.rows == 0) {
      out += "kept\n";
    } else {
      out += concat("broken by ", entry.rows, entry.rows == 1 ? " row, row " : " rows, the first is row ",
                    entry.first_row, ": ", entry.example, "\n");
    }
  }
  return out;
}

SYNTHDATA_INLINE Rules::Rules(std::vector<Rule> rules) : rules_(std::move(rules)) {
  if (rules_.size() > most) throw DataError(concat("expects at most ", most, " rules, got ", rules_.size()));
  for (const Rule& rule : rules_) detail::check_rule(rule);
  detail::check_consistent(rules_, nullptr);
}

SYNTHDATA_INLINE RuleReport Rules::check(const Table& table) const {
  RuleReport report;
  for (const Rule& rule : rules_) {
    const std::vector<std::uint8_t> kept = detail::rows_that_keep(rule, table);
    RuleReport::Entry entry{.rule = rule.str()};
    entry.rows = std::count(kept.begin(), kept.end(), 0);
    if (entry.rows > 0) {
      entry.first_row = std::find(kept.begin(), kept.end(), 0) - kept.begin();
      for (const std::string& name : rule.columns) {
        const Column& column = table[name];
        const std::string cell =
            column.is_missing(entry.first_row) ? "missing" : in_quotes(column.cell(entry.first_row));
        entry.example += concat(entry.example.empty() ? "" : ", ", in_quotes(name), " is ", cell);
      }
    }
    report.rules.push_back(std::move(entry));
  }
  return report;
}

SYNTHDATA_INLINE void Rules::set_predicate(const std::string& name, RowPredicate f) {
  bool found = false;
  for (Rule& rule : rules_) {
    if (rule.kind != RuleKind::predicate || rule.name != name) continue;
    rule.predicate = f;
    found = true;
  }
  if (!found) throw DataError(concat("there is no rule ", rule::predicate(name, {}).str()));
}

SYNTHDATA_INLINE std::string Rules::str() const {
  std::string out;
  for (const Rule& rule : rules_) out += rule.str() + "\n";
  return out;
}

SYNTHDATA_INLINE Json Rules::json() const {
  Json::Array list;
  for (const Rule& rule : rules_) {
    Json::Object object{{"rule", name_of(rule.kind)}};
    const std::vector<std::string>& columns = rule.columns;
    switch (rule.kind) {
      case RuleKind::inequality:
        object.push_back({"low", detail::json_of(rule.low)});
        object.push_back({"high", detail::json_of(rule.high)});
        object.push_back({"strict", rule.strict});
        break;
      case RuleKind::range:
        object.push_back({"column", columns[0]});
        object.push_back({"low", detail::json_of(rule.low)});
        object.push_back({"high", detail::json_of(rule.high)});
        break;
      case RuleKind::fixed_combinations: {
        object.push_back({"columns", synthdata::detail::json_texts(columns)});
        Json::Array combinations;
        for (const auto& combination : rule.combinations) {
          Json::Array cells;
          for (const auto& cell : combination) cells.push_back(cell ? Json(*cell) : Json());
          combinations.push_back(std::move(cells));
        }
        if (!combinations.empty()) object.push_back({"combinations", std::move(combinations)});
        break;
      }
      case RuleKind::one_of:
        object.push_back({"column", columns[0]});
        object.push_back({"values", synthdata::detail::json_texts(rule.values)});
        break;
      case RuleKind::sum:
        object.push_back({"total", columns[0]});
        object.push_back({"parts", synthdata::detail::json_texts({columns.begin() + 1, columns.end()})});
        object.push_back({"tolerance", rule.tolerance});
        break;
      case RuleKind::unique:
        object.push_back({"columns", synthdata::detail::json_texts(columns)});
        break;
      case RuleKind::predicate:
        object.push_back({"name", rule.name});
        break;
    }
    list.push_back(std::move(object));
  }
  return Json::Object{{"rules", std::move(list)}};
}

SYNTHDATA_INLINE Rules Rules::from_json(const Json& json, const std::string& source) {
  const synthdata::detail::JsonMembers members(json, source, {"rules"});
  const Json::Array& list = members.list("rules");
  if (list.size() > most) throw DataError(concat(source, ": expects at most ", most, " rules, got ", list.size()));
  std::vector<Rule> rules;
  for (std::size_t i = 0; i < list.size(); ++i) {
    rules.push_back(detail::rule_of_json(list[i], concat(source, ": rule ", i + 1)));
  }
  try {
    return Rules(std::move(rules));
  } catch (const DataError& e) {
    throw DataError(concat(source, ": ", e.what()));
  }
}

SYNTHDATA_INLINE void Rules::save(const std::string& path) const { write_file(path, json().dump() + "\n"); }

SYNTHDATA_INLINE Rules Rules::load(const std::string& path) {
  return from_json(parse_json(read_file(path), {.source = path}), path);
}

}  // namespace synthdata::models
