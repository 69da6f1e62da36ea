// synthdata/data/privacy/mondrian_impl.hpp: bodies of data/privacy/mondrian.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/anonymity_impl.hpp>
#include <synthdata/data/privacy/members.hpp>
#include <synthdata/data/privacy/mondrian.hpp>
#include <synthdata/data/table_impl.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace synthdata {

namespace detail {

/// A hierarchy as a tree whose leaves are numbered from left to right, so that a node is a range of leaves.
class HierarchyTree {
 public:
  struct Node {
    std::string name;
    std::vector<std::size_t> children;  // from left to right
    std::int64_t first = 0, last = 0;   // leaves
  };
  /// @throws DataError unless it is a tree.
  explicit HierarchyTree(const Hierarchy& hierarchy) {
    const auto fail = [&](const std::string& text) {
      throw DataError(concat("Mondrian: the hierarchy of column ", in_quotes(hierarchy.column), ": ", text));
    };
    std::unordered_map<std::string_view, std::size_t> places;
    std::vector<bool> has_parent;
    const auto place = [&](const std::string& name) {
      const auto [at, is_new] = places.emplace(name, nodes_.size());
      if (is_new) {
        nodes_.push_back({name, {}});
        has_parent.push_back(false);
      }
      return at->second;
    };
    for (const auto& [child, parent] : hierarchy.parents) {
      const std::size_t below = place(child), above = place(parent);
      if (has_parent[below]) fail(concat(in_quotes(child), " has two parents"));
      has_parent[below] = true;
      nodes_[above].children.push_back(below);
    }
    const auto roots = std::count(has_parent.begin(), has_parent.end(), false);
    if (roots != 1) fail(concat("expects one name without a parent, there are ", roots));
    root_ = static_cast<std::size_t>(std::find(has_parent.begin(), has_parent.end(), false) - has_parent.begin());
    std::vector<std::pair<std::size_t, std::size_t>> path{{root_, 0}};  // node and how many children are done
    std::size_t visited = 1;
    while (!path.empty()) {
      auto& [node, done] = path.back();
      if (done == 0) nodes_[node].first = static_cast<std::int64_t>(leaves_.size());
      if (nodes_[node].children.empty()) leaves_.push_back(node);
      if (done == nodes_[node].children.size()) {
        nodes_[node].last = static_cast<std::int64_t>(leaves_.size()) - 1;
        path.pop_back();
      } else {
        const std::size_t child = nodes_[node].children[done++];
        path.emplace_back(child, 0);
        ++visited;
      }
    }
    if (visited != nodes_.size()) fail("some names are their own ancestors");
  }

  std::int64_t leaves() const { return static_cast<std::int64_t>(leaves_.size()); }
  const Node& leaf(std::int64_t number) const { return nodes_[leaves_[static_cast<std::size_t>(number)]]; }
  /// The lowest node that has both leaves.
  const Node& common(std::int64_t low, std::int64_t high) const {
    const Node* node = &nodes_[root_];
    while (!node->children.empty()) {
      const Node& next = nodes_[node->children[child(*node, low)]];
      if (high > next.last) break;
      node = &next;
    }
    return *node;
  }
  /// Which child of the node has the leaf.
  std::size_t child(const Node& node, std::int64_t leaf) const {
    const auto at = std::partition_point(node.children.begin(), node.children.end(),
                                         [&](std::size_t c) { return nodes_[c].last < leaf; });
    return static_cast<std::size_t>(at - node.children.begin());
  }

