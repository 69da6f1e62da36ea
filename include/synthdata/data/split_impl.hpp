// synthdata/data/split_impl.hpp: bodies of data/split.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/split.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>

namespace synthdata {

SYNTHDATA_INLINE Keys::Keys(const Tensor& keys) {
  if (!keys.defined() || keys.rank() != 1) throw ShapeError(concat("Keys: expects a tensor [N], got ", keys.str()));
  if (keys.dtype() != DType::u8 && keys.dtype() != DType::i32 && keys.dtype() != DType::i64) {
    throw DTypeError(concat("Keys: expects u8, i32 or i64, got ", keys.str()));
  }
  const Tensor wide = keys.to(DType::i64);
  const auto values = wide.span<std::int64_t>();
  keys_.assign(values.begin(), values.end());
}

SYNTHDATA_INLINE Keys::Keys(const Column& column) {
  keys_.resize(static_cast<std::size_t>(column.size()));
  const bool by_text = column.type() == ColumnType::text || column.type() == ColumnType::identifier;
  std::unordered_map<std::string_view, std::int64_t> texts;
  std::unordered_map<std::uint64_t, std::int64_t> numbers;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    std::int64_t& key = keys_[static_cast<std::size_t>(row)];
    if (column.is_missing(row)) {
      key = -1;
    } else if (by_text) {
      key = texts.emplace(column.parts().texts[row], static_cast<std::int64_t>(texts.size())).first->second;
    } else {
      // -0.0 + 0.0 is 0.0, so both zeros have the same bits
      const bool whole = column.type() == ColumnType::integer || column.type() == ColumnType::date_time;
      const auto bits = whole ? static_cast<std::uint64_t>(column.integer(row))
                              : std::bit_cast<std::uint64_t>(column.number(row) + 0.0);
      key = numbers.emplace(bits, static_cast<std::int64_t>(numbers.size())).first->second;
    }
  }
}

SYNTHDATA_INLINE std::vector<std::int64_t> Keys::numbered() const {
  std::vector<std::int64_t> numbers;
  numbers.reserve(keys_.size());
  std::unordered_map<std::int64_t, std::int64_t> seen;
  for (const std::int64_t key : keys_) {
    numbers.push_back(seen.emplace(key, static_cast<std::int64_t>(seen.size())).first->second);
  }
  return numbers;
}

namespace detail {

/// The shares, which sum to 1 within rounding, so that they do.
SYNTHDATA_INLINE std::vector<double> normal_shares(const char* what, std::span<const double> shares) {
  double sum = 0.0;
  for (const double share : shares) {
    if (!(share > 0.0)) throw DataError(concat(what, ": expects shares above 0, got ", share));
    sum += share;
  }
  if (!(std::abs(sum - 1.0) < 1e-6)) throw DataError(concat(what, ": expects shares that sum to 1, got ", sum));
  std::vector<double> normal;
  for (const double share : shares) normal.push_back(share / sum);
  return normal;
}
/// Row numbers at which the parts end.
SYNTHDATA_INLINE Indices ends_of_parts(const char* what, std::span<const double> shares, std::int64_t size) {
  Indices ends;
  double sum = 0.0;
  for (const double share : normal_shares(what, shares)) {
    ends.push_back(std::min<std::int64_t>(size, std::llround((sum += share) * static_cast<double>(size))));
  }
  ends.back() = size;
  return ends;
}

/// Sorts the parts by row and sees to it that none is empty.
SYNTHDATA_INLINE void finish_parts(const char* what, std::int64_t size, std::span<const double> shares,
                                   Indices* parts) {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (parts[i].empty()) {
      throw DataError(concat(what, ": part ", i, ", a share of ", shares[i], " of ", size, " rows, would be empty"));
    }
    std::sort(parts[i].begin(), parts[i].end());
  }
}

/// Rows of each key, in the order of the key's first row.
SYNTHDATA_INLINE std::vector<Indices> rows_of_keys(const Keys& keys) {
  std::vector<Indices> rows;
  const std::vector<std::int64_t> numbers = keys.numbered();
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const auto key = static_cast<std::size_t>(numbers[row]);
    if (key == rows.size()) rows.emplace_back();
    rows[key].push_back(static_cast<std::int64_t>(row));
  }
  return rows;
}

