// synthdata/data/transform/transform_impl.hpp: bodies of data/transform/transform.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/gaussian_mixture.hpp>
#include <synthdata/data/transform/transform.hpp>
#include <synthdata/io/safetensors.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthdata {

SYNTHDATA_INLINE const char* name_of(BlockKind kind) {
  constexpr const char* names[] = {"number", "one-hot", "code", "flag"};
  return names[static_cast<std::size_t>(kind)];
}

namespace detail {

SYNTHDATA_INLINE Distinct distinct(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  Distinct out;
  for (const double value : sorted) {
    if (out.values.empty() || out.values.back() != value) {
      out.values.push_back(value);
      out.counts.push_back(0);
    }
    ++out.counts.back();
  }
  return out;
}

SYNTHDATA_INLINE std::vector<double> thinned(std::span<const double> values, std::int64_t most, Rng rng) {
  if (static_cast<std::int64_t>(values.size()) <= most) return {values.begin(), values.end()};
  std::vector<double> out(static_cast<std::size_t>(most));
  const auto rows = static_cast<double>(values.size());
  for (std::int64_t i = 0; i < most; ++i) {
    const double place = (static_cast<double>(i) + double{rng.uniform()}) / static_cast<double>(most) * rows;
    out[static_cast<std::size_t>(i)] = values[std::min(static_cast<std::size_t>(place), values.size() - 1)];
  }
  return out;
}

SYNTHDATA_INLINE void check_loaded(bool good, const char* kind, const char* what) {
  if (!good) throw DataError(concat("the ", what, " of a saved ", kind, " cannot be right"));
}

SYNTHDATA_INLINE void TransformSaver::operator()(const char* key, const Tensor& value) const {
  archive.add(prefix + "." + key, value);
}
SYNTHDATA_INLINE void TransformSaver::operator()(const char* key, const GaussianMixture& value) const {
  value.save(archive, prefix + "." + key);
}
SYNTHDATA_INLINE void TransformSaver::operator()(const char* key, const transform::Levels& value) const {
  Json::Object inner;
  const std::string path = prefix + "." + key;
  transform::Levels::visit(value, TransformSaver{inner, archive, path});
  members.push_back({key, std::move(inner)});
}

template <class T>
void load_member(const Json& json, const std::string& prefix, const char* key, T& value) {
  const Json* member = json.find(key);
  const T* found = member ? member->get_if<T>() : nullptr;
  if (!found) throw DataError(concat(prefix, ": expects a member ", in_quotes(key), ", or it has another type"));
  value = *found;
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, bool& value) const {
  load_member(json, prefix, key, value);
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, std::int64_t& value) const {
  load_member(json, prefix, key, value);
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, std::string& value) const {
  load_member(json, prefix, key, value);
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, double& value) const {
  const Json* member = json.find(key);
  if (!member || !member->is_number()) throw DataError(concat(prefix, ": expects a number ", in_quotes(key)));
  value = member->number();
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, Tensor& value) const {
  value = archive.at(prefix + "." + key);
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, GaussianMixture& value) const {
  value = GaussianMixture::load(archive, prefix + "." + key);
}
SYNTHDATA_INLINE void TransformLoader::operator()(const char* key, transform::Levels& value) const {
  const Json* member = json.find(key);
  if (!member) throw DataError(concat(prefix, ": expects a member ", in_quotes(key)));
  const std::string path = prefix + "." + key;
  transform::Levels::visit(value, TransformLoader{*member, archive, path});
  value.prepare();
}

}  // namespace detail

