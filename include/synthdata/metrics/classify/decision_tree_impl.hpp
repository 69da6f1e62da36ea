// synthdata/metrics/classify/decision_tree_impl.hpp: bodies of classify/decision_tree.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/metrics/classify/classifier_impl.hpp>
#include <synthdata/metrics/classify/decision_tree.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE RankedColumns::RankedColumns(const TrainingRows& from)
    : rows(from.rows),
      width(from.width),
      values(static_cast<std::size_t>(from.width)),
      ranks(static_cast<std::size_t>(from.rows * from.width)) {
  if (rows > std::numeric_limits<std::int32_t>::max()) throw NumericError("decision_tree: more than 2^31 rows");
  parallel_for(width, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t d = begin; d < end; ++d) {
      std::vector<double>& column = values[static_cast<std::size_t>(d)];
      column.resize(static_cast<std::size_t>(rows));
      for (std::int64_t i = 0; i < rows; ++i) column[static_cast<std::size_t>(i)] = from.x[i * width + d];
      std::sort(column.begin(), column.end());
      column.erase(std::unique(column.begin(), column.end()), column.end());
      column.shrink_to_fit();
      for (std::int64_t i = 0; i < rows; ++i) {
        const auto at = std::lower_bound(column.begin(), column.end(), from.x[i * width + d]);
        ranks[static_cast<std::size_t>(d * rows + i)] = static_cast<std::uint32_t>(at - column.begin());
      }
    }
  });
}

/// The best split of a node by one column.
struct TreeSplit {
  double score = -1.0;  // sum over both sides of (sum of squared class weights) / weight; the larger, the purer
  std::int32_t feature = -1;
  std::uint32_t low = 0, high = 0;  // ranks on both sides of the threshold
};

/// What is needed to look for splits; one for each chunk of columns.
struct SplitSearch {
  const RankedColumns* columns = nullptr;
  const std::int64_t* y = nullptr;
  const double* weights = nullptr;
  std::int64_t classes = 0, min_leaf = 1;

  /// Walks over the ranks from low to high, each with its class weights and number of rows.
  struct Walk {
    std::vector<double> left, right;
    double left_weight = 0.0, right_weight = 0.0;
    std::int64_t left_rows = 0, rows = 0;
    bool started = false;
    std::uint32_t previous = 0;
  };
  void step(Walk& walk, TreeSplit& best, std::uint32_t rank, const double* group, std::int64_t count) const {
    if (walk.started && walk.left_rows >= min_leaf && walk.rows - walk.left_rows >= min_leaf &&
        walk.left_weight > 0.0 && walk.right_weight > 0.0) {
      double left = 0.0, right = 0.0;
      for (std::size_t k = 0; k < walk.left.size(); ++k) {
        left += walk.left[k] * walk.left[k];
        right += walk.right[k] * walk.right[k];
      }
      const double score = left / walk.left_weight + right / walk.right_weight;
      if (score > best.score) best.score = score, best.low = walk.previous, best.high = rank;
    }
    for (std::size_t k = 0; k < walk.left.size(); ++k) {
      walk.left[k] += group[k];
      walk.right[k] -= group[k];
      walk.left_weight += group[k];
      walk.right_weight -= group[k];
    }
    walk.left_rows += count;
    walk.previous = rank;
    walk.started = true;
  }

  TreeSplit operator()(std::int64_t feature, std::span<const std::int32_t> rows, const std::vector<double>& totals,
                       std::vector<double>& sums, std::vector<std::uint64_t>& order) const {
    TreeSplit best{.feature = static_cast<std::int32_t>(feature)};
    const std::size_t distinct = columns->values[static_cast<std::size_t>(feature)].size();
    if (distinct < 2) return best;
    const std::uint32_t* ranks = columns->ranks.data() + feature * columns->rows;
    const auto width = static_cast<std::size_t>(classes) + 1;  // class weights, then the number of rows
    Walk walk{.left = std::vector<double>(static_cast<std::size_t>(classes), 0.0),
              .right = totals,
              .rows = static_cast<std::int64_t>(rows.size())};
    for (const double total : totals) walk.right_weight += total;
    if (distinct <= 4 * rows.size()) {
      sums.assign(distinct * width, 0.0);
      for (const std::int32_t row : rows) {
        double* group = sums.data() + ranks[row] * width;
        group[y[row]] += weights[row];
        group[classes] += 1.0;
      }
      for (std::size_t rank = 0; rank < distinct; ++rank) {
        const double* group = sums.data() + rank * width;
        if (group[classes] > 0.0) {
          step(walk, best, static_cast<std::uint32_t>(rank), group, static_cast<std::int64_t>(group[classes]));
        }
      }
    } else {
      order.resize(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        order[i] = std::uint64_t{ranks[rows[i]]} << 32 | static_cast<std::uint32_t>(rows[i]);
      }
      std::sort(order.begin(), order.end());
      for (std::size_t i = 0; i < order.size();) {
        const auto rank = static_cast<std::uint32_t>(order[i] >> 32);
        sums.assign(width, 0.0);
        const std::size_t first = i;
        for (; i < order.size() && static_cast<std::uint32_t>(order[i] >> 32) == rank; ++i) {
          const auto row = static_cast<std::uint32_t>(order[i]);
          sums[static_cast<std::size_t>(y[row])] += weights[row];
        }
        step(walk, best, rank, sums.data(), static_cast<std::int64_t>(i - first));
      }
    }
    return best;
  }
};

}  // namespace detail