 private:
  std::vector<Node> nodes_;
  std::vector<std::size_t> leaves_;
  std::size_t root_ = 0;
};

/// What a class's values span in one quasi-identifier.
struct Extent {
  std::int64_t low = -1, high = -1;  ///< ranks; -1 if all values are missing
  bool some_missing = false;
  std::int64_t distinct = 0;  ///< only for categories without a hierarchy
  double penalty = 0.0;
};

/// A quasi-identifier: its values by rank, and how they are cut and named.
class Dimension {
 public:
  Dimension(const Column& column, const Hierarchy* hierarchy) : column_(column), values_(ordered_values(column)) {
    if (hierarchy) {
      tree_.emplace_back(*hierarchy);
      if (values_.ordered || column.type() == ColumnType::boolean) {
        throw DataError(concat("Mondrian: column ", in_quotes(column.name()), " is ", column.type(),
                               "; a hierarchy is for categories and texts"));
      }
      std::unordered_map<std::string_view, std::int64_t> leaves;
      for (std::int64_t i = 0; i < tree_[0].leaves(); ++i) leaves.emplace(tree_[0].leaf(i).name, i);
      std::vector<std::int64_t> leaf_of, examples(leaves.size(), -1);
      for (const std::int64_t row : values_.examples) {
        const std::string text = column.cell(row);
        const auto at = leaves.find(text);
        if (at == leaves.end()) {
          throw DataError(
              concat("Mondrian: column ", in_quotes(column.name()), ": the hierarchy has no leaf ", in_quotes(text)));
        }
        leaf_of.push_back(at->second);
        examples[static_cast<std::size_t>(at->second)] = row;
      }
      for (std::int64_t& rank : values_.rank) rank = rank < 0 ? rank : leaf_of[static_cast<std::size_t>(rank)];
      values_.examples = std::move(examples);
    } else if (values_.ordered) {
      for (const std::int64_t row : values_.examples) {
        const double number = column.number(row);
        if (!std::isfinite(number)) {
          throw DataError(concat("Mondrian: column ", in_quotes(column.name()), ", row ", row,
                                 ": expects a finite number, got ", column.cell(row)));
        }
        numbers_.push_back(number);
      }
    } else {
      seen_.assign(values_.examples.size(), 0);
    }
  }

  std::int64_t rank(std::size_t row) const { return values_.rank[row]; }

  Extent extent(const std::vector<std::size_t>& rows) {
    Extent extent;
    ++mark_;
    for (const std::size_t row : rows) {
      const std::int64_t r = rank(row);
      if (r < 0) {
        extent.some_missing = true;
        continue;
      }
      extent.low = extent.low < 0 ? r : std::min(extent.low, r);
      extent.high = std::max(extent.high, r);
      if (!seen_.empty() && seen_[static_cast<std::size_t>(r)] != mark_) {
        seen_[static_cast<std::size_t>(r)] = mark_;
        ++extent.distinct;
      }
    }
    if (extent.low >= 0 && extent.some_missing) {
      extent.penalty = 1.0;
    } else if (extent.low < extent.high) {
      if (!tree_.empty()) {
        const auto& node = tree_[0].common(extent.low, extent.high);
        extent.penalty = static_cast<double>(node.last - node.first + 1) / static_cast<double>(tree_[0].leaves());
      } else if (values_.ordered) {
        // halves, since the whole range may be beyond the largest number
        const auto half = [&](std::int64_t r) { return 0.5 * numbers_[static_cast<std::size_t>(r)]; };
        const double all = half(static_cast<std::int64_t>(numbers_.size()) - 1) - half(0);
        extent.penalty = all > 0.0 ? (half(extent.high) - half(extent.low)) / all : 0.0;
      } else {
        extent.penalty = static_cast<double>(extent.distinct) / static_cast<double>(values_.examples.size());
      }
    }
    return extent;
  }

  /// By what the rows of that extent are cut: their rank, or the part of the hierarchy they belong to; -1 if missing.
  void keys(const Extent& extent, const std::vector<std::size_t>& rows, std::vector<std::int64_t>& keys) const {
    keys.clear();
    if (tree_.empty() || extent.low < 0) {
      for (const std::size_t row : rows) keys.push_back(rank(row));
      return;
    }
    const auto& node = tree_[0].common(extent.low, extent.high);
    for (const std::size_t row : rows) {
      const std::int64_t r = rank(row);
      keys.push_back(r < 0 ? -1 : static_cast<std::int64_t>(tree_[0].child(node, r)));
    }
  }