namespace transform {

SYNTHDATA_INLINE void Levels::fit(const Training& training, std::int64_t most, double least_share) {
  synthdata::detail::Distinct all;
  const ColumnType type = training.schema.type;
  if (type == ColumnType::categorical || type == ColumnType::boolean) {
    // all that the schema has, also where no training row has it
    const std::size_t size = type == ColumnType::boolean ? 2 : training.schema.categories.size();
    all.values.resize(size);
    std::iota(all.values.begin(), all.values.end(), 0.0);
    all.counts.assign(size, 0);
    for (const double value : training.values) ++all.counts[static_cast<std::size_t>(value)];
  } else {
    all = synthdata::detail::distinct(training.values);
  }
  const std::size_t size = all.values.size();
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return all.counts[a] > all.counts[b]; });
  missing_ = training.missing_count;
  const double rows = static_cast<double>(training.values.size()) + static_cast<double>(missing_);
  std::vector<char> rare(size);
  for (std::size_t i = 0; i < size; ++i) {
    rare[order[i]] = (most > 0 && i >= static_cast<std::size_t>(most)) ||
                     static_cast<double>(all.counts[order[i]]) < least_share * rows;
  }
  const auto pick = [&](char wanted, Tensor& values, Tensor& counts) {
    const auto count = static_cast<std::int64_t>(std::count(rare.begin(), rare.end(), wanted));
    values = Tensor::empty({count}, DType::f64, Device::cpu());
    counts = Tensor::empty({count}, DType::i64, Device::cpu());
    std::int64_t at = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (rare[i] != wanted) continue;
      values.data<double>()[at] = all.values[i];
      counts.data<std::int64_t>()[at++] = all.counts[i];
    }
  };
  pick(0, kept_, kept_counts_);
  pick(1, rare_, rare_counts_);
  prepare();
}

SYNTHDATA_INLINE void Levels::prepare() {
  bool good = missing_ >= 0 && missing_ < (std::int64_t{1} << 50);
  rows_ = missing_;
  rare_sums_.clear();
  double largest = -1.0;
  bool whole = true;
  for (const auto& [values, counts] : {std::pair{&kept_, &kept_counts_}, std::pair{&rare_, &rare_counts_}}) {
    good = good && values->defined() && counts->defined() && values->dtype() == DType::f64 && values->rank() == 1 &&
           counts->dtype() == DType::i64 && counts->shape() == values->shape();
    for (std::int64_t i = 0; good && i < values->size(); ++i) {
      const double value = values->data<double>()[i];
      const std::int64_t count = counts->data<std::int64_t>()[i];
      good = std::isfinite(value) && (i == 0 || value > values->data<double>()[i - 1]) && count >= 0 &&
             count < (std::int64_t{1} << 50) && rows_ < (std::int64_t{1} << 60);
      if (!good) break;
      rows_ += count;
      largest = std::max(largest, value);
      whole = whole && value >= 0.0 && value < 2e9 && value == std::floor(value);
      if (values == &rare_) rare_sums_.push_back((rare_sums_.empty() ? 0 : rare_sums_.back()) + count);
    }
  }
  synthdata::detail::check_loaded(good && size() > 0 && size() < (std::int64_t{1} << 31), "table of levels",
                                  "values and counts");
  direct_.clear();
  const std::int64_t values = kept_.size() + rare_.size();
  if (whole && largest < 64.0 + 4.0 * static_cast<double>(values)) {
    direct_.assign(static_cast<std::size_t>(largest + 1.0), -1);
    for (std::int64_t i = 0; i < kept_.size(); ++i) {
      direct_[static_cast<std::size_t>(kept_.data<double>()[i])] = static_cast<std::int32_t>(i);
    }
    for (const double value : rare_.span<double>()) {
      std::int32_t& level = direct_[static_cast<std::size_t>(value)];
      synthdata::detail::check_loaded(level < 0, "table of levels", "values");
      level = static_cast<std::int32_t>(kept_.size());
    }
  }
}

SYNTHDATA_INLINE std::int64_t Levels::count(std::int64_t level) const {
  if (level < kept_size()) return kept_counts_.data<std::int64_t>()[level];
  if (rare_size() > 0 && level == kept_size()) return rare_sums_.back();
  return missing_;
}
SYNTHDATA_INLINE std::int64_t Levels::most_frequent() const {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < size(); ++i) {
    if (count(i) > count(best)) best = i;
  }
  return best;
}

SYNTHDATA_INLINE std::int64_t Levels::level_of(double value) const {
  if (std::isnan(value)) return missing_ > 0 ? size() - 1 : -1;
  if (!direct_.empty()) {
    if (!(value >= 0.0 && value < static_cast<double>(direct_.size()))) return -1;
    const auto index = static_cast<std::size_t>(value);
    return static_cast<double>(index) == value ? direct_[index] : -1;
  }
  const auto place = [&](const Tensor& values) {
    const std::span<const double> all = values.span<double>();
    const auto at = std::lower_bound(all.begin(), all.end(), value);
    return at != all.end() && *at == value ? at - all.begin() : -1;
  };
  const std::int64_t kept = place(kept_);
  return kept >= 0 ? kept : place(rare_) >= 0 ? kept_.size() : -1;
}