template <class T>
void shuffle(std::vector<T>& items, Rng& rng) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(i)))]);
  }
}

SYNTHDATA_INLINE void random_split(std::int64_t size, std::span<const double> shares, std::uint64_t seed,
                                   Indices* parts) {
  const Indices ends = ends_of_parts("random_split", shares, size);
  const Indices order = Rng(seed).permutation(size);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    parts[i].assign(order.begin() + at, order.begin() + ends[i]);
    at = ends[i];
  }
  finish_parts("random_split", size, shares, parts);
}

SYNTHDATA_INLINE void stratified_split(const Keys& classes, std::span<const double> shares, std::uint64_t seed,
                                       Indices* parts) {
  const std::vector<double> normal = normal_shares("stratified_split", shares);
  Rng rng(seed);
  const std::size_t count = shares.size();
  std::int64_t seen = 0;  // rows of the classes so far
  for (Indices& rows : rows_of_keys(classes)) {
    shuffle(rows, rng);
    const auto members = static_cast<std::int64_t>(rows.size());
    seen += members;
    std::vector<std::int64_t> take(count);
    std::vector<double> lack(count);   // what a part lacks of its share of all so far
    std::vector<std::size_t> rounded;  // the parts whose share of this class is no whole number
    std::int64_t left = members;
    for (std::size_t i = 0; i < count; ++i) {
      const double share = normal[i] * static_cast<double>(members);
      const double whole = std::floor(share + 1e-9);  // 0.7 of 10 rows is 6.999...
      take[i] = static_cast<std::int64_t>(whole);
      left -= take[i];
      lack[i] = normal[i] * static_cast<double>(seen) - static_cast<double>(parts[i].size()) - whole;
      if (share - whole > 1e-9) rounded.push_back(i);
    }
    // what rounding down left goes to the parts that lack most, one row each
    std::stable_sort(rounded.begin(), rounded.end(), [&](std::size_t a, std::size_t b) { return lack[a] > lack[b]; });
    for (std::size_t i = 0; left > 0; ++i, --left) ++take[i < rounded.size() ? rounded[i] : 0];
    std::int64_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
      parts[i].insert(parts[i].end(), rows.begin() + at, rows.begin() + at + take[i]);
      at += take[i];
    }
  }
  finish_parts("stratified_split", classes.size(), shares, parts);
}

SYNTHDATA_INLINE void grouped_split(const Keys& groups, std::span<const double> shares, std::uint64_t seed,
                                    Indices* parts) {
  normal_shares("grouped_split", shares);
  Rng rng(seed);
  std::vector<Indices> rows = rows_of_keys(groups);
  if (rows.size() < shares.size()) {
    throw DataError(concat("grouped_split: ", rows.size(), " groups cannot fill ", shares.size(), " parts"));
  }
  shuffle(rows, rng);
  std::size_t empty = shares.size();
  for (std::size_t g = 0; g < rows.size(); ++g) {
    const bool only_empty = rows.size() - g == empty;  // the last groups are for parts that have none yet
    std::size_t best = shares.size();
    double most = 0.0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (only_empty && !parts[i].empty()) continue;
      const double lack = shares[i] * static_cast<double>(groups.size()) - static_cast<double>(parts[i].size());
      if (best == shares.size() || lack > most) {
        best = i;
        most = lack;
      }
    }
    if (parts[best].empty()) --empty;
    parts[best].insert(parts[best].end(), rows[g].begin(), rows[g].end());
  }
  finish_parts("grouped_split", groups.size(), shares, parts);
}

SYNTHDATA_INLINE void time_split(const Column& time, std::span<const double> shares, Indices* parts) {
  const Indices ends = ends_of_parts("time_split", shares, time.size());
  if (time.type() != ColumnType::date_time && time.type() != ColumnType::integer && time.type() != ColumnType::real) {
    throw DTypeError(
        concat("time_split: expects a column of date-times or numbers, ", in_quotes(time.name()), " is ", time.type()));
  }
  for (std::int64_t row = 0; row < time.size(); ++row) {
    if (time.is_missing(row) || std::isnan(time.number(row))) {
      throw DataError(concat("time_split: column ", in_quotes(time.name()), ": the time of row ", row, " is missing"));
    }
  }
  const bool real = time.type() == ColumnType::real;
  const auto before = [&](std::int64_t a, std::int64_t b) {
    return real ? time.real(a) < time.real(b) : time.integer(a) < time.integer(b);
  };
  Indices order(static_cast<std::size_t>(time.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), before);
  std::size_t at = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    std::size_t end = std::max(at, static_cast<std::size_t>(ends[i]));
    while (end > at && end < order.size() && !before(order[end - 1], order[end])) ++end;
    parts[i].assign(order.begin() + static_cast<std::ptrdiff_t>(at), order.begin() + static_cast<std::ptrdiff_t>(end));
    if (parts[i].empty()) {
      throw DataError(concat("time_split: part ", i, ", a share of ", shares[i], " of ", time.size(),
                             " rows, would be empty (rows of one time stay together)"));
    }
    at = end;
  }
}