  /// What the rows get; empty for missing.
  std::string label(const Extent& extent, const std::vector<std::size_t>& rows) const {
    if (extent.low < 0) return {};
    if (extent.some_missing) return "*";
    const auto text = [&](std::int64_t r) { return column_.cell(values_.examples[static_cast<std::size_t>(r)]); };
    if (extent.low == extent.high) return text(extent.low);
    if (!tree_.empty()) return tree_[0].common(extent.low, extent.high).name;
    if (values_.ordered) return concat(text(extent.low), "..", text(extent.high));
    if (extent.distinct == static_cast<std::int64_t>(values_.examples.size())) return "*";
    std::vector<bool> here(values_.examples.size());
    for (const std::size_t row : rows) here[static_cast<std::size_t>(rank(row))] = true;
    std::string out;
    for (std::size_t r = 0; r < here.size(); ++r) {
      if (here[r]) out += (out.empty() ? "" : " | ") + text(static_cast<std::int64_t>(r));
    }
    return out;
  }

  /// The commonest value of the rows, which have one each, the first of equally common ones: a row that has it.
  std::int64_t commonest(const std::vector<std::size_t>& rows) const {
    std::vector<std::int64_t> ranks;
    for (const std::size_t row : rows) ranks.push_back(rank(row));
    std::sort(ranks.begin(), ranks.end());
    std::size_t best = 0, most = 0;
    for (std::size_t i = 0; i < ranks.size();) {
      std::size_t end = i;
      while (end < ranks.size() && ranks[end] == ranks[i]) ++end;
      if (end - i > most) {
        most = end - i;
        best = i;
      }
      i = end;
    }
    return values_.examples[static_cast<std::size_t>(ranks[best])];
  }

  const Column& column() const { return column_; }
  bool ordered() const { return values_.ordered; }

 private:
  const Column& column_;
  OrderedValues values_;
  std::vector<HierarchyTree> tree_;  // none or one
  std::vector<double> numbers_;      // by rank
  std::vector<std::int64_t> seen_;   // by rank: the mark of the extent() that last saw it
  std::int64_t mark_ = 0;
};

/// The classes of a table.
class MondrianCuts {
 public:
  using Rows = std::vector<std::size_t>;

  MondrianCuts(const MondrianOptions& options, const Table& table) : options_(options) {
    for (const std::string& name : options.quasi_identifiers) {
      const auto hierarchy = std::find_if(options.hierarchies.begin(), options.hierarchies.end(),
                                          [&](const Hierarchy& h) { return h.column == name; });
      dimensions_.emplace_back(table[name], hierarchy == options.hierarchies.end() ? nullptr : &*hierarchy);
    }
    for (const std::string& name : options.sensitive) sensitive_.emplace_back(table[name]);
    Rows all(static_cast<std::size_t>(table.size()));
    std::iota(all.begin(), all.end(), std::size_t{0});
    if (table.size() < options.k) {
      throw DataError(concat("Mondrian: k = ", options.k, " needs as many rows, the table has ", table.size()));
    }
    for (std::size_t i = 0; i < sensitive_.size(); ++i) {
      if (const double l = diversity(sensitive_[i].measure(all)); !diverse_enough(l)) {
        throw DataError(concat("Mondrian: column ", in_quotes(options.sensitive[i]),
                               ": no class can have l = ", options.l, ", the whole table has ", l));
      }
    }
    std::vector<Rows> open;
    open.push_back(std::move(all));
    while (!open.empty()) {
      Rows rows = std::move(open.back());
      open.pop_back();
      Rows left, right;
      if (cut(rows, left, right)) {
        open.push_back(std::move(right));
        open.push_back(std::move(left));
      } else {
        classes_.push_back(std::move(rows));
      }
    }
  }

  std::vector<Dimension>& dimensions() { return dimensions_; }
  const std::vector<Rows>& classes() const { return classes_; }

