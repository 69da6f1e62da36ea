// synthdata/data/clean/outliers_impl.hpp: bodies of outliers.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/outliers.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE const char* name_of(OutlierRule rule) {
  return rule == OutlierRule::sigma ? "sigma" : "interquartile";
}
SYNTHDATA_INLINE void append(std::string& out, OutlierRule rule) { out += name_of(rule); }
SYNTHDATA_INLINE const char* name_of(OutlierAction action) {
  constexpr const char* names[] = {"remove", "clip", "mark"};
  return names[static_cast<std::size_t>(action)];
}
SYNTHDATA_INLINE void append(std::string& out, OutlierAction action) { out += name_of(action); }

namespace detail {

SYNTHDATA_INLINE double quantile_of_sorted(std::span<const double> sorted, double at) {
  const double place = at * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double low = sorted[below], high = sorted[std::min(below + 1, sorted.size() - 1)];
  return low == high ? low : low + (high - low) * (place - static_cast<double>(below));
}

SYNTHDATA_INLINE OutlierAction outlier_action(const SavedStep& saved) {
  const std::string name = saved.text("action");
  for (const OutlierAction action : {OutlierAction::remove, OutlierAction::clip, OutlierAction::mark}) {
    if (name == name_of(action)) return action;
  }
  saved.fail(concat("no action is called ", in_quotes(name)));
}

SYNTHDATA_INLINE Table with_mark(const char* step, const Table& table, const std::string& name,
                                 const std::vector<bool>& marked) {
  if (table.find(name) >= 0) throw DataError(concat(step, ": there is a column ", in_quotes(name), " already"));
  return table.with(Column::booleans(name, marked));
}

}  // namespace detail

SYNTHDATA_INLINE Outliers Outliers::fit(const Table& training, const OutliersOptions& options) {
  Outliers step;
  step.rule_ = options.rule;
  step.action_ = options.action;
  step.mark_ = options.mark;
  const double factor = options.factor == 0.0 ? (options.rule == OutlierRule::sigma ? 3.0 : 1.5) : options.factor;
  if (!(factor > 0.0 && std::isfinite(factor))) {
    throw NumericError(concat(kind, ": expects a factor > 0, got ", factor));
  }
  bool (*takes)(ColumnType) = detail::is_numeric;
  if (!options.columns.empty()) {
    takes = [](ColumnType type) { return detail::is_numeric(type) || type == ColumnType::date_time; };
  }
  step.columns_ = detail::FittedColumns(kind, training, options.columns, takes);
  step.limits_.resize(step.columns_.size());
  parallel_for(static_cast<std::int64_t>(step.columns_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      std::vector<double> numbers = detail::numbers_of(step.columns_.in(training, c));
      std::erase_if(numbers, [](double number) { return !std::isfinite(number); });
      if (numbers.empty()) {
        throw DataError(concat(kind, ": column ", in_quotes(step.columns_[c].name), " has no value to learn from"));
      }
      Limits& limits = step.limits_[c];
      if (options.rule == OutlierRule::sigma) {
        const auto count = static_cast<double>(numbers.size());
        double mean = 0.0, squares = 0.0;
        for (const double number : numbers) mean += number / count;
        for (const double number : numbers) squares += (number - mean) * (number - mean);
        const double reach = factor * std::sqrt(squares / count);
        limits = {mean - reach, mean + reach};
      } else {
        std::sort(numbers.begin(), numbers.end());
        const double q1 = detail::quantile_of_sorted(numbers, 0.25), q3 = detail::quantile_of_sorted(numbers, 0.75);
        limits = {q1 - factor * (q3 - q1), q3 + factor * (q3 - q1)};
      }
      if (!std::isfinite(limits.low) || !std::isfinite(limits.high)) {
        throw DataError(
            concat(kind, ": the values of column ", in_quotes(step.columns_[c].name), " are too large for limits"));
      }
    }
  });
  return step;
}

SYNTHDATA_INLINE Outliers::Limits Outliers::limits(std::string_view column) const {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].name == column) return limits_[c];
  }
  throw DataError(concat(kind, ": column ", in_quotes(column), " is none of ", columns_.str()));
}

SYNTHDATA_INLINE Table Outliers::apply(const Table& table, CleaningReport* report) const {
  Table out = table;
  std::vector<bool> marked(static_cast<std::size_t>(table.size()));
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = columns_.in(table, c);
    const std::vector<double> numbers = columns_.numbers(column, c);
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!(numbers[i] < limits_[c].low || numbers[i] > limits_[c].high)) continue;
      found.push_back(static_cast<std::int64_t>(i));
      marked[i] = true;
    }
    const auto count = static_cast<std::int64_t>(found.size());
    if (report) report->add(kind, column.name(), action_ == OutlierAction::clip ? "clipped" : "outlying", count);
    if (action_ != OutlierAction::clip || found.empty()) continue;
    detail::ColumnEditor editor(column);
    for (const std::int64_t i : found) {
      const bool low = numbers[static_cast<std::size_t>(i)] < limits_[c].low;
      const double limit = low ? limits_[c].low : limits_[c].high;
      // whole numbers stay within the limits
      const bool whole = column.type() != ColumnType::real;
      editor.set(i, !whole ? limit : low ? std::ceil(limit) : std::floor(limit));
    }
    out = out.with(editor.take());
  }
  if (action_ == OutlierAction::clip) return out;
  if (report) {
    const std::int64_t rows = std::count(marked.begin(), marked.end(), true);
    report->add(kind, "", action_ == OutlierAction::remove ? "removed" : "marked", rows);
  }
  if (action_ == OutlierAction::mark) return detail::with_mark(kind, table, mark_, marked);
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string Outliers::str() const {
  std::string out = concat(action_, " by ", rule_, ":");
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    out += concat(c ? ", " : " ", in_quotes(columns_[c].name), " ", limits_[c].low, " to ", limits_[c].high);
  }
  return out;
}

SYNTHDATA_INLINE void Outliers::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, kind, {{"rule", name_of(rule_)}, {"action", name_of(action_)}, {"mark", mark_}},
                    &columns_.schema());
  Tensor limits = Tensor::empty({static_cast<std::int64_t>(limits_.size()), 2}, DType::f64, Device::cpu());
  for (std::size_t c = 0; c < limits_.size(); ++c) {
    limits.data<double>()[2 * c] = limits_[c].low;
    limits.data<double>()[2 * c + 1] = limits_[c].high;
  }
  archive.add(prefix + ".limits", limits);
}

SYNTHDATA_INLINE Outliers Outliers::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  Outliers step;
  step.action_ = detail::outlier_action(saved);
  step.mark_ = saved.text("mark");
  const std::string rule = saved.text("rule");
  if (rule != name_of(OutlierRule::sigma) && rule != name_of(OutlierRule::interquartile)) {
    saved.fail(concat("no rule is called ", in_quotes(rule)));
  }
  step.rule_ = rule == name_of(OutlierRule::sigma) ? OutlierRule::sigma : OutlierRule::interquartile;
  step.columns_ = detail::FittedColumns(kind, saved.schema());
  const Tensor limits = saved.tensor("limits", DType::f64, 2);
  if (!(limits.shape() == Shape{static_cast<std::int64_t>(step.columns_.size()), 2})) {
    saved.fail("has not two limits a column");
  }
  for (std::size_t c = 0; c < step.columns_.size(); ++c) {
    step.limits_.push_back({limits.data<double>()[2 * c], limits.data<double>()[2 * c + 1]});
  }
  return step;
}

}  // namespace synthdata
