// synthdata/metrics/classify/gradient_boosting_impl.hpp: bodies of classify/gradient_boosting.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/classify/classifier_impl.hpp>
#include <synthdata/metrics/classify/gradient_boosting.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE std::uint8_t ColumnBins::bin(double value) const {
  if (std::isnan(value)) return static_cast<std::uint8_t>(count);
  if (categorical) {
    if (!(value >= 0.0 && value < static_cast<double>(of_category.size()))) return static_cast<std::uint8_t>(count);
    const std::int16_t bin = of_category[static_cast<std::size_t>(value)];
    return static_cast<std::uint8_t>(bin < 0 ? count : bin);
  }
  return static_cast<std::uint8_t>(std::lower_bound(edges.begin(), edges.end(), value) - edges.begin());
}

/// Bins of about equally many rows; one for each value if there are few. `values` without NaN.
inline ColumnBins number_bins(std::vector<double> values, std::int64_t max_bins) {
  ColumnBins bins;
  std::sort(values.begin(), values.end());
  std::vector<double> distinct = values;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const auto edge = [](double low, double high) {
    const double middle = low / 2.0 + high / 2.0;
    return middle < high ? middle : low;
  };
  if (static_cast<std::int64_t>(distinct.size()) <= max_bins) {
    for (std::size_t i = 1; i < distinct.size(); ++i) bins.edges.push_back(edge(distinct[i - 1], distinct[i]));
  } else {
    for (std::int64_t b = 1; b < max_bins; ++b) {
      const double place =
          static_cast<double>(b) / static_cast<double>(max_bins) * static_cast<double>(values.size() - 1);
      const auto low = static_cast<std::size_t>(place), high = std::min(low + 1, values.size() - 1);
      const double at = edge(values[low], values[high]);
      if (at < values.back() && (bins.edges.empty() || at > bins.edges.back())) bins.edges.push_back(at);
    }
  }
  bins.count = static_cast<std::int32_t>(bins.edges.size()) + 1;
  return bins;
}

/// A bin for each category, most frequent first, as far as bins go.
inline ColumnBins category_bins(const std::vector<double>& values, std::int64_t max_bins, std::int64_t column) {
  ColumnBins bins;
  bins.categorical = true;
  std::vector<std::int64_t> counts;
  for (const double value : values) {
    if (!(value >= 0.0 && value < 1e7) || value != std::floor(value)) {
      throw NumericError(concat("gradient_boosting: column ", column, " has ", value,
                                "; expects category numbers, whole and from 0 to 10 million"));
    }
    const auto category = static_cast<std::size_t>(value);
    if (category >= counts.size()) counts.resize(category + 1, 0);
    ++counts[category];
  }
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] > 0) order.push_back(c);
  }
  if (static_cast<std::int64_t>(order.size()) > max_bins) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    order.resize(static_cast<std::size_t>(max_bins));
  }
  bins.of_category.assign(counts.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) bins.of_category[order[i]] = static_cast<std::int16_t>(i);
  bins.count = std::max<std::int32_t>(1, static_cast<std::int32_t>(order.size()));
  return bins;
}

/// Sums over the rows of a bin.
struct BinSums {
  double slope = 0.0, curve = 0.0;
  std::int64_t rows = 0;
  BinSums& operator+=(const BinSums& o) {
    slope += o.slope, curve += o.curve, rows += o.rows;
    return *this;
  }
  BinSums operator-(const BinSums& o) const { return {slope - o.slope, curve - o.curve, rows - o.rows}; }
};

struct BoostedSplit {
  double gain = 0.0;
  std::int32_t feature = -1, bin = 0;
  bool missing_left = false, categorical = false;
  std::array<std::uint64_t, 4> bits{};
  BinSums left{};
};

struct RowSlope {
  float slope, curve;
};

/// Grows one tree.
class TreeGrower {
 public:
  TreeGrower(const GradientBoostingOptions& options, const std::vector<ColumnBins>& bins,
             const std::vector<std::uint8_t>& binned, std::int64_t rows)
      : options_(options), bins_(bins), binned_(binned), count_(static_cast<std::size_t>(rows)) {
    offsets_.push_back(0);
    for (const ColumnBins& column : bins)
      offsets_.push_back(offsets_.back() + static_cast<std::size_t>(column.count) + 1);
    rows_.resize(count_);
    moved_.resize(count_);
    ordered_.resize(count_);
  }

