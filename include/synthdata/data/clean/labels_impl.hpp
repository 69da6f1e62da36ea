// synthdata/data/clean/labels_impl.hpp: bodies of labels.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/features_impl.hpp>
#include <synthdata/data/clean/labels.hpp>
#include <synthdata/data/nearest.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

/// Places of the labels in classes_; -1 where missing, -2 for one that the training data does not have.
SYNTHDATA_INLINE std::vector<std::int64_t> SuspiciousLabels::codes(const Table& table) const {
  const Column& column = table[label_];
  std::vector<std::int64_t> codes(static_cast<std::size_t>(table.size()), -1);
  std::string cell;
  for (std::int64_t i = 0; i < table.size(); ++i) {
    if (detail::is_absent(column, i)) continue;
    cell.clear();
    column.append_cell(cell, i);
    const auto at = std::lower_bound(classes_.begin(), classes_.end(), cell);
    codes[static_cast<std::size_t>(i)] = at != classes_.end() && *at == cell ? at - classes_.begin() : -2;
  }
  return codes;
}

/// [N, classes] f64.
SYNTHDATA_INLINE Tensor SuspiciousLabels::probabilities(const Table& table,
                                                        const std::vector<std::int64_t>& codes) const {
  const auto classes = static_cast<std::int64_t>(classes_.size());
  Tensor shares = Tensor::zeros({table.size(), classes}, DType::f64, Device::cpu());
  const std::int64_t asked = k_ < points_.shape(0) ? k_ + 1 : points_.shape(0);
  const Nearest found = nearest(features_.matrix(table).to(DType::f32), points_, asked);
  for (std::int64_t i = 0; i < table.size(); ++i) {
    const std::int64_t* index = found.index.data<std::int64_t>() + i * asked;
    const double* distance = found.distance.data<double>() + i * asked;
    const auto label = [&](std::int64_t j) { return labels_.data<std::int64_t>()[index[j]]; };
    std::int64_t itself = asked - 1;  // left out: the row, or else the one too many
    for (std::int64_t j = asked; j-- > 0;) {
      if (distance[j] == 0.0 && label(j) == codes[static_cast<std::size_t>(i)]) itself = j;
    }
    const double vote = 1.0 / static_cast<double>(asked - 1);
    for (std::int64_t j = 0; j < asked; ++j) {
      if (j != itself) shares.data<double>()[i * classes + label(j)] += vote;
    }
  }
  return shares;
}

SYNTHDATA_INLINE SuspiciousLabels SuspiciousLabels::fit(const Table& training, const SuspiciousLabelsOptions& options) {
  if (options.k < 1) throw NumericError(concat(kind, ": expects k >= 1, got ", options.k));
  if (options.action == OutlierAction::clip)
    throw NumericError(concat(kind, ": labels are not clipped; mark or remove"));
  SuspiciousLabels step;
  step.action_ = options.action;
  step.label_ = options.label;
  step.mark_ = options.mark;
  step.k_ = options.k;
  const Column& column = training[options.label];
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < training.size(); ++i) {
    if (!detail::is_absent(column, i)) rows.push_back(i);
  }
  const Table labelled = training.take(rows);
  if (labelled.size() < 2) {
    throw DataError(concat(kind, ": expects at least two rows with a label, got ", labelled.size()));
  }
  step.features_ = detail::Features(kind, labelled, options.columns, options.label);
  if (step.features_.columns().size() == 0) throw DataError(concat(kind, ": there is no column to tell the label by"));
  for (std::size_t c = 0; c < step.features_.columns().size(); ++c) {
    if (step.features_.columns()[c].name == options.label) {
      throw DataError(concat(kind, ": column ", in_quotes(options.label), " is the label itself"));
    }
  }
  constexpr std::size_t most = 1000;
  for (std::int64_t i = 0; i < labelled.size(); ++i) {
    std::string cell = labelled[options.label].cell(i);
    const auto at = std::lower_bound(step.classes_.begin(), step.classes_.end(), cell);
    if (at != step.classes_.end() && *at == cell) continue;
    step.classes_.insert(at, std::move(cell));
    if (step.classes_.size() > most) {
      throw DataError(
          concat(kind, ": column ", in_quotes(options.label), " has more than ", most, " different labels"));
    }
  }
  step.points_ = step.features_.matrix(labelled).to(DType::f32);
  const std::vector<std::int64_t> codes = step.codes(labelled);
  step.labels_ = Tensor::from(codes, Device::cpu());
  const Tensor shares = step.probabilities(labelled, codes);
  step.thresholds_.assign(step.classes_.size(), 0.0);
  std::vector<double> counts(step.classes_.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto own = static_cast<std::size_t>(codes[i]);
    step.thresholds_[own] += shares.data<double>()[i * step.classes_.size() + own];
    counts[own] += 1.0;
  }
  for (std::size_t j = 0; j < counts.size(); ++j) step.thresholds_[j] /= counts[j];
  return step;
}