 private:
  double diversity(const SensitiveValues::Measure& measure) const {
    return options_.diversity == Diversity::distinct ? static_cast<double>(measure.distinct) : measure.entropy_l;
  }
  bool diverse_enough(double l) const { return l >= options_.l * (1.0 - 1e-12); }  // exp(log) rounds
  bool allowed(const Rows& rows) const {
    if (static_cast<std::int64_t>(rows.size()) < options_.k) return false;
    if (options_.l <= 1.0 && options_.t >= 1.0) return true;
    return std::all_of(sensitive_.begin(), sensitive_.end(), [&](const SensitiveValues& values) {
      const auto measure = values.measure(rows);
      return diverse_enough(diversity(measure)) && measure.t <= options_.t + 1e-12;
    });
  }

  /// False if no cut is allowed.
  bool cut(const Rows& rows, Rows& left, Rows& right) {
    if (static_cast<std::int64_t>(rows.size()) / 2 < options_.k) return false;
    std::vector<Extent> extents;
    for (Dimension& dimension : dimensions_) extents.push_back(dimension.extent(rows));
    std::vector<std::size_t> order(dimensions_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return extents[a].penalty > extents[b].penalty; });
    const auto part = [&](auto&& goes_left) {
      left.clear();
      right.clear();
      for (std::size_t i = 0; i < rows.size(); ++i) (goes_left(i) ? left : right).push_back(rows[i]);
      return allowed(left) && allowed(right);
    };
    for (const std::size_t d : order) {
      if (extents[d].penalty <= 0.0) break;
      dimensions_[d].keys(extents[d], rows, keys_);
      if (extents[d].some_missing && part([&](std::size_t i) { return keys_[i] < 0; })) return true;
      if (options_.relaxed) {
        std::vector<std::size_t> places(rows.size());
        std::iota(places.begin(), places.end(), std::size_t{0});
        const auto middle = places.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
        const auto before = [&](std::size_t a, std::size_t b) {
          return keys_[a] != keys_[b] ? keys_[a] < keys_[b] : a < b;
        };
        std::nth_element(places.begin(), middle, places.end(), before);
        const std::size_t first_right = *middle;
        if (part([&](std::size_t i) { return before(i, first_right); })) return true;
        continue;
      }
      sorted_ = keys_;
      const auto middle = sorted_.begin() + static_cast<std::ptrdiff_t>((rows.size() - 1) / 2);
      std::nth_element(sorted_.begin(), middle, sorted_.end());
      const std::int64_t median = *middle;
      const auto up_to = std::count_if(keys_.begin(), keys_.end(), [&](std::int64_t key) { return key <= median; });
      const auto below = std::count_if(keys_.begin(), keys_.end(), [&](std::int64_t key) { return key < median; });
      const auto count = static_cast<std::ptrdiff_t>(rows.size());
      const bool first_up_to = std::min(up_to, count - up_to) >= std::min(below, count - below);
      const std::int64_t cuts[] = {first_up_to ? median : median - 1, first_up_to ? median - 1 : median};
      for (const std::int64_t last : cuts) {
        if (part([&](std::size_t i) { return keys_[i] <= last; })) return true;
      }
    }
    return false;
  }

  const MondrianOptions& options_;
  std::vector<Dimension> dimensions_;
  std::vector<SensitiveValues> sensitive_;
  std::vector<Rows> classes_;
  std::vector<std::int64_t> keys_, sorted_;
};

