// synthdata/metrics/closest_records_impl.hpp: bodies of closest_records.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/closest_records.hpp>
#include <synthdata/metrics/joint_codes_impl.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace synthdata {

namespace detail {

/// The columns that have a distance, of both tables.
struct ComparedColumns {
  std::vector<Column> rows, reference;
};
inline ComparedColumns compared_columns(const char* metric, const Table& rows, const Table& reference) {
  ComparedColumns columns;
  for (const Column& column : reference.columns()) {
    if (is_continuous(column) || is_discrete(column)) columns.reference.push_back(column);
  }
  columns.rows = matching_columns(metric, Table(columns.reference), rows);
  if (columns.reference.empty()) throw DataError(concat(metric, ": no column has values that can be compared"));
  return columns;
}

/// Rows as numbers whose difference, at most 1, is the distance in a column: categories by number; values in units of
/// the reference's range; missing_value is 1 away from all.
struct Coordinates {
  std::vector<double> rows, reference;  // rows: [N, D]; reference: [blocks, D, 64], filled up by infinitely far rows
  std::int64_t width = 0;
};
inline constexpr double missing_value = 1e30, far_away = 1e100;
inline constexpr std::int64_t coordinate_block = 64;

/// Least and greatest value present, of all the tables; low > high if there is none.
struct ValueBounds {
  double low = std::numeric_limits<double>::infinity(), high = -low;
};
inline std::vector<ValueBounds> value_bounds(const std::vector<Column>& columns,
                                             const std::vector<const Table*>& tables) {
  std::vector<ValueBounds> bounds(columns.size());
  for (std::size_t d = 0; d < columns.size(); ++d) {
    if (!is_continuous(columns[d])) continue;
    for (const Table* table : tables) {
      for (const double value : present_numbers((*table)[columns[d].name()])) {
        bounds[d] = {std::min(bounds[d].low, value), std::max(bounds[d].high, value)};
      }
    }
  }
  return bounds;
}

/// The two columns in the units described above.
inline std::pair<std::vector<double>, std::vector<double>> column_coordinates(const Column& rows,
                                                                              const Column& reference,
                                                                              ValueBounds bounds) {
  if (!is_continuous(reference)) {
    const JointCodes codes = joint_codes(reference, rows);
    const auto spread = [](const std::vector<std::int32_t>& all) {
      std::vector<double> values(all.size());
      for (std::size_t i = 0; i < all.size(); ++i) values[i] = all[i] < 0 ? missing_value : static_cast<double>(all[i]);
      return values;
    };
    return {spread(codes.synthetic), spread(codes.real)};
  }
  std::vector<double> a = all_numbers(rows), b = all_numbers(reference);
  const auto [low, high] = bounds;
  for (std::vector<double>* side : {&a, &b}) {
    for (double& value : *side) {
      if (std::isinf(value)) {
        throw DataError(concat("closest_records: column ", in_quotes(reference.name()), " has infinite values"));
      }
      if (std::isnan(value)) {
        value = missing_value;
      } else if (low < high) {
        value = std::clamp((value - low) / (high - low), -1.0, 2.0);  // beyond that all are 1 away from the reference
      } else {
        value = value == low ? 0.0 : 2.0;
      }
    }
  }
  return {std::move(a), std::move(b)};
}

inline Coordinates coordinates(const ComparedColumns& columns, const std::vector<ValueBounds>& bounds) {
  Coordinates to;
  to.width = static_cast<std::int64_t>(columns.reference.size());
  const auto width = static_cast<std::size_t>(to.width), block = static_cast<std::size_t>(coordinate_block);
  const auto count = static_cast<std::size_t>(columns.reference[0].size());
  to.rows.resize(static_cast<std::size_t>(columns.rows[0].size()) * width);
  to.reference.assign((count + block - 1) / block * block * width, far_away);
  for (std::size_t d = 0; d < width; ++d) {
    const auto [a, b] = column_coordinates(columns.rows[d], columns.reference[d], bounds[d]);
    for (std::size_t i = 0; i < a.size(); ++i) to.rows[i * width + d] = a[i];
    for (std::size_t i = 0; i < b.size(); ++i) to.reference[(i / block * width + d) * block + i % block] = b[i];
  }
  return to;
}

/// Sums of differences of one row to 64 reference rows.
struct BlockDistances {
  SYNTHDATA_HD void operator()(const double* row, const double* reference, std::int64_t width, double* sums) const {
    double lanes[64] = {};
    for (std::int64_t d = 0; d < width; ++d, reference += 64) {
      const double value = row[d];
      for (int lane = 0; lane < 64; ++lane) {
        const double difference = __builtin_fabs(value - reference[lane]);
        lanes[lane] += difference < 1.0 ? difference : 1.0;
      }
    }
    for (int lane = 0; lane < 64; ++lane) sums[lane] = lanes[lane];
  }
};

/// A number for each row that is equal for equal rows, and with great likelihood for those only.
class RowHashes {
 public:
  explicit RowHashes(std::int64_t rows) : hashes_(static_cast<std::size_t>(rows), 0x9e3779b97f4a7c15u) {}
  void mix(std::size_t row, std::uint64_t value) {
    std::uint64_t x = hashes_[row] ^ (value + 0x9e3779b97f4a7c15u + (hashes_[row] << 6) + (hashes_[row] >> 2));
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;  // the finaliser of SplitMix64
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    hashes_[row] = x ^ (x >> 31);
  }
  std::uint64_t operator[](std::size_t row) const { return hashes_[row]; }

