// synthdata/data/privacy/anonymity_impl.hpp: bodies of data/privacy/anonymity.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/anonymity.hpp>
#include <synthdata/data/table_impl.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace synthdata {

namespace detail {

/// "%.4g"
SYNTHDATA_INLINE std::string four_digits(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

SYNTHDATA_INLINE OrderedValues ordered_values(const Column& column) {
  const auto size = static_cast<std::size_t>(column.size());
  OrderedValues values;
  values.rank.assign(size, -1);
  const ColumnType type = column.type();
  const bool whole = type == ColumnType::integer || type == ColumnType::date_time;
  values.ordered = whole || type == ColumnType::real;
  std::vector<std::int64_t> present;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_missing(i) && !(type == ColumnType::real && std::isnan(column.real(i)))) present.push_back(i);
  }
  const auto rank_by = [&](auto&& value) {
    std::stable_sort(present.begin(), present.end(),
                     [&](std::int64_t a, std::int64_t b) { return value(a) < value(b); });
    for (std::size_t i = 0; i < present.size(); ++i) {
      if (i == 0 || value(present[i - 1]) < value(present[i])) values.examples.push_back(present[i]);
      values.rank[static_cast<std::size_t>(present[i])] = static_cast<std::int64_t>(values.examples.size()) - 1;
    }
  };
  if (whole) {
    rank_by([&](std::int64_t row) { return column.integer(row); });
  } else if (holds_texts(column.schema())) {
    rank_by([&](std::int64_t row) { return column.parts().texts[row]; });
  } else {
    rank_by([&](std::int64_t row) { return column.number(row); });
  }
  return values;
}

SYNTHDATA_INLINE SensitiveValues::SensitiveValues(const Column& column) {
  OrderedValues values = ordered_values(column);
  rank_ = std::move(values.rank);
  ordered_ = values.ordered;
  // a missing value is one more value, the smallest
  const bool any_missing = std::find(rank_.begin(), rank_.end(), -1) != rank_.end();
  for (std::int64_t& rank : rank_) rank += any_missing;
  share_.assign(values.examples.size() + any_missing, 0.0);
  for (const std::int64_t rank : rank_) share_[static_cast<std::size_t>(rank)] += 1.0;
  for (double& share : share_) share /= static_cast<double>(rank_.size());
  below_.resize(share_.size());
  std::partial_sum(share_.begin(), share_.end(), below_.begin());
  below_sum_.assign(share_.size() + 1, 0.0);
  std::partial_sum(below_.begin(), below_.end(), below_sum_.begin() + 1);
}

SYNTHDATA_INLINE SensitiveValues::Measure SensitiveValues::measure(const std::vector<std::size_t>& rows) const {
  std::vector<std::size_t> ranks;
  ranks.reserve(rows.size());
  for (const std::size_t row : rows) ranks.push_back(static_cast<std::size_t>(rank_[row]));
  std::sort(ranks.begin(), ranks.end());

  Measure measure;
  const auto total = static_cast<double>(ranks.size());
  double entropy = 0.0, far = 0.0, unseen = 1.0;
  std::size_t next = 0;  // first rank whose term of the ordered distance is not added yet
  double before = 0.0;   // share of the set with a smaller rank
  // sum over ranks [from, to) of |before - below_[r]|
  const auto distance = [&](std::size_t from, std::size_t to) {
    const auto middle =
        static_cast<std::size_t>(std::upper_bound(below_.begin() + static_cast<std::ptrdiff_t>(from),
                                                  below_.begin() + static_cast<std::ptrdiff_t>(to), before) -
                                 below_.begin());
    return before * (static_cast<double>(middle - from) - static_cast<double>(to - middle)) -
           (below_sum_[middle] - below_sum_[from]) + (below_sum_[to] - below_sum_[middle]);
  };
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t end = i;
    while (end < ranks.size() && ranks[end] == ranks[i]) ++end;
    const double share = static_cast<double>(end - i) / total;
    ++measure.distinct;
    entropy -= share * std::log(share);
    if (ordered_) {
      far += distance(next, ranks[i]);
      next = ranks[i];
      before = static_cast<double>(end) / total;
    } else {
      far += std::fabs(share - share_[ranks[i]]);
      unseen -= share_[ranks[i]];
    }
    i = end;
  }
  measure.entropy_l = std::exp(entropy);
  if (ordered_) {
    far += distance(next, share_.size());
    measure.t = share_.size() > 1 ? std::max(0.0, far) / static_cast<double>(share_.size() - 1) : 0.0;
  } else {
    measure.t = 0.5 * (far + std::max(0.0, unseen));
  }
  return measure;
}

