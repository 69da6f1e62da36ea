// synthdata/data/privacy/mask_impl.hpp: bodies of data/privacy/mask.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/privacy/mask.hpp>
#include <synthdata/data/privacy/members.hpp>
#include <synthdata/data/privacy/patterns_impl.hpp>
#include <synthdata/data/table_impl.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace synthdata {

namespace detail {

/// `column` with text(cell) for every value that is not missing; a categorical column stays one, equal texts joined,
/// and any other becomes text. Counts the cells that are no longer what they were.
template <class F>
Column retexted(const Column& column, F&& text, std::int64_t& changed) {
  ColumnParts parts{.schema = {.name = column.name(), .type = column.type(), .missing = column.schema().missing},
                    .size = column.size(),
                    .missing = column.parts().missing};
  if (column.type() == ColumnType::categorical) {
    std::vector<std::string> made;
    for (const std::string& category : column.schema().categories) made.push_back(text(std::string_view(category)));
    // sorted anew: the order of the old ones would say something about them
    std::vector<std::string>& sorted = parts.schema.categories;
    sorted = made;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::vector<std::uint32_t> recoded;
    std::vector<bool> differs;
    for (std::size_t i = 0; i < made.size(); ++i) {
      recoded.push_back(
          static_cast<std::uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), made[i]) - sorted.begin()));
      differs.push_back(made[i] != column.schema().categories[i]);
    }
    make_codes(parts);
    for (std::int64_t row = 0; row < column.size(); ++row) {
      const std::int64_t code = column.code(row);
      store_code(parts, row, code < 0 ? 0 : recoded[static_cast<std::size_t>(code)]);
      changed += code >= 0 && differs[static_cast<std::size_t>(code)];
    }
    return Column(std::move(parts));
  }
  if (!holds_texts(column.schema())) parts.schema.type = ColumnType::text;
  std::vector<std::string> texts(static_cast<std::size_t>(column.size()));
  std::string cell;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_missing(row)) continue;
    cell.clear();
    column.append_cell(cell, row);
    std::string made = text(std::string_view(cell));
    changed += made != cell;
    texts[static_cast<std::size_t>(row)] = std::move(made);
  }
  parts.texts =
      join_texts(column.size(), [&](std::int64_t i) { return std::string_view(texts[static_cast<std::size_t>(i)]); });
  return Column(std::move(parts));
}

/// Calls f(character) for each character of UTF-8; bytes that are none come one by one.
template <class F>
void each_character(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
    f(text.substr(0, length));
    text.remove_prefix(length);
  }
}

SYNTHDATA_INLINE std::string starred(std::string_view text, std::int64_t keep_first, std::int64_t keep_last) {
  std::int64_t count = 0, at = 0;
  const auto counts = [](std::string_view c) { return letter(c[0]) || digit(c[0]); };
  each_character(text, [&](std::string_view c) { count += counts(c); });
  std::string out;
  each_character(text, [&](std::string_view c) {
    const bool stays = !counts(c) || at < keep_first || at >= count - keep_last;
    at += counts(c);
    out += stays ? c : std::string_view("*");
  });
  return out;
}

SYNTHDATA_INLINE std::string shape_of(std::string_view text) {
  std::string out;
  each_character(text, [&](std::string_view c) {
    out += digit(c[0]) ? "9" : upper(c[0]) ? "A" : letter(c[0]) ? "a" : c;
  });
  return out;
}

SYNTHDATA_INLINE std::string masked_mail(std::string_view text, const std::string& other) {
  text = trimmed(text);
  if (text.size() > 254 || !is_mail(text)) return other;
  const std::size_t at = text.find('@'), first = std::max<std::size_t>(1, utf8_length(text));
  return concat(text.substr(0, first), "***", text.substr(at));
}

/// Date-times cut to the start of their year or month, by the clock of their zone.
SYNTHDATA_INLINE Column masked_dates(const Column& column, const std::string& pattern, std::int64_t& changed) {
  const ColumnSchema& schema = column.schema();
  if (column.type() != ColumnType::date_time || schema.pattern.find("%Y") == std::string::npos) {
    throw DataError(concat("Masking: column ", in_quotes(column.name()), ": expects date-times with a year, got ",
                           column.type(), schema.pattern.empty() ? "" : " " + schema.pattern));
  }
  std::vector<std::int64_t> cut(static_cast<std::size_t>(column.size()));
  std::vector<bool> missing(cut.size());
  std::string cell;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    missing[i] = column.is_missing(row);
    if (missing[i]) continue;
    cell.clear();
    append_date_time_cell(cell, column.integer(row), pattern, schema.zone);
    if (!parse_date_time(cell, pattern, schema.zone, cut[i])) {
      throw DataError(concat("Masking: column ", in_quotes(column.name()), ", row ", row, ": the year of ",
                             in_quotes(column.cell(row)), " has not four digits"));
    }
    cell.resize(cell.size() - schema.zone.size());
    changed += cell != column.cell(row);
  }
  ColumnSchema spelling = schema;
  spelling.pattern = pattern;
  return Column::date_times(column.name(), cut, pattern, schema.zone, missing).spelled(spelling);
}