SYNTHDATA_INLINE std::vector<SuspiciousLabel> SuspiciousLabels::find(const Table& table) const {
  const std::vector<std::int64_t> own = codes(table);
  const Tensor shares = probabilities(table, own);
  std::vector<SuspiciousLabel> found;
  std::string cell;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i] == -1) continue;
    const double* p = shares.data<double>() + i * classes_.size();
    std::int64_t likeliest = -1;
    for (std::size_t j = 0; j < classes_.size(); ++j) {
      // a class that none of its neighbours has tells nothing, whatever its threshold
      const bool confident = p[j] > 0.0 && p[j] >= thresholds_[j];
      if (confident && (likeliest < 0 || p[j] > p[likeliest])) likeliest = static_cast<std::int64_t>(j);
    }
    if (likeliest < 0 || likeliest == own[i]) continue;
    // two labels that are equally likely contradict nothing
    if (own[i] >= 0 && p[own[i]] >= thresholds_[static_cast<std::size_t>(own[i])] && p[own[i]] == p[likeliest])
      continue;
    const auto row = static_cast<std::int64_t>(i);
    found.push_back({row, table[label_].cell(row), classes_[static_cast<std::size_t>(likeliest)], p[likeliest]});
  }
  return found;
}

SYNTHDATA_INLINE Table SuspiciousLabels::apply(const Table& table, CleaningReport* report) const {
  std::vector<bool> marked(static_cast<std::size_t>(table.size()));
  for (const SuspiciousLabel& label : find(table)) marked[static_cast<std::size_t>(label.row)] = true;
  if (report) {
    const std::int64_t count = std::count(marked.begin(), marked.end(), true);
    report->add(kind, label_, "doubted", count);
    report->add(kind, "", action_ == OutlierAction::mark ? "marked" : "removed", count);
  }
  if (action_ == OutlierAction::mark) return detail::with_mark(kind, table, mark_, marked);
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string SuspiciousLabels::str() const {
  return concat(in_quotes(label_), " by ", k_, " neighbours in ", features_.columns().str());
}

SYNTHDATA_INLINE void SuspiciousLabels::save(Archive& archive, const std::string& prefix) const {
  Json::Object members{{"label", label_},
                       {"mark", mark_},
                       {"action", name_of(action_)},
                       {"k", k_},
                       {"classes", detail::json_list(classes_)},
                       {"thresholds", Json::Array(thresholds_.begin(), thresholds_.end())}};
  features_.save(members);
  detail::save_step(archive, prefix, kind, std::move(members), &features_.columns().schema());
  archive.add(prefix + ".points", points_);
  archive.add(prefix + ".labels", labels_);
}

SYNTHDATA_INLINE SuspiciousLabels SuspiciousLabels::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  SuspiciousLabels step;
  step.label_ = saved.text("label");
  step.mark_ = saved.text("mark");
  step.action_ = detail::outlier_action(saved);
  step.k_ = saved.integer("k");
  step.classes_ = saved.texts("classes");
  step.features_ = detail::Features(kind, saved);
  step.points_ = saved.tensor("points", DType::f32, 2);
  step.labels_ = saved.tensor("labels", DType::i64, 1);
  const Json::Array* thresholds = saved.member("thresholds").get_if<Json::Array>();
  const auto classes = static_cast<std::int64_t>(step.classes_.size());
  if (step.k_ < 1 || !thresholds || std::ssize(*thresholds) != classes ||
      !std::is_sorted(step.classes_.begin(), step.classes_.end()) || step.labels_.size() < 2 ||
      !(step.points_.shape() == Shape{step.labels_.size(), step.features_.width()})) {
    saved.fail("its parts do not fit each other");
  }
  for (const Json& threshold : *thresholds) {
    if (!threshold.is_number()) saved.fail("a threshold is no number");
    step.thresholds_.push_back(threshold.number());
  }
  for (const std::int64_t label : step.labels_.span<std::int64_t>()) {
    if (label < 0 || label >= classes) saved.fail("a label is none of its classes");
  }
  return step;
}

}  // namespace synthdata