SYNTHDATA_INLINE DecisionTree::DecisionTree(const DecisionTreeOptions& options) : options_(options) {
  if (options.max_depth < 0 || options.min_samples_split < 2 || options.min_samples_leaf < 1) {
    throw NumericError(
        concat("decision_tree: expects max_depth >= 0, min_samples_split >= 2, min_samples_leaf >= 1, got ",
               options.max_depth, ", ", options.min_samples_split, ", ", options.min_samples_leaf));
  }
}

SYNTHDATA_INLINE void DecisionTree::fit(const Tensor& x, const Tensor& y) {
  const detail::TrainingRows rows = detail::training_rows(name, x, y);
  fit(detail::RankedColumns(rows), y.span<std::int64_t>(), rows.classes,
      detail::row_weights(rows, options_.class_weight));
}

SYNTHDATA_INLINE void DecisionTree::fit(const detail::RankedColumns& columns, std::span<const std::int64_t> y,
                                        std::int64_t classes, std::span<const double> weights) {
  width_ = columns.width;
  classes_ = classes;
  tree_.clear();
  shares_.clear();
  const auto kinds = static_cast<std::size_t>(classes);
  std::vector<std::int32_t> rows(static_cast<std::size_t>(columns.rows)), moved(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
  const detail::SplitSearch search{&columns, y.data(), weights.data(), classes, options_.min_samples_leaf};

  struct Pending {
    std::size_t node, begin, end;
    std::int64_t depth;
  };
  std::vector<Pending> pending{{0, 0, rows.size(), 0}};
  tree_.emplace_back();
  std::vector<detail::TreeSplit> splits(static_cast<std::size_t>(columns.width));
  std::vector<double> totals(kinds);
  while (!pending.empty()) {
    const Pending now = pending.back();
    pending.pop_back();
    const std::span<const std::int32_t> part(rows.data() + now.begin, now.end - now.begin);
    std::fill(totals.begin(), totals.end(), 0.0);
    for (const std::int32_t row : part) {
      totals[static_cast<std::size_t>(y[static_cast<std::size_t>(row)])] += weights[static_cast<std::size_t>(row)];
    }
    double weight = 0.0;
    for (const double total : totals) weight += total;
    shares_.resize(tree_.size() * kinds);
    double squares = 0.0;
    for (std::size_t k = 0; k < kinds; ++k) {
      const double share = weight > 0.0 ? totals[k] / weight : 1.0 / static_cast<double>(kinds);
      shares_[now.node * kinds + k] = share;
      squares += share * share;
    }
    const auto count = static_cast<std::int64_t>(part.size());
    if (now.depth >= options_.max_depth || count < options_.min_samples_split ||
        count < 2 * options_.min_samples_leaf || 1.0 - squares <= std::numeric_limits<double>::epsilon() ||
        !(weight > 0.0)) {
      continue;
    }
    const std::int64_t chunk = std::max<std::int64_t>(1, 20000 / count);  // columns worth a thread's while
    parallel_for(columns.width, chunk, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> sums;
      std::vector<std::uint64_t> order;
      for (std::int64_t d = begin; d < end; ++d) {
        splits[static_cast<std::size_t>(d)] = search(d, part, totals, sums, order);
      }
    });
    detail::TreeSplit best;
    for (const detail::TreeSplit& split : splits) {
      if (split.score > best.score) best = split;
    }
    if (best.feature < 0) continue;  // all rows are alike

    const std::vector<double>& values = columns.values[static_cast<std::size_t>(best.feature)];
    const std::uint32_t* ranks = columns.ranks.data() + best.feature * columns.rows;
    std::size_t left = now.begin, right = 0;
    for (const std::int32_t row : part) {
      if (ranks[row] <= best.low) {
        rows[left++] = row;
      } else {
        moved[right++] = row;
      }
    }
    std::copy_n(moved.begin(), right, rows.begin() + static_cast<std::ptrdiff_t>(left));
    const double low = values[best.low], high = values[best.high];
    const double middle = low / 2.0 + high / 2.0;
    const auto next = static_cast<std::int32_t>(tree_.size());
    tree_[now.node] = {best.feature, next, next + 1, middle < high ? middle : low};
    tree_.resize(tree_.size() + 2);
    pending.push_back({static_cast<std::size_t>(next) + 1, left, now.end, now.depth + 1});
    pending.push_back({static_cast<std::size_t>(next), now.begin, left, now.depth + 1});
  }
  shares_.resize(tree_.size() * kinds);
}

SYNTHDATA_INLINE const double* DecisionTree::leaf(const double* x) const {
  std::size_t at = 0;
  while (tree_[at].feature >= 0) {
    at = static_cast<std::size_t>(x[tree_[at].feature] <= tree_[at].threshold ? tree_[at].left : tree_[at].right);
  }
  return shares_.data() + at * static_cast<std::size_t>(classes_);
}

SYNTHDATA_INLINE Tensor DecisionTree::probabilities(const Tensor& x) const {
  const double* rows = detail::rows_to_classify(name, x, width_);
  Tensor out = Tensor::empty({x.shape(0), classes_}, DType::f64, Device::cpu());
  double* to = out.data<double>();
  for (std::int64_t i = 0; i < x.shape(0); ++i, to += classes_) std::copy_n(leaf(rows + i * width_), classes_, to);
  return out;
}

}  // namespace synthdata