  /// Adds what the tree says to raw[i * stride].
  BoostedTree operator()(const std::vector<RowSlope>& slopes, double* raw, std::int64_t stride) {
    for (std::size_t i = 0; i < count_; ++i) rows_[i] = static_cast<std::int32_t>(i);
    BoostedTree tree;
    tree.nodes.emplace_back();
    leaves_.clear();
    Leaf root;
    root.end = count_;
    for (const RowSlope& slope : slopes)
      root.sums += {static_cast<double>(slope.slope), static_cast<double>(slope.curve), 1};
    root.histogram = take_histogram();
    look_for_splits(slopes, root, nullptr, nullptr);
    leaves_.push_back(std::move(root));
    while (static_cast<std::int64_t>(leaves_.size()) < options_.max_leaves) {
      std::size_t at = 0;
      for (std::size_t i = 1; i < leaves_.size(); ++i) {
        if (leaves_[i].best.gain > leaves_[at].best.gain) at = i;
      }
      if (leaves_[at].best.feature < 0) break;
      split(tree, slopes, at);
    }
    for (Leaf& leaf : leaves_) {
      const double value = -options_.learning_rate * leaf.sums.slope / (leaf.sums.curve + options_.l2 + 1e-15);
      tree.nodes[leaf.node].value = value;
      for (std::size_t i = leaf.begin; i < leaf.end; ++i) raw[rows_[i] * stride] += value;
      give_back(std::move(leaf.histogram));
    }
    return tree;
  }

 private:
  struct Leaf {
    std::size_t node = 0, begin = 0, end = 0;
    BinSums sums{};
    BoostedSplit best{};
    std::vector<BinSums> histogram{};
  };

  std::vector<BinSums> take_histogram() {
    if (spare_.empty()) return std::vector<BinSums>(offsets_.back());
    std::vector<BinSums> taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
  }
  void give_back(std::vector<BinSums> histogram) {
    if (!histogram.empty()) spare_.push_back(std::move(histogram));
  }

  double gain_of(const BinSums& sums) const { return sums.slope * sums.slope / (sums.curve + options_.l2 + 1e-15); }
  bool allowed(const BinSums& side) const { return side.rows >= options_.min_samples_leaf && side.curve >= 1e-3; }