 private:
  std::vector<std::uint64_t> hashes_;
};

/// A reference row near to a row: the sum of its differences, and which comes first of equally near ones.
struct NearRow {
  double sum = std::numeric_limits<double>::infinity();
  std::uint64_t rank = 0;
  std::int64_t index = 0;
  friend bool operator<(const NearRow& a, const NearRow& b) {
    return a.sum < b.sum || (a.sum == b.sum && a.rank < b.rank);
  }
};

/// The `k` nearest reference rows of each row, [N, k], the nearest first; beyond the reference's rows the sum is
/// infinite. Of equally near ones, those of lower rank(row, index) come first.
template <class Rank>
std::vector<NearRow> nearest_rows(const ComparedColumns& columns, const std::vector<ValueBounds>& bounds,
                                  std::int64_t k, bool same, const Rank& rank) {
  const Coordinates points = coordinates(columns, bounds);
  const std::int64_t count = columns.rows[0].size(), others = columns.reference[0].size();
  std::vector<NearRow> near(static_cast<std::size_t>(count * k));
  const std::int64_t width = points.width, block = coordinate_block;
  parallel_for(count, 16, [&](std::int64_t begin, std::int64_t end) {
    double sums[64];
    for (std::int64_t row = begin; row < end; ++row) {
      NearRow* const first = near.data() + row * k;
      NearRow* const last = first + k - 1;
      for (std::int64_t from = 0; from < others; from += block) {
        backend::cpu::run<float>(BlockDistances{}, points.rows.data() + row * width,
                                 points.reference.data() + from * width, width, static_cast<double*>(sums));
        for (std::int64_t lane = 0; lane < std::min(block, others - from); ++lane) {
          if (sums[lane] > last->sum || (same && from + lane == row)) continue;
          const NearRow found{sums[lane], rank(row, from + lane), from + lane};
          if (!(found < *last)) continue;
          NearRow* at = last;
          for (; at != first && found < at[-1]; --at) *at = at[-1];
          *at = found;
        }
      }
    }
  });
  return near;
}

/// closest_records with differences in units of the range over all the tables `ranges`.
SYNTHDATA_INLINE ClosestRecords find_closest(const Table& rows, const Table& reference,
                                             const std::vector<const Table*>& ranges, bool same) {
  if (reference.size() < (same ? 2 : 1)) throw DataError("closest_records: the reference has no row to compare with");
  const ComparedColumns columns = compared_columns("closest_records", rows, reference);
  const auto in_order = [](std::int64_t, std::int64_t index) { return static_cast<std::uint64_t>(index); };
  const std::vector<NearRow> near = nearest_rows(columns, value_bounds(columns.reference, ranges), 2, same, in_order);
  ClosestRecords closest{Tensor::empty({rows.size()}, DType::i64, Device::cpu()),
                         Tensor::empty({rows.size()}, DType::f64, Device::cpu()),
                         Tensor::empty({rows.size()}, DType::f64, Device::cpu())};
  const auto width = static_cast<double>(columns.reference.size());
  for (std::int64_t row = 0; row < rows.size(); ++row) {
    const NearRow* const found = near.data() + 2 * row;
    closest.index.data<std::int64_t>()[row] = found[0].index;
    closest.distance.data<double>()[row] = found[0].sum / width;
    closest.second.data<double>()[row] = found[1].sum / width;
  }
  return closest;
}

}  // namespace detail

