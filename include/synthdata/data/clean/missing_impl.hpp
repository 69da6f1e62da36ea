// synthdata/data/clean/missing_impl.hpp: bodies of missing.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/missing.hpp>

#include <algorithm>

namespace synthdata {

SYNTHDATA_INLINE DropMissingRows DropMissingRows::fit(const Table& training, const DropMissingRowsOptions& options) {
  DropMissingRows step;
  step.columns_ = detail::FittedColumns(kind, training, options.columns, [](ColumnType) { return true; });
  return step;
}

SYNTHDATA_INLINE Table DropMissingRows::apply(const Table& table, CleaningReport* report) const {
  std::vector<bool> marked(static_cast<std::size_t>(table.size()));
  std::int64_t removed = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = columns_.in(table, c);
    std::int64_t absent = 0;
    for (std::int64_t i = 0; i < table.size(); ++i) {
      if (!detail::is_absent(column, i)) continue;
      ++absent;
      removed += !marked[static_cast<std::size_t>(i)];
      marked[static_cast<std::size_t>(i)] = true;
    }
    if (report) report->add(kind, column.name(), "missing", absent);
  }
  if (report) report->add(kind, "", "removed", removed);
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string DropMissingRows::str() const { return concat("of ", columns_.str()); }
SYNTHDATA_INLINE void DropMissingRows::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, kind, {}, &columns_.schema());
}
SYNTHDATA_INLINE DropMissingRows DropMissingRows::load(const Archive& archive, const std::string& prefix) {
  DropMissingRows step;
  step.columns_ = detail::FittedColumns(kind, detail::SavedStep(archive, prefix, kind).schema());
  return step;
}

namespace detail {
/// True if all rows agree with the first, missing values with each other.
SYNTHDATA_INLINE bool is_constant(const Column& column) {
  const bool textual = is_textual(column.type());
  for (std::int64_t i = 1; i < column.size(); ++i) {
    if (is_absent(column, i) != is_absent(column, 0)) return false;
    if (is_absent(column, 0)) continue;
    if (textual ? column.parts().texts[i] != column.parts().texts[0]
        : column.type() == ColumnType::integer || column.type() == ColumnType::date_time
            ? column.integer(i) != column.integer(0)
            : column.number(i) != column.number(0)) {
      return false;
    }
  }
  return true;
}
}  // namespace detail

SYNTHDATA_INLINE DropColumns DropColumns::fit(const Table& training, const DropColumnsOptions& options) {
  if (!(options.max_missing_share >= 0.0 && options.max_missing_share <= 1.0)) {
    throw NumericError(concat(kind, ": expects a share of 0 to 1, got ", options.max_missing_share));
  }
  for (const std::string& name : options.keep) training[name];
  DropColumns step;
  for (const Column& column : training.columns()) {
    const bool kept = std::find(options.keep.begin(), options.keep.end(), column.name()) != options.keep.end();
    if (kept || training.size() == 0) continue;
    const std::int64_t absent = detail::absent_count(column);
    const double share = static_cast<double>(absent) / static_cast<double>(training.size());
    const char* reason = nullptr;
    if (options.constant && training.size() > 1 && detail::is_constant(column)) reason = "constant";
    if (share > options.max_missing_share) reason = "too many missing";
    if (absent == training.size()) reason = "all missing";
    if (!reason) continue;
    step.columns_.push_back(column.name());
    step.reasons_.emplace_back(reason);
  }
  return step;
}

SYNTHDATA_INLINE Table DropColumns::apply(const Table& table, CleaningReport* report) const {
  std::vector<std::string> there;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (table.find(columns_[i]) < 0) continue;
    there.push_back(columns_[i]);
    if (report) report->add(kind, columns_[i], "values dropped: " + reasons_[i], table.size());
  }
  return table.without(there);
}

SYNTHDATA_INLINE std::string DropColumns::str() const {
  if (columns_.empty()) return "none";
  std::string out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out += concat(i ? ", " : "", in_quotes(columns_[i]), " (", reasons_[i], ")");
  }
  return out;
}
SYNTHDATA_INLINE void DropColumns::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, kind,
                    {{"names", detail::json_list(columns_)}, {"reasons", detail::json_list(reasons_)}});
}
SYNTHDATA_INLINE DropColumns DropColumns::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  DropColumns step;
  step.columns_ = saved.texts("names");
  step.reasons_ = saved.texts("reasons");
  if (step.reasons_.size() != step.columns_.size()) saved.fail("has not one reason a column");
  return step;
}

}  // namespace synthdata