  void count_rows(std::size_t feature, std::span<const std::int32_t> rows, BinSums* sums) const {
    std::fill_n(sums, offsets_[feature + 1] - offsets_[feature], BinSums{});
    const std::uint8_t* column = binned_.data() + feature * count_;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      BinSums& bin = sums[column[rows[i]]];
      bin.slope += static_cast<double>(ordered_[i].slope);
      bin.curve += static_cast<double>(ordered_[i].curve);
      ++bin.rows;
    }
  }

  /// Counts the rows of `leaf`; where it has a sibling, that one's are `parent` (which becomes it) minus these.
  void look_for_splits(const std::vector<RowSlope>& slopes, Leaf& leaf, Leaf* sibling, std::vector<BinSums>* parent) {
    const std::span<const std::int32_t> rows(rows_.data() + leaf.begin, leaf.end - leaf.begin);
    for (std::size_t i = 0; i < rows.size(); ++i) ordered_[i] = slopes[static_cast<std::size_t>(rows[i])];
    const auto width = static_cast<std::int64_t>(bins_.size());
    std::vector<BoostedSplit> ours(bins_.size()), theirs(bins_.size());
    const auto cost = static_cast<std::int64_t>(rows.size()) + 1000;
    parallel_for(width, std::max<std::int64_t>(1, 10000 / cost), [&](std::int64_t begin, std::int64_t end) {
      for (auto d = static_cast<std::size_t>(begin); d < static_cast<std::size_t>(end); ++d) {
        BinSums* sums = leaf.histogram.data() + offsets_[d];
        count_rows(d, rows, sums);
        ours[d] = best_split(d, sums, leaf.sums);
        if (sibling == nullptr) continue;
        BinSums* other = parent->data() + offsets_[d];
        for (std::size_t b = 0; b < offsets_[d + 1] - offsets_[d]; ++b) other[b] = other[b] - sums[b];
        theirs[d] = best_split(d, other, sibling->sums);
      }
    });
    const auto choose = [](const std::vector<BoostedSplit>& splits) {
      BoostedSplit best;
      for (const BoostedSplit& split : splits) {
        if (split.gain > best.gain) best = split;
      }
      return best;
    };
    leaf.best = choose(ours);
    if (sibling != nullptr) {
      sibling->best = choose(theirs);
      sibling->histogram = std::move(*parent);
    }
  }

  BoostedSplit best_split(std::size_t feature, const BinSums* sums, const BinSums& total) const {
    BoostedSplit best;
    if (total.rows < 2 * options_.min_samples_leaf) return best;
    const ColumnBins& column = bins_[feature];
    const auto count = static_cast<std::size_t>(column.count);
    const double before = gain_of(total), least = 1e-9 * (std::abs(before) + 1e-6);
    const auto consider = [&](const BinSums& left, auto&& describe) {
      const BinSums right = total - left;
      if (!allowed(left) || !allowed(right)) return;
      const double gain = gain_of(left) + gain_of(right) - before;
      if (!(gain > best.gain) || !(gain > least)) return;
      best.gain = gain;
      best.feature = static_cast<std::int32_t>(feature);
      best.left = left;
      describe();
    };
    if (column.categorical) {
      best.categorical = true;
      split_categories(sums, count, column.missing, total, consider, best);
      return best;
    }
    const bool missing = column.missing;
    BinSums left;
    for (std::size_t b = 0; b + 1 < count + (missing ? 1u : 0u); ++b) {
      left += sums[b];
      consider(left, [&] { best.bin = static_cast<std::int32_t>(b), best.missing_left = false; });
    }
    if (missing) {
      BinSums right;  // from the end, so that of equal splits the last is taken, as scikit-learn does
      for (std::size_t b = count; sums[count].rows > 0 && b-- > 1;) {
        right += sums[b];
        consider(total - right, [&] { best.bin = static_cast<std::int32_t>(b) - 1, best.missing_left = true; });
      }
    } else {  // then a value missing later goes where more rows went
      best.missing_left = 2 * best.left.rows > total.rows;
    }
    return best;
  }

  template <class Consider>
  static void split_categories(const BinSums* sums, std::size_t count, bool missing, const BinSums& total,
                               const Consider& consider, BoostedSplit& best) {
    constexpr double smoothing = 10.0;  // of the mean gradient, and the least number of rows, as in scikit-learn
    std::array<std::uint8_t, 256> order{};
    std::array<double, 256> key{};
    std::size_t used = 0;
    const double rows_per_curve = static_cast<double>(total.rows) / std::max(total.curve, 1e-300);
    for (std::size_t b = 0; b <= count; ++b) {
      if (sums[b].rows == 0 || sums[b].curve * rows_per_curve < smoothing) continue;
      key[b] = sums[b].slope / (sums[b].curve + smoothing);
      order[used++] = static_cast<std::uint8_t>(b);
    }
    if (used < 2) return;
    std::stable_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(used),
                     [&](std::uint8_t a, std::uint8_t b) { return key[a] < key[b]; });
    for (const bool from_end : {false, true}) {
      BinSums left;
      std::array<std::uint64_t, 4> bits{};
      for (std::size_t i = 0; i < (used + 1) / 2 - (from_end ? 1u : 0u); ++i) {
        const std::uint8_t b = order[from_end ? used - 1 - i : i];
        left += sums[b];
        bits[b / 64] |= std::uint64_t{1} << (b % 64);
        consider(left, [&] { best.bits = bits; });
      }
    }
    best.missing_left = missing ? (best.bits[count / 64] >> (count % 64) & 1) != 0 : 2 * best.left.rows > total.rows;
  }

  void split(BoostedTree& tree, const std::vector<RowSlope>& slopes, std::size_t at) {
    Leaf parent = std::move(leaves_[at]);
    const BoostedSplit& by = parent.best;
    const auto feature = static_cast<std::size_t>(by.feature);
    const auto next = static_cast<std::int32_t>(tree.nodes.size());
    BoostedNode& node = tree.nodes[parent.node];
    node.feature = by.feature;
    node.left = next;
    node.right = next + 1;
    node.bin = by.bin;
    node.missing_left = by.missing_left;
    if (by.categorical) {
      node.bits = static_cast<std::int32_t>(tree.bits.size());
      tree.bits.insert(tree.bits.end(), by.bits.begin(), by.bits.end());
    }
    std::array<std::uint8_t, 256> goes_left{};
    for (std::size_t b = 0; b < 256; ++b) {
      goes_left[b] = b == static_cast<std::size_t>(bins_[feature].count) ? by.missing_left
                     : by.categorical                                    ? (by.bits[b / 64] >> (b % 64) & 1) != 0
                                                                         : b <= static_cast<std::size_t>(by.bin);
    }
    tree.nodes.resize(tree.nodes.size() + 2);

    const std::uint8_t* column = binned_.data() + feature * count_;
    std::size_t left = parent.begin, right = 0;
    for (std::size_t i = parent.begin; i < parent.end; ++i) {  // both are written, without a branch to guess
      const std::int32_t row = rows_[i];
      const std::size_t goes = goes_left[column[row]];
      rows_[left] = row;
      moved_[right] = row;
      left += goes;
      right += 1 - goes;
    }
    std::copy_n(moved_.begin(), right, rows_.begin() + static_cast<std::ptrdiff_t>(left));

    Leaf low, high;
    low.node = static_cast<std::size_t>(next);
    high.node = low.node + 1;
    low.begin = parent.begin;
    low.end = high.begin = left;
    high.end = parent.end;
    low.sums = by.left;
    high.sums = parent.sums - by.left;
    Leaf& small = low.sums.rows < high.sums.rows ? low : high;
    Leaf& large = low.sums.rows < high.sums.rows ? high : low;
    small.histogram = take_histogram();
    look_for_splits(slopes, small, &large, &parent.histogram);
    leaves_[at] = std::move(low);
    leaves_.push_back(std::move(high));
  }

  const GradientBoostingOptions& options_;
  const std::vector<ColumnBins>& bins_;
  const std::vector<std::uint8_t>& binned_;
  std::size_t count_;
  std::vector<std::size_t> offsets_;
  std::vector<std::int32_t> rows_, moved_;
  std::vector<RowSlope> ordered_;
  std::vector<Leaf> leaves_;
  std::vector<std::vector<BinSums>> spare_;
};

}  // namespace detail

