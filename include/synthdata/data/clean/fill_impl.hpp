// synthdata/data/clean/fill_impl.hpp: bodies of fill.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/cells.hpp>
#include <synthdata/data/clean/fill.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace synthdata {

SYNTHDATA_INLINE const char* name_of(Fill fill) {
  constexpr const char* names[] = {"constant", "mean", "median", "mode", "forward", "linear"};
  return names[static_cast<std::size_t>(fill)];
}
SYNTHDATA_INLINE void append(std::string& out, Fill fill) { out += name_of(fill); }

namespace detail {

/// The middle of the numbers, or the mean of the middle two; reorders them.
SYNTHDATA_INLINE double median_of(std::vector<double>& numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  if (numbers.size() % 2 == 1) return *middle;
  const double below = *std::max_element(numbers.begin(), middle);
  return below + (*middle - below) / 2.0;
}

/// The most frequent value, the least of those equally frequent; sorts them.
template <class T>
T mode_of(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  T best{};
  std::size_t most = 0;
  for (std::size_t i = 0, end = 0; i < values.size(); i = end) {
    while (end < values.size() && values[end] == values[i]) ++end;
    if (end - i > most) {
      most = end - i;
      best = values[i];
    }
  }
  return best;
}

}  // namespace detail

SYNTHDATA_INLINE FillMissing::Value FillMissing::learn(const Column& column, const std::string& constant) const {
  const auto fail = [&](const std::string& text) {
    throw DataError(concat(kind, ": column ", in_quotes(column.name()), " ", text));
  };
  const ColumnType type = column.type();
  const bool whole = type == ColumnType::integer || type == ColumnType::date_time;
  Value value;
  if (fill_ == Fill::constant) {
    const ColumnSchema& schema = column.schema();
    const std::string shown = concat("is ", type, ", which ", in_quotes(constant), " is not");
    if (type == ColumnType::integer) {
      if (!detail::parse_integer(constant, value.integer)) fail(shown);
      value.exact = true;
    } else if (type == ColumnType::date_time) {
      if (!detail::parse_date_time(constant, schema.pattern, schema.zone, value.integer)) fail(shown);
      value.exact = true;
    } else if (type == ColumnType::real) {
      detail::Number number;
      if (!detail::parse_number(constant, number)) fail(shown);
      value.number = number.value;
    } else if (type == ColumnType::boolean) {
      if (constant != schema.true_text && constant != schema.false_text) fail(shown);
      value.number = constant == schema.true_text;
    } else {
      value.text = constant;
    }
    return value;
  }
  if (detail::absent_count(column) == column.size()) {
    fail(concat("has no value to learn its ", fill_, " from; DropColumns removes such columns"));
  }
  if (detail::is_textual(type)) {
    std::vector<std::string_view> texts;
    for (std::int64_t i = 0; i < column.size(); ++i) {
      if (!column.is_missing(i)) texts.push_back(column.parts().texts[i]);
    }
    value.text = detail::mode_of(texts);
    return value;
  }
  const bool averages = fill_ != Fill::mode && type != ColumnType::categorical && type != ColumnType::boolean;
  if (whole && !averages) {
    std::vector<std::int64_t> integers;
    for (std::int64_t i = 0; i < column.size(); ++i) {
      if (!column.is_missing(i)) integers.push_back(column.integer(i));
    }
    value.integer = detail::mode_of(integers);
    value.exact = true;
    return value;
  }
  std::vector<double> numbers = detail::numbers_of(column);
  std::erase_if(numbers, [](double number) { return std::isnan(number); });
  if (!averages) {
    value.number = detail::mode_of(numbers);
    if (type == ColumnType::categorical) {
      value.text = column.schema().categories[static_cast<std::size_t>(value.number)];
    }
  } else if (fill_ == Fill::median) {
    value.number = detail::median_of(numbers);
  } else {
    // of differences to the first, so that large values keep their digits
    double sum = 0.0;
    for (const double number : numbers) sum += number - numbers[0];
    value.number = numbers[0] + sum / static_cast<double>(numbers.size());
  }
  if (!std::isfinite(value.number)) fail(concat("has infinite values: its ", fill_, " is not finite"));
  return value;
}

SYNTHDATA_INLINE FillMissing FillMissing::fit(const Table& training, const FillMissingOptions& options) {
  bool (*takes)(ColumnType) = [](ColumnType) { return true; };
  if (options.fill == Fill::mean || options.fill == Fill::median || options.columns.empty()) {
    takes = [](ColumnType type) { return !detail::is_textual(type); };
  }
  if (options.fill == Fill::linear) {
    takes = [](ColumnType type) { return detail::is_numeric(type) || type == ColumnType::date_time; };
  }
  FillMissing step;
  step.fill_ = options.fill;
  step.columns_ = detail::FittedColumns(kind, training, options.columns, takes);
  if (options.fill == Fill::forward || options.fill == Fill::linear) return step;
  step.values_.resize(step.columns_.size());
  parallel_for(static_cast<std::int64_t>(step.columns_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      step.values_[c] = step.learn(step.columns_.in(training, c), options.value);
    }
  });
  return step;
}

