// synthdata/metrics/alpha_precision_impl.hpp: bodies of alpha_precision.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/alpha_precision.hpp>
#include <synthdata/metrics/classify/feature_encoder_impl.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {

namespace detail {

/// Rows as standardised numbers, then as codes; two codes that differ are sqrt(weight) apart.
struct EmbeddedRows {
  std::vector<float> rows;          // [N, D]
  std::vector<float> blocks;        // the same rows, [blocks, D, 64]
  std::vector<float> start;         // [blocks * 64]: 0, infinite beyond the last row
  std::vector<double> from_centre;  // [N], distance to the mean of all rows
};
struct Embedding {
  EmbeddedRows real, synthetic;
  std::vector<float> weights;  // of codes
  std::int64_t numbers = 0, width = 0;
};

/// Squared distances of one row to blocks of 64 others, reduced lane by lane with `reduce(lanes, distances, at)`.
template <class Reduce>
struct MixedDistances {
  Reduce reduce;
  SYNTHDATA_HD void operator()(const float* row, const float* blocks, const float* start, std::int64_t first,
                               std::int64_t last, const float* weights, std::int64_t numbers,
                               std::int64_t width) const {
    for (std::int64_t b = first; b < last; ++b) {
      float sums[64];
      const float* at = blocks + b * width * 64;
      for (int lane = 0; lane < 64; ++lane) sums[lane] = start[b * 64 + lane];
      for (std::int64_t d = 0; d < numbers; ++d, at += 64) {
        const float value = row[d];
        for (int lane = 0; lane < 64; ++lane) {
          const float difference = value - at[lane];
          sums[lane] += difference * difference;
        }
      }
      for (std::int64_t d = numbers; d < width; ++d, at += 64) {
        const float value = row[d], weight = weights[d - numbers];
        for (int lane = 0; lane < 64; ++lane) sums[lane] += value != at[lane] ? weight : 0.0f;
      }
      reduce(sums, b * 64);
    }
  }
};

/// The least distance.
struct LeastDistance {
  float* lanes;
  SYNTHDATA_HD void operator()(const float* sums, std::int64_t) const {
    for (int lane = 0; lane < 64; ++lane) lanes[lane] = sums[lane] < lanes[lane] ? sums[lane] : lanes[lane];
  }
};
/// The least distance, and what `beside` has for that row; of equally near rows its least.
struct NearestBeside {
  float* lanes;
  float* found;
  const float* beside;
  SYNTHDATA_HD void operator()(const float* sums, std::int64_t at) const {
    for (int lane = 0; lane < 64; ++lane) {
      const float value = beside[at + lane];
      const bool nearer = sums[lane] < lanes[lane] || (sums[lane] == lanes[lane] && value < found[lane]);
      lanes[lane] = nearer ? sums[lane] : lanes[lane];
      found[lane] = nearer ? value : found[lane];
    }
  }
};
/// The least of `beside` over rows not further away than `reach`.
struct LeastWithin {
  float* lanes;
  const float* beside;
  float reach;
  SYNTHDATA_HD void operator()(const float* sums, std::int64_t at) const {
    for (int lane = 0; lane < 64; ++lane) {
      const float value = sums[lane] <= reach ? beside[at + lane] : lanes[lane];
      lanes[lane] = value < lanes[lane] ? value : lanes[lane];
    }
  }
};

inline constexpr float infinite_distance = std::numeric_limits<float>::infinity();

template <class Reduce>
void reduce_distances(const Reduce& reduce, const Embedding& space, const float* row, const EmbeddedRows& to,
                      std::int64_t first, std::int64_t last) {
  backend::cpu::run<float>(MixedDistances<Reduce>{reduce}, row, to.blocks.data(), to.start.data(), first, last,
                           space.weights.data(), space.numbers, space.width);
}

inline void lay_in_blocks(EmbeddedRows& side, std::size_t width) {
  const std::size_t count = side.rows.size() / width, blocks = (count + 63) / 64;
  side.blocks.assign(blocks * 64 * width, 0.0f);
  side.start.assign(blocks * 64, infinite_distance);
  for (std::size_t i = 0; i < count; ++i) {
    side.start[i] = 0.0f;
    for (std::size_t d = 0; d < width; ++d) side.blocks[(i / 64 * width + d) * 64 + i % 64] = side.rows[i * width + d];
  }
}

/// Distance of each row to the mean of the first `count` rows, with one axis a code.
inline std::vector<double> distances_from_mean(const std::vector<float>& rows, const Embedding& space,
                                               std::size_t count) {
  const auto width = static_cast<std::size_t>(space.width), numbers = static_cast<std::size_t>(space.numbers);
  const auto n = static_cast<double>(count);
  std::vector<double> squares(rows.size() / width, 0.0);
  for (std::size_t d = 0; d < width; ++d) {
    const auto at = [&](std::size_t i) { return rows[i * width + d]; };
    if (d < numbers) {
      double mean = 0.0;
      for (std::size_t i = 0; i < count; ++i) mean += static_cast<double>(at(i)) / n;
      for (std::size_t i = 0; i < squares.size(); ++i) {
        const double gap = static_cast<double>(at(i)) - mean;
        squares[i] += gap * gap;
      }
      continue;
    }
    std::vector<double> shares;
    for (std::size_t i = 0; i < squares.size(); ++i) {
      const auto code = static_cast<std::size_t>(at(i));
      if (code >= shares.size()) shares.resize(code + 1, 0.0);
      if (i < count) shares[code] += 1.0 / n;
    }
    double length = 0.0;
    for (const double share : shares) length += share * share;
    // Axes of length sqrt(weight / 2): |axis - mean|² = weight / 2 (1 - 2 share + sum of squared shares).
    const double half = static_cast<double>(space.weights[d - numbers]) / 2.0;
    for (std::size_t i = 0; i < squares.size(); ++i) {
      squares[i] += half * (1.0 - 2.0 * shares[static_cast<std::size_t>(at(i))] + length);
    }
  }
  for (double& square : squares) square = std::sqrt(std::max(0.0, square));
  return squares;
}

inline Embedding embed_tables(const char* metric, const Table& real, const Table& synthetic) {
  std::vector<Column> reals;
  for (const Column& column : real.columns()) {
    if (!is_text(column)) reals.push_back(column);
  }
  const std::vector<Column> others = matching_columns(metric, Table(reals), synthetic);
  std::vector<std::pair<std::vector<float>, std::vector<float>>> numbers, codes;
  Embedding space;
  for (std::size_t c = 0; c < reals.size(); ++c) {
    if (!is_continuous(reals[c])) {
      const JointCodes both = joint_codes(reals[c], others[c]);
      const auto widen = [&](const std::vector<std::int32_t>& from) {
        std::vector<float> to;
        for (const std::int32_t code : from) to.push_back(static_cast<float>(code < 0 ? both.count : code));
        return to;
      };
      if (both.count > 1 << 23) {
        throw DataError(concat(metric, ": column ", in_quotes(reals[c].name()), " has more than 8 million categories"));
      }
      codes.emplace_back(widen(both.real), widen(both.synthetic));
      space.weights.push_back(2.0f);
      continue;
    }
    const std::vector<double> ours = finite_numbers(reals[c]), theirs = finite_numbers(others[c]);
    double count = 0.0, mean = 0.0, squares = 0.0;
    for (const double value : ours) count += std::isnan(value) ? 0.0 : 1.0;
    for (const double value : ours) mean += std::isnan(value) ? 0.0 : value / count;
    for (const double value : ours) squares += std::isnan(value) ? 0.0 : (value - mean) * (value - mean) / count;
    const double scale = squares > 0.0 ? 1.0 / std::sqrt(squares) : 1.0;
    bool missing = false;
    const auto place = [&](const std::vector<double>& from) {
      std::vector<float> to;
      for (const double value : from) {
        missing = missing || std::isnan(value);
        to.push_back(std::isnan(value) ? 0.0f : static_cast<float>(std::clamp((value - mean) * scale, -1e9, 1e9)));
      }
      return to;
    };
    numbers.emplace_back(place(ours), place(theirs));
    if (!missing) continue;
    const auto mark = [](const std::vector<double>& from) {
      std::vector<float> to;
      for (const double value : from) to.push_back(std::isnan(value) ? 1.0f : 0.0f);
      return to;
    };
    codes.emplace_back(mark(ours), mark(theirs));
    space.weights.push_back(1.0f);
  }
  space.numbers = static_cast<std::int64_t>(numbers.size());
  numbers.insert(numbers.end(), codes.begin(), codes.end());
  space.width = static_cast<std::int64_t>(numbers.size());
  if (numbers.empty()) throw DataError(concat(metric, ": no column has values that can be compared"));
  const std::size_t width = numbers.size();
  for (EmbeddedRows* side : {&space.real, &space.synthetic}) {
    const bool first = side == &space.real;
    side->rows.resize(static_cast<std::size_t>(first ? real.size() : synthetic.size()) * width);
    for (std::size_t d = 0; d < width; ++d) {
      const std::vector<float>& column = first ? numbers[d].first : numbers[d].second;
      for (std::size_t i = 0; i < column.size(); ++i) side->rows[i * width + d] = column[i];
    }
    lay_in_blocks(*side, width);
    side->from_centre = distances_from_mean(side->rows, space, side->rows.size() / width);
  }
  return space;
}

/// The value below which a share of the sorted values lie, interpolated.
inline double quantile_of(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place), high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - static_cast<double>(low));
}

}  // namespace detail

