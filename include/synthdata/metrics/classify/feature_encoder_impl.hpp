// synthdata/metrics/classify/feature_encoder_impl.hpp: bodies of classify/feature_encoder.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/classify/feature_encoder.hpp>
#include <synthdata/metrics/joint_codes_impl.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {

namespace detail {

/// The column's values as numbers, NaN where missing.
inline std::vector<double> finite_numbers(const Column& column) {
  std::vector<double> values = all_numbers(column);
  const auto bad = std::find_if(values.begin(), values.end(), [](double value) { return std::isinf(value); });
  if (bad != values.end()) {
    throw DataError(concat("feature_encoder: column ", in_quotes(column.name()), " is infinite in row ",
                           bad - values.begin(), "; expects finite or missing values"));
  }
  return values;
}

/// For each row the place of its text in `categories` (sorted), -1 where missing, -2 if it is not there.
inline std::vector<std::int64_t> places_of_cells(const Column& column, const std::vector<std::string>& categories) {
  Numbering<std::string> numbering;
  for (const std::string& category : categories) numbering(category);
  const std::vector<std::int32_t> numbers = number_cells(column, numbering);
  std::vector<std::int64_t> places(numbers.begin(), numbers.end());
  for (std::int64_t& place : places) {
    if (place >= static_cast<std::int64_t>(categories.size())) place = -2;
  }
  return places;
}

/// The texts of a column, sorted, with the number of rows of each.
inline std::vector<std::pair<std::string, std::int64_t>> counted_cells(const Column& column) {
  Numbering<std::string> numbering;
  const std::vector<std::int32_t> numbers = number_cells(column, numbering);
  std::vector<std::pair<std::string, std::int64_t>> cells(static_cast<std::size_t>(numbering.count()));
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    if (numbers[row] < 0) continue;
    auto& [text, count] = cells[static_cast<std::size_t>(numbers[row])];
    if (count++ == 0) text = column.cell(static_cast<std::int64_t>(row));
  }
  std::erase_if(cells, [](const auto& cell) { return cell.second == 0; });
  std::sort(cells.begin(), cells.end());
  return cells;
}

}  // namespace detail

SYNTHDATA_INLINE void FeatureEncoder::fit(const Table& table) {
  constexpr std::size_t most_categories = 255;
  columns_.clear();
  names_.clear();
  categorical_.clear();
  for (const Column& column : table.columns()) {
    if (detail::is_text(column)) continue;
    Encoded encoded{.name = column.name(), .discrete = detail::is_discrete(column)};
    if (encoded.discrete) {
      std::vector<std::pair<std::string, std::int64_t>> cells = detail::counted_cells(column);
      const bool many = cells.size() > most_categories;
      if (many) {
        std::stable_sort(cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
        cells.resize(most_categories - 1);
        std::sort(cells.begin(), cells.end());
      }
      for (auto& [text, count] : cells) encoded.categories.push_back(std::move(text));
      encoded.columns = static_cast<std::int64_t>(cells.size());
      if (many) encoded.other_at = encoded.columns++;
      if (encoding_ == FeatureEncoding::native) {
        categorical_.push_back(width());
        encoded.columns = 1;
        names_.push_back(encoded.name);
      } else {
        if (column.missing_count() > 0) encoded.missing_at = encoded.columns++;
        if (encoding_ == FeatureEncoding::sdgym && encoded.columns == 2 && encoded.categories.size() == 2)
          encoded.columns = 1;
        if (encoded.columns == 1 && encoded.categories.size() == 2) {
          names_.push_back(concat(encoded.name, " = ", encoded.categories[1]));
        } else {
          for (const std::string& category : encoded.categories)
            names_.push_back(concat(encoded.name, " = ", category));
          if (many) names_.push_back(concat(encoded.name, " is rare"));
          if (encoded.missing_at >= 0) names_.push_back(concat(encoded.name, " is missing"));
        }
      }
      columns_.push_back(std::move(encoded));
      continue;
    }
    std::vector<double> values = detail::finite_numbers(column);
    const std::size_t all = values.size();
    std::erase_if(values, [](double value) { return std::isnan(value); });
    names_.push_back(encoded.name);
    if (encoding_ != FeatureEncoding::native && !values.empty()) {
      const auto n = static_cast<double>(values.size());
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      double mean = 0.0, squares = 0.0;
      for (const double value : values) mean += value / n;
      for (const double value : values) squares += (value - mean) * (value - mean) / n;
      encoded.fill = mean;
      if (encoding_ == FeatureEncoding::standardised) {
        encoded.shift = mean;
        encoded.scale = *low < *high && squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0;
      } else if (*low >= 0.0 && *high >= 1e3) {
        encoded.logarithm = true;
      } else {
        encoded.shift = *low;
        encoded.scale = *low < *high ? 5.0 / (*high - *low) : 0.0;
      }
    }
    if (encoding_ != FeatureEncoding::native && values.size() < all) {
      encoded.marks_missing = true;
      encoded.columns = 2;
      names_.push_back(concat(encoded.name, " is missing"));
    }
    columns_.push_back(std::move(encoded));
  }
  if (columns_.empty()) throw DataError("feature_encoder: the table has no column but texts and identifiers");
}

SYNTHDATA_INLINE Tensor FeatureEncoder::operator()(const Table& table) const {
  if (columns_.empty()) throw Error("feature_encoder: has not been fitted");
  Tensor out = Tensor::zeros({table.size(), width()}, DType::f64, Device::cpu());
  const std::int64_t step = width();
  double* first = out.data<double>();
  for (const Encoded& encoded : columns_) {
    const Column& column = table[encoded.name];
    if (encoded.discrete ? !detail::is_discrete(column) : !detail::is_continuous(column)) {
      throw DataError(concat("feature_encoder: column ", in_quotes(encoded.name), " is ", column.type(), "; expects ",
                             encoded.discrete ? "categories" : "numbers", ", as in the table fitted"));
    }
    double* to = first;
    if (encoded.discrete) {
      const std::vector<std::int64_t> places = detail::places_of_cells(column, encoded.categories);
      const bool single = encoded.columns == 1 && encoded.categories.size() == 2;
      for (std::size_t i = 0; i < places.size(); ++i, to += step) {
        std::int64_t place = places[i] == -2 ? encoded.other_at : places[i];
        if (encoding_ == FeatureEncoding::native) {
          *to = place < 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(place);
        } else if (single) {
          *to = place < 0 ? 0.5 : static_cast<double>(place);
        } else {
          if (places[i] == -1) place = encoded.missing_at;
          if (place >= 0) to[place] = 1.0;
        }
      }
    } else {
      const std::vector<double> values = detail::finite_numbers(column);
      for (std::size_t i = 0; i < values.size(); ++i, to += step) {
        if (encoding_ == FeatureEncoding::native) {
          *to = values[i];
          continue;
        }
        const bool missing = std::isnan(values[i]);
        const double value = missing ? encoded.fill : values[i];
        *to = ((encoded.logarithm ? std::log(std::max(value, 0.01)) : value) - encoded.shift) * encoded.scale;
        if (missing && encoded.marks_missing) to[1] = 1.0;
      }
    }
    first += encoded.columns;
  }
  return out;
}

}  // namespace synthdata