SYNTHDATA_INLINE ClosestRecords closest_records(const Table& rows, const Table& reference, bool same) {
  if (same && rows.size() != reference.size()) {
    throw DataError(
        concat("closest_records: expects the same table twice, got ", rows.size(), " and ", reference.size(), " rows"));
  }
  return detail::find_closest(rows, reference, {&reference}, same);
}

SYNTHDATA_INLINE std::int64_t identical_matches(const Table& rows, const Table& reference) {
  const detail::ComparedColumns columns = detail::compared_columns("identical_matches", rows, reference);
  std::vector<detail::JointCodes> codes;
  detail::RowHashes ours(rows.size()), theirs(reference.size());
  for (std::size_t d = 0; d < columns.reference.size(); ++d) {
    codes.push_back(detail::joint_codes(columns.reference[d], columns.rows[d]));
    for (std::size_t i = 0; i < codes[d].synthetic.size(); ++i) {
      ours.mix(i, static_cast<std::uint32_t>(codes[d].synthetic[i]));
    }
    for (std::size_t i = 0; i < codes[d].real.size(); ++i) theirs.mix(i, static_cast<std::uint32_t>(codes[d].real[i]));
  }
  std::unordered_multimap<std::uint64_t, std::size_t> known;
  for (std::size_t i = 0; i < static_cast<std::size_t>(reference.size()); ++i) {
    if (!known.contains(theirs[i])) known.emplace(theirs[i], i);
  }
  std::int64_t matches = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.size()); ++i) {
    const auto [first, last] = known.equal_range(ours[i]);
    matches += std::any_of(first, last, [&](const auto& entry) {
      return std::all_of(codes.begin(), codes.end(), [&](const detail::JointCodes& column) {
        return column.synthetic[i] == column.real[entry.second];
      });
    });
  }
  return matches;
}

SYNTHDATA_INLINE ClosestShare closest_share(const Table& synthetic, const Table& training, const Table& holdout) {
  if (training.size() != holdout.size()) {
    throw DataError(concat("closest_share: expects as many held-out rows as training rows, got ", holdout.size(),
                           " and ", training.size(), "; take a part of the larger table"));
  }
  const std::vector<const Table*> ranges{&training, &holdout};
  const ClosestRecords near = detail::find_closest(synthetic, training, ranges, false);
  const ClosestRecords apart = detail::find_closest(synthetic, holdout, ranges, false);
  ClosestShare share;
  const double *a = near.distance.data<double>(), *b = apart.distance.data<double>();
  const double one = 1.0 / static_cast<double>(synthetic.size());
  for (std::int64_t i = 0; i < synthetic.size(); ++i) {
    (a[i] < b[i] ? share.training : a[i] > b[i] ? share.holdout : share.tied) += one;
  }
  return share;
}

