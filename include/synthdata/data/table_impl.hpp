// synthdata/data/table_impl.hpp: bodies of data/table.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/table.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

namespace synthdata {

namespace detail {

inline bool holds_texts(const ColumnSchema& schema) {
  return schema.type == ColumnType::text || schema.type == ColumnType::identifier;
}
/// The dtype of ColumnParts::values.
inline DType stored_as(ColumnType type) {
  if (type == ColumnType::real) return DType::f64;
  return type == ColumnType::boolean || type == ColumnType::categorical ? DType::u8 : DType::i64;
}
/// As few bytes as hold the codes of so many categories.
inline std::uint8_t code_width(std::int64_t categories) { return categories <= 256 ? 1 : categories <= 65536 ? 2 : 4; }
inline std::uint32_t load_code(const ColumnParts& parts, std::int64_t row) {
  const auto* at = static_cast<const std::uint8_t*>(parts.values.bytes()) + row * parts.width;
  if (parts.width == 1) return *at;
  std::uint16_t half = 0;
  std::uint32_t code = 0;
  if (parts.width == 2) {
    std::memcpy(&half, at, 2);
    return half;
  }
  std::memcpy(&code, at, 4);
  return code;
}
inline void store_code(ColumnParts& parts, std::int64_t row, std::uint32_t code) {
  auto* at = static_cast<std::uint8_t*>(parts.values.bytes()) + row * parts.width;
  const auto half = static_cast<std::uint16_t>(code);
  if (parts.width == 1) *at = static_cast<std::uint8_t>(code);
  if (parts.width == 2) std::memcpy(at, &half, 2);
  if (parts.width == 4) std::memcpy(at, &code, 4);
}
/// Makes room for `size` codes of parts.schema.categories.
SYNTHDATA_INLINE void make_codes(ColumnParts& parts) {
  const auto categories = static_cast<std::int64_t>(parts.schema.categories.size());
  if (categories > std::numeric_limits<std::uint32_t>::max()) throw DataError("a column of more than 2^32 categories");
  parts.width = code_width(categories);
  parts.values = Tensor::empty({parts.size * parts.width}, DType::u8, Device::cpu());
}

/// The marks of missing values while a column is made; an undefined tensor as long as there is none.
class MissingMarks {
 public:
  explicit MissingMarks(std::int64_t size) : size_(size) {}
  void mark(std::int64_t row) {
    if (!marks_.defined()) marks_ = Tensor::zeros({(size_ + 7) / 8}, DType::u8, Device::cpu());
    auto& byte = static_cast<std::uint8_t*>(marks_.bytes())[row >> 3];
    byte = static_cast<std::uint8_t>(byte | 1u << (row & 7));
  }
  Tensor take() { return std::move(marks_); }

 private:
  std::int64_t size_;
  Tensor marks_;
};
SYNTHDATA_INLINE Tensor missing_marks(const std::vector<bool>& missing) {
  MissingMarks marks(static_cast<std::int64_t>(missing.size()));
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i]) marks.mark(static_cast<std::int64_t>(i));
  }
  return marks.take();
}

/// Joins texts: text(i) for i in 0 ... count - 1, called twice each.
template <class F>
Texts join_texts(std::int64_t count, F&& text) {
  Texts texts{{}, Tensor::empty({count + 1}, DType::i64, Device::cpu())};
  auto* offsets = texts.offsets.template data<std::int64_t>();
  std::int64_t bytes = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    offsets[i] = bytes;
    bytes += static_cast<std::int64_t>(std::string_view(text(i)).size());
  }
  offsets[count] = bytes;
  texts.bytes = Tensor::empty({bytes}, DType::u8, Device::cpu());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string_view piece = text(i);
    if (!piece.empty()) std::memcpy(static_cast<char*>(texts.bytes.bytes()) + offsets[i], piece.data(), piece.size());
  }
  return texts;
}

inline bool same_number(double a, double b) { return a == b || (a != a && b != b); }

}  // namespace detail