/// Folds from the part of each row.
SYNTHDATA_INLINE std::vector<Fold> make_folds(const std::vector<std::int64_t>& part_of_row, std::int64_t k) {
  std::vector<Fold> folds(static_cast<std::size_t>(k));
  for (std::size_t row = 0; row < part_of_row.size(); ++row) {
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
      const bool held_out = part_of_row[row] == static_cast<std::int64_t>(fold);
      (held_out ? folds[fold].test : folds[fold].train).push_back(static_cast<std::int64_t>(row));
    }
  }
  return folds;
}
SYNTHDATA_INLINE void check_folds(const char* what, std::int64_t k, std::int64_t most, const char* of) {
  if (k < 2 || k > most) throw DataError(concat(what, ": expects 2 to ", most, " folds (", of, "), got ", k));
}

}  // namespace detail

SYNTHDATA_INLINE std::vector<Fold> k_fold(std::int64_t size, std::int64_t k, std::uint64_t seed) {
  detail::check_folds("k_fold", k, size, "rows");
  std::vector<std::int64_t> part(static_cast<std::size_t>(size));
  const std::vector<std::int64_t> order = Rng(seed).permutation(size);
  for (std::size_t i = 0; i < order.size(); ++i)
    part[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i) % k;
  return detail::make_folds(part, k);
}

SYNTHDATA_INLINE std::vector<Fold> stratified_k_fold(const Keys& classes, std::int64_t k, std::uint64_t seed) {
  detail::check_folds("stratified_k_fold", k, classes.size(), "rows");
  std::vector<std::int64_t> part(static_cast<std::size_t>(classes.size()));
  Rng rng(seed);
  std::int64_t next = 0;  // parts take turns, through all classes
  for (Indices& rows : detail::rows_of_keys(classes)) {
    detail::shuffle(rows, rng);
    for (const std::int64_t row : rows) part[static_cast<std::size_t>(row)] = next++ % k;
  }
  return detail::make_folds(part, k);
}

SYNTHDATA_INLINE std::vector<Fold> grouped_k_fold(const Keys& groups, std::int64_t k, std::uint64_t seed) {
  std::vector<Indices> rows = detail::rows_of_keys(groups);
  detail::check_folds("grouped_k_fold", k, static_cast<std::int64_t>(rows.size()), "groups");
  Rng rng(seed);
  detail::shuffle(rows, rng);
  std::stable_sort(rows.begin(), rows.end(), [](const Indices& a, const Indices& b) { return a.size() > b.size(); });
  std::vector<std::size_t> filled(static_cast<std::size_t>(k));
  std::vector<std::int64_t> part(static_cast<std::size_t>(groups.size()));
  for (const Indices& group : rows) {
    const auto least = std::min_element(filled.begin(), filled.end());
    *least += group.size();
    for (const std::int64_t row : group) part[static_cast<std::size_t>(row)] = least - filled.begin();
  }
  return detail::make_folds(part, k);
}

SYNTHDATA_INLINE std::vector<double> balanced_weights(const Keys& classes) {
  const std::vector<std::int64_t> numbers = classes.numbered();
  std::vector<std::int64_t> members;
  for (const std::int64_t number : numbers) {
    if (number == static_cast<std::int64_t>(members.size())) members.push_back(0);
    ++members[static_cast<std::size_t>(number)];
  }
  std::vector<double> weights;
  weights.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    weights.push_back(1.0 / static_cast<double>(members[static_cast<std::size_t>(number)]));
  }
  return weights;
}

}  // namespace synthdata
