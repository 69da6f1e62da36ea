// synthdata/metrics/joint_codes_impl.hpp: bodies of joint_codes.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/joint_codes.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

namespace synthdata::detail {

/// Numbers values as they come.
template <class Key>
class Numbering {
 public:
  std::int32_t operator()(const Key& key) {
    return numbers_.try_emplace(key, static_cast<std::int32_t>(numbers_.size())).first->second;
  }
  std::int32_t count() const { return static_cast<std::int32_t>(numbers_.size()); }

 private:
  std::unordered_map<Key, std::int32_t> numbers_;
};

/// Numbers for all rows; a category is looked up once, not once a row.
inline std::vector<std::int32_t> number_cells(const Column& column, Numbering<std::string>& numbering) {
  const bool coded = column.type() == ColumnType::categorical && !column.schema().as_written;
  std::vector<std::int32_t> of_code(coded ? column.schema().categories.size() : 0, -1);
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(column.size()), -1);
  std::string cell;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_missing(row)) continue;
    std::int32_t& number = numbers[static_cast<std::size_t>(row)];
    if (coded) {
      const auto code = static_cast<std::size_t>(column.code(row));
      if (of_code[code] < 0) of_code[code] = numbering(column.schema().categories[code]);
      number = of_code[code];
    } else {
      cell.clear();
      column.append_cell(cell, row);
      number = numbering(cell);
    }
  }
  return numbers;
}

inline std::vector<std::int32_t> number_values(const Column& column, Numbering<double>& numbering) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(column.size()), -1);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const double value = column.number(row);
    if (!std::isnan(value)) numbers[static_cast<std::size_t>(row)] = numbering(value == 0.0 ? 0.0 : value);
  }
  return numbers;
}

SYNTHDATA_INLINE JointCodes joint_codes(const Column& real, const Column& synthetic) {
  JointCodes codes;
  if (is_continuous(real) && is_continuous(synthetic)) {
    Numbering<double> numbering;
    codes.real = number_values(real, numbering);
    codes.synthetic = number_values(synthetic, numbering);
    codes.count = numbering.count();
  } else {
    Numbering<std::string> numbering;
    codes.real = number_cells(real, numbering);
    codes.synthetic = number_cells(synthetic, numbering);
    codes.count = numbering.count();
  }
  return codes;
}

SYNTHDATA_INLINE std::vector<double> all_numbers(const Column& column) {
  std::vector<double> values(static_cast<std::size_t>(column.size()));
  for (std::int64_t row = 0; row < column.size(); ++row) values[static_cast<std::size_t>(row)] = column.number(row);
  return values;
}

SYNTHDATA_INLINE std::vector<double> present_numbers(const Column& column) {
  std::vector<double> values = all_numbers(column);
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values;
}

SYNTHDATA_INLINE void check_comparable(const char* metric, const Column& real, const Column& synthetic) {
  if (is_continuous(real) != is_continuous(synthetic)) {
    throw DataError(concat(metric, ": real column ", in_quotes(real.name()), " is ", real.type(), ", synthetic column ",
                           in_quotes(synthetic.name()), " is ", synthetic.type(), "; these cannot be compared"));
  }
}

SYNTHDATA_INLINE std::vector<Column> matching_columns(const char* metric, const Table& real, const Table& synthetic) {
  std::vector<Column> columns;
  for (const Column& column : real.columns()) {
    if (synthetic.find(column.name()) < 0) {
      throw DataError(concat(metric, ": the synthetic table has no column ", in_quotes(column.name()), "; it has ",
                             list_names(synthetic.schema().columns)));
    }
    columns.push_back(synthetic[column.name()]);
    check_comparable(metric, column, columns.back());
  }
  return columns;
}

}  // namespace synthdata::detail