SYNTHDATA_INLINE Column::Column(ColumnParts parts) : parts_(std::move(parts)) {
  const ColumnSchema& schema = parts_.schema;
  const auto fail = [&](const std::string& text) {
    throw DataError(concat("column ", in_quotes(schema.name), ": ", text));
  };
  if (parts_.size < 0) fail("expects a size >= 0");
  if (!detail::holds_texts(schema)) {
    const bool coded = schema.type == ColumnType::categorical;
    if (coded && parts_.width != 1 && parts_.width != 2 && parts_.width != 4) fail("expects codes of 1, 2 or 4 bytes");
    const std::int64_t expected = parts_.size * (coded ? parts_.width : 1);
    if (!parts_.values.defined() || parts_.values.size() != expected) {
      fail(concat("expects ", expected, " values, got ", parts_.values.str()));
    }
    if (parts_.values.dtype() != detail::stored_as(schema.type)) {
      throw DTypeError(concat("column ", in_quotes(schema.name), ": expects ", detail::stored_as(schema.type), " for ",
                              schema.type, ", got ", parts_.values.str()));
    }
    if (coded) {
      const auto categories = static_cast<std::uint32_t>(schema.categories.size());
      for (std::int64_t i = 0; i < parts_.size; ++i) {
        if (detail::load_code(parts_, i) >= categories && !is_missing(i)) {
          fail(concat("code ", detail::load_code(parts_, i), " of row ", i, " in a column of ", categories,
                      " categories"));
        }
      }
    }
  }
  const bool texts = detail::holds_texts(schema) || schema.as_written;
  if (texts != parts_.texts.defined()) fail(texts ? "expects texts" : "has texts it does not use");
  if (texts && parts_.texts.offsets.size() != parts_.size + 1) fail("its texts are not as many as its rows");
  if (parts_.missing.defined() && parts_.missing.size() != (parts_.size + 7) / 8) {
    fail("its marks of missing values do not fit its length");
  }
}

SYNTHDATA_INLINE Column Column::integers(std::string name, std::span<const std::int64_t> values,
                                         const std::vector<bool>& missing) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Column({.schema = {.name = std::move(name), .type = ColumnType::integer},
                 .size = size,
                 .values = Tensor::from(values, {size}, Device::cpu()),
                 .missing = detail::missing_marks(missing)});
}
SYNTHDATA_INLINE Column Column::reals(std::string name, std::span<const double> values,
                                      const std::vector<bool>& missing) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Column({.schema = {.name = std::move(name), .type = ColumnType::real},
                 .size = size,
                 .values = Tensor::from(values, {size}, Device::cpu()),
                 .missing = detail::missing_marks(missing)});
}
SYNTHDATA_INLINE Column Column::booleans(std::string name, const std::vector<bool>& values,
                                         const std::vector<bool>& missing) {
  const auto size = static_cast<std::int64_t>(values.size());
  Tensor bytes = Tensor::empty({size}, DType::u8, Device::cpu());
  for (std::size_t i = 0; i < values.size(); ++i) bytes.data<std::uint8_t>()[i] = values[i];
  return Column({.schema = {.name = std::move(name), .type = ColumnType::boolean},
                 .size = size,
                 .values = std::move(bytes),
                 .missing = detail::missing_marks(missing)});
}
SYNTHDATA_INLINE Column Column::categorical(std::string name, std::span<const std::int64_t> codes,
                                            std::vector<std::string> categories, const std::vector<bool>& missing) {
  ColumnParts parts{.schema = {.name = std::move(name), .type = ColumnType::categorical},
                    .size = static_cast<std::int64_t>(codes.size()),
                    .missing = detail::missing_marks(missing)};
  parts.schema.categories = std::move(categories);
  detail::make_codes(parts);
  const auto count = static_cast<std::int64_t>(parts.schema.categories.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const bool absent = i < missing.size() && missing[i];
    if (!absent && (codes[i] < 0 || codes[i] >= count)) {
      throw DataError(concat("column ", in_quotes(parts.schema.name), ": code ", codes[i], " of row ", i,
                             " in a column of ", count, " categories"));
    }
    detail::store_code(parts, static_cast<std::int64_t>(i), absent ? 0 : static_cast<std::uint32_t>(codes[i]));
  }
  return Column(std::move(parts));
}
SYNTHDATA_INLINE Column Column::texts(std::string name, std::span<const std::string> values,
                                      const std::vector<bool>& missing) {
  const auto size = static_cast<std::int64_t>(values.size());
  const auto text = [&](std::int64_t i) -> const std::string& { return values[static_cast<std::size_t>(i)]; };
  return Column({.schema = {.name = std::move(name)},
                 .size = size,
                 .texts = detail::join_texts(size, text),
                 .missing = detail::missing_marks(missing)});
}
SYNTHDATA_INLINE Column Column::date_times(std::string name, std::span<const std::int64_t> microseconds,
                                           std::string pattern, std::string zone, const std::vector<bool>& missing) {
  const auto size = static_cast<std::int64_t>(microseconds.size());
  ColumnParts parts{.schema = {.name = std::move(name), .type = ColumnType::date_time},
                    .size = size,
                    .values = Tensor::from(microseconds, {size}, Device::cpu()),
                    .missing = detail::missing_marks(missing)};
  parts.schema.pattern = std::move(pattern);
  parts.schema.zone = std::move(zone);
  return Column(std::move(parts));
}

