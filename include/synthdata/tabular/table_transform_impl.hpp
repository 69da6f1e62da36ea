// synthdata/tabular/table_transform_impl.hpp: bodies of table_transform.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/detect.hpp>
#include <synthdata/data/privacy/members.hpp>
#include <synthdata/data/privacy/names.hpp>
#include <synthdata/tabular/cell_value.hpp>
#include <synthdata/tabular/encoded_rows.hpp>
#include <synthdata/tabular/rule_columns_impl.hpp>
#include <synthdata/tabular/rules_impl.hpp>
#include <synthdata/tabular/table_transform.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <numeric>
#include <set>

namespace synthdata::models {
namespace detail {

inline constexpr std::initializer_list<const char*> column_uses = {"automatic", "learn", "regenerate", "leave_out"};

/// A name that no column has.
inline std::string fresh_name(std::string name, const Table& table, const std::set<std::string>& taken) {
  while (table.find(name) >= 0 || taken.contains(name)) name += '\'';
  return name;
}

/// How made-up names are spelled: as most of the first thousand are.
inline const char* name_format(const Column& column) {
  std::int64_t both = 0, first = 0, last = 0;
  for (std::int64_t row = 0; row < std::min<std::int64_t>(column.size(), 1000); ++row) {
    if (column.is_missing(row)) continue;
    const std::string cell = column.cell(row);
    const auto listed = [&](const auto& names) {
      return std::find(std::begin(names), std::end(names), cell) != std::end(names);
    };
    both += cell.find(' ') != std::string::npos;
    first += listed(synthdata::detail::first_names);
    last += listed(synthdata::detail::surnames);
  }
  if (both >= std::max(first, last)) return "name";
  return first >= last ? "first_name" : "last_name";
}

/// True if automatic columns of this kind are made anew: dates of birth are learnt, and columns of whole numbers must
/// be more certain than others.
inline bool is_personal(const PersonalColumn& found, ColumnType type) {
  if (found.kind == PersonalKind::birth_date || type == ColumnType::date_time) return false;
  if (type == ColumnType::integer) return found.by_name ? found.share >= 0.5 : found.confidence >= 0.9;
  return found.confidence > 0.5;
}

/// Names of the columns that a rule column restores, needs, and that the model learns for it.
struct RuleColumnNames {
  std::vector<std::string> restores, needs;
  std::string made;
};
inline RuleColumnNames names_of(const GapColumn& gap) { return {{gap.column.name}, {gap.base}, gap.made}; }
inline RuleColumnNames names_of(const SumColumn& sum) { return {{sum.total.name}, sum.parts, sum.made}; }
inline RuleColumnNames names_of(const JointColumn& joint) {
  RuleColumnNames names{{}, {}, joint.made};
  for (const ColumnSchema& schema : joint.columns) names.restores.push_back(schema.name);
  return names;
}

}  // namespace detail

SYNTHDATA_INLINE const char* name_of(ColumnUse use) {
  return detail::column_uses.begin()[static_cast<std::size_t>(use)];
}

SYNTHDATA_INLINE FittedTransform TableTransform::fit(const Table& table, const Rules& rules,
                                                     const ColumnsOptions& options, std::uint64_t seed) {
  using namespace detail;
  if (options.rare_below < 1) throw DataError(concat("expects rare_below >= 1, got ", options.rare_below));
  for (const auto& [name, use] : options.uses) static_cast<void>(table[name]);  // all must be there
  const Schema schema = table.schema();
  for (const Rule& rule : rules.list()) {
    for (const std::string& name : rule.columns) static_cast<void>(column_of_rule(rule, table, name));
  }
  check_consistent(rules.list(), &schema);
  const RuleReport report = rules.check(table);
  for (const RuleReport::Entry& entry : report.rules) {
    if (entry.rows == 0) continue;
    throw DataError(concat("rule ", entry.rule, ": ", entry.rows, " of ", table.size(),
                           " rows of the table break it, the first is row ", entry.first_row, ": ", entry.example));
  }

  // What becomes of each column by itself.
  TableTransform transform;
  transform.rules_ = rules;
  std::map<std::string, ColumnUse> uses;
  std::map<std::string, PersonalKind> kinds;
  if (options.personal) {
    for (const PersonalColumn& found : detect_personal(table).columns) {
      if (is_personal(found, table[found.column].type())) kinds.emplace(found.column, found.kind);
    }
  }
  for (const Column& column : table.columns()) {
    const auto given = options.uses.find(column.name());
    ColumnUse use = given == options.uses.end() ? ColumnUse::automatic : given->second;
    const bool anew = column.type() == ColumnType::identifier || kinds.contains(column.name());
    if (use == ColumnUse::automatic) use = anew ? ColumnUse::regenerate : ColumnUse::learn;
    if (use == ColumnUse::regenerate && !is_text_type(column.type()) && column.type() != ColumnType::integer) {
      throw DataError(concat("column ", in_quotes(column.name()),
                             ": expects texts, categories or integers to make anew, is ", column.type()));
    }
    uses[column.name()] = use;
    (use == ColumnUse::leave_out ? transform.left_out_ : transform.order_).push_back(column.name());
  }
  std::set<std::string> unique;  // columns made anew that a rule wants to be different
  for (const Rule& rule : rules.list()) {
    bool one = false;
    for (const std::string& name : rule.columns) {
      if (uses[name] == ColumnUse::leave_out) fail_rule(rule, concat("column ", in_quotes(name), " is left out"));
      if (uses[name] == ColumnUse::regenerate) {
        if (rule.kind != RuleKind::unique) {
          fail_rule(rule, concat("column ", in_quotes(name), " is made anew; the rule needs it to be learnt"));
        }
        if (!one) unique.insert(name);
        one = true;
      } else if (rule.kind == RuleKind::one_of && table[name].type() == ColumnType::text) {
        fail_rule(rule, concat("column ", in_quotes(name),
                               " is text, of which only the shape is learnt; the rule needs categories"));
      }
    }
  }

  // Columns that rules tie to others. Each is replaced once, and none by way of itself.
  std::map<std::string, std::vector<std::string>> needs;
  std::map<std::string, Column> in_place;  // what is learnt in place of a column; undefined: nothing
  std::set<std::string> replaced, taken;
  std::vector<std::uint8_t> known(static_cast<std::size_t>(table.size()), 1);
  const auto depends = [&](const std::string& from, const std::string& on) {
    std::vector<std::string> open{from};
    std::set<std::string> seen;
    while (!open.empty()) {
      const std::string at = open.back();
      open.pop_back();
      if (at == on) return true;
      if (!seen.insert(at).second) continue;
      const auto next = needs.find(at);
      if (next != needs.end()) open.insert(open.end(), next->second.begin(), next->second.end());
    }
    return false;
  };
  const auto may_replace = [&](const std::string& name, const std::vector<std::string>& by) {
    return !replaced.contains(name) &&
           std::none_of(by.begin(), by.end(), [&](const std::string& other) { return depends(other, name); });
  };
  const auto name_for = [&](std::string name) {
    name = fresh_name(std::move(name), table, taken);
    taken.insert(name);
    return name;
  };
  std::vector<Rule> list = rules.list();
  transform.constructed_.assign(list.size(), 0);
  for (std::size_t i = 0; i < list.size(); ++i) {
    Rule& rule = list[i];
    if (rule.kind == RuleKind::sum) {
      const std::string& total = rule.columns[0];
      const std::vector<std::string> parts(rule.columns.begin() + 1, rule.columns.end());
      if (!may_replace(total, parts)) continue;
      Column rest;
      SumColumn sum = SumColumn::fit(rule, table, name_for("rest of " + total), rest);
      in_place[total] = sum.made.empty() ? Column() : rest;
      needs[total] = parts;
      replaced.insert(total);
      transform.constructed_[i] = 1;
      transform.rule_columns_.emplace_back(std::move(sum));
    } else if (rule.kind == RuleKind::fixed_combinations) {
      if (std::any_of(rule.columns.begin(), rule.columns.end(),
                      [&](const auto& name) { return replaced.contains(name); })) {
        // Another rule has the column: this one is checked, on the combinations that occur.
        if (rule.combinations.empty()) {
          Column joint;
          std::vector<std::uint8_t> ignored(known.size(), 1);
          rule.combinations = JointColumn::fit(rule, table, options.rare_below, "", joint, ignored).tuples;
        }
        continue;
      }
      Column joint;
      std::string name;
      for (const std::string& column : rule.columns) name += (name.empty() ? "" : " & ") + column;
      // Combinations that the user lists are no secret.
      JointColumn made = JointColumn::fit(rule, table, rule.combinations.empty() ? options.rare_below : 1,
                                          name_for(name), joint, known);
      if (made.tuples.empty() && table.size() > 0) {
        fail_rule(rule, concat("no combination has ", options.rare_below, " rows or more (rare_below)"));
      }
      rule.combinations = made.tuples;
      for (const std::string& column : rule.columns) {
        replaced.insert(column);
        in_place[column] = column == rule.columns[0] ? joint : Column();
      }
      transform.constructed_[i] = 1;
      transform.rule_columns_.emplace_back(std::move(made));
    }
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Rule& rule = list[i];
    // Constants and lists are kept by models that make no value beyond those they have seen.
    if (rule.kind == RuleKind::range || rule.kind == RuleKind::one_of) transform.constructed_[i] = 1;
    if (rule.kind != RuleKind::inequality) continue;
    if (rule.columns.size() == 1) {
      transform.constructed_[i] = 1;
      continue;
    }
    const Column &low = table[rule.low.text()], &high = table[rule.high.text()];
    if (low.type() == ColumnType::boolean || high.type() == ColumnType::boolean) continue;
    for (const bool above : {true, false}) {  // high as low + gap, else low as high - gap
      const Column &column = above ? high : low, &base = above ? low : high;
      if (!may_replace(column.name(), {base.name()})) continue;
      Column gap;
      auto made =
          GapColumn::fit(column, base, above, fresh_name(concat(high.name(), " - ", low.name()), table, taken), gap);
      if (!made) continue;
      taken.insert(made->made);
      in_place[column.name()] = gap;
      needs[column.name()] = {base.name()};
      replaced.insert(column.name());
      transform.constructed_[i] = 1;
      transform.rule_columns_.emplace_back(std::move(*made));
      break;
    }
  }
  transform.rules_ = Rules(list);
  // What others need is restored first.
  std::vector<RuleColumn> sorted;
  std::set<std::string> waiting = replaced;
  while (sorted.size() < transform.rule_columns_.size()) {
    for (RuleColumn& column : transform.rule_columns_) {
      const RuleColumnNames names = std::visit([](const auto& held) { return names_of(held); }, column);
      const bool done = !waiting.contains(names.restores[0]);
      const auto waits = [&](const std::string& name) { return waiting.contains(name); };
      if (done || std::any_of(names.needs.begin(), names.needs.end(), waits)) continue;
      for (const std::string& name : names.restores) waiting.erase(name);
      sorted.push_back(column);
    }
  }
  transform.rule_columns_ = std::move(sorted);

  // The columns to learn, texts by shape.
  const Rng rng{seed};
  std::vector<Column> learnt;
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    const Column& column = table[c];
    const std::string& name = column.name();
    const ColumnUse use = uses[name];
    if (use == ColumnUse::leave_out) continue;
    if (replaced.contains(name)) {
      if (!in_place[name].name().empty()) learnt.push_back(in_place[name]);
      continue;
    }
    const bool text = column.type() == ColumnType::text || column.type() == ColumnType::identifier;
    if (use == ColumnUse::learn && !text) {
      learnt.push_back(column);
      continue;
    }
    TextColumn made{.schema = column.schema(), .learnt = use == ColumnUse::learn};
    made.schema.as_written = false;
    made.schema.categories.clear();
    made.all_missing = column.size() > 0 && column.missing_count() == column.size();
    if (!made.learnt && kinds.contains(name)) {
      if (kinds[name] == PersonalKind::name) made.format = name_format(column);
      if (kinds[name] == PersonalKind::mail) made.format = "mail";
      if (column.type() == ColumnType::integer) made.format.clear();
    }
    std::vector<std::int64_t> codes;
    made.texts =
        MadeTexts::fit(column,
                       {.rare_below = options.rare_below,
                        .unique = !made.learnt && (column.type() == ColumnType::identifier || unique.contains(name))},
                       rng.split(c), codes);
    std::vector<bool> missing(codes.size());
    bool any_missing = false;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      missing[i] = codes[i] < 0;
      any_missing = any_missing || missing[i];
      codes[i] = std::max<std::int64_t>(codes[i], 0);
    }
    if (made.learnt && !made.all_missing && (any_missing || made.texts.shapes() > 1)) {
      std::vector<std::string> shapes;
      for (std::int64_t i = 0; i < made.texts.shapes(); ++i) shapes.push_back(concat(i));
      made.made = name_for("shape of " + name);
      learnt.push_back(Column::categorical(made.made, codes, shapes, missing));
    } else if (!made.learnt && any_missing && !made.all_missing) {
      made.made = name_for(name + " is missing");
      learnt.push_back(Column::booleans(made.made, missing));
    }
    transform.text_columns_.push_back(std::move(made));
  }
  transform.changes_ = !transform.rule_columns_.empty() || !transform.text_columns_.empty() ||
                       !transform.rules_.empty() || !transform.left_out_.empty();
  if (learnt.empty() && !table.columns().empty()) {
    throw DataError("no column is left to learn: all are left out or made anew");
  }
  Table out(std::move(learnt));
  if (std::find(known.begin(), known.end(), 0) != known.end()) {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] != 0) rows.push_back(static_cast<std::int64_t>(i));
    }
    if (rows.empty()) {
      throw DataError(concat("rules of fixed combinations leave no row to learn: each has a combination of fewer than ",
                             options.rare_below, " rows (rare_below)"));
    }
    out = out.take(rows);
  }
  return {std::move(transform), std::move(out)};
}

