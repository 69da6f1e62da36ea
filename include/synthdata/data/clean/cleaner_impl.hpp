// synthdata/data/clean/cleaner_impl.hpp: bodies of cleaner.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/cleaner.hpp>
#include <synthdata/data/clean/duplicates.hpp>
#include <synthdata/data/clean/fill.hpp>
#include <synthdata/data/clean/isolation_forest.hpp>
#include <synthdata/data/clean/knn_fill.hpp>
#include <synthdata/data/clean/labels.hpp>
#include <synthdata/data/clean/missing.hpp>
#include <synthdata/data/clean/near_duplicates.hpp>
#include <synthdata/data/clean/outliers.hpp>
#include <synthdata/data/clean/regression_fill.hpp>

namespace synthdata {

SYNTHDATA_INLINE Table Cleaner::apply(const Table& table, CleaningReport* report) const {
  Table cleaned = table;
  for (const AnyCleaningStep& step : steps_) cleaned = step.apply(cleaned, report);
  return cleaned;
}
SYNTHDATA_INLINE Schema Cleaner::apply(const Schema& schema) const { return apply(empty_table(schema)).schema(); }

SYNTHDATA_INLINE std::string Cleaner::str() const {
  std::string out;
  for (const AnyCleaningStep& step : steps_) out += concat(step.kind(), ": ", step.str(), "\n");
  return out;
}

SYNTHDATA_INLINE Json Cleaner::json() const {
  Json::Array list;
  for (const AnyCleaningStep& step : steps_) {
    list.push_back(Json::Object{{"kind", step.kind()}, {"about", step.str()}});
  }
  return Json::Object{{"steps", std::move(list)}};
}

SYNTHDATA_INLINE void Cleaner::save(Archive& archive, const std::string& prefix) const {
  Json::Array kinds;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    kinds.push_back(steps_[i].kind());
    steps_[i].save(archive, concat(prefix, ".", i));
  }
  detail::save_step(archive, prefix, "cleaner", {{"steps", std::move(kinds)}});
}

SYNTHDATA_INLINE Cleaner Cleaner::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, "cleaner");
  Cleaner cleaner;
  const std::vector<std::string> kinds = saved.texts("steps");
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string at = concat(prefix, ".", i);
    const auto is = [&]<class S>(const S*) {
      if (kinds[i] != S::kind) return false;
      cleaner.add(AnyCleaningStep(S::load(archive, at)));
      return true;
    };
    const auto one_of = [&]<class... S>(const S*... steps) { return (is(steps) || ...); };
    const bool known = one_of(static_cast<const DropColumns*>(nullptr), static_cast<const DropMissingRows*>(nullptr),
                              static_cast<const Duplicates*>(nullptr), static_cast<const NearDuplicates*>(nullptr),
                              static_cast<const NearDuplicateTexts*>(nullptr), static_cast<const FillMissing*>(nullptr),
                              static_cast<const KnnFill*>(nullptr), static_cast<const RegressionFill*>(nullptr),
                              static_cast<const Outliers*>(nullptr), static_cast<const IsolationOutliers*>(nullptr),
                              static_cast<const SuspiciousLabels*>(nullptr));
    if (!known) saved.fail(concat("no step is called ", in_quotes(kinds[i])));
  }
  return cleaner;
}

SYNTHDATA_INLINE void Cleaner::save(const std::string& path) const {
  Archive archive;
  save(archive, "cleaner");
  save_safetensors(path, archive);
}
SYNTHDATA_INLINE Cleaner Cleaner::load(const std::string& path) { return load(load_safetensors(path), "cleaner"); }

}  // namespace synthdata