/// The rows of each class, the classes in the order of their first rows.
SYNTHDATA_INLINE std::vector<std::vector<std::size_t>> classes_of(const Table& table,
                                                                  const std::vector<std::string>& quasi_identifiers) {
  const auto size = static_cast<std::size_t>(table.size());
  std::vector<std::size_t> order(size), group(size, 0);
  for (const std::string& name : quasi_identifiers) {
    const OrderedValues values = ordered_values(table[name]);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t row) { return std::pair(group[row], values.rank[row]); };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    std::vector<std::size_t> refined(size);
    std::size_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
      number += i > 0 && key(order[i - 1]) != key(order[i]);
      refined[order[i]] = number;
    }
    group = std::move(refined);
  }
  std::vector<std::size_t> place(size, size);
  std::vector<std::vector<std::size_t>> classes;
  for (std::size_t row = 0; row < size; ++row) {
    if (place[group[row]] == size) {
      place[group[row]] = classes.size();
      classes.emplace_back();
    }
    classes[place[group[row]]].push_back(row);
  }
  return classes;
}

}  // namespace detail

SYNTHDATA_INLINE Anonymity anonymity(const Table& table, const std::vector<std::string>& quasi_identifiers,
                                     const std::vector<std::string>& sensitive) {
  const std::vector<std::vector<std::size_t>> classes = detail::classes_of(table, quasi_identifiers);
  Anonymity result{.rows = table.size(), .classes = static_cast<std::int64_t>(classes.size()), .sensitive = {}};
  for (const auto& rows : classes) {
    const auto size = static_cast<std::int64_t>(rows.size());
    result.k = result.k == 0 ? size : std::min(result.k, size);
    result.unique += size == 1;
    result.discernibility += static_cast<double>(size) * static_cast<double>(size);
  }
  for (const std::string& name : sensitive) {
    const detail::SensitiveValues values(table[name]);
    SensitiveColumn column{.column = name};
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const auto measure = values.measure(classes[i]);
      column.distinct_l = i == 0 ? measure.distinct : std::min(column.distinct_l, measure.distinct);
      column.entropy_l = i == 0 ? measure.entropy_l : std::min(column.entropy_l, measure.entropy_l);
      column.t = std::max(column.t, measure.t);
    }
    result.sensitive.push_back(std::move(column));
  }
  return result;
}

SYNTHDATA_INLINE std::string Anonymity::str() const {
  std::string out = concat(rows, " rows in ", classes, " classes, the smallest of ", k, " (k-anonymity), ", unique,
                           " rows alone; discernibility ", detail::four_digits(discernibility), '\n');
  for (const SensitiveColumn& s : sensitive) {
    out += concat(s.column, ": l-diversity ", s.distinct_l, " (distinct), ", detail::four_digits(s.entropy_l),
                  " (entropy); t-closeness ", detail::four_digits(s.t), '\n');
  }
  return out;
}

SYNTHDATA_INLINE Json Anonymity::json() const {
  Json::Array list;
  for (const SensitiveColumn& s : sensitive) {
    list.push_back(
        Json::Object{{"column", s.column}, {"distinct_l", s.distinct_l}, {"entropy_l", s.entropy_l}, {"t", s.t}});
  }
  return Json::Object{{"rows", rows},
                      {"classes", classes},
                      {"k", k},
                      {"unique", unique},
                      {"discernibility", discernibility},
                      {"sensitive", std::move(list)}};
}

}  // namespace synthdata