SYNTHDATA_INLINE bool TableTransform::is_replaced(std::string_view name) const {
  for (const RuleColumn& column : rule_columns_) {
    const auto names = std::visit([](const auto& held) { return detail::names_of(held); }, column);
    if (std::find(names.restores.begin(), names.restores.end(), name) != names.restores.end()) return true;
  }
  return false;
}

SYNTHDATA_INLINE const TableTransform::TextColumn* TableTransform::find_text(std::string_view name) const {
  for (const TextColumn& column : text_columns_) {
    if (column.schema.name == name) return &column;
  }
  return nullptr;
}

SYNTHDATA_INLINE Schema TableTransform::schema(const Schema& learnt) const {
  if (!changes_) return learnt;
  std::map<std::string_view, ColumnSchema> restored;
  for (const TextColumn& column : text_columns_) restored[column.schema.name] = column.schema;
  for (const RuleColumn& column : rule_columns_) {
    if (const auto* gap = std::get_if<detail::GapColumn>(&column)) restored[gap->column.name] = gap->column;
    if (const auto* sum = std::get_if<detail::SumColumn>(&column)) restored[sum->total.name] = sum->total;
    if (const auto* joint = std::get_if<detail::JointColumn>(&column)) {
      for (const ColumnSchema& one : joint->columns) restored[one.name] = one;
    }
  }
  Schema schema;
  for (const std::string& name : order_) {
    const auto found = restored.find(name);
    if (found != restored.end()) {
      schema.columns.push_back(found->second);
    } else if (const ColumnSchema* same = learnt.find(name)) {  // models may leave columns out
      schema.columns.push_back(*same);
    }
  }
  return schema;
}