/// Categories in the order of their first row. `label(c)` is what the rows of class c get; empty for missing.
template <class F>
Column labelled(const Column& column, const std::vector<std::vector<std::size_t>>& classes, F&& label) {
  std::vector<std::int64_t> codes(static_cast<std::size_t>(column.size()));
  std::vector<bool> missing(codes.size());
  std::vector<std::string> categories;
  std::unordered_map<std::string, std::int64_t> known;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::string text = label(c);
    std::int64_t code = -1;
    if (!text.empty()) {
      const auto [at, is_new] = known.emplace(std::move(text), static_cast<std::int64_t>(categories.size()));
      if (is_new) categories.push_back(at->first);
      code = at->second;
    }
    for (const std::size_t row : classes[c]) {
      codes[row] = std::max<std::int64_t>(code, 0);
      missing[row] = code < 0;
    }
  }
  Column made = Column::categorical(column.name(), codes, std::move(categories), missing);
  ColumnSchema spelling = made.schema();
  spelling.missing = column.schema().missing;
  return made.spelled(spelling);
}

/// The typical value of each class.
SYNTHDATA_INLINE Column typical_column(const Dimension& dimension, const std::vector<Extent>& extents,
                                       const std::vector<std::vector<std::size_t>>& classes) {
  const Column& column = dimension.column();
  std::vector<std::int64_t> source(static_cast<std::size_t>(column.size()), 0);
  std::vector<bool> missing(source.size());
  std::vector<std::int64_t> whole(source.size());
  std::vector<double> real(source.size());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const bool none = extents[c].low < 0 || extents[c].some_missing;
    std::int64_t row_of = 0, middle = 0;
    double mean = 0.0;
    if (!none && dimension.ordered()) {
      const auto count = static_cast<double>(classes[c].size());
      if (column.type() == ColumnType::real) {
        for (const std::size_t row : classes[c]) mean += column.real(static_cast<std::int64_t>(row)) / count;
      } else {  // the distance from the smallest, so that large numbers stay exact
        const auto value = [&](std::size_t row) { return column.integer(static_cast<std::int64_t>(row)); };
        const auto [low, high] = std::minmax_element(classes[c].begin(), classes[c].end(),
                                                     [&](std::size_t a, std::size_t b) { return value(a) < value(b); });
        const auto least = static_cast<std::uint64_t>(value(*low));
        const std::uint64_t most = static_cast<std::uint64_t>(value(*high)) - least;
        for (const std::size_t row : classes[c]) {
          mean += static_cast<double>(static_cast<std::uint64_t>(value(row)) - least) / count;
        }
        mean = std::floor(mean + 0.5);
        middle = static_cast<std::int64_t>(
            least + (mean < static_cast<double>(most) ? static_cast<std::uint64_t>(mean) : most));
      }
    } else if (!none) {
      row_of = dimension.commonest(classes[c]);
    }
    for (const std::size_t row : classes[c]) {
      missing[row] = none;
      source[row] = row_of;
      whole[row] = middle;
      real[row] = mean;
    }
  }
  const ColumnSchema& schema = column.schema();
  if (column.type() == ColumnType::real) {
    return Column::reals(column.name(), real, missing).spelled(schema);
  }
  if (column.type() == ColumnType::integer) return Column::integers(column.name(), whole, missing).spelled(schema);
  if (column.type() == ColumnType::date_time) {
    return Column::date_times(column.name(), whole, schema.pattern, schema.zone, missing).spelled(schema);
  }
  ColumnParts parts = column.take(source).parts();
  parts.schema.as_written = false;
  parts.missing = missing_marks(missing);
  // nobody's value stays behind a missing one
  if (holds_texts(schema)) {
    const Texts texts = parts.texts;
    parts.texts = join_texts(parts.size, [&](std::int64_t row) {
      return missing[static_cast<std::size_t>(row)] ? std::string_view() : texts[row];
    });
    return Column(std::move(parts));
  }
  parts.texts = {};
  for (std::int64_t row = 0; row < parts.size; ++row) {
    if (!missing[static_cast<std::size_t>(row)]) continue;
    if (column.type() == ColumnType::boolean) parts.values.data<std::uint8_t>()[row] = 0;
    if (column.type() == ColumnType::categorical) store_code(parts, row, 0);
  }
  return Column(std::move(parts));
}

}  // namespace detail

