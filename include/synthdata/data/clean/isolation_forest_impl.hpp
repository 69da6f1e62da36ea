// synthdata/data/clean/isolation_forest_impl.hpp: bodies of isolation_forest.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/isolation_forest.hpp>
#include <synthdata/data/clean/knn_fill_impl.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

namespace synthdata {

namespace detail {

/// Mean path of an unsuccessful search in a binary tree of n rows.
inline double mean_path(std::int64_t n) {
  if (n <= 1) return 0.0;
  if (n == 2) return 1.0;
  constexpr double euler = 0.5772156649015329;
  const auto m = static_cast<double>(n);
  return 2.0 * (std::log(m - 1.0) + euler) - 2.0 * (m - 1.0) / m;
}

/// `count` different rows of 0 ... n-1.
SYNTHDATA_INLINE std::vector<std::int64_t> draw_tree_rows(std::int64_t n, std::int64_t count, Rng& rng) {
  if (count * 4 >= n) {
    std::vector<std::int64_t> rows = rng.permutation(n);
    rows.resize(static_cast<std::size_t>(count));
    return rows;
  }
  // Floyd's draw. Source: Bentley and Floyd 1987, "A sample of brilliance", CACM 30(9).
  std::unordered_set<std::int64_t> seen;
  std::vector<std::int64_t> rows;
  for (std::int64_t top = n - count; top < n; ++top) {
    const std::int64_t row = rng.below(top + 1);
    rows.push_back(seen.insert(row).second ? row : top);
    seen.insert(rows.back());
  }
  return rows;
}

struct IsolationNode {
  std::int32_t feature = -1, next = 0;
  double threshold = 0.0, length = 0.0;
};

/// Grows one tree; node numbers start at 0.
SYNTHDATA_INLINE std::vector<IsolationNode> grow_isolation_tree(const double* x, std::int64_t width,
                                                                std::vector<std::int64_t> rows, Rng rng) {
  struct Task {
    std::size_t node, begin, end;
    std::int64_t depth;
  };
  std::int64_t deepest = 0;
  while ((std::int64_t{1} << deepest) < static_cast<std::int64_t>(rows.size())) ++deepest;
  std::vector<IsolationNode> nodes(1);
  std::vector<Task> tasks{{0, 0, rows.size(), 0}};
  std::vector<std::int64_t> candidates(static_cast<std::size_t>(width));
  while (!tasks.empty()) {
    const Task task = tasks.back();
    tasks.pop_back();
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(task.begin);
    const auto to = rows.begin() + static_cast<std::ptrdiff_t>(task.end);
    const auto value = [&](std::int64_t row, std::int64_t feature) { return x[row * width + feature]; };
    std::int64_t feature = -1;
    double low = 0.0, high = 0.0;
    if (task.depth < deepest && to - from > 1) {
      // a random column among those that are not constant here
      std::iota(candidates.begin(), candidates.end(), std::int64_t{0});
      for (std::int64_t left = width; left > 0 && feature < 0; --left) {
        auto& chosen = candidates[static_cast<std::size_t>(rng.below(left))];
        low = high = value(*from, chosen);
        for (auto row = from; row != to; ++row) {
          low = std::min(low, value(*row, chosen));
          high = std::max(high, value(*row, chosen));
        }
        if (low < high) feature = chosen;
        std::swap(chosen, candidates[static_cast<std::size_t>(left - 1)]);
      }
    }
    if (feature < 0) {
      nodes[task.node].length = static_cast<double>(task.depth) + mean_path(to - from);
      continue;
    }
    const double unit = static_cast<double>(rng.next_u64() >> 11) * 0x1p-53;
    double threshold = low * (1.0 - unit) + high * unit;
    if (!(threshold < high)) threshold = low;
    const auto middle = std::partition(from, to, [&](std::int64_t row) { return value(row, feature) <= threshold; });
    const auto cut = static_cast<std::size_t>(middle - rows.begin());
    const std::size_t next = nodes.size();
    nodes[task.node].feature = static_cast<std::int32_t>(feature);
    nodes[task.node].threshold = threshold;
    nodes[task.node].next = static_cast<std::int32_t>(next);
    nodes.resize(next + 2);
    tasks.push_back({next, task.begin, cut, task.depth + 1});
    tasks.push_back({next + 1, cut, task.end, task.depth + 1});
  }
  return nodes;
}

SYNTHDATA_INLINE void check_forest_rows(const Tensor& rows, std::int64_t width) {
  const bool fits = rows.defined() && rows.rank() == 2 && (width < 0 ? rows.shape(1) >= 1 : rows.shape(1) == width);
  if (!fits) {
    throw ShapeError(concat("IsolationForest: expects rows [N, ", width < 0 ? std::string("D") : concat(width),
                            "], got ", rows.str()));
  }
  if (rows.dtype() != DType::f64) throw DTypeError("IsolationForest: expects rows of f64, got " + rows.str());
}

}  // namespace detail

SYNTHDATA_INLINE IsolationForest IsolationForest::fit(const Tensor& rows, Rng& rng,
                                                      const IsolationForestOptions& options) {
  detail::check_forest_rows(rows, -1);
  if (rows.shape(0) < 1) throw ShapeError("IsolationForest: there are no rows to grow from");
  constexpr std::int64_t most = 1'000'000;
  if (options.trees < 1 || options.trees > most || options.sample < 1 || options.sample > most) {
    throw NumericError(concat("IsolationForest: expects trees and sample within 1 ... ", most, ", got ", options.trees,
                              " and ", options.sample));
  }
  const double* x = rows.data<double>();
  const std::int64_t width = rows.shape(1);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    if (!std::isfinite(x[i])) throw NumericError(concat("IsolationForest: row ", i / width, " is not finite"));
  }
  IsolationForest forest;
  forest.columns_ = width;
  forest.sample_ = std::min(options.sample, rows.shape(0));
  const Rng base(rng.next_u64());
  std::vector<std::vector<detail::IsolationNode>> trees(static_cast<std::size_t>(options.trees));
  parallel_for(options.trees, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      Rng own = base.split(static_cast<std::uint64_t>(t));
      std::vector<std::int64_t> drawn = detail::draw_tree_rows(rows.shape(0), forest.sample_, own);
      trees[static_cast<std::size_t>(t)] = detail::grow_isolation_tree(x, width, std::move(drawn), own);
    }
  });
  std::int64_t nodes = 0;
  for (const auto& tree : trees) nodes += static_cast<std::int64_t>(tree.size());
  if (nodes > std::numeric_limits<std::int32_t>::max()) {
    throw NumericError(concat("IsolationForest: ", nodes, " nodes are too many; use fewer trees or smaller samples"));
  }
  forest.roots_ = Tensor::empty({options.trees}, DType::i64, Device::cpu());
  forest.feature_ = Tensor::empty({nodes}, DType::i32, Device::cpu());
  forest.next_ = Tensor::empty({nodes}, DType::i32, Device::cpu());
  forest.threshold_ = Tensor::empty({nodes}, DType::f64, Device::cpu());
  forest.length_ = Tensor::empty({nodes}, DType::f64, Device::cpu());
  std::int64_t at = 0;
  for (std::size_t t = 0; t < trees.size(); ++t) {
    const auto root = static_cast<std::int32_t>(at);
    forest.roots_.data<std::int64_t>()[t] = root;
    for (const detail::IsolationNode& node : trees[t]) {
      forest.feature_.data<std::int32_t>()[at] = node.feature;
      forest.next_.data<std::int32_t>()[at] = node.feature < 0 ? 0 : node.next + root;
      forest.threshold_.data<double>()[at] = node.threshold;
      forest.length_.data<double>()[at] = node.length;
      ++at;
    }
  }
  return forest;
}