/// One call of sample().
class TableTransform::Sampling {
 public:
  Sampling(const TableTransform& transform, const SampleOptions& options, const Schema& learnt, Maker make)
      : transform_(transform),
        options_(options),
        schema_(transform.schema(learnt)),
        make_(std::move(make)),
        rng_(Rng{options.seed}.split(1)),
        seen_(transform.rules_.list().size()),
        given_(transform.text_columns_.size()) {}

  /// Rows of the model with rule columns and learnt texts restored, that fit.
  Table rows_that_fit(const SamplePart& part) {
    if (part.rows < 0) throw DataError(concat("sample: expects a number of rows >= 0, got ", part.rows));
    detail::check_consistent(transform_.rules_.list(), &schema_, part.conditions);
    Conditions given, checked;
    translate(part.conditions, given, checked);
    const std::vector<Rule>& rules = transform_.rules_.list();
    std::vector<std::int64_t> stopped(rules.size() + checked.size() + 1, 0);
    const bool free = rules.empty() && checked.empty() && transform_.rule_columns_.empty();
    Table found = one_round(0, given);
    std::int64_t made = 0, window_made = 0, window_found = 0;
    for (std::int64_t rounds = 0; found.size() < part.rows; ++rounds) {
      if (rounds == options_.rounds || (window_made >= window && window_found * 10'000 < window_made)) {
        throw DataError(too_few(made, found.size(), part.rows, stopped, checked));
      }
      if (window_made >= window) window_made = window_found = 0;
      const double rate =
          made == 0 ? 1.0 : std::max(0.001, static_cast<double>(found.size()) / static_cast<double>(made));
      const std::int64_t left = part.rows - found.size();
      const std::int64_t wanted = free ? left : static_cast<std::int64_t>(1.05 * static_cast<double>(left) / rate) + 16;
      Table some = one_round(std::min(wanted, std::max<std::int64_t>(4 * part.rows, 4096)), given);
      made += some.size(), window_made += some.size();
      const std::vector<std::int64_t> fit = select(some, checked, left, stopped);
      window_found += static_cast<std::int64_t>(fit.size());
      if (static_cast<std::int64_t>(fit.size()) < some.size()) some = some.take(fit);
      found = found.size() == 0 ? some : found.append(some);
    }
    return found;
  }

  /// The table's columns in order, those made anew among them. Of several calls each goes on where the last one ended.
  Table finish(Table rows) {
    if (!transform_.changes_) return rows;
    const Rng rng = rng_.split(std::uint64_t{1} << 40);
    const std::string key = hex(sha256(concat("pseudonyms of rows ", options_.seed)));
    for (std::size_t c = 0; c < transform_.text_columns_.size(); ++c) {
      const TextColumn& column = transform_.text_columns_[c];
      if (!column.learnt) rows = rows.with(made_anew(column, rows, rng.split(c), key, given_[c]));
    }
    first_row_ += static_cast<std::size_t>(rows.size());
    std::vector<std::string> names;
    for (const std::string& name : transform_.order_) {
      if (rows.find(name) >= 0) names.push_back(name);
    }
    return rows.select(names);
  }

 private:
  static constexpr std::int64_t window = 32768;

  /// Splits conditions into those for the model and those to be checked.
  void translate(const Conditions& conditions, Conditions& given, Conditions& checked) const {
    std::vector<std::uint8_t> in_joint(conditions.size(), 0);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      const auto& [name, condition] = conditions[i];
      const auto& out = transform_.left_out_;
      if (std::find(out.begin(), out.end(), name) != out.end()) {
        throw DataError(concat("condition on column ", in_quotes(name), ", which is left out"));
      }
      const ColumnSchema& column = schema_[name];
      if (const TextColumn* text = transform_.find_text(name)) {
        throw DataError(concat("condition on column ", in_quotes(name), ", ",
                               text->learnt ? "of which only the shape is learnt" : "which is made anew, not learnt"));
      }
      if (!transform_.is_replaced(name)) {
        given.emplace_back(name, condition);
        continue;
      }
      const bool text = detail::is_text_type(column.type);
      if (condition.is_range() && text) {
        throw DataError(
            concat("condition on column ", in_quotes(name), ": a number or range, but it is ", column.type));
      }
      if (!condition.is_range() && !text && condition.texts().size() == 1) {  // by value, however it is spelled
        const double value = detail::value_of_cell(column, condition.texts()[0]);
        checked.emplace_back(name, between(value, value));
      } else {
        checked.emplace_back(name, condition);
      }
    }
    for (const RuleColumn& held : transform_.rule_columns_) {
      const auto* joint = std::get_if<detail::JointColumn>(&held);
      if (!joint) continue;
      std::vector<std::uint8_t> allowed(joint->tuples.size(), 1);
      bool any = false;
      for (std::size_t c = 0; c < joint->columns.size(); ++c) {
        for (const auto& [name, condition] : checked) {
          if (name != joint->columns[c].name) continue;
          any = true;
          const Column values = joint->values(c);
          for (std::size_t i = 0; i < allowed.size(); ++i) {
            if (!detail::meets(values, static_cast<std::int64_t>(i), condition)) allowed[i] = 0;
          }
        }
      }
      if (!any) continue;
      std::vector<std::string> tuples;
      for (std::size_t i = 0; i < allowed.size(); ++i) {
        if (allowed[i] != 0) tuples.push_back(concat(i));
      }
      if (tuples.empty()) {
        throw DataError(concat("sample: no combination of ", list_columns(*joint),
                               " that was learnt meets the conditions on them"));
      }
      given.emplace_back(joint->made, one_of(std::move(tuples)));
    }
  }
  static std::string list_columns(const detail::JointColumn& joint) {
    return synthdata::detail::list_names(joint.columns);
  }

