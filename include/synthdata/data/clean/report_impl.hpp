// synthdata/data/clean/report_impl.hpp: bodies of report.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/report.hpp>

#include <algorithm>

namespace synthdata {

SYNTHDATA_INLINE void CleaningReport::add(std::string_view step, std::string_view column, std::string_view what,
                                          std::int64_t count) {
  if (count == 0) return;
  for (CleaningChange& change : changes) {
    if (change.step == step && change.column == column && change.what == what) {
      change.count += count;
      return;
    }
  }
  changes.push_back({std::string(step), std::string(column), std::string(what), count});
}

SYNTHDATA_INLINE std::int64_t CleaningReport::count(std::string_view column, std::string_view what) const {
  std::int64_t sum = 0;
  for (const CleaningChange& change : changes) sum += change.column == column && change.what == what ? change.count : 0;
  return sum;
}

SYNTHDATA_INLINE std::string CleaningReport::str() const {
  if (changes.empty()) return "nothing changed\n";
  const auto subject = [](const CleaningChange& change) {
    return change.column.empty() ? std::string("rows") : "column " + in_quotes(change.column);
  };
  std::size_t step_width = 0, subject_width = 0, count_width = 0;
  for (const CleaningChange& change : changes) {
    step_width = std::max(step_width, change.step.size());
    subject_width = std::max(subject_width, subject(change).size());
    count_width = std::max(count_width, concat(change.count).size());
  }
  std::string out;
  for (const CleaningChange& change : changes) {
    const std::string about = subject(change), count = concat(change.count);
    out += change.step + std::string(step_width - change.step.size() + 2, ' ') + about +
           std::string(subject_width - about.size() + 2 + count_width - count.size(), ' ') + count + ' ' + change.what +
           '\n';
  }
  return out;
}

SYNTHDATA_INLINE Json CleaningReport::json() const {
  Json::Array list;
  for (const CleaningChange& change : changes) {
    list.push_back(
        Json::Object{{"step", change.step}, {"column", change.column}, {"what", change.what}, {"count", change.count}});
  }
  return Json::Object{{"changes", std::move(list)}};
}

}  // namespace synthdata
