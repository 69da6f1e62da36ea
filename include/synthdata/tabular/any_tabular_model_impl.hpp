// synthdata/tabular/any_tabular_model_impl.hpp: bodies of any_tabular_model.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/tabular/any_tabular_model.hpp>

namespace synthdata::models {

SYNTHDATA_INLINE std::vector<std::string> tabular_model_names() { return {"ar", "ctgan", "tvae", "copula", "smote"}; }

SYNTHDATA_INLINE AnyTabularModel fit_tabular_model(const std::string& name, const Table& table,
                                                   const TabularTraining& training, const TabularCallback& progress) {
  if (name == "ar") return AnyTabularModel(TabularAr::fit(table, {}, training, progress));
  if (name == "ctgan") return AnyTabularModel(Ctgan::fit(table, {}, training, progress));
  if (name == "tvae") return AnyTabularModel(Tvae::fit(table, {}, training, progress));
  if (name == "copula") return AnyTabularModel(GaussianCopula::fit(table));
  if (name == "smote") return AnyTabularModel(Smote::fit(table));
  throw DataError(concat("expects a model of tables, ar, ctgan, tvae, copula or smote, got ", in_quotes(name)));
}

SYNTHDATA_INLINE AnyTabularModel load_tabular_model(const std::string& path) {
  const Archive archive = load_safetensors(path);
  const auto format = archive.metadata.find("format");
  const std::string name = format == archive.metadata.end() ? std::string() : format->second;
  if (name.starts_with("synthdata tabular_ar ")) return AnyTabularModel(TabularAr::load(path));
  if (name.starts_with("synthdata ctgan ")) return AnyTabularModel(Ctgan::load(path));
  if (name.starts_with("synthdata tvae ")) return AnyTabularModel(Tvae::load(path));
  if (name.starts_with("synthdata gaussian_copula ")) return AnyTabularModel(GaussianCopula::load(path));
  if (name.starts_with("synthdata smote ")) return AnyTabularModel(Smote::load(path));
  throw DataError(concat(path, ": expects a model of tables, got ", in_quotes(name)));
}

}  // namespace synthdata::models