  Table one_round(std::int64_t rows, const Conditions& given) {
    SampleOptions options = options_;
    if (round_ > 1) options.seed = rng_.split(static_cast<std::uint64_t>(round_)).next_u64();
    const Rng rng = rng_.split((std::uint64_t{1} << 41) + static_cast<std::uint64_t>(round_));
    if (rows > 0 || round_ == 0) ++round_;
    Table table = make_(rows, given, options);
    ok_.assign(static_cast<std::size_t>(table.size()), 1);
    for (const RuleColumn& held : transform_.rule_columns_) {
      const auto names = std::visit([](const auto& column) { return detail::names_of(column); }, held);
      if (const auto* gap = std::get_if<detail::GapColumn>(&held)) table = table.with(gap->restore(table, ok_));
      if (const auto* sum = std::get_if<detail::SumColumn>(&held)) table = table.with(sum->restore(table, ok_));
      if (const auto* joint = std::get_if<detail::JointColumn>(&held)) {
        for (Column& column : joint->restore(table, ok_)) table = table.with(std::move(column));
      }
    }
    for (std::size_t c = 0; c < transform_.text_columns_.size(); ++c) {
      const TextColumn& column = transform_.text_columns_[c];
      if (!column.learnt) continue;
      std::vector<std::string> texts(ok_.size());
      std::vector<bool> missing(ok_.size(), column.all_missing);
      const Column* shapes = column.made.empty() ? nullptr : &table[column.made];
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        if (shapes && shapes->is_missing(row)) missing[i] = true;
        if (missing[i]) continue;
        Rng own = rng.split(c).split(i);
        texts[i] = column.texts.draw(shapes ? shape_of(column, shapes->cell(row)) : 0, own);
      }
      table = table.with(detail::column_of(column.schema, texts, missing));
    }
    return table;
  }
  static std::int64_t shape_of(const TextColumn& column, const std::string& cell) {
    std::int64_t shape = 0;
    for (const char c : cell) {
      if (c < '0' || c > '9' || shape >= column.texts.shapes()) shape = column.texts.shapes();
      if (shape < column.texts.shapes()) shape = shape * 10 + (c - '0');
    }
    if (shape >= column.texts.shapes()) {
      throw DataError(concat("model file: column ", in_quotes(column.schema.name), " has no shape ", in_quotes(cell)));
    }
    return shape;
  }

  /// The first `most` rows that keep all rules and meet the checked conditions.
  std::vector<std::int64_t> select(const Table& some, const Conditions& checked, std::int64_t most,
                                   std::vector<std::int64_t>& stopped) {
    const std::vector<Rule>& rules = transform_.rules_.list();
    std::vector<std::uint8_t> fits = ok_;
    stopped.back() += std::count(fits.begin(), fits.end(), 0);
    std::vector<std::pair<std::size_t, detail::RowKeys>> unique;
    for (std::size_t r = 0; r < rules.size(); ++r) {
      if (rules[r].kind == RuleKind::unique) {
        const auto& names = rules[r].columns;
        const bool anew = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          const TextColumn* text = transform_.find_text(name);
          return text && !text->learnt;  // different by construction
        });
        if (!anew) unique.emplace_back(r, detail::RowKeys(rules[r], some));
        continue;
      }
      const std::vector<std::uint8_t> kept = detail::rows_that_keep(rules[r], some);
      for (std::size_t i = 0; i < kept.size(); ++i) {
        stopped[r] += kept[i] == 0 && ok_[i] != 0;
        fits[i] = fits[i] & kept[i];
      }
    }
    for (std::size_t c = 0; c < checked.size(); ++c) {
      const Column& column = some[checked[c].first];
      for (std::size_t i = 0; i < fits.size(); ++i) {
        const bool one = detail::meets(column, static_cast<std::int64_t>(i), checked[c].second);
        stopped[rules.size() + c] += !one && ok_[i] != 0;
        if (!one) fits[i] = 0;
      }
    }
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < fits.size() && static_cast<std::int64_t>(found.size()) < most; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (fits[i] == 0) continue;
      bool all = true;
      for (const auto& [r, keys] : unique) {
        if (keys.any_missing(row) || !seen_[r].contains(keys(row))) continue;
        ++stopped[r];
        all = false;
      }
      if (!all) continue;
      for (const auto& [r, keys] : unique) {
        if (!keys.any_missing(row)) seen_[r].insert(keys(row));
      }
      found.push_back(row);
    }
    return found;
  }

  std::string too_few(std::int64_t made, std::int64_t found, std::int64_t rows,
                      const std::vector<std::int64_t>& stopped, const Conditions& checked) const {
    const auto worst = static_cast<std::size_t>(std::max_element(stopped.begin(), stopped.end()) - stopped.begin());
    const std::vector<Rule>& rules = transform_.rules_.list();
    std::string what = "the range that replaced columns had in the table";
    if (worst < rules.size()) {
      what = "rule " + rules[worst].str();
    } else if (worst < rules.size() + checked.size()) {
      what = "the condition on column " + in_quotes(checked[worst - rules.size()].first);
    }
    return concat("sample: of ", made, " rows made only ", found, " of the ", rows,
                  " asked for keep all rules and conditions; ", what, " stopped most, ", stopped[worst]);
  }

  Column made_anew(const TextColumn& column, const Table& rows, const Rng& rng, const std::string& key,
                   MadeTexts::Given& given) const {
    const auto size = static_cast<std::size_t>(rows.size());
    std::vector<std::string> texts(size);
    std::vector<bool> missing(size, column.all_missing);
    const Column* flags = column.made.empty() ? nullptr : &rows[column.made];
    if (flags && flags->type() != ColumnType::boolean) {
      throw DataError(concat("model file: column ", in_quotes(column.made), " is no boolean"));
    }
    PseudonymRule rule{.column = column.schema.name};
    for (const auto format :
         {PseudonymFormat::name, PseudonymFormat::first_name, PseudonymFormat::last_name, PseudonymFormat::mail}) {
      if (column.format == name_of(format)) rule.format = format;
    }
    const Pseudonyms pseudonyms(key, {rule});
    for (std::size_t i = 0; i < size; ++i) {
      const auto number = first_row_ + i;
      if (flags && (flags->is_missing(static_cast<std::int64_t>(i)) || flags->boolean(static_cast<std::int64_t>(i)))) {
        missing[i] = true;
      }
      if (missing[i]) continue;
      Rng own = rng.split(number);
      if (column.format.empty()) {
        const std::int64_t shape = column.texts.draw_shape(own);
        texts[i] = column.texts.unique() ? column.texts.draw_new(shape, given, own) : column.texts.draw(shape, own);
        continue;
      }
      // All columns of a row are about one made-up person.
      texts[i] = pseudonyms.of(rule, "", concat(number));
      for (int tries = 1;
           column.texts.unique() && (column.texts.may_have(texts[i]) || !given.texts.insert(texts[i]).second);
           ++tries) {
        if (tries == 10'000) {
          throw DataError(concat("column ", in_quotes(column.schema.name),
                                 ": there are not enough different made-up texts for ", size, " rows"));
        }
        texts[i] = pseudonyms.of(rule, "", concat(number, "/", tries));
      }
    }
    ColumnSchema schema = column.schema;
    if (schema.type == ColumnType::categorical) {
      std::set<std::string> categories;
      for (std::size_t i = 0; i < size; ++i) {
        if (!missing[i]) categories.insert(texts[i]);
      }
      schema.categories.assign(categories.begin(), categories.end());
    }
    return detail::column_of(schema, texts, missing);
  }

  const TableTransform& transform_;
  const SampleOptions options_;
  const Schema schema_;
  const Maker make_;
  const Rng rng_;
  std::int64_t round_ = 0;
  std::size_t first_row_ = 0;
  std::vector<std::unordered_set<std::string>> seen_;  // of each unique rule
  std::vector<MadeTexts::Given> given_;                // of each text column
  std::vector<std::uint8_t> ok_;                       // of the last round's rows: could all columns be restored?
};