SYNTHDATA_INLINE Column masked_numbers(const Column& column, double unit, std::int64_t& changed) {
  std::vector<bool> missing(static_cast<std::size_t>(column.size()));
  for (std::size_t i = 0; i < missing.size(); ++i) missing[i] = column.is_missing(static_cast<std::int64_t>(i));
  if (column.type() == ColumnType::real) {
    std::vector<double> values(missing.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (missing[i]) continue;
      const double value = column.real(static_cast<std::int64_t>(i)), quotient = std::floor(value / unit);
      values[i] = std::isfinite(quotient * unit) ? quotient * unit : value;
      changed += values[i] < value || values[i] > value;
    }
    return Column::reals(column.name(), values, missing).spelled(column.schema());
  }
  if (column.type() != ColumnType::integer || unit != std::floor(unit) || unit > 1e15) {
    throw DataError(concat("Masking: column ", in_quotes(column.name()),
                           ": expects numbers to round, and a whole unit for integers; is ", column.type(), ", unit ",
                           unit));
  }
  const auto step = static_cast<std::int64_t>(unit);
  std::vector<std::int64_t> values(missing.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (missing[i]) continue;
    const std::int64_t value = column.integer(static_cast<std::int64_t>(i)), rest = value % step;
    const std::int64_t above = rest < 0 ? rest + step : rest;  // 0 ... step - 1
    values[i] = value < std::numeric_limits<std::int64_t>::min() + above ? value - rest : value - above;
    changed += values[i] != value;
  }
  return Column::integers(column.name(), values, missing).spelled(column.schema());
}

inline constexpr std::initializer_list<const char*> mask_names = {
    "redact", "remove", "keep_first", "keep_last", "shape", "mail", "year", "month", "round"};
}  // namespace detail

SYNTHDATA_INLINE const char* name_of(Mask mask) { return detail::mask_names.begin()[static_cast<std::size_t>(mask)]; }

SYNTHDATA_INLINE Masking::Masking(std::vector<MaskRule> rules) : rules_(std::move(rules)) {
  std::unordered_map<std::string_view, int> seen;
  for (const MaskRule& rule : rules_) {
    if (++seen[rule.column] > 1) throw DataError(concat("Masking: column ", in_quotes(rule.column), " has two rules"));
    if (rule.keep < 0 || !(rule.unit > 0.0 && std::isfinite(rule.unit))) {
      throw NumericError(concat("Masking: column ", in_quotes(rule.column), ": expects keep >= 0 and unit > 0, got ",
                                rule.keep, " and ", rule.unit));
    }
  }
}

SYNTHDATA_INLINE Masking Masking::suggested(const PersonalColumns& found) {
  std::vector<MaskRule> rules;
  for (const PersonalColumn& column : found.columns) {
    MaskRule rule{.column = column.column};
    if (column.kind == PersonalKind::mail) rule.mask = Mask::mail;
    if (column.kind == PersonalKind::phone) {
      rule.mask = Mask::keep_last;
      rule.keep = 2;
    }
    if (column.kind == PersonalKind::card) rule.mask = Mask::keep_last;
    if (column.kind == PersonalKind::ip) rule.mask = Mask::keep_first;
    if (column.kind == PersonalKind::birth_date && column.dated) rule.mask = Mask::year;
    rules.push_back(std::move(rule));
  }
  return Masking(std::move(rules));
}

SYNTHDATA_INLINE Table Masking::apply(const Table& table, CleaningReport* report) const {
  Table result = table;
  for (const MaskRule& rule : rules_) {
    const Column& column = table[rule.column];
    std::int64_t changed = 0;
    const auto texts = [&](auto&& text) { result = result.with(detail::retexted(column, text, changed)); };
    std::string what = "masked";
    switch (rule.mask) {
      case Mask::redact:
        texts([&](std::string_view) { return rule.text; });
        what = "redacted";
        break;
      case Mask::remove:
        changed = column.size();
        result = result.without({rule.column});
        what = "removed";
        break;
      case Mask::keep_first:
        texts([&](std::string_view cell) { return detail::starred(cell, rule.keep, 0); });
        break;
      case Mask::keep_last:
        texts([&](std::string_view cell) { return detail::starred(cell, 0, rule.keep); });
        break;
      case Mask::shape:
        texts(detail::shape_of);
        break;
      case Mask::mail:
        texts([&](std::string_view cell) { return detail::masked_mail(cell, rule.text); });
        break;
      case Mask::year:
        result = result.with(detail::masked_dates(column, "%Y", changed));
        break;
      case Mask::month:
        result = result.with(detail::masked_dates(column, "%Y-%m", changed));
        break;
      case Mask::round:
        result = result.with(detail::masked_numbers(column, rule.unit, changed));
        break;
    }
    if (report) report->add(concat("mask ", name_of(rule.mask)), rule.column, what, changed);
  }
  return result;
}

SYNTHDATA_INLINE Json Masking::json() const {
  Json::Array list;
  for (const MaskRule& rule : rules_) {
    list.push_back(Json::Object{{"column", rule.column},
                                {"mask", name_of(rule.mask)},
                                {"keep", rule.keep},
                                {"unit", rule.unit},
                                {"text", rule.text}});
  }
  return Json::Object{{"kind", "masking"}, {"rules", std::move(list)}};
}

SYNTHDATA_INLINE Masking Masking::from_json(const Json& json) {
  const detail::JsonMembers members(json, "Masking", {"kind", "rules"});
  std::size_t kind = 0;
  members.read_name("kind", {"masking"}, kind);
  std::vector<MaskRule> rules;
  for (const Json& item : members.list("rules")) {
    const detail::JsonMembers from(item, "Masking: rule", {"column", "mask", "keep", "unit", "text"});
    MaskRule rule;
    std::size_t mask = 0;
    std::int64_t keep = rule.keep;
    from.read("column", rule.column);
    from.read_name("mask", detail::mask_names, mask);
    from.read("keep", keep);
    from.read("unit", rule.unit);
    from.read("text", rule.text);
    if (keep < 0 || keep > 1'000'000)
      throw DataError(concat("Masking: rule: expects keep of 0 to 1000000, got ", keep));
    rule.mask = static_cast<Mask>(mask);
    rule.keep = static_cast<int>(keep);
    rules.push_back(std::move(rule));
  }
  return Masking(std::move(rules));
}

}  // namespace synthdata