SYNTHDATA_INLINE Tensor nearest_neighbour_ratio(const ClosestRecords& closest) {
  Tensor ratio = Tensor::empty({closest.distance.size()}, DType::f64, Device::cpu());
  const double *first = closest.distance.data<double>(), *second = closest.second.data<double>();
  for (std::int64_t i = 0; i < ratio.size(); ++i) {
    ratio.data<double>()[i] = second[i] > 0.0 ? first[i] / second[i] : 1.0;
  }
  return ratio;
}

SYNTHDATA_INLINE double new_row_synthesis(const Table& real, const Table& synthetic, double tolerance) {
  const detail::ComparedColumns columns = detail::compared_columns("new_row_synthesis", synthetic, real);
  if (synthetic.size() == 0) return std::numeric_limits<double>::quiet_NaN();
  // Rows can match only if they have the same categories and lack the same values; among those, the values are
  // compared.
  detail::RowHashes reals(real.size()), synthetics(synthetic.size());
  struct Numbers {
    std::vector<double> real, synthetic;
  };
  std::vector<Numbers> numbers;
  std::size_t finest = 0, most = 0;  // the column with the most values, by which candidates are ordered
  for (std::size_t d = 0; d < columns.reference.size(); ++d) {
    const detail::JointCodes codes = detail::joint_codes(columns.reference[d], columns.rows[d]);
    const bool continuous = detail::is_continuous(columns.reference[d]);
    const auto mix = [&](detail::RowHashes& hashes, const std::vector<std::int32_t>& side) {
      for (std::size_t i = 0; i < side.size(); ++i) {
        hashes.mix(i, continuous ? side[i] < 0 : static_cast<std::uint32_t>(side[i]));
      }
    };
    mix(reals, codes.real);
    mix(synthetics, codes.synthetic);
    if (!continuous) continue;
    if (static_cast<std::size_t>(codes.count) > most)
      finest = numbers.size(), most = static_cast<std::size_t>(codes.count);
    numbers.push_back({detail::all_numbers(columns.reference[d]), detail::all_numbers(columns.rows[d])});
  }
  // NaN is passed over below: both rows lack that value.
  const auto order_of = [&](std::size_t row) {
    const double value = numbers.empty() ? 0.0 : numbers[finest].real[row];
    return std::isnan(value) ? 0.0 : value;
  };
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i) groups[reals[i]].push_back(i);
  for (auto& [key, group] : groups) {
    std::sort(group.begin(), group.end(), [&](std::size_t a, std::size_t b) { return order_of(a) < order_of(b); });
  }
  const auto matches = [&](std::size_t row, std::size_t candidate) {
    return std::all_of(numbers.begin(), numbers.end(), [&](const Numbers& column) {
      const double value = column.synthetic[row];
      return std::isnan(value) || std::abs(column.real[candidate] - value) <= std::abs(tolerance * value);
    });
  };
  std::vector<std::uint8_t> known(static_cast<std::size_t>(synthetic.size()), 0);
  parallel_for(synthetic.size(), 256, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      const auto found = groups.find(synthetics[row]);
      if (found == groups.end()) continue;
      const std::vector<std::size_t>& group = found->second;
      const double value =
          numbers.empty() || std::isnan(numbers[finest].synthetic[row]) ? 0.0 : numbers[finest].synthetic[row];
      const double reach = std::abs(tolerance * value) * (1.0 + 1e-12);
      auto at = std::partition_point(group.begin(), group.end(),
                                     [&](std::size_t candidate) { return order_of(candidate) < value - reach; });
      for (; at != group.end() && order_of(*at) <= value + reach && known[row] == 0; ++at)
        known[row] = matches(row, *at);
    }
  });
  const auto old = std::count(known.begin(), known.end(), std::uint8_t{1});
  return 1.0 - static_cast<double>(old) / static_cast<double>(synthetic.size());
}

}  // namespace synthdata