SYNTHDATA_INLINE GradientBoosting::GradientBoosting(const GradientBoostingOptions& options) : options_(options) {
  if (options.iterations < 1 || !(options.learning_rate > 0.0) || options.max_leaves < 2 ||
      options.min_samples_leaf < 1 || !(options.l2 >= 0.0) || options.max_bins < 2 || options.max_bins > 255) {
    throw NumericError(
        "gradient_boosting: expects iterations >= 1, learning_rate > 0, max_leaves >= 2, min_samples_leaf >= 1, l2 >= "
        "0 "
        "and max_bins from 2 to 255");
  }
}

SYNTHDATA_INLINE std::vector<std::uint8_t> GradientBoosting::binned(const double* x, std::int64_t rows) const {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(rows * width_));
  parallel_for(width_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t d = begin; d < end; ++d) {
      const detail::ColumnBins& bins = bins_[static_cast<std::size_t>(d)];
      std::uint8_t* column = out.data() + d * rows;
      for (std::int64_t i = 0; i < rows; ++i) column[i] = bins.bin(x[i * width_ + d]);
    }
  });
  return out;
}

SYNTHDATA_INLINE void GradientBoosting::fit(const Tensor& x, const Tensor& y) {
  const detail::TrainingRows rows = detail::training_rows(name, x, y, true);
  if (rows.rows > std::numeric_limits<std::int32_t>::max())
    throw NumericError("gradient_boosting: more than 2^31 rows");
  std::vector<std::uint8_t> categorical(static_cast<std::size_t>(rows.width), 0);
  for (const std::int64_t column : options_.categorical) {
    if (column < 0 || column >= rows.width) {
      throw NumericError(concat("gradient_boosting: categorical column ", column, " of ", rows.width));
    }
    categorical[static_cast<std::size_t>(column)] = 1;
  }
  width_ = rows.width;
  classes_ = rows.classes;
  groups_ = classes_ > 2 ? classes_ : 1;
  bins_.assign(static_cast<std::size_t>(width_), {});
  parallel_for(width_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t d = begin; d < end; ++d) {
      std::vector<double> values;
      values.reserve(static_cast<std::size_t>(rows.rows));
      for (std::int64_t i = 0; i < rows.rows; ++i) {
        if (const double value = rows.x[i * width_ + d]; !std::isnan(value)) values.push_back(value);
      }
      const auto c = static_cast<std::size_t>(d);
      const bool missing = static_cast<std::int64_t>(values.size()) < rows.rows;
      bins_[c] = categorical[c] != 0 ? detail::category_bins(values, options_.max_bins, d)
                                     : detail::number_bins(std::move(values), options_.max_bins);
      bins_[c].missing = missing;
    }
  });
  const std::vector<std::uint8_t> bins = binned(rows.x, rows.rows);

  const auto n = static_cast<double>(rows.rows);
  std::vector<double> shares(static_cast<std::size_t>(classes_), 0.0);
  for (std::int64_t i = 0; i < rows.rows; ++i) shares[static_cast<std::size_t>(rows.y[i])] += 1.0 / n;
  const auto log_share = [](double share) { return std::log(std::max(share, std::numeric_limits<double>::epsilon())); };
  start_.assign(static_cast<std::size_t>(groups_), 0.0);
  if (groups_ > 1) {
    for (std::size_t k = 0; k < shares.size(); ++k) start_[k] = log_share(shares[k]);
  } else if (classes_ == 2) {
    start_[0] = log_share(shares[1]) - log_share(shares[0]);
  }
  trees_.clear();
  if (classes_ < 2) return;
  std::vector<double> raw(static_cast<std::size_t>(rows.rows * groups_));
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = start_[i % start_.size()];
  std::vector<std::vector<detail::RowSlope>> slopes(static_cast<std::size_t>(groups_),
                                                    std::vector<detail::RowSlope>(static_cast<std::size_t>(rows.rows)));
  detail::TreeGrower grow(options_, bins_, bins, rows.rows);
  for (std::int64_t iteration = 0; iteration < options_.iterations; ++iteration) {
    parallel_for(rows.rows, 2048, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double* scores = raw.data() + i * groups_;
        if (groups_ == 1) {
          const double e = std::exp(-std::abs(scores[0])), p = (scores[0] >= 0.0 ? 1.0 : e) / (1.0 + e);
          slopes[0][static_cast<std::size_t>(i)] = {static_cast<float>(p - static_cast<double>(rows.y[i])),
                                                    static_cast<float>(p * (1.0 - p))};
          continue;
        }
        const double high = *std::max_element(scores, scores + groups_);
        double sum = 0.0;
        for (std::int64_t k = 0; k < groups_; ++k) sum += std::exp(scores[k] - high);
        for (std::int64_t k = 0; k < groups_; ++k) {
          const double p = std::exp(scores[k] - high) / sum;
          slopes[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = {
              static_cast<float>(p - (rows.y[i] == k ? 1.0 : 0.0)), static_cast<float>(p * (1.0 - p))};
        }
      }
    });
    for (std::int64_t k = 0; k < groups_; ++k) {
      trees_.push_back(grow(slopes[static_cast<std::size_t>(k)], raw.data() + k, groups_));
    }
  }
}