SYNTHDATA_INLINE std::int64_t Column::missing_count() const {
  std::int64_t count = 0;
  for (std::int64_t i = 0; parts_.missing.defined() && i < size(); ++i) count += is_missing(i);
  return count;
}

SYNTHDATA_INLINE std::int64_t Column::code(std::int64_t row) const {
  if (type() != ColumnType::categorical) {
    throw DTypeError(concat("column ", in_quotes(name()), ": expects categorical for code(), is ", type()));
  }
  return is_missing(row) ? -1 : std::int64_t{detail::load_code(parts_, row)};
}

SYNTHDATA_INLINE void Column::append_cell(std::string& out, std::int64_t row) const {
  const ColumnSchema& format = schema();
  if (format.as_written) {
    out += parts_.texts[row];
  } else if (is_missing(row)) {
    out += format.missing;
  } else if (format.type == ColumnType::integer) {
    detail::append_integer_cell(out, integer(row));
  } else if (format.type == ColumnType::real) {
    detail::append_real_cell(out, real(row), format);
  } else if (format.type == ColumnType::boolean) {
    out += boolean(row) ? format.true_text : format.false_text;
  } else if (format.type == ColumnType::categorical) {
    out += format.categories[detail::load_code(parts_, row)];
  } else if (format.type == ColumnType::date_time) {
    detail::append_date_time_cell(out, integer(row), format.pattern, format.zone);
  } else {
    out += parts_.texts[row];
  }
}
SYNTHDATA_INLINE std::string Column::cell(std::int64_t row) const {
  std::string out;
  append_cell(out, row);
  return out;
}

SYNTHDATA_INLINE double Column::number(std::int64_t row) const {
  if (detail::holds_texts(schema()))
    throw DTypeError(concat("column ", in_quotes(name()), ": ", type(), " is no number"));
  if (is_missing(row)) return std::numeric_limits<double>::quiet_NaN();
  if (type() == ColumnType::real) return real(row);
  if (type() == ColumnType::boolean) return boolean(row);
  if (type() == ColumnType::categorical) return detail::load_code(parts_, row);
  return static_cast<double>(integer(row));
}

SYNTHDATA_INLINE Column Column::renamed(std::string name) const {
  Column column = *this;
  column.parts_.schema.name = std::move(name);
  return column;
}

SYNTHDATA_INLINE Column Column::spelled(const ColumnSchema& format) const {
  if (format.type != type()) {
    throw DataError(concat("column ", in_quotes(name()), ": expects a format for ", type(), ", got ", format.type));
  }
  ColumnParts parts = parts_;
  std::vector<std::string> categories = std::move(parts.schema.categories);
  parts.schema = format;
  parts.schema.name = name();
  parts.schema.categories = std::move(categories);
  if (!detail::holds_texts(format)) {
    parts.schema.as_written = false;
    parts.texts = {};
  }
  return Column(std::move(parts));
}

SYNTHDATA_INLINE Column Column::rows(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > size()) {
    throw ShapeError(
        concat("column ", in_quotes(name()), ": expects rows within 0 ... ", size(), ", got ", begin, " ... ", end));
  }
  Column part;
  part.parts_.schema = schema();
  part.parts_.size = end - begin;
  part.parts_.width = parts_.width;
  const std::int64_t unit = parts_.width ? parts_.width : 1;
  if (parts_.values.defined()) part.parts_.values = parts_.values.rows(begin * unit, end * unit);
  if (parts_.texts.defined()) part.parts_.texts = {parts_.texts.bytes, parts_.texts.offsets.rows(begin, end + 1)};
  detail::MissingMarks marks(end - begin);
  for (std::int64_t i = begin; parts_.missing.defined() && i < end; ++i) {
    if (is_missing(i)) marks.mark(i - begin);
  }
  part.parts_.missing = marks.take();
  return part;
}