SYNTHDATA_INLINE Table TableTransform::sample(const std::vector<SamplePart>& parts, const SampleOptions& options,
                                              const Schema& learnt, const Maker& make) const {
  Sampling sampling(*this, options, learnt, make);
  Table all;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Table some = sampling.rows_that_fit(parts[i]);
    all = i == 0 ? std::move(some) : all.append(some);
  }
  return sampling.finish(std::move(all));
}

SYNTHDATA_INLINE std::function<Table(std::int64_t rows)> TableTransform::pieces(const Conditions& conditions,
                                                                                const SampleOptions& options,
                                                                                const Schema& learnt,
                                                                                Maker make) const {
  return
      [sampling = std::make_shared<Sampling>(*this, options, learnt, std::move(make)), conditions](std::int64_t rows) {
        return sampling->finish(sampling->rows_that_fit({rows, conditions}));
      };
}

SYNTHDATA_INLINE std::string TableTransform::str() const {
  std::string out;
  for (const std::string& name : left_out_) out += concat(in_quotes(name), " is left out\n");
  for (const TextColumn& column : text_columns_) {
    out += in_quotes(column.schema.name);
    if (column.learnt) {
      out += concat(" is learnt by its ", column.texts.shapes(), column.texts.shapes() == 1 ? " shape\n" : " shapes\n");
    } else {
      out += concat(" is made anew", column.format.empty() ? "" : " as ", column.format,
                    column.texts.unique() ? ", never twice\n" : "\n");
    }
  }
  for (const RuleColumn& held : rule_columns_) {
    const auto names = std::visit([](const auto& column) { return detail::names_of(column); }, held);
    out += detail::joined(names.restores, ", ");
    out += names.made.empty()
               ? " is computed again\n"
               : concat(names.restores.size() > 1 ? " are" : " is", " learnt as ", in_quotes(names.made), "\n");
  }
  const std::vector<Rule>& rules = rules_.list();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    out += concat("rule ", rules[i].str(), constructed_[i] != 0 ? ": kept by construction\n" : ": kept by checking\n");
  }
  return out;
}