SYNTHDATA_INLINE AlphaPrecision alpha_precision(const Table& real, const Table& synthetic) {
  constexpr const char* name = "alpha_precision";
  if (real.size() < 2 || synthetic.size() < 1) {
    throw DataError(concat(name, ": expects at least 2 real rows and a synthetic one, got ", real.size(), " and ",
                           synthetic.size()));
  }
  const detail::Embedding space = detail::embed_tables(name, real, synthetic);
  const std::int64_t reals = real.size(), width = space.width;
  const auto least = [](const float* lanes) { return *std::min_element(lanes, lanes + 64); };

  // Of each real row: the distance to the nearest other one, and how central the most central synthetic row is among
  // those not further away than that. Distances are squared.
  std::vector<float> apart(space.real.start.size(), detail::infinite_distance);
  std::vector<float> central(space.synthetic.start.size(), detail::infinite_distance);
  for (std::size_t j = 0; j < space.synthetic.from_centre.size(); ++j) {
    central[j] = static_cast<float>(space.synthetic.from_centre[j]);
  }
  std::vector<float> reached(static_cast<std::size_t>(reals));
  parallel_for(reals, 16, [&](std::int64_t begin, std::int64_t end) {
    float lanes[64], own[64];
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = space.real.rows.data() + i * width;
      const std::int64_t block = i / 64, blocks = static_cast<std::int64_t>(space.real.start.size()) / 64;
      std::fill_n(lanes, 64, detail::infinite_distance);
      detail::reduce_distances(detail::LeastDistance{lanes}, space, row, space.real, 0, block);
      detail::reduce_distances(detail::LeastDistance{lanes}, space, row, space.real, block + 1, blocks);
      std::fill_n(own, 64, detail::infinite_distance);
      detail::reduce_distances(detail::LeastDistance{own}, space, row, space.real, block, block + 1);
      own[i % 64] = detail::infinite_distance;  // itself
      const float reach = std::min(least(lanes), least(own));
      apart[static_cast<std::size_t>(i)] = reach;
      std::fill_n(lanes, 64, detail::infinite_distance);
      detail::reduce_distances(detail::LeastWithin{lanes, central.data(), reach}, space, row, space.synthetic, 0,
                               static_cast<std::int64_t>(central.size()) / 64);
      reached[static_cast<std::size_t>(i)] = least(lanes);
    }
  });
  std::vector<std::uint8_t> is_new(static_cast<std::size_t>(synthetic.size()));
  parallel_for(synthetic.size(), 16, [&](std::int64_t begin, std::int64_t end) {
    float lanes[64], found[64];
    for (std::int64_t j = begin; j < end; ++j) {
      std::fill_n(lanes, 64, detail::infinite_distance);
      std::fill_n(found, 64, detail::infinite_distance);
      detail::reduce_distances(detail::NearestBeside{lanes, found, apart.data()}, space,
                               space.synthetic.rows.data() + j * width, space.real, 0,
                               static_cast<std::int64_t>(apart.size()) / 64);
      int best = 0;
      for (int lane = 1; lane < 64; ++lane) {
        if (lanes[lane] < lanes[best] || (lanes[lane] == lanes[best] && found[lane] < found[best])) best = lane;
      }
      is_new[static_cast<std::size_t>(j)] = lanes[best] > found[best];
    }
  });

  AlphaPrecision out;
  out.authenticity = static_cast<double>(std::count(is_new.begin(), is_new.end(), std::uint8_t{1})) /
                     static_cast<double>(synthetic.size());
  std::vector<double> real_radii = space.real.from_centre, synthetic_radii;
  for (std::size_t j = 0; j < static_cast<std::size_t>(synthetic.size()); ++j) {
    synthetic_radii.push_back(static_cast<double>(central[j]));
  }
  std::sort(real_radii.begin(), real_radii.end());
  std::sort(synthetic_radii.begin(), synthetic_radii.end());
  // The synthetic rows' distances are from the real mean here: measured against it, not against their own.
  std::vector<float> both = space.real.rows;
  both.insert(both.end(), space.synthetic.rows.begin(), space.synthetic.rows.end());
  const std::vector<double> from_real = detail::distances_from_mean(both, space, static_cast<std::size_t>(reals));
  constexpr int steps = 30;
  double missed = 0.0, lacking = 0.0;
  for (int step = 0; step <= steps; ++step) {
    const double share = static_cast<double>(step) / steps;
    const double radius = detail::quantile_of(real_radii, share);
    const auto inside =
        std::count_if(from_real.begin() + reals, from_real.end(), [&](double d) { return d <= radius; });
    out.precision.push_back(static_cast<double>(inside) / static_cast<double>(synthetic.size()));
    const double ball = detail::quantile_of(synthetic_radii, share) * (1.0 + 1e-7);  // central is rounded to f32
    const auto covered =
        std::count_if(reached.begin(), reached.end(), [&](float r) { return static_cast<double>(r) <= ball; });
    out.recall.push_back(static_cast<double>(covered) / static_cast<double>(reals));
    missed += std::abs(share - out.precision.back());
    lacking += std::abs(share - out.recall.back());
  }
  // The trapezium rule's two halves at the ends are 0 or small; the mean over steps is what the paper's code has.
  out.alpha_precision = 1.0 - 2.0 * missed / (steps + 1);
  out.beta_recall = 1.0 - 2.0 * lacking / (steps + 1);
  return out;
}

}  // namespace synthdata