SYNTHDATA_INLINE Mondrian::Mondrian(MondrianOptions options) : options_(std::move(options)) {
  const MondrianOptions& o = options_;
  if (o.k < 1 || !(o.l >= 1.0) || !(o.t >= 0.0 && o.t <= 1.0)) {
    throw NumericError(
        concat("Mondrian: expects k >= 1, l >= 1 and 0 <= t <= 1, got k = ", o.k, ", l = ", o.l, ", t = ", o.t));
  }
  if (o.quasi_identifiers.empty()) throw DataError("Mondrian: expects at least one quasi-identifier");
  for (std::size_t i = 0; i < o.quasi_identifiers.size(); ++i) {
    const std::string& name = o.quasi_identifiers[i];
    const auto rest = o.quasi_identifiers.begin() + static_cast<std::ptrdiff_t>(i + 1);
    if (std::find(rest, o.quasi_identifiers.end(), name) != o.quasi_identifiers.end()) {
      throw DataError(concat("Mondrian: quasi-identifier ", in_quotes(name), " comes twice"));
    }
    if (std::find(o.sensitive.begin(), o.sensitive.end(), name) != o.sensitive.end()) {
      throw DataError(concat("Mondrian: column ", in_quotes(name), " is both sensitive and a quasi-identifier"));
    }
  }
  if (o.sensitive.empty() && (o.l > 1.0 || o.t < 1.0)) {
    throw DataError("Mondrian: l-diversity and t-closeness need a sensitive column");
  }
  for (const Hierarchy& hierarchy : o.hierarchies) {
    const auto& names = o.quasi_identifiers;
    if (std::find(names.begin(), names.end(), hierarchy.column) == names.end()) {
      throw DataError(
          concat("Mondrian: the hierarchy of column ", in_quotes(hierarchy.column), ": that is no quasi-identifier"));
    }
    detail::HierarchyTree{hierarchy};
  }
}

SYNTHDATA_INLINE Anonymized Mondrian::apply(const Table& table, CleaningReport* report) const {
  for (const std::string& name : options_.sensitive) table[name];
  detail::MondrianCuts cuts(options_, table);
  Anonymized result;
  result.classes.resize(static_cast<std::size_t>(table.size()));
  for (std::size_t c = 0; c < cuts.classes().size(); ++c) {
    for (const std::size_t row : cuts.classes()[c]) result.classes[row] = static_cast<std::int64_t>(c);
  }
  result.table = table;
  for (detail::Dimension& dimension : cuts.dimensions()) {
    ColumnLoss loss{.column = dimension.column().name()};
    std::vector<detail::Extent> extents;
    for (const auto& rows : cuts.classes()) {
      extents.push_back(dimension.extent(rows));
      loss.penalty += extents.back().penalty * static_cast<double>(rows.size());
    }
    loss.penalty /= static_cast<double>(table.size());
    const auto label = [&](std::size_t c) { return dimension.label(extents[c], cuts.classes()[c]); };
    Column made = options_.recoding == Recoding::range ? detail::labelled(dimension.column(), cuts.classes(), label)
                                                       : detail::typical_column(dimension, extents, cuts.classes());
    std::string before, after;
    for (std::int64_t row = 0; row < table.size(); ++row) {
      before.clear();
      after.clear();
      if (!dimension.column().is_missing(row)) dimension.column().append_cell(before, row);
      if (!made.is_missing(row)) made.append_cell(after, row);
      loss.changed += before != after;
    }
    result.penalty += loss.penalty / static_cast<double>(cuts.dimensions().size());
    if (report) report->add("k-anonymity", loss.column, "generalised", loss.changed);
    result.losses.push_back(std::move(loss));
    result.table = result.table.with(std::move(made));
  }
  result.before = anonymity(table, options_.quasi_identifiers, options_.sensitive);
  result.after = anonymity(result.table, options_.quasi_identifiers, options_.sensitive);
  result.average_class = static_cast<double>(table.size()) / static_cast<double>(result.after.classes * options_.k);
  return result;
}