SYNTHDATA_INLINE void TableTransform::save(Archive& archive) const {
  if (!changes_) return;
  Json::Array rule_columns, text_columns, constructed;
  for (const RuleColumn& held : rule_columns_) {
    rule_columns.push_back(std::visit([](const auto& column) { return column.json(); }, held));
  }
  for (const std::uint8_t one : constructed_) constructed.push_back(one != 0);
  for (std::size_t i = 0; i < text_columns_.size(); ++i) {
    const TextColumn& column = text_columns_[i];
    text_columns.push_back(Json::Object{{"schema", detail::json_of(column.schema)},
                                        {"learnt", column.learnt},
                                        {"made", column.made},
                                        {"all_missing", column.all_missing},
                                        {"format", column.format}});
    column.texts.save(archive, concat("transform.text.", i));
  }
  archive.metadata["transform"] = Json(Json::Object{{"version", 1},
                                                    {"rules", rules_.json()},
                                                    {"constructed", std::move(constructed)},
                                                    {"order", synthdata::detail::json_texts(order_)},
                                                    {"left_out", synthdata::detail::json_texts(left_out_)},
                                                    {"rule_columns", std::move(rule_columns)},
                                                    {"text_columns", std::move(text_columns)}})
                                      .dump();
}

SYNTHDATA_INLINE TableTransform TableTransform::load(const Archive& archive) {
  TableTransform transform;
  const auto text = archive.metadata.find("transform");
  if (text == archive.metadata.end()) return transform;
  const std::string owner = "model file, transform";
  const Json json = parse_json(text->second, {.source = owner, .max_values = 10'000'000});
  const synthdata::detail::JsonMembers members(
      json, owner, {"version", "rules", "constructed", "order", "left_out", "rule_columns", "text_columns"});
  std::int64_t version = 0;
  members.read("version", version);
  if (version != 1) throw DataError(concat(owner, ": expects version 1, got ", version));
  transform.changes_ = true;
  members.read("order", transform.order_);
  members.read("left_out", transform.left_out_);
  const Json* rules = json.find("rules");
  if (rules) transform.rules_ = Rules::from_json(*rules, owner);
  for (const Json& item : members.list("constructed")) {
    const bool* one = item.get_if<bool>();
    if (!one) throw DataError(owner + ": expects true or false for each rule");
    transform.constructed_.push_back(*one);
  }
  if (transform.constructed_.size() != transform.rules_.list().size())
    throw DataError(owner + ": expects true or false for each rule");
  for (const Json& item : members.list("rule_columns")) {
    const Json* kind = item.find("kind");
    const auto* name = kind ? kind->get_if<std::string>() : nullptr;
    if (name && *name == "gap") {
      transform.rule_columns_.emplace_back(detail::GapColumn::from_json(item));
    } else if (name && *name == "sum") {
      transform.rule_columns_.emplace_back(detail::SumColumn::from_json(item));
    } else if (name && *name == "joint") {
      transform.rule_columns_.emplace_back(detail::JointColumn::from_json(item));
    } else {
      throw DataError(owner + ": expects gap, sum or joint as the kind of a rule column");
    }
  }
  for (const Json& item : members.list("text_columns")) {
    const synthdata::detail::JsonMembers from(item, owner + ": text column",
                                              {"schema", "learnt", "made", "all_missing", "format"});
    TextColumn column{.schema = detail::schema_of_json(item, "schema")};
    from.read("learnt", column.learnt);
    from.read("made", column.made);
    from.read("all_missing", column.all_missing);
    from.read("format", column.format);
    if (!detail::is_text_type(column.schema.type) && column.schema.type != ColumnType::integer) {
      throw DataError(owner + ": expects texts, categories or integers to make anew");
    }
    column.texts = MadeTexts::load(archive, concat("transform.text.", transform.text_columns_.size()));
    transform.text_columns_.push_back(std::move(column));
  }
  transform.check_order();
  return transform;
}

SYNTHDATA_INLINE void TableTransform::check_order() const {
  std::set<std::string> waiting;
  for (const RuleColumn& held : rule_columns_) {
    for (const std::string& name :
         std::visit([](const auto& column) { return detail::names_of(column); }, held).restores) {
      if (!waiting.insert(name).second)
        throw DataError(concat("model file, transform: restores ", in_quotes(name), " twice"));
    }
  }
  for (const RuleColumn& held : rule_columns_) {
    const auto names = std::visit([](const auto& column) { return detail::names_of(column); }, held);
    for (const std::string& name : names.needs) {
      if (waiting.contains(name))
        throw DataError(concat("model file, transform: needs ", in_quotes(name), " too early"));
    }
    for (const std::string& name : names.restores) waiting.erase(name);
  }
}

}  // namespace synthdata::models