SYNTHDATA_INLINE Table FillMissing::apply(const Table& table, CleaningReport* report) const {
  Table filled = table;
  const std::string step = concat(kind, ", ", fill_);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = columns_.in(table, c);
    const ColumnType type = column.type();
    const bool coded = type == ColumnType::categorical, named = coded || detail::is_textual(type);
    // a category that may be filled in belongs to the column whether or not this table needs it
    std::vector<std::string> category;
    if (coded && !values_.empty()) category.push_back(values_[c].text);
    const bool new_category =
        !category.empty() && std::find(column.schema().categories.begin(), column.schema().categories.end(),
                                       category[0]) == column.schema().categories.end();
    const std::int64_t absent = detail::absent_count(column);
    if (absent == 0 && !new_category) continue;
    detail::ColumnEditor editor(column, category);
    if (!values_.empty()) {
      const Value& value = values_[c];
      for (std::int64_t i = 0; i < table.size(); ++i) {
        if (!detail::is_absent(column, i)) continue;
        if (coded) {
          editor.set_category(i, value.text);
        } else if (named) {
          editor.set_text(i, value.text);
        } else if (value.exact && type != ColumnType::real) {
          editor.set_integer(i, value.integer);
        } else {
          editor.set(i, value.exact ? static_cast<double>(value.integer) : value.number);
        }
      }
    } else if (fill_ == Fill::forward) {
      std::int64_t last = -1;
      for (std::int64_t i = 0; i < table.size(); ++i) {
        if (!detail::is_absent(column, i)) {
          last = i;
        } else if (last >= 0) {
          if (coded) {
            editor.set_category(i, column.schema().categories[static_cast<std::size_t>(column.code(last))]);
          } else if (named) {
            editor.set_text(i, column.parts().texts[last]);
          } else if (type == ColumnType::integer || type == ColumnType::date_time) {
            editor.set_integer(i, column.integer(last));
          } else {
            editor.set(i, column.number(last));
          }
        }
      }
    } else {
      std::int64_t last = -1;
      for (std::int64_t i = 0; i <= table.size(); ++i) {
        if (i < table.size() && detail::is_absent(column, i)) continue;
        if (last < 0 && i == table.size()) break;  // no value at all
        for (std::int64_t gap = last + 1; gap < i; ++gap) {
          const std::int64_t above = last < 0 ? i : last, below = i == table.size() ? last : i;
          const double low = column.number(above), high = column.number(below);
          const double along =
              above == below ? 0.0 : static_cast<double>(gap - above) / static_cast<double>(below - above);
          editor.set(gap, low == high ? low : low + (high - low) * along);
        }
        last = i;
      }
    }
    if (report) {
      report->add(step, column.name(), "filled", editor.changes());
      report->add(step, column.name(), "left missing", absent - editor.changes());
    }
    filled = filled.with(editor.take());
  }
  return filled;
}

SYNTHDATA_INLINE std::string FillMissing::str() const {
  std::string out = concat(fill_, " of ");
  if (values_.empty()) return concat(fill_, ": ", columns_.str());
  for (std::size_t c = 0; c < values_.size(); ++c) {
    const Value& value = values_[c];
    const ColumnType type = columns_[c].type;
    out += concat(c ? ", " : "", in_quotes(columns_[c].name), " ");
    if (type == ColumnType::categorical || detail::is_textual(type)) {
      out += in_quotes(value.text);
    } else if (value.exact) {
      out += concat(value.integer);
    } else {
      out += concat(value.number);
    }
  }
  return out;
}

SYNTHDATA_INLINE void FillMissing::save(Archive& archive, const std::string& prefix) const {
  Json::Array values;
  for (std::size_t c = 0; c < values_.size(); ++c) {
    const Value& value = values_[c];
    const bool named = columns_[c].type == ColumnType::categorical || detail::is_textual(columns_[c].type);
    values.push_back(named ? Json(value.text) : value.exact ? Json(value.integer) : Json(value.number));
  }
  detail::save_step(archive, prefix, kind, {{"fill", name_of(fill_)}, {"values", std::move(values)}},
                    &columns_.schema());
}

SYNTHDATA_INLINE FillMissing FillMissing::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  FillMissing step;
  const std::string fill = saved.text("fill");
  int at = 0;
  while (at <= static_cast<int>(Fill::linear) && fill != name_of(static_cast<Fill>(at))) ++at;
  if (at > static_cast<int>(Fill::linear)) saved.fail(concat("no filling is called ", in_quotes(fill)));
  step.fill_ = static_cast<Fill>(at);
  step.columns_ = detail::FittedColumns(kind, saved.schema());
  const Json::Array* values = saved.member("values").get_if<Json::Array>();
  const bool learns = step.fill_ != Fill::forward && step.fill_ != Fill::linear;
  if (!values || values->size() != (learns ? step.columns_.size() : 0)) saved.fail("has not one value a column");
  for (std::size_t c = 0; c < values->size(); ++c) {
    const Json& json = (*values)[c];
    Value value;
    const ColumnType type = step.columns_[c].type;
    if (type == ColumnType::categorical || detail::is_textual(type)) {
      const std::string* text = json.get_if<std::string>();
      if (!text) saved.fail("a category or text is expected to be a text");
      value.text = *text;
    } else if (const std::int64_t* integer = json.get_if<std::int64_t>()) {
      value.integer = *integer;
      value.exact = true;
    } else if (json.is_number()) {
      value.number = json.number();
    } else {
      saved.fail("a value is not a number");
    }
    step.values_.push_back(std::move(value));
  }
  return step;
}

}  // namespace synthdata