SYNTHDATA_INLINE Column Column::take(std::span<const std::int64_t> rows) const {
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size()) {
      throw ShapeError(concat("column ", in_quotes(name()), ": row ", row, " is out of range, there are ", size()));
    }
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  Column taken;
  ColumnParts& to = taken.parts_;
  to.schema = schema();
  to.size = count;
  to.width = parts_.width;
  const auto row = [&](std::int64_t i) { return rows[static_cast<std::size_t>(i)]; };
  const auto copy = [&]<class T>(std::int64_t unit, T) {
    to.values = Tensor::empty({count * unit}, parts_.values.dtype(), Device::cpu());
    const auto* from = static_cast<const T*>(parts_.values.bytes());
    for (std::int64_t i = 0; i < count; ++i) static_cast<T*>(to.values.bytes())[i] = from[row(i)];
  };
  if (type() == ColumnType::real) copy(1, double{});
  if (type() == ColumnType::integer || type() == ColumnType::date_time) copy(1, std::int64_t{});
  if (type() == ColumnType::boolean || parts_.width == 1) copy(1, std::uint8_t{});
  if (parts_.width == 2) copy(2, std::uint16_t{});
  if (parts_.width == 4) copy(4, std::uint32_t{});
  if (parts_.texts.defined()) {
    to.texts = detail::join_texts(count, [&](std::int64_t i) { return parts_.texts[row(i)]; });
  }
  detail::MissingMarks marks(count);
  for (std::int64_t i = 0; parts_.missing.defined() && i < count; ++i) {
    if (is_missing(row(i))) marks.mark(i);
  }
  to.missing = marks.take();
  return taken;
}

SYNTHDATA_INLINE Column Column::append(const Column& below) const {
  if (below.name() != name() || below.type() != type()) {
    throw DataError(concat("append: expects column ", in_quotes(name()), " of type ", type(), ", got ",
                           in_quotes(below.name()), " of type ", below.type()));
  }
  Column joined;
  ColumnParts& to = joined.parts_;
  to.schema = schema();
  to.size = size() + below.size();
  const Column* const halves[] = {this, &below};

  std::vector<std::uint32_t> recoded;  // below's codes in the joined categories
  if (type() == ColumnType::categorical) {
    const std::vector<std::string>&own = schema().categories, &others = below.schema().categories;
    const auto common = static_cast<std::ptrdiff_t>(std::min(own.size(), others.size()));
    if (std::equal(own.begin(), own.begin() + common, others.begin())) {  // one list goes on where the other ends
      if (others.size() > own.size()) to.schema.categories = others;
    } else {
      std::unordered_map<std::string_view, std::uint32_t> codes;
      for (const std::string& category : own) codes.emplace(category, static_cast<std::uint32_t>(codes.size()));
      for (const std::string& category : others) {
        const auto [at, is_new] = codes.emplace(category, static_cast<std::uint32_t>(codes.size()));
        if (is_new) to.schema.categories.push_back(category);
        recoded.push_back(at->second);
      }
    }
    detail::make_codes(to);
    for (std::int64_t i = 0; i < size(); ++i) detail::store_code(to, i, detail::load_code(parts_, i));
    for (std::int64_t i = 0; i < below.size(); ++i) {
      const std::uint32_t code = detail::load_code(below.parts_, i);
      detail::store_code(to, size() + i, below.is_missing(i) ? 0 : recoded.empty() ? code : recoded[code]);
    }
  } else if (parts_.values.defined()) {
    to.values = Tensor::empty({to.size}, parts_.values.dtype(), Device::cpu());
    auto* bytes = static_cast<char*>(to.values.bytes());
    for (const Column* half : halves) {
      const auto count = static_cast<std::size_t>(half->parts_.values.size_bytes());
      if (count) std::memcpy(bytes, half->parts_.values.bytes(), count);
      bytes += count;
    }
  }

  std::vector<std::string> categories = std::exchange(to.schema.categories, {});  // may differ, and be very many
  ColumnSchema other = below.schema();
  other.categories.clear();
  // what had two spellings is written as it was where one no longer does
  to.schema.as_written = to.schema != other || schema().as_written;
  to.schema.categories = std::move(categories);
  if (detail::holds_texts(schema()) || to.schema.as_written) {
    std::string cell;
    to.texts = detail::join_texts(to.size, [&](std::int64_t i) -> std::string_view {
      const Column& half = i < size() ? *this : below;
      const std::int64_t row = i < size() ? i : i - size();
      if (half.schema().as_written) return half.parts_.texts[row];
      cell.clear();
      half.append_cell(cell, row);
      return cell;
    });
  }
  detail::MissingMarks marks(to.size);
  for (std::int64_t i = 0; i < to.size; ++i) {
    if (i < size() ? is_missing(i) : below.is_missing(i - size())) marks.mark(i);
  }
  to.missing = marks.take();
  return joined;
}