SYNTHDATA_INLINE Tensor IsolationForest::scores(const Tensor& rows) const {
  detail::check_forest_rows(rows, columns_);
  Tensor scores = Tensor::empty({rows.shape(0)}, DType::f64, Device::cpu());
  const double* x = rows.data<double>();
  const std::int64_t* roots = roots_.data<std::int64_t>();
  const std::int32_t *feature = feature_.data<std::int32_t>(), *next = next_.data<std::int32_t>();
  const double *threshold = threshold_.data<double>(), *length = length_.data<double>();
  const double scale = static_cast<double>(trees()) * detail::mean_path(sample_);
  parallel_for(rows.shape(0), 64, [&](std::int64_t begin, std::int64_t end) {
    // tree after tree over a few rows, so that a tree stays in the cache
    std::vector<double> sums(static_cast<std::size_t>(end - begin));
    for (std::int64_t t = 0; t < trees(); ++t) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double* row = x + i * columns_;
        std::int64_t node = roots[t];
        while (feature[node] >= 0) node = next[node] + !(row[feature[node]] <= threshold[node]);
        sums[static_cast<std::size_t>(i - begin)] += length[node];
      }
    }
    for (std::int64_t i = begin; i < end; ++i) {
      // one row alone has no path: nothing tells it from others
      const double path = sums[static_cast<std::size_t>(i - begin)];
      scores.data<double>()[i] = scale > 0.0 ? std::exp2(-path / scale) : 0.5;
    }
  });
  return scores;
}