SYNTHDATA_INLINE std::string Anonymized::str() const {
  std::string out = "before: " + before.str() + "after:  " + after.str();
  out += concat("average class over k ", detail::four_digits(average_class), ", certainty penalty ",
                detail::four_digits(penalty), '\n');
  std::size_t widest = 0;
  for (const ColumnLoss& loss : losses) widest = std::max(widest, std::min<std::size_t>(loss.column.size(), 40));
  for (const ColumnLoss& loss : losses) {
    out += concat("  ", loss.column, std::string(std::max(widest, loss.column.size()) + 2 - loss.column.size(), ' '),
                  loss.changed, " cells changed, penalty ", detail::four_digits(loss.penalty), '\n');
  }
  return out;
}

SYNTHDATA_INLINE Json Anonymized::json() const {
  Json::Array list;
  for (const ColumnLoss& loss : losses) {
    list.push_back(Json::Object{{"column", loss.column}, {"changed", loss.changed}, {"penalty", loss.penalty}});
  }
  return Json::Object{{"before", before.json()},
                      {"after", after.json()},
                      {"losses", std::move(list)},
                      {"penalty", penalty},
                      {"average_class", average_class}};
}

SYNTHDATA_INLINE Json Mondrian::json() const {
  const MondrianOptions& o = options_;
  Json::Array hierarchies;
  for (const Hierarchy& hierarchy : o.hierarchies) {
    Json::Array parents;
    for (const auto& [child, parent] : hierarchy.parents) parents.push_back(Json::Array{child, parent});
    hierarchies.push_back(Json::Object{{"column", hierarchy.column}, {"parents", std::move(parents)}});
  }
  return Json::Object{{"kind", "mondrian"},
                      {"quasi_identifiers", detail::json_texts(o.quasi_identifiers)},
                      {"k", o.k},
                      {"relaxed", o.relaxed},
                      {"sensitive", detail::json_texts(o.sensitive)},
                      {"l", o.l},
                      {"diversity", o.diversity == Diversity::distinct ? "distinct" : "entropy"},
                      {"t", o.t},
                      {"hierarchies", std::move(hierarchies)},
                      {"recoding", o.recoding == Recoding::range ? "range" : "typical"}};
}

SYNTHDATA_INLINE Mondrian Mondrian::from_json(const Json& json) {
  const detail::JsonMembers members(
      json, "Mondrian",
      {"kind", "quasi_identifiers", "k", "relaxed", "sensitive", "l", "diversity", "t", "hierarchies", "recoding"});
  MondrianOptions o;
  std::size_t kind = 0, diversity = 0, recoding = 0;
  members.read_name("kind", {"mondrian"}, kind);
  members.read("quasi_identifiers", o.quasi_identifiers);
  members.read("k", o.k);
  members.read("relaxed", o.relaxed);
  members.read("sensitive", o.sensitive);
  members.read("l", o.l);
  members.read("t", o.t);
  members.read_name("diversity", {"distinct", "entropy"}, diversity);
  members.read_name("recoding", {"range", "typical"}, recoding);
  o.diversity = static_cast<Diversity>(diversity);
  o.recoding = static_cast<Recoding>(recoding);
  for (const Json& item : members.list("hierarchies")) {
    const detail::JsonMembers tree(item, "Mondrian: hierarchy", {"column", "parents"});
    Hierarchy hierarchy;
    tree.read("column", hierarchy.column);
    for (const Json& pair : tree.list("parents")) {
      const auto* both = pair.get_if<Json::Array>();
      const auto* child = both && both->size() == 2 ? (*both)[0].get_if<std::string>() : nullptr;
      const auto* parent = child ? (*both)[1].get_if<std::string>() : nullptr;
      if (!parent) throw DataError("Mondrian: hierarchy: expects pairs of texts as member \"parents\"");
      hierarchy.parents.emplace_back(*child, *parent);
    }
    o.hierarchies.push_back(std::move(hierarchy));
  }
  return Mondrian(std::move(o));
}

}  // namespace synthdata