SYNTHDATA_INLINE double Levels::value_of(std::int64_t level, Rng* rng) const {
  if (level >= 0 && level < kept_size()) return kept_.data<double>()[level];
  if (level < 0 || level >= size() || rare_size() == 0 || level > kept_size()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (!rng || rare_sums_.back() == 0) {
    const std::span<const std::int64_t> counts = rare_counts_.span<std::int64_t>();
    return rare_.data<double>()[std::max_element(counts.begin(), counts.end()) - counts.begin()];
  }
  const std::int64_t drawn = rng->below(rare_sums_.back());
  return rare_.data<double>()[std::upper_bound(rare_sums_.begin(), rare_sums_.end(), drawn) - rare_sums_.begin()];
}

}  // namespace transform

SYNTHDATA_INLINE ColumnTransform::ColumnTransform(const ColumnTransform&) = default;
SYNTHDATA_INLINE ColumnTransform::ColumnTransform(ColumnTransform&&) noexcept = default;
SYNTHDATA_INLINE ColumnTransform& ColumnTransform::operator=(ColumnTransform other) noexcept {
  steps_.swap(other.steps_);
  std::swap(trained_, other.trained_);
  return *this;
}
SYNTHDATA_INLINE ColumnTransform::~ColumnTransform() = default;

SYNTHDATA_INLINE ColumnTransform ColumnTransform::then(const ColumnTransform& next) const {
  if (!steps_.empty() && steps_.back()->ends() && !next.steps_.empty()) {
    throw DataError(concat("transforms: nothing can follow ", steps_.back()->name(), ", got ", next.str()));
  }
  ColumnTransform chain = *this;
  chain.steps_.insert(chain.steps_.end(), next.steps_.begin(), next.steps_.end());
  return chain;
}

SYNTHDATA_INLINE bool ColumnTransform::takes_missing() const { return !steps_.empty() && steps_.back()->takes_missing(); }

SYNTHDATA_INLINE void ColumnTransform::fit(const transform::Training& training) {
  std::vector<double> values;
  std::span<const double> seen = training.values;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i]->fit({.values = seen,
                    .missing_count = training.missing_count,
                    .schema = training.schema,
                    .rng = training.rng.split(i)});
    if (i + 1 == steps_.size()) break;
    if (values.empty()) values.assign(seen.begin(), seen.end());
    steps_[i]->apply(values);
    seen = values;
  }
  if (!training.values.empty()) {
    const auto [low, high] = std::minmax_element(training.values.begin(), training.values.end());
    trained_ = {*low, *high};
  }
}

SYNTHDATA_INLINE std::vector<EncodedBlock> ColumnTransform::blocks() const {
  if (!steps_.empty() && steps_.back()->ends()) return steps_.back()->blocks();
  transform::Interval range = trained_;
  for (const auto& step : steps_) range = step->range(range);
  return {{.low = range.low, .high = range.high}};
}

SYNTHDATA_INLINE void ColumnTransform::encode(std::span<double> values, float* out, std::int64_t stride,
                                              Rng* rng) const {
  for (const auto& step : steps_) {
    if (step->ends()) return step->encode(values, out, stride, rng);
    step->apply(values);
  }
  for (std::size_t i = 0; i < values.size(); ++i, out += stride) *out = static_cast<float>(values[i]);
}

SYNTHDATA_INLINE void ColumnTransform::decode(const float* in, std::int64_t stride, std::span<double> values,
                                              Rng* rng) const {
  std::size_t left = steps_.size();
  if (left > 0 && steps_.back()->ends()) {
    steps_[--left]->decode(in, stride, values, rng);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i, in += stride) values[i] = double{*in};
  }
  while (left > 0) steps_[--left]->invert(values);
}

SYNTHDATA_INLINE std::string ColumnTransform::str() const {
  std::string out;
  for (const auto& step : steps_) out += (out.empty() ? "" : " | ") + std::string(step->name());
  return out.empty() ? "number" : out;
}

SYNTHDATA_INLINE Json ColumnTransform::save(Archive& archive, const std::string& prefix) const {
  Json::Array list;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Json::Object members = {{"kind", steps_[i]->name()}};
    const std::string path = concat(prefix, ".", i);
    steps_[i]->save({members, archive, path});
    list.emplace_back(std::move(members));
  }
  return Json::Object{{"steps", std::move(list)}, {"low", trained_.low}, {"high", trained_.high}};
}

}  // namespace synthdata