SYNTHDATA_INLINE void IsolationForest::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, "isolation trees", {{"columns", columns_}, {"sample", sample_}});
  archive.add(prefix + ".roots", roots_);
  archive.add(prefix + ".feature", feature_);
  archive.add(prefix + ".next", next_);
  archive.add(prefix + ".threshold", threshold_);
  archive.add(prefix + ".length", length_);
}

SYNTHDATA_INLINE IsolationForest IsolationForest::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, "isolation trees");
  IsolationForest forest;
  forest.columns_ = saved.integer("columns");
  forest.sample_ = saved.integer("sample");
  forest.roots_ = saved.tensor("roots", DType::i64, 1);
  forest.feature_ = saved.tensor("feature", DType::i32, 1);
  forest.next_ = saved.tensor("next", DType::i32, 1);
  forest.threshold_ = saved.tensor("threshold", DType::f64, 1);
  forest.length_ = saved.tensor("length", DType::f64, 1);
  const std::int64_t nodes = forest.feature_.size();
  if (forest.columns_ < 1 || forest.sample_ < 1 || forest.roots_.size() < 1 || forest.next_.size() != nodes ||
      forest.threshold_.size() != nodes || forest.length_.size() != nodes) {
    saved.fail("its trees are not of one size");
  }
  for (const std::int64_t root : forest.roots_.span<std::int64_t>()) {
    if (root < 0 || root >= nodes) saved.fail("a tree starts nowhere");
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    const std::int64_t feature = forest.feature_.data<std::int32_t>()[i], next = forest.next_.data<std::int32_t>()[i];
    // children come after their parents, so no walk is endless
    if (feature >= forest.columns_ || (feature >= 0 && (next <= i || next + 1 >= nodes))) {
      saved.fail(concat("node ", i, " leads nowhere"));
    }
  }
  return forest;
}

SYNTHDATA_INLINE Tensor IsolationOutliers::matrix(const Table& table) const {
  const auto width = static_cast<std::int64_t>(columns_.size());
  Tensor rows = Tensor::empty({table.size(), width}, DType::f64, Device::cpu());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const std::vector<double> numbers = columns_.numbers(columns_.in(table, c), c);
    double* to = rows.data<double>() + c;
    const double median = medians_.data<double>()[c];
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      to[static_cast<std::int64_t>(i) * width] = std::isnan(numbers[i]) ? median : numbers[i];
    }
  }
  return rows;
}

