// synthdata/data/clean/features_impl.hpp: bodies of features.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/features.hpp>
#include <synthdata/data/clean/knn_fill_impl.hpp>

#include <cmath>
#include <numbers>

namespace synthdata::detail {

SYNTHDATA_INLINE void Features::place() {
  places_.assign(1, 0);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const ColumnSchema& column = columns_[c];
    const bool coded = column.type == ColumnType::categorical;
    const std::int64_t classes = coded ? static_cast<std::int64_t>(column.categories.size()) : 2;
    places_.push_back(places_.back() + (is_class(column.type) ? classes : 1));
  }
}

SYNTHDATA_INLINE Features::Features(const char* step, const Table& training, const std::vector<std::string>& names,
                                    const std::string& except)
    : step_(step) {
  std::vector<std::string> chosen = names;
  for (const Column& column : training.columns()) {
    if (names.empty() && !is_textual(column.type()) && column.name() != except) chosen.push_back(column.name());
  }
  if (!chosen.empty()) {
    columns_ = FittedColumns(step, training, chosen, [](ColumnType type) { return !is_textual(type); });
  }
  place();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    double mean = 0.0, squares = 0.0, count = 0.0;
    if (!is_class(columns_[c].type)) {
      const std::vector<double> numbers = columns_.numbers(columns_.in(training, c), c);
      for (const double number : numbers) {
        if (std::isnan(number)) continue;
        if (std::isinf(number)) {
          throw DataError(concat(step, ": column ", in_quotes(columns_[c].name), " has infinite values"));
        }
        count += 1.0;
        mean += (number - mean) / count;
      }
      for (const double number : numbers) squares += std::isnan(number) ? 0.0 : (number - mean) * (number - mean);
    }
    means_.push_back(mean);
    scales_.push_back(squares > 0.0 && std::isfinite(squares) ? std::sqrt(squares / count) : 1.0);
  }
}

SYNTHDATA_INLINE Tensor Features::matrix(const Table& table) const {
  Tensor matrix = Tensor::zeros({table.size(), width()}, DType::f64, Device::cpu());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const std::vector<double> numbers = columns_.numbers(columns_.in(table, c), c);
    const bool classes = is_class(columns_[c].type);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (std::isnan(numbers[i])) continue;
      if (std::isinf(numbers[i])) {
        throw DataError(concat(step_, ": column ", in_quotes(columns_[c].name), " is infinite in row ", i));
      }
      double* to = matrix.data<double>() + static_cast<std::int64_t>(i) * width() + places_[c];
      if (classes) {
        to[static_cast<std::size_t>(numbers[i])] = 1.0 / std::numbers::sqrt2;
      } else {
        *to = (numbers[i] - means_[c]) / scales_[c];
      }
    }
  }
  return matrix;
}

SYNTHDATA_INLINE void Features::save(Json::Object& members) const {
  members.push_back({"means", Json::Array(means_.begin(), means_.end())});
  members.push_back({"scales", Json::Array(scales_.begin(), scales_.end())});
}

SYNTHDATA_INLINE Features::Features(const char* step, const SavedStep& saved)
    : step_(step), columns_(step, saved.schema()) {
  place();
  for (const char* key : {"means", "scales"}) {
    const Json::Array* list = saved.member(key).get_if<Json::Array>();
    if (!list || list->size() != columns_.size()) saved.fail("has not a mean and a scale a column");
    for (const Json& value : *list) {
      if (!value.is_number() || (key[0] == 's' && !(value.number() > 0.0))) saved.fail("a mean or scale is no number");
      (key[0] == 's' ? scales_ : means_).push_back(value.number());
    }
  }
}

}  // namespace synthdata::detail