SYNTHDATA_INLINE Tensor Column::to_tensor(DType dtype) const {
  const std::string names[] = {name()};
  return Table({*this}).to_tensor(names, dtype).reshape({size()});
}

SYNTHDATA_INLINE std::int64_t Column::size_bytes() const {
  const auto bytes = [](const Tensor& tensor) { return tensor.defined() ? tensor.size_bytes() : 0; };
  return bytes(parts_.values) + bytes(parts_.texts.bytes) + bytes(parts_.texts.offsets) + bytes(parts_.missing);
}

SYNTHDATA_INLINE bool operator==(const Column& a, const Column& b) {
  if (a.schema() != b.schema() || a.size() != b.size()) return false;
  const bool texts = a.parts_.texts.defined();
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (a.is_missing(i) != b.is_missing(i)) return false;
    if (a.is_missing(i) && !a.schema().as_written) continue;
    if (texts && a.parts_.texts[i] != b.parts_.texts[i]) return false;
    if (a.is_missing(i) || detail::holds_texts(a.schema())) continue;
    if (a.type() == ColumnType::integer || a.type() == ColumnType::date_time) {
      if (a.integer(i) != b.integer(i)) return false;
    } else if (!detail::same_number(a.number(i), b.number(i))) {
      return false;
    }
  }
  return true;
}

SYNTHDATA_INLINE Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  if (!columns_.empty()) size_ = columns_[0].size();
  std::vector<std::string_view> names;  // sorted: many columns must not cost their square
  for (const Column& column : columns_) {
    if (column.size() != size_) {
      throw DataError(concat("Table: column ", in_quotes(column.name()), " has ", column.size(), " rows, ",
                             in_quotes(columns_[0].name()), " has ", size_));
    }
    names.push_back(column.name());
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw DataError(concat("Table: two columns are called ", in_quotes(*twice)));
}

SYNTHDATA_INLINE std::int64_t Table::find(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].name() == name) return static_cast<std::int64_t>(i);
  }
  return -1;
}
SYNTHDATA_INLINE const Column& Table::operator[](std::string_view name) const {
  const std::int64_t at = find(name);
  if (at >= 0) return columns_[static_cast<std::size_t>(at)];
  throw DataError(
      concat("Table: no column is called ", in_quotes(name), "; there are ", detail::list_names(schema().columns)));
}

SYNTHDATA_INLINE Schema Table::schema() const {
  Schema schema;
  for (const Column& column : columns_) schema.columns.push_back(column.schema());
  return schema;
}

SYNTHDATA_INLINE Table Table::select(std::span<const std::string> names) const {
  std::vector<Column> columns;
  for (const std::string& name : names) columns.push_back((*this)[name]);
  return Table(std::move(columns));
}
SYNTHDATA_INLINE Table Table::without(std::span<const std::string> names) const {
  for (const std::string& name : names) (*this)[name];
  std::vector<Column> columns;
  for (const Column& column : columns_) {
    if (std::find(names.begin(), names.end(), column.name()) == names.end()) columns.push_back(column);
  }
  return Table(std::move(columns));
}
SYNTHDATA_INLINE Table Table::with(Column column) const {
  std::vector<Column> columns = columns_;
  const std::int64_t at = find(column.name());
  if (at < 0) {
    columns.push_back(std::move(column));
  } else {
    columns[static_cast<std::size_t>(at)] = std::move(column);
  }
  return Table(std::move(columns));
}

SYNTHDATA_INLINE Table Table::rows(std::int64_t begin, std::int64_t end) const {
  std::vector<Column> columns;
  for (const Column& column : columns_) columns.push_back(column.rows(begin, end));
  return Table(std::move(columns));
}
SYNTHDATA_INLINE Table Table::take(std::span<const std::int64_t> rows) const {
  std::vector<Column> columns;
  for (const Column& column : columns_) columns.push_back(column.take(rows));
  return Table(std::move(columns));
}
SYNTHDATA_INLINE Table Table::append(const Table& below) const {
  if (below.columns_.size() != columns_.size()) {
    throw DataError(concat("append: expects ", columns_.size(), " columns, got ", below.columns_.size()));
  }
  std::vector<Column> columns;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns.push_back(columns_[i].append(below.columns_[i]));
  return Table(std::move(columns));
}

