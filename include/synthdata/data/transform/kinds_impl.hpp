// synthdata/data/transform/kinds_impl.hpp: bodies of data/transform/kinds.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/kinds.hpp>
#include <synthdata/data/transform/transform_impl.hpp>

namespace synthdata {
namespace detail {

template <class... Kinds>
ColumnTransform load_kind(const std::string& kind, const TransformLoader& loader) {
  ColumnTransform out;
  bool known = false;
  const auto try_one = [&]<class T>(T loaded) {
    if (known || kind != T::name) return;
    known = true;
    T::visit(loaded, loader);
    loaded.prepare();
    out = ColumnTransform(std::move(loaded));
  };
  (try_one(Kinds{}), ...);
  if (!known) throw DataError(concat(loader.prefix, ": no transform is called ", in_quotes(kind)));
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE ColumnTransform load_transform(const Json& json, const Archive& archive, const std::string& prefix) {
  using namespace transform;
  const Json* const steps = json.find("steps");
  const auto* const list = steps ? steps->get_if<Json::Array>() : nullptr;
  if (!list || list->size() > 100) throw DataError(prefix + ": expects a list of \"steps\"");
  ColumnTransform out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string path = concat(prefix, ".", i);
    std::string kind;
    detail::load_member((*list)[i], path, "kind", kind);
    out = out.then(detail::load_kind<Standardize, MinMax, Quantile, SignedLog, OneHot, Ordinal, Frequency, Modes, DateParts,
                                     LeaveOut>(kind, {(*list)[i], archive, path}));
  }
  const detail::TransformLoader loader{json, archive, prefix};
  loader("low", out.trained_.low);
  loader("high", out.trained_.high);
  return out;
}

}  // namespace synthdata