SYNTHDATA_INLINE Tensor GradientBoosting::probabilities(const Tensor& x) const {
  const double* rows = detail::rows_to_classify(name, x, width_, true);
  const std::int64_t count = x.shape(0);
  const std::vector<std::uint8_t> bins = binned(rows, count);
  Tensor out = Tensor::empty({count, classes_}, DType::f64, Device::cpu());
  double* to = out.data<double>();
  parallel_for(count, 256, [&](std::int64_t begin, std::int64_t end) {
    const auto groups = static_cast<std::size_t>(groups_);
    std::vector<double> scores;
    for (std::int64_t i = begin; i < end; ++i) scores.insert(scores.end(), start_.begin(), start_.end());
    for (std::size_t t = 0; t < trees_.size(); ++t) {  // the outer loop, so that a tree stays in the cache
      const detail::BoostedTree& tree = trees_[t];
      double* score = scores.data() + t % groups;
      for (std::int64_t i = begin; i < end; ++i, score += groups) {
        const detail::BoostedNode* node = tree.nodes.data();
        while (node->feature >= 0) {
          const std::uint8_t bin = bins[static_cast<std::size_t>(node->feature * count + i)];
          bool left = bin <= node->bin;
          if (bin == bins_[static_cast<std::size_t>(node->feature)].count) {
            left = node->missing_left;
          } else if (node->bits >= 0) {
            left = (tree.bits[static_cast<std::size_t>(node->bits) + bin / 64] >> (bin % 64) & 1) != 0;
          }
          node = tree.nodes.data() + (left ? node->left : node->right);
        }
        *score += node->value;
      }
    }
    const double* score = scores.data();
    for (std::int64_t i = begin; i < end; ++i, score += groups) {
      double* p = to + i * classes_;
      if (classes_ == 1) {
        p[0] = 1.0;
      } else if (groups == 1) {
        const double e = std::exp(-std::abs(score[0]));
        p[0] = (score[0] >= 0.0 ? e : 1.0) / (1.0 + e);
        p[1] = (score[0] >= 0.0 ? 1.0 : e) / (1.0 + e);
      } else {
        const double high = *std::max_element(score, score + groups);
        double sum = 0.0;
        for (std::int64_t k = 0; k < classes_; ++k) sum += p[k] = std::exp(score[k] - high);
        for (std::int64_t k = 0; k < classes_; ++k) p[k] /= sum;
      }
    }
  });
  return out;
}

}  // namespace synthdata