SYNTHDATA_INLINE IsolationOutliers IsolationOutliers::fit(const Table& training,
                                                          const IsolationOutliersOptions& options) {
  if (!(options.share >= 0.0 && options.share <= 0.5)) {
    throw NumericError(concat(kind, ": expects a share of 0 to 0.5, got ", options.share));
  }
  if (options.action == OutlierAction::clip) {
    throw NumericError(concat(kind, ": finds rows, not values, so there is nothing to clip; remove or mark them"));
  }
  IsolationOutliers step;
  step.action_ = options.action;
  step.mark_ = options.mark;
  step.columns_ = detail::FittedColumns(kind, training, options.columns, [](ColumnType type) {
    return detail::is_numeric(type) || type == ColumnType::date_time;
  });
  if (step.columns_.size() == 0 || training.size() == 0) {
    throw DataError(concat(kind, ": expects rows and columns of numbers, got ", training.size(), " rows and ",
                           step.columns_.size(), " such columns"));
  }
  detail::training_numbers(kind, step.columns_, training);  // checks them
  step.medians_ = Tensor::empty({static_cast<std::int64_t>(step.columns_.size())}, DType::f64, Device::cpu());
  for (std::size_t c = 0; c < step.columns_.size(); ++c) {
    std::vector<double> numbers = step.columns_.numbers(step.columns_.in(training, c), c);
    std::erase_if(numbers, [](double number) { return std::isnan(number); });
    step.medians_.data<double>()[c] = detail::median_of(numbers);
  }
  const Tensor rows = step.matrix(training);
  Rng rng(options.seed);
  step.forest_ = IsolationForest::fit(rows, rng, options.forest);
  if (options.share > 0.0) {
    Tensor scores = step.forest_.scores(rows);
    std::sort(scores.span<double>().begin(), scores.span<double>().end());
    step.threshold_ = detail::quantile_of_sorted(scores.span<double>(), 1.0 - options.share);
  }
  return step;
}

SYNTHDATA_INLINE Tensor IsolationOutliers::scores(const Table& table) const { return forest_.scores(matrix(table)); }

SYNTHDATA_INLINE Table IsolationOutliers::apply(const Table& table, CleaningReport* report) const {
  const Tensor found = scores(table);
  std::vector<bool> marked(static_cast<std::size_t>(table.size()));
  for (std::size_t i = 0; i < marked.size(); ++i) marked[i] = found.data<double>()[i] > threshold_;
  if (report) {
    report->add(kind, "", action_ == OutlierAction::mark ? "marked" : "removed",
                std::count(marked.begin(), marked.end(), true));
  }
  if (action_ == OutlierAction::mark) return detail::with_mark(kind, table, mark_, marked);
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string IsolationOutliers::str() const {
  return concat(action_, " rows of score above ", threshold_, " in ", forest_.trees(), " trees over ", columns_.str());
}

SYNTHDATA_INLINE void IsolationOutliers::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(archive, prefix, kind, {{"action", name_of(action_)}, {"mark", mark_}, {"threshold", threshold_}},
                    &columns_.schema());
  archive.add(prefix + ".medians", medians_);
  forest_.save(archive, prefix + ".forest");
}

SYNTHDATA_INLINE IsolationOutliers IsolationOutliers::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  IsolationOutliers step;
  step.action_ = detail::outlier_action(saved);
  step.mark_ = saved.text("mark");
  step.threshold_ = saved.number("threshold");
  step.columns_ = detail::FittedColumns(kind, saved.schema());
  step.medians_ = saved.tensor("medians", DType::f64, 1);
  step.forest_ = IsolationForest::load(archive, prefix + ".forest");
  const auto width = static_cast<std::int64_t>(step.columns_.size());
  if (step.medians_.size() != width || step.forest_.columns() != width) saved.fail("its forest has other columns");
  return step;
}

}  // namespace synthdata
