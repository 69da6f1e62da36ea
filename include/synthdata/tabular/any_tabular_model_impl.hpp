// synthdata/tabular/any_tabular_model_impl.hpp: bodies of any_tabular_model.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/tabular/any_tabular_model.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace synthdata::models {

SYNTHDATA_INLINE Table AnyTabularModel::sample_parts(const std::vector<SamplePart>& parts,
                                                     const SampleOptions& options) const {
  return transform_.sample(parts, options, held_->schema(),
                           [&](std::int64_t rows, const Conditions& conditions, const SampleOptions& how) {
                             return held_->sample(rows, conditions, how);
                           });
}

SYNTHDATA_INLINE Table AnyTabularModel::sample(std::int64_t rows, const Conditions& conditions,
                                               const SampleOptions& options) const {
  return transform_.changes() ? sample_parts({{rows, conditions}}, options) : held_->sample(rows, conditions, options);
}

SYNTHDATA_INLINE std::function<Table(std::int64_t rows)> AnyTabularModel::pieces(const Conditions& conditions,
                                                                                 const SampleOptions& options) const {
  if (!transform_.changes()) return held_->pieces(conditions, options);
  return transform_.pieces(conditions, options, held_->schema(),
                           [this](std::int64_t rows, const Conditions& given, const SampleOptions& how) {
                             return held_->sample(rows, given, how);
                           });
}

SYNTHDATA_INLINE Table AnyTabularModel::sample_balanced(std::int64_t rows, const std::string& column,
                                                        const std::vector<std::pair<std::string, double>>& shares,
                                                        const Conditions& conditions,
                                                        const SampleOptions& options) const {
  const auto fail = [&](const std::string& what) {
    throw DataError(concat("sample_balanced: column ", in_quotes(column), ": ", what));
  };
  if (rows < 0) throw DataError(concat("sample: expects a number of rows >= 0, got ", rows));
  const Schema known = schema();
  const ColumnSchema& of = known[column];
  std::vector<std::pair<std::string, double>> parts = shares;
  if (shares.empty()) {
    if (of.type == ColumnType::boolean) parts = {{of.true_text, 1.0}, {of.false_text, 1.0}};
    for (const std::string& category : of.categories) parts.emplace_back(category, 1.0);
    if (parts.empty()) fail(concat("expects shares of values, since it is ", of.type));
  }
  double total = 0.0;
  std::set<std::string> seen;
  for (const auto& [value, share] : parts) {
    if (!(share >= 0.0) || !std::isfinite(share)) fail(concat("expects shares >= 0, got ", share));
    if (!seen.insert(value).second) fail(concat("value ", in_quotes(value), " comes twice"));
    total += share;
  }
  if (!(total > 0.0) || !std::isfinite(total)) fail("expects a share above 0");
  // Whole numbers of rows; those that rounding down leaves go to the largest fractions.
  std::vector<SamplePart> groups;
  std::vector<std::pair<double, std::size_t>> fractions;
  std::int64_t left = rows;
  for (const auto& [value, share] : parts) {
    const double exact = share / total * static_cast<double>(rows);
    const auto whole = static_cast<std::int64_t>(exact);
    fractions.emplace_back(static_cast<double>(whole) - exact, groups.size());
    Conditions own = conditions;
    own.emplace_back(column, value);
    groups.push_back({whole, std::move(own)});
    left -= whole;
  }
  std::sort(fractions.begin(), fractions.end());
  for (std::size_t i = 0; left > 0; i = (i + 1) % fractions.size(), --left) ++groups[fractions[i].second].rows;
  std::erase_if(groups, [](const SamplePart& part) { return part.rows == 0; });
  if (groups.empty()) return sample(0, conditions, options);
  const Table made = sample_parts(groups, options);
  Rng rng = Rng{options.seed}.split(2);
  return made.take(rng.permutation(made.size()));
}

SYNTHDATA_INLINE Archive AnyTabularModel::archive() const {
  Archive archive = held_->archive();
  transform_.save(archive);
  return archive;
}

SYNTHDATA_INLINE void AnyTabularModel::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE std::vector<std::string> tabular_model_names() { return {"ar", "ctgan", "tvae", "copula", "smote"}; }

SYNTHDATA_INLINE AnyTabularModel fit_tabular_model(const std::string& name, const Table& table,
                                                   const TabularOptions& options, const TabularCallback& progress) {
  const std::vector<std::string> names = tabular_model_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw DataError(concat("expects a model of tables, ar, ctgan, tvae, copula or smote, got ", in_quotes(name)));
  }
  auto [transform, learnt] = TableTransform::fit(table, options.rules, options.columns, options.training.seed);
  if (name == "ctgan") return AnyTabularModel(Ctgan::fit(learnt, {}, options.training, progress), std::move(transform));
  if (name == "tvae") return AnyTabularModel(Tvae::fit(learnt, {}, options.training, progress), std::move(transform));
  if (name == "copula") return AnyTabularModel(GaussianCopula::fit(learnt), std::move(transform));
  if (name == "smote") return AnyTabularModel(Smote::fit(learnt), std::move(transform));
  return AnyTabularModel(TabularAr::fit(learnt, {}, options.training, progress), std::move(transform));
}

SYNTHDATA_INLINE AnyTabularModel fit_tabular_model(const std::string& name, const Table& table,
                                                   const TabularTraining& training, const TabularCallback& progress) {
  return fit_tabular_model(name, table, TabularOptions{.training = training}, progress);
}

SYNTHDATA_INLINE AnyTabularModel load_tabular_model(const std::string& path) {
  const OnDevice host(Device::cpu());
  const Archive archive = load_safetensors(path);
  const auto format = archive.metadata.find("format");
  const std::string name = format == archive.metadata.end() ? std::string() : format->second;
  TableTransform transform = TableTransform::load(archive);
  if (name.starts_with("synthdata tabular_ar ")) {
    return AnyTabularModel(TabularAr::from_archive(archive, path), std::move(transform));
  }
  if (name.starts_with("synthdata ctgan ")) {
    return AnyTabularModel(Ctgan::from_archive(archive, path), std::move(transform));
  }
  if (name.starts_with("synthdata tvae ")) {
    return AnyTabularModel(Tvae::from_archive(archive, path), std::move(transform));
  }
  if (name.starts_with("synthdata gaussian_copula ")) {
    return AnyTabularModel(GaussianCopula::from_archive(archive, path), std::move(transform));
  }
  if (name.starts_with("synthdata smote ")) {
    return AnyTabularModel(Smote::from_archive(archive, path), std::move(transform));
  }
  throw DataError(concat(path, ": expects a model of tables, got ", in_quotes(name)));
}

}  // namespace synthdata::models