SYNTHDATA_INLINE Tensor Table::to_tensor(std::span<const std::string> names, DType dtype) const {
  const Table chosen = names.empty() ? *this : select(names);
  const auto width = static_cast<std::int64_t>(chosen.columns_.size());
  for (const Column& column : chosen.columns_) {
    if (detail::holds_texts(column.schema())) {
      throw DTypeError(concat("to_tensor: column ", in_quotes(column.name()), " is ", column.type(), ", not numbers"));
    }
    if (is_floating(dtype) || !column.parts().missing.defined()) continue;
    throw DataError(concat("to_tensor: column ", in_quotes(column.name()), " has ", column.missing_count(),
                           " missing values, and ", dtype, " has none for them"));
  }
  Tensor tensor = Tensor::empty({size_, width}, dtype, Device::cpu());
  visit_dtype(dtype, [&]<class T>() {
    T* to = tensor.data<T>();
    for (std::int64_t c = 0; c < width; ++c) {
      const Column& column = chosen.columns_[static_cast<std::size_t>(c)];
      const bool exact = column.type() == ColumnType::integer || column.type() == ColumnType::date_time;
      for (std::int64_t i = 0; i < size_; ++i) {
        if constexpr (sizeof(T) == 8 && std::is_integral_v<T>) {
          if (exact) {
            to[i * width + c] = column.integer(i);
            continue;
          }
        }
        to[i * width + c] = static_cast<T>(column.number(i));
      }
    }
  });
  return tensor;
}

SYNTHDATA_INLINE Table Table::from_tensor(const Tensor& tensor, std::span<const std::string> names) {
  if (!tensor.defined() || tensor.rank() != 2 || tensor.shape(1) != static_cast<std::int64_t>(names.size())) {
    throw ShapeError(
        concat("Table::from_tensor: expects [N, ", names.size(), "] for ", names.size(), " names, got ", tensor.str()));
  }
  const bool floating = is_floating(tensor.dtype());
  const Tensor values = tensor.to(floating ? DType::f64 : DType::i64);
  const std::int64_t rows = tensor.shape(0), width = tensor.shape(1);
  std::vector<Column> columns;
  for (std::int64_t c = 0; c < width; ++c) {
    ColumnParts parts{.schema = {.name = names[static_cast<std::size_t>(c)],
                                 .type = floating ? ColumnType::real : ColumnType::integer},
                      .size = rows,
                      .values = Tensor::empty({rows}, values.dtype(), Device::cpu())};
    detail::MissingMarks marks(rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      if (!floating) {
        parts.values.data<std::int64_t>()[i] = values.data<std::int64_t>()[i * width + c];
        continue;
      }
      const double value = values.data<double>()[i * width + c];
      if (std::isnan(value)) marks.mark(i);
      parts.values.data<double>()[i] = std::isnan(value) ? 0.0 : value;
    }
    parts.missing = marks.take();
    columns.emplace_back(std::move(parts));
  }
  return Table(std::move(columns));
}

SYNTHDATA_INLINE std::string Table::head(std::int64_t rows) const {
  constexpr std::size_t widest = 24;  // characters of a cell; longer ones are cut
  const std::int64_t shown = std::min(std::max<std::int64_t>(rows, 0), size_);
  const auto fit = [&](std::string text) {
    std::string out;
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if ((byte & 0xc0) != 0x80 && ++characters > widest) return out + "...";
      out += byte < 0x20 || byte == 0x7f ? ' ' : text[i];
    }
    return out;
  };
  const auto width_of = [](std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  std::vector<std::string> lines(static_cast<std::size_t>(shown) + 2);
  for (const Column& column : columns_) {
    std::vector<std::string> cells = {fit(column.name()), name_of(column.type())};
    for (std::int64_t i = 0; i < shown; ++i) cells.push_back(column.is_missing(i) ? "-" : fit(column.cell(i)));
    std::size_t width = 0;
    for (const std::string& cell : cells) width = std::max(width, width_of(cell));
    const bool to_the_right = column.type() == ColumnType::integer || column.type() == ColumnType::real;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blanks(width - width_of(cells[i]), ' ');
      if (!lines[i].empty() || &column != columns_.data()) lines[i] += "  ";
      lines[i] += to_the_right ? blanks + cells[i] : cells[i] + blanks;
    }
  }
  std::string out;
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  if (shown < size_) out += concat("... ", size_, " rows in all\n");
  return out;
}

SYNTHDATA_INLINE std::int64_t Table::size_bytes() const {
  std::int64_t bytes = 0;
  for (const Column& column : columns_) bytes += column.size_bytes();
  return bytes;
}

}  // namespace synthdata
